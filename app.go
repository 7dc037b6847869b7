package postern

import (
	"slices"
	"time"
)

// Level says whom a connection belongs to.
type Level string

const (
	AccountLevel Level = "account" // the whole account: any allowed member may make or end it
	UserLevel    Level = "user"    // one user of the account
)

// App is a partner's platform: an OAuth client (RFC 6749 §2).
type App struct {
	ID          string // the client_id
	Partner     Partner
	Name        string
	Description string
	URL         string
	LogoURL     string
	LogoHash    string   // of the logo that we serve; empty: none, or not read for this purpose
	Dialect     string   // the wire it speaks
	Also        []string // further wires for the same connections, during a migration
	Level       Level
	Attributes  map[string]string

	RedirectURLs  []string
	WebhookURL    string
	Scopes        []string // what it may ask for
	DefaultScopes []string // asked when it names none
	Grants        []string // grant types that it may use
	ConnectRoles  []string // who may connect for an account; empty: any member
	ISS           *bool    // whether redirects carry iss (RFC 9207); nil: as the dialect says
	Public        bool     // no secret; PKCE required (RFC 6749 §2.1)
	Disabled      bool     // switched off, or its partner is
	Review        Review   // what is not approved works in its partner's sandbox alone

	AccessTokenFormat TokenFormat

	JWKS string // its public keys, as a JSON Web Key Set (RFC 7517); empty: none

	Secrets []AppSecret // what Authenticate compares with; empty for public apps

	// Version is the registry's when this was read: while it stands, so does all of
	// the above.
	Version int64
}

// AppSecret is a named client secret; at most two are valid at a time.
type AppSecret struct {
	ID        string
	Name      string
	Hash      Hash
	Hint      string // last four characters, to tell secrets apart
	CreatedAt time.Time
	ExpiresAt time.Time // zero: none
	// LastUsedAt is when it last proved the app; zero: never, or not read for this
	// purpose.
	LastUsedAt time.Time
	// Sealed is the secret itself, encrypted: kept only for apps whose wire signs
	// with it (insecure_recoverable_client_secret).
	Sealed []byte
}

// Speaks reports whether the app may use this dialect.
func (a *App) Speaks(dialect string) bool {
	return a.Dialect == dialect || slices.Contains(a.Also, dialect)
}

// SecretOf finds the presented secret among the app's that are valid at this
// time; nil: it is none. Every stored hash is compared, in constant time.
func (a *App) SecretOf(presented Secret, now time.Time) (found *AppSecret) {
	if presented == "" {
		return nil
	}
	hash := presented.Hash()
	for i := range a.Secrets {
		if s := &a.Secrets[i]; hash.Equal(s.Hash) && s.ValidAt(now) {
			found = s
		}
	}
	return found
}

// ValidAt reports whether the secret can be used at this time.
func (s *AppSecret) ValidAt(now time.Time) bool {
	return s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt)
}

// SigningSecret is the secret that the app's wire signs with: the oldest valid
// one, which the app knows even while it learns another. Nil: none can be used so.
func (a *App) SigningSecret(now time.Time) *AppSecret {
	var oldest *AppSecret
	for i := range a.Secrets {
		s := &a.Secrets[i]
		valid := len(s.Sealed) > 0 && (s.ExpiresAt.IsZero() || now.Before(s.ExpiresAt))
		if valid && (oldest == nil || s.CreatedAt.Before(oldest.CreatedAt)) {
			oldest = s
		}
	}
	return oldest
}

// MayUse reports whether the app may use a grant type.
func (a *App) MayUse(grant string) bool { return slices.Contains(a.Grants, grant) }

// ForItself reports whether the app gets tokens for itself, without an account and
// without anybody's consent (RFC 6749 §4.4).
func (a *App) ForItself() bool { return !a.Public && a.MayUse("client_credentials") }

// MayConnect reports whether a member with this role may make the app's
// connection. User-level connections are the user's own affair, and the role
// rule holds for them too when the app names roles.
func (a *App) MayConnect(role string) bool {
	return len(a.ConnectRoles) == 0 || slices.Contains(a.ConnectRoles, role)
}

// API is a resource server: who checks tokens.
type API struct {
	ID         string
	Name       string
	SecretHash Hash
	Disabled   bool
}

// Scope is a permission that an app can ask for, in words that a person
// understands.
type Scope struct {
	Name        string
	Description string
}

// ScopeText says a scope in the operator's words; one without words is named.
func ScopeText(catalogue []Scope, name string) string {
	for _, s := range catalogue {
		if s.Name == name && s.Description != "" {
			return s.Description
		}
	}
	return name
}
