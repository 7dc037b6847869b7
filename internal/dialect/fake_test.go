package dialect

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// These tests hold the door against an engine that keeps everything in maps: what
// is proved here is the wire. The real engine's Ask and Decide run over the few
// rows that they need.

var start = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

const (
	secretText  = "s3cret-s3cret-s3cret"
	codeText    = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	xrefToken   = "cb6f9d8c843c22e53db97f7fd2ff20ab58c91e31"
	xrefAccount = "d1e01e1a36a09eda2a31b01caf62eb2e"
	xeeboToken  = "0123456789abcdefghijABCDEFGHIJklmnopqrstKLMNO"
	refreshText = "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
)

// rows answers what the engine's Ask needs.
type rows struct {
	oauth.Store
	apps    map[string]*postern.App
	away    error
	aliases map[oauth.Alias]string
	ticket  *postern.Ticket // the last one
}

func (s *rows) App(_ context.Context, id string) (*postern.App, error) {
	if s.away != nil {
		return nil, s.away
	}
	if app := s.apps[id]; app != nil {
		return app, nil
	}
	return nil, postern.Errorf(postern.NotFound, "no app")
}

func (s *rows) ClientByAlias(_ context.Context, a oauth.Alias) (string, error) {
	if id, ok := s.aliases[a]; ok {
		return id, nil
	}
	return "", postern.Errorf(postern.NotFound, "no app")
}

func (s *rows) SaveTicket(_ context.Context, t *postern.Ticket) error {
	s.ticket = t
	return nil
}

func (s *rows) Answer(context.Context, oauth.Answer) error { return nil }

type engine struct {
	*oauth.Rules
	rows     *rows
	redeems  []oauth.Redeem
	spent    bool
	tokens   map[postern.Secret]*postern.Token
	revoked  []postern.Secret
	named    []oauth.NamedBy
	asserted []oauth.ClientAuth // taken unseen
	kept     map[string]string  // with the grant
	fails    error              // what every call of a machine fails with
}

func (e *engine) Authenticate(_ context.Context, terms *oauth.Terms, c oauth.ClientAuth) (*postern.App, error) {
	if e.fails != nil {
		return nil, e.fails
	}
	app := e.rows.apps[c.ClientID]
	if c.NamedBy != "" {
		e.named = append(e.named, c.NamedBy)
	}
	if c.NamedBy == oauth.NamedBySecret {
		app = e.rows.apps["p-"+terms.Dialect]
	}
	if c.NamedBy == oauth.NamedByAlias {
		app = e.rows.apps[e.rows.aliases[c.Alias]]
	}
	switch {
	case app == nil || app.Disabled || !app.Speaks(terms.Dialect):
		return nil, postern.Errorf(postern.UnknownClient, "Unknown client_id or wrong client_secret.")
	case c.Assertion != "":
		e.asserted = append(e.asserted, c)
		return app, nil
	case app.Public && c.Secret == "":
		return app, nil
	case app.SecretOf(c.Secret, start) == nil && app.SecretOf(c.Raw, start) == nil:
		return nil, postern.Errorf(postern.InvalidClient, "Unknown client_id or wrong client_secret.")
	}
	return app, nil
}

func (e *engine) Redeem(ctx context.Context, q *oauth.Redeem) (*oauth.Issued, error) {
	app, err := e.Authenticate(ctx, q.Terms, q.Client)
	if err != nil {
		return nil, err
	}
	e.redeems = append(e.redeems, *q)
	if string(q.Code) != codeText || e.spent {
		return nil, postern.Errorf(postern.InvalidGrant, "The code is not valid: it was used, has expired, or was not issued to this client.")
	}
	e.spent = true
	issued := e.issue(app, q.Terms.For(e.kept), nil)
	issued.Kept = e.kept
	return issued, nil
}

