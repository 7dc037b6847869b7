package store

import (
	"context"
	"errors"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/webhook"
)

const (
	dueEndpoints = `
	SELECT n.app_id FROM endpoints n
	JOIN apps a ON a.id = n.app_id JOIN partners p ON p.id = a.partner_id
	WHERE n.holder = '' AND n.wake_at <= $1 AND NOT a.disabled AND NOT p.disabled
	ORDER BY n.wake_at LIMIT $2`
	heldBy       = `SELECT app_id, news FROM endpoints WHERE holder = $1`
	holdEndpoint = `UPDATE endpoints SET holder = $2 WHERE app_id = $1 AND holder = ''`
	letGo        = `
	UPDATE endpoints SET holder = '', wake_at = $4, not_before = $5
	WHERE app_id = $1 AND holder = $2 AND news = $3`
	stillHolds = `SELECT count(*) FROM endpoints WHERE app_id = $1 AND holder = $2`

	firstBeat = `INSERT INTO nodes (id, beat) VALUES ($1, 1) ON CONFLICT (id) DO NOTHING`
	nextBeat  = `UPDATE nodes SET beat = beat + 1 WHERE id = $1`
	holders   = `
	SELECT DISTINCT n.holder, COALESCE(o.beat, 0) FROM endpoints n LEFT JOIN nodes o ON o.id = n.holder
	WHERE n.holder > '' AND n.holder <> $1`
	buryEndpoints = `UPDATE endpoints SET holder = '', wake_at = 0 WHERE holder = $1`
	buryNode      = `DELETE FROM nodes WHERE id = $1`

	endpointColumns = `
	a.id, a.name, a.dialect, a.webhook_url, a.removed_at, a.webhook_secret,
	n.old_secret, COALESCE(n.old_until, 0), n.ed25519, COALESCE(n.ordered, TRUE), COALESCE(n.failures, 0),
	COALESCE(n.failing_since, 0), COALESCE(n.success_at, 0), COALESCE(n.gone_url, ''), COALESCE(n.news, 0)`
	selectEndpoint = `
	SELECT ` + endpointColumns + `,
	  (` + countOpen + `), (SELECT count(*) FROM deliveries WHERE app_id = $1 AND done_at > 0 AND state = 'parked')
	FROM apps a LEFT JOIN endpoints n ON n.app_id = a.id WHERE a.id = $1`
	selectHeld = `SELECT ` + endpointColumns + ` FROM apps a JOIN endpoints n ON n.app_id = a.id WHERE a.id = $1 AND n.holder = $2`
	countOpen  = `SELECT count(*) FROM deliveries WHERE app_id = $1 AND done_at = 0`

	// A delivery is read with all that its message is made of: first the few that
	// are asked for, by an index, then what belongs to them.
	deliveryColumns = `
	SELECT d.app_id, d.position, d.event_id, d.lane, d.state, d.attempts, d.tries, d.due_at, d.done_at, d.why,
	       COALESCE(e.type, p.type, ''), d.at, a.dialect, a.attributes,
	       COALESCE(c.id, ''), COALESCE(c.number, 0), COALESCE(e.sequence, 0),
	       COALESCE(ac.id, ''), COALESCE(ac.handle, ''), COALESCE(ac.name, ''), COALESCE(ac.number, 0), COALESCE(ac.attributes, ''),
	       COALESCE(ac.sandbox_of, ''), COALESCE(w.wire_id, ''),
	       COALESCE(e.user_id, p.user_id, ''), COALESCE(e.user_nickname, ''), COALESCE(u.wire_nickname, ''), COALESCE(u.nickname, ''),
	       COALESCE(e.reason, ''), COALESCE(e.changes, ''), COALESCE(p.data, ''), COALESCE(p.scope, '')
	FROM (SELECT * FROM deliveries d WHERE `
	deliveryTables = `) d
	JOIN apps a ON a.id = d.app_id
	LEFT JOIN events e ON e.id = d.event_id
	LEFT JOIN published p ON p.id = d.event_id
	LEFT JOIN connections c ON c.id = d.lane
	LEFT JOIN accounts ac ON ac.id = COALESCE(e.account_id, p.account_id)
	LEFT JOIN account_ids w ON w.dialect = a.dialect AND w.account_id = ac.id
	LEFT JOIN users u ON u.id = p.user_id`

	dueDeliveries = deliveryColumns + `d.app_id = $1 AND d.done_at = 0 AND d.due_at <= $2 ORDER BY d.due_at, d.position LIMIT $3` +
		deliveryTables + ` ORDER BY d.due_at, d.position`
	nextDue = `SELECT COALESCE(MIN(due_at), 0) FROM deliveries WHERE app_id = $1 AND done_at = 0 AND due_at > $2 AND due_at < 253402300799000`
)

// Work implements webhook.Store.
func (db *DB) Work(ctx context.Context, node string, now time.Time, limit int) (*webhook.Work, error) {
	w := &webhook.Work{Mine: map[string]int64{}}
	var err error
	if w.Due, err = column[string](ctx, read{db}, dueEndpoints, ms(now), limit); err != nil || node == "" {
		return w, err
	}
	err = each(ctx, read{db}, func(row scanner) error {
		var app string
		var news int64
		err := row.Scan(&app, &news)
		w.Mine[app] = news
		return err
	}, heldBy, node)
	return w, err
}

// Hold implements webhook.Store.
func (db *DB) Hold(ctx context.Context, appID, node string) (bool, error) {
	return db.changed(ctx, holdEndpoint, appID, node)
}

// LetGo implements webhook.Store.
func (db *DB) LetGo(ctx context.Context, appID, node string, news int64, again, notBefore time.Time) (bool, error) {
	free, err := db.changed(ctx, letGo, appID, node, news, endMS(again), ms(notBefore))
	if err != nil || free {
		return free, err
	}
	held, err := db.exists(ctx, stillHolds, appID, node)
	return !held, err
}

