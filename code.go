package postern

import (
	"crypto/sha256"
	"time"
)

// Code is an approval on its way to becoming tokens, and afterwards the head of
// the family born of it. It is redeemed once.
type Code struct {
	Hash        Hash
	Dialect     string
	AppID       string
	Account     Account
	User        User // who approved
	Level       Level
	RedirectURI string
	SentURI     bool
	Challenge   string
	Scopes      []string
	// SecondScopes are those of the second token, which acts as the user; empty:
	// there is none.
	SecondScopes []string
	Kept         map[string]string
	CreatedAt    time.Time
	ExpiresAt    time.Time
	SpentAt      time.Time // zero: not yet; else redeemed, burned or void
	Redeemed     bool      // spent by a successful exchange
	Role         string    // the approver's in the account, now; empty: no longer a member
}

// OnlySecond reports whether the app asked for the second token alone: then
// nothing is granted for the account as a whole.
func (c *Code) OnlySecond() bool { return len(c.Scopes) == 0 && len(c.SecondScopes) > 0 }

// SecondFamily is the head of the family that the second token makes: a code's
// row of its own, whose hash nobody can present, for it is of no text that was
// ever handed out.
func SecondFamily(code Hash) Hash {
	return sha256.Sum256(append([]byte("postern second\x00"), code[:]...))
}
