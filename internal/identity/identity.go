// Package identity holds the rules about people: who somebody is, how they
// prove it, how long that holds, and how guessing is stopped. It knows neither
// HTTP nor SQL: a door hands it what a person typed and the values of two
// cookies, a Store keeps the rows.
//
// There are three kinds of people: end users of accounts, and staff, who are of
// partners or of the operator (the files staff_*.go, with partners' teams and
// invitations). Each kind has sign-ins and sessions of its own.
//
// It does not decide what an end user may do. That is a matter of memberships and
// roles, which the rules of package oauth look at.
package identity

import (
	"cmp"
	"context"
	"io"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"postern.dev/postern"
)

// Rules are the rules about people. All methods may be called at once.
type Rules struct {
	Store  Store
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
	Limits Limits

	// For staff: who writes mails (nil: nobody), the origin that people use, and
	// who hears of links that no mail carries (nil: nobody).
	Mail      Mailer
	PublicURL string
	Tell      func(what, email, link string)

	makeDesk   sync.Once
	desk       *desk
	pace       pace
	seen       sync.Map       // hashes of sessions whose "last seen" is being written
	background sync.WaitGroup // those writes
}

// Limits bound guesses, sessions and work. What is zero takes its default.
type Limits struct {
	Guesses     int           // wrong passwords per person and Window: 10, never fewer than 5
	Window      time.Duration // 15 min
	SessionIdle time.Duration // 12 h without a request end a session
	SessionLife time.Duration // 7 d end it in any case
	Device      time.Duration // 400 d from the last sign-in, as long as cookies live: a browser stays known
	Reset       time.Duration // 24 h: a link to set a new password
	Invitation  time.Duration // 7 d: a link to come to a partner
	Hashes      int           // passwords hashed at the same time: one per processor
	Waiting     int           // more that may wait for their turn: 128
}

// fewestGuesses keeps a setting from locking people out for a slip of the hand.
const fewestGuesses = 5

func (l Limits) withDefaults() Limits {
	return Limits{
		Guesses:     max(cmp.Or(l.Guesses, 10), fewestGuesses),
		Window:      cmp.Or(l.Window, 15*time.Minute),
		SessionIdle: cmp.Or(l.SessionIdle, 12*time.Hour),
		SessionLife: cmp.Or(l.SessionLife, 7*24*time.Hour),
		Device:      cmp.Or(l.Device, 400*24*time.Hour),
		Reset:       cmp.Or(l.Reset, 24*time.Hour),
		Invitation:  cmp.Or(l.Invitation, 7*24*time.Hour),
		Hashes:      cmp.Or(l.Hashes, runtime.GOMAXPROCS(0)),
		Waiting:     cmp.Or(l.Waiting, 128),
	}
}

// sweepBatch bounds how many rows of a kind one sweep removes, so that the
// traffic beside it hardly notices.
const sweepBatch = 500

// Sweep removes sessions, browsers, resets and counts of failures that have
// expired. It gives the largest number of one kind: a full batch means that
// there is more to do.
func (r *Rules) Sweep(ctx context.Context) (int, error) {
	return r.Store.SweepIdentity(ctx, r.Now(), sweepBatch)
}

// Memberships are the accounts that a user belongs to, by name; switched-off
// ones have Disabled set.
func (r *Rules) Memberships(ctx context.Context, userID string) ([]postern.Membership, error) {
	return r.Store.Memberships(ctx, userID)
}

// Close waits for what is being written beside the requests. Call it when no
// more requests come, before the store is closed.
func (r *Rules) Close() { r.background.Wait() }
