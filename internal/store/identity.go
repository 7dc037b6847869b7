package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
)

const (
	userColumns = `u.id, u.email, u.name, u.number, u.nickname, u.wire_nickname, u.attributes, u.disabled`

	selectCredential = `
	SELECT ` + userColumns + `, u.password_hash,
	  EXISTS (SELECT 1 FROM memberships m JOIN accounts a ON a.id = m.account_id
	          WHERE m.user_id = u.id AND a.removed_at = 0 AND a.disabled = FALSE),
	  EXISTS (SELECT 1 FROM devices d WHERE d.hash = $2 AND d.user_id = u.id AND d.expires_at > $3)
	FROM users u WHERE u.email_folded = $1 AND u.removed_at = 0`

	selectSession = `
	SELECT ` + userColumns + `, s.signed_in_at, s.last_seen_at, s.expires_at
	FROM sessions s JOIN users u ON u.id = s.user_id
	WHERE s.hash = $1 AND u.removed_at = 0 AND u.disabled = FALSE`

	selectResetUser = `
	SELECT ` + userColumns + `
	FROM resets r JOIN users u ON u.id = r.user_id
	WHERE r.hash = $1 AND r.expires_at > $2 AND u.removed_at = 0 AND u.disabled = FALSE`
)

// A session begins and a password changes with the user's row locked, so that
// of a sign-in with the old password and the change one sees the other.
const (
	provePassword = `
	UPDATE users SET password_hash = $3
	WHERE id = $1 AND password_hash = $2 AND disabled = FALSE AND removed_at = 0`
	setPassword = `UPDATE users SET password_hash = $2 WHERE id = $1 AND disabled = FALSE AND removed_at = 0`

	addSession       = `INSERT INTO sessions (hash, user_id, signed_in_at, last_seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)`
	seeSession       = `UPDATE sessions SET last_seen_at = $2 WHERE hash = $1 AND last_seen_at < $2`
	endSession       = `DELETE FROM sessions WHERE hash = $1 RETURNING user_id`
	endUsersSession  = `DELETE FROM sessions WHERE hash = $1 AND user_id = $2`
	endUsersSessions = `DELETE FROM sessions WHERE user_id = $1`

	knowDevice = `
	INSERT INTO devices (hash, user_id, expires_at) VALUES ($1, $2, $3)
	ON CONFLICT (hash) DO UPDATE SET expires_at = excluded.expires_at WHERE devices.user_id = excluded.user_id`
	// Each known browser has guesses of its own, so a person has only so many.
	forgetDevices = `
	DELETE FROM devices WHERE user_id = $1 AND hash NOT IN
	  (SELECT hash FROM devices WHERE user_id = $1 ORDER BY expires_at DESC, hash LIMIT 10)`
	forgetOtherDevices = `DELETE FROM devices WHERE user_id = $1 AND hash <> $2`

	saveReset = `
	INSERT INTO resets (hash, user_id, created_at, expires_at) VALUES ($1, $2, $3, $4)
	ON CONFLICT (user_id) DO UPDATE SET
	  hash = excluded.hash, created_at = excluded.created_at, expires_at = excluded.expires_at`
	spendReset    = `DELETE FROM resets WHERE hash = $1 AND user_id = $2 AND expires_at > $3`
	endUsersReset = `DELETE FROM resets WHERE user_id = $1`
)

// errGone is what the rules turn into words of their own.
var errGone = postern.Errorf(postern.NotFound, "This is no longer there.")

// Credential implements identity.People.
func (db *DB) Credential(ctx context.Context, foldedEmail string, device postern.Hash, now time.Time) (*identity.Credential, error) {
	var c identity.Credential
	var hasAccount bool
	user, err := scanUser(read{db}.row(ctx, selectCredential, foldedEmail, device[:], ms(now)),
		&c.PasswordHash, &hasAccount, &c.KnownDevice)
	if err != nil {
		return nil, db.trouble(err)
	}
	c.User = *user
	c.MayEnter = hasAccount && !user.Disabled
	return &c, nil
}

// Session implements identity.Sessions.
func (db *DB) Session(ctx context.Context, session postern.Hash) (*postern.Session, error) {
	var signedIn, lastSeen, expires int64
	user, err := scanUser(read{db}.row(ctx, selectSession, session[:]), &signedIn, &lastSeen, &expires)
	if err != nil {
		return nil, db.trouble(err)
	}
	return &postern.Session{
		Hash: session, User: *user,
		SignedIn: at(signedIn), LastSeen: at(lastSeen), ExpiresAt: at(expires),
	}, nil
}

