package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
)

const (
	// lockRegistry makes applies follow one another.
	lockRegistry = `UPDATE counters SET value = value + 1 WHERE name = 'registry'`

	putScope = `
	INSERT INTO scopes (name, description, position)
	VALUES ($1, $2, (SELECT COALESCE(MAX(position), 0) + 1 FROM scopes))
	ON CONFLICT (name) DO UPDATE SET description = excluded.description`
	putEventType = `
	INSERT INTO event_types (type, description, scope) VALUES ($1, $2, $3)
	ON CONFLICT (type) DO UPDATE SET description = excluded.description, scope = excluded.scope`

	putAccount = `
	INSERT INTO accounts (id, handle, name, number, attributes, disabled, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7)
	ON CONFLICT (id) DO UPDATE SET handle = excluded.handle, name = excluded.name,
	  attributes = excluded.attributes, disabled = excluded.disabled
	WHERE accounts.removed_at = 0`

	putUser = `
	INSERT INTO users (id, email, email_folded, name, number, nickname, attributes, password_hash, declared_password, disabled, created_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
	ON CONFLICT (id) DO UPDATE SET email = excluded.email, email_folded = excluded.email_folded, name = excluded.name,
	  nickname = excluded.nickname, attributes = excluded.attributes, password_hash = excluded.password_hash,
	  declared_password = excluded.declared_password, disabled = excluded.disabled
	WHERE users.removed_at = 0`
	reserveNickname = `
	INSERT INTO nicknames (folded, user_id) VALUES ($1, $2)
	ON CONFLICT (folded) DO UPDATE SET folded = excluded.folded WHERE nicknames.user_id = excluded.user_id`
	putMembership = `
	INSERT INTO memberships (account_id, user_id, role, created_at) VALUES ($1, $2, $3, $4)
	ON CONFLICT (account_id, user_id) DO UPDATE SET role = excluded.role`

	putPartner = `
	INSERT INTO partners (id, name, disabled, created_at) VALUES ($1, $2, $3, $4)
	ON CONFLICT (id) DO UPDATE SET name = excluded.name, disabled = excluded.disabled,
	  waiting_since = CASE WHEN excluded.disabled THEN partners.waiting_since ELSE 0 END,
	  refusal = CASE WHEN excluded.disabled THEN partners.refusal ELSE '' END
	WHERE partners.removed_at = 0`
	appsOfPartner = `SELECT id FROM apps WHERE partner_id = $1 AND removed_at = 0 ORDER BY id`

	putMember = `
	INSERT INTO staff (id, realm, email, email_folded, name, password_hash, declared_password, disabled, created_at, vouched_by)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
	ON CONFLICT (id) DO UPDATE SET email = excluded.email, email_folded = excluded.email_folded, name = excluded.name,
	  password_hash = excluded.password_hash, declared_password = excluded.declared_password, disabled = excluded.disabled,
	  vouched_by = excluded.vouched_by`
	dropPartnerRoles = `DELETE FROM partner_members WHERE staff_id = $1`
	putPartnerRole   = `INSERT INTO partner_members (partner_id, staff_id, role, created_at) VALUES ($1, $2, $3, $4)`

	putApp = `
	INSERT INTO apps (id, partner_id, name, description, url, logo_url, dialect, also, level, attributes, redirect_urls,
	  webhook_url, webhook_secret, scopes, default_scopes, grants, connect_roles, iss, public, disabled, secrets_digest,
	  created_at, jwks, access_token_format, changed_at)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23, $24, 0)
	ON CONFLICT (id) DO UPDATE SET name = excluded.name, description = excluded.description, url = excluded.url,
	  logo_url = excluded.logo_url, dialect = excluded.dialect, also = excluded.also, level = excluded.level,
	  attributes = excluded.attributes, redirect_urls = excluded.redirect_urls, webhook_url = excluded.webhook_url,
	  webhook_secret = excluded.webhook_secret, scopes = excluded.scopes, default_scopes = excluded.default_scopes,
	  grants = excluded.grants, connect_roles = excluded.connect_roles, iss = excluded.iss, public = excluded.public,
	  disabled = excluded.disabled, secrets_digest = excluded.secrets_digest, jwks = excluded.jwks,
	  access_token_format = excluded.access_token_format
	WHERE apps.removed_at = 0 AND apps.partner_id = excluded.partner_id`
	seeAppAnew = `UPDATE apps SET changed_at = $2 WHERE id = $1`
	putSecret  = `INSERT INTO app_secrets (id, app_id, name, hash, hint, created_at, expires_at, sealed, last_used_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`

	dropAliases = `DELETE FROM app_ids WHERE app_id = $1`
	putAlias    = `INSERT INTO app_ids (app_id, attribute, value) VALUES ($1, $2, $3)`

	putAPI = `
	INSERT INTO apis (id, name, secret_hash, disabled, created_at) VALUES ($1, $2, $3, $4, $5)
	ON CONFLICT (id) DO UPDATE SET name = excluded.name, secret_hash = excluded.secret_hash, disabled = excluded.disabled`
)

