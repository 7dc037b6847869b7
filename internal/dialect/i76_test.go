package dialect_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/posterntest/clock"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/store"
)

// I-76: a dialect's file cannot express a change of decision. Files drawn by lot
// are served side by side by the real engine over real rows, and apps that speak
// them, read backwards from the same files, are refused and served the same in
// all of them. All that people and partners choose is hostile.

const (
	hostile = "A\"\\\r\nX-Evil: 1\r\n\r\n{\"access_token\":\"x\"}&access_token=y;<script>\u2028\u202e'${account.id}$code"
	target  = "https://p.test/cb?own=1"
)

// drafts is how many files are drawn, per engine; PostgreSQL answers more slowly,
// and the rows are the same.
var drafts = map[string]int{"sqlite": 240, "postgres": 30}

func TestI76_NoDialectsFileChangesADecision(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		engine, _, _ := strings.Cut(database, ":")
		if engine != "sqlite" {
			engine = "postgres"
		}
		w := newWires(t, database, drafts[engine])
		defer func() {
			if t.Failed() {
				t.Logf("in the dialect\n%s", w.text)
			}
		}()
		for i, d := range w.drafts {
			w.T, w.d = t, d
			w.wire, w.text = w.dialects[i], d.text.String()
			w.other = w.dialects[(i+len(w.dialects)-1)%len(w.dialects)]
			w.story(i)
			if t.Failed() {
				return
			}
		}
	})
}

// wires is an installation that serves all the drafts at once.
type wires struct {
	*testing.T
	ctx      context.Context
	db       *store.DB
	clock    *clock.Clock
	rules    *oauth.Rules
	door     *dialect.Door
	drafts   []*draft
	dialects []*dialect.Dialect

	// The dialect at hand, and one whose tokens it must not know.
	d     *draft
	wire  *dialect.Dialect
	other *dialect.Dialect
	text  string
}

// plainly opens what was never sealed.
type plainly struct{}

func (plainly) Open(_, _, _ string, sealed []byte) ([]byte, error) { return sealed, nil }

func newWires(t *testing.T, database string, n int) *wires {
	t.Helper()
	w := &wires{T: t, ctx: context.Background(), clock: clock.New()}
	var err error
	w.db, err = store.Open(w.ctx, database)
	w.ok(err)
	t.Cleanup(func() { w.db.Close() })
	w.ok(w.db.Migrate(w.ctx))
	for i := range n {
		d := generate(uint64(i), fmt.Sprintf("d%d", i))
		compiled, err := dialect.Library{}.Compile(d.name+".yaml", []byte(d.text.String()))
		if err != nil {
			t.Fatalf("%v\n%s", err, d.text.String())
		}
		w.drafts, w.dialects = append(w.drafts, d), append(w.dialects, compiled)
	}
	set, err := dialect.NewSet(w.dialects...)
	w.ok(err)
	quiet := slog.New(slog.DiscardHandler)
	w.rules = &oauth.Rules{Store: w.db, Now: w.clock.Now, Random: rand.Reader, Log: quiet, Sealed: plainly{}}
	w.door = &dialect.Door{
		Set: set, Engine: w.rules, Issuer: "https://auth.test", Pages: pages{}, Log: quiet, Now: w.clock.Now,
		Browser: func(http.ResponseWriter, *http.Request) (postern.Hash, error) { return postern.Secret("b").Hash(), nil },
		Source:  func(*http.Request) string { return "192.0.2.1" },
		Scopes:  func(context.Context, string) ([]string, error) { return nil, nil },
	}
	w.settle(database)
	return w
}

type pages struct{}

func (pages) Error(w http.ResponseWriter, _ *http.Request, status int, _ *postern.Error) {
	w.WriteHeader(status)
}

