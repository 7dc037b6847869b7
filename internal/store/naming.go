package store

import (
	"context"
	"strings"
	"unicode/utf8"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// Where a dialect's requests do not name their client, something else in them
// does. A secret that two apps share names neither.
const (
	clientBySecret = `
	SELECT MIN(app_id) FROM app_secrets WHERE hash = $1
	HAVING COUNT(DISTINCT app_id) = 1`
	clientByCode  = `SELECT app_id FROM codes WHERE hash = $1`
	clientByToken = `SELECT app_id FROM tokens WHERE hash = $1`
	clientByAlias = `
	SELECT MIN(i.app_id) FROM app_ids i JOIN apps a ON a.id = i.app_id
	WHERE i.attribute = $1 AND i.value = $2 AND a.removed_at = 0
	HAVING COUNT(DISTINCT i.app_id) = 1`
)

// ClientOf implements oauth.Store.
func (db *DB) ClientOf(ctx context.Context, by oauth.NamedBy, hash postern.Hash) (string, error) {
	query := map[oauth.NamedBy]string{
		oauth.NamedBySecret: clientBySecret, oauth.NamedByCode: clientByCode, oauth.NamedByToken: clientByToken,
	}[by]
	var id string
	if err := (read{db}).row(ctx, query, hash[:]).Scan(&id); err != nil {
		return "", db.missing(err, "app")
	}
	return id, nil
}

// ClientByAlias implements oauth.Store.
func (db *DB) ClientByAlias(ctx context.Context, a oauth.Alias) (id string, err error) {
	if len(a.Value) > longestAlias || !utf8.ValidString(a.Value) || strings.ContainsRune(a.Value, 0) { // in no row
		return "", notFound("app")
	}
	if err := (read{db}).row(ctx, clientByAlias, a.Attr, a.Value).Scan(&id); err != nil {
		return "", db.missing(err, "app")
	}
	return id, nil
}

// longestAlias is the length in bytes of an attribute by which an app is found.
const longestAlias = 255

// An account is known by its id on the wire where it has one there, else by the
// product's.
const accountConnection = `
	SELECT c.id FROM connections c
	LEFT JOIN account_ids w ON w.dialect = $2 AND w.account_id = c.account_id
	WHERE c.app_id = $1 AND c.user_id = '' AND c.ended_at = 0 AND COALESCE(w.wire_id, c.account_id) = $3`

// AccountConnection implements oauth.Store.
func (db *DB) AccountConnection(ctx context.Context, appID, dialect, wireID string) (string, error) {
	var id string
	if err := (read{db}).row(ctx, accountConnection, appID, dialect, wireID).Scan(&id); err != nil {
		return "", db.missing(err, "connection")
	}
	return id, nil
}
