// Package server is the roof: it builds the rooms, hands each what it needs,
// mounts the doors, and starts and stops. It decides nothing else.
package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/admin"
	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/logo"
	"postern.dev/postern/internal/routes"
	"postern.dev/postern/internal/ui"
	"postern.dev/postern/internal/web"
	"postern.dev/postern/internal/webhook"
)

// Server is one node: the rooms over one database, and the doors to them.
type Server struct {
	*Rooms
	cfg     *config.Config
	outside Outside
	routes  *routes.Table // nil: no rules for routes

	public   http.Handler
	internal http.Handler
	health   health
	metrics  *metrics

	insideIDs *cheapIDs // names of the internal listener's requests

	leave        func()          // the database is no longer served by this process
	ending       context.Context // done when the node begins to stop
	endStreams   context.CancelFunc
	stopSweeping context.CancelFunc
	sweeping     sync.WaitGroup
	closing      sync.Once
	closed       error
}

// New builds a node: it opens the database, brings the schema up to date, proves
// the secret key, reads the dialects. It does not listen yet; Run does, or
// Handler serves elsewhere. Close it in any case.
func New(ctx context.Context, cfg *config.Config, outside Outside) (*Server, error) {
	rooms, err := Build(ctx, cfg, outside)
	if err != nil {
		return nil, err
	}
	s := &Server{Rooms: rooms, cfg: cfg, outside: outside.withDefaults()}
	if s.routes, err = Routes(cfg, s.Dialects); err != nil {
		return nil, errors.Join(err, rooms.Close())
	}
	s.health.ping, s.health.now = s.DB.Ping, s.outside.Now
	s.ending, s.endStreams = context.WithCancel(context.WithoutCancel(ctx))
	s.metrics = newMetrics(s)
	if s.insideIDs, err = newCheapIDs(s.outside.Random); err != nil {
		return nil, errors.Join(err, rooms.Close())
	}
	s.internal = s.insideDoors()
	if s.public, err = s.doors(); err != nil {
		return nil, errors.Join(err, rooms.Close())
	}
	if err = s.attend(ctx); err != nil {
		return nil, errors.Join(err, rooms.Close())
	}
	sweeping, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stopSweeping = stop
	s.sweeping.Go(func() { sweeper(sweeping, s.sweeps(), sweepEvery, s.outside.Log) })
	s.sweeping.Go(func() { sweeper(sweeping, s.notes(), noteEvery, s.outside.Log) })
	s.sweeping.Go(func() { sweeper(sweeping, s.fetches(), noteEvery, s.outside.Log) })
	s.sweeping.Go(func() { sweeper(sweeping, s.tidies(), tidyEvery, s.outside.Log) })
	s.sweeping.Go(func() { s.OAuth.Memory.Follow(sweeping, s.DB.Knocks(sweeping), followEvery) })
	s.sweeping.Go(func() { s.Webhooks.Run(sweeping) })
	s.sweeping.Go(func() { s.Requests.Run(sweeping) })
	s.sweeping.Go(func() { s.Mail.Run(sweeping) })
	s.health.started.Store(true)
	return s, nil
}

// doors mounts what the world may knock at.
func (s *Server) doors() (http.Handler, error) {
	brand, err := brandOf(s.cfg)
	if err != nil {
		return nil, err
	}
	pages, err := ui.New(brand, ui.File{Name: "guide.css", Content: []byte(dialect.GuideStyle()), MediaType: "text/css; charset=utf-8"})
	if err != nil {
		return nil, err
	}
	pages.HTTPS = strings.HasPrefix(s.cfg.PublicURL, "https:")
	o, address := s.outside, s.proxies()
	people, err := web.New(web.Config{
		PublicURL: s.cfg.PublicURL, Pages: pages, Engine: s.OAuth, People: s.Identity, Rows: s.DB,
		Wire: func(name string) (web.Wire, bool) { return s.Dialects.Get(name) },
		Now:  o.Now, Random: o.Random, Log: o.Log, Address: address.clientAddress, RequestID: requestID, Seen: s.answered,
	})
	if err != nil {
		return nil, err
	}
	staff, err := s.staffDoors(pages)
	if err != nil {
		return nil, err
	}
	machines := &dialect.Door{
		Set: s.Dialects, Engine: s.OAuth, Issuer: s.cfg.PublicURL, Browser: people.Browser, Pages: people,
		Source: address.clientAddress, Scopes: s.DB.DefaultScopes, Keys: s.Signing.Set, Log: o.Log, Now: o.Now, Seen: s.seen,
	}
	api := admin.New(admin.Config{
		Engine: s.OAuth, Rows: s.DB, Webhooks: s.Webhooks, Source: address.clientAddress, Ending: s.ending.Done(), Log: o.Log,
		PublicURL: s.cfg.PublicURL,
	})
	return &frame{
		next:    s.route(machines, api, people, staff),
		proxies: address, now: o.Now, log: o.Log,
		mint:  func() (string, error) { return postern.NewID(o.Random, "req_") },
		https: strings.HasPrefix(s.cfg.PublicURL, "https:"),
		oops:  people.Error,
	}, nil
}

