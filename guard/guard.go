// Package guard is the token check as middleware for Go APIs: it asks Postern
// what a call's token stands for, in whatever dialect it is written, holds the
// answers in memory, and follows Postern's change stream, so that a revoked
// token is refused within a second.
//
//	g, err := guard.New(guard.Options{URL: "http://127.0.0.1:8600", ID: "api-main", Secret: secret})
//	...
//	defer g.Close()
//	mux.Handle("GET /candidates", g.Require("candidates.read")(candidates))
//	http.ListenAndServe(address, g.Middleware(mux))
//
// In a handler, guard.From(r.Context()) is who is calling.
package guard

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"postern.dev/postern/internal/routes"
)

// Options say where Postern is. URL, ID and Secret are needed.
type Options struct {
	// URL is the origin of Postern's internal listener.
	URL string
	// ID and Secret are this API's, as registered under apis.
	ID, Secret string
	// Dialect limits the check to one dialect; "" is all of them.
	Dialect string
	// Most is how many tokens are held in memory; 0 is 100,000. A guard never
	// holds more, whatever is sent to it.
	Most int
	// Client is used for the checks; nil is one with a time-out of 5 s.
	Client *http.Client
	// WhenBlind says what to do while the change stream is silent for longer than
	// a second: ask Postern for each call (false), or refuse with 503 (true).
	WhenBlind bool
	// Routes holds each call against the rules for routes in Postern's
	// configuration, fetched from there. Until they are known calls get 503.
	Routes bool
	// Log is told what keeps the guard from following changes and rules; nil: nobody.
	Log *slog.Logger
}

// Caller is who is calling, and for whom.
type Caller struct {
	App        string   // the app's client_id
	Account    string   // the account's id; empty for client credentials
	User       string   // the user's id, for user-level connections
	Scopes     []string // of this token
	Connection string
	Dialect    string // the wire that the token was presented in
	// Sandbox: the token is for a sandbox account of the partner's, which exists
	// only in Postern: serve it made-up data, and let it change none that is real.
	Sandbox bool

	expires time.Time
	seq     int64
	rests   [7]string
}

// May reports whether the token has a scope.
func (c *Caller) May(scope string) bool { return slices.Contains(c.Scopes, scope) }

// Guard checks calls. Its methods may be called at once.
type Guard struct {
	o    Options
	stop context.CancelFunc
	done chan struct{}

	mu     sync.RWMutex
	seen   map[[32]byte]*Caller
	stale  map[string]int64 // key of a change, and its number
	floor  int64            // answers from before this change are forgotten
	heard  atomic.Int64     // until when the memory may be trusted, ns since 1970
	latest int64            // the last change heard of
	routes atomic.Pointer[routes.Table]
}

// New makes a guard and begins to follow the change stream. Until the stream
// speaks, every call is asked about. Close it when it is no longer needed.
func New(o Options) (*Guard, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" {
		return nil, errors.New("guard: URL must be the origin of Postern's internal listener, such as http://127.0.0.1:8600")
	}
	if o.ID == "" || o.Secret == "" {
		return nil, errors.New("guard: ID and Secret of this API are needed to follow revocations: see apis in the resources file")
	}
	if o.Most == 0 {
		o.Most = 100_000
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Client == nil {
		o.Client = &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute}}
	}
	o.URL = strings.TrimSuffix(o.URL, "/")
	ctx, stop := context.WithCancel(context.Background())
	g := &Guard{o: o, stop: stop, done: make(chan struct{}), seen: map[[32]byte]*Caller{}, stale: map[string]int64{}}
	go g.follow(ctx)
	return g, nil
}

// Close ends following.
func (g *Guard) Close() {
	g.stop()
	<-g.done
}

// Refusal is a refused call as Postern says it in the call's own dialect: write
// it to the caller as it is.
type Refusal struct {
	Status int
	Header http.Header // WWW-Authenticate, Content-Type, Retry-After
	Body   []byte
}

func (r *Refusal) Error() string { return "guard: refused with status " + strconv.Itoa(r.Status) }

