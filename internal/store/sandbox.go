package store

import (
	"context"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/sandbox"
)

const (
	sandboxAccounts = `
	SELECT id, handle, name, number FROM accounts
	WHERE sandbox_of = $1 AND removed_at = 0 ORDER BY created_at, id`
	sandboxPeople = `
	SELECT m.account_id, u.id, u.email, u.name, u.nickname, u.disabled, m.role, s.sealed
	FROM accounts a JOIN memberships m ON m.account_id = a.id JOIN users u ON u.id = m.user_id
	  JOIN sandbox_passwords s ON s.user_id = u.id
	WHERE a.sandbox_of = $1 AND a.removed_at = 0 ORDER BY m.role, u.id`
	countSandboxes = `
	SELECT COUNT(CASE WHEN removed_at = 0 THEN 1 END), COUNT(CASE WHEN created_at > $2 THEN 1 END) FROM accounts WHERE sandbox_of = $1`
	lockPartner   = `UPDATE partners SET name = name WHERE id = $1 AND removed_at = 0`
	putSandbox    = `INSERT INTO accounts (id, handle, name, number, attributes, created_at, sandbox_of) VALUES ($1, $2, $3, $4, '{}', $5, $6)`
	keepPassword  = `INSERT INTO sandbox_passwords (user_id, sealed) VALUES ($1, $2)`
	dropPasswords = `DELETE FROM sandbox_passwords WHERE user_id IN (SELECT user_id FROM memberships WHERE account_id = $1)`
	// Those who were made with it. Others are guests, whom the operator let in.
	peopleOf = `
	SELECT user_id FROM memberships WHERE account_id = $1 AND user_id IN (SELECT user_id FROM sandbox_passwords) ORDER BY user_id`

	isSandbox    = `SELECT count(*) FROM accounts WHERE id = $1 AND sandbox_of = $2 AND removed_at = 0`
	switchPerson = `
	UPDATE users SET disabled = $3
	WHERE id = $1 AND removed_at = 0 AND EXISTS
	  (SELECT 1 FROM memberships m JOIN accounts a ON a.id = m.account_id JOIN sandbox_passwords s ON s.user_id = m.user_id
   WHERE m.user_id = $1 AND a.sandbox_of = $2)`
	connectionIsSandbox = `
	SELECT count(*) FROM connections c JOIN accounts a ON a.id = c.account_id WHERE c.id = $1 AND a.sandbox_of = $2 AND c.ended_at = 0`

	sandboxConnections = `
	SELECT c.id, c.number, c.app_id, c.account_id, c.user_id, c.scopes, c.created_at, c.created_by, c.last_used_at,
	  a.name, COALESCE(u.name, ''), COALESCE(u.email, ''), COALESCE(u.disabled, FALSE),
	  COALESCE((SELECT MAX(t.expires_at) FROM codes f JOIN tokens t ON t.family = f.hash
	            WHERE f.connection_id = c.id AND f.ended_at = 0 AND t.kind = 'access' AND t.ended_at = 0), 0)
	FROM connections c JOIN accounts a ON a.id = c.account_id LEFT JOIN users u ON u.id = c.created_by
	WHERE c.app_id = $2 AND c.ended_at = 0 AND a.sandbox_of = $1 ORDER BY c.created_at DESC, c.id`

	expireTokens = `
	UPDATE tokens SET expires_at = $2
	WHERE kind = 'access' AND ended_at = 0 AND expires_at > $2 AND family IN (SELECT hash FROM codes WHERE connection_id = $1)`

	letFail = `
	INSERT INTO sandbox_failures (app_id, remaining) VALUES ($1, $2)
	ON CONFLICT (app_id) DO UPDATE SET remaining = excluded.remaining`
	stillToFail = `SELECT COALESCE(SUM(remaining), 0) FROM sandbox_failures WHERE app_id = $1`
	failOne     = `UPDATE sandbox_failures SET remaining = remaining - 1 WHERE app_id = $1 AND remaining > 0`
)

// What happened moves back; what is not yet, or never, stays.
var (
	ageTokens = `
	UPDATE tokens SET issued_at = ` + older("issued_at") + `, expires_at = ` + older("expires_at") + `,
	  rotated_at = ` + older("rotated_at") + `, ended_at = ` + older("ended_at") + `
	WHERE family IN (SELECT hash FROM codes WHERE account_id = $1)`
	ageCodes = `
	UPDATE codes SET created_at = ` + older("created_at") + `, expires_at = ` + older("expires_at") + `, spent_at = ` + older("spent_at") + `,
	  live_until = ` + older("live_until") + `, last_used_at = ` + older("last_used_at") + `
	WHERE account_id = $1`
	ageConnections = `
	UPDATE connections SET created_at = ` + older("created_at") + `, last_used_at = ` + older("last_used_at") + `
	WHERE account_id = $1 AND ended_at = 0`
	ageConsents = `UPDATE consents SET given_at = ` + older("given_at") + ` WHERE account_id = $1`
)

