package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// An app is read with its partner and its secrets in one statement: a row for
// each secret, the app's columns the same in all of them.
const (
	appColumns = `
	r.value, a.id, a.partner_id, p.name, a.name, a.description, a.url, a.logo_url, a.dialect, a.also, a.level,
	a.attributes, a.redirect_urls, a.webhook_url, a.scopes, a.default_scopes, a.grants, a.connect_roles,
	a.iss, a.public, a.disabled, a.jwks, a.access_token_format, a.review, p.disabled,
	COALESCE(s.id, ''), COALESCE(s.name, ''), s.hash, COALESCE(s.hint, ''), COALESCE(s.created_at, 0), COALESCE(s.expires_at, 0), s.sealed`

	appTables = `
	FROM apps a
	JOIN counters r ON r.name = 'registry_version'
	JOIN partners p ON p.id = a.partner_id
	LEFT JOIN app_secrets s ON s.app_id = a.id
	WHERE a.removed_at = 0 AND p.removed_at = 0 AND `

	selectApp         = `SELECT ` + appColumns + appTables + `a.id = $1`
	selectPartnerApps = `SELECT ` + appColumns + appTables + `a.partner_id = $1 ORDER BY a.name, a.id`

	// What a request for a token asks for beside its app: the registry's version,
	// which says whether the app in memory is that of the rows, and the code or the
	// token, if there is one.
	selectRegistry         = `SELECT value FROM counters WHERE name = 'registry_version'`
	selectRegistryAndCode  = `SELECT r.value, ` + codeColumns + ` FROM counters r` + codeTables + ` WHERE r.name = 'registry_version'`
	selectRegistryAndToken = `SELECT r.value, ` + tokenColumns + ` FROM counters r` + tokenTables + ` WHERE r.name = 'registry_version'`

	// To the minute: a secret in constant use is not written again and again.
	useSecret = `UPDATE app_secrets SET last_used_at = $2 WHERE id = $1 AND last_used_at <= $3`

	selectAPI = `SELECT id, name, secret_hash, disabled FROM apis WHERE id = $1`
)

// App implements oauth.Store.
func (db *DB) App(ctx context.Context, clientID string) (*postern.App, error) {
	return db.appBeside(ctx, clientID, selectRegistry, nil)
}

// AppAndCode implements oauth.Store.
func (db *DB) AppAndCode(ctx context.Context, clientID string, code postern.Hash) (*postern.App, *postern.Code, error) {
	var c codeRow
	app, err := db.appBeside(ctx, clientID, selectRegistryAndCode, c.fields(), code[:])
	if err != nil || c.hash == nil {
		return app, nil, err
	}
	found, err := c.code()
	return app, found, db.trouble(err)
}

// AppAndToken implements oauth.Store.
func (db *DB) AppAndToken(ctx context.Context, clientID string, token postern.Hash) (*postern.App, *postern.Token, error) {
	var t tokenRow
	app, err := db.appBeside(ctx, clientID, selectRegistryAndToken, t.fields(), token[:])
	if err != nil || t.hash == nil {
		return app, nil, err
	}
	found, err := t.token()
	return app, found, db.trouble(err)
}

// appBeside runs a statement that begins with the registry's version, scans what
// follows it, and gives the app as the rows have it.
func (db *DB) appBeside(ctx context.Context, clientID, query string, beside []any, args ...any) (*postern.App, error) {
	var version int64
	if err := (read{db}).row(ctx, query, args...).Scan(append([]any{&version}, beside...)...); err != nil {
		return nil, db.missing(err, "app")
	}
	return db.appAt(ctx, clientID, version)
}

// appAt gives an app as the rows have it, by the registry's version that was just
// read.
func (db *DB) appAt(ctx context.Context, clientID string, version int64) (*postern.App, error) {
	if app := db.known.get(clientID, version); app != nil {
		return app, nil
	}
	app, err := db.readApp(ctx, clientID)
	if err != nil {
		return nil, err
	}
	db.known.put(app)
	return app, nil
}

// readApp reads an app and the registry's version at that moment.
func (db *DB) readApp(ctx context.Context, clientID string) (*postern.App, error) {
	list, err := db.readApps(ctx, selectApp, clientID)
	if err != nil {
		return nil, db.missing(err, "app")
	}
	if len(list) == 0 {
		return nil, notFound("app")
	}
	return &list[0], nil
}