// WriteTo answers the caller.
func (r *Refusal) Write(w http.ResponseWriter) {
	for name, values := range r.Header {
		w.Header()[name] = values
	}
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(r.Status)
	w.Write(r.Body)
}

// Check finds who makes a call, and whether it may. The error is a *Refusal. A
// token that was seen before costs no request and no memory. A public call, by
// the rules for routes, has a Caller that is nobody: without an App.
func (g *Guard) Check(r *http.Request) (*Caller, error) {
	table, rule, ruling := g.need(r)
	if _, isBlind := ruling.(*Refusal); isBlind {
		return nil, ruling
	}
	if rule.Public {
		return &Caller{}, nil
	}
	c, err := g.caller(r)
	if err != nil {
		return nil, err
	}
	if ruling != nil || !opens(table, rule, c) {
		return nil, g.refused(r, url.Values{"call": {"original"}})
	}
	c.trace(r.Context())
	return c, nil
}

// caller finds whose the call's token is, in memory or by asking.
func (g *Guard) caller(r *http.Request) (*Caller, error) {
	values := r.Header["Authorization"]
	held := len(values) == 1 && !hasElsewhere(r)
	var key [32]byte
	if held {
		key = keyOf(values[0])
		if c := g.remembered(key, time.Now()); c != nil {
			return c, nil
		}
	}
	if g.o.WhenBlind && !g.current(time.Now()) {
		return nil, blind()
	}
	c, err := g.ask(r, url.Values{"rests": {""}, "routes": {"off"}})
	if err != nil {
		return nil, err
	}
	if held && c.rests[0] != "" { // else it may not be kept
		g.hold(key, c)
	}
	return c, nil
}

// keyOf is the SHA-256 of a header, computed on the stack.
func keyOf(header string) [32]byte {
	var buf [512]byte
	if len(header) <= len(buf) {
		return sha256.Sum256(buf[:copy(buf[:], header)])
	}
	return sha256.Sum256([]byte(header))
}

// hasElsewhere reports whether the call carries a token in its query too, which
// is for Postern to refuse.
func hasElsewhere(r *http.Request) bool {
	return strings.Contains(r.URL.RawQuery, "access_token")
}

func (g *Guard) remembered(key [32]byte, now time.Time) *Caller {
	if !g.current(now) {
		return nil
	}
	g.mu.RLock()
	defer g.mu.RUnlock()
	c := g.seen[key]
	if c == nil || c.seq < g.floor || !c.expires.IsZero() && !now.Before(c.expires) {
		return nil
	}
	if len(g.stale) > 0 {
		for _, k := range c.rests {
			if g.stale[k] > c.seq {
				return nil
			}
		}
	}
	return c
}

// current reports whether the change stream has spoken within the bound.
func (g *Guard) current(now time.Time) bool { return now.UnixNano() <= g.heard.Load() }

func (g *Guard) hold(key [32]byte, c *Caller) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.seen) >= g.o.Most {
		for k := range g.seen { // any one: Go begins at a random place
			delete(g.seen, k)
			break
		}
	}
	g.seen[key] = c
}

// refused has Postern say in the call's dialect why it is refused.
func (g *Guard) refused(r *http.Request, demands url.Values) error {
	demands.Set("refusal", "")
	_, err := g.ask(r, demands)
	if err == nil { // Postern is of another mind by now
		err = blind()
	}
	return err
}