// older is a time moved back by $2. It never comes to zero, which would say that
// it has not happened, or has no end: a token that has ended would live again.
func older(column string) string {
	return `CASE WHEN ` + column + ` <= 0 OR ` + column + ` >= 253402300799000 THEN ` + column + `
	  WHEN ` + column + ` > $2 THEN ` + column + ` - $2 ELSE 1 END`
}

// SandboxAccounts implements sandbox.Store.
func (db *DB) SandboxAccounts(ctx context.Context, partnerID string) ([]sandbox.Account, error) {
	list, err := collect(ctx, read{db}, func(row scanner) (sandbox.Account, error) {
		a := sandbox.Account{Account: postern.Account{SandboxOf: partnerID}}
		err := row.Scan(&a.ID, &a.Handle, &a.Name, &a.Number)
		a.WireID = a.ID
		return a, err
	}, sandboxAccounts, partnerID)
	if err != nil {
		return nil, err
	}
	err = each(ctx, read{db}, func(row scanner) error {
		var p sandbox.Person
		var account string
		err := row.Scan(&account, &p.ID, &p.Email, &p.Name, &p.Nickname, &p.Disabled, &p.Role, &p.Sealed)
		for i := range list {
			if list[i].ID == account {
				list[i].People = append(list[i].People, p)
			}
		}
		return err
	}, sandboxPeople, partnerID)
	return list, err
}

// MakeSandbox implements sandbox.Store.
func (db *DB) MakeSandbox(ctx context.Context, a *sandbox.Account, most, aDay int, act sandbox.Act) error {
	return db.write(ctx, func(t *tx) error {
		// The partner's row is locked, so that of many who make one at once each counts.
		if err := mustChange(t.exec(ctx, lockPartner, a.SandboxOf)); err != nil {
			return err
		}
		var have, today int
		if err := t.row(ctx, countSandboxes, a.SandboxOf, ms(act.Now.Add(-24*time.Hour))).Scan(&have, &today); err != nil {
			return err
		}
		switch {
		case have >= most:
			return sandbox.Full(have)
		case today >= aDay:
			return sandbox.Often()
		}
		w := &registryWriter{ctx: ctx, t: t, now: act.Now}
		w.exec(putSandbox, a.ID, a.Handle, a.Name, a.Number, ms(act.Now), a.SandboxOf)
		for _, p := range a.People {
			w.must(putUser, p.ID, p.Email, postern.FoldEmail(p.Email), p.Name, p.Number, p.Nickname, "{}", p.PasswordHash, "", false, ms(act.Now))
			w.must(reserveNickname, postern.FoldNickname(p.Nickname), p.ID)
			w.exec(putMembership, a.ID, p.ID, p.Role, ms(act.Now))
			w.exec(keepPassword, p.ID, p.Sealed)
		}
		if w.err != nil {
			return w.err
		}
		return auditSandbox(ctx, t, act, "sandbox.made", "account:"+a.ID)
	})
}

func auditSandbox(ctx context.Context, t *tx, act sandbox.Act, action, object string) error {
	return audit(ctx, t, auditRow{At: act.Now, Actor: act.Actor, Action: action, Object: object, Address: act.Address})
}

// ofSandbox refuses what is not of the partner's sandbox.
func ofSandbox(ctx context.Context, t *tx, query, id, partnerID string) error {
	var found int
	err := t.row(ctx, query, id, partnerID).Scan(&found)
	if err == nil && found == 0 {
		err = errGone
	}
	return err
}

// RemoveSandbox implements sandbox.Store.
func (db *DB) RemoveSandbox(ctx context.Context, partnerID, accountID string, act sandbox.Act) error {
	return db.write(ctx, func(t *tx) error {
		if err := ofSandbox(ctx, t, isSandbox, accountID, partnerID); err != nil {
			return err
		}
		w := &registryWriter{ctx: ctx, t: t, now: act.Now}
		people := w.texts(peopleOf, accountID)
		w.exec(dropPasswords, accountID)
		w.must(dropAccount, accountID, ms(act.Now))
		w.exec(dropMemberships, accountID)
		w.exec(voidCodesOfAccount, accountID, ms(act.Now))
		w.exec(forgetConsentsFor, accountID)
		for _, user := range people {
			w.must(dropUser, user, ms(act.Now))
			w.exec(closeTicketsBy, user, ms(act.Now))
			w.signOut(user)
		}
		if w.err == nil {
			w.err = auditSandbox(ctx, t, act, "sandbox.removed", "account:"+accountID)
		}
		w.endConnections(postern.AccountRemoved, connectionsOfAccount, accountID)
		if w.err != nil {
			return w.err
		}
		return change(ctx, t, "account", accountID, act.Now)
	})
}

