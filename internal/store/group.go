package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"postern.dev/postern"
)

// group is SQLite's one writer. Callers that arrive while a commit is under way
// share the next one, so that a disk flush serves many; a lone caller waits for
// nobody. Each is answered only after its commit is on disk.
type group struct {
	conn  *sql.Conn
	jobs  chan *job
	quit  chan struct{}
	done  chan struct{}
	stmts map[string]*sql.Stmt
}

type job struct {
	ctx    context.Context
	run    func(*tx) error
	result chan error
	err    error
}

var (
	errClosed = errors.New("the database is closed")
	errLeft   = fmt.Errorf("its caller has left: %w", context.Canceled)
)

// groupSize bounds how many callers one commit serves, and so how long the
// first of them waits for the others' statements.
const groupSize = 64

func newGroup(ctx context.Context, writes *sql.DB) (*group, error) {
	conn, err := writes.Conn(ctx)
	if err != nil {
		return nil, err
	}
	g := &group{
		conn: conn, jobs: make(chan *job, 4*groupSize),
		quit: make(chan struct{}), done: make(chan struct{}),
		stmts: map[string]*sql.Stmt{},
	}
	go g.loop()
	return g, nil
}

// do has f run by the writer and waits until it is on disk. When ctx ends
// first, the outcome is unknown to the caller and is never told as success.
func (g *group) do(ctx context.Context, f func(*tx) error) error {
	j := &job{ctx: ctx, run: f, result: make(chan error, 1)}
	select {
	case g.jobs <- j:
	case <-ctx.Done():
		return ctx.Err()
	case <-g.quit:
		return errClosed
	}
	select {
	case err := <-j.result:
		return err
	case <-g.done:
		return errClosed
	}
}

func (g *group) close() {
	close(g.quit)
	<-g.done
	for _, s := range g.stmts {
		s.Close()
	}
	g.conn.Close()
}

func (g *group) loop() {
	defer close(g.done)
	for {
		select {
		case j := <-g.jobs:
			g.commit(j)
		case <-g.quit:
			for { // what was accepted is finished
				select {
				case j := <-g.jobs:
					g.commit(j)
				default:
					return
				}
			}
		}
	}
}

// commit runs the first job and whoever else is waiting in one transaction.
//
// A job that fails must undo itself and nobody else. Most never fail, so they run
// without savepoints, which cost each of them two statements and a copy of every
// page that it writes; when one fails after it wrote, all of them run again, each
// in a savepoint of its own. (A job may run again; see DB.write.)
//
// Nothing here obeys a caller's context: a caller who leaves must not undo the
// work of the others.
func (g *group) commit(first *job) {
	ran, spoiled, err := g.together(first)
	if spoiled {
		err = g.apart(ran)
	}
	for _, j := range ran {
		if j.err == nil {
			j.err = err
		}
		j.result <- j.err
	}
}

// together runs the jobs as they come, up to one that fails half done; then
// nothing is kept.
func (g *group) together(first *job) (ran []*job, spoiled bool, err error) {
	t := &tx{sql: g.conn, group: g}
	if err := g.say(t, "BEGIN IMMEDIATE"); err != nil {
		return []*job{first}, false, err
	}
	for next := first; next != nil; {
		t.wrote = false
		next.err = g.run(t, next)
		ran = append(ran, next)
		if next.err != nil && (t.wrote || !isRefusal(next)) {
			_ = g.say(t, "ROLLBACK") // fails where SQLite has rolled back already
			return ran, true, nil
		}
		if next = nil; len(ran) < groupSize { // a job once taken must be run
			next = g.waiting()
		}
	}
	return ran, false, g.end(t)
}

// isRefusal tells a job's own no from trouble of the database, after which its
// transaction may be no more.
func isRefusal(j *job) bool {
	if j.err == errLeft {
		return true
	}
	_, ours := errors.AsType[*postern.Error](j.err)
	return ours && !postern.Is(j.err, postern.ServerError) && !postern.Is(j.err, postern.Unavailable)
}

// apart runs the jobs once more: what fails undoes itself. Where it cannot, SQLite
// has undone everything (a full disk), and nobody is told that it is done.
func (g *group) apart(jobs []*job) error {
	t := &tx{sql: g.conn, group: g}
	if err := g.say(t, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	for _, j := range jobs {
		var others bool
		if others, j.err = g.inSavepoint(t, j); !others {
			_ = g.say(t, "ROLLBACK") // fails where SQLite has rolled back already
			return j.err
		}
	}
	return g.end(t)
}

// end commits; what cannot be is undone.
func (g *group) end(t *tx) error {
	err := g.say(t, "COMMIT")
	if err != nil {
		_ = g.say(t, "ROLLBACK") // fails where SQLite has rolled back already
	}
	return err
}

func (g *group) say(t *tx, statement string) error {
	_, err := t.exec(context.Background(), statement)
	return err
}

func (g *group) waiting() *job {
	select {
	case j := <-g.jobs:
		return j
	default:
		return nil
	}
}

// inSavepoint tells whether all but this job's work stands.
func (g *group) inSavepoint(t *tx, j *job) (others bool, err error) {
	if err := g.say(t, "SAVEPOINT job"); err != nil {
		return false, err
	}
	if err = g.run(t, j); err != nil && g.say(t, "ROLLBACK TO job") != nil {
		return false, err
	}
	if release := g.say(t, "RELEASE job"); err == nil {
		err = release
	}
	return true, err
}

// run keeps a panic in one job from taking the writer with it.
func (g *group) run(t *tx, j *job) (err error) {
	if j.ctx.Err() != nil {
		return errLeft
	}
	defer func() {
		if p := recover(); p != nil {
			t.wrote = true // who knows
			err = fmt.Errorf("panic in a transaction: %v", p)
		}
	}()
	return j.run(t)
}

// prepared compiles a statement once on the writing connection.
func (g *group) prepared(query string) (*sql.Stmt, error) {
	if s, ok := g.stmts[query]; ok {
		return s, nil
	}
	s, err := g.conn.PrepareContext(context.Background(), query)
	if err == nil {
		g.stmts[query] = s
	}
	return s, err
}
