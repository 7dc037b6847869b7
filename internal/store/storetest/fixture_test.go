// Package storetest holds the promises of the rules' seams: one suite, run on
// every engine against the real rows.
package storetest

import (
	"context"
	"crypto/rand"
	"database/sql"
	"log/slog"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/posterntest/clock"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/store"
)

// world is a small installation: two accounts, three people, three apps.
type world struct {
	*testing.T
	ctx   context.Context
	db    *store.DB
	sql   *sql.DB // to look at the rows, and to set up what has no verb here
	clock *clock.Clock
	rules *oauth.Rules
}

// everywhere runs a test on each engine.
func everywhere(t *testing.T, test func(w *world)) {
	t.Helper()
	engines.Each(t, func(t *testing.T, database string) { test(newWorld(t, database)) })
}

// inOneWorld runs cases that leave nothing behind in one installation per engine.
func inOneWorld(t *testing.T, cases map[string]func(w *world)) {
	t.Helper()
	everywhere(t, func(w *world) {
		for name, test := range cases {
			w.T.Run(name, func(t *testing.T) {
				inner := *w
				inner.T = t
				test(&inner)
			})
		}
	})
}

func newWorld(t *testing.T, database string) *world {
	t.Helper()
	ctx := context.Background()
	db, err := store.Open(ctx, database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	c := clock.New()
	w := &world{T: t, ctx: ctx, db: db, sql: raw(t, database), clock: c,
		rules: &oauth.Rules{Store: db, Now: c.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}}
	w.settle()
	return w
}

// raw opens the same database beside the store.
func raw(t *testing.T, database string) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, dsn = "sqlite", "file:"+strings.ReplaceAll(path, "#", "%23")+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

const secretText = "s3cret-s3cret-s3cret-s3cret"

func (w *world) settle() {
	w.Helper()
	now := w.clock.Now().UnixMilli()
	for i, account := range []string{"acme", "globex"} {
		w.run(`INSERT INTO accounts (id, handle, name, number, created_at) VALUES ($1, $1, $1, $2, $3)`, account, i+1, now)
	}
	for i, person := range []string{"ada", "bob", "eve"} {
		w.run(`INSERT INTO users (id, email, email_folded, number, nickname, created_at) VALUES ($1, $2, $2, $3, $1, $4)`,
			person, person+"@test", i+1, now)
	}
	for _, m := range [][3]string{{"acme", "ada", "admin"}, {"acme", "bob", "member"}, {"globex", "eve", "admin"}, {"globex", "ada", "member"}} {
		w.run(`INSERT INTO memberships (account_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)`, m[0], m[1], m[2], now)
	}
	w.run(`INSERT INTO partners (id, name, created_at) VALUES ('p1', 'Partner', $1)`, now)
	w.app("whole", "account", false)
	w.app("own", "user", false)
	w.app("other", "account", false)
	w.app("open", "user", true)
}

// app registers an app that speaks every wire of these tests.
func (w *world) app(id, level string, public bool) {
	w.Helper()
	now := w.clock.Now().UnixMilli()
	w.run(`INSERT INTO apps (id, partner_id, name, dialect, also, level, redirect_urls, scopes, grants, public, created_at)
		VALUES ($1, 'p1', $1, 'plain', 'rotating capped', $2, $3, 'read write', 'authorization_code refresh_token client_credentials', $4, $5)`,
		id, level, redirect+" http://127.0.0.1:9/cb", public, now)
	if !public {
		hash := postern.Secret(secretText).Hash()
		w.run(`INSERT INTO app_secrets (id, app_id, name, hash, created_at, expires_at) VALUES ($1, $1, 'first', $2, $3, 253402300799000)`, id, hash[:], now)
	}
}

const redirect = "https://partner.test/cb"

var (
	code    = oauth.CodeTerms{Form: postern.Form{Alphabet: postern.Hex, Length: 64}, Life: 5 * time.Minute}
	access  = oauth.AccessTerms{Form: postern.Form{Alphabet: postern.Base62, Length: 45}, Life: time.Hour}
	refresh = oauth.RefreshTerms{Form: postern.Form{Alphabet: postern.Hex, Length: 64}, Idle: 180 * 24 * time.Hour}

	// plain never rotates, rotating does, capped has tokens without end, three at once.
	plain = &oauth.Terms{Dialect: "plain", Level: "user", PKCE: oauth.PKCEOptional, Consent: oauth.ConsentAlways,
		Code: code, Access: access, Refresh: &refresh}
	rotating = func() *oauth.Terms {
		t, r := *plain, refresh
		t.Dialect, r.Rotate, r.Window, t.Refresh = "rotating", true, 30*time.Second, &r
		t.Consent = oauth.ConsentRemembered
		return &t
	}()
	capped = func() *oauth.Terms {
		t := *plain
		t.Dialect, t.Refresh, t.Access.Life, t.AtOnce, t.NoScopes = "capped", nil, 0, 3, true
		t.AccountIDs = &postern.Form{Alphabet: postern.Hex, Length: 32}
		return &t
	}()
)

func (w *world) run(query string, args ...any) {
	w.Helper()
	if _, err := w.sql.ExecContext(w.ctx, query, args...); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
}

func (w *world) count(query string, args ...any) (n int) {
	w.Helper()
	if err := w.sql.QueryRowContext(w.ctx, query, args...).Scan(&n); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
	return n
}

func (w *world) text(query string, args ...any) (s string) {
	w.Helper()
	if err := w.sql.QueryRowContext(w.ctx, query, args...).Scan(&s); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
	return s
}

// asking is a request that is right in every way.
func asking(terms *oauth.Terms, app string, scopes ...string) *oauth.Ask {
	return &oauth.Ask{Terms: terms, ClientID: app, RedirectURI: redirect, SentURI: true, ResponseType: "code", State: "S1", Scopes: scopes}
}

func (w *world) ask(a *oauth.Ask) *postern.Ticket {
	w.Helper()
	secret, err := w.rules.Ask(w.ctx, a)
	w.ok(err)
	k, _, err := w.rules.Ticket(w.ctx, secret)
	w.ok(err)
	return k
}

// decide has a person answer for an account.
func (w *world) decide(terms *oauth.Terms, k *postern.Ticket, person, account string, allow bool) (*oauth.Granted, error) {
	w.Helper()
	if err := w.rules.ShowTicket(w.ctx, k, person); err != nil {
		return nil, err
	}
	all, err := w.db.Memberships(w.ctx, person)
	w.ok(err)
	d := &oauth.Decision{Terms: terms, Ticket: k, User: postern.User{ID: person}, Allow: allow}
	for i := range all {
		if all[i].Account.ID == account {
			d.Account = &all[i]
		}
	}
	return w.rules.Decide(w.ctx, d)
}

func (w *world) approve(terms *oauth.Terms, app, person, account string, scopes ...string) postern.Secret {
	w.Helper()
	g, err := w.decide(terms, w.ask(asking(terms, app, scopes...)), person, account, true)
	w.ok(err)
	return g.Code
}

func client(app string) oauth.ClientAuth {
	return oauth.ClientAuth{ClientID: app, Secret: secretText, Source: "192.0.2.1"}
}

func redeeming(terms *oauth.Terms, app string, code postern.Secret) *oauth.Redeem {
	return &oauth.Redeem{Terms: terms, Client: client(app), Code: code, RedirectURI: redirect, SentURI: true}
}

func (w *world) redeem(terms *oauth.Terms, app string, code postern.Secret) *oauth.Issued {
	w.Helper()
	i, err := w.rules.Redeem(w.ctx, redeeming(terms, app, code))
	w.ok(err)
	return i
}

// connect is the whole way from question to tokens.
func (w *world) connect(terms *oauth.Terms, app, person, account string, scopes ...string) *oauth.Issued {
	w.Helper()
	return w.redeem(terms, app, w.approve(terms, app, person, account, scopes...))
}

func (w *world) refresh(terms *oauth.Terms, app string, token postern.Secret) (*oauth.Issued, error) {
	c := client(app)
	if app == "open" {
		c.Secret = ""
	}
	return w.rules.Refresh(w.ctx, &oauth.Refresh{Terms: terms, Client: c, RefreshToken: token})
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) wants(err error, kind postern.Kind) {
	w.Helper()
	if err == nil || !postern.Is(err, kind) {
		w.Fatalf("got %v, want %s", err, kind)
	}
}

func (w *world) revoke(q *oauth.Revoke) error {
	_, err := w.rules.Revoke(w.ctx, q)
	return err
}

func (w *world) lives(terms *oauth.Terms, token postern.Secret) {
	w.Helper()
	if _, err := w.rules.Check(w.ctx, terms.Dialect, token); err != nil {
		w.Fatalf("the token should live: %v", err)
	}
}

func (w *world) dead(terms *oauth.Terms, token postern.Secret) {
	w.Helper()
	_, err := w.rules.Check(w.ctx, terms.Dialect, token)
	w.wants(err, postern.InvalidToken)
}

func (w *world) events(kind postern.EventType) int {
	w.Helper()
	return w.count(`SELECT count(*) FROM events WHERE type = $1`, string(kind))
}
