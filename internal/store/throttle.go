package store

import (
	"context"
	"time"
)

const countFailure = `
	INSERT INTO throttles (name, failures, since, expires_at) VALUES ($1, 1, $2, $3)
	ON CONFLICT (name) DO UPDATE SET
	  failures   = CASE WHEN throttles.expires_at <= $2 THEN 1 ELSE throttles.failures + 1 END,
	  since      = CASE WHEN throttles.expires_at <= $2 THEN $2 ELSE throttles.since END,
	  expires_at = CASE WHEN throttles.expires_at <= $2 THEN $3 ELSE throttles.expires_at END
	RETURNING failures`

// CountFailure implements oauth.Store.
func (db *DB) CountFailure(ctx context.Context, name string, window time.Duration, now time.Time) (n int, err error) {
	err = db.write(ctx, func(t *tx) error {
		return t.row(ctx, countFailure, name, ms(now), ms(now.Add(window))).Scan(&n)
	})
	return n, err
}
