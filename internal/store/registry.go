package store

import (
	"context"
	"slices"

	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
)

// Registry implements registry.Store.
func (db *DB) Registry(ctx context.Context, m *registry.Mentions) (s *registry.State, err error) {
	err = db.snapshot(ctx, func(q querier) error {
		s, err = readState(ctx, q, m, "")
		return err
	})
	return s, err
}

// snapshot has f read the rows as they are at one moment: an apply that goes on
// beside it is seen whole or not at all.
func (db *DB) snapshot(ctx context.Context, f func(q querier) error) error {
	t, err := db.reads.BeginTx(ctx, db.engine.snapshot)
	if err != nil {
		return db.trouble(err)
	}
	defer t.Rollback() // nothing was written
	return db.trouble(f(&tx{sql: t}))
}

// The statements that look for objects take keysAtOnce keys, so that each text
// is compiled once. A last group is filled up with its last key.
const (
	keysAtOnce = 32
	keys       = `($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
	               $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32)`

	accountState     = `SELECT id, handle, name, number, attributes, disabled, removed_at <> 0 FROM accounts WHERE `
	accountsByID     = accountState + `id IN ` + keys
	accountsByName   = accountState + `name IN ` + keys
	accountsByHandle = accountState + `handle <> '' AND lower(handle) IN ` + keys

	userState = `
	SELECT id, email, name, number, nickname, wire_nickname, attributes, password_hash, declared_password, disabled, removed_at <> 0
	FROM users WHERE `
	usersByID     = userState + `id IN ` + keys
	usersByEmail  = userState + `removed_at = 0 AND email_folded IN ` + keys
	rolesOfUsers  = `SELECT user_id, account_id, role FROM memberships WHERE user_id IN ` + keys
	nicknameOwner = `SELECT folded, user_id FROM nicknames WHERE folded IN ` + keys

	partnerState   = `SELECT id, name, disabled, registered, removed_at <> 0 FROM partners WHERE `
	partnersByID   = partnerState + `id IN ` + keys
	partnersByName = partnerState + `name IN ` + keys

	appState = `
	SELECT id, partner_id, name, description, url, logo_url, dialect, also, level, attributes, redirect_urls, webhook_url,
	       webhook_secret, scopes, default_scopes, grants, connect_roles, iss, public, disabled, jwks, access_token_format, secrets_digest, removed_at <> 0
	FROM apps WHERE `
	appsByID      = appState + `id IN ` + keys
	appsByPartner = appState + `partner_id IN ` + keys
	secretsOfApps = `SELECT app_id, id, name, hash, hint, sealed, created_at, expires_at, last_used_at FROM app_secrets WHERE app_id IN ` + keys + ` ORDER BY created_at, id`

	apiState   = `SELECT id, name, secret_hash, disabled FROM apis WHERE `
	apisByID   = apiState + `id IN ` + keys
	apisByName = apiState + `name IN ` + keys

	staffState       = `SELECT id, email, name, password_hash, declared_password, disabled, vouched_by FROM staff WHERE `
	membersByEmail   = staffState + `realm = 'partner' AND email_folded IN ` + keys
	operatorsByEmail = staffState + `realm = 'operator' AND email_folded IN ` + keys
	rolesOfMembers   = `SELECT staff_id, partner_id, role FROM partner_members WHERE staff_id IN ` + keys

	allEventTypes = `SELECT type, description, scope FROM event_types ORDER BY type`
	allScopeUses  = `SELECT id, scopes FROM apps WHERE removed_at = 0 AND scopes <> '' ORDER BY id`
)

// stateReader reads a registry.State. The first error ends it.
type stateReader struct {
	ctx  context.Context
	q    querier
	lock string // after the statements that read objects: keeps them as they are
	err  error
}

func readState(ctx context.Context, q querier, m *registry.Mentions, lock string) (*registry.State, error) {
	r := &stateReader{ctx: ctx, q: q, lock: lock}
	s := &registry.State{Nicknames: map[string]string{}}
	r.catalogue(s, m)
	r.accounts(s, m)
	r.users(s, m)
	r.partners(s, m)
	r.apps(s, m)
	if m.Owners {
		r.owners(s)
	}
	if m.Names {
		r.names(s)
	}
	r.apis(s, m)
	if m.Staff != "" {
		r.memberOf(s, m.Staff)
	}
	s.Members = r.staff(membersByEmail, m.Members)
	s.Operators = r.staff(operatorsByEmail, m.Operators)
	r.memberRoles(s.Members)
	return s, r.err
}

