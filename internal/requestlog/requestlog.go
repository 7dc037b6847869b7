// Package requestlog keeps, for the people who make an app, what its programs
// asked and how it was answered: each authorize, token, revocation and
// introspection request and each refused check, with the rule that failed in
// words and what to do about it.
//
// It stands beside the traffic: a request is noted in memory and written in
// batches by somebody else's hand. It never waits, holds no secret, and is
// bounded in every direction; what does not fit is counted.
package requestlog

import (
	"context"
	"time"

	"postern.dev/postern"
)

// Outcome says how a request was answered.
type Outcome string

const (
	Granted Outcome = "granted"
	Refused Outcome = "refused"
	// NoEffect is an answer that refuses nothing and did nothing: a token to revoke
	// that is not known, one to look up that is not active.
	NoEffect Outcome = "no_effect"
)

// Entry is one request.
type Entry struct {
	ID        int64 // larger is later; unique within an app
	AppID     string
	At        time.Time
	RequestID string
	Dialect   string
	Endpoint  string // "authorize", "consent", "token", "refresh", "revoke", "introspect", "whoami", "check"
	Method    string
	Grant     string // grant_type, as it was sent
	Status    int
	Took      time.Duration
	Address   string // of the app's machine; empty where a person's browser asked

	Outcome Outcome
	Kind    postern.Kind // what the wire was told; empty unless refused
	Rule    postern.Rule
	Facts   map[string]string

	// Proved: the app authenticated, or showed what only it can have. Others may be
	// strangers' requests in its name.
	Proved       bool
	ConnectionID string
	AccountID    string
	// What the account is when the entry is read.
	AccountName string
	SandboxOf   string // the partner whose sandbox it is; empty: a customer's
	// Sent are the parameters, a line each, secrets masked.
	Sent string
	// More counts further ones like this in the same minute, which have no entry.
	More int
}

// strange reports whether anybody could have brought this failure about who knows
// the app's client_id. Who shows a token that the app was given is no such stranger.
func (e *Entry) strange() bool {
	return e.Outcome == Refused && !e.Proved && e.ConnectionID == ""
}

// Origin is a choice among entries by what proves whose they are.
type Origin string

const (
	Own    Origin = "own"    // proved to be the app's
	Others Origin = "others" // perhaps the app's
)

// Filter chooses entries; what is empty asks for nothing.
type Filter struct {
	Outcome      Outcome
	Origin       Origin
	Account      string // id or name
	ConnectionID string
	Endpoint     string
	RequestID    string
	Before       int64 // entries with a smaller ID; 0: from the latest
}

// Day is an app's calls of one day, in UTC.
type Day struct {
	Date      time.Time // midnight
	Calls     int64
	Errors    int64 // of the calls
	Strangers int64 // refused requests beside them, which anybody can have made
}

// Batch is what is written at once.
type Batch struct {
	Entries []Entry
	More    []More
	Counts  []Count
}

// More adds to an entry's count of those like it.
type More struct {
	AppID string
	ID    int64
	N     int
}

// Count is added to an app's calls of a day.
type Count struct {
	AppID    string
	Day      int64 // since 1970, in UTC
	Endpoint string
	Calls    int64
	Errors   int64

	Strangers int64
}

// Bounds are what is kept of one app.
type Bounds struct {
	// Most is how many entries; a fifth of them is for what strangers can bring
	// about. 0: none are kept, and calls are only counted.
	Most int
	// History is for how long.
	History time.Duration
}

// strangers is the share of what strangers can bring about.
func (b Bounds) strangers() int { return max(b.Most/5, 1) }

// own is the share of what the app itself did.
func (b Bounds) own() int { return max(b.Most-b.strangers(), 1) }

// Store is what the log asks of the rows.
type Store interface {
	// SaveRequests writes a batch, all or nothing. What names an app that does not
	// exist is left out.
	SaveRequests(ctx context.Context, b Batch) error
	// Requests are entries of an app, the latest first.
	Requests(ctx context.Context, appID string, f Filter, limit int) ([]Entry, error)
	// Request is one; NotFound.
	Request(ctx context.Context, appID string, id int64) (*Entry, error)
	// LastOfConnections are an app's latest entries at an endpoint, one for each of
	// these connections that has any, by connection.
	LastOfConnections(ctx context.Context, appID, endpoint string, connections []string) (map[string]Entry, error)
	// Counts are an app's calls by day and endpoint, from a day on, in order.
	Counts(ctx context.Context, appID string, from int64) ([]Count, error)
	// PruneRequests removes an app's entries that are over a bound, up to limit, and
	// gives how many: those below an ID, and of each kind (proved and not) the
	// earliest over so many. 0 is no such bound.
	PruneRequests(ctx context.Context, appID string, below int64, own, strangers, limit int) (int, error)
	// PruneCounts forgets an app's counts of days before this one.
	PruneCounts(ctx context.Context, appID string, before int64) error
	// LoggedApps are apps of which anything is kept, by id, after one.
	LoggedApps(ctx context.Context, after string, limit int) ([]string, error)
}

// idBits are the lower bits of an ID, which tell entries of one millisecond apart.
const idBits = 20

// firstID is the smallest ID of a moment.
func firstID(t time.Time) int64 { return t.UnixMilli() << idBits }

const day = 24 * time.Hour

func dayOf(t time.Time) int64 { return t.Unix() / int64(day/time.Second) }
