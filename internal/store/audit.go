package store

import (
	"context"
	"crypto/rand"
	"time"

	"postern.dev/postern"
)

const (
	nextChange = `UPDATE counters SET value = value + 1 WHERE name = 'changes' RETURNING value`
	addChange  = `INSERT INTO changes (seq, kind, key, at) VALUES ($1, $2, $3, $4)`
	// changeAtOnce is both in one round trip, and a knock at the other nodes when
	// the transaction commits, for PostgreSQL.
	changeAtOnce = `
	WITH n AS (UPDATE counters SET value = value + 1 WHERE name = 'changes' RETURNING value),
	     i AS (INSERT INTO changes (seq, kind, key, at) SELECT value, $1, $2, $3 FROM n)
	SELECT pg_notify('` + channel + `', '') FROM n`
	addAudit = `INSERT INTO audit (id, at, actor, action, object, detail, address) VALUES ($1, $2, $3, $4, $5, $6, $7)`
)

// change says that something which memories of tokens rest on is no longer
// true. It numbers the change and so locks the counter until the transaction
// ends, which makes numbers appear in the order of commits: call it last.
func change(ctx context.Context, t *tx, kind, key string, now time.Time) error {
	if t.group == nil {
		_, err := t.exec(ctx, changeAtOnce, kind, key, ms(now))
		return err
	}
	var seq int64
	if err := t.row(ctx, nextChange).Scan(&seq); err != nil {
		return err
	}
	_, err := t.exec(ctx, addChange, seq, kind, key, ms(now))
	return err
}

// auditRow is a record of a security-relevant act. It holds no secret.
type auditRow struct {
	At      time.Time
	Actor   string // "user:ID", "app:ID", "operator", "postern", or "stranger": whoever sent a request
	Action  string // what was done, e.g. "password.changed"
	Object  string // to what, e.g. "user:ID"
	Detail  string // in words, where the action does not say all
	Address string // where the request came from
}

// audit writes the record in the transaction of the act, so that neither can
// exist without the other.
func audit(ctx context.Context, t *tx, a auditRow) error {
	id, err := postern.NewIDAt(rand.Reader, a.At, "aud_")
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, addAudit, id, ms(a.At), a.Actor, a.Action, a.Object, a.Detail, a.Address)
	return err
}

// Note implements oauth.Store.
func (db *DB) Note(ctx context.Context, actor, action, object string, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		return audit(ctx, t, auditRow{At: now, Actor: actor, Action: action, Object: object})
	})
}
