// Package webhook tells partners what happened: it signs, sends, retries, gives
// up and replays, and takes in the events of the operator's own product. It does
// not decide what is worth telling of a connection: that is written as an event
// in the transaction that caused it, and this package loses none of them.
//
// The way of an event:
//
//	event ──fan out──▶ delivery (one per app) ──attempts──▶ delivered | parked | withheld
//
// A delivery has a position among its app's, which is also what an app that
// pulls reads on from. The deliveries of one connection are sent in order. The
// endpoint of an app is worked on by one node at a time, its holder, so a dead
// endpoint holds up nobody else's.
package webhook

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"postern.dev/postern"
)

// Rules are the rules about telling. All methods may be called at once.
type Rules struct {
	Store  Store
	Sealer postern.Sealer
	Wires  Wires
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger

	// Mail tells partners of outages; nil: nobody does. PublicURL is where the
	// portal is.
	Mail      Mailer
	PublicURL string

	// InsecureLoopback opens loopback addresses, for development and tests.
	InsecureLoopback bool
	// Networks are further ones that the operator allows endpoints in.
	Networks []netip.Prefix
	// History is how long what is over is kept. 0: 30 days.
	History time.Duration

	// NodeDead is how long a node may show no sign of life before others take over
	// its endpoints. 0: 10 s.
	NodeDead time.Duration
}

// Wires is what the mounted dialects add to a message.
type Wires interface {
	// EventData are the members that a dialect has of its own in data (event_data).
	EventData(dialect string, m *Message) []Member
	// Legacy is the message in the shape of the server that a dialect replaces;
	// nil: it has none for it. secret is the endpoint's.
	Legacy(ctx context.Context, dialect string, m *Message, secret postern.Secret) (*Legacy, error)
	// AccountIDs is the form of the ids that a dialect has for accounts; nil: the
	// product's own.
	AccountIDs(dialect string) *postern.Form
}

// Member is a member of a message's data.
type Member struct {
	Name string
	JSON []byte
}

// Legacy is a body of another shape, with the headers that belong to it. The
// standard headers stand beside them and sign this body.
type Legacy struct {
	Header http.Header
	Body   []byte
}

// Message is what happened, with all that its words are made of.
type Message struct {
	ID   string // the webhook-id
	Type string
	At   time.Time
	App  AppFacts

	ConnectionID     string
	ConnectionNumber int64
	Sequence         int64 // of connection events
	Account          postern.Account
	UserID           string // at user level, or whom a product event is about
	UserNickname     string
	Reason           postern.EndReason
	Changes          []string

	// Of a product event: what was published. Own: it is no connection's.
	Own   bool
	Scope string
	Data  []byte
}

// AppFacts are what a message's words depend on in the app.
type AppFacts struct {
	ID         string
	Dialect    string
	Attributes map[string]string
}

// Delivery is a message on its way to one app.
type Delivery struct {
	AppID    string
	Position int64  // among the app's, in the order in which they happened
	Lane     string // the connection: one lane is delivered in order
	State    State
	Attempts int       // in all
	Tries    int       // since it was fanned out, or sent again
	DueAt    time.Time // of an open one; zero: at once
	Behind   bool      // an earlier one of its lane is open
	DoneAt   time.Time
	Why      string // what became of it, in words

	Message Message
}

// State is how far a delivery has come.
type State string

const (
	Open      State = "open"      // waiting, or being sent
	Delivered State = "delivered" // the endpoint said 2xx
	Parked    State = "parked"    // given up; can be sent again
	Kept      State = "kept"      // the app had no endpoint: it may pull
	Withheld  State = "withheld"  // the app may not see it any more
)

// Why an event is over before anything is sent. Pages say these, and other texts
// of Why, in the reader's language.
const (
	NoEndpoint   = "The app has no endpoint; it may pull."
	EndpointGone = "The endpoint said 410 Gone; it is switched off until it is sent to again or has another URL."
)

// Attempt is one request to an endpoint and its answer.
type Attempt struct {
	Number int
	At     time.Time
	Took   time.Duration
	Status int    // 0: there was no answer
	Error  string // why there was none, in words
	Reply  string // the first bytes of the answer
	Played bool   // nothing was sent: a sandbox's partner wishes to see it fail
}