// route finds the door: machines' wires first, people's pages for the rest.
func (s *Server) route(machines *dialect.Door, api, people http.Handler, staff *staffDoors) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch door := staff.of(r.URL.Path); {
		case r.URL.Path == healthPath:
			recordOf(r.Context()).quiet = true
			s.health.ServeHTTP(w, r)
		case machines.Serve(w, r):
		case strings.HasPrefix(r.URL.Path, admin.Prefix) || r.URL.Path == admin.DocumentPath:
			api.ServeHTTP(w, r)
		case door != nil:
			door.ServeHTTP(w, r)
		default:
			people.ServeHTTP(w, r)
		}
	})
}

func (s *Server) proxies() (list proxies) {
	for _, n := range s.cfg.TrustedProxies {
		list = append(list, n.Prefix)
	}
	return list
}

func (s *Server) sweeps() []sweep {
	return []sweep{{"grants", sweepBatch, s.OAuth.Sweep}, {"sign-ins", sweepBatch, s.Identity.Sweep},
		{"signing keys", sweepBatch, s.Signing.Tend},
		{"request log", sweepBatch, func(ctx context.Context) (int, error) { return s.Requests.Sweep(ctx, sweepBatch) }},
		{"webhooks", sweepBatch, func(ctx context.Context) (int, error) { return s.Webhooks.Sweep(ctx, sweepBatch) }},
		{"outages", outagesAtOnce, func(ctx context.Context) (int, error) { return s.Webhooks.TellOutages(ctx, outagesAtOnce) }},
		{"mails", sweepBatch, func(ctx context.Context) (int, error) { return s.Mail.Sweep(ctx, sweepBatch) }}}
}

// notes are what is kept in memory for a moment, so that a token check costs no write.
func (s *Server) notes() []sweep {
	return []sweep{{"last uses", sweepBatch, s.OAuth.SaveUses}}
}

// tidies are what is held in memory for those who come again soon.
func (s *Server) tidies() []sweep {
	return []sweep{{"tokens in memory", sweepBatch, func(context.Context) (int, error) { s.OAuth.Memory.Tidy(); return 0, nil }}}
}

// fetches are what is brought from elsewhere in the background.
func (s *Server) fetches() []sweep {
	logos := &logo.Fetcher{Store: s.DB, Transport: webhook.NewTransport(s.cfg.InsecureLoopback, nil), Now: s.outside.Now, Log: s.outside.Log, Once: s.cfg.Apps.Reviewed()}
	return []sweep{{"logos", sweepBatch, logos.Sweep}}
}

// brandOf reads the logo, too.
func brandOf(cfg *config.Config) (ui.Brand, error) {
	b := ui.Brand{Name: cfg.Branding.Name, Colour: cfg.Branding.Color, Help: cfg.Branding.Support}
	if cfg.Branding.Logo == "" {
		return b, nil
	}
	image, err := os.ReadFile(cfg.Branding.Logo)
	if err != nil {
		return b, fmt.Errorf("branding.logo: %w", err)
	}
	const most = 256 << 10
	if len(image) > most {
		return b, fmt.Errorf("branding.logo: %s is larger than 256 KiB; every page shows it", cfg.Branding.Logo)
	}
	b.Logo = image
	b.LogoType = map[string]string{
		".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".webp": "image/webp",
	}[strings.ToLower(filepath.Ext(cfg.Branding.Logo))]
	return b, nil
}

// Handler serves the public listener's requests.
func (s *Server) Handler() http.Handler { return s.public }

// Internal serves the internal listener's requests.
func (s *Server) Internal() http.Handler { return s.internal }

// warnings are what the mounted dialects weaken, for the log at start.
func (s *Server) warnings() (list []string) {
	for _, d := range s.Dialects.List() {
		for _, i := range d.Insecure() {
			list = append(list, fmt.Sprintf("the dialect %s sets %s because: %s", d.Name(), i.Key, i.Because))
		}
	}
	return list
}

// Close ends what runs beside the requests and closes the database. Call it
// when no more requests come.
func (s *Server) Close() error {
	s.closing.Do(func() {
		s.endStreams()
		s.stopSweeping()
		s.sweeping.Wait()
		s.closed = s.Rooms.Close()
		s.leave()
	})
	return s.closed
}

// health tells whether this node may be sent requests.
type health struct {
	started  atomic.Bool
	draining atomic.Bool
	ping     func(context.Context) error
	now      func() time.Time

	mu     sync.Mutex
	asked  time.Time
	answer bool
}

// pingLife spares the database from whoever asks /healthz in a loop.
const pingLife = time.Second

// ready: started, not stopping, and the database answers.
func (h *health) ready(ctx context.Context) bool {
	if !h.started.Load() || h.draining.Load() {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if age := h.now().Sub(h.asked); age >= 0 && age < pingLife {
		return h.answer
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
	defer cancel()
	h.answer, h.asked = h.ping(ctx) == nil, h.now()
	return h.answer
}

// ServeHTTP says 200 when ready, else 503, and nothing else.
func (h *health) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-store")
	if !h.ready(r.Context()) {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	w.WriteHeader(http.StatusOK)
}
