package store

import (
	"context"

	"postern.dev/postern"
)

const selectMemberships = `
	SELECT ac.id, ac.handle, ac.name, ac.number, ac.attributes, ac.disabled, ac.sandbox_of, m.role
	FROM memberships m JOIN accounts ac ON ac.id = m.account_id
	WHERE m.user_id = $1 AND ac.removed_at = 0
	ORDER BY ac.name, ac.id`

// Memberships implements oauth.Store and identity.Store.
func (db *DB) Memberships(ctx context.Context, userID string) ([]postern.Membership, error) {
	return collect(ctx, read{db}, scanMembership, selectMemberships, userID)
}

func scanMembership(row scanner) (m postern.Membership, err error) {
	var attrs string
	a := &m.Account
	if err := row.Scan(&a.ID, &a.Handle, &a.Name, &a.Number, &attrs, &a.Disabled, &a.SandboxOf, &m.Role); err != nil {
		return m, err
	}
	a.WireID = a.ID
	a.Attributes, err = attributes(attrs)
	return m, err
}
