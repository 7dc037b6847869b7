package vault

import (
	"context"
	"errors"
	"fmt"

	"postern.dev/postern"
)

// Rows is where a vault keeps the value that proves its key.
type Rows interface {
	// Installation reads a value of the installation; NotFound when it has none of
	// this name.
	Installation(ctx context.Context, name string) ([]byte, error)
	// KeepInstallation keeps a value under a name that has none, and gives the one
	// that is kept: of many callers the first one's.
	KeepInstallation(ctx context.Context, name string, value []byte) ([]byte, error)
}

const canary = "secret_key"

var canaryPlace = Place{"installation", canary, "value"}

// Used reports whether a key has sealed anything in this database. Where one
// has, no other may be made.
func Used(ctx context.Context, rows Rows) (bool, error) {
	_, err := rows.Installation(ctx, canary)
	if postern.Is(err, postern.NotFound) {
		return false, nil
	}
	return err == nil, err
}

// Prove makes sure that this vault's key is the database's: the first key to
// come is kept, any other is ErrWrongKey.
func (v *Vault) Prove(ctx context.Context, rows Rows) error {
	kept, err := rows.Installation(ctx, canary)
	if postern.Is(err, postern.NotFound) {
		sealed, sealing := v.Seal([]byte(canary), canaryPlace)
		if sealing != nil {
			return sealing
		}
		kept, err = rows.KeepInstallation(ctx, canary, sealed)
	}
	if err != nil {
		return err
	}
	if _, err := v.Open(kept, canaryPlace); errors.Is(err, ErrWrongKey) {
		return fmt.Errorf("the secret key is not the one that this database was sealed with: give back the old one: %w", err)
	} else if err != nil {
		return fmt.Errorf("the secret key's proof in the database: %w", err)
	}
	return nil
}
