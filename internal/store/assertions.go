package store

import (
	"context"
	"time"

	"postern.dev/postern"
)

const useAssertion = `INSERT INTO assertions (id, expires_at) VALUES ($1, $2) ON CONFLICT (id) DO NOTHING`

// UseAssertion implements oauth.Store. The insert decides: whoever made the row
// was first, on every node.
func (db *DB) UseAssertion(ctx context.Context, id postern.Hash, expires time.Time) error {
	return db.write(ctx, func(t *tx) error {
		n, err := t.exec(ctx, useAssertion, id[:], ms(expires))
		if err == nil && n == 0 {
			return postern.Errorf(postern.Conflict, "This assertion was used before.")
		}
		return err
	})
}
