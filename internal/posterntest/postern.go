// Package posterntest is a whole Postern for tests: every room over a real
// database, a clock that is moved by hand, and helpers that read like a story:
//
//	s := posterntest.New(t)
//	code := s.Approve(posterntest.Xref, posterntest.Ada)
//	s.Clock.Advance(5*time.Minute + time.Second)
//	s.Redeem(posterntest.Xref, code).Wants(400, "invalid_grant")
//
// Only what a person or a partner could do goes on here: pages are fetched and
// their forms filled in, requests are sent over HTTP. Rooms' own tests, which
// this package would import in a circle, find the clock, the engines and a
// PostgreSQL in packages below it.
package posterntest

import (
	"context"

	"log/slog"

	"net"
	"net/http"
	"net/http/httptest"

	"path/filepath"
	"sync/atomic"
	"testing"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/posterntest/clock"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/server"
)

// Postern is a running one, with the people and apps of the fixtures.
type Postern struct {
	t testing.TB

	URL      string // its public_url, where it listens
	Internal string // where its internal listener does
	Database string
	Clock    *clock.Clock
	Log      *Log // all that was logged, at the most talkative level

	cfg      *config.Config
	settings map[string]any
	file     string // the configuration

	running *atomic.Pointer[server.Server]
	people  map[string]*Browser
}

// Option changes what New starts.
type Option func(settings map[string]any)

// On chooses the database; without it, it is a new SQLite file.
func On(database string) Option { return Set("database", database) }

// Set gives a key of the configuration file a value.
func Set(key string, value any) Option {
	return func(settings map[string]any) { settings[key] = value }
}

// Dialects mounts files beside the usual dialects.
func Dialects(files ...string) Option {
	mounts := []any{map[string]any{"name": "xref"}, map[string]any{"name": "xeebo"}, map[string]any{"name": "standard"}}
	for _, file := range files {
		mounts = append(mounts, map[string]any{"file": file})
	}
	return Set("dialects", mounts)
}

// New starts a Postern that ends with the test.
func New(t testing.TB, options ...Option) *Postern {
	t.Helper()
	s := &Postern{t: t, Clock: clock.New(), Log: &Log{}, running: &atomic.Pointer[server.Server]{}, people: map[string]*Browser{}}
	s.URL = s.serve(func(n *server.Server) http.Handler { return n.Handler() })
	s.Internal = s.serve(func(n *server.Server) http.Handler { return n.Internal() })
	settings := map[string]any{
		"public_url": s.URL, "internal_listen": s.Internal[len("http://"):], "insecure_loopback": true, "secret_key": testKey,
	}
	for _, option := range options {
		option(settings)
	}
	if settings["database"] == nil {
		settings["database"] = engines.SQLite(t)
	}
	s.Database = settings["database"].(string)
	s.settings, s.file = settings, filepath.Join(t.TempDir(), "postern.yaml")
	var err error
	if s.cfg, err = s.configure(); err != nil {
		t.Fatal(err)
	}
	s.start()
	t.Cleanup(s.stop)
	s.Apply(resources())
	return s
}

// testKey is a key for tests alone.
const testKey = "dGVzdHMgYWxsIHVzZSB0aGUgc2FtZSBzZWNyZXQga2U="

// serve opens a listener for whichever server is running.
func (s *Postern) serve(door func(*server.Server) http.Handler) (address string) {
	s.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		s.t.Fatal(err)
	}
	h := &httptest.Server{Listener: l, Config: &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n := s.running.Load(); n != nil {
			door(n).ServeHTTP(w, r)
			return
		}
		w.WriteHeader(http.StatusServiceUnavailable)
	})}}
	h.Start()
	s.t.Cleanup(h.Close)
	return h.URL
}

func (s *Postern) start() {
	s.t.Helper()
	log := slog.New(slog.NewTextHandler(s.Log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	n, err := server.New(context.Background(), s.cfg, server.Outside{Now: s.Clock.Now, Log: log})
	if err != nil {
		s.t.Fatalf("start: %v", err)
	}
	s.running.Store(n)
}

// Stop takes the server away; what calls it is answered 503.
func (s *Postern) Stop() { s.stop() }

func (s *Postern) stop() {
	if n := s.running.Swap(nil); n != nil {
		if err := n.Close(); err != nil {
			s.t.Errorf("stop: %v", err)
		}
	}
}

// Restart ends the server and starts another on the same database and address.
func (s *Postern) Restart() {
	s.t.Helper()
	s.stop()
	s.start()
}

// configure writes the settings down and reads them as an operator's.
func (s *Postern) configure() (*config.Config, error) {
	cfg, _, err := config.Load(config.Sources{File: writeJSON(s.t, s.file, s.settings)})
	return cfg, err
}

// Reload changes settings while the server runs, which keeps those of left.
func (s *Postern) Reload(options ...Option) (left []string, err error) {
	for _, option := range options {
		option(s.settings)
	}
	next, err := s.configure()
	if err != nil {
		return nil, err
	}
	return s.running.Load().Reload(next)
}

// For is the same Postern for a subtest, with browsers of its own.
func (s *Postern) For(t testing.TB) *Postern {
	sub := *s
	sub.t, sub.people = t, map[string]*Browser{}
	return &sub
}

// Apply brings the database to what a resources file declares, as `postern
// apply` does beside a running server.
func (s *Postern) Apply(resources string) {
	s.t.Helper()
	if err := s.TryApply(resources); err != nil {
		s.t.Fatalf("apply: %v\n%s", err, resources)
	}
}

// TryApply is Apply where a refusal is wanted.
func (s *Postern) TryApply(resources string) error {
	s.t.Helper()
	ctx := context.Background()
	rooms, err := server.Build(ctx, s.cfg, server.Outside{Now: s.Clock.Now})
	if err != nil {
		s.t.Fatal(err)
	}
	defer rooms.Close()
	_, err = rooms.Registry.Apply(ctx, registry.Read(registry.File{Name: "test.yaml", Data: []byte(resources)}), false)
	return err
}
