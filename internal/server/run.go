package server

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

const (
	// headerTime and bodyTime bound how long a caller may take to say what it wants.
	headerTime = 10 * time.Second
	bodyTime   = 10 * time.Second
	// writeTime ends an answer that nobody reads.
	writeTime = handlerTime + 10*time.Second
	idleTime  = 2 * time.Minute
	// headerSize with the 4 KiB that net/http adds is 16 KiB.
	headerSize = 12 << 10
	// drainTime is how long running requests may take after a signal to stop.
	drainTime = 30 * time.Second
	// checkTime is how long a call of the API waits for a database that says
	// nothing. Then nobody can know.
	checkTime = 3 * time.Second
	// lingerTime lets what is on its way to the listener arrive before it closes.
	lingerTime = 250 * time.Millisecond
)

// listener is an address that is served.
type listener struct {
	name string
	net.Listener
	http *http.Server
}

// Run listens and serves until ctx ends, then stops so that nobody is dropped: not
// ready at once, no new connections, what runs is finished within 30 s.
func (s *Server) Run(ctx context.Context) error {
	listeners, err := s.listen()
	if err != nil {
		return err
	}
	log := s.outside.Log
	for _, w := range s.latest.Load().warnings() {
		log.Warn(w)
	}
	failed := make(chan error, len(listeners))
	var serving sync.WaitGroup
	for _, l := range listeners {
		log.Info("listening", "on", l.name, "address", l.Addr().String())
		serving.Go(func() {
			if err := l.http.Serve(l.Listener); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("%s: %w", l.name, err)
			}
		})
	}
	log.Info("ready", "public_url", s.cfg.PublicURL, "database", s.DB.Engine())
	select {
	case err = <-failed:
	case <-ctx.Done():
		log.Info("stopping: running requests are finished first", "most", drainTime)
	}
	s.drain(listeners)
	serving.Wait()
	return errors.Join(err, s.Close())
}

// listen opens the addresses: the public one, and the internal one if there is
// one. Both or none.
func (s *Server) listen() ([]*listener, error) {
	public := &listener{name: "listen", http: &http.Server{
		Handler: s.public, ReadHeaderTimeout: headerTime, ReadTimeout: headerTime + bodyTime, WriteTimeout: writeTime,
		IdleTimeout: idleTime, MaxHeaderBytes: headerSize, ErrorLog: slog.NewLogLogger(s.outside.Log.Handler(), slog.LevelDebug),
	}}
	if s.cfg.TLS.CertFile != "" {
		c, err := newCertificate(s.cfg.TLS, s.outside.Log)
		if err != nil {
			return nil, err
		}
		public.http.TLSConfig = c.tls()
	}
	list := []*listener{public}
	addresses := []string{s.cfg.Listen}
	if s.cfg.InternalListen != "" {
		list = append(list, &listener{name: "internal_listen", http: &http.Server{
			Handler: s.internal, ReadHeaderTimeout: headerTime, IdleTimeout: idleTime, MaxHeaderBytes: headerSize,
			ErrorLog: slog.NewLogLogger(s.outside.Log.Handler(), slog.LevelError),
		}})
		addresses = append(addresses, s.cfg.InternalListen)
	}
	for i, l := range list {
		plain, err := net.Listen("tcp", addresses[i])
		if err != nil {
			for _, open := range list[:i] {
				open.Close()
			}
			return nil, fmt.Errorf("%s: %w (is another program using it? %s: in the configuration chooses another address)", l.name, err, l.name)
		}
		l.Listener = plain
		if l.http.TLSConfig != nil {
			l.Listener = tls.NewListener(plain, l.http.TLSConfig)
		}
	}
	return list, nil
}

// drain stops in an order in which nobody is dropped: say that we are not ready,
// let connections end with their answer, then close the doors and wait.
func (s *Server) drain(listeners []*listener) {
	s.health.draining.Store(true)
	s.endStreams()
	for _, l := range listeners {
		l.http.SetKeepAlivesEnabled(false)
	}
	time.Sleep(lingerTime)
	ctx, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	var waiting sync.WaitGroup
	for _, l := range listeners {
		waiting.Go(func() {
			if err := l.http.Shutdown(ctx); err != nil {
				s.outside.Log.Warn("requests were still running and are cut off", "on", l.name)
				l.http.Close()
			}
		})
	}
	waiting.Wait()
}
