package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver "pgx"
	"github.com/pressly/goose/v3"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// engine is everything that SQLite and PostgreSQL disagree about.
type engine struct {
	name    string
	goose   goose.Dialect
	oneNode bool   // the database is a file: one writer, who works in groups
	forRow  string // locks the rows that a SELECT finds, where several writers exist
	tables  string // lists the tables of the schema that we are in
	forApp  string // keeps an app (alias a) as it is to the end of the transaction
	// snapshot begins a transaction that reads one moment; SQLite's do by themselves.
	snapshot *sql.TxOptions
	watch    []string // count the registry's version on with every change of its rows
	// isAway tells trouble that may pass (the database is down, full or busy)
	// from a fault of ours.
	isAway func(error) bool
	// isRetry tells a conflict between transactions, which starting again solves.
	isRetry func(error) bool
	// isDuplicate tells a violated unique constraint.
	isDuplicate func(error) bool
	// isForeign tells that a text was asked for which no row can hold: PostgreSQL
	// stores neither NUL nor what is not UTF-8, and refuses to look for it.
	isForeign func(error) bool
}

var sqliteEngine = engine{
	name: "sqlite", goose: goose.DialectSQLite3, oneNode: true,
	tables: `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\_%' ESCAPE '\' ORDER BY name`,
	isAway: func(err error) bool {
		switch sqliteCode(err) & 0xff {
		case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR,
			sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_INTERRUPT:
			return true
		}
		return isPassing(err)
	},
	watch:     watchRegistrySQLite,
	isRetry:   func(error) bool { return false },
	isForeign: func(error) bool { return false },
	isDuplicate: func(err error) bool {
		code := sqliteCode(err)
		return code == sqlite3.SQLITE_CONSTRAINT_UNIQUE || code == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	},
}

var postgresEngine = engine{
	name: "postgres", goose: goose.DialectPostgres, forRow: " FOR UPDATE", forApp: " FOR SHARE OF a",
	snapshot: &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true},
	tables: `
	SELECT table_name FROM information_schema.tables
	WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name`,
	isAway: func(err error) bool {
		if e, ok := errors.AsType[*pgconn.PgError](err); ok {
			switch e.Code[:2] {
			case "08", "53", "57", "58", "25": // connection, resources, operator, system, read-only standby
				return true
			}
			return e.Code == "40001" || e.Code == "40P01" || e.Code == "55P03"
		}
		if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
			return true
		}
		return pgconn.Timeout(err) || isPassing(err)
	},
	watch: watchRegistryPostgres,
	isRetry: func(err error) bool {
		e, ok := errors.AsType[*pgconn.PgError](err)
		return ok && (e.Code == "40001" || e.Code == "40P01")
	},
	isDuplicate: func(err error) bool {
		e, ok := errors.AsType[*pgconn.PgError](err)
		return ok && e.Code == "23505"
	},
	isForeign: func(err error) bool {
		e, ok := errors.AsType[*pgconn.PgError](err)
		return ok && e.Code == "22021"
	},
}

func sqliteCode(err error) int {
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		return e.Code()
	}
	return 0
}

func isPassing(err error) bool {
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.EPIPE) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, errClosed) || errors.Is(err, pgconn.ErrConnClosed) || strings.Contains(err.Error(), "unexpected EOF")
}

// openSQLite opens the file twice: one connection that writes, and a pool that
// reads. WAL lets the readers go on while the writer commits.
func openSQLite(ctx context.Context, path string) (reads, writes *sql.DB, err error) {
	if dir := filepath.Dir(path); dir != "." {
		if err := os.MkdirAll(dir, 0o700); err != nil {
			return nil, nil, err
		}
	}
	// Made here so that nobody else can read it, whatever the umask says; the
	// WAL and its index take their mode from the database file.
	// One that is there is left shut: closing it would drop this process's locks.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, nil, err
	}
	dsn := "file:" + (&pathEscaper{path}).String() +
		"?_pragma=busy_timeout(5000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)" +
		"&_pragma=foreign_keys(OFF)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-16000)&_pragma=wal_autocheckpoint(4000)"
	if writes, err = sql.Open("sqlite", dsn+"&_txlock=immediate"); err != nil {
		return nil, nil, err
	}
	writes.SetMaxOpenConns(2) // the writer's own, and one to migrate with
	// The first connection switches to WAL, before any reader looks. SQLite does not
	// wait for another program that is at it.
	if err := inTurn(ctx, path, func() error { return writes.PingContext(ctx) }); err != nil {
		writes.Close()
		return nil, nil, err
	}
	if reads, err = sql.Open("sqlite", dsn+"&_pragma=query_only(1)"); err != nil {
		writes.Close()
		return nil, nil, err
	}
	n := max(4, runtime.GOMAXPROCS(0))
	reads.SetMaxOpenConns(n)
	reads.SetMaxIdleConns(n)
	return reads, writes, nil
}

// pathEscaper writes a file path as the path of a file: URI.
type pathEscaper struct{ path string }

func (p *pathEscaper) String() string {
	return strings.NewReplacer("%", "%25", "?", "%3f", "#", "%23").Replace(p.path)
}

func openPostgres(url string) (*sql.DB, error) {
	db, err := sql.Open("pgx", url)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	db.SetMaxOpenConns(20)
	db.SetMaxIdleConns(20)
	return db, nil
}