// ApplyRegistry implements registry.Store.
func (db *DB) ApplyRegistry(ctx context.Context, m *registry.Mentions, now time.Time, decide func(*registry.State) (*registry.Writes, error)) error {
	return db.write(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, lockRegistry); err != nil {
			return err
		}
		state, err := readState(ctx, t, m, db.engine.forRow)
		if err != nil {
			return err
		}
		writes, err := decide(state)
		if err != nil {
			return err
		}
		return (&registryWriter{ctx: ctx, t: t, now: now, actor: cmp.Or(writes.Actor, "operator"), address: writes.Address}).all(writes)
	})
}

// registryWriter makes the writes of an apply. The first error ends it. What
// holds the lock of the change sequence comes last: connections that end, and
// the changes.
type registryWriter struct {
	ctx     context.Context
	t       *tx
	now     time.Time
	actor   string
	address string
	changes []changed
	err     error
}

type changed struct{ kind, key string }

func (w *registryWriter) all(writes *registry.Writes) error {
	w.putCatalogue(writes)
	w.putPeople(writes)
	w.putPartners(writes)
	w.putLooks(writes)
	w.dropQuietly(writes)
	for _, a := range writes.Audit {
		if w.err == nil {
			w.err = audit(w.ctx, w.t, auditRow{At: w.now, Actor: w.actor, Action: a.Action, Object: a.Object, Detail: a.Detail, Address: w.address})
		}
	}
	if w.err == nil {
		w.err = putMails(w.ctx, w.t, writes.Mails)
	}
	w.dropWithConnections(writes)
	for _, c := range w.changes {
		if w.err == nil {
			w.err = change(w.ctx, w.t, c.kind, c.key, w.now)
		}
	}
	return w.err
}

func (w *registryWriter) exec(query string, args ...any) (rows int64) {
	if w.err == nil {
		rows, w.err = w.t.exec(w.ctx, query, args...)
	}
	return rows
}

// must is exec for a statement that finds its row, unless somebody else was
// there between our look and this.
func (w *registryWriter) must(query string, args ...any) {
	if rows := w.exec(query, args...); w.err == nil && rows == 0 {
		w.err = postern.Errorf(postern.Conflict, "Somebody else changed the same things at this moment, so nothing was written. Apply again.")
	}
}

// announce has memories of tokens forget what rests on an object. Nothing rests
// on a new one.
func (w *registryWriter) announce(kind, key string, isNew bool) {
	if !isNew {
		w.changes = append(w.changes, changed{kind, key})
	}
}

func (w *registryWriter) putCatalogue(writes *registry.Writes) {
	for _, s := range writes.Scopes {
		w.exec(putScope, s.Name, s.Description)
	}
	for _, e := range writes.Events {
		w.exec(putEventType, e.Type, e.Description, e.Scope)
	}
	for _, a := range writes.APIs {
		w.exec(putAPI, a.Row.ID, a.Row.Name, a.Row.SecretHash[:], a.Row.Disabled, ms(w.now))
		w.announce("api", a.Row.ID, a.New)
	}
}

func (w *registryWriter) attributes(m map[string]string) string {
	text, err := attributesText(m)
	if w.err == nil {
		w.err = err
	}
	return text
}