func (e *engine) issue(app *postern.App, terms *oauth.Terms, scopes []string) *oauth.Issued {
	i := &oauth.Issued{AccessToken: xrefToken, IssuedAt: start, App: app, Scopes: scopes,
		Account: &postern.Account{ID: "acc_1", WireID: xrefAccount, Name: "Acme"}, User: &postern.User{ID: "usr_1", Nickname: "ada"}}
	if terms.Access.Life > 0 {
		i.AccessToken, i.ExpiresAt = xeeboToken, start.Add(terms.Access.Life)
	}
	if terms.Refresh != nil {
		i.RefreshToken = refreshText
	}
	return i
}

func (e *engine) Refresh(ctx context.Context, q *oauth.Refresh) (*oauth.Issued, error) {
	app, err := e.Authenticate(ctx, q.Terms, q.Client)
	switch {
	case err != nil:
		return nil, err
	case q.RefreshToken != refreshText:
		return nil, postern.Errorf(postern.InvalidGrant, "The refresh token is not valid: ask the user to connect again.")
	case slices.Contains(q.Scopes, "everything"):
		return nil, postern.Errorf(postern.InvalidScope, "A refresh cannot widen the scope.")
	}
	return e.issue(app, q.Terms, q.Scopes), nil
}

func (e *engine) ClientCredentials(ctx context.Context, q *oauth.ClientCredentials) (*oauth.Issued, error) {
	app, err := e.Authenticate(ctx, q.Terms, q.Client)
	if err != nil {
		return nil, err
	}
	if !app.MayUse("client_credentials") {
		return nil, postern.Errorf(postern.UnauthorizedClient, "This app may not use this grant type.")
	}
	return &oauth.Issued{AccessToken: xeeboToken, IssuedAt: start, ExpiresAt: start.Add(time.Hour), App: app, Scopes: q.Scopes}, nil
}

func (e *engine) Check(_ context.Context, dialect string, token postern.Secret) (*postern.Token, error) {
	if e.fails != nil {
		return nil, e.fails
	}
	t := e.tokens[token]
	if t == nil || t.Dialect != dialect {
		return nil, postern.Errorf(postern.InvalidToken, "The access token is not valid.")
	}
	return t, t.Verdict(start)
}

func (e *engine) Introspect(ctx context.Context, q *oauth.Introspect) (*postern.Token, error) {
	if q.Client.ClientID != "api-main" || q.Client.Secret != secretText {
		if _, err := e.Authenticate(ctx, q.Terms, q.Client); err != nil {
			return nil, err
		}
	}
	if t := e.tokens[q.Token]; t != nil {
		return t, nil
	}
	return nil, postern.Because(postern.InvalidToken, "token_unknown", "The access token is not valid.")
}

func (e *engine) Revoke(ctx context.Context, q *oauth.Revoke) (*postern.Token, error) {
	if _, err := e.Authenticate(ctx, q.Terms, q.Client); err != nil {
		return nil, err
	}
	t := e.tokens[q.Token]
	if t == nil {
		return nil, postern.Because(postern.NotFound, "token_unknown", "The token is not known.")
	}
	e.revoked = append(e.revoked, q.Token)
	return t, nil
}

func (e *engine) RevokeHeld(ctx context.Context, dialect string, token postern.Secret, ends bool) (*postern.Token, error) {
	t, err := e.Check(ctx, dialect, token)
	if err == nil {
		e.revoked = append(e.revoked, token)
	}
	return t, err
}

func (e *engine) RevokeAccount(ctx context.Context, q *oauth.RevokeAccount) (string, error) {
	if _, err := e.Authenticate(ctx, q.Terms, q.Client); err != nil {
		return "", err
	}
	if q.Account != xrefAccount {
		return "", postern.Because(postern.NotFound, "connection_unknown", "There is no such connection.")
	}
	return "con_1", nil
}

func (e *engine) RevokeHeldRefresh(_ context.Context, dialect string, token postern.Secret, _ bool) (*postern.Token, error) {
	if token != refreshText {
		return nil, postern.Errorf(postern.InvalidToken, "The access token is not valid.")
	}
	return &postern.Token{Dialect: dialect}, nil
}

type pages struct{}

func (pages) Error(w http.ResponseWriter, _ *http.Request, status int, err *postern.Error) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	io.WriteString(w, "<p>"+err.Msg)
}

