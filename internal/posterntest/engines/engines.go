// Package engines runs a test on every engine that Postern stores its rows in.
package engines

import (
	"testing"

	"postern.dev/postern/internal/posterntest/pg"
)

// Each runs a subtest per engine, with the address of a database of its own,
// which is migrated.
func Each(t *testing.T, test func(t *testing.T, database string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, pg.URL(t)) })
}
