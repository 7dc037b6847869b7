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
	rows, err := read{db}.rows(ctx, selectMemberships, userID)
	if err != nil {
		return nil, db.trouble(err)
	}
	defer rows.Close()
	var list []postern.Membership
	for rows.Next() {
		var m postern.Membership
		var attrs string
		a := &m.Account
		if err := rows.Scan(&a.ID, &a.Handle, &a.Name, &a.Number, &attrs, &a.Disabled, &a.SandboxOf, &m.Role); err != nil {
			return nil, db.trouble(err)
		}
		if a.Attributes, err = attributes(attrs); err != nil {
			return nil, db.trouble(err)
		}
		a.WireID = a.ID
		list = append(list, m)
	}
	return list, db.trouble(rows.Err())
}
