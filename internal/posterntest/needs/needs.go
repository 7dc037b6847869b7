// Package needs says what happens to a test whose machine lacks something: on
// a developer's machine it is skipped with the remedy; where
// POSTERN_TEST_REQUIRE_ALL=1 is set, as `make test` does, it fails.
package needs

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Program gives the path of the first of these programs that is installed, or
// ends the test. The remedy is a command to type.
func Program(t testing.TB, remedy string, names ...string) string {
	t.Helper()
	for _, name := range names {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	Lacking(t, strings.Join(names, " or ")+" is not installed: "+remedy)
	return ""
}

// Lacking ends a test that cannot run here.
func Lacking(t testing.TB, why string) {
	t.Helper()
	if Everything() {
		t.Fatal(why)
	}
	t.Skip(why)
}

// Everything reports whether no test may be skipped.
func Everything() bool { return os.Getenv("POSTERN_TEST_REQUIRE_ALL") == "1" }
