package gate

import (
	"context"
	"errors"
	"net/http"

	"postern.dev/postern"
	"postern.dev/postern/internal/dialect"
)

// Seen hears of each check that concerned an app. It is on the way of every
// call of the API, so it must not wait.
type Seen func(context.Context, dialect.Seen)

// tell says what became of a check, and with which status. t is the token, where
// there is a good one.
func (g *Gate) tell(w http.ResponseWriter, r *http.Request, spoken *dialect.Dialect, t *postern.Token, err error, status int) {
	if g.Seen == nil || spoken == nil {
		return
	}
	s := dialect.Seen{Dialect: spoken.Name(), Endpoint: "check", Status: status, RequestID: w.Header().Get("X-Request-Id")}
	if t != nil {
		s.AppID, s.AccountID, s.ConnectionID, s.Proved = t.AppID, t.Account.ID, t.Connection.ID, true
	}
	if err == nil {
		g.Seen(r.Context(), s)
		return
	}
	e, ok := errors.AsType[*postern.Error](err)
	if !ok {
		e = postern.Wrap(postern.ServerError, err)
	}
	s.Refused, s.Method = e, r.Method
	if why := e.Why; why != nil && t == nil {
		s.AppID, s.AccountID, s.ConnectionID = why.AppID, why.AccountID, why.ConnectionID
	}
	g.Seen(r.Context(), s)
}

// precise keeps, of two reasons why a token is no good in two dialects, the one
// of the dialect that the token is of.
func precise(before, now error) error {
	was, ok := errors.AsType[*postern.Error](before)
	is, also := errors.AsType[*postern.Error](now)
	if !ok || !also || was.Why == nil || is.Why == nil || is.Why.Rule != "token_of_other_dialect" || was.Why.Rule == "token_of_other_dialect" {
		return now
	}
	return &postern.Error{Kind: is.Kind, Msg: is.Msg, Err: is.Err, RetryAfter: is.RetryAfter, Why: was.Why}
}