// bench is a door with two apps in each dialect and a live token of each.
type bench struct {
	*Door
	engine *engine
}

func newBench(t testing.TB, set *Set) *bench {
	t.Helper()
	store := &rows{apps: map[string]*postern.App{}}
	for _, d := range set.List() {
		secrets := []postern.AppSecret{{Hash: postern.Secret(secretText).Hash()}}
		app := &postern.App{ID: "p-" + d.Name(), Dialect: d.Name(), RedirectURLs: []string{"https://p.example/cb"},
			Scopes: []string{"a", "b"}, DefaultScopes: []string{"a"}, Grants: []string{"authorization_code", "refresh_token"}, Secrets: secrets}
		off, public := *app, *app
		off.ID, off.Disabled = "off-"+d.Name(), true
		public.ID, public.Public, public.Secrets = "pub-"+d.Name(), true, nil
		store.apps[app.ID], store.apps[off.ID], store.apps[public.ID] = app, &off, &public
	}
	account := postern.Account{ID: "acc_1", WireID: xrefAccount}
	user := postern.User{ID: "usr_1", Nickname: "ada"}
	e := &engine{rows: store, tokens: map[postern.Secret]*postern.Token{
		xrefToken: {Dialect: "xref", Account: account, User: user, IssuedAt: start},
		xeeboToken: {Dialect: "xeebo", Account: account, User: user, IssuedAt: start, ExpiresAt: start.Add(time.Hour), Scopes: []string{"a", "b"},
			AppID: "p-xeebo", Connection: postern.Connection{ID: "con_1", UserID: "usr_1"}},
	}}
	e.Rules = &oauth.Rules{Store: store, Now: func() time.Time { return start }, Random: zeros{}, Log: slog.New(slog.DiscardHandler)}
	return &bench{engine: e, Door: &Door{
		Set: set, Engine: e, Issuer: "https://auth.example",
		Browser: func(http.ResponseWriter, *http.Request) (postern.Hash, error) { return postern.Secret("b").Hash(), nil },
		Pages:   pages{},
		Source:  func(*http.Request) string { return "192.0.2.1" },
		Scopes:  func(context.Context, string) ([]string, error) { return []string{"a"}, nil },
		Keys:    func(context.Context) ([]byte, error) { return []byte(`{"keys":[{"kid":"k1"}]}`), nil },
		Log:     slog.New(slog.DiscardHandler), Now: func() time.Time { return start },
	}}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// send sends a request as written: "POST /oauth/tokens", headers, body.
func (b *bench) send(line string, header http.Header, body string) *httptest.ResponseRecorder {
	method, target, _ := strings.Cut(line, " ")
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	if body == "" {
		r.Body, r.ContentLength = http.NoBody, 0
	}
	for k, v := range header {
		r.Header[k] = v
	}
	w := httptest.NewRecorder()
	b.ServeHTTP(w, r)
	return w
}

func headers(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Add(pairs[i], pairs[i+1])
	}
	return h
}

// decided is the callback of a ticket that a person answered.
func (b *bench) decided(t *testing.T, d *Dialect, app, to, state string, allow bool) string {
	t.Helper()
	b.engine.rows.apps[app].RedirectURLs = []string{to}
	_, err := b.engine.Decide(t.Context(), &oauth.Decision{Terms: d.Terms(), Allow: allow,
		Ticket:  &postern.Ticket{AppID: app, Dialect: d.Name(), RedirectURI: to, RegisteredURI: to, State: state},
		Account: &postern.Membership{}})
	if refused, ok := err.(*oauth.Refusal); ok {
		return d.Refused(refused, b.Issuer)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d.Allowed(&oauth.Granted{To: to, Code: codeText, State: state, App: b.engine.rows.apps[app], Dialect: d.Name()}, b.Issuer)
}

func basic(user, password string) string {
	r := http.Request{Header: http.Header{}}
	r.SetBasicAuth(user, password)
	return r.Header.Get("Authorization")
}

func formBody(pairs ...string) string {
	v := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		v.Add(pairs[i], pairs[i+1])
	}
	return v.Encode()
}
