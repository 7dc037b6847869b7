package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

var errClosed = errors.New("the database is closed")

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

// commit runs the first job and whoever else is waiting in one transaction, a
// savepoint each: a failed job undoes itself and nobody else.
//
// Nothing here obeys a caller's context: a caller who leaves must not undo the
// work of the others.
func (g *group) commit(first *job) {
	t := &tx{sql: g.conn, group: g}
	if err := g.say(t, "BEGIN IMMEDIATE"); err != nil {
		first.result <- err
		return
	}
	ran := make([]*job, 0, 8)
	for next := first; next != nil; {
		next.err = g.runOne(t, next)
		ran = append(ran, next)
		if next = nil; len(ran) < groupSize { // a job once taken must be run
			next = g.waiting()
		}
	}
	err := g.say(t, "COMMIT")
	if err != nil {
		_ = g.say(t, "ROLLBACK") // fails where SQLite has rolled back already
	}
	for _, j := range ran {
		if j.err == nil {
			j.err = err
		}
		j.result <- j.err
	}
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

func (g *group) runOne(t *tx, j *job) (err error) {
	if err := j.ctx.Err(); err != nil {
		return err
	}
	if err := g.say(t, "SAVEPOINT job"); err != nil {
		return err
	}
	defer func() {
		// A panic in one job must not take the writer with it.
		if p := recover(); p != nil {
			err = fmt.Errorf("panic in a transaction: %v", p)
		}
		if err != nil {
			err = errors.Join(err, g.say(t, "ROLLBACK TO job"))
		}
		if release := g.say(t, "RELEASE job"); err == nil {
			err = release
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
