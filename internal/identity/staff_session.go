package identity

import (
	"context"
	"time"

	"postern.dev/postern"
)

// StaffSignedIn is a fresh session of a staff member. Session and Device go
// into cookies.
type StaffSignedIn struct {
	Session   postern.Secret
	Device    postern.Secret
	Staff     postern.Staff
	ExpiresAt time.Time // when the session ends in any case
}

// staffDoor names the count of guesses of a realm: no sign-in uses up the
// guesses of another.
func staffDoor(realm postern.Realm) string { return "staff " + string(realm) }

// StaffSession is Session for a realm: a session of the other realm, like one
// of an end user, is NotFound.
func (r *Rules) StaffSession(ctx context.Context, realm postern.Realm, session postern.Secret) (*postern.StaffSession, error) {
	if !postern.SessionForm.Matches(session) {
		return nil, notSignedIn()
	}
	s, err := r.Store.StaffSession(ctx, realm, session.Hash())
	if postern.Is(err, postern.NotFound) {
		return nil, notSignedIn()
	}
	if err != nil {
		return nil, err
	}
	if !r.stands(s.Hash, s.LastSeen, s.ExpiresAt, r.Store.SeeStaffSession) {
		return nil, notSignedIn()
	}
	return s, nil
}

// StaffSignIn is SignIn for staff of a realm, with the same bounded guesses.
func (r *Rules) StaffSignIn(ctx context.Context, realm postern.Realm, in SignIn) (*StaffSignedIn, error) {
	c := &claim{door: staffDoor(realm), email: postern.FoldEmail(in.Email), password: in.Password, address: in.Address}
	found, err := r.staffClaim(ctx, realm, c, in.Device)
	if err != nil {
		return nil, err
	}
	hash, err := r.prove(ctx, c)
	if err != nil {
		return nil, err
	}
	begun, row, err := r.beginStaff(found.Staff, in.Device, found.KnownDevice)
	if err != nil {
		return nil, err
	}
	row.ProvedHash, row.PasswordHash, row.Bucket, row.Address = found.PasswordHash, hash, c.bucket(), in.Address
	err = r.Store.SaveStaffSession(ctx, row)
	if postern.Is(err, postern.NotFound) {
		return nil, wrong() // changed or switched off while we hashed
	}
	if err != nil {
		return nil, err
	}
	return begun, nil
}

// staffClaim completes a claim by what the rows know of the person. Where there
// is nobody, it gives nil and a claim that no password proves.
func (r *Rules) staffClaim(ctx context.Context, realm postern.Realm, c *claim, device postern.Secret) (*StaffCredential, error) {
	browser := deviceHash(device)
	found, err := r.Store.StaffCredential(ctx, realm, c.email, browser, r.Now())
	if postern.Is(err, postern.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c.person = "staff:" + found.Staff.ID
	if !found.Staff.Disabled {
		c.hash = found.PasswordHash
	}
	if found.KnownDevice {
		c.device = browser
	}
	return found, nil
}

// beginStaff mints a session; see begin.
func (r *Rules) beginStaff(staff postern.Staff, device postern.Secret, known bool) (*StaffSignedIn, NewSession, error) {
	begun, row, err := r.begin(postern.User{ID: staff.ID}, device, known)
	if err != nil {
		return nil, NewSession{}, err
	}
	return &StaffSignedIn{Session: begun.Session, Device: begun.Device, Staff: staff, ExpiresAt: begun.ExpiresAt}, row, nil
}

// StaffSignOut is SignOut for staff.
func (r *Rules) StaffSignOut(ctx context.Context, session postern.Secret) error {
	if !postern.SessionForm.Matches(session) {
		return nil
	}
	return r.Store.EndStaffSession(ctx, session.Hash(), r.Now())
}
