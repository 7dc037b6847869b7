// Package store keeps the rows. It declares nothing of its own to do: each rule
// says which verbs it needs (oauth.Store, identity.Store …), and *DB has them
// all. A verb is one transaction; its promise stands at the interface.
//
// The SQL is one set for SQLite and PostgreSQL. What the two disagree about is
// in engine.go.
package store

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"sync"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"postern.dev/postern"
)

//go:embed migrations/*.sql
var migrations embed.FS

// DB is a database with Postern's schema. Its methods may be called at once
// from any number of goroutines, and from any number of processes.
type DB struct {
	address string
	engine  engine
	reads   *sql.DB
	writes  *sql.DB // the same pool as reads on PostgreSQL
	group   *group  // SQLite only
	stmts   sync.Map
	known   appMemory
}

// Open opens a database: "sqlite:PATH" or "postgres://…". It does not migrate.
func Open(ctx context.Context, address string) (*DB, error) {
	switch {
	case strings.HasPrefix(address, "sqlite:"):
		reads, writes, err := openSQLite(ctx, strings.TrimPrefix(address, "sqlite:"))
		if err != nil {
			return nil, fmt.Errorf("open %s: %w", address, err)
		}
		db := &DB{address: address, engine: sqliteEngine, reads: reads, writes: writes}
		if db.group, err = newGroup(ctx, writes); err != nil {
			return nil, errors.Join(fmt.Errorf("open %s: %w", address, err), reads.Close(), writes.Close())
		}
		return db, nil
	case strings.HasPrefix(address, "postgres://"), strings.HasPrefix(address, "postgresql://"):
		pool, err := openPostgres(address)
		if err != nil {
			return nil, err
		}
		return &DB{address: address, engine: postgresEngine, reads: pool, writes: pool}, nil
	}
	return nil, errors.New(`database: write "sqlite:PATH" or "postgres://USER@HOST/NAME"`)
}

// Close waits for the writes under way and closes the database.
func (db *DB) Close() error {
	if db.group != nil {
		db.group.close()
	}
	db.stmts.Range(func(_, s any) bool { s.(*sql.Stmt).Close(); return true })
	err := db.reads.Close()
	if db.writes != db.reads {
		err = errors.Join(err, db.writes.Close())
	}
	return err
}

// Engine is "sqlite" or "postgres".
func (db *DB) Engine() string { return db.engine.name }

// Ping reports whether the database answers.
func (db *DB) Ping(ctx context.Context) error {
	var one int
	return db.trouble(db.reads.QueryRowContext(ctx, "SELECT 1").Scan(&one))
}

// ErrNewerSchema is what Migrate says of a database that a newer Postern made.
var ErrNewerSchema = errors.New("the database has a newer schema than this Postern knows: start the newer Postern")

// Migrate brings the schema up to date: one node at a time, others wait. A
// migration that was interrupted is completed by calling again.
func (db *DB) Migrate(ctx context.Context) error {
	p, err := db.provider()
	if err != nil {
		return err
	}
	have, want, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if have > want {
		return ErrNewerSchema
	}
	if have == want {
		return nil // no lock needed, so a start is fast
	}
	path, isFile := strings.CutPrefix(db.address, "sqlite:")
	if !isFile { // PostgreSQL's nodes take turns by a lock of the database
		_, err = p.Up(ctx)
		return err
	}
	return inTurn(ctx, path, func() error {
		_, err := p.Up(ctx) // looks again how far it has come
		return err
	})
}

func (db *DB) provider() (*goose.Provider, error) {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithVerbose(false), goose.WithGoMigrations(db.engine.watchRegistry())}
	if !db.engine.oneNode {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(db.engine.goose, db.writes, dir, options...)
}

// querier is what reads: a transaction, or the reading pool.
type querier interface {
	row(ctx context.Context, query string, args ...any) *sql.Row
	rows(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	// trouble classifies what a driver said. A transaction leaves it to its end.
	trouble(err error) error
}

// read runs statements outside a transaction: each sees what was committed
// before it began.
type read struct{ db *DB }

func (r read) trouble(err error) error { return r.db.trouble(err) }

func (r read) row(ctx context.Context, query string, args ...any) *sql.Row {
	if s := r.db.prepared(ctx, query); s != nil {
		return s.QueryRowContext(context.WithoutCancel(ctx), args...)
	}
	return r.db.reads.QueryRowContext(ctx, query, args...)
}

func (r read) rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if s := r.db.prepared(ctx, query); s != nil {
		return s.QueryContext(context.WithoutCancel(ctx), args...)
	}
	return r.db.reads.QueryContext(ctx, query, args...)
}

