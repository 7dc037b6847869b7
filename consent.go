package postern

import (
	"slices"
	"strings"
	"time"
)

// Ticket is a pending consent: the question an app put to a person, bound to
// the browser that asked. The whole browser flow comes back to it.
type Ticket struct {
	Hash          Hash
	Browser       Hash // of the browser's binding cookie
	AppID         string
	Dialect       string
	RedirectURI   string // where the answer goes: proved against the app's list
	RegisteredURI string // the registered URL that it matched; differs in a loopback port only
	SentURI       bool   // whether the request named redirect_uri itself (RFC 6749 §4.1.3)
	ViaPost       bool   // the authorize request came by POST
	State         string
	Scopes        []string
	SecondScopes  []string // of the second token, which acts as the person; empty: none is asked for
	Challenge     string   // PKCE S256 challenge; empty: none (RFC 7636)
	Prompt        string   // words of "login", "consent", "none", by spaces; see Asks
	LoginHint     string
	Tenant        string            // the only account that may be connected
	TenantKey     string            // what Tenant names it by; empty: any account
	Kept          map[string]string // further parameters that the dialect keeps with the grant
	CreatedAt     time.Time
	ExpiresAt     time.Time
	AnsweredAt    time.Time // zero: open
	UserID        string    // who it was first shown to; no one else may answer it then
}

// Asks reports whether the request's prompt parameter has this word (OpenID
// Connect Core §3.1.2.1).
func (t *Ticket) Asks(word string) bool {
	return slices.Contains(strings.Fields(t.Prompt), word)
}

// Level is whom the question's connection will belong to. Who asks for the
// second token alone asks for the person's own connection.
func (t *Ticket) Level(app *App) Level {
	if len(t.Scopes) == 0 && len(t.SecondScopes) > 0 {
		return UserLevel
	}
	return app.Level
}
