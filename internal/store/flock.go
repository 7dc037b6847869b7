package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// What SQLite's own locks do not settle: of two programs that make one new file
// into a database one gets SQLITE_BUSY at once, and two that migrate do it
// twice. So they take turns, by the lock of a file beside the database. Who
// finds all done never waits there.

// errHeld: another has the lock.
var errHeld = errors.New("another Postern is starting on it and not done yet: try again in a moment")

// besides opens a file beside an SQLite database.
func besides(path, suffix string) (*os.File, error) {
	return os.OpenFile(path+suffix, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
}

// locked waits for the lock of a file. It is given back when the file is closed.
func locked(ctx context.Context, f *os.File, shared bool) error {
	const pause = 10 * time.Millisecond
	for {
		err := flock(f, shared)
		if !errors.Is(err, errHeld) {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w (%w)", err, ctx.Err())
		case <-time.After(pause):
		}
	}
}

// inTurn runs what only one program may do to an SQLite file at a time.
func inTurn(ctx context.Context, path string, run func() error) error {
	turns, err := besides(path, ".lock")
	if err != nil {
		return err
	}
	defer turns.Close()
	if err := locked(ctx, turns, false); err != nil {
		return err
	}
	return run()
}

// Attend marks an SQLite file as served by this process, which it calls by a
// line of text, and gives the lines of the processes that serve it already. It
// holds until leave is called or the process ends, however it ends. On
// PostgreSQL there may be any number, and nothing is told.
func (db *DB) Attend(ctx context.Context, who string) (others []string, leave func(), err error) {
	path, isFile := strings.CutPrefix(db.address, "sqlite:")
	if !isFile {
		return nil, func() {}, nil
	}
	f, err := besides(path, ".serve")
	if err != nil {
		return nil, nil, err
	}
	if others, err = attend(ctx, f, who); err != nil {
		return nil, nil, errors.Join(err, f.Close())
	}
	return others, func() { f.Close() }, nil
}

// attend is alone who can lock the file for itself; all who serve share the lock.
func attend(ctx context.Context, f *os.File, who string) (others []string, err error) {
	err = flock(f, false)
	if err == nil { // what stands there is of processes that are gone
		err = f.Truncate(0)
	} else if errors.Is(err, errHeld) {
		if err = locked(ctx, f, true); err == nil {
			others, err = present(f)
		}
	}
	if err == nil {
		_, err = fmt.Fprintf(f, "%d %s\n", os.Getpid(), who)
	}
	if err == nil {
		err = locked(ctx, f, true)
	}
	return others, err
}

// present are the lines of a file whose processes run.
func present(f *os.File) (lines []string, err error) {
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 64<<10))
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(text)) {
		var pid int
		if _, err := fmt.Sscan(line, &pid); err == nil && isAlive(pid) {
			lines = append(lines, strings.TrimSpace(line))
		}
	}
	return lines, nil
}