// prepared keeps SQLite statements compiled; pgx does so by itself. Queries are
// constants, so there are only so many.
func (db *DB) prepared(ctx context.Context, query string) *sql.Stmt {
	if !db.engine.oneNode {
		return nil
	}
	if s, ok := db.stmts.Load(query); ok {
		return s.(*sql.Stmt)
	}
	s, err := db.reads.PrepareContext(context.WithoutCancel(ctx), query)
	if err != nil {
		return nil // the query itself will tell
	}
	if old, loaded := db.stmts.LoadOrStore(query, s); loaded {
		s.Close()
		return old.(*sql.Stmt)
	}
	return s
}

// tx is a writing transaction.
type tx struct {
	sql interface {
		ExecContext(context.Context, string, ...any) (sql.Result, error)
		QueryContext(context.Context, string, ...any) (*sql.Rows, error)
		QueryRowContext(context.Context, string, ...any) *sql.Row
	}
	group *group // SQLite: the writer whose connection this is
	wrote bool   // SQLite: something may have been written
}

func (t *tx) trouble(err error) error { return err }

func (t *tx) exec(ctx context.Context, query string, args ...any) (int64, error) {
	var res sql.Result
	var err error
	if t.group != nil {
		var s *sql.Stmt
		if s, err = t.group.prepared(query); err != nil {
			return 0, err
		}
		res, err = s.ExecContext(context.Background(), args...)
	} else {
		res, err = t.sql.ExecContext(ctx, query, args...)
	}
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	t.wrote = t.wrote || n > 0
	return n, err
}

func (t *tx) row(ctx context.Context, query string, args ...any) *sql.Row {
	if t.group == nil {
		return t.sql.QueryRowContext(ctx, query, args...)
	}
	t.wrote = t.wrote || !isSelect(query)
	if s, err := t.group.prepared(query); err == nil {
		return s.QueryRowContext(context.Background(), args...)
	}
	return t.sql.QueryRowContext(context.Background(), query, args...) // fails, and says why
}

func (t *tx) rows(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	if t.group == nil {
		return t.sql.QueryContext(ctx, query, args...)
	}
	t.wrote = t.wrote || !isSelect(query)
	s, err := t.group.prepared(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(context.Background(), args...)
}

// isSelect tells what only reads from what gives rows that it wrote.
func isSelect(query string) bool {
	return strings.HasPrefix(strings.TrimLeft(query, "\t\n "), "SELECT")
}

// write runs f in one transaction: all of it happens, or nothing. f may run
// again when transactions collide, so it must not keep anything of a failed run.
func (db *DB) write(ctx context.Context, f func(t *tx) error) error {
	if db.group != nil {
		return db.trouble(db.group.do(ctx, f))
	}
	for try := 0; ; try++ {
		err := db.writeOnce(ctx, f)
		if err == nil || try == 3 || !db.engine.isRetry(err) {
			return db.trouble(err)
		}
	}
}

func (db *DB) writeOnce(ctx context.Context, f func(t *tx) error) error {
	sqlTx, err := db.writes.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := f(&tx{sql: sqlTx}); err != nil {
		_ = sqlTx.Rollback() // the first error is the one to tell
		return err
	}
	return sqlTx.Commit()
}

// changed runs one statement and reports whether it changed a row.
func (db *DB) changed(ctx context.Context, query string, args ...any) (yes bool, err error) {
	err = db.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, query, args...)
		yes = n > 0
		return err
	})
	return yes && err == nil, err
}

// trouble classifies what a driver said: our own errors stay, trouble that may
// pass is Unavailable (503, never a guess), the rest a fault of ours.
func (db *DB) trouble(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*postern.Error](err); ok {
		return err
	}
	if db.engine.isAway(err) {
		return postern.Wrap(postern.Unavailable, err)
	}
	return postern.Wrap(postern.ServerError, err)
}

// forever is the end of what never ends: the year 9999.
const forever = 253402300799000

// ms is a time as the rows keep it; the zero time is 0, "not yet".
func ms(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

// endMS is a time that something ends at; the zero time is forever.
func endMS(t time.Time) int64 {
	if t.IsZero() {
		return forever
	}
	return t.UnixMilli()
}

// at reads either back.
func at(ms int64) time.Time {
	if ms == 0 || ms >= forever {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}

func join(list []string) string { return strings.Join(list, " ") }

func split(text string) []string { return strings.Fields(text) }
