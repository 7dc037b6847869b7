// Package gate is the API's door: before a call is served, its gateway asks
// here what the call's token stands for. It understands the header of every
// dialect, answers in that dialect's words, and is never exposed to the world.
package gate

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/routes"
)

// Engine is what the gate asks of the rules; *oauth.Rules satisfies it.
type Engine interface {
	// Check finds what a live access token of a dialect stands for; the error is
	// an InvalidToken, or Unavailable when the rows cannot be asked.
	Check(ctx context.Context, dialect string, token postern.Secret) (*postern.Token, error)
	// Astray says of a token that was not shown as its dialect has it what is wrong:
	// an InvalidToken, for a good token too, or Unavailable.
	Astray(ctx context.Context, token postern.Secret) error
}

// Gate answers /check for nginx auth_request, Traefik, Caddy and others, and
// /check/envoy/… for Envoy's ext_authz, which keeps the call's method and path;
// with demands, /check/with/scope=a+b/envoy/… (docs/checking.md).
type Gate struct {
	Dialects *dialect.Set
	Engine   Engine
	// Sequence is this node's knowledge of changes.
	Sequence Sequence
	// Routes are the rules for routes; nil: there are none.
	Routes *routes.Table
	// Fallback names the dialect that answers for a credential which no dialect
	// claims.
	Fallback string
	Log      *slog.Logger
	Seen     Seen // nil: nobody listens
}

// ServeHTTP decides about one call. Only the call's own credential counts, and
// what the gateway itself demands: no header that a stranger could have sent
// along says who is calling.
func (g *Gate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a, status, problem := g.ask(r)
	if status != 0 {
		g.misasked(w, status, problem)
		return
	}
	rule, ruling := g.rule(a)
	if rule.Public && !a.refusal {
		admit(w, &postern.Token{}, "")
		return
	}
	r, again := keepBody(a.about(r))
	seq := g.Sequence.Seq() // before the check, which then rests on this change or a later one
	spoken, t, err := g.caller(r, again, a.dialect)
	if err == nil {
		err = ruling
	}
	scopes := a.scopes
	if spoken != nil && g.Routes != nil {
		scopes = slices.Concat(scopes, g.Routes.Needs(rule, spoken.Name()))
	}
	if err == nil {
		err = enough(t, scopes, a.account)
	}
	if err == nil && a.refusal {
		err = postern.Because(postern.Unavailable, "refused_meanwhile", "The call was refused, and would not be now. Try again.")
	}
	if err != nil {
		g.tell(w, r, spoken, t, err, g.refuse(w, spoken, err, scopes))
		return
	}
	g.tell(w, r, spoken, t, nil, http.StatusOK)
	if a.rests && g.Sequence.Holds() {
		restsOn(w.Header(), t, seq)
	}
	admit(w, t, spoken.Name())
}

// misasked answers a gateway that is set up wrongly. Its operator reads the log.
func (g *Gate) misasked(w http.ResponseWriter, status int, problem string) {
	switch status {
	case http.StatusMethodNotAllowed:
		w.Header().Set("Allow", "GET, HEAD")
	case http.StatusBadRequest:
		g.Log.Warn("a gateway asks the check for what it does not know", "problem", problem)
	}
	http.Error(w, problem, status)
}

// about is the request as far as tokens are read from it: with the call's query
// where the gateway has told it.
func (a *asked) about(r *http.Request) *http.Request {
	if a.call == nil || a.call.query == r.URL.RawQuery {
		return r
	}
	copied, u := r.WithContext(r.Context()), *r.URL
	u.RawQuery = a.call.query
	copied.URL = &u
	return copied
}

// rule finds what the rules for routes say of the call. What they refuse is
// told to those with a good token only.
func (g *Gate) rule(a *asked) (routes.Rule, error) {
	if g.Routes == nil || a.unruled || a.call == nil {
		return routes.Rule{}, nil
	}
	rule, err := g.Routes.Find(a.call.method, a.call.host, a.call.path)
	switch {
	case errors.Is(err, routes.ErrUnclean):
		return rule, postern.Because(postern.AccessDenied, "route_unclean", "The method or path of this call can be read in more than one way: write it plainly.")
	case err != nil:
		return rule, postern.Because(postern.AccessDenied, "route_unknown", "No token opens this call: there is no rule for it.")
	}
	return rule, nil
}

// restsOn tells a caller who would keep the answer what it rests on: as the keys of
// the change stream, with the change as of which it holds, and its end.
func restsOn(h http.Header, t *postern.Token, seq int64) {
	h.Set("X-Postern-Seq", strconv.FormatInt(seq, 10))
	if !t.ExpiresAt.IsZero() {
		h.Set("X-Postern-Expires", strconv.FormatInt(t.ExpiresAt.UnixMilli(), 10))
	}
	keys := oauth.RestsOn(t)
	h.Set("X-Postern-Rests-On", strings.Join(keys[:], " "))
}

