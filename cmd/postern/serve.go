package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"postern.dev/postern/internal/config"
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
SIGHUP has it read its configuration, dialects and rules for routes again.

Example:
  postern serve --config postern.yaml`
}

// Run is what the command does.
func (s *serve) Run(t *terminal) error {
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)
	cfg, warnings, err := s.read()
	if err != nil {
		for _, w := range warnings {
			t.warn("warning: %s", w)
		}
		return err
	}
	level := &slog.LevelVar{}
	_ = level.UnmarshalText([]byte(cfg.Log.Level)) // was checked
	log := logger(cfg, level, t.err)
	for _, w := range warnings {
		log.Warn(w)
	}
	ctx, stop := untilSignalled()
	defer stop()
	node, err := server.New(ctx, cfg, server.Outside{Log: log})
	if err != nil {
		return err
	}
	go func() {
		for {
			select {
			case <-hangups:
				s.reload(node, level, log)
			case <-ctx.Done():
				return
			}
		}
	}()
	return node.Run(ctx)
}

// read reads the configuration, with what it warns of.
func (s *serve) read() (cfg *config.Config, warnings []string, err error) {
	cfg, err = s.load(func(w string) { warnings = append(warnings, w) }, given("--listen", "listen", s.Listen)...)
	return cfg, warnings, err
}

// reload has a running server take over its configuration as it is now. What is
// wrong is told, and nothing changes.
func (s *serve) reload(node *server.Server, level *slog.LevelVar, log *slog.Logger) {
	cfg, warnings, err := s.read()
	for _, w := range warnings {
		log.Warn(w)
	}
	var left []string
	if err == nil {
		left, err = node.Reload(cfg)
	}
	if err != nil {
		for line := range strings.Lines(err.Error()) {
			log.Error("the configuration cannot be taken over", "problem", strings.TrimSuffix(line, "\n"))
		}
		log.Error("the server goes on with the configuration that it had")
		return
	}
	_ = level.UnmarshalText([]byte(cfg.Log.Level))
	for _, key := range left {
		log.Warn("this key has changed and needs another start of the server; it goes on with the old value", "key", key)
	}
	log.Info("the configuration was read again and holds for all requests from now on")
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
