package store

import (
	"context"
	"errors"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// A token is read with everything that its verdict depends on, each by its
// primary key: one indexed read.
const (
	tokenColumns = `
	t.hash, COALESCE(t.kind, ''), COALESCE(t.dialect, ''), COALESCE(t.app_id, ''), COALESCE(t.scopes, ''),
	COALESCE(t.issued_at, 0), COALESCE(t.expires_at, 0), COALESCE(t.ended_at, 0), COALESCE(t.rotated_at, 0), t.salt,
	COALESCE(t.said, ''), COALESCE(nx.rotated_at, 0), t.family,
	COALESCE(c.spent_at, 0), COALESCE(c.ended_at, 0), COALESCE(c.live_until, 0), COALESCE(c.kept, ''), COALESCE(c.end_reason, ''),
	COALESCE(co.id, ''), COALESCE(co.number, 0), COALESCE(co.user_id, ''), COALESCE(co.created_at, 0), COALESCE(co.ended_at, 0), COALESCE(co.end_reason, ''),
	COALESCE(ta.disabled, TRUE) OR COALESCE(ta.removed_at, 1) <> 0 OR COALESCE(tp.disabled, TRUE) OR COALESCE(tp.removed_at, 1) <> 0,
	COALESCE(ta.attributes, ''), COALESCE(ta.partner_id, ''), ` + peopleColumns

	tokenJoins = `
	LEFT JOIN tokens nx ON nx.hash = t.successor
	LEFT JOIN codes c ON c.hash = t.family
	LEFT JOIN connections co ON co.id = c.connection_id
	LEFT JOIN apps ta ON ta.id = t.app_id
	LEFT JOIN partners tp ON tp.id = ta.partner_id` + peopleTables

	tokenTables = ` LEFT JOIN tokens t ON t.hash = $1` + tokenJoins

	selectToken = `SELECT ` + tokenColumns + ` FROM tokens t` + tokenJoins + ` WHERE t.hash = $1`
)

type tokenRow struct {
	hash, salt, family                   []byte
	t                                    postern.Token
	kind, scopes, kept, attrs            string
	issued, expires, ended, rotated      int64
	nextRotated                          int64
	familyStarted, familyEnded, liveTill int64
	connCreated, connEnded               int64
	people                               peopleRow
}

func (r *tokenRow) fields() []any {
	t, co := &r.t, &r.t.Connection
	return append([]any{
		&r.hash, &r.kind, &t.Dialect, &t.AppID, &r.scopes,
		&r.issued, &r.expires, &r.ended, &r.rotated, &r.salt, &t.Said, &r.nextRotated, &r.family,
		&r.familyStarted, &r.familyEnded, &r.liveTill, &r.kept, (*string)(&t.FamilyEndReason),
		&co.ID, &co.Number, &co.UserID, &r.connCreated, &r.connEnded, (*string)(&co.EndReason),
		&t.AppDisabled, &r.attrs, &t.PartnerID,
	}, r.people.fields()...)
}

func (r *tokenRow) token() (*postern.Token, error) {
	t := &r.t
	t.Hash, t.Kind, t.Scopes = hashOf(r.hash), postern.TokenKind(r.kind), split(r.scopes)
	t.IssuedAt, t.ExpiresAt, t.EndedAt = at(r.issued), at(r.expires), at(r.ended)
	t.RotatedAt, t.Salt, t.SuccessorUsed = at(r.rotated), r.salt, r.nextRotated != 0
	t.Family = hashOf(r.family)
	t.FamilyStartedAt, t.FamilyEndedAt = at(r.familyStarted), at(r.familyEnded)
	t.Alone = r.family != nil && r.expires >= r.liveTill
	t.Connection.AppID, t.Connection.CreatedAt, t.Connection.EndedAt = t.AppID, at(r.connCreated), at(r.connEnded)
	var err, err2, err3 error
	t.Kept, err = attributes(r.kept)
	t.AppAttrs, err2 = attributes(r.attrs)
	t.Account, t.User, err3 = r.people.people()
	t.Connection.AccountID = t.Account.ID
	return t, errors.Join(err, err2, err3)
}

// Token implements oauth.Store.
func (db *DB) Token(ctx context.Context, token postern.Hash) (*postern.Token, error) {
	var r tokenRow
	if err := (read{db}).row(ctx, selectToken, token[:]).Scan(r.fields()...); err != nil {
		return nil, db.missing(err, "token")
	}
	t, err := r.token()
	return t, db.trouble(err)
}

const (
	familyLives = `
	  AND EXISTS (SELECT 1 FROM codes f JOIN connections c ON c.id = f.connection_id
	              WHERE f.hash = tokens.family AND f.ended_at = 0 AND c.ended_at = 0)`

	// supersede decides who rotates: one caller finds the token current.
	supersede = `
	UPDATE tokens SET rotated_at = $2, salt = $3, successor = $4, said = $5
	WHERE hash = $1 AND kind = 'refresh' AND rotated_at = 0 AND ended_at = 0 AND expires_at > $2` + familyLives

	useFamily = `UPDATE codes SET live_until = $2, last_used_at = $3 WHERE hash = $1`

	// endUnused decides between a successor's first use and its replacement.
	endUnused = `UPDATE tokens SET ended_at = $2 WHERE hash = $1 AND rotated_at = 0 AND ended_at = 0`
	successor = `SELECT successor FROM tokens WHERE hash = $1`
	replace   = `
	UPDATE tokens SET rotated_at = $2, salt = $3, successor = $4, said = $5
	WHERE hash = $1 AND salt = $6 AND ended_at = 0` + familyLives

	prolong = `
	UPDATE tokens SET expires_at = $2
	WHERE hash = $1 AND kind = 'refresh' AND rotated_at = 0 AND ended_at = 0 AND expires_at > $3` + familyLives

	// swapAccess decides between a renewal and the end of what it renews; $2 is
	// when the old token ends, 0 where it lives on.
	swapAccess = `
	UPDATE tokens SET ended_at = $2
	WHERE hash = $1 AND kind = 'access' AND ended_at = 0 AND expires_at > $3` + familyLives
	prolongFamily = `
	UPDATE codes SET live_until = CASE WHEN live_until < $2 THEN $2 ELSE live_until END, last_used_at = $3 WHERE hash = $1`

	endToken = `UPDATE tokens SET ended_at = $2 WHERE hash = $1 AND ended_at = 0`

	// renewAtOnce is a whole renewal in one round trip, for PostgreSQL.
	renewAtOnce = `
	WITH kept AS (` + prolong + ` RETURNING family, app_id, dialect
	), born AS (
	  INSERT INTO tokens (hash, kind, family, app_id, dialect, scopes, issued_at, expires_at)
	  SELECT $4, 'access', family, app_id, dialect, $5, $3, $6 FROM kept
	), used AS (
	  UPDATE codes SET live_until = $7, last_used_at = $3 FROM kept WHERE codes.hash = kept.family
	)
	SELECT count(*) FROM kept`

	// rotateAtOnce is a whole rotation in one round trip, for PostgreSQL.
	rotateAtOnce = `
	WITH old AS (` + supersede + ` RETURNING family, app_id, dialect
	), born AS (
	  INSERT INTO tokens (hash, kind, family, app_id, dialect, scopes, issued_at, expires_at)
	  SELECT v.hash, v.kind, old.family, old.app_id, old.dialect, v.scopes, $2, v.ends
	  FROM old, (VALUES ($6::bytea, 'access', $7, $8::bigint), ($4, 'refresh', $9, $10)) AS v (hash, kind, scopes, ends)
	), used AS (
	  UPDATE codes SET live_until = $11, last_used_at = $2 FROM old WHERE codes.hash = old.family
	)
	SELECT count(*) FROM old`
)

var lostRace = postern.Errorf(postern.Conflict, "Another caller was first.")

// Rotate implements oauth.Store.
func (db *DB) Rotate(ctx context.Context, r oauth.Rotation) error {
	if !db.engine.oneNode {
		return db.rotateAtOnce(ctx, r)
	}
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, supersede, r.Presented[:], ms(r.Now), r.Salt, r.Successor.Hash[:], r.Said)
		if err == nil && n == 0 {
			err = lostRace
		}
		if err != nil {
			return err
		}
		return saveSuccession(ctx, t, &r)
	})
}

