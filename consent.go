package postern

import "time"

// Ticket is a pending consent: the question an app put to a person, bound to
// the browser that asked. The whole browser flow comes back to it.
type Ticket struct {
	Hash        Hash
	Browser     Hash // of the browser's binding cookie
	AppID       string
	Dialect     string
	RedirectURI string // where the answer goes: proved against the app's list
	SentURI     bool   // whether the request named redirect_uri itself (RFC 6749 §4.1.3)
	ViaPost     bool   // the authorize request came by POST
	State       string
	Scopes      []string
	Challenge   string // PKCE S256 challenge; empty: none (RFC 7636)
	Prompt      string // "", "login", "consent" or "none"
	LoginHint   string
	Tenant      string            // the only account that may be connected, by the dialect's key; empty: any
	Kept        map[string]string // further parameters that the dialect keeps with the grant
	CreatedAt   time.Time
	ExpiresAt   time.Time
	AnsweredAt  time.Time // zero: open
	UserID      string    // who it was first shown to; no one else may answer it then
}