// settle makes the rows: two accounts, two people, and three apps a dialect, of
// which the last has no secret.
func (w *wires) settle(database string) {
	w.Helper()
	driver, dsn := "pgx", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, dsn = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, dsn)
	w.ok(err)
	defer db.Close()
	rows, err := db.Begin()
	w.ok(err)
	run := func(query string, args ...any) {
		_, err := rows.Exec(query, args...)
		w.ok(err)
	}
	now := w.clock.Now().UnixMilli()
	attrs, err := json.Marshal(map[string]string{"shop": "s'h\"op", "evil": hostile})
	w.ok(err)
	for i, id := range []string{"acme", "globex"} {
		run(`INSERT INTO accounts (id, handle, name, number, attributes, created_at) VALUES ($1, $2, $2, $3, $4, $5)`, id, hostile, i+1, string(attrs), now)
	}
	for i, id := range []string{"ada", "eve"} {
		run(`INSERT INTO users (id, email, email_folded, name, number, nickname, created_at) VALUES ($1, $2, $1, $2, $3, $2, $4)`, id, hostile+id, i+1, now)
	}
	run(`INSERT INTO memberships (account_id, user_id, role, created_at) VALUES ('acme', 'ada', 'admin', $1), ('globex', 'eve', 'admin', $1)`, now)
	run(`INSERT INTO partners (id, name, created_at) VALUES ('p', 'P', $1)`, now)
	for i, d := range w.drafts {
		also := w.drafts[(i+len(w.drafts)-1)%len(w.drafts)].name
		level := "user"
		if d.account {
			level = "account"
		}
		for _, kind := range []string{"a-", "b-", "p-"} {
			id := kind + d.name
			run(`INSERT INTO apps (id, partner_id, name, dialect, also, level, attributes, redirect_urls, scopes, default_scopes, grants, public, created_at)
				VALUES ($1, 'p', $1, $2, $3, $4, $5, $6, 'read write admin', 'read', 'authorization_code refresh_token', $7, $8)`,
				id, d.name, also, level, string(attrs), target, kind == "p-", now)
			if kind != "p-" {
				hash := secretOf(id).Hash()
				run(`INSERT INTO app_secrets (id, app_id, name, hash, created_at, expires_at, sealed) VALUES ($1, $1, 'x', $2, $3, 253402300799000, $4)`,
					id, hash[:], now, []byte(secretOf(id)))
			}
		}
	}
	w.ok(rows.Commit())
}

func secretOf(app string) postern.Secret { return postern.Secret("s3cret-s3cret-s3cret-" + app) }

func (w *wires) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// app is a partner's app that speaks the dialect at hand.
func (w *wires) app(kind string) *dialect.Speaker {
	id := kind + w.d.name
	s := &dialect.Speaker{Dialect: w.wire, Server: "https://auth.test", ClientID: id, RedirectURL: target, Tenant: "s'h\"op"}
	if kind != "p-" {
		s.ClientSecret = string(secretOf(id))
	}
	if w.d.scopes {
		s.Scopes = []string{"read", "write"}
	}
	return s
}

const verifier = "0123456789012345678901234567890123456789abc"

var challenge = func() string {
	digest := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(digest[:])
}()

// send passes a request through the door and looks the answer over.
func (w *wires) send(r *dialect.Request) *httptest.ResponseRecorder {
	w.Helper()
	req := httptest.NewRequest(r.Method, r.URL, strings.NewReader(r.Body))
	if r.Body == "" {
		req.Body, req.ContentLength = http.NoBody, 0
	}
	for _, h := range r.Header {
		req.Header.Add(h.Name, h.Value)
	}
	if r.Basic {
		req.SetBasicAuth(r.User, r.Password)
	}
	rec := httptest.NewRecorder()
	w.door.ServeHTTP(rec, req)
	w.lookOver(rec)
	return rec
}

var usualHeaders = []string{"Cache-Control", "Content-Type", "Www-Authenticate", "Vary", "Location", "Referrer-Policy", "Allow", "Access-Control-Allow-Origin", "X-Who", "X-Odd"}

// lookOver: no hostile value became a header, a line or a member.
func (w *wires) lookOver(rec *httptest.ResponseRecorder) {
	w.Helper()
	if rec.Code >= 500 {
		w.Fatalf("%d %s", rec.Code, rec.Body)
	}
	for name, values := range rec.Header() {
		if !slices.Contains(usualHeaders, name) || len(values) != 1 || strings.ContainsFunc(values[0], func(c rune) bool { return c < ' ' || c > '~' }) {
			w.Errorf("the header %s: %q", name, values)
		}
	}
}