func (db *DB) rotateAtOnce(ctx context.Context, r oauth.Rotation) error {
	return db.atOnce(ctx, rotateAtOnce,
		r.Presented[:], ms(r.Now), r.Salt, r.Successor.Hash[:], r.Said, r.Access.Hash[:], join(r.Access.Scopes),
		endMS(r.Access.ExpiresAt), join(r.Successor.Scopes), endMS(r.Successor.ExpiresAt), endMS(r.LiveUntil))
}

// atOnce runs a statement that counts what it found; nothing means that another
// caller was first.
func (db *DB) atOnce(ctx context.Context, statement string, args ...any) error {
	var n int
	err := db.writes.QueryRowContext(ctx, statement, args...).Scan(&n)
	if err == nil && n == 0 {
		err = lostRace
	}
	return db.trouble(err)
}

func saveSuccession(ctx context.Context, t *tx, r *oauth.Rotation) error {
	if err := saveTokens(ctx, t, r.Family[:], &r.Access, &r.Successor); err != nil {
		return err
	}
	_, err := t.exec(ctx, useFamily, r.Family[:], endMS(r.LiveUntil), ms(r.Now))
	return err
}

// ReplaceSuccessor implements oauth.Store.
func (db *DB) ReplaceSuccessor(ctx context.Context, old postern.Hash, r oauth.Rotation) error {
	return db.write(ctx, func(t *tx) error {
		var unused []byte
		if err := t.row(ctx, successor+db.engine.forRow, old[:]).Scan(&unused); err != nil {
			return ignoreNoRows(err, lostRace)
		}
		n, err := t.exec(ctx, endUnused, unused, ms(r.Now))
		if err == nil && n == 1 {
			n, err = t.exec(ctx, replace, old[:], ms(r.Now), r.Salt, r.Successor.Hash[:], r.Said, r.OldSalt)
		}
		if err == nil && n == 0 {
			err = lostRace
		}
		if err != nil {
			return err
		}
		return saveSuccession(ctx, t, &r)
	})
}

