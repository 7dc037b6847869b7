package store

import (
	"context"
	"time"

	"postern.dev/postern"
)

// Rows leave in small batches, by an index, beside the traffic.
const (
	deadConnections = `
	SELECT DISTINCT c.connection_id FROM codes c JOIN connections co ON co.id = c.connection_id
	WHERE c.live_until < $1 AND c.ended_at = 0 AND co.ended_at = 0 LIMIT $2`
	endAged = `UPDATE codes SET ended_at = $2, end_reason = 'expired' WHERE connection_id = $1 AND ended_at = 0 AND live_until < $2`

	purgeTickets    = `DELETE FROM tickets WHERE hash IN (SELECT hash FROM tickets WHERE expires_at < $1 LIMIT $2)`
	purgeAssertions = `
	DELETE FROM assertions WHERE id IN (SELECT id FROM assertions WHERE expires_at < $1 LIMIT $2)`
	purgeTokens = `
	DELETE FROM tokens WHERE hash IN
	  (SELECT hash FROM tokens WHERE expires_at < $1 AND expires_at < 253402300799000 LIMIT $2)`
	// A family that never ages is gone when it was ended; its tokens go with it.
	purgeEndless = `
	DELETE FROM tokens WHERE expires_at = 253402300799000 AND family IN
	  (SELECT hash FROM codes WHERE ended_at > 0 AND ended_at < $1 AND live_until = 253402300799000 LIMIT $2)`
	purgeEndlessCodes = `
	DELETE FROM codes WHERE hash IN
	  (SELECT hash FROM codes WHERE ended_at > 0 AND ended_at < $1 AND live_until = 253402300799000 LIMIT $2)`
	purgeCodes = `
	DELETE FROM codes WHERE hash IN
	  (SELECT c.hash FROM codes c WHERE c.live_until < $1
	     AND (c.connection_id IS NULL OR c.ended_at > 0) LIMIT $2)`
	// Of sign-ins as people whom there are not, strangers write as many as they like.
	purgeStrange = `DELETE FROM audit WHERE id IN (SELECT id FROM audit WHERE object = 'nobody' AND at < $1 LIMIT $2)`
)

// keptStrange is how long the audit log has who failed to sign in as nobody.
const keptStrange = 7 * 24 * time.Hour

// sweepSlack is how long a connection outlives its last token before it is
// ended as expired: a refresh begun in the token's last moment has long
// committed or failed by then.
const sweepSlack = time.Minute

// Sweep implements oauth.Store.
func (db *DB) Sweep(ctx context.Context, now time.Time, limit int) (int, error) {
	most, err := db.endAgedConnections(ctx, now, limit)
	if err != nil {
		return 0, err
	}
	kept := ms(now.Add(-keptSpent))
	for _, step := range []struct {
		queries []string
		before  int64
	}{
		{[]string{purgeTickets}, ms(now)},
		{[]string{purgeAssertions}, ms(now)},
		{[]string{purgeTokens}, kept},
		{[]string{purgeEndless, purgeEndlessCodes}, kept},
		{[]string{purgeCodes}, kept},
		{[]string{purgeChanges}, kept},
		{[]string{purgeStrange}, ms(now.Add(-keptStrange))},
	} {
		err := db.write(ctx, func(t *tx) error {
			for _, q := range step.queries {
				n, err := t.exec(ctx, q, step.before, limit)
				if err != nil {
					return err
				}
				most = max(most, int(n))
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return most, nil
}

// endAgedConnections ends, one transaction each, the connections that have no
// live family left.
func (db *DB) endAgedConnections(ctx context.Context, now time.Time, limit int) (int, error) {
	aged, err := column[string](ctx, read{db}, deadConnections, ms(now.Add(-sweepSlack)), limit)
	if err != nil {
		return 0, err
	}
	for _, id := range aged {
		err := db.write(ctx, func(t *tx) error {
			if _, err := t.exec(ctx, endAged, id, ms(now)); err != nil {
				return err
			}
			last, err := isLastFamily(ctx, t, db.engine, id, now)
			if err != nil || !last {
				return err
			}
			_, err = endConnection(ctx, t, id, postern.Expired, "postern", now)
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return len(aged), nil
}
