package dialect

import (
	"context"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// Engine is what the door asks of the rules; *oauth.Rules satisfies it.
type Engine interface {
	Ask(context.Context, *oauth.Ask) (postern.Secret, error)
	Authenticate(context.Context, *oauth.Terms, oauth.ClientAuth) (*postern.App, error)
	Redeem(context.Context, *oauth.Redeem) (*oauth.Issued, error)
	Refresh(context.Context, *oauth.Refresh) (*oauth.Issued, error)
	Renew(context.Context, *oauth.Renew) (*oauth.Issued, error)
	ClientCredentials(context.Context, *oauth.ClientCredentials) (*oauth.Issued, error)
	Check(ctx context.Context, dialect string, token postern.Secret) (*postern.Token, error)
	Introspect(context.Context, *oauth.Introspect) (*postern.Token, error)
	Revoke(context.Context, *oauth.Revoke) (*postern.Token, error)
	RevokeAccount(context.Context, *oauth.RevokeAccount) (connectionID string, err error)
	RevokeHeld(ctx context.Context, dialect string, token postern.Secret, endsConnection bool) (*postern.Token, error)
	CheckRefresh(ctx context.Context, dialect string, token postern.Secret) (*postern.Token, error)
	RevokeHeldRefresh(ctx context.Context, dialect string, token postern.Secret, endsConnection bool) (*postern.Token, error)
}

// Pages says to a browser what cannot be said by a redirect.
type Pages interface {
	Error(w http.ResponseWriter, r *http.Request, status int, err *postern.Error)
}

// Door serves the partners' machines: every route of every mounted dialect.
type Door struct {
	Set    *Set
	Engine Engine
	// Issuer is the public URL; never taken from a request.
	Issuer string
	// Browser reads the cookie that binds a ticket to a browser, or sets it.
	Browser func(http.ResponseWriter, *http.Request) (postern.Hash, error)
	Pages   Pages
	// Source is the caller's address, behind trusted proxies.
	Source func(*http.Request) string
	// Scopes are those that a dialect's metadata lists: safe to ask for by default.
	Scopes func(ctx context.Context, dialect string) ([]string, error)
	// Keys are the public keys of signed tokens, as a JSON Web Key Set.
	Keys func(ctx context.Context) ([]byte, error)
	Log  *slog.Logger
	Now  func() time.Time
	// Seen, if set, hears of every request that was answered.
	Seen func(context.Context, Seen)

	metadata sync.Map // *Dialect to *rendered
}

// Match reports whether a request is a dialect's affair: its path is one of the
// mounted routes, whatever the method.
func (d *Door) Match(r *http.Request) bool {
	var m match
	return d.find(r, &m)
}

func (d *Door) find(r *http.Request, m *match) bool {
	return d.Set.router.find(r.Method, r.Host, r.URL.EscapedPath(), m)
}

// Serve answers a request if its path is one of the mounted routes, and reports
// whether it was.
func (d *Door) Serve(w http.ResponseWriter, r *http.Request) bool {
	c := &call{door: d, r: r, started: d.Now()}
	c.w.ResponseWriter = w
	if !d.find(r, &c.m) {
		return false
	}
	c.serve()
	return true
}

// ServeHTTP answers a request; one that is no dialect's affair is 404.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if !d.Serve(w, r) {
		d.Pages.Error(w, r, http.StatusNotFound, postern.Errorf(postern.NotFound, "There is nothing at this address."))
	}
}

// call is one request on its way through a dialect.
type call struct {
	door    *Door
	d       *Dialect
	e       *endpoint
	m       match
	w       recorder
	r       *http.Request
	started time.Time

	query  fields
	body   fields
	json   bool // the body was JSON
	basic  basicAuth
	app    string // as the request names it
	failed *postern.Error
	buffer [12]field

	// What the request turned out to be about, for whoever listens.
	grant, account, connection string
	proved, renews             bool
	noted                      *postern.Why
}

// recorder remembers the status that was sent.
type recorder struct {
	http.ResponseWriter
	status int
}

func (w *recorder) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController reach the connection.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// maxQuery is how long a URL's query may be, in bytes.
const maxQuery = 16 << 10

func (c *call) serve() {
	if c.m.route == nil {
		c.e, c.d = c.m.others[0].endpoint, c.m.others[0].dialect
		c.wrongMethod()
	} else {
		c.e, c.d = c.m.route.endpoint, c.m.route.dialect
		c.answer()
	}
	c.tell()
}

func (c *call) answer() {
	var err error
	switch {
	case len(c.r.URL.RawQuery) > maxQuery:
		err = withStatus(http.StatusRequestURITooLong, "query_too_long", "The query of the address is larger than 16 KiB.")
	default:
		err = c.headersPresent()
	}
	if err == nil {
		err = c.handle()
	}
	if err != nil {
		c.fail(err)
	}
}

// handle passes the request to its endpoint: reader, rule, writer.
func (c *call) handle() error {
	switch c.e.kind {
	case authorizeEndpoint:
		return c.authorize()
	case tokenEndpoint, refreshEndpoint:
		return c.token()
	case revokeEndpoint:
		switch {
		case c.e.byHolder:
			return c.revokeHeld()
		case len(c.e.inputs[inAccountID].places) > 0:
			return c.revokeAccount()
		}
		return c.revoke()
	case introspectEndpoint:
		return c.introspect()
	case whoamiEndpoint:
		return c.whoami()
	}
	if c.e.kind == jwksEndpoint {
		return c.publish()
	}
	return c.describe()
}

