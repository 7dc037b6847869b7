package postern

import "time"

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
	Kept        map[string]string
	CreatedAt   time.Time
	ExpiresAt   time.Time
	SpentAt     time.Time // zero: not yet; else redeemed, burned or void
	Redeemed    bool      // spent by a successful exchange
	Member      bool      // the approver still belongs to the account
}
