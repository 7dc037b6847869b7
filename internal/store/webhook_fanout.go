package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"maps"
	"slices"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/webhook"
)

const (
	anythingNew = `
	SELECT CASE WHEN EXISTS (SELECT 1 FROM events WHERE fanned = 0)
	              OR EXISTS (SELECT 1 FROM published WHERE fanned = 0) THEN 1 ELSE 0 END`
	fanOutLock = `SELECT value FROM counters WHERE name = 'fan_out'`

	// newEvents leaves an event for later while the one before it in its
	// connection has no delivery yet: the clocks of nodes may order them wrongly.
	// The one before is asked for by its key alone; as NOT EXISTS with fanned = 0,
	// PostgreSQL looked for it among all that are new.
	newEvents = `
	SELECT e.id, e.app_id, e.connection_id, e.at FROM events e
	WHERE e.fanned = 0 AND COALESCE(
	  (SELECT b.fanned FROM events b WHERE b.connection_id = e.connection_id AND b.sequence = e.sequence - 1), 1) = 1
	ORDER BY e.at LIMIT $1`
	newPublished = `
	SELECT id, app_id, account_id, user_id, scope, at FROM published
	WHERE fanned = 0 ORDER BY number LIMIT $1`
	markEvents    = `UPDATE events SET fanned = 1 WHERE id IN ` + keys
	markPublished = `UPDATE published SET fanned = 1 WHERE id IN ` + keys

	// hearers are the live connections of an account, oldest first.
	hearers = `
	SELECT app_id, id, user_id, scopes FROM connections
	WHERE account_id = $1 AND ended_at = 0 ORDER BY created_at, id`

	// openPositions counts an endpoint's position on, and wakes its holder-to-be
	// where there is somewhere to send to.
	openPositions = `
	INSERT INTO endpoints (app_id, last, news, wake_at)
	VALUES ($1, $2, 1, CASE WHEN EXISTS (SELECT 1 FROM apps WHERE id = $1 AND webhook_url <> '') THEN 0 ELSE 253402300799000 END)
	ON CONFLICT (app_id) DO UPDATE SET last = endpoints.last + $2, news = endpoints.news + 1,
	  wake_at = CASE WHEN excluded.wake_at = 0 THEN endpoints.not_before ELSE endpoints.wake_at END
	RETURNING last, ordered, gone_url, COALESCE((SELECT webhook_url FROM apps WHERE id = $1), '')`
)

// addDeliveries adds some deliveries of one app. The last value of each says
// whether it keeps its lane's order: 0 no; 1 behind what is open in the rows;
// 2 behind one that is added with it.
var addDeliveries = `
	INSERT INTO deliveries (app_id, position, event_id, lane, at, state, done_at, why, due_at)
	SELECT $1, v.column1, v.column2, v.column3, v.column4, $2, CAST($3 AS BIGINT), $4,
	  CASE WHEN v.column5 = 2 OR v.column5 = 1 AND EXISTS
	    (SELECT 1 FROM deliveries o WHERE o.app_id = $1 AND o.lane = v.column3 AND o.done_at = 0) THEN 253402300799000 ELSE 0 END
	FROM (VALUES` + groupOf(recordedAtOnce, 4, `
	  (CAST($%d AS BIGINT), CAST($%d AS TEXT), CAST($%d AS TEXT), CAST($%d AS BIGINT), CAST($%d AS BIGINT))`) + `) AS v
	WHERE TRUE ON CONFLICT DO NOTHING`

// skipLocked makes a SELECT pass over rows that another transaction holds.
func (db *DB) skipLocked() string {
	if db.engine.oneNode {
		return ""
	}
	return " FOR UPDATE SKIP LOCKED"
}

// told is a delivery that is to be made.
type told struct {
	event, app, lane string
	at               int64
}

// FanOut implements webhook.Store. Who holds the counter's row is the only one
// at it, so positions are given in the order of commits. Published events are
// read first and delivered last: every connection event that was there before
// one of them is seen by the second look.
func (db *DB) FanOut(ctx context.Context, now time.Time, limit int) (n int, err error) {
	var news int
	if err := (read{db}).row(ctx, anythingNew).Scan(&news); err != nil || news == 0 {
		return 0, db.trouble(err)
	}
	err = db.byIndex(ctx, func(t *tx) error {
		n = 0
		var locked int64
		err := t.row(ctx, fanOutLock+db.skipLocked()).Scan(&locked)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // another node is at it
		}
		if err != nil {
			return err
		}
		published, err := unfannedPublished(ctx, t, limit)
		if err != nil {
			return err
		}
		if n, err = fanOutEvents(ctx, t, now, limit); err != nil || n >= limit {
			return err // there may be more events, which come first
		}
		done, err := fanOutPublished(ctx, t, published, now, limit)
		n += done
		return err
	})
	return n, err
}