// ask has a person allow what an app asks, and gives the code and what the
// callback said.
func (w *wires) ask(s *dialect.Speaker, challenge string, more ...string) postern.Secret {
	w.Helper()
	address := s.Authorize(hostile, challenge)
	if len(more) > 0 {
		glue := "?"
		if strings.Contains(address, "?") {
			glue = "&"
		}
		address += glue + strings.Join(more, "&")
	}
	rec := w.send(&dialect.Request{Method: "GET", URL: address})
	ticket, found := strings.CutPrefix(rec.Header().Get("Location"), "/consent/")
	if rec.Code != http.StatusFound || !found {
		w.Fatalf("asked %s: %d %s", address, rec.Code, rec.Header())
	}
	k, err := w.rules.Ticket(w.ctx, postern.Secret(ticket))
	w.ok(err)
	w.ok(w.rules.ShowTicket(w.ctx, k, "ada"))
	all, err := w.db.Memberships(w.ctx, "ada")
	w.ok(err)
	g, err := w.rules.Decide(w.ctx, &oauth.Decision{Terms: w.wire.Terms(), Ticket: k, User: postern.User{ID: "ada"}, Allow: true, Account: &all[0]})
	w.ok(err)
	return w.callback(s, w.wire.Allowed(g, w.door.Issuer))
}

// callback: it goes to the registered URL, whose own query stands, with the
// parameters that the file says and no other, and the state that was sent.
func (w *wires) callback(s *dialect.Speaker, to string) postern.Secret {
	w.Helper()
	query, ok := strings.CutPrefix(to, target+"&")
	values, err := url.ParseQuery(query)
	if !ok || err != nil || strings.ContainsFunc(to, func(c rune) bool { return c <= ' ' || c > '~' }) {
		w.Fatalf("it leads to %q: %v", to, err)
	}
	for name, got := range values {
		if len(got) != 1 || !slices.Contains(w.d.params, name) {
			w.Fatalf("a parameter that the file does not say: %s=%q", name, got)
		}
	}
	c := s.Callback(values)
	if c.State != hostile {
		w.Fatalf("the state came back as %q", c.State)
	}
	return postern.Secret(c.Code)
}

// redeem gives what a token answer told; nil where it was refused.
func (w *wires) redeem(s *dialect.Speaker, code postern.Secret, verifier string) dialect.Told {
	w.Helper()
	return w.tokens(s, s.Redeem(string(code), verifier))
}

func (w *wires) tokens(s *dialect.Speaker, r *dialect.Request) dialect.Told {
	w.Helper()
	rec := w.send(r)
	told := s.Answer(rec.Header().Get("Content-Type"), rec.Body.String())
	if told["access_token"] == "" && told["second.access_token"] == "" {
		return nil
	}
	w.answer(rec)
	return told
}

// answer: the values that others chose stand where the file has them, whole.
func (w *wires) answer(rec *httptest.ResponseRecorder) {
	w.Helper()
	kept := ""
	if w.d.keep {
		kept = hostile
	}
	for _, value := range w.d.leaves {
		name := "m_" + strings.ReplaceAll(value, ".", "_")
		want := hostile
		switch of, _, _ := strings.Cut(value, "."); {
		case value == "kept.audience":
			want = kept
		case of == "user":
			want = hostile + "ada"
		}
		if got := member(w, rec, name); got != want {
			w.Errorf("%s is %q", name, got)
		}
	}
	for header := range w.d.headers {
		if got := rec.Header().Get(header); !strings.HasPrefix(got, `A"\X-Evil: 1{`) {
			w.Errorf("%s: %q", header, got)
		}
	}
}

// member finds a member of an answer by its name, at any depth.
func member(w *wires, rec *httptest.ResponseRecorder, name string) string {
	w.Helper()
	body := rec.Body.String()
	if w.d.form {
		form, err := url.ParseQuery(body)
		if err != nil || len(form[name]) > 1 {
			w.Fatalf("%s: %v", body, err)
		}
		return form.Get(name)
	}
	var said any
	if err := json.Unmarshal([]byte(body), &said); err != nil {
		w.Fatalf("%s: %v", body, err)
	}
	found := ""
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for key, inner := range v {
				if text, ok := inner.(string); ok && key == name {
					found = text
				}
				walk(inner)
			}
		case []any:
			for _, inner := range v {
				walk(inner)
			}
		}
	}
	walk(said)
	return found
}

