package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

const (
	insertTicket = `
	INSERT INTO tickets (hash, browser, app_id, request, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)`
	// selectTicket reads the registry's version too, which says whether the app in
	// memory is that of the rows.
	selectTicket = `
	SELECT r.value, t.browser, t.app_id, t.user_id, t.request, t.created_at, t.expires_at, t.answered_at, COALESCE(l.hash, '')
	FROM tickets t
	JOIN counters r ON r.name = 'registry_version'
	LEFT JOIN apps a ON a.id = t.app_id
	LEFT JOIN logos l ON l.app_id = a.id AND l.url = a.logo_url
	WHERE t.hash = $1`
	bindTicket  = `UPDATE tickets SET user_id = $2 WHERE hash = $1 AND answered_at = 0 AND user_id IN ('', $2)`
	closeTicket = `UPDATE tickets SET answered_at = $2 WHERE hash = $1 AND answered_at = 0`
	// answerTicket decides who answers: the person it was shown to, once.
	answerTicket = `
	UPDATE tickets SET answered_at = $3 WHERE hash = $1 AND user_id = $2 AND answered_at = 0 AND expires_at > $3`

	// What an approval rests on, read in the transaction that makes the code.
	approvalRests = `
	SELECT a.redirect_urls, a.disabled OR a.removed_at <> 0 OR p.disabled OR p.removed_at <> 0
	FROM apps a JOIN partners p ON p.id = a.partner_id WHERE a.id = $1`
	approverRests = `
	SELECT count(*) FROM memberships m JOIN accounts ac ON ac.id = m.account_id JOIN users u ON u.id = m.user_id
	WHERE m.account_id = $1 AND m.user_id = $2 AND m.role = $3
	  AND NOT ac.disabled AND ac.removed_at = 0 AND NOT u.disabled AND u.removed_at = 0`

	fixNickname  = `UPDATE users SET wire_nickname = nickname WHERE id = $1 AND wire_nickname = ''`
	insertWireID = `INSERT INTO account_ids (dialect, account_id, wire_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING`
	insertCode   = `
	INSERT INTO codes (hash, dialect, app_id, account_id, user_id, level, redirect_uri, sent_uri, challenge, scopes, second_scopes, kept,
	                   created_at, expires_at, live_until)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`
	rememberConsent = `
	INSERT INTO consents (account_id, app_id, user_id, scopes, second, given_at) VALUES ($1, $2, $3, $4, $5, $6)
	ON CONFLICT (account_id, app_id, user_id) DO UPDATE SET scopes = excluded.scopes, second = excluded.second, given_at = excluded.given_at`
	selectConsent = `
	SELECT k.scopes, k.second FROM consents k JOIN apps a ON a.id = k.app_id
	WHERE k.account_id = $1 AND k.app_id = $2 AND k.user_id = $3 AND k.given_at > a.changed_at`
)

// keptSpent is how long a code outlives its end, so that a late presentation is
// told apart from a stranger's (attacks.md ST-08).
const keptSpent = 24 * time.Hour

// asked is a ticket as its row has it. State is kept as bytes, in place of the
// ticket's own text: an app may put any bytes into it, and JSON's texts cannot
// hold all of them.
type asked struct {
	postern.Ticket
	State []byte
}

// SaveTicket implements oauth.Store.
func (db *DB) SaveTicket(ctx context.Context, k *postern.Ticket) error {
	request, err := json.Marshal(asked{*k, []byte(k.State)})
	if err != nil {
		return db.trouble(err)
	}
	return db.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, insertTicket, k.Hash[:], k.Browser[:], k.AppID, string(request), ms(k.CreatedAt), ms(k.ExpiresAt))
		return err
	})
}

// Ticket implements oauth.Store.
func (db *DB) Ticket(ctx context.Context, ticket postern.Hash) (*postern.Ticket, *postern.App, error) {
	var row asked
	var browser []byte
	var appID, user, request, logo string
	var version, created, expires, answered int64
	err := read{db}.row(ctx, selectTicket, ticket[:]).Scan(&version, &browser, &appID, &user, &request, &created, &expires, &answered, &logo)
	if err != nil {
		return nil, nil, db.missing(err, "question")
	}
	if err := json.Unmarshal([]byte(request), &row); err != nil {
		return nil, nil, db.trouble(err)
	}
	k := row.Ticket
	k.State = string(row.State)
	k.Hash, k.Browser, k.AppID, k.UserID = ticket, hashOf(browser), appID, user
	k.CreatedAt, k.ExpiresAt, k.AnsweredAt = at(created), at(expires), at(answered)
	app, err := db.appAt(ctx, appID, version)
	if postern.Is(err, postern.NotFound) {
		return &k, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	app.LogoHash = logo
	return &k, app, nil
}

// BindTicket implements oauth.Store.
func (db *DB) BindTicket(ctx context.Context, ticket postern.Hash, userID string) error {
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, bindTicket, ticket[:], userID)
		if err == nil && n == 0 {
			err = postern.Errorf(postern.Forbidden, "This question was put to somebody else, or is answered.")
		}
		return err
	})
}