// ask has Postern decide. Only the credential goes along, and the call where
// the demands speak of it.
func (g *Guard) ask(r *http.Request, demands url.Values) (*Caller, error) {
	if g.o.Dialect != "" {
		demands.Set("dialect", g.o.Dialect)
	}
	if token := r.URL.Query()["access_token"]; token != nil && !demands.Has("call") {
		demands["access_token"] = token
	}
	req, err := http.NewRequestWithContext(r.Context(), http.MethodGet, g.o.URL+"/check?"+demands.Encode(), nil)
	if err != nil {
		return nil, err
	}
	for name, values := range r.Header {
		if mayCarryToken(name) {
			req.Header[name] = values
		}
	}
	if demands.Has("call") {
		req.Header.Set("X-Original-Method", r.Method)
		req.Header.Set("X-Original-URL", "http://"+cmp.Or(r.Host, "localhost")+r.URL.RequestURI())
	}
	resp, err := g.o.Client.Do(req)
	if err != nil {
		return nil, blind()
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil {
		return nil, blind()
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return callerOf(resp.Header), nil
	case http.StatusUnauthorized, http.StatusForbidden:
		return nil, refusal(resp, body)
	}
	return nil, blind() // not a no: nobody could know
}

// mayCarryToken: dialects read Authorization or a header of their own. What a
// caller says in X-Postern headers about itself is not passed on.
func mayCarryToken(name string) bool {
	switch name {
	case "Authorization":
		return true
	case "Connection", "Content-Length", "Content-Type", "Content-Encoding", "Transfer-Encoding", "Cookie", "Upgrade", "Te", "Trailer", "Host":
		return false
	}
	own := strings.HasPrefix(name, "X-Postern-") || strings.HasPrefix(name, "X-Forwarded-") || strings.HasPrefix(name, "X-Original-")
	return strings.HasPrefix(name, "X-") && !own
}

func callerOf(h http.Header) *Caller {
	c := &Caller{
		App: h.Get("X-Postern-App"), Account: h.Get("X-Postern-Account"), User: h.Get("X-Postern-User"),
		Scopes: strings.Fields(h.Get("X-Postern-Scopes")), Connection: h.Get("X-Postern-Connection"),
		Dialect: h.Get("X-Postern-Dialect"), Sandbox: h.Get("X-Postern-Sandbox") == "true",
	}
	c.seq, _ = strconv.ParseInt(h.Get("X-Postern-Seq"), 10, 64)
	if ms, err := strconv.ParseInt(h.Get("X-Postern-Expires"), 10, 64); err == nil {
		c.expires = time.UnixMilli(ms)
	}
	copy(c.rests[:], strings.Split(h.Get("X-Postern-Rests-On"), " "))
	return c
}

func refusal(resp *http.Response, body []byte) *Refusal {
	r := &Refusal{Status: resp.StatusCode, Header: http.Header{}, Body: body}
	for _, name := range []string{"Www-Authenticate", "Content-Type", "Retry-After"} {
		if v := resp.Header[name]; v != nil {
			r.Header[name] = v
		}
	}
	return r
}

// blind is the answer while nobody can know.
func blind() *Refusal {
	return &Refusal{
		Status: http.StatusServiceUnavailable,
		Header: http.Header{"Content-Type": {"application/json; charset=utf-8"}, "Retry-After": {"1"}},
		Body:   []byte(`{"error":"temporarily_unavailable","error_description":"Tokens cannot be checked right now. Try again."}`),
	}
}

type contextKey struct{}

// From is who is calling; ok is false outside of Middleware, and for public calls.
func From(ctx context.Context) (c *Caller, ok bool) {
	c, ok = ctx.Value(contextKey{}).(*Caller)
	return c, ok
}

// Middleware lets calls with a good token through, with the Caller in their
// context, and refuses the others in their own dialect.
func (g *Guard) Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, err := g.Check(r)
		if err != nil {
			g.refuse(w, err)
			return
		}
		if c.App == "" { // a public call
			next.ServeHTTP(w, r)
			return
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), contextKey{}, c)))
	})
}

func (g *Guard) refuse(w http.ResponseWriter, err error) {
	r, ok := errors.AsType[*Refusal](err)
	if !ok {
		r = blind()
	}
	r.Write(w)
}

// Require lets calls through whose token has all these scopes. It stands inside
// Middleware. A refusal is asked of Postern, so that it is in the dialect's words.
func (g *Guard) Require(scopes ...string) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, ok := From(r.Context())
			for _, s := range scopes {
				if !ok || !c.May(s) {
					g.refuse(w, g.refused(r, url.Values{"scope": {strings.Join(scopes, " ")}, "routes": {"off"}}))
					return
				}
			}
			next.ServeHTTP(w, r)
		})
	}
}
