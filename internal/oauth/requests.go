package oauth

import (
	"time"

	"postern.dev/postern"
)

// Ask is an authorize request (RFC 6749 §4.1.1), whatever dialect it was said
// in. The door has refused repeated parameters and read the scope syntax.
type Ask struct {
	Terms    *Terms
	Browser  postern.Hash // of the browser's binding cookie
	ViaPost  bool
	ClientID string
	Alias    Alias // where ClientID is empty: what the app is known by here

	RedirectURI     string
	SentURI         bool // whether the request named it
	URIOptional     bool // the dialect allows it to be absent when one is registered (absent: the registered one)
	ResponseType    string
	ResponseMode    string
	State           string
	Scopes          []string // in the order asked, without repeats
	ScopeProblem    bool     // what was sent cannot be a list of scopes
	SecondScopes    []string // of the second token; ScopeProblem speaks of them too
	Challenge       string
	ChallengeMethod string
	Prompt          string
	LoginHint       string
	Tenant          string
	TenantKey       string            // what Tenant is compared with: "id", "handle", "name", "number" or "attr.X"
	Kept            map[string]string // further parameters kept with the grant
	Request         bool              // whether request was sent (RFC 9101)
	RequestURI      bool              // whether request_uri was sent

	// Probe checks the request and keeps nothing (HEAD).
	Probe bool
}

// Refusal is "no" said to an app that we recognise, at an address that we
// proved. Only Ask and Answer make one; every other error becomes a page.
type Refusal struct {
	to    string // compared with the registered ones before this value was made
	State string
	Err   *postern.Error
	App   *postern.App
	// ViaPost: answer with 303, else 302.
	ViaPost bool
	Dialect string
	Tenant  string
	At      time.Time
	Key     postern.Secret // to sign the redirect with; "": none
}

func (r *Refusal) Error() string { return r.Err.Error() }
func (r *Refusal) Unwrap() error { return r.Err }

// To is the redirect URL that the refusal goes to.
func (r *Refusal) To() string { return r.to }

// Decision is a person's answer to a ticket. The door has proved that the
// ticket, the form and the session belong to one browser.
type Decision struct {
	Terms   *Terms
	Ticket  *postern.Ticket
	User    postern.User
	Allow   bool
	Account *postern.Membership // for whom; nil only when denied
	Address string              // for the audit record
}

// Granted is where an allowed request goes on: the code travels to the app.
type Granted struct {
	To      string // the redirect URL
	Code    postern.Secret
	State   string
	App     *postern.App
	Account postern.Account
	User    postern.User // who approved
	Scopes  []string
	ViaPost bool
	Dialect string
	Tenant  string
	Kept    map[string]string
	At      time.Time
	Key     postern.Secret // to sign the redirect with; "": none
}

// ClientAuth is how an app authenticates (RFC 6749 §2.3).
type ClientAuth struct {
	ClientID string
	Secret   postern.Secret // "": none was sent
	Raw      postern.Secret // Basic: the secret as it stood before percent-decoding, where that differs
	Basic    bool           // by Authorization: Basic; the challenge is then part of a refusal
	Source   string         // the caller's address, for counting failures
	// Assertion is a signed text in place of a secret (RFC 7523 §2.2); "": none was
	// sent. Audience is whom it may be for: the dialect's issuer and token endpoint.
	Assertion postern.Secret
	Audience  []string
	// NamedBy says, where ClientID is empty, what else names the app.
	NamedBy NamedBy
	Alias   Alias // of NamedByAlias
}

// Alias is another id of an app: one of its attributes, which a dialect's file
// names.
type Alias struct{ Attr, Value string }

// NamedBy is what names an app in requests that have no client_id. It only names
// it: an app with a secret must still prove itself.
type NamedBy string

const (
	NamedBySecret NamedBy = "secret"
	NamedByCode   NamedBy = "code"  // codes with a PKCE challenge only
	NamedByToken  NamedBy = "token" // at a refresh
	NamedByAlias  NamedBy = "alias"
)

// Redeem is an exchange of a code for tokens (RFC 6749 §4.1.3).
type Redeem struct {
	Terms       *Terms
	Tenant      Tenant // the code is for this account, or unknown here
	Client      ClientAuth
	Code        postern.Secret
	RedirectURI string
	SentURI     bool
	// URISkippable: the dialect lets the exchange leave redirect_uri out (absent: skip).
	URISkippable bool
	Verifier     string
	SentVerifier bool
	MaxVerifier  int // longest verifier; 128 (RFC 7636 §4.1) unless the dialect widens it
}

// Refresh asks for new tokens (RFC 6749 §6).
type Refresh struct {
	Terms        *Terms
	Tenant       Tenant // the token is for this account, or unknown here
	Client       ClientAuth
	RefreshToken postern.Secret
	Scopes       []string // a subset of what was granted; empty: all of it
	ScopeProblem bool
}

// Renew asks for a new access token in exchange for a live one.
type Renew struct {
	Terms        *Terms
	Client       ClientAuth
	AccessToken  postern.Secret
	Scopes       []string // a subset of the token's; empty: all of them
	ScopeProblem bool
}

// ClientCredentials asks for a token for the app itself (RFC 6749 §4.4).
type ClientCredentials struct {
	Terms        *Terms
	Client       ClientAuth
	Scopes       []string
	ScopeProblem bool
}

// Issued is what an app gets: the values of a dialect's answer.
type Issued struct {
	AccessToken  postern.Secret
	RefreshToken postern.Secret // "": none
	IssuedAt     time.Time
	ExpiresAt    time.Time // of the access token; zero: never
	// RefreshExpiresAt: zero where there is no refresh token.
	RefreshExpiresAt time.Time
	Scopes           []string
	App              *postern.App
	Account          *postern.Account // nil for client credentials
	User             *postern.User    // the approver; nil for client credentials
	ConnectionID     string
	ConnectionNumber int64
	Kept             map[string]string
	// Second is the token that acts as the approver; nil: none was asked for. Where
	// it alone was, AccessToken is empty.
	Second *Second
}

// Second is the second token of a code, with a connection of its own.
type Second struct {
	AccessToken postern.Secret
	IssuedAt    time.Time
	ExpiresAt   time.Time // zero: never
	Scopes      []string
}

// Revoke ends a token for the app that holds it (RFC 7009).
type Revoke struct {
	Terms  *Terms
	Client ClientAuth
	Token  postern.Secret
	// EndsConnection: the dialect's route ends all that the token stands for.
	EndsConnection bool
	// OnlyLive: a token that has ended already is NotFound too.
	OnlyLive bool
}

// RevokeAccount ends an app's connection to an account (by: client, with the
// account's id instead of a token).
type RevokeAccount struct {
	Terms   *Terms
	Client  ClientAuth
	Account string // as this wire knows it
}

// Introspect asks about a token (RFC 7662). Asker is an API, or an app that may
// ask about its own tokens only.
type Introspect struct {
	Terms  *Terms // of the dialect whose route was asked: what client authentication it allows
	Client ClientAuth
	Token  postern.Secret
}