func (w *wires) lives(token string) *postern.Token {
	w.Helper()
	t, err := w.rules.Check(w.ctx, w.wire.Name(), postern.Secret(token))
	if err != nil {
		w.Fatalf("the token should live: %v", err)
	}
	return t
}

func (w *wires) dead(why, token string) {
	w.Helper()
	if _, err := w.rules.Check(w.ctx, w.wire.Name(), postern.Secret(token)); err == nil {
		w.Errorf("it lives on: %s", why)
	}
}

// with adds a parameter to a token request, wherever its others are.
func (w *wires) with(r *dialect.Request, name, value string) *dialect.Request {
	added := url.QueryEscape(name) + "=" + url.QueryEscape(value)
	switch {
	case w.d.byURL:
		r.URL += "&" + added
	case strings.HasPrefix(r.Body, "{"):
		r.Body = strings.TrimSuffix(r.Body, "}") + fmt.Sprintf(",%q:%q}", name, value)
	default:
		r.Body += "&" + added
	}
	return r
}

// story is one app's life in the dialect at hand, with all that may be tried.
func (w *wires) story(i int) {
	a, b := w.app("a-"), w.app("b-")
	extra := []string{"audience=" + url.QueryEscape(hostile), "unknown=%00"}
	if w.d.second {
		extra = append(extra, "user_scope=read")
	}
	if w.d.offline {
		extra = append(extra, "access_type=offline")
	}
	w.onceOnly(a, b, extra)
	w.ownersMistakes(a, extra)
	w.age(a, extra)
	told := w.redeem(a, w.ask(a, challenge, extra...), verifier)
	if told == nil {
		w.Fatal("a code is not redeemed")
	}
	w.nothingWidens(a, told)
	if i%10 == 0 {
		w.race(a, extra)
	}
	w.public(extra)
	w.end(a, extra)
}

// onceOnly: strangers change nothing; the owner redeems once; a replay ends it.
func (w *wires) onceOnly(a, b *dialect.Speaker, extra []string) {
	code := w.ask(a, challenge, extra...)
	if w.redeem(b, code, verifier) != nil {
		w.Error("another app redeems the code")
	}
	elsewhere := *a
	elsewhere.Dialect = w.other
	rec := w.send(elsewhere.Redeem(string(code), verifier))
	if told := elsewhere.Answer(rec.Header().Get("Content-Type"), rec.Body.String()); told["access_token"] != "" {
		w.Error("another dialect redeems the code")
	}
	wrong := *a
	wrong.ClientSecret = "wrong-wrong-wrong-wrong"
	if w.redeem(&wrong, code, verifier) != nil {
		w.Error("a wrong secret redeems the code")
	}
	told := w.redeem(a, code, verifier)
	if told == nil {
		w.Fatal("strangers' attempts took the code from its owner")
	}
	t := w.lives(told["access_token"])
	if t.AppID != a.ClientID || t.Account.ID != "acme" || (t.Connection.UserID == "") != w.d.account {
		w.Errorf("it stands for %s, %s, %q", t.AppID, t.Account.ID, t.Connection.UserID)
	}
	if _, err := w.rules.Check(w.ctx, w.other.Name(), postern.Secret(told["access_token"])); err == nil {
		w.Error("another dialect knows the token")
	}
	if w.d.second {
		if own := w.lives(told["second.access_token"]); own.Connection.UserID != "ada" || len(own.Scopes) != 1 {
			w.Errorf("the second token stands for %q, %v", own.Connection.UserID, own.Scopes)
		}
	}
	if again := w.redeem(a, code, verifier); again != nil {
		w.Error("a code is redeemed twice")
	}
	w.dead("after a replay of its code", told["access_token"])
	if w.d.second {
		w.dead("the second, after a replay of its code", told["second.access_token"])
	}
}

