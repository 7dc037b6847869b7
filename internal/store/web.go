package store

import (
	"context"
	"time"

	"postern.dev/postern"
)

const (
	selectScopes = `SELECT name, description FROM scopes ORDER BY position, name`

	// selectListings: what a person sees, by account and app. The maker may have
	// been removed since; then there is no name to tell.
	selectListings = `
	SELECT c.id, c.user_id, c.scopes, c.created_at, c.last_used_at,
	       a.id, a.name, a.url, a.level, a.connect_roles, p.name, COALESCE(l.hash, ''),
	       ac.id, ac.name, m.role,
	       COALESCE(u.id, ''), COALESCE(u.name, ''), COALESCE(u.email, '')
	FROM memberships m
	JOIN accounts ac ON ac.id = m.account_id
	JOIN connections c ON c.account_id = m.account_id
	JOIN apps a ON a.id = c.app_id
	JOIN partners p ON p.id = a.partner_id
	LEFT JOIN logos l ON l.app_id = a.id AND l.url = a.logo_url
	LEFT JOIN users u ON u.id = c.created_by AND u.removed_at = 0
	WHERE m.user_id = $1 AND c.ended_at = 0 AND ac.removed_at = 0
	  AND c.user_id IN ('', $1) AND ($2 = '' OR c.app_id = $2)
	ORDER BY ac.name, ac.id, a.name, c.created_at, c.id`

	selectLook = `
	SELECT a.changed_at, COALESCE(MAX(k.given_at), 0)
	FROM apps a LEFT JOIN consents k ON k.app_id = a.id AND k.user_id = $2
	WHERE a.id = $1
	GROUP BY a.changed_at`

	selectMembers = `
	SELECT u.id, u.name, u.email
	FROM memberships m JOIN users u ON u.id = m.user_id
	WHERE m.account_id = $1 AND m.role = $2 AND NOT u.disabled AND u.removed_at = 0
	ORDER BY u.name, u.email
	LIMIT $3`

	releaseTicket = `UPDATE tickets SET user_id = '' WHERE hash = $1 AND user_id = $2 AND answered_at = 0`
)

// ScopeCatalogue implements web.Rows.
func (db *DB) ScopeCatalogue(ctx context.Context) ([]postern.Scope, error) {
	return collect(ctx, read{db}, scanScope, selectScopes)
}

func scanScope(row scanner) (s postern.Scope, err error) {
	err = row.Scan(&s.Name, &s.Description)
	return s, err
}

// Connections implements web.Rows.
func (db *DB) Connections(ctx context.Context, userID, appID string) ([]postern.Listing, error) {
	return collect(ctx, read{db}, scanListing, selectListings, userID, appID)
}

func scanListing(row scanner) (l postern.Listing, err error) {
	var scopes, level, roles string
	var created, used int64
	c := &l.Connection
	err = row.Scan(&c.ID, &c.UserID, &scopes, &created, &used,
		&l.App.ID, &l.App.Name, &l.App.URL, &level, &roles, &l.App.Partner.Name, &l.App.LogoHash,
		&l.Account.ID, &l.Account.Name, &l.Role,
		&l.Maker.ID, &l.Maker.Name, &l.Maker.Email)
	c.AppID, c.AccountID, c.CreatedBy = l.App.ID, l.Account.ID, l.Maker.ID
	c.Scopes, c.CreatedAt, c.LastUsedAt = split(scopes), at(created), at(used)
	l.App.Level, l.App.ConnectRoles = postern.Level(level), split(roles)
	return l, err
}

// LookChanged implements web.Rows.
func (db *DB) LookChanged(ctx context.Context, appID, userID string) (changed, approved time.Time, err error) {
	var then, given int64
	if err := (read{db}).row(ctx, selectLook, appID, userID).Scan(&then, &given); err != nil {
		return time.Time{}, time.Time{}, db.missing(err, "app")
	}
	return at(then), at(given), nil
}

// MembersWithRoles implements web.Rows.
func (db *DB) MembersWithRoles(ctx context.Context, accountID string, roles []string, limit int) ([]postern.User, error) {
	var list []postern.User
	for _, role := range roles {
		more, err := collect(ctx, read{db}, func(row scanner) (u postern.User, err error) {
			err = row.Scan(&u.ID, &u.Name, &u.Email)
			return u, err
		}, selectMembers, accountID, role, limit-len(list))
		if err != nil {
			return nil, err
		}
		list = append(list, more...)
	}
	return list, nil
}

// ReleaseTicket implements web.Rows.
func (db *DB) ReleaseTicket(ctx context.Context, ticket postern.Hash, userID string) error {
	return db.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, releaseTicket, ticket[:], userID)
		return err
	})
}