// caller finds the dialect that the credential is written in, and what it
// stands for. Several dialects may read one header; the token itself tells
// which it is of.
func (g *Gate) caller(r *http.Request, again func(), only string) (spoken *dialect.Dialect, t *postern.Token, err error) {
	var readable []*dialect.Dialect
	for _, d := range g.Dialects.List() {
		if only != "" && d.Name() != only {
			continue
		}
		again()
		token, refused := d.ReadToken(r)
		if refused != nil && refused.Kind == postern.InvalidRequest {
			return d, nil, refused // a token in two places is nobody's to read
		}
		if refused != nil {
			continue
		}
		readable = append(readable, d)
		t, checked := g.Engine.Check(r.Context(), d.Name(), token)
		if checked == nil {
			return d, t, nil
		}
		// "Expired" and "the database is away" say more than "unknown" elsewhere.
		if err == nil || postern.KindOf(err) == postern.InvalidToken {
			spoken, err = d, precise(err, checked)
		}
	}
	if len(readable) > 0 {
		return spoken, nil, err
	}
	spoken = g.meantFor(r, only)
	if spoken == nil {
		return nil, nil, postern.Because(postern.NoToken, "no_token", "No dialect of that name is spoken here.")
	}
	again()
	_, refused := spoken.ReadToken(r)
	if refused == nil {
		refused = postern.Because(postern.InvalidToken, "token_malformed", "The access token is not valid.")
	}
	return spoken, nil, g.astray(r, refused)
}

// astray refuses what no dialect could read. If it is a token all the same, the
// request log of its app says how it was sent.
func (g *Gate) astray(r *http.Request, refused *postern.Error) error {
	if refused.Kind != postern.InvalidToken {
		return refused
	}
	for _, d := range g.Dialects.List() {
		token, found := d.Astray(r)
		if !found {
			continue
		}
		err := g.Engine.Astray(r.Context(), token)
		whose, known := errors.AsType[*postern.Error](err)
		if !known || !postern.Is(err, postern.InvalidToken) {
			return err
		}
		said := *refused
		said.Why = whose.Why
		return &said
	}
	return refused
}

// keepBody lets every dialect read the call's body, which a gateway may have
// passed on. One that is longer than any form with a token is not read at all.
// The request that it gives is a copy: the server goes on with its own.
func keepBody(r *http.Request) (copied *http.Request, again func()) {
	if r.Body == nil || r.Body == http.NoBody {
		return r, func() {}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, mostBody+1))
	if err != nil || len(body) > mostBody {
		body = nil
	}
	copied = r.WithContext(r.Context())
	copied.ContentLength = int64(len(body))
	return copied, func() { copied.Body = io.NopCloser(bytes.NewReader(body)) }
}

// mostBody is how long a request in any dialect may be.
const mostBody = 64 << 10

// meantFor is the dialect in whose words an unreadable credential is refused:
// the only one that has tokens in that place, else the fallback.
func (g *Gate) meantFor(r *http.Request, only string) *dialect.Dialect {
	if only != "" {
		d, _ := g.Dialects.Get(only)
		return d
	}
	var takers []*dialect.Dialect
	for _, d := range g.Dialects.List() {
		if d.Takes(r) {
			takers = append(takers, d)
		}
	}
	if len(takers) == 1 {
		return takers[0]
	}
	if d, ok := g.Dialects.Get(g.Fallback); ok {
		return d
	}
	all := g.Dialects.List()
	if len(all) == 0 {
		return nil
	}
	return all[0]
}

// enough holds the token against what the API demands of this call.
func enough(t *postern.Token, scopes []string, account string) error {
	for _, s := range scopes {
		if !slices.Contains(t.Scopes, s) {
			return t.Because(postern.InsufficientScope, "scope_insufficient", "The access token does not have the scope that this call needs.").
				With("scope", s).With("granted", t.Scopes)
		}
	}
	if account != "" && account != t.Account.ID && account != t.Account.WireID {
		return t.Because(postern.InsufficientScope, "account_differs", "The access token is not for this account.").With("account", account)
	}
	return nil
}

// admit says who is calling. Every header is set, an empty one too, so that a
// gateway that copies them overwrites what the caller sent under their names.
func admit(w http.ResponseWriter, t *postern.Token, dialect string) {
	h := w.Header()
	h.Set("X-Postern-App", t.AppID)
	h.Set("X-Postern-Account", t.Account.ID)
	h.Set("X-Postern-User", t.Connection.UserID)
	h.Set("X-Postern-Scopes", strings.Join(t.Scopes, " "))
	h.Set("X-Postern-Connection", t.Connection.ID)
	h.Set("X-Postern-Dialect", dialect)
	h.Set("X-Postern-Sandbox", sandboxed(t))
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusOK)
}

// sandboxed is "true" for a token of a partner's sandbox account, which the
// API's own data does not know.
func sandboxed(t *postern.Token) string {
	if t.Account.SandboxOf != "" {
		return "true"
	}
	return ""
}

// refuse says no in the dialect's words. Gateways understand 401 and 403 (nginx
// only those), so whatever else the wire would say is a 401 here; trouble of
// ours is 503, never a no. It gives the status.
func (g *Gate) refuse(w http.ResponseWriter, spoken *dialect.Dialect, err error, scopes []string) int {
	if spoken == nil {
		w.WriteHeader(http.StatusUnauthorized)
		return http.StatusUnauthorized
	}
	refusal := spoken.Refuse(err, scopes)
	switch postern.KindOf(err) {
	case postern.Unavailable, postern.ServerError:
		if e, ok := errors.AsType[*postern.Error](err); !ok || e.Err != nil {
			g.Log.Error("a token could not be checked", "error", err)
		}
		refusal.Status = http.StatusServiceUnavailable
		if refusal.RetryAfter == "" {
			refusal.RetryAfter = "1"
		}
	case postern.InsufficientScope, postern.AccessDenied:
		refusal.Status = http.StatusForbidden
	default:
		refusal.Status = http.StatusUnauthorized
	}
	refusal.Write(w)
	return refusal.Status
}