// ownersMistakes: a wrong verifier or redirect URL burns the code.
func (w *wires) ownersMistakes(a *dialect.Speaker, extra []string) {
	code := w.ask(a, challenge, extra...)
	if w.redeem(a, code, strings.Replace(verifier, "a", "b", 1)) != nil {
		w.Error("a wrong verifier redeems the code")
	}
	if w.redeem(a, code, verifier) != nil {
		w.Error("a code is redeemed after a wrong verifier")
	}
	code = w.ask(a, challenge, extra...)
	lost := a.Redeem(string(code), verifier)
	if w.tokens(a, a.Redeem(string(code), "")) != nil {
		w.Error("no verifier redeems the code")
	}
	if w.tokens(a, lost) != nil {
		w.Error("a code is redeemed after no verifier")
	}
	code = w.ask(a, challenge, extra...)
	elsewhere := *a
	elsewhere.RedirectURL = target + "2"
	r := elsewhere.Redeem(string(code), verifier)
	if said := r.URL + r.Body; !strings.Contains(said, "p.test") { // the wire leaves it out; it may be sent all the same
		r = w.with(r, "redirect_uri", elsewhere.RedirectURL)
	}
	if w.tokens(a, r) != nil {
		w.Error("another redirect URL redeems the code")
	}
	if w.redeem(a, code, verifier) != nil {
		w.Error("a code is redeemed after another redirect URL")
	}
	if w.d.pkce {
		rec := w.send(&dialect.Request{Method: "GET", URL: a.Authorize(hostile, "")})
		if to := rec.Header().Get("Location"); !strings.HasPrefix(to, target+"&error=invalid_request&") {
			w.Errorf("without a challenge: %d %s", rec.Code, to)
		}
	}
	unregistered := *a
	unregistered.RedirectURL = "https://evil.test/cb"
	address := unregistered.Authorize(hostile, challenge)
	if !strings.Contains(address, "evil.test") {
		address += "&redirect_uri=https://evil.test/cb"
	}
	if rec := w.send(&dialect.Request{Method: "GET", URL: address}); rec.Code != http.StatusBadRequest || rec.Header().Get("Location") != "" {
		w.Errorf("an unregistered redirect URL: %d %s", rec.Code, rec.Header())
	}
}

// age: a code and a token live as long as the file says, and no longer.
func (w *wires) age(a *dialect.Speaker, extra []string) {
	terms := w.wire.Terms()
	code := w.ask(a, challenge, extra...)
	w.clock.Advance(terms.Code.Life)
	if w.redeem(a, code, verifier) != nil {
		w.Error("a code outlives its life")
	}
	told := w.redeem(a, w.ask(a, challenge, extra...), verifier)
	if life := terms.Access.Life; life > 0 {
		w.clock.Advance(life)
		w.dead("beyond its life", told["access_token"])
	}
}

// nothingWidens: a refresh or a renewal gives no scope that was not granted, for
// nobody else, and other apps and dialects get nothing for the token.
func (w *wires) nothingWidens(a *dialect.Speaker, told dialect.Told) {
	first := w.lives(told["access_token"])
	held := func(told dialect.Told) {
		w.Helper()
		if told == nil {
			return
		}
		t := w.lives(told["access_token"])
		for _, s := range t.Scopes {
			if !slices.Contains(first.Scopes, s) {
				w.Errorf("it has the scope %s", s)
			}
		}
		if t.Account.ID != first.Account.ID || t.Connection.ID != first.Connection.ID || t.AppID != first.AppID {
			w.Errorf("it stands for %s, %s", t.Account.ID, t.Connection.ID)
		}
	}
	if refresh := told["refresh_token"]; refresh != "" {
		next := w.refreshes(a, refresh)
		held(next)
		if w.d.scopes {
			held(w.tokens(a, w.with(a.Refresh(next["refresh_token"]), "scope", "admin")))
		}
	}
	if !w.d.renews {
		return
	}
	grant := func(s *dialect.Speaker) *dialect.Request {
		r := s.Redeem("nothing", "")
		r.Body = strings.NewReplacer("authorization_code", "swap", "the_code", "swap").Replace(r.Body)
		r.URL = strings.NewReplacer("authorization_code", "swap", "the_code", "swap").Replace(r.URL)
		return w.with(r, "old_token", told["access_token"])
	}
	if w.tokens(w.app("b-"), grant(w.app("b-"))) != nil {
		w.Error("another app renews the token")
	}
	if w.d.scopes && w.tokens(a, w.with(grant(a), "scope", "admin")) != nil {
		w.Error("a renewal widens the scope")
	}
	renewed := w.tokens(a, grant(a))
	if renewed == nil {
		w.Fatal("a live token is not renewed")
	}
	held(renewed)
	if absolute := w.wire.Terms().Access.Absolute; absolute > 0 {
		if t := w.lives(renewed["access_token"]); t.ExpiresAt.IsZero() || t.ExpiresAt.After(first.FamilyStartedAt.Add(absolute)) {
			w.Errorf("it lives until %s", t.ExpiresAt)
		}
	}
}

