// Package registry holds the rules about who takes part: partners and their
// apps, accounts and their users, APIs, operators, the catalogue of scopes and
// events. It reads the operator's resources files, finds everything wrong with
// them at once, and brings the rows to what they declare, or changes nothing. What
// partners say of their apps in forms (AppForm) goes by the same rules, and what
// the operator answers them.
//
// It knows neither SQL nor HTTP. What an app may do once it is registered is
// for package oauth to say.
package registry

import (
	"context"
	"io"
	"net/url"
	"time"

	"postern.dev/postern"
)

// Rules are the rules about registration. All methods may be called at once.
type Rules struct {
	Store     Store
	Now       func() time.Time
	Random    io.Reader
	Passwords Passwords
	Sealer    postern.Sealer

	// Dialects are the mounted dialects, by name. DefaultDialect is the one of new
	// apps that name none; it may be empty.
	Dialects       map[string]DialectFacts
	DefaultDialect string
	// LongestSigned is how long a signed access token may live.
	LongestSigned time.Duration
	// InsecureLoopback allows http and loopback hosts in all URLs, for
	// development and tests.
	InsecureLoopback bool

	// Own is where people use this service; nil: nowhere. No partner's app returns
	// people there.
	Own *url.URL

	// Review: apps that partners register, and changes of what people see of them,
	// wait for the operator.
	Review bool
	// Choice are the dialects that partners may choose; empty: all that are mounted.
	Choice []string
	// ForItself: partners may ask that their apps get tokens for themselves
	// (client_credentials). Where nobody may, a file says so.
	ForItself bool
	// Reserved are names that no partner's app may look like: the operator's own.
	Reserved []string
	// Mailer tells partners of verdicts; nil, or one that is not configured: the
	// portal alone does.
	Mailer Mailer
	// Learn has this node's memory of tokens hear at once of what was changed here;
	// nil: it hears like all others, within a second.
	Learn func(ctx context.Context)
}

// Mailer writes to people.
type Mailer interface {
	// Configured reports whether mails can be sent at all.
	Configured() bool
	// Seal makes a mail that the rows can keep.
	Seal(to, subject, text string) (postern.SealedMail, error)
	// Knock says that mails were kept.
	Knock()
}

// Store is what the rules ask of the rows.
type Store interface {
	// Registry reads what the rows say of the objects that are mentioned.
	Registry(ctx context.Context, m *Mentions) (*State, error)
	// ApplyRegistry reads the same, lets decide turn it into writes and makes
	// them, all in one transaction that no other apply overlaps. Where decide
	// fails, nothing is written. decide may be called again when transactions
	// collide.
	//
	// What a token check depends on is announced in the change sequence; what is
	// removed ends its connections, each with its connection.deleted.
	ApplyRegistry(ctx context.Context, m *Mentions, now time.Time, decide func(*State) (*Writes, error)) error
	// SaveOperatorToken keeps a new operator's token.
	SaveOperatorToken(ctx context.Context, t OperatorToken) error
}

// Passwords is what the rules about people do for us.
type Passwords interface {
	// HashPassword makes the hash to store; for an unfit password the error is an
	// InvalidRequest that says why.
	HashPassword(password postern.Secret) (string, error)
	// VerifyPassword compares a password with a stored hash.
	VerifyPassword(hash string, password postern.Secret) (ok, upgrade bool, err error)
	// CheckHash says whether an imported hash can be used; if not, the error is
	// an InvalidRequest that says why.
	CheckHash(hash string) error
}

// DialectFacts are what registration must know of a mounted dialect.
type DialectFacts struct {
	// Level is whom a connection belongs to, of apps that do not say.
	Level postern.Level
	// OneRedirectURL: an app has exactly one (xref.md §0); SomeRedirectURL: at
	// least one (xeebo.md §0).
	OneRedirectURL, SomeRedirectURL bool
	// Required are the keys of an app that may not be empty: "description", "url",
	// "logo_url", "webhook_url".
	Required []string
	// NativeApps: a public app may register an http redirect URL on a loopback
	// host (RFC 8252 §7.3), also without InsecureLoopback.
	NativeApps bool
	// WeakSecrets: declared secrets may be shorter than 20 characters
	// (insecure_weak_imported_secrets).
	WeakSecrets bool
	// SignedTokens: apps may have their access tokens signed (RFC 9068). AccessLife is
	// how long access tokens live; 0: for ever.
	SignedTokens bool
	AccessLife   time.Duration
	// RecoverableSecrets: the wire signs with the client secret, so it is kept
	// sealed (insecure_recoverable_client_secret).
	RecoverableSecrets bool
	// NoScopes: the wire has no scopes, so there are none to choose.
	NoScopes bool
	// ForItself: the wire has tokens for an app itself (client_credentials).
	ForItself bool
	// Assertions: the wire has a place for client_assertion (private_key_jwt).
	Assertions bool
}
