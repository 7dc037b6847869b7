package registry_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/posterntest/clock"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
	"postern.dev/postern/internal/yamlfile"
)

// world is an empty installation with four dialects mounted: open wants
// nothing of its apps, strict much, old takes weak secrets, other is open's twin.
type world struct {
	*testing.T
	ctx    context.Context
	db     *store.DB
	sql    *sql.DB // to look at the rows
	clock  *clock.Clock
	people *counting
	rules  *registry.Rules
	oauth  *oauth.Rules
}

func everywhere(t *testing.T, test func(w *world)) {
	t.Helper()
	t.Parallel() // most of the time goes into making databases
	engines.Each(t, func(t *testing.T, database string) { test(newWorld(t, database)) })
}

func newWorld(t *testing.T, database string) *world {
	t.Helper()
	w := &world{T: t, ctx: context.Background(), clock: clock.New()}
	var err error
	w.db, err = store.Open(w.ctx, database)
	w.ok(err)
	t.Cleanup(func() { w.ok(w.db.Close()) })
	w.ok(w.db.Migrate(w.ctx))
	w.sql = raw(t, database)
	quiet := slog.New(slog.DiscardHandler)
	w.people = &counting{Rules: &identity.Rules{Store: w.db, Now: w.clock.Now, Random: rand.Reader, Log: quiet}}
	w.oauth = &oauth.Rules{Store: w.db, Now: w.clock.Now, Random: rand.Reader, Log: quiet}
	w.rules = &registry.Rules{
		Store: w.db, Now: w.clock.Now, Random: rand.Reader, Passwords: w.people, Sealer: newSealer(t),
		DefaultDialect: "open", Own: &url.URL{Scheme: "https", Host: "auth.saas.test"},
		Dialects: map[string]registry.DialectFacts{
			"open":   {Level: postern.UserLevel, NativeApps: true, Assertions: true, ForItself: true},
			"other":  {Level: postern.UserLevel, NativeApps: true},
			"strict": {Level: postern.AccountLevel, OneRedirectURL: true, Required: []string{"description", "url"}},
			"some":   {Level: postern.UserLevel, SomeRedirectURL: true},
			"old":    {Level: postern.AccountLevel, WeakSecrets: true},
			"signs":  {Level: postern.AccountLevel, RecoverableSecrets: true},
		},
	}
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

// counting counts the work with passwords.
type counting struct {
	*identity.Rules
	hashed int
}

func (c *counting) HashPassword(p postern.Secret) (string, error) {
	c.hashed++
	return c.Rules.HashPassword(p)
}

type sealer struct{ vault *vault.Vault }

func newSealer(t *testing.T) sealer {
	t.Helper()
	key, err := vault.ParseKey("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")
	if err != nil {
		t.Fatal(err)
	}
	return sealer{vault.New(key, rand.Reader)}
}

func (s sealer) Seal(table, row, column string, plain []byte) ([]byte, error) {
	return s.vault.Seal(plain, vault.Place{Table: table, Row: row, Column: column})
}

func (s sealer) Open(table, row, column string, sealed []byte) ([]byte, error) {
	return s.vault.Open(sealed, vault.Place{Table: table, Row: row, Column: column})
}

func (w *world) ok(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// try applies files; each text is one, named a.yaml, b.yaml …
func (w *world) try(texts ...string) (*registry.Result, error) {
	files := make([]registry.File, len(texts))
	for i, text := range texts {
		files[i] = registry.File{Name: string(rune('a'+i)) + ".yaml", Data: []byte(text)}
	}
	return w.rules.Apply(w.ctx, registry.Read(files...), false)
}

func (w *world) apply(texts ...string) *registry.Result {
	w.Helper()
	result, err := w.try(texts...)
	if err != nil {
		w.Fatalf("apply: %v\n%s", err, strings.Join(texts, "\n---\n"))
	}
	return result
}

// did applies and compares what became of each object, as "created app Partner X".
func (w *world) did(text string, want ...string) *registry.Result {
	w.Helper()
	result := w.apply(text)
	var got []string
	for _, c := range result.Changes {
		line := fmt.Sprintf("%s %s %s", c.Did, c.Kind, c.Name)
		if c.Name == "" {
			line += c.ID
		}
		if len(c.Keys) > 0 {
			line += ": " + strings.Join(c.Keys, ", ")
		}
		got = append(got, line)
	}
	if a, b := strings.Join(got, "\n"), strings.Join(want, "\n"); a != b {
		w.Errorf("apply did\n%s\nwant\n%s\nof\n%s", a, b, text)
	}
	return result
}

// refused compares every finding, and holds that nothing was written.
func (w *world) refused(text string, want ...string) {
	w.Helper()
	before := w.dump()
	_, err := w.try(text)
	problems, ok := errors.AsType[yamlfile.Problems](err)
	if !ok {
		w.Errorf("apply said %v, not findings, of\n%s", err, text)
		return
	}
	if got := problems.Error(); got != strings.Join(want, "\n") {
		w.Errorf("apply found\n%s\nwant\n%s\nin\n%s", got, strings.Join(want, "\n"), text)
	}
	if after := w.dump(); after != before {
		w.Errorf("a refused apply wrote: before\n%s\nafter\n%s", before, after)
	}
}

// dump is all of the rows, but for the number of applies.
func (w *world) dump() string {
	w.Helper()
	var all strings.Builder
	for _, table := range []string{
		"scopes", "event_types", "accounts", "users", "nicknames", "memberships", "sessions", "partners", "staff", "partner_members",
		"apps", "app_secrets", "apis", "tickets", "codes", "connections", "consents", "events", "changes", "audit",
	} {
		for _, row := range w.rows("SELECT * FROM " + table + " ORDER BY 1, 2") {
			fmt.Fprintln(&all, table, row)
		}
	}
	return all.String()
}

func (w *world) rows(query string, args ...any) (list []string) {
	w.Helper()
	rows, err := w.sql.Query(query, args...)
	w.ok(err)
	defer rows.Close()
	columns, err := rows.Columns()
	w.ok(err)
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		w.ok(rows.Scan(values...))
		var line []string
		for _, v := range values {
			switch v := (*v.(*any)).(type) {
			case []byte:
				line = append(line, fmt.Sprintf("%x", v))
			case int64: // SQLite has no booleans of its own
				line = append(line, fmt.Sprint(v))
			case bool:
				line = append(line, map[bool]string{true: "1", false: "0"}[v])
			default:
				line = append(line, fmt.Sprint(v))
			}
		}
		list = append(list, strings.Join(line, "|"))
	}
	w.ok(rows.Err())
	return list
}

// one is the only row of a query.
func (w *world) one(query string, args ...any) string {
	w.Helper()
	list := w.rows(query, args...)
	if len(list) != 1 {
		w.Fatalf("%s gives %d rows: %v", query, len(list), list)
	}
	return list[0]
}

func (w *world) equal(what, got, want string) {
	w.Helper()
	if got != want {
		w.Errorf("%s is %q, want %q", what, got, want)
	}
}

func (w *world) run(query string, args ...any) {
	w.Helper()
	_, err := w.sql.Exec(query, args...)
	w.ok(err)
}

// may asks for a token with a client secret: whether the app is let in.
func (w *world) may(client, secret string) bool {
	w.Helper()
	_, err := w.oauth.Authenticate(w.ctx, terms, oauth.ClientAuth{ClientID: client, Secret: postern.Secret(secret), Source: w.Name()})
	if err != nil && !postern.Is(err, postern.InvalidClient) {
		w.Fatal(err)
	}
	return err == nil
}

var terms = &oauth.Terms{Dialect: "open", Level: postern.UserLevel,
	Code:   oauth.CodeTerms{Form: postern.Form{Alphabet: postern.Hex, Length: 64}, Life: 5 * time.Minute},
	Access: oauth.AccessTerms{Form: postern.Form{Alphabet: postern.Base62, Length: 45}, Life: time.Hour}}

// made is a secret that an apply shows.
func (w *world) made(r *registry.Result, key string) postern.Secret {
	w.Helper()
	for _, c := range r.Changes {
		for _, s := range c.Secrets {
			if s.Key == key {
				return s.Secret
			}
		}
	}
	w.Fatalf("the result shows no %s", key)
	return ""
}

func printed(w *world, r *registry.Result) string {
	w.Helper()
	var out bytes.Buffer
	w.ok(r.Print(&out))
	return out.String()
}

func (w *world) dryRun(text string) (*registry.Result, error) {
	return w.rules.Apply(w.ctx, registry.Read(registry.File{Name: "a.yaml", Data: []byte(text)}), true)
}

func hex(b []byte) string { return fmt.Sprintf("%x", b) }