// fanOutPublished makes deliveries of published events, of the first of them at
// least: when they have become limit, the rest comes in the next round, so that
// what many apps hear of holds no endpoint's row for long.
func fanOutPublished(ctx context.Context, t *tx, published []newlyPublished, now time.Time, limit int) (n int, err error) {
	var list []told
	for ; n < len(published) && len(list) < limit; n++ {
		more, err := hearing(ctx, t, published[n])
		if err != nil {
			return 0, err
		}
		list = append(list, more...)
	}
	if err := makeDeliveries(ctx, t, list, now); err != nil {
		return 0, err
	}
	return n, mark(ctx, t, markPublished, idsOf(published[:n]))
}

// fanOutEvents makes deliveries of events until there are no more, or limit of
// them: one that waits for the one before it in its connection comes in the
// next round.
func fanOutEvents(ctx context.Context, t *tx, now time.Time, limit int) (n int, err error) {
	for n < limit {
		list, ids, err := unfannedEvents(ctx, t, limit-n)
		if err == nil {
			err = makeDeliveries(ctx, t, list, now)
		}
		if err == nil {
			err = mark(ctx, t, markEvents, ids)
		}
		if err != nil || len(ids) == 0 {
			return n, err
		}
		n += len(ids)
	}
	return n, nil
}

func unfannedEvents(ctx context.Context, t *tx, limit int) (list []told, ids []string, err error) {
	err = each(ctx, t, func(row scanner) error {
		var e told
		err := row.Scan(&e.event, &e.app, &e.lane, &e.at)
		list, ids = append(list, e), append(ids, e.event)
		return err
	}, newEvents, limit)
	return list, ids, err
}

// newlyPublished is a published event without its contents.
type newlyPublished struct {
	webhook.Published
	at int64
}

func idsOf(list []newlyPublished) (ids []string) {
	for _, p := range list {
		ids = append(ids, p.ID)
	}
	return ids
}

func unfannedPublished(ctx context.Context, t *tx, limit int) ([]newlyPublished, error) {
	return collect(ctx, t, func(row scanner) (p newlyPublished, err error) {
		err = row.Scan(&p.ID, &p.AppID, &p.AccountID, &p.UserID, &p.Scope, &p.at)
		return p, err
	}, newPublished, limit)
}

// hearing is one delivery for each app that a live connection allows to hear of
// the event, in the lane of the oldest such connection.
func hearing(ctx context.Context, t *tx, p newlyPublished) (list []told, err error) {
	if p.AppID != "" {
		return []told{{p.ID, p.AppID, p.ID, p.at}}, nil
	}
	seen := map[string]bool{}
	err = each(ctx, t, func(row scanner) error {
		var c postern.Connection
		var scopes string
		err := row.Scan(&c.AppID, &c.ID, &c.UserID, &scopes)
		c.Scopes = split(scopes)
		if !seen[c.AppID] && webhook.Allows(&c, p.UserID, p.Scope) {
			seen[c.AppID] = true
			list = append(list, told{p.ID, c.AppID, c.ID, p.at})
		}
		return err
	}, hearers, p.AccountID)
	return list, err
}

// makeDeliveries takes the endpoints' rows in one order, so that two who lock
// several never wait for each other.
func makeDeliveries(ctx context.Context, t *tx, list []told, now time.Time) error {
	of := map[string][]told{}
	for _, d := range list {
		of[d.app] = append(of[d.app], d)
	}
	for _, app := range slices.Sorted(maps.Keys(of)) {
		if err := deliverTo(ctx, t, app, of[app], now); err != nil {
			return err
		}
	}
	return nil
}

func deliverTo(ctx context.Context, t *tx, app string, list []told, now time.Time) error {
	var last int64
	var ordered bool
	var gone, url string
	if err := t.row(ctx, openPositions, app, len(list)).Scan(&last, &ordered, &gone, &url); err != nil {
		return err
	}
	state, done, why := webhook.Open, int64(0), ""
	switch {
	case url == "":
		state, done, why = webhook.Kept, ms(now), webhook.NoEndpoint
	case gone == url:
		state, done, why = webhook.Parked, ms(now), webhook.EndpointGone
	}
	position, lanes := last-int64(len(list)), map[string]bool{}
	rows := make([][]any, len(list))
	for i, d := range list {
		order := 0
		if ordered && state == webhook.Open {
			if order = 1; lanes[d.lane] {
				order = 2
			}
			lanes[d.lane] = true
		}
		rows[i] = []any{position + int64(i) + 1, d.event, d.lane, d.at, order}
	}
	return inGroups(ctx, t, addDeliveries, []any{app, string(state), done, why}, rows)
}

func mark(ctx context.Context, t *tx, query string, ids []string) error {
	for group := range slices.Chunk(ids, keysAtOnce) {
		if _, err := t.exec(ctx, query, filledUp(group)...); err != nil {
			return err
		}
	}
	return nil
}

const (
	nextPublished   = `UPDATE counters SET value = value + $1 WHERE name = 'published' RETURNING value`
	insertPublished = `
	INSERT INTO published (id, number, type, app_id, account_id, user_id, scope, data, at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT (id) DO NOTHING`
	selectPublished = `SELECT type, app_id, account_id, user_id, scope, data FROM published WHERE id = $1`
	eventExists     = `SELECT count(*) FROM events WHERE id = $1`
)

