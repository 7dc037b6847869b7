package store

import (
	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
)

// What is removed keeps its row, so that its id is never given again. Codes are
// voided before connections are looked for: an exchange under way holds its
// code's row, so it is either seen here or finds the code void.
const (
	dropScope     = `DELETE FROM scopes WHERE name = $1`
	dropEventType = `DELETE FROM event_types WHERE type = $1`
	dropAPI       = `DELETE FROM apis WHERE id = $1`
	dropStaff     = `DELETE FROM staff WHERE id = $1`

	dropPartner     = `UPDATE partners SET removed_at = $2 WHERE id = $1 AND removed_at = 0`
	dropMembersOf   = `DELETE FROM partner_members WHERE partner_id = $1`
	dropLoneMembers = `DELETE FROM staff WHERE realm = 'partner' AND id NOT IN (SELECT staff_id FROM partner_members)`

	dropApp          = `UPDATE apps SET removed_at = $2 WHERE id = $1 AND removed_at = 0`
	dropSecrets      = `DELETE FROM app_secrets WHERE app_id = $1`
	voidCodesOfApp   = `UPDATE codes SET spent_at = $2, outcome = 'void' WHERE app_id = $1 AND spent_at = 0`
	closeTicketsOf   = `UPDATE tickets SET answered_at = $2 WHERE app_id = $1 AND answered_at = 0`
	forgetConsentsOf = `DELETE FROM consents WHERE app_id = $1`
	connectionsOfApp = `SELECT id FROM connections WHERE app_id = $1 AND ended_at = 0 ORDER BY id`

	dropAccount          = `UPDATE accounts SET removed_at = $2 WHERE id = $1 AND removed_at = 0`
	dropMemberships      = `DELETE FROM memberships WHERE account_id = $1`
	voidCodesOfAccount   = `UPDATE codes SET spent_at = $2, outcome = 'void' WHERE account_id = $1 AND spent_at = 0`
	forgetConsentsFor    = `DELETE FROM consents WHERE account_id = $1`
	connectionsOfAccount = `SELECT id FROM connections WHERE account_id = $1 AND ended_at = 0 ORDER BY id`

	dropMembership     = `DELETE FROM memberships WHERE account_id = $1 AND user_id = $2`
	voidCodesOfMember  = `UPDATE codes SET spent_at = $3, outcome = 'void' WHERE account_id = $1 AND user_id = $2 AND spent_at = 0`
	forgetConsentsBy   = `DELETE FROM consents WHERE account_id = $1 AND user_id = $2`
	connectionsOfOwner = `SELECT id FROM connections WHERE account_id = $1 AND user_id = $2 AND ended_at = 0 ORDER BY id`

	// A removed user keeps the id and the nickname, and nothing else.
	dropUser = `
	UPDATE users SET removed_at = $2, email = '', email_folded = '', name = '', attributes = '{}', password_hash = '', declared_password = ''
	WHERE id = $1 AND removed_at = 0`
	closeTicketsBy = `UPDATE tickets SET answered_at = $2 WHERE user_id = $1 AND answered_at = 0`
)

// dropQuietly removes what no connection rests on.
func (w *registryWriter) dropQuietly(writes *registry.Writes) {
	for _, name := range writes.DropScopes {
		w.exec(dropScope, name)
	}
	for _, name := range writes.DropEvents {
		w.exec(dropEventType, name)
	}
	for _, id := range writes.DropAPIs {
		w.exec(dropAPI, id)
		w.announce("api", id, false)
	}
	for _, id := range writes.DropStaff {
		w.exec(dropPartnerRoles, id)
		w.exec(dropStaff, id)
		w.exec(endStaffSessions, id)
	}
	for _, id := range writes.DropPartners {
		w.must(dropPartner, id, ms(w.now))
		w.exec(dropMembersOf, id)
		w.exec(dropLoneMembers)
	}
	if len(writes.Members)+len(writes.DropStaff) > 0 {
		w.exec(takeBackOrphans)
	}
}

// dropWithConnections removes apps, accounts and users. All that was to be
// exchanged or answered ends first, then each connection with its event.
func (w *registryWriter) dropWithConnections(writes *registry.Writes) {
	for _, app := range writes.DropApps {
		w.must(dropApp, app, ms(w.now))
		w.exec(dropSecrets, app)
		w.exec(dropProposal, app)
		w.exec(dropLogo, app)
		w.exec(voidCodesOfApp, app, ms(w.now))
		w.exec(closeTicketsOf, app, ms(w.now))
		w.exec(forgetConsentsOf, app)
	}
	for _, account := range writes.DropAccounts {
		w.must(dropAccount, account, ms(w.now))
		w.exec(dropMemberships, account)
		w.exec(voidCodesOfAccount, account, ms(w.now))
		w.exec(forgetConsentsFor, account)
	}
	for _, l := range writes.Leave {
		w.must(dropMembership, l.AccountID, l.UserID)
		w.exec(voidCodesOfMember, l.AccountID, l.UserID, ms(w.now))
		w.exec(forgetConsentsBy, l.AccountID, l.UserID)
	}
	for _, app := range writes.DropApps {
		w.endConnections(postern.AppRemoved, connectionsOfApp, app)
		w.announce("app", app, false)
	}
	for _, account := range writes.DropAccounts {
		w.endConnections(postern.AccountRemoved, connectionsOfAccount, account)
		w.announce("account", account, false)
	}
	for _, l := range writes.Leave {
		w.endConnections(postern.UserRemoved, connectionsOfOwner, l.AccountID, l.UserID)
	}
	for _, user := range writes.DropUsers {
		w.must(dropUser, user, ms(w.now))
		w.exec(closeTicketsBy, user, ms(w.now))
		w.signOut(user)
		w.announce("user", user, false)
	}
}

func (w *registryWriter) endConnections(reason postern.EndReason, query string, args ...any) {
	for _, id := range w.texts(query, args...) {
		if w.err == nil {
			_, w.err = endConnection(w.ctx, w.t, id, reason, w.actor, w.now)
		}
	}
}
