package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"postern.dev/postern/internal/server"
)

// serve runs the server until it is told to stop.
type serve struct {
	source
	Listen *string `placeholder:"HOST:PORT" help:"Where to listen; outweighs the file's."`
}

// Help is shown by --help.
func (serve) Help() string {
	return `Brings the schema up to date first; GET /healthz says 200 when ready. SIGTERM
stops it: what runs is finished within 30 s. A second one ends it at once.

Example:
  postern serve --config postern.yaml`
}

// Run is what the command does.
func (s *serve) Run(t *terminal) error {
	var warnings []string
	cfg, err := s.load(func(w string) { warnings = append(warnings, w) }, given("--listen", "listen", s.Listen)...)
	if err != nil {
		for _, w := range warnings {
			t.warn("warning: %s", w)
		}
		return err
	}
	log := logger(cfg, t.err)
	for _, w := range warnings {
		log.Warn(w)
	}
	ctx, stop := untilSignalled()
	defer stop()
	node, err := server.New(ctx, cfg, server.Outside{Log: log})
	if err != nil {
		return err
	}
	return node.Run(ctx)
}

// untilSignalled is a context that ends with the first SIGTERM or SIGINT; the
// second ends the process.
func untilSignalled() (context.Context, func()) {
	ctx, cancel := context.WithCancel(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-signals
		cancel()
		<-signals
		os.Exit(failed)
	}()
	return ctx, func() { signal.Stop(signals); cancel() }
}