// Publish implements webhook.Store.
func (db *DB) Publish(ctx context.Context, events []webhook.Published, actor string) (again []bool, err error) {
	err = db.write(ctx, func(t *tx) error {
		again = make([]bool, len(events))
		var last int64
		if err := t.row(ctx, nextPublished, len(events)).Scan(&last); err != nil {
			return err
		}
		for i := range events {
			var err error
			if again[i], err = publish(ctx, t, &events[i], last-int64(len(events))+int64(i)+1); err != nil {
				return err
			}
		}
		if e := events[0]; e.AppID != "" { // a test
			if _, err := t.exec(ctx, stirEndpoint, e.AppID); err != nil {
				return err
			}
			return audit(ctx, t, auditRow{At: e.At, Actor: actor, Action: "webhook.tested", Object: "app:" + e.AppID})
		}
		return nil
	})
	return again, err
}

func publish(ctx context.Context, t *tx, e *webhook.Published, number int64) (again bool, err error) {
	var taken int
	if err := t.row(ctx, eventExists, e.ID).Scan(&taken); err != nil {
		return false, err
	}
	n, err := t.exec(ctx, insertPublished, e.ID, number, e.Type, e.AppID, e.AccountID, e.UserID, e.Scope, string(e.Data), ms(e.At))
	if err != nil || n == 1 && taken == 0 {
		return false, err
	}
	var old webhook.Published
	var data string
	err = t.row(ctx, selectPublished, e.ID).Scan(&old.Type, &old.AppID, &old.AccountID, &old.UserID, &old.Scope, &data)
	if err != nil {
		return false, err
	}
	same := old.Type == e.Type && old.AppID == e.AppID && old.AccountID == e.AccountID && old.UserID == e.UserID &&
		old.Scope == e.Scope && data == string(e.Data)
	if taken > 0 || !same {
		return false, postern.Errorf(postern.Conflict, "id: %q was published before with other contents.", e.ID)
	}
	return true, nil
}

const (
	selectEventTypes = `SELECT type, scope FROM event_types`
	selectStanding   = `
	SELECT c.id, c.number, c.user_id, c.scopes
	FROM connections c
	JOIN apps a ON a.id = c.app_id JOIN partners p ON p.id = a.partner_id JOIN accounts ac ON ac.id = c.account_id
	LEFT JOIN users u ON u.id = c.user_id
	WHERE c.account_id = $1 AND c.app_id = $2 AND c.ended_at = 0
	  AND NOT a.disabled AND a.removed_at = 0 AND NOT p.disabled AND p.removed_at = 0
	  AND NOT ac.disabled AND ac.removed_at = 0
	  AND (c.user_id = '' OR NOT u.disabled AND u.removed_at = 0)
	ORDER BY c.created_at, c.id`
	selectWireID  = `SELECT wire_id FROM account_ids WHERE dialect = $1 AND account_id = $2`
	accountExists = `SELECT count(*) FROM accounts WHERE id = $1 AND removed_at = 0`
	memberExists  = `
	SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id
	WHERE m.account_id = $1 AND m.user_id = $2 AND u.removed_at = 0`
)

// EventTypes implements webhook.Store.
func (db *DB) EventTypes(ctx context.Context) (map[string]string, error) {
	types := map[string]string{}
	err := each(ctx, read{db}, func(row scanner) error {
		var name, scope string
		err := row.Scan(&name, &scope)
		types[name] = scope
		return err
	}, selectEventTypes)
	return types, err
}

// KnownScopes implements webhook.Store.
func (db *DB) KnownScopes(ctx context.Context) (names []string, err error) {
	scopes, err := db.ScopeCatalogue(ctx)
	for _, s := range scopes {
		names = append(names, s.Name)
	}
	return names, err
}

// AccountExists implements webhook.Store.
func (db *DB) AccountExists(ctx context.Context, accountID string) (bool, error) {
	return db.exists(ctx, accountExists, accountID)
}

// UserExists implements webhook.Store.
func (db *DB) UserExists(ctx context.Context, accountID, userID string) (bool, error) {
	return db.exists(ctx, memberExists, accountID, userID)
}

// Standing implements webhook.Store.
func (db *DB) Standing(ctx context.Context, appID, accountID string) ([]postern.Connection, error) {
	return collect(ctx, read{db}, func(row scanner) (postern.Connection, error) {
		var scopes string
		c := postern.Connection{AppID: appID, AccountID: accountID}
		err := row.Scan(&c.ID, &c.Number, &c.UserID, &scopes)
		c.Scopes = split(scopes)
		return c, err
	}, selectStanding, accountID, appID)
}

// KeepWireID implements webhook.Store.
func (db *DB) KeepWireID(ctx context.Context, dialect, accountID, proposed string) (id string, err error) {
	err = db.write(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, insertWireID, dialect, accountID, proposed); err != nil {
			return err
		}
		return t.row(ctx, selectWireID, dialect, accountID).Scan(&id)
	})
	return cmp.Or(id, proposed), err
}
