package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/webhook"
)

const (
	selectFeed = deliveryColumns + `d.app_id = $1 AND d.position > $2 ORDER BY d.position LIMIT $3` + deliveryTables + ` ORDER BY d.position`

	// Filters: what is empty or 0 asks for nothing.
	deliveryFilter = `
	d.app_id = $1 AND ($2 = '' OR d.event_id = $2) AND ($3 = '' OR d.state = $3)
	AND d.at >= $4 AND d.at <= $5 AND d.position < $6`
	listDeliveries = deliveryColumns + deliveryFilter + ` ORDER BY d.position DESC LIMIT $7` + deliveryTables + ` ORDER BY d.position DESC`
	overDeliveries = `SELECT d.position FROM deliveries d WHERE d.done_at > 0 AND ` + deliveryFilter + ` ORDER BY d.position LIMIT $7`
	oneDelivery    = deliveryColumns + `d.app_id = $1 AND d.event_id = $2` + deliveryTables
	listAttempts   = `
	SELECT number, at, took, status, error, reply FROM attempts
	WHERE app_id = $1 AND position = $2 ORDER BY number DESC LIMIT 100`

	ensureEndpoint = `INSERT INTO endpoints (app_id, last, wake_at) VALUES ($1, 0, 253402300799000) ON CONFLICT DO NOTHING`
	stirEndpoint   = `UPDATE endpoints SET news = news + 1, wake_at = 0, not_before = 0, gone_url = '' WHERE app_id = $1`
	// tryNow leaves what is behind an earlier one, or due.
	tryNow = `
	UPDATE deliveries SET due_at = 0 WHERE app_id = $1 AND position IN
	  (SELECT d.position FROM deliveries d WHERE d.done_at = 0 AND d.due_at > 0 AND d.due_at < 253402300799000 AND ` + deliveryFilter + `
	   ORDER BY d.position LIMIT $7)`
	// openAgain keeps the order of a lane: behind an earlier one that is open.
	openAgain = `
	UPDATE deliveries SET state = 'open', done_at = 0, tries = 0, why = '',
	  due_at = CASE WHEN $3 = 1 AND EXISTS (SELECT 1 FROM deliveries o WHERE o.app_id = $1 AND o.lane = deliveries.lane
	                                         AND o.done_at = 0 AND o.position < $2) THEN 253402300799000 ELSE 0 END
	WHERE app_id = $1 AND position = $2 AND done_at > 0`

	setSecret  = `UPDATE apps SET webhook_secret = $2 WHERE id = $1 AND webhook_secret IS NOT DISTINCT FROM $3`
	setOld     = `UPDATE endpoints SET old_secret = $2, old_until = $3 WHERE app_id = $1`
	setEd25519 = `UPDATE endpoints SET ed25519 = $2 WHERE app_id = $1`
	setOrdered = `UPDATE endpoints SET ordered = $2 WHERE app_id = $1`
	// letAllGo opens the lanes of an endpoint that keeps no order any more.
	letAllGo = `UPDATE deliveries SET due_at = 0 WHERE app_id = $1 AND done_at = 0 AND due_at = 253402300799000`

	purgeDeliveries = `
	DELETE FROM deliveries WHERE (app_id, position) IN
	  (SELECT app_id, position FROM deliveries WHERE done_at > 0 AND done_at < $1 LIMIT $2)`
	purgeAttempts = `
	DELETE FROM attempts WHERE (app_id, position, number) IN
	  (SELECT app_id, position, number FROM attempts WHERE at < $1 LIMIT $2)`
	purgeEvents = `
	DELETE FROM events WHERE id IN
	  (SELECT e.id FROM events e WHERE e.fanned = 1 AND e.at < $1
	     AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = e.id) LIMIT $2)`
	purgePublished = `
	DELETE FROM published WHERE id IN
	  (SELECT p.id FROM published p WHERE p.fanned = 1 AND p.at < $1
	     AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.event_id = p.id) LIMIT $2)`
)

// Feed implements webhook.Store.
func (db *DB) Feed(ctx context.Context, appID string, after int64, limit int) ([]*webhook.Delivery, error) {
	return collect(ctx, read{db}, scanDelivery, selectFeed, appID, after, limit)
}

func filterArgs(f *webhook.Filter) []any {
	before, till := f.Before, endMS(f.Till)
	if before == 0 {
		before = forever
	}
	return []any{f.AppID, f.EventID, string(f.State), ms(f.Since), till, before, f.Limit}
}

// Deliveries implements webhook.Store.
func (db *DB) Deliveries(ctx context.Context, f webhook.Filter) ([]*webhook.Delivery, error) {
	return collect(ctx, read{db}, scanDelivery, listDeliveries, filterArgs(&f)...)
}