// readApps reads apps, the rows of each one after another.
func (db *DB) readApps(ctx context.Context, query, key string) (list []postern.App, err error) {
	err = each(ctx, read{db}, func(row scanner) error {
		var a appRow
		if err := row.Scan(a.fields()...); err != nil {
			return err
		}
		if n := len(list); n == 0 || list[n-1].ID != a.a.ID {
			app, err := a.app()
			if err != nil {
				return err
			}
			list = append(list, *app)
		}
		if app := &list[len(list)-1]; a.secret.ID != "" {
			app.Secrets = append(app.Secrets, a.appSecret())
		}
		return nil
	}, query, key)
	return list, err
}

// appRow is where a row of appColumns is scanned to.
type appRow struct {
	a                                    postern.App
	also, level, attributes, urls        string
	scopes, defaults, grants, roles, iss string
	partnerOff                           bool
	secret                               postern.AppSecret
	secretHash                           []byte
	secretCreated, secretExpires         int64
}

func (r *appRow) fields() []any {
	a, s := &r.a, &r.secret
	return append(make([]any, 0, 64),
		&a.Version, &a.ID, &a.Partner.ID, &a.Partner.Name, &a.Name, &a.Description, &a.URL, &a.LogoURL, &a.Dialect, &r.also, &r.level,
		&r.attributes, &r.urls, &a.WebhookURL, &r.scopes, &r.defaults, &r.grants, &r.roles,
		&r.iss, &a.Public, &a.Disabled, &a.JWKS, &a.AccessTokenFormat, &a.Review, &r.partnerOff,
		&s.ID, &s.Name, &r.secretHash, &s.Hint, &r.secretCreated, &r.secretExpires, &s.Sealed)
}

func (r *appRow) app() (*postern.App, error) {
	a := &r.a
	a.Also, a.RedirectURLs = split(r.also), split(r.urls)
	a.Scopes, a.DefaultScopes = split(r.scopes), split(r.defaults)
	a.Grants, a.ConnectRoles = split(r.grants), split(r.roles)
	a.Level = postern.Level(r.level)
	if r.iss != "" {
		yes := r.iss == "true"
		a.ISS = &yes
	}
	a.Partner.Disabled = r.partnerOff
	a.Disabled = a.Disabled || r.partnerOff
	var err error
	a.Attributes, err = attributes(r.attributes)
	return a, err
}

func (r *appRow) appSecret() postern.AppSecret {
	s := r.secret
	s.Hash = hashOf(r.secretHash)
	s.CreatedAt, s.ExpiresAt = at(r.secretCreated), at(r.secretExpires)
	return s
}

// SaveSecretUses implements oauth.Store.
func (db *DB) SaveSecretUses(ctx context.Context, uses []oauth.SecretUse) error {
	return db.write(ctx, func(t *tx) error {
		for _, u := range uses {
			if _, err := t.exec(ctx, useSecret, u.SecretID, ms(u.At), ms(u.At.Add(-time.Minute))); err != nil {
				return err
			}
		}
		return nil
	})
}

// API implements oauth.Store.
func (db *DB) API(ctx context.Context, id string) (*postern.API, error) {
	var a postern.API
	var hash []byte
	err := read{db}.row(ctx, selectAPI, id).Scan(&a.ID, &a.Name, &hash, &a.Disabled)
	if err != nil {
		return nil, db.missing(err, "API")
	}
	a.SecretHash = hashOf(hash)
	return &a, nil
}

func notFound(what string) error {
	return postern.Errorf(postern.NotFound, "There is no such %s.", postern.Sentence{Text: what})
}

// missing turns "no rows", and what no row can hold, into NotFound and
// classifies the rest.
func (db *DB) missing(err error, what string) error {
	if errors.Is(err, sql.ErrNoRows) || db.engine.isForeign(err) {
		return notFound(what)
	}
	return db.trouble(err)
}

func hashOf(b []byte) (h postern.Hash) {
	copy(h[:], b)
	return h
}

// attributes reads a JSON object of texts; most rows have none.
func attributes(text string) (map[string]string, error) {
	if text == "" || text == "{}" {
		return nil, nil
	}
	var m map[string]string
	err := json.Unmarshal([]byte(text), &m)
	return m, err
}

func attributesText(m map[string]string) (string, error) {
	if len(m) == 0 {
		return "", nil
	}
	b, err := json.Marshal(m)
	return string(b), err
}