// SwitchPerson implements sandbox.Store.
func (db *DB) SwitchPerson(ctx context.Context, partnerID, userID string, off bool, act sandbox.Act) error {
	return db.write(ctx, func(t *tx) error {
		if err := mustChange(t.exec(ctx, switchPerson, userID, partnerID, off)); err != nil {
			return err
		}
		action := "sandbox.person_on"
		if off {
			action = "sandbox.person_off"
			w := &registryWriter{ctx: ctx, t: t, now: act.Now}
			if w.signOut(userID); w.err != nil {
				return w.err
			}
		}
		if err := auditSandbox(ctx, t, act, action, "user:"+userID); err != nil {
			return err
		}
		return change(ctx, t, "user", userID, act.Now)
	})
}

// SandboxConnections implements sandbox.Store.
func (db *DB) SandboxConnections(ctx context.Context, partnerID, appID string) ([]sandbox.Connection, error) {
	return collect(ctx, read{db}, func(row scanner) (s sandbox.Connection, err error) {
		c, u := &s.Connection, &s.Approver
		var scopes string
		var made, used, until int64
		err = row.Scan(&c.ID, &c.Number, &c.AppID, &c.AccountID, &c.UserID, &scopes, &made, &c.CreatedBy, &used,
			&s.Account, &u.Name, &u.Email, &u.Disabled, &until)
		u.ID, c.Scopes, c.CreatedAt, c.LastUsedAt = c.CreatedBy, split(scopes), at(made), at(used)
		if s.Never = until >= forever; !s.Never {
			s.AccessUntil = at(until)
		}
		return s, err
	}, sandboxConnections, partnerID, appID)
}

// ExpireTokens implements sandbox.Store.
func (db *DB) ExpireTokens(ctx context.Context, partnerID, connectionID string, act sandbox.Act) error {
	return db.write(ctx, func(t *tx) error {
		if err := ofSandbox(ctx, t, connectionIsSandbox, connectionID, partnerID); err != nil {
			return err
		}
		if _, err := t.exec(ctx, expireTokens, connectionID, ms(act.Now)); err != nil {
			return err
		}
		if err := auditSandbox(ctx, t, act, "sandbox.tokens_expired", connectionID); err != nil {
			return err
		}
		return change(ctx, t, "connection", connectionID, act.Now)
	})
}

// EndSandboxConnection implements sandbox.Store.
func (db *DB) EndSandboxConnection(ctx context.Context, partnerID, connectionID string, act sandbox.Act) error {
	c, err := db.Connection(ctx, connectionID)
	if err != nil {
		return err
	}
	return db.write(ctx, func(t *tx) error {
		if err := ofSandbox(ctx, t, connectionIsSandbox, connectionID, partnerID); err != nil {
			return err
		}
		reason := postern.EndedByAccount
		if c.UserID != "" {
			reason = postern.EndedByUser
		}
		ended, err := disconnect(ctx, t, c, reason, act.Actor, act.Now)
		if err == nil && !ended {
			err = errGone
		}
		return err
	})
}

// MoveClock implements sandbox.Store.
func (db *DB) MoveClock(ctx context.Context, partnerID, accountID string, by time.Duration, act sandbox.Act) error {
	return db.write(ctx, func(t *tx) error {
		if err := ofSandbox(ctx, t, isSandbox, accountID, partnerID); err != nil {
			return err
		}
		for _, query := range []string{ageTokens, ageCodes, ageConnections, ageConsents} {
			if _, err := t.exec(ctx, query, accountID, by.Milliseconds()); err != nil {
				return err
			}
		}
		if err := auditSandbox(ctx, t, act, "sandbox.clock_moved", "account:"+accountID); err != nil {
			return err
		}
		return change(ctx, t, "account", accountID, act.Now)
	})
}

// FailWebhooks implements sandbox.Store.
func (db *DB) FailWebhooks(ctx context.Context, appID string, attempts int, act sandbox.Act) error {
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, letFail, appID, attempts); err != nil {
			return err
		}
		return auditSandbox(ctx, t, act, "sandbox.webhooks_fail", "app:"+appID)
	})
}

// WebhooksToFail implements sandbox.Store.
func (db *DB) WebhooksToFail(ctx context.Context, appID string) (n int, err error) {
	err = read{db}.row(ctx, stillToFail, appID).Scan(&n)
	return n, db.trouble(err)
}

// FailOnPurpose implements webhook.Store.
func (db *DB) FailOnPurpose(ctx context.Context, appID string) (bool, error) {
	var remaining int
	err := read{db}.row(ctx, stillToFail, appID).Scan(&remaining)
	if err != nil || remaining == 0 {
		return false, db.trouble(err)
	}
	return db.changed(ctx, failOne, appID)
}
