package identity

import (
	"context"

	"postern.dev/postern"
)

// StartReset makes a one-time secret with which a user sets a new password
// without the old one. It is for the operator, who knows whom it is given to; an
// earlier one of the same user ends. An unknown e-mail is NotFound.
func (r *Rules) StartReset(ctx context.Context, email string) (postern.Secret, *postern.User, error) {
	now := r.Now()
	found, err := r.Store.Credential(ctx, postern.FoldEmail(email), postern.Hash{}, now)
	if postern.Is(err, postern.NotFound) {
		return "", nil, postern.Errorf(postern.NotFound, "There is no user with the e-mail %q; users come from accounts: in a resources file (`postern apply`) or from /api/v1.", email)
	}
	if err != nil {
		return "", nil, err
	}
	if found.User.Disabled {
		return "", nil, postern.Errorf(postern.Forbidden, "The user %q is switched off: switch it on first.", found.User.Email)
	}
	reset, err := postern.ResetForm.Mint(r.Random)
	if err != nil {
		return "", nil, err
	}
	expires := now.Add(r.Limits.withDefaults().Reset)
	if err := r.Store.SaveReset(ctx, reset.Hash(), found.User.ID, expires, now); err != nil {
		return "", nil, err
	}
	return reset, &found.User, nil
}

// ResetUser tells whose password a reset sets; NotFound when it was used, has
// expired, or was replaced by a later one.
func (r *Rules) ResetUser(ctx context.Context, reset postern.Secret) (*postern.User, error) {
	if !postern.ResetForm.Matches(reset) {
		return nil, noReset()
	}
	user, err := r.Store.ResetUser(ctx, reset.Hash(), r.Now())
	if postern.Is(err, postern.NotFound) {
		return nil, noReset()
	}
	return user, err
}

// Reset sets the password, once, and ends all sessions of the user. Known
// browsers stay known: they open nothing, and without one the owner could be
// locked out by strangers who go on guessing.
func (r *Rules) Reset(ctx context.Context, reset, new postern.Secret, address string) error {
	user, err := r.ResetUser(ctx, reset) // first: strangers get no work out of us
	if err != nil {
		return err
	}
	hash, err := r.hashChosen(ctx, new, user.Email)
	if err != nil {
		return err
	}
	guesses := &claim{door: "user", email: postern.FoldEmail(user.Email)}
	err = r.Store.SpendReset(ctx, reset.Hash(), NewPassword{
		UserID: user.ID, PasswordHash: hash, Bucket: guesses.bucket(), Address: address, Now: r.Now(),
	})
	if postern.Is(err, postern.NotFound) {
		return noReset()
	}
	return err
}

func noReset() error {
	return postern.Errorf(postern.NotFound, "This link has been used or is too old. Ask for a new one.")
}
