package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
	_ "modernc.org/sqlite" // database/sql driver "sqlite"

	"postern.dev/postern"
)

// filler puts rows straight into the database, in the shape in which Postern
// itself would have written them.
type filler struct {
	db       *sql.DB
	postgres bool
	families int            // so many there are
	accounts map[string]int // so many there are, by kind
}

// Kinds of accounts, by what their ids begin with: those of stored tokens, those
// that have no connection before an exchange, and those that one app alone is
// connected to.
const (
	settled = "acc"
	newborn = "new"
	apart   = "own"
)

func newFiller(database string) (*filler, error) {
	driver, source, found := "pgx", database, false
	if source, found = strings.CutPrefix(database, "sqlite:"); found {
		driver, source = "sqlite", "file:"+source+"?_pragma=busy_timeout(20000)&_pragma=synchronous(OFF)&_pragma=cache_size(-400000)&_txlock=immediate"
	}
	db, err := sql.Open(driver, source)
	return &filler{db: db, postgres: !found, accounts: map[string]int{}}, err
}

func (f *filler) close() error { return f.db.Close() }

// chunk bounds what is made, sorted and written at a time.
const chunk = 200_000

// insert writes the rows of from until to.
func (f *filler) insert(table, columns string, from, to int, row func(i int) []any) error {
	if to-from > chunk {
		progress(fmt.Sprintf("filling %s up to %s", table, thousands(to)))
	}
	for ; from < to; from += chunk {
		if err := f.some(table, columns, from, min(to, from+chunk), row); err != nil {
			return fmt.Errorf("fill %s: %w", table, err)
		}
	}
	return nil
}

func (f *filler) some(table, columns string, from, to int, row func(i int) []any) error {
	names := strings.Split(columns, ", ")
	rows := make([][]any, 0, to-from)
	for i := from; i < to; i++ {
		rows = append(rows, row(i))
	}
	if _, hashed := rows[0][0].([]byte); hashed { // in the order of the index, which is as good as random
		slices.SortFunc(rows, func(a, b []any) int { return bytes.Compare(a[0].([]byte), b[0].([]byte)) })
	}
	ctx := context.Background()
	if f.postgres {
		conn, err := f.db.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		return conn.Raw(func(c any) error {
			_, err := c.(*stdlib.Conn).Conn().CopyFrom(ctx, pgx.Identifier{table}, names, pgx.CopyFromRows(rows))
			return err
		})
	}
	tx, err := f.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() // after Commit it does nothing
	s, err := tx.Prepare("INSERT INTO " + table + " (" + columns + ") VALUES (?" + strings.Repeat(", ?", len(names)-1) + ")")
	if err != nil {
		return err
	}
	for _, r := range rows {
		if _, err := s.Exec(r...); err != nil {
			return err
		}
	}
	return tx.Commit()
}

// settle does what time does: statistics are gathered, the log is taken in.
func (f *filler) settle() error {
	statements := []string{"PRAGMA wal_checkpoint(TRUNCATE)"}
	if f.postgres {
		statements = []string{"VACUUM ANALYZE", "CHECKPOINT"}
	}
	for _, s := range statements {
		if _, err := f.db.Exec(s); err != nil {
			return err
		}
	}
	return nil
}

// id is as long as Postern's own ids are.
func id(prefix string, i int) string { return fmt.Sprintf("%s_%022d", prefix, i) }

// secretText is the i-th secret of a kind, in the form that `standard` gives it:
// nobody need remember millions.
func secretText(kind string, i int) string {
	form := postern.Form{Alphabet: postern.Base62, Length: 43, Prefix: "poc_", Checksum: true}
	switch kind {
	case "access":
		form.Prefix = "poa_"
	case "refresh":
		form.Prefix = "por_"
	}
	seed := sha256.Sum256(fmt.Appendf(nil, "bench %s %d", kind, i))
	text, err := form.Mint(rand.NewChaCha8(seed))
	if err != nil { // its source never fails
		panic(err)
	}
	return string(text)
}

func hashOf(text string) []byte {
	sum := sha256.Sum256([]byte(text))
	return sum[:]
}

