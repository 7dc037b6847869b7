package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
)

// The sign-in of staff is that of users (identity.go) over other tables.
const (
	staffColumns = `s.id, s.realm, s.email, s.name, s.disabled, s.vouched_by`

	selectStaffCredential = `
	SELECT ` + staffColumns + `, s.password_hash,
	  EXISTS (SELECT 1 FROM staff_devices d WHERE d.hash = $3 AND d.staff_id = s.id AND d.expires_at > $4)
	FROM staff s WHERE s.realm = $1 AND s.email_folded = $2`

	selectStaffSession = `
	SELECT ` + staffColumns + `, n.signed_in_at, n.last_seen_at, n.expires_at
	FROM staff_sessions n JOIN staff s ON s.id = n.staff_id
	WHERE n.hash = $1 AND s.realm = $2 AND s.disabled = FALSE`

	selectStaffReset = `
	SELECT ` + staffColumns + `
	FROM staff_links l JOIN staff s ON s.id = l.staff_id
	WHERE l.hash = $1 AND l.purpose = 'reset' AND l.expires_at > $2 AND s.realm = $3 AND s.disabled = FALSE`

	proveStaffPassword = `UPDATE staff SET password_hash = $3 WHERE id = $1 AND password_hash = $2 AND disabled = FALSE`
	setStaffPassword   = `UPDATE staff SET password_hash = $2 WHERE id = $1 AND disabled = FALSE`

	addStaffSession  = `INSERT INTO staff_sessions (hash, staff_id, signed_in_at, last_seen_at, expires_at) VALUES ($1, $2, $3, $3, $4)`
	seeStaffSession  = `UPDATE staff_sessions SET last_seen_at = $2 WHERE hash = $1 AND last_seen_at < $2`
	endStaffSession  = `DELETE FROM staff_sessions WHERE hash = $1 RETURNING staff_id`
	endOwnSession    = `DELETE FROM staff_sessions WHERE hash = $1 AND staff_id = $2`
	endStaffSessions = `DELETE FROM staff_sessions WHERE staff_id = $1`

	knowStaffDevice = `
	INSERT INTO staff_devices (hash, staff_id, expires_at) VALUES ($1, $2, $3)
	ON CONFLICT (hash) DO UPDATE SET expires_at = excluded.expires_at WHERE staff_devices.staff_id = excluded.staff_id`
	forgetStaffDevices = `
	DELETE FROM staff_devices WHERE staff_id = $1 AND hash NOT IN
	  (SELECT hash FROM staff_devices WHERE staff_id = $1 ORDER BY expires_at DESC, hash LIMIT 10)`
	forgetOtherStaffDevices = `DELETE FROM staff_devices WHERE staff_id = $1 AND hash <> $2`

	saveStaffReset = `
	INSERT INTO staff_links (id, hash, purpose, staff_id, made_by, created_at, expires_at, vouches)
	VALUES ($1, $2, 'reset', $3, $4, $5, $6, $7)
	ON CONFLICT (staff_id) WHERE purpose = 'reset' DO UPDATE SET
	  id = excluded.id, hash = excluded.hash, made_by = excluded.made_by,
	  created_at = excluded.created_at, expires_at = excluded.expires_at, vouches = excluded.vouches`
	spendStaffReset = `
	DELETE FROM staff_links WHERE hash = $1 AND purpose = 'reset' AND staff_id = $2 AND expires_at > $3
	RETURNING vouches`
	vouchFor        = `UPDATE staff SET vouched_by = $2 WHERE id = $1`
	endStaffDevices = `DELETE FROM staff_devices WHERE staff_id = $1`
	endStaffReset   = `DELETE FROM staff_links WHERE purpose = 'reset' AND staff_id = $1`
)

// StaffCredential implements identity.StaffRows.
func (db *DB) StaffCredential(ctx context.Context, realm postern.Realm, foldedEmail string, device postern.Hash, now time.Time) (*identity.StaffCredential, error) {
	var c identity.StaffCredential
	staff, err := scanStaff(read{db}.row(ctx, selectStaffCredential, string(realm), foldedEmail, device[:], ms(now)),
		&c.PasswordHash, &c.KnownDevice)
	if err != nil {
		return nil, db.trouble(err)
	}
	c.Staff = *staff
	return &c, nil
}

