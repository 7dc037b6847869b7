package identity_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/posterntest/clock"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/store"
)

// world is a small installation: ada of the account acme, bob of globex.
type world struct {
	*testing.T
	ctx   context.Context
	db    *store.DB
	sql   *sql.DB // to look at the rows, and to set up what has no verb here
	clock *clock.Clock
	rules *identity.Rules
}

const (
	adas  = "correct horse battery"
	bobs  = "staple of the diet"
	wrong = "not the password"
)

// everywhere runs a test on each engine.
func everywhere(t *testing.T, test func(w *world)) {
	t.Helper()
	engines.Each(t, func(t *testing.T, database string) {
		w := &world{T: t, ctx: context.Background(), clock: clock.New()}
		var err error
		w.db, err = store.Open(w.ctx, database)
		w.ok(err)
		w.ok(w.db.Migrate(w.ctx))
		w.sql = raw(t, database)
		w.rules = w.node(identity.Limits{Guesses: guesses})
		t.Cleanup(func() { w.rules.Close(); w.ok(w.db.Close()) })
		w.account("acme")
		w.account("globex")
		w.user("ada", "acme", adas)
		w.user("bob", "globex", bobs)
		test(w)
	})
}

// node is one more process on the same database.
func (w *world) node(l identity.Limits) *identity.Rules {
	return &identity.Rules{Store: w.db, Now: w.clock.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler), Limits: l}
}

// raw opens the same database beside the store.
func raw(t *testing.T, database string) *sql.DB {
	t.Helper()
	driver, dsn := "pgx", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, dsn = "sqlite", "file:"+path+"?_pragma=busy_timeout(5000)"
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// hashes remembers the hashes of the fixture's passwords: 19 MiB each, once.
var hashes sync.Map

func (w *world) hashOf(password string) string {
	w.Helper()
	if h, ok := hashes.Load(password); ok {
		return h.(string)
	}
	h, err := w.rules.HashPassword(postern.Secret(password))
	w.ok(err)
	hashes.Store(password, h)
	return h
}

func (w *world) account(id string) {
	w.Helper()
	w.exec(`INSERT INTO accounts (id, name, number, created_at) VALUES ($1, $1, $2, 1)`, id, len(id))
}

// user makes a user with the address ID@x.test.
func (w *world) user(id, account, password string) {
	w.Helper()
	hash := ""
	if password != "" {
		hash = w.hashOf(password)
	}
	email := id + "@x.test"
	w.exec(`INSERT INTO users (id, email, email_folded, number, nickname, password_hash, created_at) VALUES ($1, $2, $3, $4, $1, $5, 1)`,
		id, email, postern.FoldEmail(email), w.number(`SELECT COUNT(*) FROM users`)+1, hash)
	w.exec(`INSERT INTO memberships (account_id, user_id, role, created_at) VALUES ($1, $2, 'member', 1)`, account, id)
}

func (w *world) exec(query string, args ...any) {
	w.Helper()
	_, err := w.sql.Exec(query, args...)
	w.ok(err)
}

func (w *world) number(query string, args ...any) (n int) {
	w.Helper()
	w.ok(w.sql.QueryRow(query, args...).Scan(&n))
	return n
}

func (w *world) text(query string, args ...any) (s string) {
	w.Helper()
	w.ok(w.sql.QueryRow(query, args...).Scan(&s))
	return s
}

// audited counts the records of an action.
func (w *world) audited(action string) int {
	w.Helper()
	return w.number(`SELECT COUNT(*) FROM audit WHERE action = $1`, action)
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func (w *world) wants(err error, kind postern.Kind) {
	w.Helper()
	if err == nil || postern.KindOf(err) != kind {
		w.Fatalf("wants %s, got %v", kind, err)
	}
}

// try signs in.
func (w *world) try(email, password string, device postern.Secret) (*identity.SignedIn, error) {
	return w.rules.SignIn(w.ctx, identity.SignIn{Email: email, Password: postern.Secret(password), Device: device, Address: "192.0.2.7"})
}

// in signs in with what is right.
func (w *world) in(email, password string) *identity.SignedIn {
	w.Helper()
	s, err := w.try(email, password, "")
	w.ok(err)
	return s
}

// isIn wants a live session, and gives it.
func (w *world) isIn(session postern.Secret) *postern.Session {
	w.Helper()
	s, err := w.rules.Session(w.ctx, session)
	w.ok(err)
	return s
}

func (w *world) isOut(session postern.Secret) {
	w.Helper()
	_, err := w.rules.Session(w.ctx, session)
	w.wants(err, postern.NotFound)
}

// failures uses up n guesses from an unknown browser.
func (w *world) failures(email string, n int) {
	w.Helper()
	for range n {
		_, err := w.try(email, wrong, "")
		w.wants(err, postern.AccessDenied)
	}
}

// message is what a person would read.
func message(err error) string {
	if e, ok := err.(*postern.Error); ok {
		return e.Msg
	}
	return ""
}

const (
	window  = 15 * time.Minute
	guesses = 5 // fewer than the default, because each takes a while
)