// ensureAccounts sees to it that there are so many of a kind, each with a member.
func (f *filler) ensureAccounts(kind string, n int) error {
	from := f.accounts[kind]
	if n <= from {
		return nil
	}
	numbers := map[string]int{settled: 1_000_000_000, newborn: 2_000_000_000, apart: 3_000_000_000}[kind] // far from those that Postern gives
	err := f.insert("accounts", "id, name, number, created_at", from, n, func(i int) []any {
		return []any{id(kind, i), fmt.Sprintf("Company %d", i), int64(numbers + i), int64(1)}
	})
	if err == nil {
		err = f.insert("users", "id, email, email_folded, number, nickname, created_at", from, n, func(i int) []any {
			email := fmt.Sprintf("%s%d@bench.test", kind, i)
			return []any{id(kind+"usr", i), email, email, int64(numbers + i), fmt.Sprint(kind, i), int64(1)}
		})
	}
	if err == nil {
		err = f.insert("memberships", "account_id, user_id, role, created_at", from, n, func(i int) []any {
			return []any{id(kind, i), id(kind+"usr", i), "admin", int64(1)}
		})
	}
	f.accounts[kind] = n
	return err
}

const codeColumns = "hash, dialect, app_id, account_id, user_id, level, redirect_uri, sent_uri, scopes, created_at, expires_at, live_until"

// codes are approvals that wait for their exchange, each so many of an account
// that has no connection yet.
func (f *filler) codes(w *wire, kind string, n, each int) error {
	first := f.accounts[newborn]
	if err := f.ensureAccounts(newborn, first+n/each+1); err != nil {
		return err
	}
	now := time.Now()
	ends := now.Add(9 * time.Minute).UnixMilli()
	return f.insert("codes", codeColumns, 0, n, func(i int) []any {
		who := first + i/each
		return []any{hashOf(secretText(kind, i)), w.name, w.app, id(newborn, who), id(newborn+"usr", who), w.level, callback, w.sendsURI, w.scopes,
			now.UnixMilli(), ends, ends}
	})
}

const (
	familiesEach = 5 // families of a connection
	day          = 24 * time.Hour
)

// ensureFamilies sees to it that there are so many: each a redeemed code with an
// access and a refresh token of the app.
func (f *filler) ensureFamilies(n int) error {
	if n <= f.families {
		return nil
	}
	from, w := f.families, &wires[0]
	if err := f.ensureAccounts(settled, n/familiesEach+1); err != nil {
		return err
	}
	now := time.Now()
	born := func(i int) int64 { return now.Add(-time.Duration(i%3600) * time.Second).UnixMilli() }
	old := func(i int) int64 { return now.Add(12*time.Hour + time.Duration(i%86_400)*time.Second).UnixMilli() }
	refreshed := func(i int) int64 { return now.Add(90*day + time.Duration(i%7_000_000)*time.Second).UnixMilli() }
	err := f.insert("connections", "id, number, app_id, account_id, scopes, created_at, created_by, sequence",
		(from+familiesEach-1)/familiesEach, (n+familiesEach-1)/familiesEach, func(i int) []any {
			return []any{id("con", i), int64(1_000_000_000 + i), w.app, id(settled, i), w.scopes, born(i), id(settled+"usr", i), int64(1)}
		})
	if err == nil {
		err = f.insert("codes", codeColumns+", spent_at, outcome, connection_id, last_used_at", from, n, func(i int) []any {
			who := i / familiesEach
			return []any{hashOf(secretText("family", i)), w.name, w.app, id(settled, who), id(settled+"usr", who), w.level, callback, w.sendsURI, w.scopes,
				born(i), born(i) + 300_000, refreshed(i), born(i) + 1000, "redeemed", id("con", who), born(i) + 1000}
		})
	}
	const tokenColumns = "hash, kind, family, app_id, dialect, scopes, issued_at, expires_at"
	for _, kind := range []string{"access", "refresh"} {
		ends := map[string]func(int) int64{"access": old, "refresh": refreshed}[kind]
		if err == nil {
			err = f.insert("tokens", tokenColumns, from, n, func(i int) []any {
				return []any{hashOf(secretText(kind, i)), kind, hashOf(secretText("family", i)), w.app, w.name, w.scopes, born(i), ends(i)}
			})
		}
	}
	f.families = n
	return err
}