// Beat implements webhook.Store.
func (db *DB) Beat(ctx context.Context, node string, first bool) (bool, error) {
	query := nextBeat
	if first {
		query = firstBeat
	}
	return db.changed(ctx, query, node)
}

// Holders implements webhook.Store.
func (db *DB) Holders(ctx context.Context, node string) ([]webhook.Holder, error) {
	return collect(ctx, read{db}, func(row scanner) (h webhook.Holder, err error) {
		err = row.Scan(&h.Node, &h.Beat)
		return h, err
	}, holders, node)
}

// Bury implements webhook.Store.
func (db *DB) Bury(ctx context.Context, node string) error {
	return db.write(ctx, func(t *tx) error {
		for _, query := range []string{buryEndpoints, buryNode} {
			if _, err := t.exec(ctx, query, node); err != nil {
				return err
			}
		}
		return nil
	})
}

// preferIndexes holds for one transaction. PostgreSQL keeps the plan of a
// statement that was made while its tables were small; these tables grow from
// nothing to a million rows within minutes, and a plan that reads all of them
// must not stay.
const preferIndexes = `SELECT set_config('enable_seqscan', 'off', true), set_config('enable_bitmapscan', 'off', true), set_config('jit', 'off', true)`

// byIndex is write for statements that find their rows by an index, always.
func (db *DB) byIndex(ctx context.Context, f func(t *tx) error) error {
	return db.write(ctx, func(t *tx) error {
		if !db.engine.oneNode {
			if _, err := t.exec(ctx, preferIndexes); err != nil {
				return err
			}
		}
		return f(t)
	})
}

// scanEndpoint reads endpointColumns, and what the query has after them.
func scanEndpoint(row scanner, more ...any) (*webhook.Endpoint, error) {
	var e webhook.Endpoint
	var removed, oldUntil, since, success int64
	err := row.Scan(append([]any{&e.App.ID, &e.AppName, &e.App.Dialect, &e.URL, &removed, &e.Secret,
		&e.OldSecret, &oldUntil, &e.Ed25519, &e.Ordered, &e.Failures, &since, &success, &e.GoneURL, &e.News}, more...)...)
	e.Removed, e.OldUntil, e.FailingSince, e.LastSuccess = at(removed), at(oldUntil), at(since), at(success)
	return &e, err
}

// EndpointOf implements webhook.Store.
func (db *DB) EndpointOf(ctx context.Context, appID string) (*webhook.Endpoint, error) {
	var waiting, parked int64
	e, err := scanEndpoint(read{db}.row(ctx, selectEndpoint, appID), &waiting, &parked)
	if err != nil {
		return nil, db.missing(err, "app")
	}
	e.Waiting, e.Parked = waiting, parked
	return e, nil
}

// Load implements webhook.Store. The endpoint is read before its deliveries: what
// comes between the two is news.
func (db *DB) Load(ctx context.Context, appID, node string, now time.Time, limit int) (*webhook.Endpoint, []*webhook.Delivery, time.Time, error) {
	if db.engine.oneNode {
		return db.load(ctx, read{db}, appID, node, now, limit)
	}
	var e *webhook.Endpoint
	var due []*webhook.Delivery
	var next time.Time
	err := db.byIndex(ctx, func(t *tx) (err error) {
		e, due, next, err = db.load(ctx, t, appID, node, now, limit)
		return err
	})
	return e, due, next, err
}

func (db *DB) load(ctx context.Context, q querier, appID, node string, now time.Time, limit int) (*webhook.Endpoint, []*webhook.Delivery, time.Time, error) {
	e, err := scanEndpoint(q.row(ctx, selectHeld, appID, node))
	if err != nil {
		return nil, nil, time.Time{}, db.missing(err, "app")
	}
	due, err := collect(ctx, q, scanDelivery, dueDeliveries, appID, ms(now), limit)
	if err != nil {
		return nil, nil, time.Time{}, err
	}
	var next int64
	err = q.row(ctx, nextDue, appID, ms(now)).Scan(&next)
	return e, due, at(next), db.trouble(err)
}

func scanDelivery(row scanner) (*webhook.Delivery, error) {
	var d webhook.Delivery
	m := &d.Message
	var state, attrs, accountAttrs, fixed, today, reason, changes, data string
	var due, done, happened int64
	err := row.Scan(&d.AppID, &d.Position, &m.ID, &d.Lane, &state, &d.Attempts, &d.Tries, &due, &done, &d.Why,
		&m.Type, &happened, &m.App.Dialect, &attrs,
		&m.ConnectionID, &m.ConnectionNumber, &m.Sequence,
		&m.Account.ID, &m.Account.Handle, &m.Account.Name, &m.Account.Number, &accountAttrs,
		&m.Account.SandboxOf, &m.Account.WireID,
		&m.UserID, &m.UserNickname, &fixed, &today, &reason, &changes, &data, &m.Scope)
	if err != nil {
		return nil, err
	}
	d.State, d.DueAt, d.DoneAt, d.Behind = webhook.State(state), at(due), at(done), due >= forever
	m.App.ID, m.At, m.Reason, m.Changes = d.AppID, at(happened), postern.EndReason(reason), split(changes)
	if data != "" {
		m.Own, m.Data = true, []byte(data)
		m.UserNickname = (&postern.User{WireNickname: fixed, Nickname: today}).Nick()
	}
	var err2 error
	m.App.Attributes, err = attributes(attrs)
	m.Account.Attributes, err2 = attributes(accountAttrs)
	return &d, errors.Join(err, err2)
}
