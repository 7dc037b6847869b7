package oauth

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"postern.dev/postern"
)

// Use is that a family's token was seen.
type Use struct {
	Family       postern.Hash
	ConnectionID string
	At           time.Time
}

// uses remembers when families were last seen until a batch of them is written,
// so that a check of a token costs no write. The first use is written at once, of
// those that follow one a minute: a token may be seen a thousand times a second.
// What is lost in a crash is a minute of "last used".
type uses struct {
	mu      sync.Mutex
	seen    map[postern.Hash]*noted
	of      map[appAt][]postern.Hash // the families in seen
	secrets map[string]time.Time     // ids of client secrets
}

// noted is a use that may have been written before.
type noted struct {
	Use
	app     appAt
	written time.Time // zero: never
}

// writtenEvery is how late "last used" may be, of what is used all the time.
const writtenEvery = time.Minute

// appAt is an app at an account, whose families an exchange may have to choose from.
type appAt struct{ app, account string }

// SecretUse is that a client secret proved its app.
type SecretUse struct {
	SecretID string
	At       time.Time
}

// noteSecret remembers that a secret was used. There are only as many as apps
// have, and a stranger has none.
func (u *uses) noteSecret(id string, now time.Time) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.secrets == nil {
		u.secrets = map[string]time.Time{}
	}
	u.secrets[id] = now
}

func (u *uses) takeSecrets() []SecretUse {
	u.mu.Lock()
	defer u.mu.Unlock()
	batch := make([]SecretUse, 0, len(u.secrets))
	for id, when := range u.secrets {
		batch = append(batch, SecretUse{id, when})
	}
	u.secrets = nil
	slices.SortFunc(batch, func(a, b SecretUse) int { return strings.Compare(a.SecretID, b.SecretID) }) // two nodes lock in one order
	return batch
}

// usesKept bounds the memory; beyond it uses go unnoted.
const usesKept = 100_000

func (u *uses) note(t *postern.Token, now time.Time) {
	if t.Family.IsZero() {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if known := u.seen[t.Family]; known != nil {
		known.At = now
		return
	}
	if len(u.seen) >= usesKept {
		return
	}
	if u.seen == nil {
		u.seen, u.of = map[postern.Hash]*noted{}, map[appAt][]postern.Hash{}
	}
	n := &noted{Use: Use{t.Family, t.Connection.ID, now}, app: appAt{t.AppID, t.Account.ID}}
	u.seen[t.Family] = n
	u.of[n.app] = append(u.of[n.app], t.Family)
}

// takeDue takes what was used and not written within the last minute, and forgets
// what was not used since. From a full memory it takes all, so that those who found
// no room have their turn.
func (u *uses) takeDue(now time.Time) (batch []Use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	full := len(u.seen) >= usesKept
	left := map[appAt]bool{}
	for family, n := range u.seen {
		if !full && !n.written.IsZero() && now.Sub(n.written).Abs() < writtenEvery {
			continue
		}
		unwritten := !n.At.Equal(n.written)
		if unwritten {
			n.written = n.At
			batch = append(batch, n.Use)
		}
		if full || !unwritten {
			delete(u.seen, family)
			left[n.app] = true
		}
	}
	for app := range left {
		u.forgetGone(app)
	}
	return batch
}

// forgetGone looks through an app's families once for all that are not in seen any
// more: an app may have very many at one account, and checks of tokens wait.
func (u *uses) forgetGone(app appAt) {
	of := slices.DeleteFunc(u.of[app], func(family postern.Hash) bool { return u.seen[family] == nil })
	if len(of) == 0 {
		delete(u.of, app)
		return
	}
	u.of[app] = of
}

func (u *uses) takeAll() (batch []Use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, n := range u.seen {
		batch = append(batch, n.Use)
	}
	u.seen, u.of = nil, nil
	return batch
}

// takeOf takes what was noted of an app at one account.
func (u *uses) takeOf(app, account string) (batch []Use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	of := appAt{app, account}
	for _, family := range u.of[of] {
		batch = append(batch, u.seen[family].Use)
		delete(u.seen, family)
	}
	delete(u.of, of)
	return batch
}

// usesAtOnce bounds how long one transaction of uses holds its rows, and on
// SQLite the writer.
const usesAtOnce = 500

// SaveUses writes what is due of what was noted; it never asks to be called again
// at once.
func (r *Rules) SaveUses(ctx context.Context) (int, error) {
	if err := r.saveSecretUses(ctx); err != nil {
		return 0, err
	}
	return 0, r.saveUses(ctx, r.uses.takeDue(r.Now()))
}

// SaveAllUses writes all that was noted, at the end.
func (r *Rules) SaveAllUses(ctx context.Context) error {
	if err := r.saveSecretUses(ctx); err != nil {
		return err
	}
	return r.saveUses(ctx, r.uses.takeAll())
}

func (r *Rules) saveSecretUses(ctx context.Context) error {
	secrets := r.uses.takeSecrets()
	if len(secrets) == 0 {
		return nil
	}
	return r.Store.SaveSecretUses(ctx, secrets)
}

// saveUsesOf writes what was noted of an app's connections to one account.
func (r *Rules) saveUsesOf(ctx context.Context, app, account string) error {
	return r.saveUses(ctx, r.uses.takeOf(app, account))
}

func (r *Rules) saveUses(ctx context.Context, batch []Use) error {
	for some := range slices.Chunk(batch, usesAtOnce) {
		if err := r.Store.SaveUses(ctx, some); err != nil {
			return err
		}
	}
	return nil
}

// sweepBatch bounds how many rows one sweep removes of each kind, so that the
// traffic beside it hardly notices.
const sweepBatch = 500

// Sweep writes what was noted, ends connections whose last token died of age,
// and removes rows that nothing can need any more. It gives how many rows it
// dealt with: a full batch means that there is more to do.
func (r *Rules) Sweep(ctx context.Context) (int, error) {
	if _, err := r.SaveUses(ctx); err != nil {
		return 0, err
	}
	return r.Store.Sweep(ctx, r.Now(), sweepBatch)
}
