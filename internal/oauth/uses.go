package oauth

import (
	"context"
	"maps"
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
// so that a check of a token costs no write. What is lost in a crash is a few
// seconds of "last used".
type uses struct {
	mu      sync.Mutex
	seen    map[postern.Hash]Use
	of      map[appAt][]postern.Hash // the families in seen
	secrets map[string]time.Time     // ids of client secrets
}

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

// usesKept bounds the memory between two flushes; beyond it uses go unnoted.
const usesKept = 50_000

func (u *uses) note(t *postern.Token, now time.Time) {
	if t.Family.IsZero() {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.seen == nil {
		u.seen, u.of = map[postern.Hash]Use{}, map[appAt][]postern.Hash{}
	}
	if _, known := u.seen[t.Family]; !known {
		if len(u.seen) >= usesKept {
			return
		}
		of := appAt{t.AppID, t.Account.ID}
		u.of[of] = append(u.of[of], t.Family)
	}
	u.seen[t.Family] = Use{t.Family, t.Connection.ID, now}
}

func (u *uses) take() []Use {
	u.mu.Lock()
	defer u.mu.Unlock()
	batch := slices.Collect(maps.Values(u.seen))
	u.seen, u.of = nil, nil
	return batch
}

// takeOf takes what was noted of an app at one account.
func (u *uses) takeOf(app, account string) (batch []Use) {
	u.mu.Lock()
	defer u.mu.Unlock()
	of := appAt{app, account}
	for _, family := range u.of[of] {
		batch = append(batch, u.seen[family])
		delete(u.seen, family)
	}
	delete(u.of, of)
	return batch
}

// usesAtOnce bounds how long one transaction of uses holds its rows, and on
// SQLite the writer.
const usesAtOnce = 500

// SaveUses writes all that was noted, so it never asks to be called again at once.
func (r *Rules) SaveUses(ctx context.Context) (int, error) {
	if secrets := r.uses.takeSecrets(); len(secrets) > 0 {
		if err := r.Store.SaveSecretUses(ctx, secrets); err != nil {
			return 0, err
		}
	}
	return 0, r.saveUses(ctx, r.uses.take())
}

// saveUsesOf writes what was noted of an app's connections to one account.
func (r *Rules) saveUsesOf(ctx context.Context, app, account string) error {
	return r.saveUses(ctx, r.uses.takeOf(app, account))
}

func (r *Rules) saveUses(ctx context.Context, noted []Use) error {
	for some := range slices.Chunk(noted, usesAtOnce) {
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
