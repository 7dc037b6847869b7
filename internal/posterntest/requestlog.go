package posterntest

import (
	"context"

	"postern.dev/postern/internal/requestlog"
)

// Logged are an app's requests as its request log has them, the latest first.
func (s *Postern) Logged(app App, f requestlog.Filter) []requestlog.Entry {
	s.t.Helper()
	log := s.running.Load().Requests
	if err := log.Flush(context.Background()); err != nil {
		s.t.Fatal(err)
	}
	list, err := log.List(context.Background(), app.ID, f, 100)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}

// Usage are an app's calls of the last days.
func (s *Postern) Usage(app App, days int) []requestlog.Day {
	s.t.Helper()
	s.Logged(app, requestlog.Filter{})
	list, err := s.running.Load().Requests.Usage(context.Background(), app.ID, days)
	if err != nil {
		s.t.Fatal(err)
	}
	return list
}