// headersPresent: a file may demand headers, such as an API's version.
func (c *call) headersPresent() error {
	for _, name := range c.e.headers {
		if c.r.Header.Get(name) == "" {
			return postern.Because(postern.MissingParameter, "header_missing", "The header %q is missing.", name).With("name", name)
		}
	}
	return nil
}

func (c *call) wrongMethod() {
	allowed := allow(c.m.others)
	c.w.Header().Set("Allow", allowed)
	if c.e.cors && c.r.Method == http.MethodOptions {
		c.preflight(allowed)
		return
	}
	readable := strings.Replace(strings.ReplaceAll(allowed, "HEAD, ", ""), ", ", " or ", 1)
	c.fail(withStatus(http.StatusMethodNotAllowed, "method_wrong", "Send this request with "+readable+"."))
}

// preflight lets a page of another origin send what a public app sends; it names
// no credentials, so no cookie ever comes along (clients.md R23).
func (c *call) preflight(allowed string) {
	h := c.w.Header()
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Allow-Methods", allowed)
	h.Set("Access-Control-Allow-Headers", "Content-Type, MCP-Protocol-Version")
	h.Set("Access-Control-Max-Age", "600")
	c.w.WriteHeader(http.StatusNoContent)
}

// statusError is a refusal whose status HTTP itself decides.
type statusError struct {
	said   *postern.Error
	status int
}

func (e *statusError) Error() string { return e.said.Error() }
func (e *statusError) Unwrap() error { return e.said }

func withStatus(status int, rule postern.Rule, msg string) error {
	return &statusError{invalid(rule, "%s", msg), status}
}

// fail says a refusal: a page to a browser, the dialect's error to a machine.
func (c *call) fail(err error) {
	e := told(err)
	c.failed = e
	status := c.e.status(e.Kind)
	if s, ok := err.(*statusError); ok {
		status = s.status
	}
	if e.Kind == postern.ServerError {
		c.door.Log.ErrorContext(c.r.Context(), "request failed", "dialect", c.d.name, "endpoint", c.e.kind.String(), "error", err)
	}
	h := c.w.Header()
	if after := retryAfter(e); after != "" {
		h.Set("Retry-After", after)
	}
	if status == http.StatusRequestEntityTooLarge || status == http.StatusRequestURITooLong {
		h.Set("Connection", "close")
	}
	if c.e.kind == authorizeEndpoint {
		c.door.Pages.Error(&c.w, c.r, status, e)
		return
	}
	c.challenge(h, e, status)
	c.allowOrigin()
	h["Cache-Control"] = noStore
	t := c.e.errors
	if t == nil {
		t = rfcErrors
	}
	writeBody(&c.w, c.r, status, t.types, t.body,
		&values{dialect: c.d, refused: e.Kind, word: t.wordOf(e.Kind), message: e.Msg, status: status, now: c.started, requestID: c.requestID()})
}

// challenge says how to authenticate: to a client only when it tried Basic (RFC
// 6749 §5.2), to a holder of a token always.
func (c *call) challenge(h http.Header, e *postern.Error, status int) {
	text := ""
	switch {
	case c.e.byHolder && (status == http.StatusUnauthorized || status == http.StatusForbidden):
		text = c.d.challengeFor(&c.e.token, e, nil)
	case postern.Is(e, postern.InvalidClient) && c.basic.tried && status == http.StatusUnauthorized:
		text = `Basic realm="` + c.d.name + `"`
	}
	if text != "" {
		h["Www-Authenticate"] = []string{text}
	}
}

func (e *endpoint) status(k postern.Kind) int {
	if e.errors == nil {
		return rfcErrors.statusOf(k)
	}
	return e.errors.statusOf(k)
}

// allowOrigin lets pages of any origin read the answer, where nothing secret
// came with the request: a browser can hold no client secret.
func (c *call) allowOrigin() {
	if c.e.cors && !c.basic.tried && !c.filled(inClientSecret) {
		c.w.Header().Set("Access-Control-Allow-Origin", "*")
	}
}

func (c *call) filled(id inputID) bool {
	for _, p := range c.e.inputs[id].places {
		if f, _ := c.at(p); f != "" {
			return true
		}
	}
	return false
}

// values are what every answer can speak of.
func (c *call) values() *values {
	v := &values{dialect: c.d, issuer: c.door.issuer(c.d), wire: c.d.name, now: c.started, host: c.r.Host, requestID: c.requestID()}
	v.tenant, _ = c.m.value("tenant")
	return v
}

// issuer is the dialect's issuer: the public URL and the base it is mounted
// under, byte for byte the same everywhere (clients.md R15).
func (d *Door) issuer(of *Dialect) string { return issuerOf(d.Issuer, of) }

func issuerOf(public string, d *Dialect) string { return strings.TrimSuffix(public, "/") + d.base }

// requestID is the name that whoever serves this door gave the request; it is in
// the answer's header already.
func (c *call) requestID() string { return c.w.Header().Get("X-Request-Id") }
