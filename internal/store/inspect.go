package store

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"time"

	sqlite3 "modernc.org/sqlite/lib"
)

// versionTable is where goose keeps the schema's version; a database of ours has
// it from the first migration on.
const versionTable = "goose_db_version"

// ownTable is one that only Postern makes: other programs use goose too.
const ownTable = "installation"

const selectVersion = `SELECT COALESCE(MAX(version_id), 0) FROM goose_db_version`

// Condition is what a database holds, found out without writing to it.
type Condition struct {
	Tables  []string // all, by name
	Have    int64    // the schema's version; 0: none
	Want    int64    // the version that this Postern knows
	Foreign bool     // it belongs to another program
}

// Inspect looks at what a database holds.
func (db *DB) Inspect(ctx context.Context) (c Condition, err error) {
	if c.Want, err = newest(); err != nil {
		return c, err
	}
	if c.Tables, err = column[string](ctx, read{db}, db.engine.tables); err != nil {
		return c, err
	}
	if !slices.Contains(c.Tables, versionTable) {
		c.Foreign = len(c.Tables) > 0
		return c, nil
	}
	if err = db.reads.QueryRowContext(ctx, selectVersion).Scan(&c.Have); err != nil {
		return c, db.trouble(err)
	}
	c.Foreign = c.Have > 0 && !slices.Contains(c.Tables, ownTable)
	return c, nil
}

// Peek inspects an SQLite file as it lies there: Open would turn it into one of
// ours, with a log beside it.
func Peek(ctx context.Context, path string) (c Condition, err error) {
	file, err := sql.Open("sqlite", "file:"+(&pathEscaper{path}).String()+"?mode=rw&_pragma=query_only(1)&_pragma=busy_timeout(5000)")
	if err != nil {
		return c, err
	}
	db := &DB{engine: sqliteEngine, reads: file, writes: file}
	c, err = db.Inspect(ctx)
	return c, errors.Join(err, db.Close())
}

// newest is the version of the last migration that this program holds.
func newest() (version int64, err error) {
	files, err := fs.Glob(migrations, "migrations/*.sql")
	if err != nil {
		return 0, err
	}
	for _, file := range files {
		number, _, _ := strings.Cut(strings.TrimPrefix(file, "migrations/"), "_")
		v, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			return 0, err
		}
		version = max(version, v)
	}
	return max(version, versionOfWatch), nil
}

// Intact reports whether an SQLite file is as SQLite wrote it; PostgreSQL sees to
// that by itself.
func (db *DB) Intact(ctx context.Context) (finding string, err error) {
	if !db.engine.oneNode {
		return "", nil
	}
	if err := db.reads.QueryRowContext(ctx, "PRAGMA quick_check(1)").Scan(&finding); err != nil {
		return "", db.trouble(err)
	}
	if finding == "ok" {
		return "", nil
	}
	return finding, nil
}

// Clock is what the database's clock says – zero for SQLite, which has none of
// its own – and when the newest record was written; zero: never.
func (db *DB) Clock(ctx context.Context) (now, latest time.Time, err error) {
	var newestMS int64
	if err = db.reads.QueryRowContext(ctx, `SELECT COALESCE(MAX(at), 0) FROM audit`).Scan(&newestMS); err != nil {
		return now, latest, db.trouble(err)
	}
	if !db.engine.oneNode {
		err = db.trouble(db.reads.QueryRowContext(ctx, `SELECT now()`).Scan(&now))
	}
	return now, at(newestMS), err
}

// IsDamaged reports whether an error says that the file is no SQLite database or
// a broken one.
func IsDamaged(err error) bool {
	switch sqliteCode(err) & 0xff {
	case sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return true
	}
	return false
}
