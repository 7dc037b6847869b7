package server

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"

	"postern.dev/postern"
	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/requestlog"
	"postern.dev/postern/internal/store"
)

func newRequestLog(cfg *config.Config, o Outside, db *store.DB) *requestlog.Log {
	return &requestlog.Log{Store: db, Now: o.Now, Log: o.Log,
		Bounds: requestlog.Bounds{Most: cfg.RequestLog.Most, History: cfg.RequestLog.History}}
}

// checked hears of every check of a token. A granted one is only counted.
func (s *Server) checked(_ context.Context, what dialect.Seen) {
	if what.Refused == nil {
		s.Requests.Checked(what.AppID)
		return
	}
	s.logged(what)
}

// answered hears of what people answered to apps' questions.
func (s *Server) answered(_ context.Context, what dialect.Seen) { s.logged(what) }

// logged hands a request to the log of the app that it concerns.
func (s *Server) logged(what dialect.Seen) {
	if what.AppID == "" {
		return
	}
	e := requestlog.Entry{
		AppID: what.AppID, At: what.At, RequestID: what.RequestID, Dialect: what.Dialect, Endpoint: what.Endpoint, Method: what.Method,
		Grant: what.Grant, Status: what.Status, Took: what.Took, Address: what.Address, Outcome: requestlog.Granted,
		Proved: what.Proved, AccountID: what.AccountID, ConnectionID: what.ConnectionID, Sent: what.Sent,
	}
	if what.Renews {
		e.Endpoint = "refresh"
	}
	why := what.Noted
	switch {
	case what.Refused != nil:
		e.Outcome, e.Kind, why = requestlog.Refused, what.Refused.Kind, what.Refused.Why
	case why != nil:
		e.Outcome = requestlog.NoEffect
	}
	if why != nil {
		e.Rule, e.Facts = why.Rule, why.Facts
	}
	s.Requests.Heard(e)
}

// cheapIDs name the requests of the internal listener: they are asked for with
// every call of the API, and need be unique only.
type cheapIDs struct {
	node string
	n    atomic.Uint64
}

func newCheapIDs(random io.Reader) (*cheapIDs, error) {
	id, err := postern.NewID(random, "req_")
	if err != nil {
		return nil, fmt.Errorf("request ids: %w", err)
	}
	return &cheapIDs{node: id[:16] + "-"}, nil
}

// named gives a request of the internal listener its name.
func (c *cheapIDs) named(w http.ResponseWriter) {
	w.Header()["X-Request-Id"] = []string{c.node + strconv.FormatUint(c.n.Add(1), 36)}
}