// DeliveryOf implements webhook.Store.
func (db *DB) DeliveryOf(ctx context.Context, appID, eventID string) (*webhook.Delivery, []webhook.Attempt, error) {
	found, err := collect(ctx, read{db}, scanDelivery, oneDelivery, appID, eventID)
	if err != nil {
		return nil, nil, err
	}
	if len(found) == 0 {
		return nil, nil, notFound("delivery")
	}
	attempts, err := collect(ctx, read{db}, func(row scanner) (a webhook.Attempt, err error) {
		var began, took int64
		err = row.Scan(&a.Number, &began, &took, &a.Status, &a.Error, &a.Reply)
		a.At, a.Took = at(began), time.Duration(took)*time.Millisecond
		return a, err
	}, listAttempts, appID, found[0].Position)
	return found[0], attempts, err
}

// Replay implements webhook.Store.
func (db *DB) Replay(ctx context.Context, f webhook.Filter, actor string, now time.Time) (n int, err error) {
	err = db.write(ctx, func(t *tx) error {
		n = 0
		var ordered bool
		err := t.row(ctx, lockEndpoint+db.engine.forRow, f.AppID).Scan(&ordered)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // nothing was ever delivered
		}
		if err != nil {
			return err
		}
		if f.EventID != "" || f.State == webhook.Open {
			hurried, err := t.exec(ctx, tryNow, filterArgs(&f)...)
			if err != nil {
				return err
			}
			n = int(hurried)
		}
		positions, err := column[int64](ctx, t, overDeliveries, filterArgs(&f)...)
		if err != nil || len(positions)+n == 0 {
			return err
		}
		inOrder := 0
		if ordered {
			inOrder = 1
		}
		for _, position := range positions {
			opened, err := t.exec(ctx, openAgain, f.AppID, position, inOrder)
			if err != nil {
				return err
			}
			n += int(opened)
		}
		if _, err := t.exec(ctx, stirEndpoint, f.AppID); err != nil {
			return err
		}
		return audit(ctx, t, auditRow{At: now, Actor: actor, Action: "webhook.replayed", Object: "app:" + f.AppID, Detail: f.EventID})
	})
	return n, err
}

// SetKeys implements webhook.Store.
func (db *DB) SetKeys(ctx context.Context, appID string, k webhook.Keys, actor string, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, ensureEndpoint, appID); err != nil {
			return err
		}
		action := "webhook.key_changed"
		if k.Secret != nil {
			action = "webhook.secret_rotated"
			n, err := t.exec(ctx, setSecret, appID, k.Secret, k.Was)
			if err != nil {
				return err
			}
			if n == 0 {
				return postern.Errorf(postern.Conflict, "Another key was made meanwhile.")
			}
			if _, err := t.exec(ctx, setOld, appID, k.OldSecret, ms(k.OldUntil)); err != nil {
				return err
			}
		}
		if k.Ed25519 != nil {
			if _, err := t.exec(ctx, setEd25519, appID, k.Ed25519); err != nil {
				return err
			}
		}
		if err := stir(ctx, t, appID); err != nil {
			return err
		}
		return audit(ctx, t, auditRow{At: now, Actor: actor, Action: action, Object: "app:" + appID})
	})
}

// stir makes the endpoint's holder look at its row again.
func stir(ctx context.Context, t *tx, appID string) error {
	_, err := t.exec(ctx, `UPDATE endpoints SET news = news + 1, wake_at = 0 WHERE app_id = $1`, appID)
	return err
}

// SetOrdered implements webhook.Store.
func (db *DB) SetOrdered(ctx context.Context, appID string, ordered bool, actor string, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, ensureEndpoint, appID); err != nil {
			return err
		}
		if _, err := t.exec(ctx, setOrdered, appID, ordered); err != nil {
			return err
		}
		detail := "in order"
		if !ordered {
			detail = "in any order"
			if _, err := t.exec(ctx, letAllGo, appID); err != nil {
				return err
			}
		}
		if err := stir(ctx, t, appID); err != nil {
			return err
		}
		return audit(ctx, t, auditRow{At: now, Actor: actor, Action: "webhook.order_changed", Object: "app:" + appID, Detail: detail})
	})
}

// SweepWebhooks implements webhook.Store.
func (db *DB) SweepWebhooks(ctx context.Context, before time.Time, limit int) (most int, err error) {
	for _, query := range []string{purgeDeliveries, purgeAttempts, purgeEvents, purgePublished} {
		err := db.write(ctx, func(t *tx) error {
			n, err := t.exec(ctx, query, ms(before), limit)
			most = max(most, int(n))
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return most, nil
}
