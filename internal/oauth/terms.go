package oauth

import (
	"time"

	"postern.dev/postern"
)

// Terms are what a dialect's file decides about what it hands out. They choose
// among ways that are all safe; no term can loosen a rule of this package.
type Terms struct {
	Dialect string
	Level   postern.Level // of apps that do not say
	PKCE    PKCE
	Consent Consent

	Code    CodeTerms
	Access  AccessTerms
	Refresh *RefreshTerms // nil: none
	// Second is a second token, which acts as the person who approved, born of the
	// same code with scopes of its own; nil: this wire has none.
	Second *AccessTerms
	// RefreshWithoutSecret: apps with a secret may refresh without showing it; the
	// refresh token then rotates, whatever Refresh says.
	RefreshWithoutSecret bool
	// SignsCallbacks: redirects carry a digest keyed with the app's own secret.
	SignsCallbacks bool
	// AtOnce caps a connection's live families; over it the one unused longest
	// ends. 0: no cap.
	AtOnce int

	// AccountIDs is the form of the ids that this wire has for accounts, made
	// once and kept; nil: the product's own.
	AccountIDs *postern.Form

	// NoScopes: the wire has none; whatever is asked, nothing is.
	NoScopes bool
	// ScopesRequired: a request that names none, of an app without defaults, is
	// invalid_scope; otherwise it asks for nothing.
	ScopesRequired bool

	// Variants are other terms for grants with certain kept parameters (a refresh
	// token only for those who asked for access_type=offline). The first that
	// fits holds.
	Variants []Variant
}

// Variant is terms for grants whose kept parameters have these values.
type Variant struct {
	Kept  map[string]string
	Terms *Terms
}

// For is the terms of a grant with these kept parameters.
func (t *Terms) For(kept map[string]string) *Terms {
	for _, v := range t.Variants {
		if v.Fits(kept) {
			return v.Terms
		}
	}
	return t
}

// Fits reports whether the grant with these kept parameters is the variant's.
func (v *Variant) Fits(kept map[string]string) bool {
	for name, value := range v.Kept {
		if kept[name] != value {
			return false
		}
	}
	return true
}

// PKCE says for whom a challenge is required (RFC 7636). Public apps always need one.
type PKCE string

const (
	PKCERequired PKCE = "required"
	PKCEOptional PKCE = "optional" // frees apps with a secret only
)

// Consent says whether a standing approval is asked for again.
type Consent string

const (
	ConsentAlways     Consent = "always"
	ConsentRemembered Consent = "remembered" // apps with a secret only
)

// CodeTerms: Life is 10 s to 600 s.
type CodeTerms struct {
	Form postern.Form
	Life time.Duration
}

// AccessTerms: Life 0 is "never expires".
type AccessTerms struct {
	Form postern.Form
	Life time.Duration
	// Absolute bounds what renewals of a token add up to, from the first
	// redemption; 0: nothing does.
	Absolute time.Duration
	// Signed: apps may have their tokens signed (RFC 9068) instead.
	Signed bool
}

// RefreshTerms say how refresh tokens live. Public apps always rotate.
type RefreshTerms struct {
	Form     postern.Form
	Rotate   bool
	Idle     time.Duration // from last use
	Absolute time.Duration // from the first redemption; 0: none
	// Window is how long a rotated token gives the same answer again: 0 to 300 s.
	Window time.Duration
}
