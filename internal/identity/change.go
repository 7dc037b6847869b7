package identity

import (
	"context"

	"postern.dev/postern"
)

// ChangePassword sets another password for who knows the old one. It ends all
// sessions of the user, also the one that asked, and begins a new one; other
// known browsers are forgotten. A wrong old password counts as a failed
// sign-in: AccessDenied, and RateLimited when there were too many.
func (r *Rules) ChangePassword(ctx context.Context, s *postern.Session, old, new, device postern.Secret, address string) (*SignedIn, error) {
	if err := checkNew(new); err != nil {
		return nil, err
	}
	email, browser := postern.FoldEmail(s.User.Email), deviceHash(device)
	found, err := r.Store.Credential(ctx, email, browser, r.Now())
	if postern.Is(err, postern.NotFound) || err == nil && found.User.ID != s.User.ID {
		return nil, notSignedIn() // removed meanwhile, or has another address now
	}
	if err != nil {
		return nil, err
	}
	c := &claim{
		door: "user", email: email, person: "user:" + s.User.ID, hash: found.PasswordHash,
		password: old, address: address, detail: "to change the password",
	}
	if found.KnownDevice {
		c.device = browser
	}
	hash, err := r.replaced(ctx, c, new)
	if err != nil {
		return nil, err
	}
	begun, row, err := r.begin(found.User, device, found.KnownDevice)
	if err != nil {
		return nil, err
	}
	row.ProvedHash, row.PasswordHash, row.Bucket, row.Address = found.PasswordHash, hash, c.bucket(), address
	err = r.Store.SavePassword(ctx, s.Hash, row)
	if postern.Is(err, postern.NotFound) {
		return nil, notSignedIn() // another change, or a sign-out, was first
	}
	if err != nil {
		return nil, err
	}
	return begun, nil
}

// replaced proves the old password and gives the hash of the new one.
func (r *Rules) replaced(ctx context.Context, c *claim, new postern.Secret) (hash string, err error) {
	_, err = r.prove(ctx, c)
	if postern.Is(err, postern.AccessDenied) {
		return "", postern.Errorf(postern.AccessDenied, "The present password is wrong.")
	}
	if err != nil {
		return "", err
	}
	return r.hashChosen(ctx, new, c.email)
}