// look runs a statement of keys for all the keys, in one order, so that two
// who lock never wait for each other.
func (r *stateReader) look(query string, wanted []string, scan func(scanner) error) {
	wanted = slices.Compact(slices.Sorted(slices.Values(wanted)))
	for group := range slices.Chunk(wanted, keysAtOnce) {
		r.all(query, scan, filledUp(group)...)
	}
}

// filledUp are a group of keys as the parameters of a statement.
func filledUp(group []string) []any {
	args := make([]any, keysAtOnce)
	for i := range args {
		args[i] = group[min(i, len(group)-1)]
	}
	return args
}

func (r *stateReader) all(query string, scan func(scanner) error, args ...any) {
	if r.err == nil {
		r.err = each(r.ctx, r.q, scan, query, args...)
	}
}

func (r *stateReader) catalogue(s *registry.State, m *registry.Mentions) {
	r.all(selectScopes, func(row scanner) error {
		var scope postern.Scope
		err := row.Scan(&scope.Name, &scope.Description)
		s.Scopes = append(s.Scopes, scope)
		return err
	})
	r.all(allEventTypes, func(row scanner) error {
		var e registry.EventType
		err := row.Scan(&e.Type, &e.Description, &e.Scope)
		s.Events = append(s.Events, e)
		return err
	})
	if !m.ScopeUses {
		return
	}
	s.ScopeUses = map[string][]string{}
	r.all(allScopeUses, func(row scanner) error {
		var app, scopes string
		err := row.Scan(&app, &scopes)
		for _, scope := range split(scopes) {
			s.ScopeUses[scope] = append(s.ScopeUses[scope], app)
		}
		return err
	})
}

func (r *stateReader) accounts(s *registry.State, m *registry.Mentions) {
	seen := map[string]bool{}
	scan := func(row scanner) error {
		var a registry.Account
		var attrs string
		err := row.Scan(&a.ID, &a.Handle, &a.Name, &a.Number, &attrs, &a.Disabled, &a.Removed)
		if err != nil || seen[a.ID] {
			return err
		}
		seen[a.ID] = true
		a.Attributes, err = attributes(attrs)
		s.Accounts = append(s.Accounts, a)
		return err
	}
	r.look(accountsByID+r.lock, m.Accounts, scan)
	r.look(accountsByName+r.lock, m.AccountNames, scan)
	r.look(accountsByHandle+r.lock, m.Handles, scan)
}

func (r *stateReader) users(s *registry.State, m *registry.Mentions) {
	index := map[string]int{}
	var ids []string
	scan := func(row scanner) error {
		u := registry.User{Roles: map[string]string{}}
		var attrs string
		err := row.Scan(&u.ID, &u.Email, &u.Name, &u.Number, &u.Nickname, &u.WireNickname, &attrs,
			&u.PasswordHash, &u.Declared, &u.Disabled, &u.Removed)
		if _, seen := index[u.ID]; err != nil || seen {
			return err
		}
		index[u.ID] = len(s.Users)
		ids = append(ids, u.ID)
		u.Attributes, err = attributes(attrs)
		s.Users = append(s.Users, u)
		return err
	}
	r.look(usersByID+r.lock, m.Users, scan)
	r.look(usersByEmail+r.lock, m.Emails, scan)
	r.look(rolesOfUsers, ids, func(row scanner) error {
		var user, account, role string
		err := row.Scan(&user, &account, &role)
		if err == nil {
			s.Users[index[user]].Roles[account] = role
		}
		return err
	})
	r.look(nicknameOwner, m.Nicknames, func(row scanner) error {
		var folded, user string
		err := row.Scan(&folded, &user)
		s.Nicknames[folded] = user
		return err
	})
}

func (r *stateReader) partners(s *registry.State, m *registry.Mentions) {
	seen := map[string]bool{}
	scan := func(row scanner) error {
		var p registry.Partner
		err := row.Scan(&p.ID, &p.Name, &p.Disabled, &p.Registered, &p.Removed)
		if err == nil && !seen[p.ID] {
			seen[p.ID] = true
			s.Partners = append(s.Partners, p)
		}
		return err
	}
	r.look(partnersByID+r.lock, m.Partners, scan)
	r.look(partnersByName+r.lock, m.PartnerNames, scan)
}

