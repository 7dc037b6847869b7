package store

import (
	"context"
	"database/sql"
	"errors"

	"postern.dev/postern"
)

const (
	selectInstallation = `SELECT value FROM installation WHERE name = $1`
	keepInstallation   = `INSERT INTO installation (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING`
)

// Installation implements vault.Rows.
func (db *DB) Installation(ctx context.Context, name string) (value []byte, err error) {
	err = read{db}.row(ctx, selectInstallation, name).Scan(&value)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, postern.Errorf(postern.NotFound, "the installation has no %s", name)
	}
	return value, db.trouble(err)
}

// KeepInstallation implements vault.Rows.
func (db *DB) KeepInstallation(ctx context.Context, name string, value []byte) (kept []byte, err error) {
	err = db.write(ctx, func(t *tx) error {
		if _, err := t.exec(ctx, keepInstallation, name, value); err != nil {
			return err
		}
		return t.row(ctx, selectInstallation, name).Scan(&kept)
	})
	return kept, err
}
