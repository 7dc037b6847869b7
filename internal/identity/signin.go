package identity

import (
	"context"
	"time"

	"postern.dev/postern"
)

// SignIn is what a person typed, and where.
type SignIn struct {
	Email    string
	Password postern.Secret
	Device   postern.Secret // the value of the known-browser cookie; may be empty
	Address  string         // for the audit record
}

// SignedIn is a fresh session. Session and Device go into cookies.
type SignedIn struct {
	Session   postern.Secret
	Device    postern.Secret
	User      postern.User
	ExpiresAt time.Time // when the session ends in any case
}

// SignIn begins a session for whoever knows the password. Its id is always a
// new one; a session that the browser had before is the door's to end.
//
// A wrong e-mail or password, and a person who is switched off or whose
// accounts all are, is AccessDenied in the same words; too many attempts are
// RateLimited; no seat at the desk is Unavailable.
func (r *Rules) SignIn(ctx context.Context, in SignIn) (*SignedIn, error) {
	c := &claim{door: "user", email: postern.FoldEmail(in.Email), password: in.Password, address: in.Address}
	device := deviceHash(in.Device)
	found, err := r.Store.Credential(ctx, c.email, device, r.Now())
	if err != nil && !postern.Is(err, postern.NotFound) {
		return nil, err
	}
	known := found != nil && found.KnownDevice
	if found != nil {
		c.person = "user:" + found.User.ID
	}
	if found != nil && found.MayEnter {
		c.hash = found.PasswordHash
	}
	if known {
		c.device = device
	}
	hash, err := r.prove(ctx, c)
	if err != nil {
		return nil, err
	}
	begun, row, err := r.begin(found.User, in.Device, known)
	if err != nil {
		return nil, err
	}
	row.ProvedHash, row.PasswordHash, row.Bucket, row.Address = found.PasswordHash, hash, c.bucket(), in.Address
	err = r.Store.SaveSession(ctx, row)
	if postern.Is(err, postern.NotFound) {
		return nil, wrong() // changed or switched off while we hashed
	}
	if err != nil {
		return nil, err
	}
	return begun, nil
}

// begin mints a session. The browser keeps its name if it was known as this
// user's; else it gets a new one, because the name it came with may have been
// planted.
func (r *Rules) begin(user postern.User, device postern.Secret, known bool) (*SignedIn, NewSession, error) {
	now, limits := r.Now(), r.Limits.withDefaults()
	session, err := postern.SessionForm.Mint(r.Random)
	if err != nil {
		return nil, NewSession{}, err
	}
	if !known {
		if device, err = postern.SessionForm.Mint(r.Random); err != nil {
			return nil, NewSession{}, err
		}
	}
	expires := now.Add(limits.SessionLife)
	return &SignedIn{Session: session, Device: device, User: user, ExpiresAt: expires},
		NewSession{
			Session: session.Hash(), Expires: expires,
			Device: device.Hash(), DeviceExpires: now.Add(limits.Device),
			UserID: user.ID, Now: now,
		}, nil
}

// deviceHash is zero for a value that is no device's.
func deviceHash(device postern.Secret) (h postern.Hash) {
	if postern.SessionForm.Matches(device) {
		h = device.Hash()
	}
	return h
}
