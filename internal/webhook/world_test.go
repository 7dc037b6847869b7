package webhook_test

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/base64"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/posterntest/clock"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
	"postern.dev/postern/internal/webhook"
)

// world is a small installation whose deliveries run.
type world struct {
	*testing.T
	ctx    context.Context
	db     *store.DB
	sql    *sql.DB
	clock  *clock.Clock
	vault  sealer
	rules  *webhook.Rules
	events int
	stop   func()
}

// everywhere runs a test on each engine.
func everywhere(t *testing.T, test func(w *world)) {
	t.Helper()
	engines.Each(t, func(t *testing.T, database string) { test(newWorld(t, database)) })
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
	driver, dsn := "pgx", database
	if path, ok := strings.CutPrefix(database, "sqlite:"); ok {
		driver, dsn = "sqlite", "file:"+strings.ReplaceAll(path, "#", "%23")+"?_pragma=busy_timeout(5000)"
	}
	rows, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { rows.Close() })
	c := clock.New()
	w := &world{T: t, ctx: ctx, db: db, sql: rows, clock: c, vault: sealer{vault.New(vault.Key{7}, rand.Reader)}, stop: func() {}}
	w.rules = w.newRules()
	w.run(`INSERT INTO accounts (id, handle, name, number, created_at) VALUES ('acme', '', 'Acme', 1, 1), ('globex', '', 'Globex', 2, 1)`)
	w.run(`INSERT INTO partners (id, name, created_at) VALUES ('p1', 'Partner', 1)`)
	w.run(`INSERT INTO users (id, email, email_folded, number, nickname, created_at) VALUES ('ada', 'a@x', 'a@x', 1, 'ada', 1)`)
	w.run(`INSERT INTO memberships (account_id, user_id, role, created_at) VALUES ('acme', 'ada', 'admin', 1)`)
	w.run(`INSERT INTO scopes (name, description, position) VALUES ('candidates.read', 'x', 1)`)
	w.run(`INSERT INTO event_types (type, description, scope) VALUES ('candidate.updated', 'x', 'candidates.read'), ('news', 'x', '')`)
	return w
}

func (w *world) newRules() *webhook.Rules {
	return &webhook.Rules{
		Store: w.db, Sealer: w.vault, Wires: wires{}, Now: w.clock.Now, Random: rand.Reader,
		Log: slog.New(slog.DiscardHandler), InsecureLoopback: true, NodeDead: time.Second,
	}
}

// start runs a node until the test ends or stop is called.
func (w *world) start() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	rules := w.newRules()
	running.Go(func() { rules.Run(ctx) })
	var once sync.Once
	stop = func() { once.Do(func() { cancel(); running.Wait() }) }
	w.Cleanup(stop)
	return stop
}

func (w *world) run(query string, args ...any) {
	w.Helper()
	if _, err := w.sql.Exec(query, args...); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
}

func (w *world) value(query string, args ...any) (text string) {
	w.Helper()
	var v any
	if err := w.sql.QueryRow(query, args...).Scan(&v); err != nil {
		w.Fatalf("%s: %v", query, err)
	}
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

// app registers one with an endpoint, which may be "".
func (w *world) app(id, dialect, level, url string) (secret string) {
	w.Helper()
	key := make([]byte, 32)
	rand.Read(key)
	secret = "whsec_" + base64.StdEncoding.EncodeToString(key)
	sealed, err := w.vault.Seal("apps", id, "webhook_secret", []byte(secret))
	if err != nil {
		w.Fatal(err)
	}
	w.run(`INSERT INTO apps (id, partner_id, name, dialect, level, grants, webhook_url, webhook_secret, created_at, changed_at)
		VALUES ($1, 'p1', $1, $2, $3, 'authorization_code', $4, $5, 1, 1)`, id, dialect, level, url, sealed)
	return secret
}

func (w *world) connection(id, app, account, user, scopes string) {
	w.Helper()
	w.events++
	w.run(`INSERT INTO connections (id, number, app_id, account_id, user_id, scopes, created_at, created_by, sequence)
		VALUES ($1, $2, $3, $4, $5, $6, $2, 'ada', 0)`, id, 1000+w.events, app, account, user, scopes)
}

// event writes the next event of a connection, as the engine would.
func (w *world) event(connection string, kind postern.EventType, reason string) string {
	w.Helper()
	w.events++
	id := fmt.Sprintf("evt_%s_%04d", connection, w.events)
	w.run(`UPDATE connections SET sequence = sequence + 1 WHERE id = $1`, connection)
	w.run(`INSERT INTO events (id, type, app_id, connection_id, sequence, account_id, user_id, user_nickname, reason, at)
		SELECT $1, $2, app_id, id, sequence, account_id, user_id, CASE WHEN user_id = '' THEN '' ELSE 'ada' END, $3, $4
		FROM connections WHERE id = $5`, id, string(kind), reason, w.clock.Now().UnixMilli()+int64(w.events), connection)
	return id
}

func (w *world) state(event string) string {
	w.Helper()
	var s string
	err := w.sql.QueryRow(`SELECT state FROM deliveries WHERE event_id = $1`, event).Scan(&s)
	if err != nil && err != sql.ErrNoRows {
		w.Fatal(err)
	}
	return s
}

func (w *world) waitFor(what string, ok func() bool) {
	w.Helper()
	for deadline := time.Now().Add(15 * time.Second); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			w.Fatalf("after 15 s still not: %s", what)
		}
	}
}

func (w *world) becomes(event string, state webhook.State) {
	w.Helper()
	w.waitFor(event+" is "+string(state), func() bool { return w.state(event) == string(state) })
}

type sealer struct{ v *vault.Vault }

func (s sealer) Seal(table, row, column string, plain []byte) ([]byte, error) {
	return s.v.Seal(plain, vault.Place{Table: table, Row: row, Column: column})
}

func (s sealer) Open(table, row, column string, sealed []byte) ([]byte, error) {
	return s.v.Open(sealed, vault.Place{Table: table, Row: row, Column: column})
}

// wires know one dialect with account ids of its own.
type wires struct{}

func (wires) EventData(dialect string, m *webhook.Message) []webhook.Member {
	if dialect != "xref" {
		return nil
	}
	return []webhook.Member{{Name: "xref_account_id", JSON: []byte(`"` + m.Account.WireID + `"`)}}
}

// Legacy is the shape of an old server: its own headers, its own body.
func (wires) Legacy(_ context.Context, dialect string, m *webhook.Message, secret postern.Secret) (*webhook.Legacy, error) {
	if dialect != "old" {
		return nil, nil
	}
	return &webhook.Legacy{
		Header: http.Header{"X-Old": {string(m.Type)}, "X-Key": {string(secret)}}, Body: []byte(`{"gone":"` + m.Account.ID + `"}`),
	}, nil
}

func (wires) AccountIDs(dialect string) *postern.Form {
	if dialect != "xref" {
		return nil
	}
	return &postern.Form{Alphabet: postern.Hex, Length: 32}
}