// OK reports whether the endpoint took the message.
func (a *Attempt) OK() bool { return a.Status >= 200 && a.Status <= 299 }

// Outcome is what an attempt means for its delivery.
type Outcome struct {
	Delivery *Delivery
	Attempt  *Attempt // nil: nothing was sent
	State    State
	DueAt    time.Time // of one that stays open
	Why      string
	At       time.Time
}

// Endpoint is an app's webhook as it is now, with its health.
type Endpoint struct {
	App     AppFacts
	AppName string
	URL     string
	Removed time.Time // when the app was; zero: it is there

	Secret    []byte // sealed: table apps, column webhook_secret
	OldSecret []byte // sealed: table endpoints, column old_secret
	OldUntil  time.Time
	Ed25519   []byte // sealed: table endpoints, column ed25519

	Ordered bool
	Health

	Waiting, Parked int64 // filled in by EndpointOf only: deliveries that are open, and that were given up
	News            int64 // grows when there is something to look for
}

// Health is how an endpoint has been answering.
type Health struct {
	Failures     int // in a row
	FailingSince time.Time
	LastSuccess  time.Time
	// GoneURL is the URL that answered 410: nothing is sent there any more.
	GoneURL string
}

// Gone reports whether the endpoint has said that it is no more (410).
func (e *Endpoint) Gone() bool { return e.GoneURL != "" && e.GoneURL == e.URL }

// Status is the endpoint's health in a word.
func (e *Endpoint) Status() string {
	switch {
	case e.URL == "":
		return "none"
	case e.Gone():
		return "disabled"
	case e.Failures > 0:
		return "failing"
	}
	return "healthy"
}

// Published is an event of the operator's product.
type Published struct {
	ID        string
	Type      string
	AppID     string // "": every app whose connection holds the scope
	AccountID string
	UserID    string
	Scope     string
	Data      []byte // compact JSON object
	At        time.Time
}

// Work is what a node finds to do.
type Work struct {
	Due  []string         // apps whose endpoint is free and has something due
	Mine map[string]int64 // apps whose endpoint the node holds, with the news there
}

// Holder is a node that holds endpoints, and its last sign of life.
type Holder struct {
	Node string
	Beat int64
}