func (r *stateReader) apps(s *registry.State, m *registry.Mentions) {
	index := map[string]int{}
	var ids, partners []string
	scan := func(row scanner) error {
		a, err := scanAppState(row)
		if err != nil {
			return err
		}
		if _, seen := index[a.ID]; !seen {
			index[a.ID] = len(s.Apps)
			ids = append(ids, a.ID)
			s.Apps = append(s.Apps, *a)
		}
		return nil
	}
	for _, p := range s.Partners {
		partners = append(partners, p.ID)
	}
	r.look(appsByID+r.lock, m.Apps, scan)
	r.look(appsByPartner+r.lock, partners, scan)
	r.reviews(s, index, ids)
	r.look(secretsOfApps, ids, func(row scanner) error {
		var app string
		var secret postern.AppSecret
		var hash []byte
		var created, expires, used int64
		err := row.Scan(&app, &secret.ID, &secret.Name, &hash, &secret.Hint, &secret.Sealed, &created, &expires, &used)
		if err == nil {
			secret.Hash, secret.CreatedAt, secret.ExpiresAt, secret.LastUsedAt = hashOf(hash), at(created), at(expires), at(used)
			a := &s.Apps[index[app]]
			a.Secrets = append(a.Secrets, secret)
		}
		return err
	})
}

func scanAppState(row scanner) (*registry.App, error) {
	var a registry.App
	var also, level, attrs, urls, scopes, defaults, grants, roles, iss string
	err := row.Scan(&a.ID, &a.Partner.ID, &a.Name, &a.Description, &a.URL, &a.LogoURL, &a.Dialect, &also, &level, &attrs,
		&urls, &a.WebhookURL, &a.WebhookSecret, &scopes, &defaults, &grants, &roles, &iss, &a.Public, &a.Disabled, &a.JWKS,
		&a.AccessTokenFormat, &a.DeclaredSecrets, &a.Removed)
	if err != nil {
		return nil, err
	}
	a.Also, a.Level, a.RedirectURLs = split(also), postern.Level(level), split(urls)
	a.Scopes, a.DefaultScopes, a.Grants, a.ConnectRoles = split(scopes), split(defaults), split(grants), split(roles)
	if iss != "" {
		yes := iss == "true"
		a.ISS = &yes
	}
	a.Attributes, err = attributes(attrs)
	return &a, err
}

func (r *stateReader) apis(s *registry.State, m *registry.Mentions) {
	seen := map[string]bool{}
	scan := func(row scanner) error {
		var a registry.API
		var hash []byte
		err := row.Scan(&a.ID, &a.Name, &hash, &a.Disabled)
		if a.SecretHash = hashOf(hash); err == nil && !seen[a.ID] {
			seen[a.ID] = true
			s.APIs = append(s.APIs, a)
		}
		return err
	}
	r.look(apisByID+r.lock, m.APIs, scan)
	r.look(apisByName+r.lock, m.APINames, scan)
}

func (r *stateReader) staff(query string, emails []string) (list []registry.Staff) {
	r.look(query+r.lock, emails, func(row scanner) error {
		s := registry.Staff{Roles: map[string]string{}}
		err := row.Scan(&s.ID, &s.Email, &s.Name, &s.PasswordHash, &s.Declared, &s.Disabled, &s.Vouched)
		list = append(list, s)
		return err
	})
	return list
}

func (r *stateReader) memberOf(s *registry.State, staffID string) {
	r.all(selectMemberOf, func(row scanner) error {
		m, err := scanMember(row)
		if !m.Staff.Disabled {
			s.MemberOf = append(s.MemberOf, m)
		}
		return err
	}, staffID)
}

func (r *stateReader) memberRoles(members []registry.Staff) {
	of := map[string]map[string]string{}
	var ids []string
	for _, m := range members {
		of[m.ID] = m.Roles
		ids = append(ids, m.ID)
	}
	r.look(rolesOfMembers, ids, func(row scanner) error {
		var member, partner, role string
		err := row.Scan(&member, &partner, &role)
		if err == nil {
			of[member][partner] = role
		}
		return err
	})
}
