package store

import (
	"context"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
)

const (
	insertOperatorToken = `INSERT INTO operator_tokens (id, name, hash, rights, created_at) VALUES ($1, $2, $3, $4, $5)`
	selectOperatorToken = `SELECT id, rights FROM operator_tokens WHERE hash = $1 AND ended_at = 0`
)

// SaveOperatorToken implements registry.Store.
func (db *DB) SaveOperatorToken(ctx context.Context, n registry.OperatorToken) error {
	return db.write(ctx, func(t *tx) error {
		_, err := t.exec(ctx, insertOperatorToken, n.ID, n.Name, n.Hash[:], join(n.Rights), ms(n.Now))
		if err != nil {
			return err
		}
		return audit(ctx, t, auditRow{
			At: n.Now, Actor: "operator", Action: "operator_token.created", Object: "operator_token:" + n.ID,
			Detail: n.Name + ": " + strings.Join(n.Rights, ", "),
		})
	})
}

// OperatorToken implements admin.Rows.
func (db *DB) OperatorToken(ctx context.Context, token postern.Hash) (id string, rights []string, err error) {
	var list string
	if err := (read{db}).row(ctx, selectOperatorToken, token[:]).Scan(&id, &list); err != nil {
		return "", nil, db.missing(err, "operator's token")
	}
	return id, split(list), nil
}