// Store is what the rules ask of the rows. Each method is one transaction, or
// one read.
type Store interface {
	// FanOut makes deliveries of up to limit events that have none yet, in the
	// order in which they happened, and gives how many events it took. Of several
	// nodes one does; the others get 0.
	FanOut(ctx context.Context, now time.Time, limit int) (int, error)

	// Work is what there is to do for this node.
	Work(ctx context.Context, node string, now time.Time, limit int) (*Work, error)
	// Hold makes the node the holder of a free endpoint. Of many callers one is
	// told true.
	Hold(ctx context.Context, appID, node string) (bool, error)
	// Load reads an endpoint that the node holds and its due deliveries, those
	// due longest first, and when the next one will be due. NotFound: the node
	// does not hold it.
	Load(ctx context.Context, appID, node string, now time.Time, limit int) (*Endpoint, []*Delivery, time.Time, error)
	// Record keeps what became of deliveries, and the endpoint's health where it is
	// given. The next in the lane of each that is over may go.
	Record(ctx context.Context, appID string, h *Health, outcomes []Outcome) error
	// LetGo frees an endpoint that the node holds, to be worked on again at a time
	// (zero: when there is something), and before notBefore not even for a new
	// event. False: there is news since the holder looked, and nothing was done.
	LetGo(ctx context.Context, appID, node string, news int64, again, notBefore time.Time) (bool, error)
	// FailOnPurpose reports whether the next attempt to tell an app of its sandbox
	// is to fail, as its partner wishes, and counts it.
	FailOnPurpose(ctx context.Context, appID string) (bool, error)
	// Beat is a node's sign of life. False: others have declared it dead.
	Beat(ctx context.Context, node string, first bool) (bool, error)
	// Holders are the other nodes that hold endpoints.
	Holders(ctx context.Context, node string) ([]Holder, error)
	// Bury frees the endpoints of a dead node, and forgets it.
	Bury(ctx context.Context, node string) error

	// Standing are the live connections of an app to an account, oldest first,
	// and whether app and account are active. UserID "": of all users.
	Standing(ctx context.Context, appID, accountID string) ([]postern.Connection, error)
	// KeepWireID makes an account's id on a wire, unless it has one, and gives it.
	KeepWireID(ctx context.Context, dialect, accountID, proposed string) (string, error)

	// EventTypes is the catalogue: each type with its scope.
	EventTypes(ctx context.Context) (map[string]string, error)
	// KnownScopes is the catalogue of scopes.
	KnownScopes(ctx context.Context) ([]string, error)
	// AccountExists and UserExists: removed ones do not; a user belongs to the
	// account.
	AccountExists(ctx context.Context, accountID string) (bool, error)
	UserExists(ctx context.Context, accountID, userID string) (bool, error)
	// Publish keeps events, all or none. One that was published before, the same
	// in everything, is told in again; the same id with other contents is a
	// Conflict whose message names the id. A test is sent though its app's endpoint
	// has said 410.
	Publish(ctx context.Context, events []Published, actor string) (again []bool, err error)

	// Feed reads an app's deliveries after a position, in order.
	Feed(ctx context.Context, appID string, after int64, limit int) ([]*Delivery, error)
	// EndpointOf reads an app's endpoint; NotFound: there is no such app.
	EndpointOf(ctx context.Context, appID string) (*Endpoint, error)
	// Deliveries lists an app's, latest first, before a position.
	Deliveries(ctx context.Context, f Filter) ([]*Delivery, error)
	// DeliveryOf reads one with its attempts, the latest 100.
	DeliveryOf(ctx context.Context, appID, eventID string) (*Delivery, []Attempt, error)
	// Replay opens deliveries again that are over, oldest first, at most limit,
	// and gives how many. Where the filter names an event or asks for open ones,
	// those that wait for their next try are due at once.
	Replay(ctx context.Context, f Filter, actor string, now time.Time) (int, error)
	// SetKeys keeps an endpoint's secrets; see Keys. Conflict: the secret is not
	// the one any more that a new one is to replace.
	SetKeys(ctx context.Context, appID string, k Keys, actor string, now time.Time) error
	// SetOrdered chooses whether an app's lanes keep their order.
	SetOrdered(ctx context.Context, appID string, ordered bool, actor string, now time.Time) error

	// Outages are endpoints that have been failing since before a time, or said
	// 410, and whose partner was not told of it.
	Outages(ctx context.Context, before time.Time, limit int) ([]*Outage, error)
	// ToldOutage keeps mails that tell of an outage, unless somebody has told of it:
	// of many callers one is told true.
	ToldOutage(ctx context.Context, o *Outage, mails []postern.SealedMail) (bool, error)

	// SweepWebhooks removes up to limit rows of each kind that were over before a
	// time, and gives the largest number of one kind.
	SweepWebhooks(ctx context.Context, before time.Time, limit int) (int, error)
}

// Filter chooses deliveries of one app.
type Filter struct {
	AppID       string
	EventID     string // "": any
	State       State  // "": any
	Since, Till time.Time
	Before      int64 // positions below this; 0: any
	Limit       int
}

// Keys are an endpoint's secrets on their way into the rows, sealed. What is nil
// stays.
type Keys struct {
	Secret    []byte
	Was       []byte // what Secret takes the place of
	OldSecret []byte // goes on signing until OldUntil
	OldUntil  time.Time
	Ed25519   []byte // empty, not nil: none any more
}

const defaultHistory = 30 * 24 * time.Hour

func (r *Rules) history() time.Duration {
	if r.History > 0 {
		return r.History
	}
	return defaultHistory
}

// Sweep removes history that is older than it is kept for.
func (r *Rules) Sweep(ctx context.Context, limit int) (int, error) {
	return r.Store.SweepWebhooks(ctx, r.Now().Add(-r.history()), limit)
}
