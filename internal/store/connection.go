package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/hex"
	"errors"
	"maps"
	"slices"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

const (
	connectionColumns = `id, number, app_id, account_id, user_id, scopes, created_at, created_by, last_used_at, ended_at, end_reason`

	selectConnection = `SELECT ` + connectionColumns + ` FROM connections WHERE id = $1`

	insertEvent = `
	INSERT INTO events (id, type, app_id, connection_id, sequence, account_id, user_id, user_nickname, reason, changes, at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`

	liveFamilies = `SELECT count(*) FROM codes WHERE connection_id = $1 AND ended_at = 0 AND live_until > $2`

	endConnectionRow = `
	UPDATE connections SET ended_at = $2, end_reason = $3, sequence = sequence + 1
	WHERE id = $1 AND ended_at = 0
	RETURNING sequence, app_id, account_id, user_id`
	endFamilies = `UPDATE codes SET ended_at = $2, end_reason = $3 WHERE connection_id = $1 AND ended_at = 0`
	nicknameOf  = `SELECT wire_nickname, nickname FROM users WHERE id = $1`

	voidCodes = `
	UPDATE codes SET spent_at = $4, outcome = 'void'
	WHERE account_id = $1 AND app_id = $2 AND spent_at = 0 AND ($3 = '' OR ((level = 'user' OR second_scopes <> '') AND user_id = $3))`
	closeTickets = `
	UPDATE tickets SET answered_at = $4
	WHERE app_id = $2 AND answered_at = 0
	  AND user_id IN (SELECT user_id FROM memberships WHERE account_id = $1 AND ($3 = '' OR user_id = $3))`
	forgetConsents = `DELETE FROM consents WHERE account_id = $1 AND app_id = $2 AND ($3 = '' OR user_id = $3)`

	useFamilyAt     = `UPDATE codes SET last_used_at = $2 WHERE hash = $1 AND last_used_at < $2`
	useConnectionAt = `UPDATE connections SET last_used_at = $2 WHERE id = $1 AND last_used_at < $2`

	// The same for many, for PostgreSQL: the rows are locked in the order of their keys.
	useFamiliesAt = `
	WITH v AS (SELECT unnest($1::bytea[]) AS hash, unnest($2::bigint[]) AS at),
	     held AS (SELECT c.hash, v.at FROM v JOIN codes c ON c.hash = v.hash WHERE c.last_used_at < v.at ORDER BY c.hash FOR UPDATE OF c)
	UPDATE codes SET last_used_at = held.at FROM held WHERE codes.hash = held.hash`
	useConnectionsAt = `
	WITH v AS (SELECT unnest($1::text[]) AS id, unnest($2::bigint[]) AS at),
	     held AS (SELECT c.id, v.at FROM v JOIN connections c ON c.id = v.id WHERE c.last_used_at < v.at ORDER BY c.id FOR UPDATE OF c)
	UPDATE connections SET last_used_at = held.at FROM held WHERE connections.id = held.id`
)

// Connection implements oauth.Store.
func (db *DB) Connection(ctx context.Context, id string) (*postern.Connection, error) {
	var c postern.Connection
	var scopes, reason string
	var created, used, ended int64
	err := read{db}.row(ctx, selectConnection, id).
		Scan(&c.ID, &c.Number, &c.AppID, &c.AccountID, &c.UserID, &scopes, &created, &c.CreatedBy, &used, &ended, &reason)
	if err != nil {
		return nil, db.missing(err, "connection")
	}
	c.Scopes, c.EndReason = split(scopes), postern.EndReason(reason)
	c.CreatedAt, c.LastUsedAt, c.EndedAt = at(created), at(used), at(ended)
	return &c, nil
}

// saveEvent writes an event in the transaction that causes it.
func saveEvent(ctx context.Context, t *tx, e *postern.Event) error {
	_, err := t.exec(ctx, insertEvent, e.ID, string(e.Type), e.AppID, e.ConnectionID, e.Sequence,
		e.AccountID, e.UserID, e.UserNickname, string(e.Reason), join(e.Changes), ms(e.At))
	return err
}

// EndFamily implements oauth.Store.
func (db *DB) EndFamily(ctx context.Context, family postern.Hash, reason postern.EndReason, actor string, now time.Time) error {
	return db.write(ctx, func(t *tx) error { return endFamily(ctx, t, db.engine, family, reason, actor, now) })
}

func endFamily(ctx context.Context, t *tx, e engine, family postern.Hash, reason postern.EndReason, actor string, now time.Time) error {
	var connection string
	err := t.row(ctx, endOneFamily, family[:], ms(now), string(reason)).Scan(&connection)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // it ended before, or never was
	}
	if err != nil {
		return err
	}
	err = audit(ctx, t, auditRow{At: now, Actor: actor, Action: "family.ended", Object: connection, Detail: string(reason)})
	if err != nil {
		return err
	}
	last, err := isLastFamily(ctx, t, e, connection, now)
	if err != nil {
		return err
	}
	if last {
		_, err := endConnection(ctx, t, connection, reason, actor, now)
		return err
	}
	return change(ctx, t, "family", hexHash(family), now)
}