func (w *registryWriter) putPeople(writes *registry.Writes) {
	for _, p := range writes.Accounts {
		a := p.Row
		w.must(putAccount, a.ID, a.Handle, a.Name, a.Number, w.attributes(a.Attributes), a.Disabled, ms(w.now))
		w.announce("account", a.ID, p.New)
	}
	for _, p := range writes.Users {
		u := p.Row
		w.must(putUser, u.ID, u.Email, postern.FoldEmail(u.Email), u.Name, u.Number, u.Nickname, w.attributes(u.Attributes),
			u.PasswordHash, u.Declared, u.Disabled, ms(w.now))
		w.must(reserveNickname, postern.FoldNickname(u.Nickname), u.ID)
		for _, account := range slices.Sorted(maps.Keys(u.Roles)) {
			w.exec(putMembership, account, u.ID, u.Roles[account], ms(w.now))
		}
		w.announce("user", u.ID, p.New)
	}
	for _, user := range writes.EndSessions {
		w.signOut(user)
	}
}

// signOut ends whatever lets a person in without the password.
func (w *registryWriter) signOut(user string) {
	w.exec(endUsersSessions, user)
	w.exec(endUsersDevices, user)
	w.exec(endUsersReset, user)
}

const staffPassword = `SELECT password_hash FROM staff WHERE id = $1`

const endUsersDevices = `DELETE FROM devices WHERE user_id = $1`

func (w *registryWriter) putPartners(writes *registry.Writes) {
	for _, p := range writes.Partners {
		w.must(putPartner, p.Row.ID, p.Row.Name, p.Row.Disabled, ms(w.now))
		if p.New {
			continue
		}
		for _, app := range w.texts(appsOfPartner, p.Row.ID) { // they are off when it is
			w.announce("app", app, false)
		}
	}
	for _, p := range writes.Members {
		w.putStaff("partner", p.Row)
		w.exec(dropPartnerRoles, p.Row.ID)
		for _, partner := range slices.Sorted(maps.Keys(p.Row.Roles)) {
			w.exec(putPartnerRole, partner, p.Row.ID, p.Row.Roles[partner], ms(w.now))
		}
	}
	for _, p := range writes.Operators {
		w.putStaff("operator", p.Row)
	}
	for _, p := range writes.Apps {
		w.putApp(p)
	}
}

func (w *registryWriter) putStaff(realm string, s registry.Staff) {
	if had := w.texts(staffPassword, s.ID); w.err == nil && (s.Disabled || len(had) > 0 && had[0] != s.PasswordHash) {
		w.err = signOutStaff(w.ctx, w.t, s.ID)
	}
	w.exec(putMember, s.ID, realm, s.Email, postern.FoldEmail(s.Email), s.Name, s.PasswordHash, s.Declared, s.Disabled, ms(w.now), string(s.Vouched))
}

func (w *registryWriter) putApp(p registry.Put[registry.App]) {
	a := p.Row
	iss := ""
	if a.ISS != nil {
		iss = strconv.FormatBool(*a.ISS)
	}
	w.must(putApp, a.ID, a.Partner.ID, a.Name, a.Description, a.URL, a.LogoURL, a.Dialect, join(a.Also), string(a.Level),
		w.attributes(a.Attributes), join(a.RedirectURLs), a.WebhookURL, a.WebhookSecret, join(a.Scopes), join(a.DefaultScopes),
		join(a.Grants), join(a.ConnectRoles), iss, a.Public, a.Disabled, a.DeclaredSecrets, ms(w.now), a.JWKS, string(a.AccessTokenFormat))
	if p.Looks {
		w.exec(seeAppAnew, a.ID, ms(w.now))
	}
	w.putReview(a)
	w.exec(dropAliases, a.ID)
	for _, name := range slices.Sorted(maps.Keys(a.Attributes)) {
		if value := a.Attributes[name]; value != "" && len(value) <= longestAlias {
			w.exec(putAlias, a.ID, name, value)
		}
	}
	w.exec(dropSecrets, a.ID)
	for _, s := range a.Secrets {
		w.exec(putSecret, s.ID, a.ID, s.Name, s.Hash[:], s.Hint, ms(s.CreatedAt), endMS(s.ExpiresAt), s.Sealed, ms(s.LastUsedAt))
	}
	w.announce("app", a.ID, p.New)
}

// texts reads a column.
func (w *registryWriter) texts(query string, args ...any) (list []string) {
	if w.err == nil {
		list, w.err = column[string](w.ctx, w.t, query, args...)
	}
	return list
}