// refreshes: the owner, and nobody else.
func (w *wires) refreshes(a *dialect.Speaker, refresh string) dialect.Told {
	w.Helper()
	b := w.app("b-")
	wrong := *a
	wrong.ClientSecret = "wrong-wrong-wrong-wrong"
	if w.tokens(b, w.refresh(b, refresh)) != nil || w.tokens(&wrong, w.refresh(&wrong, refresh)) != nil {
		w.Error("somebody else refreshes")
	}
	told := w.tokens(a, w.refresh(a, refresh))
	if told == nil {
		w.Fatal("a refresh is refused")
	}
	if told["refresh_token"] == "" {
		told["refresh_token"] = refresh
	}
	return told
}

// refresh asks in the way of the code, where only some grants can be refreshed.
func (w *wires) refresh(s *dialect.Speaker, token string) *dialect.Request { return s.Refresh(token) }

// race: of many callers at once, one at most is given tokens.
func (w *wires) race(a *dialect.Speaker, extra []string) {
	code := w.ask(a, challenge, extra...)
	var won sync.Map
	var wg sync.WaitGroup
	for n := range 8 {
		wg.Go(func() {
			if told := w.redeem(a, code, verifier); told != nil {
				won.Store(n, told)
			}
		})
	}
	wg.Wait()
	count := 0
	won.Range(func(_, told any) bool {
		count++
		w.dead("after its code was replayed", told.(dialect.Told)["access_token"])
		return true
	})
	if count != 1 {
		w.Errorf("%d callers won", count)
	}
}

// public: without a secret, a challenge is needed and its verifier is the proof.
func (w *wires) public(extra []string) {
	p := w.app("p-")
	if strings.Contains(w.text, "by secret") || strings.Contains(w.text, "sign: {") {
		return // such wires have no public apps
	}
	rec := w.send(&dialect.Request{Method: "GET", URL: p.Authorize(hostile, "")})
	if to := rec.Header().Get("Location"); !strings.HasPrefix(to, target+"&error=invalid_request&") {
		w.Errorf("a public app without a challenge: %d %s", rec.Code, to)
	}
	code := w.ask(p, challenge, extra...)
	impostor := *p
	impostor.ClientSecret = "made-up-made-up-made-up"
	if w.redeem(&impostor, code, verifier) != nil {
		w.Error("a public app with a secret")
	}
	if w.redeem(p, code, strings.Replace(verifier, "a", "b", 1)) != nil || w.redeem(p, code, verifier) != nil {
		w.Error("a public app's code, after a wrong verifier")
	}
}

// end: revocation ends what it says, by whoever may; others end nothing.
func (w *wires) end(a *dialect.Speaker, extra []string) {
	told := w.redeem(a, w.ask(a, challenge, extra...), verifier)
	token := told["access_token"]
	if !strings.Contains(w.text, "by: holder") {
		b := w.app("b-")
		w.send(b.Revoke(dialect.Told{"access_token": token}))
		w.lives(token)
	}
	again := w.lives(token)
	w.send(a.Revoke(dialect.Told{"access_token": token}))
	w.dead("after it was revoked", token)
	if strings.Contains(w.text, "ends: connection") && told["refresh_token"] != "" && w.tokens(a, w.refresh(a, told["refresh_token"])) != nil {
		w.Error("a refresh token outlives its connection")
	}
	if c, err := w.db.Connection(w.ctx, again.Connection.ID); err == nil && c.EndedAt.IsZero() {
		w.ok(w.rules.Disconnect(w.ctx, postern.User{ID: "ada"}, c.ID, ""))
	}
	w.clock.Advance(time.Second)
}
