package store

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// SQLite waits for nobody who makes a file into a database with a log: without
// turns one of a few dozen such starts ends with SQLITE_BUSY.
func TestOP12_ManyWhoStartAtOnceOnANewFileTakeTurns(t *testing.T) {
	for round := range 15 {
		address := "sqlite:" + filepath.Join(t.TempDir(), fmt.Sprint(round), "p.db")
		var all sync.WaitGroup
		for range 10 {
			all.Go(func() {
				db, err := Open(t.Context(), address)
				if err != nil {
					t.Error(err)
					return
				}
				if err := db.Migrate(t.Context()); round == 0 && err != nil {
					t.Error(err)
				}
				if err := db.Close(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	}
}

func TestOP12_WhoComesDuringAStartIsToldSo(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.db")
	err := inTurn(t.Context(), path, func() error {
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := Open(ctx, "sqlite:"+path)
		return err
	})
	if err == nil || !strings.Contains(err.Error(), "another Postern is starting on it") {
		t.Errorf("said %v", err)
	}
	db, err := Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	db.Close()
}

func TestOP14_WhoServesAFileIsKnownUntilItEnds(t *testing.T) {
	path := filepath.Join(t.TempDir(), "p.db")
	db, err := Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	come := func(who string, want ...string) (leave func()) {
		t.Helper()
		for i, w := range want {
			want[i] = fmt.Sprint(os.Getpid(), " ", w)
		}
		others, leave, err := db.Attend(t.Context(), who)
		if err != nil || fmt.Sprint(others) != fmt.Sprint(want) {
			t.Errorf("%s finds %q, %v, want %q", who, others, err, want)
		}
		return leave
	}
	first := come("one")
	second := come("two", "one")
	first()
	third := come("three", "one", "two") // the process of "one" still runs
	second()
	third()
	come("four")()
	// A process that was killed leaves its line, and no lock.
	if err := os.WriteFile(path+".serve", []byte("1073741824 dead\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	five := come("five")
	defer five()
	defer come("six", "five")()
}
