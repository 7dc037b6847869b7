package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"postern.dev/postern/internal/oauth"
)

const (
	selectChanges = `SELECT seq, kind, key, at FROM changes WHERE seq > $1 ORDER BY seq LIMIT $2`
	selectCounter = `SELECT value FROM counters WHERE name = 'changes'`
	purgeChanges  = `
	DELETE FROM changes WHERE seq IN
	  (SELECT seq FROM changes WHERE at < $1 AND seq < (SELECT value FROM counters WHERE name = 'changes') ORDER BY seq LIMIT $2)`

	// channel is where PostgreSQL tells other nodes of a change, when its
	// transaction commits. It is for speed: certainty comes from polling.
	channel = "postern_changes"
)

// Changes implements oauth.Changes.
func (db *DB) Changes(ctx context.Context, after int64, limit int) ([]oauth.Change, error) {
	return collect(ctx, read{db}, func(row scanner) (c oauth.Change, err error) {
		var when int64
		err = row.Scan(&c.Seq, &c.Kind, &c.Key, &when)
		c.At = at(when)
		return c, err
	}, selectChanges, after, limit)
}

// LastChange implements oauth.Changes.
func (db *DB) LastChange(ctx context.Context) (seq int64, err error) {
	err = read{db}.row(ctx, selectCounter).Scan(&seq)
	return seq, db.trouble(err)
}

// Knocks tells of changes that other nodes made, as soon as PostgreSQL says so,
// until ctx ends. On SQLite nobody knocks. A broken connection is made anew;
// what was missed meanwhile is found by polling.
func (db *DB) Knocks(ctx context.Context) <-chan struct{} {
	if db.engine.oneNode {
		return nil
	}
	knocks := make(chan struct{}, 1)
	go func() {
		for ctx.Err() == nil {
			_ = db.listen(ctx, knocks)
			select {
			case <-ctx.Done():
			case <-time.After(time.Second):
			}
		}
	}()
	return knocks
}

func (db *DB) listen(ctx context.Context, knocks chan<- struct{}) error {
	conn, err := pgx.Connect(ctx, db.address)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return err
	}
	for {
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return err
		}
		select {
		case knocks <- struct{}{}:
		default: // a knock is waiting already
		}
	}
}