// CloseTicket implements oauth.Store.
func (db *DB) CloseTicket(ctx context.Context, ticket postern.Hash, now time.Time) error {
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, closeTicket, ticket[:], ms(now))
		if err == nil && n == 0 {
			err = alreadyAnswered
		}
		return err
	})
}

var alreadyAnswered = postern.Errorf(postern.Conflict, "This question is already answered.")

// Answer implements oauth.Store.
func (db *DB) Answer(ctx context.Context, a oauth.Answer) error {
	// A refusal is kept outside, so that the ticket closes all the same.
	var refused error
	err := db.write(ctx, func(t *tx) error {
		refused = nil
		n, err := t.exec(ctx, answerTicket, a.Ticket[:], a.UserID, ms(a.Now))
		if err == nil && n == 0 {
			err = alreadyAnswered
		}
		if err != nil {
			return err
		}
		act := auditRow{At: a.Now, Actor: "user:" + a.UserID, Action: "consent.denied", Object: "app:" + a.AppID, Address: a.Address}
		if a.Allow {
			if refused, err = db.stillStands(ctx, t, &a); err != nil || refused != nil {
				return err
			}
			act.Action, act.Detail = "consent.allowed", "account:"+a.AccountID
			if err := saveApproval(ctx, t, &a); err != nil {
				return err
			}
		}
		return audit(ctx, t, act)
	})
	if err == nil {
		err = refused
	}
	return err
}

// stillStands reads again what the approval rests on: pages may be minutes old.
func (db *DB) stillStands(ctx context.Context, t *tx, a *oauth.Answer) (refused, err error) {
	var urls string
	var off bool
	err = t.row(ctx, approvalRests+db.engine.forApp, a.AppID).Scan(&urls, &off)
	if errors.Is(err, sql.ErrNoRows) {
		off, err = true, nil
	}
	switch {
	case err != nil:
		return nil, err
	case off:
		return postern.Errorf(postern.InvalidClient, "The app is no longer active here."), nil
	case !slices.Contains(split(urls), a.RegisteredURI):
		return postern.Errorf(postern.RedirectMismatch, "The app has changed its redirect URL since it asked. Start again at the app."), nil
	}
	var members int
	if err := t.row(ctx, approverRests, a.AccountID, a.UserID, a.Role).Scan(&members); err != nil {
		return nil, err
	}
	if members == 0 {
		return postern.Errorf(postern.Forbidden, "Your place in this account has changed. Start again at the app."), nil
	}
	return nil, nil
}

func saveApproval(ctx context.Context, t *tx, a *oauth.Answer) error {
	if _, err := t.exec(ctx, fixNickname, a.UserID); err != nil {
		return err
	}
	if a.WireID != "" {
		if _, err := t.exec(ctx, insertWireID, a.Dialect, a.AccountID, a.WireID); err != nil {
			return err
		}
	}
	if a.Remember {
		if _, err := t.exec(ctx, rememberConsent, a.AccountID, a.AppID, a.UserID, join(a.Scopes), join(a.SecondScopes), ms(a.Now)); err != nil {
			return err
		}
	}
	kept, err := attributesText(a.Kept)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, insertCode, a.Code[:], a.Dialect, a.AppID, a.AccountID, a.UserID, string(a.Level),
		a.RedirectURI, a.SentURI, a.Challenge, join(a.Scopes), join(a.SecondScopes), kept, ms(a.Now), ms(a.CodeExpires), ms(a.CodeExpires))
	return err
}

// RememberedScopes implements oauth.Store.
func (db *DB) RememberedScopes(ctx context.Context, appID, accountID, userID string) (scopes, second []string, err error) {
	var first, other string
	if err := (read{db}).row(ctx, selectConsent, accountID, appID, userID).Scan(&first, &other); err != nil {
		return nil, nil, db.missing(err, "consent")
	}
	return split(first), split(other), nil
}
