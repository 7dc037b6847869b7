package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"postern.dev/postern/internal/identity"
)

const (
	selectGuesses = `SELECT failures, expires_at FROM throttles WHERE name = $1 AND expires_at > $2`
	countGuess    = countFailure + `, expires_at`
	clearGuesses  = `DELETE FROM throttles WHERE name = $1`
)

// Guesses implements identity.Guesses.
func (db *DB) Guesses(ctx context.Context, bucket string, now time.Time) (c identity.Count, err error) {
	var ends int64
	err = read{db}.row(ctx, selectGuesses, bucket, ms(now)).Scan(&c.Guesses, &ends)
	if errors.Is(err, sql.ErrNoRows) {
		return identity.Count{}, nil
	}
	c.Ends = at(ends)
	return c, db.trouble(err)
}

// CountGuess implements identity.Guesses.
func (db *DB) CountGuess(ctx context.Context, g identity.Guess) (c identity.Count, err error) {
	err = db.write(ctx, func(t *tx) error {
		var ends int64
		row := t.row(ctx, countGuess, g.Bucket, ms(g.Now), ms(g.Now.Add(g.Window)))
		if err := row.Scan(&c.Guesses, &ends); err != nil {
			return err
		}
		c.Ends = at(ends)
		if c.Guesses != g.Limit+1 {
			return nil
		}
		return audit(ctx, t, guessRow(g, "sign_in.throttled"))
	})
	return c, err
}

// FailedGuess implements identity.Guesses.
func (db *DB) FailedGuess(ctx context.Context, g identity.Guess) error {
	return db.write(ctx, func(t *tx) error { return audit(ctx, t, guessRow(g, "sign_in.failed")) })
}

func guessRow(g identity.Guess, action string) auditRow {
	return auditRow{At: g.Now, Actor: "stranger", Action: action, Object: g.Object, Detail: g.Detail, Address: g.Address}
}
