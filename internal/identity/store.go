package identity

import (
	"context"
	"time"

	"postern.dev/postern"
)

// Store is what the rules ask of the rows. Each method is one transaction, or
// one read. Where something is not there, the error is postern.NotFound; where
// the database is away, postern.Unavailable.
type Store interface {
	Guesses
	People
	Sessions
	StaffRows

	// SweepIdentity removes up to limit expired rows of each kind, and gives the
	// largest number of one kind.
	SweepIdentity(ctx context.Context, now time.Time, limit int) (int, error)
}

// Guesses are counts of attempts, shared by all nodes. They know nothing of
// who the person is, so that every sign-in can use them.
type Guesses interface {
	// Guesses reads the count under way; the zero Count if there is none.
	Guesses(ctx context.Context, bucket string, now time.Time) (Count, error)
	// CountGuess counts an attempt before its password is looked at, and gives the
	// count with it: of any number of callers no two get the same. The first count
	// over the limit is audited.
	CountGuess(ctx context.Context, g Guess) (Count, error)
	// FailedGuess audits an attempt that was wrong.
	FailedGuess(ctx context.Context, g Guess) error
}

// Guess is an attempt to prove to be somebody.
type Guess struct {
	Bucket  string // the count that it belongs to
	Limit   int
	Window  time.Duration
	Object  string // whom it is about, for the audit record
	Detail  string
	Address string
	Now     time.Time
}

// Count is how often was tried in the window that ends at Ends.
type Count struct {
	Guesses int
	Ends    time.Time
}

// People are the rows of end users and of what proves who they are.
type People interface {
	// Credential reads what a sign-in is checked against. Device may be zero.
	Credential(ctx context.Context, foldedEmail string, device postern.Hash, now time.Time) (*Credential, error)
	// Memberships are the accounts of a user, by name, without removed ones.
	Memberships(ctx context.Context, userID string) ([]postern.Membership, error)

	// SavePassword replaces the proved password by another, ends all sessions, the
	// other known browsers and the pending reset of the user, and begins a new
	// session. If the password or the session that asked is no longer what it was,
	// it changes nothing and fails with NotFound.
	SavePassword(ctx context.Context, asked postern.Hash, s NewSession) error

	// SaveReset keeps a reset in place of an earlier one of the same user.
	SaveReset(ctx context.Context, reset postern.Hash, userID string, expires, now time.Time) error
	// ResetUser reads whom a live reset is for.
	ResetUser(ctx context.Context, reset postern.Hash, now time.Time) (*postern.User, error)
	// SpendReset sets the password, once, ends all sessions of the user and clears
	// the bucket. Of many callers one wins, the others get NotFound.
	SpendReset(ctx context.Context, reset postern.Hash, p NewPassword) error
}

// Credential is what a user's sign-in is checked against.
type Credential struct {
	User         postern.User
	PasswordHash string // empty: none yet
	MayEnter     bool   // neither the user nor all of the user's accounts are off
	KnownDevice  bool   // the browser is one of this user's
}

// Sessions are the rows of signed-in browsers.
type Sessions interface {
	// SaveSession begins a session, remembers the browser, stores the upgraded
	// password hash and clears the bucket. If the password that was proved is no
	// longer the user's, or the user was switched off, it changes nothing and
	// fails with NotFound.
	SaveSession(ctx context.Context, s NewSession) error
	// Session reads a session of a user that is neither switched off nor removed.
	Session(ctx context.Context, session postern.Hash) (*postern.Session, error)
	// SeeSession moves "last seen" forward.
	SeeSession(ctx context.Context, session postern.Hash, now time.Time) error
	// EndSession ends a session. Again is no error and no change.
	EndSession(ctx context.Context, session postern.Hash, now time.Time) error
}

// NewSession is a session on its way into the rows.
type NewSession struct {
	Session       postern.Hash
	Expires       time.Time
	Device        postern.Hash
	DeviceExpires time.Time
	UserID        string // whose; a staff member's in the rows of staff
	ProvedHash    string // the password hash that the proof was made against
	PasswordHash  string // the one to keep: the same, upgraded or new
	Bucket        string // the count of guesses to clear
	Address       string
	Now           time.Time
}

// NewPassword is a password that a reset sets.
type NewPassword struct {
	UserID       string // whose; a staff member's in the rows of staff
	PasswordHash string
	Bucket       string // the count of guesses to clear
	Address      string
	Now          time.Time
}
