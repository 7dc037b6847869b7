// Package engines runs a test on every engine that Postern stores its rows in.
package engines

import (
	"path/filepath"
	"testing"

	"postern.dev/postern/internal/posterntest/pg"
)

// Each runs a subtest per engine, with the address of a database of its own.
// The PostgreSQL one is migrated, the SQLite file does not exist yet: Migrate
// is right for both.
func Each(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, pg.URL(t)) })
}

// SQLite is the address of a file that is removed after the test.
func SQLite(t testing.TB) string {
	return "sqlite:" + filepath.Join(t.TempDir(), "postern.db")
}
