package identity

import (
	"time"

	"postern.dev/postern"
)

// newLink mints the secret of a one-time link.
func (r *Rules) newLink(life time.Duration, address string) (postern.Secret, NewLink, error) {
	secret, err := postern.ResetForm.Mint(r.Random)
	if err != nil {
		return "", NewLink{}, err
	}
	id, err := postern.NewID(r.Random, "lnk_")
	if err != nil {
		return "", NewLink{}, err
	}
	now := r.Now()
	return secret, NewLink{ID: id, Hash: secret.Hash(), Address: address, Expires: now.Add(life), Now: now}, nil
}
