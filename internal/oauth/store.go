package oauth

import (
	"context"
	"time"

	"postern.dev/postern"
)

// Store is what the rules ask of the rows. Each method is one transaction, or
// one read. Where something is not there, the error is postern.NotFound; where
// the database is away, postern.Unavailable.
type Store interface {
	// App reads an app with its valid and expired secrets and its partner. A
	// removed app is NotFound; one that is switched off, or whose partner is,
	// has Disabled set.
	App(ctx context.Context, clientID string) (*postern.App, error)
	// ClientOf finds the id of the app that a secret, a code or a token belongs
	// to; NotFound for a stranger's, and for a secret that several apps share.
	ClientOf(ctx context.Context, by NamedBy, hash postern.Hash) (string, error)
	// ClientByAlias finds the id of the app that has an attribute of this value;
	// NotFound also where several have it.
	ClientByAlias(ctx context.Context, a Alias) (string, error)
	// AccountConnection finds an app's live account-level connection to the account
	// that this dialect knows by an id; NotFound when there is none.
	AccountConnection(ctx context.Context, appID, dialect, wireID string) (string, error)
	// AppAndCode is App, and the code if there is one (else nil), in one round trip.
	AppAndCode(ctx context.Context, clientID string, code postern.Hash) (*postern.App, *postern.Code, error)
	// AppAndToken is App, and the token if there is one (else nil), in one round trip.
	AppAndToken(ctx context.Context, clientID string, token postern.Hash) (*postern.App, *postern.Token, error)
	// Token reads a token with all that its verdict depends on: one indexed read.
	Token(ctx context.Context, token postern.Hash) (*postern.Token, error)
	// API reads a resource server.
	API(ctx context.Context, id string) (*postern.API, error)

	// SaveTicket keeps a pending consent.
	SaveTicket(ctx context.Context, t *postern.Ticket) error
	// Ticket reads one, open or answered, until it is purged, with its app, whose
	// LogoHash is set; nil: the app was removed.
	Ticket(ctx context.Context, ticket postern.Hash) (*postern.Ticket, *postern.App, error)
	// BindTicket gives an open ticket to the user it is shown to first. For any
	// other user later it is Forbidden.
	BindTicket(ctx context.Context, ticket postern.Hash, userID string) error
	// CloseTicket closes an open ticket without an answer; Conflict when it was
	// answered.
	CloseTicket(ctx context.Context, ticket postern.Hash, now time.Time) error
	// Answer closes an open ticket, once: of many callers one wins, the others get
	// Conflict. With a code it also checks, in the same transaction, that the
	// redirect URL is still registered, the app, account and user are active and
	// the approver is still a member with the role; else the ticket closes and the
	// error is RedirectMismatch, Forbidden or InvalidClient. It fixes the user's
	// wire nickname, makes the account's wire id, and remembers the consent.
	Answer(ctx context.Context, a Answer) error

	// RememberedScopes are those of a stored consent that was given since the app
	// last changed what people see of it, and those of its second token; NotFound
	// otherwise.
	RememberedScopes(ctx context.Context, appID, accountID, userID string) (scopes, second []string, err error)

	// RedeemCode spends the code, makes or joins the connection, saves the tokens,
	// does the same for the second token with a family and a connection of its own,
	// writes connection.created or connection.updated, and ends the family unused
	// longest while there are more than AtOnce, all or nothing. If another caller
	// was first, the code has expired, or its user, account or app is off, it
	// changes nothing and fails with InvalidGrant.
	RedeemCode(ctx context.Context, r Redemption) (connectionID string, number int64, err error)
	// BurnCode spends an unspent code without tokens: its owner presented it with
	// a wrong redirect URL or verifier.
	BurnCode(ctx context.Context, code postern.Hash, why string, now time.Time) error
	// ReplayedCode ends the families born of a spent code. See EndFamily.
	ReplayedCode(ctx context.Context, code postern.Hash, now time.Time) error

	// Rotate supersedes a current refresh token by its successor and saves both
	// new tokens. If another caller was first, or the family, the connection or
	// what they depend on ended, it changes nothing and fails with Conflict.
	Rotate(ctx context.Context, r Rotation) error
	// ReplaceSuccessor ends the unused successor of a superseded token and gives
	// it another. If the successor was used meanwhile it changes nothing and fails
	// with Conflict.
	ReplaceSuccessor(ctx context.Context, old postern.Hash, r Rotation) error
	// Renew saves a new access token beside a refresh token that does not rotate,
	// and moves the end of the refresh token's life. It fails with Conflict when
	// the refresh token died meanwhile.
	Renew(ctx context.Context, r Renewal) error
	// SwapAccess saves an access token that a live one was exchanged for, ends that
	// one if the swap says so, and moves the end of the family's life. It fails with
	// Conflict when the presented one died meanwhile.
	SwapAccess(ctx context.Context, s Swap) error
	// SaveAccess saves an access token that belongs to no connection.
	SaveAccess(ctx context.Context, t NewToken) error

	// EndToken ends one access token alone. Again is no error and no change.
	EndToken(ctx context.Context, token postern.Hash, actor string, now time.Time) error
	// EndFamily ends all tokens born of one code; if the connection has no other
	// live family it ends too, with this reason, and connection.deleted is
	// written. Again is no error and no change.
	EndFamily(ctx context.Context, family postern.Hash, reason postern.EndReason, actor string, now time.Time) error
	// Connection reads a connection, live or ended.
	Connection(ctx context.Context, id string) (*postern.Connection, error)
	// Memberships are the accounts that a user belongs to, by name; removed
	// accounts are not among them, switched-off ones have Disabled set.
	Memberships(ctx context.Context, userID string) ([]postern.Membership, error)
	// Disconnect ends a connection, everything born of it, its pending codes and
	// open tickets, and writes connection.deleted. Of many callers one is told
	// true.
	Disconnect(ctx context.Context, connectionID string, reason postern.EndReason, actor string, now time.Time) (bool, error)

	// SaveUses moves the "last used" of families and connections forward.
	SaveUses(ctx context.Context, batch []Use) error
	// SaveSecretUses moves the "last used" of client secrets forward.
	SaveSecretUses(ctx context.Context, batch []SecretUse) error
	// Sweep ends connections whose last token died of age (reason expired, one
	// event each) and removes up to limit rows of each kind that nothing can need
	// any more. It gives the largest number of one kind.
	Sweep(ctx context.Context, now time.Time, limit int) (int, error)

	// UseAssertion keeps the hash of an assertion's id until the assertion has
	// expired. Of many callers with one id, one succeeds; the others get Conflict.
	UseAssertion(ctx context.Context, id postern.Hash, expires time.Time) error

	// Note writes an audit record of an act that changed nothing.
	Note(ctx context.Context, actor, action, object string, now time.Time) error

	// CountFailure counts a failure under a name and gives how many there were in
	// the window that is under way.
	CountFailure(ctx context.Context, name string, window time.Duration, now time.Time) (int, error)
}