// isLastFamily locks the connection's row first, so that whoever joins it at
// this moment is either seen here or finds it ended.
func isLastFamily(ctx context.Context, t *tx, e engine, connection string, now time.Time) (bool, error) {
	var ended int64
	err := t.row(ctx, `SELECT ended_at FROM connections WHERE id = $1`+e.forRow, connection).Scan(&ended)
	if err != nil || ended != 0 {
		return false, err
	}
	var live int
	err = t.row(ctx, liveFamilies, connection, ms(now)).Scan(&live)
	return live == 0, err
}

// endConnection ends a connection once, with its event, audit record and
// change; false when it had ended before. Its change holds the lock on the
// change sequence, so nothing slow may follow in the transaction.
func endConnection(ctx context.Context, t *tx, id string, reason postern.EndReason, actor string, now time.Time) (bool, error) {
	e := postern.Event{Type: postern.ConnectionDeleted, ConnectionID: id, Reason: reason, At: now}
	err := t.row(ctx, endConnectionRow, id, ms(now), string(reason)).Scan(&e.Sequence, &e.AppID, &e.AccountID, &e.UserID)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if _, err := t.exec(ctx, endFamilies, id, ms(now), string(reason)); err != nil {
		return false, err
	}
	if e.UserID != "" {
		var fixed, today string
		if err := t.row(ctx, nicknameOf, e.UserID).Scan(&fixed, &today); err != nil {
			return false, err
		}
		u := postern.User{WireNickname: fixed, Nickname: today}
		e.UserNickname = u.Nick()
	}
	if e.ID, err = postern.NewIDAt(rand.Reader, now, "evt_"); err != nil {
		return false, err
	}
	if err := saveEvent(ctx, t, &e); err != nil {
		return false, err
	}
	err = audit(ctx, t, auditRow{At: now, Actor: actor, Action: "connection.ended", Object: id, Detail: string(reason)})
	if err != nil {
		return false, err
	}
	return true, change(ctx, t, "connection", id, now)
}

// Disconnect implements oauth.Store.
func (db *DB) Disconnect(ctx context.Context, connectionID string, reason postern.EndReason, actor string, now time.Time) (ended bool, err error) {
	c, err := db.Connection(ctx, connectionID)
	if err != nil || !c.EndedAt.IsZero() {
		return false, err
	}
	err = db.write(ctx, func(t *tx) error {
		ended, err = disconnect(ctx, t, c, reason, actor, now)
		return err
	})
	return ended, err
}

// disconnect ends a connection with its pending codes, open questions and
// remembered consents. Codes come before the connection, as in an exchange.
func disconnect(ctx context.Context, t *tx, c *postern.Connection, reason postern.EndReason, actor string, now time.Time) (bool, error) {
	for _, query := range []string{voidCodes, closeTickets} {
		if _, err := t.exec(ctx, query, c.AccountID, c.AppID, c.UserID, ms(now)); err != nil {
			return false, err
		}
	}
	if _, err := t.exec(ctx, forgetConsents, c.AccountID, c.AppID, c.UserID); err != nil {
		return false, err
	}
	return endConnection(ctx, t, c.ID, reason, actor, now)
}

// SaveUses implements oauth.Store. Families and connections are two transactions,
// so that none is ever held while the other is waited for.
func (db *DB) SaveUses(ctx context.Context, batch []oauth.Use) error {
	batch = slices.Clone(batch)
	slices.SortFunc(batch, func(a, b oauth.Use) int { return bytes.Compare(a.Family[:], b.Family[:]) }) // two nodes lock in one order
	families, when := make([][]byte, len(batch)), make([]int64, len(batch))
	for i, u := range batch {
		families[i], when[i] = u.Family[:], ms(u.At)
	}
	if err := saveTimes(ctx, db, useFamilyAt, useFamiliesAt, families, when); err != nil {
		return err
	}
	latest := map[string]int64{}
	for _, u := range batch {
		latest[u.ConnectionID] = max(latest[u.ConnectionID], ms(u.At))
	}
	connections := slices.Sorted(maps.Keys(latest))
	for i, id := range connections {
		when[i] = latest[id]
	}
	return saveTimes(ctx, db, useConnectionAt, useConnectionsAt, connections, when[:len(connections)])
}

// saveTimes writes a time beside each key: on PostgreSQL in one statement.
func saveTimes[K any](ctx context.Context, db *DB, one, many string, keys []K, when []int64) error {
	return db.write(ctx, func(t *tx) error {
		if t.group == nil {
			_, err := t.exec(ctx, many, keys, when)
			return err
		}
		for i, k := range keys {
			if _, err := t.exec(ctx, one, k, when[i]); err != nil {
				return err
			}
		}
		return nil
	})
}

func hexHash(h postern.Hash) string { return hex.EncodeToString(h[:]) }