// StaffSession implements identity.StaffRows.
func (db *DB) StaffSession(ctx context.Context, realm postern.Realm, session postern.Hash) (*postern.StaffSession, error) {
	var signedIn, lastSeen, expires int64
	staff, err := scanStaff(read{db}.row(ctx, selectStaffSession, session[:], string(realm)), &signedIn, &lastSeen, &expires)
	if err != nil {
		return nil, db.trouble(err)
	}
	return &postern.StaffSession{
		Hash: session, Staff: *staff,
		SignedIn: at(signedIn), LastSeen: at(lastSeen), ExpiresAt: at(expires),
	}, nil
}

// StaffReset implements identity.StaffRows.
func (db *DB) StaffReset(ctx context.Context, realm postern.Realm, reset postern.Hash, now time.Time) (*postern.Staff, error) {
	staff, err := scanStaff(read{db}.row(ctx, selectStaffReset, reset[:], ms(now), string(realm)))
	return staff, db.trouble(err)
}

// scanStaff reads staffColumns, and what the query has after them.
func scanStaff(row *sql.Row, more ...any) (*postern.Staff, error) {
	var s postern.Staff
	err := row.Scan(append([]any{&s.ID, &s.Realm, &s.Email, &s.Name, &s.Disabled, &s.Vouched}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errGone
	}
	if err != nil {
		return nil, err
	}
	return &s, nil
}

// SaveStaffSession implements identity.StaffRows.
func (db *DB) SaveStaffSession(ctx context.Context, s identity.NewSession) error {
	return db.write(ctx, func(t *tx) error { return ofStaff.signIn(ctx, t, s) })
}

// SaveStaffPassword implements identity.StaffRows.
func (db *DB) SaveStaffPassword(ctx context.Context, asked postern.Hash, s identity.NewSession) error {
	return db.write(ctx, func(t *tx) error { return ofStaff.changePassword(ctx, t, asked, s) })
}

// SeeStaffSession implements identity.StaffRows.
func (db *DB) SeeStaffSession(ctx context.Context, session postern.Hash, now time.Time) error {
	return db.write(ctx, func(t *tx) error { return ofStaff.see(ctx, t, session, now) })
}

// EndStaffSession implements identity.StaffRows.
func (db *DB) EndStaffSession(ctx context.Context, session postern.Hash, now time.Time) error {
	return db.write(ctx, func(t *tx) error { return ofStaff.signOut(ctx, t, session, now) })
}

// SaveStaffReset implements identity.StaffRows.
func (db *DB) SaveStaffReset(ctx context.Context, l identity.NewLink, staffID, actor string) error {
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, saveStaffReset, l.ID, l.Hash[:], staffID, actor, ms(l.Now), ms(l.Expires), string(l.Vouches)); err != nil {
			return err
		}
		if err := putMails(ctx, t, l.Mails); err != nil {
			return err
		}
		return audit(ctx, t, auditRow{At: l.Now, Actor: actor, Action: "password.reset_made", Object: "staff:" + staffID, Address: l.Address})
	})
}

// signOutStaff ends whatever lets somebody in without the password.
func signOutStaff(ctx context.Context, t *tx, staffID string) error {
	for _, query := range []string{endStaffSessions, endStaffDevices, endStaffReset} {
		if _, err := t.exec(ctx, query, staffID); err != nil {
			return err
		}
	}
	return nil
}

// SpendStaffReset implements identity.StaffRows.
func (db *DB) SpendStaffReset(ctx context.Context, reset postern.Hash, p identity.NewPassword) error {
	return db.write(ctx, func(t *tx) error {
		if err := mustChange(t.exec(ctx, setStaffPassword, p.UserID, p.PasswordHash)); err != nil {
			return err
		}
		var vouches string
		err := t.row(ctx, spendStaffReset, reset[:], p.UserID, ms(p.Now)).Scan(&vouches)
		if errors.Is(err, sql.ErrNoRows) {
			return errGone
		}
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, vouchFor, p.UserID, vouches); err != nil {
			return err
		}
		return ofStaff.useReset(ctx, t, p)
	})
}

const (
	purgeStaffSessions = `
	DELETE FROM staff_sessions WHERE hash IN (SELECT hash FROM staff_sessions WHERE expires_at <= $1 LIMIT $2)`
	purgeStaffDevices = `
	DELETE FROM staff_devices WHERE hash IN (SELECT hash FROM staff_devices WHERE expires_at <= $1 LIMIT $2) AND expires_at <= $1`
	purgeStaffLinks = `
	DELETE FROM staff_links WHERE id IN (SELECT id FROM staff_links WHERE expires_at <= $1 LIMIT $2) AND expires_at <= $1`
)
