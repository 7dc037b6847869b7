package dev

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/server"
)

// Options are how the demo runs.
type Options struct {
	Dir     string // where its data is
	Fresh   bool   // begin anew
	Verbose bool   // show the server's log of requests
	Ports   Ports
	Out     io.Writer
	Err     io.Writer // of the server's log

	anyPort  bool
	database string // lines of the configuration; empty: a file in Dir
}

// Run runs the demo until ctx ends.
func Run(ctx context.Context, o Options) error {
	d, err := start(ctx, o)
	if err != nil {
		return err
	}
	d.welcome(o.Out)
	select {
	case <-ctx.Done():
		fmt.Fprintln(o.Out, "\nStopping.")
	case err = <-d.broken:
	}
	return errors.Join(err, d.stop())
}

// demo is the product on one machine, running.
type demo struct {
	at      places
	dir     string
	partner *partner
	notes   []string // what is not as usual
	broken  chan error

	servers []*http.Server
	end     context.CancelFunc
	ended   chan struct{}
}

// start brings everything up, or nothing.
func start(ctx context.Context, o Options) (*demo, error) {
	if err := prepare(o.Dir, o.Fresh); err != nil {
		return nil, err
	}
	d := &demo{dir: o.Dir, broken: make(chan error, 3), ended: make(chan struct{})}
	listeners, err := d.listen(o)
	if err != nil {
		return nil, err
	}
	cfg, err := d.declare(ctx, o)
	if err != nil {
		closeAll(listeners)
		return nil, err
	}
	// The server opens its own two listeners.
	listeners[0].Close()
	listeners[3].Close()
	level := new(slog.LevelVar)
	level.Set(atStart(o.Verbose))
	log := slog.New(slog.NewTextHandler(o.Err, &slog.HandlerOptions{Level: level}))
	node, err := server.New(ctx, cfg, server.Outside{Log: log, Tell: func(what, email, link string) {
		log.Warn("no mail is configured, so here is the link "+what, "email", email, "link", link)
	}})
	if err != nil {
		closeAll(listeners[1:3])
		return nil, err
	}
	running, end := context.WithCancel(context.WithoutCancel(ctx))
	d.end = end
	go func() {
		defer close(d.ended)
		if err := node.Run(running); err != nil {
			d.broken <- err
		}
	}()
	d.serve(listeners[1], newSite(d.partner, d.at))
	d.serve(listeners[2], newAPI(&gateway{check: d.at.internal + "/check", client: here(nil)}))
	if err := d.ready(ctx); err != nil {
		return nil, errors.Join(err, d.stop())
	}
	level.Set(levelOf(o.Verbose))
	return d, nil
}

// atStart keeps back what the server says of the built-in dialects' weak spots:
// they are as their models are, and the demo can do nothing about it.
func atStart(verbose bool) slog.Level {
	if verbose {
		return slog.LevelInfo
	}
	return slog.LevelError
}

func levelOf(verbose bool) slog.Level {
	if verbose {
		return slog.LevelInfo
	}
	return slog.LevelWarn
}

// listen takes the four ports: public, partner, API, internal.
func (d *demo) listen(o Options) ([]net.Listener, error) {
	usual := usualPorts
	if o.anyPort {
		usual = Ports{}
	}
	var open []net.Listener
	for _, p := range []port{
		{"Postern", "--port", o.Ports.Public, usual.Public},
		{"the partner's site", "--partner-port", o.Ports.Partner, usual.Partner},
		{"the sample API", "--api-port", o.Ports.API, usual.API},
		{"the internal listener", "--internal-port", o.Ports.Internal, usual.Internal},
	} {
		l, err := p.open(func(note string) { d.notes = append(d.notes, note) })
		if err != nil {
			closeAll(open)
			return nil, err
		}
		open = append(open, l)
	}
	// Cookies know no ports: under two names, the partner's site and Postern do
	// not see each other's.
	d.at = places{
		public:   fmt.Sprintf("http://localhost:%d", portOf(open[0])),
		partner:  fmt.Sprintf("http://127.0.0.1:%d", portOf(open[1])),
		api:      fmt.Sprintf("http://127.0.0.1:%d", portOf(open[2])),
		internal: fmt.Sprintf("http://127.0.0.1:%d", portOf(open[3])),
	}
	return open, nil
}

func closeAll(listeners []net.Listener) {
	for _, l := range listeners {
		l.Close()
	}
}

// declare writes the files of an installation, and applies them as an operator
// would.
func (d *demo) declare(ctx context.Context, o Options) (*config.Config, error) {
	text, err := configuration(d.at, cmp.Or(o.database, "database: sqlite:"+databaseFile), o.Verbose)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(d.dir, configFile)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		return nil, err
	}
	cfg, _, err := config.Load(config.Sources{File: path}) // the one warning, insecure_loopback, is meant
	if err != nil {
		return nil, err
	}
	rooms, err := server.Build(ctx, cfg, server.Outside{})
	if err != nil {
		return nil, err
	}
	declared := []byte(resources(rooms.Dialects, d.at))
	path = filepath.Join(d.dir, resourcesFile)
	if err = os.WriteFile(path, declared, 0o600); err == nil {
		_, err = rooms.Registry.Apply(ctx, registry.Read(registry.File{Name: path, Data: declared}), false)
	}
	if err == nil {
		d.partner, err = newPartner(rooms.Dialects, d.at, filepath.Join(d.dir, partnerFile))
	}
	return cfg, errors.Join(err, rooms.Close())
}

// serve serves a listener until the demo stops.
func (d *demo) serve(l net.Listener, h http.Handler) {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	d.servers = append(d.servers, s)
	go func() {
		if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			d.broken <- err
		}
	}()
}

// ready waits until the server says so.
func (d *demo) ready(ctx context.Context) error {
	client := here(nil)
	defer client.CloseIdleConnections()
	for deadline := time.Now().Add(15 * time.Second); time.Now().Before(deadline); {
		if answer, err := client.Get(d.at.public + "/healthz"); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case err := <-d.broken:
			return err
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(10 * time.Millisecond):
		}
	}
	return fmt.Errorf("the server is not ready after 15 s at %s", d.at.public)
}

// stop ends the partner's site and the API first, then the server, which
// finishes what runs.
func (d *demo) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var all []error
	for _, s := range d.servers {
		all = append(all, s.Shutdown(ctx))
	}
	d.end()
	<-d.ended
	select {
	case err := <-d.broken:
		all = append(all, err)
	default:
	}
	return errors.Join(all...)
}
