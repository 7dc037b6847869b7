package identity

import (
	"context"
	"time"

	"postern.dev/postern"
)

// StaffRows are the rows of partners' and operators' people, and of their
// sessions. They are other rows than those of end users.
type StaffRows interface {
	// StaffCredential reads what a sign-in is checked against. Device may be zero.
	StaffCredential(ctx context.Context, realm postern.Realm, foldedEmail string, device postern.Hash, now time.Time) (*StaffCredential, error)

	// SaveStaffSession is SaveSession of staff.
	SaveStaffSession(ctx context.Context, s NewSession) error
	// StaffSession reads a session of a person of this realm who is neither
	// switched off nor removed.
	StaffSession(ctx context.Context, realm postern.Realm, session postern.Hash) (*postern.StaffSession, error)
	// SeeStaffSession moves "last seen" forward.
	SeeStaffSession(ctx context.Context, session postern.Hash, now time.Time) error
	// EndStaffSession ends a session. Again is no error and no change.
	EndStaffSession(ctx context.Context, session postern.Hash, now time.Time) error

	// SaveStaffPassword is SavePassword of staff.
	SaveStaffPassword(ctx context.Context, asked postern.Hash, s NewSession) error
	// SaveStaffReset keeps a reset in place of an earlier one of the same person.
	SaveStaffReset(ctx context.Context, reset NewLink, staffID, actor string) error
	// StaffReset reads whom a live reset is for.
	StaffReset(ctx context.Context, realm postern.Realm, reset postern.Hash, now time.Time) (*postern.Staff, error)
	// SpendStaffReset is SpendReset of staff.
	SpendStaffReset(ctx context.Context, reset postern.Hash, p NewPassword) error

	Invitations
	Team
}

// StaffCredential is what a staff member's sign-in is checked against.
type StaffCredential struct {
	Staff        postern.Staff
	PasswordHash string // empty: none yet
	KnownDevice  bool   // the browser is one of this person's
}
