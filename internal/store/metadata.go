package store

import (
	"context"
	"slices"
)

const (
	selectDefaultScopes = `
	SELECT DISTINCT a.default_scopes FROM apps a JOIN partners p ON p.id = a.partner_id
	WHERE a.default_scopes <> '' AND a.removed_at = 0 AND NOT a.disabled AND p.removed_at = 0 AND NOT p.disabled`
	selectScopeNames = `SELECT name FROM scopes ORDER BY position, name`
)

// DefaultScopes are the scopes that some app asks for by default, in the
// operator's order: what metadata lists, since clients ask for
// all that is listed there.
func (db *DB) DefaultScopes(ctx context.Context) ([]string, error) {
	lists, err := db.texts(ctx, selectDefaultScopes)
	if err != nil {
		return nil, err
	}
	var used []string
	for _, list := range lists {
		used = append(used, split(list)...)
	}
	known, err := db.texts(ctx, selectScopeNames)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(known, func(name string) bool { return !slices.Contains(used, name) }), nil
}