// Answer is a decision on its way into the rows.
type Answer struct {
	Ticket  postern.Hash
	UserID  string
	Allow   bool
	Address string
	Now     time.Time

	// What follows is for an allowed one.
	AppID         string
	Dialect       string
	AccountID     string
	Role          string // that the decision rests on: the membership must still have it
	Level         postern.Level
	Code          postern.Hash
	CodeExpires   time.Time
	RedirectURI   string
	RegisteredURI string // must still be registered
	SentURI       bool
	Challenge     string
	Scopes        []string
	SecondScopes  []string
	Kept          map[string]string
	// WireID is the account's id on this wire, if it has none stored yet; "" where
	// the wire has no ids of its own.
	WireID   string
	Remember bool // the consent need not be asked for again
}

// NewToken is a token on its way into the rows.
type NewToken struct {
	Hash      postern.Hash
	AppID     string
	Dialect   string
	Scopes    []string
	IssuedAt  time.Time
	ExpiresAt time.Time // zero: never
}

// Redemption is an exchange on its way into the rows.
type Redemption struct {
	Code    *postern.Code
	Version int64 // the registry's, by which the app was judged
	Access  NewToken
	Refresh *NewToken // nil: none
	AtOnce  int
	// NewConnectionID, NewNumber and EventID are used if the connection is made.
	NewConnectionID string
	NewNumber       int64
	EventID         string
	LiveUntil       time.Time // when the last of these tokens dies of age; zero: never
	Now             time.Time
	// Sign makes the access token, where that one says which connection it is of,
	// and gives its hash: it is called as soon as the connection is known. nil:
	// Access has the hash.
	Sign   func(connectionID string) (postern.Hash, error)
	Second *SecondRedemption // nil: none
}

// SecondRedemption is the second token of an exchange: an access token of a
// user-level connection.
type SecondRedemption struct {
	Family          postern.Hash
	Access          NewToken
	NewConnectionID string
	NewNumber       int64
	EventID         string
}

// Rotation is a refresh token giving way to its successor.
type Rotation struct {
	Presented postern.Hash
	Family    postern.Hash
	Salt      []byte
	OldSalt   []byte // ReplaceSuccessor: the salt that the decision rests on
	Said      string // what the access token says, where it is signed
	Access    NewToken
	Successor NewToken
	LiveUntil time.Time
	Now       time.Time
}

// Renewal is a new access token beside a refresh token that stays.
type Renewal struct {
	Presented      postern.Hash
	Family         postern.Hash
	RefreshExpires time.Time
	Access         NewToken
	LiveUntil      time.Time
	Now            time.Time
}

// Swap is a live access token exchanged for a new one.
type Swap struct {
	Presented postern.Hash
	Family    postern.Hash
	Ends      bool // the presented one ends
	Access    NewToken
	Now       time.Time
}
