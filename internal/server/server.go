// Package server is the roof: it builds the rooms, hands each what it needs,
// mounts the doors, and starts and stops. It decides nothing else.
package server

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/logo"
	"postern.dev/postern/internal/webhook"
)

// Server is one node: the rooms over one database, and the doors to them, which
// are those of its latest reading of the configuration.
type Server struct {
	*Rooms
	cfg     *config.Config // as it was at the start
	outside Outside

	latest    atomic.Pointer[reading]
	reloading sync.Mutex // one at a time
	public    http.Handler
	internal  http.Handler
	health    health
	metrics   *metrics

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
	s.health.ping, s.health.now = s.DB.Ping, s.outside.Now
	s.ending, s.endStreams = context.WithCancel(context.WithoutCancel(ctx))
	s.metrics = newMetrics(s)
	if s.insideIDs, err = newCheapIDs(s.outside.Random); err != nil {
		return nil, errors.Join(err, rooms.Close())
	}
	first, err := s.read(cfg, s.Dialects)
	if err != nil {
		return nil, errors.Join(err, rooms.Close())
	}
	s.latest.Store(first)
	s.public = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.latest.Load().public.ServeHTTP(w, r) })
	s.internal = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.latest.Load().internal.ServeHTTP(w, r) })
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
	logos := logo.Fetcher{Store: s.DB, Transport: webhook.NewTransport(s.cfg.InsecureLoopback, nil), Now: s.outside.Now, Log: s.outside.Log}
	return []sweep{{"logos", sweepBatch, func(ctx context.Context) (int, error) {
		now := logos
		now.Once = s.latest.Load().cfg.Apps.Reviewed()
		return now.Sweep(ctx)
	}}}
}

// Handler serves the public listener's requests.
func (s *Server) Handler() http.Handler { return s.public }

// Internal serves the internal listener's requests.
func (s *Server) Internal() http.Handler { return s.internal }

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
