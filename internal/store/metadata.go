package store

import (
	"context"
	"slices"
	"strings"
)

const (
	selectDefaultScopes = `
	SELECT DISTINCT a.default_scopes FROM apps a JOIN partners p ON p.id = a.partner_id
	WHERE a.default_scopes <> '' AND a.removed_at = 0 AND NOT a.disabled AND p.removed_at = 0 AND NOT p.disabled
	  AND ' ' || a.dialect || ' ' || a.also || ' ' LIKE $1 ESCAPE '\'`
	selectScopeNames = `SELECT name FROM scopes ORDER BY position, name`
)

// DefaultScopes are the scopes that some app of a dialect asks for by default,
// in the operator's order. Metadata lists these alone, since there are clients
// that ask for all that is listed there.
func (db *DB) DefaultScopes(ctx context.Context, dialect string) ([]string, error) {
	lists, err := column[string](ctx, read{db}, selectDefaultScopes, "% "+strings.ReplaceAll(dialect, "_", `\_`)+" %")
	if err != nil {
		return nil, err
	}
	var used []string
	for _, list := range lists {
		used = append(used, split(list)...)
	}
	known, err := column[string](ctx, read{db}, selectScopeNames)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(known, func(name string) bool { return !slices.Contains(used, name) }), nil
}