// ResetUser implements identity.People.
func (db *DB) ResetUser(ctx context.Context, reset postern.Hash, now time.Time) (*postern.User, error) {
	user, err := scanUser(read{db}.row(ctx, selectResetUser, reset[:], ms(now)))
	return user, db.trouble(err)
}

// scanUser reads userColumns, and what the query has after them.
func scanUser(row *sql.Row, more ...any) (*postern.User, error) {
	var u postern.User
	var attrs string
	columns := []any{&u.ID, &u.Email, &u.Name, &u.Number, &u.Nickname, &u.WireNickname, &attrs, &u.Disabled}
	err := row.Scan(append(columns, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errGone
	}
	if err == nil {
		u.Attributes, err = attributes(attrs)
	}
	if err != nil {
		return nil, err
	}
	return &u, nil
}

// SaveSession implements identity.Sessions.
func (db *DB) SaveSession(ctx context.Context, s identity.NewSession) error {
	return db.write(ctx, func(t *tx) error { return ofUsers.signIn(ctx, t, s) })
}

// SavePassword implements identity.People.
func (db *DB) SavePassword(ctx context.Context, asked postern.Hash, s identity.NewSession) error {
	return db.write(ctx, func(t *tx) error { return ofUsers.changePassword(ctx, t, asked, s) })
}

// SeeSession implements identity.Sessions.
func (db *DB) SeeSession(ctx context.Context, session postern.Hash, now time.Time) error {
	return db.write(ctx, func(t *tx) error { return ofUsers.see(ctx, t, session, now) })
}

// EndSession implements identity.Sessions.
func (db *DB) EndSession(ctx context.Context, session postern.Hash, now time.Time) error {
	return db.write(ctx, func(t *tx) error { return ofUsers.signOut(ctx, t, session, now) })
}

// SaveReset implements identity.People.
func (db *DB) SaveReset(ctx context.Context, reset postern.Hash, userID string, expires, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, saveReset, reset[:], userID, ms(now), ms(expires)); err != nil {
			return err
		}
		return audit(ctx, t, auditRow{At: now, Actor: "operator", Action: "password.reset_made", Object: "user:" + userID})
	})
}

// SpendReset implements identity.People.
func (db *DB) SpendReset(ctx context.Context, reset postern.Hash, p identity.NewPassword) error {
	return db.write(ctx, func(t *tx) error {
		if err := mustChange(t.exec(ctx, setPassword, p.UserID, p.PasswordHash)); err != nil {
			return err
		}
		if err := mustChange(t.exec(ctx, spendReset, reset[:], p.UserID, ms(p.Now))); err != nil {
			return err
		}
		return ofUsers.useReset(ctx, t, p)
	})
}

// mustChange turns "no row was as expected" into an error, which undoes the
// transaction.
func mustChange(rows int64, err error) error {
	if err == nil && rows == 0 {
		return errGone
	}
	return err
}

const (
	purgeSessions  = `DELETE FROM sessions WHERE hash IN (SELECT hash FROM sessions WHERE expires_at <= $1 LIMIT $2)`
	purgeDevices   = `DELETE FROM devices WHERE hash IN (SELECT hash FROM devices WHERE expires_at <= $1 LIMIT $2) AND expires_at <= $1`
	purgeResets    = `DELETE FROM resets WHERE hash IN (SELECT hash FROM resets WHERE expires_at <= $1 LIMIT $2)`
	purgeThrottles = `DELETE FROM throttles WHERE name IN (SELECT name FROM throttles WHERE expires_at <= $1 LIMIT $2) AND expires_at <= $1`
)

// SweepIdentity implements identity.Store.
func (db *DB) SweepIdentity(ctx context.Context, now time.Time, limit int) (most int, err error) {
	for _, query := range []string{
		purgeSessions, purgeDevices, purgeResets, purgeThrottles, purgeStaffSessions, purgeStaffDevices, purgeStaffLinks,
	} {
		var rows int64
		err := db.write(ctx, func(t *tx) (err error) {
			rows, err = t.exec(ctx, query, ms(now), limit)
			return err
		})
		if err != nil {
			return 0, err
		}
		most = max(most, int(rows))
	}
	return most, nil
}
