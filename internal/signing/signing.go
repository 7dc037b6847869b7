// Package signing holds the rules about the keys that sign access tokens (RFC 9068):
// made on first need, published before they sign (RFC 7517), replaced by age or by
// command, and published on for as long as a token that they signed may live.
//
// All nodes share the keys of the rows, where the private halves are sealed. Of
// several that want a new one at once, one makes it.
package signing

import (
	"context"
	"io"
	"sync/atomic"
	"time"

	"postern.dev/postern"
)

const (
	// Lead is how long a key is published before it signs: longer than whoever
	// keeps the key set keeps it (MaxAge).
	Lead = 10 * time.Minute
	// MaxAge is how long the key set may be kept by those who read it.
	MaxAge = 5 * time.Minute
	// slack is for clocks that differ, and for nodes that have not heard yet that
	// another key signs.
	slack = 10 * time.Minute
	// heldFor is how long a node works with what it read.
	heldFor = 5 * time.Second
)

// Key is a signing key's row.
type Key struct {
	// Number orders keys: the highest that may sign does.
	Number int64
	// ID is the key's name in a token's header (kid): its thumbprint (RFC 7638),
	// which tells nothing and points nowhere.
	ID        string
	Public    []byte // as the key set has it (a JSON Web Key)
	Sealed    []byte // the private half
	CreatedAt time.Time
	SignsAt   time.Time // from when it signs; until then it is only published
	Until     time.Time // when it leaves the key set; zero: not decided yet
}

// Store is what the rules ask of the rows.
type Store interface {
	// SigningKeys are the keys that have not left the key set, the oldest first.
	SigningKeys(ctx context.Context, now time.Time) ([]Key, error)
	// AddSigningKey keeps a new key, if its number is the next one: of many callers
	// one is told true, the others change nothing. Earlier keys without an end get
	// this one; where retire is set, all earlier keys end now.
	AddSigningKey(ctx context.Context, k Key, end time.Time, retire bool, actor string) (bool, error)
	// DropSigningKeys removes keys that have left the key set.
	DropSigningKeys(ctx context.Context, now time.Time) (int, error)
	// Audience are the ids of the APIs that are not switched off, in their order.
	Audience(ctx context.Context) ([]string, error)
}

// Rules are the rules about signing keys. All methods may be called at once.
type Rules struct {
	Store  Store
	Sealer postern.Sealer
	Now    func() time.Time
	Random io.Reader
	// Age is for how long a key signs before the next one takes over.
	Age time.Duration
	// TokenLife is the longest life of a token that is signed.
	TokenLife time.Duration

	last atomic.Pointer[held]
}

// State is what a key is for at a time.
type State string

const (
	Next    State = "next"    // published, and signs later
	Signing State = "signing" // signs what is issued now
	Old     State = "old"     // published for what it signed
)

// States tells what each of these keys is for.
func States(list []Key, now time.Time) map[string]State {
	states, signs := map[string]State{}, current(list, now)
	for _, k := range list {
		switch {
		case k.ID == signs.ID:
			states[k.ID] = Signing
		case k.Number > signs.Number:
			states[k.ID] = Next
		default:
			states[k.ID] = Old
		}
	}
	return states
}

// current is the newest key whose time has come. A node whose clock is behind may
// find none: then it is the oldest, which another node's clock lets sign already.
func current(list []Key, now time.Time) Key {
	if len(list) == 0 {
		return Key{}
	}
	signs := list[0]
	for _, k := range list {
		if !k.SignsAt.After(now) {
			signs = k
		}
	}
	return signs
}

// List are the keys of the key set, the oldest first.
func (r *Rules) List(ctx context.Context) ([]Key, error) { return r.Store.SigningKeys(ctx, r.Now()) }