// Renew implements oauth.Store.
func (db *DB) Renew(ctx context.Context, r oauth.Renewal) error {
	if !db.engine.oneNode {
		return db.atOnce(ctx, renewAtOnce, r.Presented[:], endMS(r.RefreshExpires), ms(r.Now),
			r.Access.Hash[:], join(r.Access.Scopes), endMS(r.Access.ExpiresAt), endMS(r.LiveUntil))
	}
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, prolong, r.Presented[:], endMS(r.RefreshExpires), ms(r.Now))
		if err == nil && n == 0 {
			err = lostRace
		}
		if err != nil {
			return err
		}
		if err := saveTokens(ctx, t, r.Family[:], &r.Access, nil); err != nil {
			return err
		}
		_, err = t.exec(ctx, useFamily, r.Family[:], endMS(r.LiveUntil), ms(r.Now))
		return err
	})
}

// SwapAccess implements oauth.Store.
func (db *DB) SwapAccess(ctx context.Context, s oauth.Swap) error {
	ends := time.Time{}
	if s.Ends {
		ends = s.Now
	}
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, swapAccess, s.Presented[:], ms(ends), ms(s.Now))
		if err == nil && n == 0 {
			err = lostRace
		}
		if err == nil {
			err = saveToken(ctx, t, postern.AccessToken, s.Family[:], &s.Access)
		}
		if err == nil {
			_, err = t.exec(ctx, prolongFamily, s.Family[:], endMS(s.Access.ExpiresAt), ms(s.Now))
		}
		if err != nil || !s.Ends {
			return err
		}
		return change(ctx, t, "token", hexHash(s.Presented), s.Now)
	})
}

// SaveAccess implements oauth.Store.
func (db *DB) SaveAccess(ctx context.Context, n oauth.NewToken) error {
	if !db.engine.oneNode { // one statement needs no transaction around it
		_, err := db.writes.ExecContext(ctx, insertToken, n.Hash[:], string(postern.AccessToken), nil, n.AppID, n.Dialect, join(n.Scopes), ms(n.IssuedAt), endMS(n.ExpiresAt))
		return db.trouble(err)
	}
	return db.write(ctx, func(t *tx) error { return saveToken(ctx, t, postern.AccessToken, nil, &n) })
}

// EndToken implements oauth.Store.
func (db *DB) EndToken(ctx context.Context, token postern.Hash, actor string, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, endToken, token[:], ms(now))
		if err != nil || n == 0 {
			return err
		}
		if err := audit(ctx, t, auditRow{At: now, Actor: actor, Action: "token.revoked", Object: hexHash(token)}); err != nil {
			return err
		}
		return change(ctx, t, "token", hexHash(token), now)
	})
}
