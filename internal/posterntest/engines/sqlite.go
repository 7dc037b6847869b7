package engines

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pressly/goose/v3"
	_ "modernc.org/sqlite" // database/sql driver "sqlite"

	"postern.dev/postern/internal/posterntest/pg"
)

// SQLite is the address of a file of the test's own, copied from one that was
// migrated once for this process.
func SQLite(t testing.TB) string {
	t.Helper()
	migrated, err := template()
	if err != nil {
		t.Fatalf("SQLite for tests: %v", err)
	}
	path := filepath.Join(t.TempDir(), "postern.db")
	if err := os.WriteFile(path, migrated, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// template is the contents of a migrated file.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "postern-template-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "postern.db")
	if err := migrate(path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

func migrate(path string) error {
	files, err := pg.Migrations()
	if err != nil {
		return err
	}
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=journal_mode(WAL)&_pragma=foreign_keys(1)")
	if err != nil {
		return err
	}
	p, err := goose.NewProvider(goose.DialectSQLite3, db, files)
	if err == nil {
		_, err = p.UpTo(context.Background(), pg.ByFiles)
	}
	if err == nil { // all of it into the one file
		_, err = db.Exec("PRAGMA wal_checkpoint(TRUNCATE)")
	}
	if err = errors.Join(err, db.Close()); err != nil {
		return fmt.Errorf("migrate %s: %w", path, err)
	}
	return nil
}
