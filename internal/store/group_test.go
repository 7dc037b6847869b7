package store

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
)

var errAfterWriting = errors.New("it fails after it wrote")

// inOneGroup has the writer run all jobs in one transaction and gives what each
// was answered.
func inOneGroup(t *testing.T, db *DB, jobs []func(*tx) error) []error {
	t.Helper()
	started, release := make(chan struct{}), make(chan struct{})
	var all sync.WaitGroup
	var first sync.Once
	all.Go(func() {
		_ = db.write(context.Background(), func(*tx) error { // keeps the writer until all wait
			first.Do(func() { close(started); <-release })
			return nil
		})
	})
	<-started
	answers := make([]error, len(jobs))
	for i, job := range jobs {
		all.Go(func() { answers[i] = db.write(context.Background(), job) })
		for len(db.group.jobs) <= i {
			time.Sleep(time.Millisecond)
		}
	}
	close(release)
	all.Wait()
	return answers
}

func insertMark(name string, then error) func(*tx) error {
	return func(t *tx) error {
		_, err := t.exec(context.Background(), "INSERT INTO marks (id, number) VALUES ($1, 1)", name)
		return errors.Join(err, then)
	}
}

func newFile(t *testing.T) *DB {
	t.Helper()
	db, err := Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "p.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := db.writes.Exec("CREATE TABLE marks (id TEXT PRIMARY KEY, number BIGINT NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	return db
}

func (db *DB) marksKept(t *testing.T) (n int) {
	t.Helper()
	if err := (read{db}).row(context.Background(), "SELECT count(*) FROM marks").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOfManyCrowdedIntoOneCommitOnlyThoseThatFailAreUndone(t *testing.T) {
	refusal := postern.Errorf(postern.InvalidGrant, "No.")
	cases := map[string]func(*tx) error{
		"a failure after writing": insertMark("bad", errAfterWriting),
		"a refusal after writing": insertMark("bad", refusal),
		"a refusal before":        func(*tx) error { return refusal },
		"a statement's failure": func(t *tx) error {
			_, err := t.exec(context.Background(), "INSERT INTO marks (id) VALUES ($1)", "bad")
			return err
		},
		"a failure after rows given back": func(t *tx) error {
			var id string
			err := t.row(context.Background(), "INSERT INTO marks (id, number) VALUES ('bad', 1) RETURNING id").Scan(&id)
			return errors.Join(err, errAfterWriting)
		},
		"a panic": func(t *tx) error { _ = insertMark("bad", nil)(t); panic("a fault of ours") },
	}
	for name, bad := range cases {
		t.Run(name, func(t *testing.T) {
			db := newFile(t)
			var jobs []func(*tx) error
			for i := range 12 {
				if i%5 == 2 {
					jobs = append(jobs, bad)
				}
				jobs = append(jobs, insertMark(fmt.Sprint("good", i), nil))
			}
			failed := 0
			for _, err := range inOneGroup(t, db, jobs) {
				if err != nil {
					failed++
				}
			}
			if failed != 2 || db.marksKept(t) != 12 {
				t.Fatalf("%d failed, %d rows kept; want 2 and 12", failed, db.marksKept(t))
			}
			if err := db.write(context.Background(), insertMark("later", nil)); err != nil || db.marksKept(t) != 13 {
				t.Fatalf("afterwards: %v", err)
			}
		})
	}
}

func TestWhoLeavesBeforeTheirTurnWritesNothingAndDisturbsNobody(t *testing.T) {
	db := newFile(t)
	gone, leave := context.WithCancel(context.Background())
	leave()
	err := db.group.do(gone, insertMark("gone", nil))
	for range 50 { // it may have been refused at the door or at its turn
		err = db.group.do(gone, insertMark("gone", nil))
	}
	if !errors.Is(err, context.Canceled) || db.marksKept(t) != 0 {
		t.Fatalf("%v, %d rows", err, db.marksKept(t))
	}
	if err := db.write(context.Background(), insertMark("here", nil)); err != nil || db.marksKept(t) != 1 {
		t.Fatalf("%v, %d rows", err, db.marksKept(t))
	}
}

func TestWhatIsAnsweredWithAFailureWroteNothingWhenTheDiskWasFull(t *testing.T) {
	db := newFile(t)
	var pages int
	if err := db.group.conn.QueryRowContext(context.Background(), "PRAGMA page_count").Scan(&pages); err != nil {
		t.Fatal(err)
	}
	if _, err := db.group.conn.ExecContext(context.Background(), fmt.Sprint("PRAGMA max_page_count = ", pages+8)); err != nil {
		t.Fatal(err)
	}
	tooMuch := func(t *tx) error {
		_, err := t.exec(context.Background(), "INSERT INTO marks (id, number) VALUES ($1, 1)", strings.Repeat("x", 1<<20))
		return err
	}
	answers := inOneGroup(t, db, []func(*tx) error{insertMark("before", nil), tooMuch, insertMark("after", nil), insertMark("last", nil)})
	done := 0
	for _, err := range answers {
		switch {
		case err == nil:
			done++
		case !postern.Is(err, postern.Unavailable):
			t.Errorf("who shared the commit with it was told %v", err)
		}
	}
	if kept := db.marksKept(t); kept != done {
		t.Fatalf("%d were told that it is done, %d rows are kept", done, kept)
	}
	if err := db.write(context.Background(), insertMark("later", nil)); err != nil {
		t.Fatalf("afterwards: %v", err)
	}
}
