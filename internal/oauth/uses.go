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
// so that a check of a token costs no write. What is lost in a crash is a few
// seconds of "last used".
type uses struct {
	mu      sync.Mutex
	seen    map[postern.Hash]Use
	secrets map[string]time.Time // ids of client secrets
}

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
		u.seen = map[postern.Hash]Use{}
	}
	if _, known := u.seen[t.Family]; known || len(u.seen) < usesKept {
		u.seen[t.Family] = Use{t.Family, t.Connection.ID, now}
	}
}

func (u *uses) take() []Use {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.seen) == 0 {
		return nil
	}
	batch := make([]Use, 0, len(u.seen))
	for _, use := range u.seen {
		batch = append(batch, use)
	}
	u.seen = nil
	return batch
}

// SaveUses writes what was noted. It is one batch, so it never asks to be
// called again at once.
func (r *Rules) SaveUses(ctx context.Context) (int, error) {
	if secrets := r.uses.takeSecrets(); len(secrets) > 0 {
		if err := r.Store.SaveSecretUses(ctx, secrets); err != nil {
			return 0, err
		}
	}
	batch := r.uses.take()
	if len(batch) == 0 {
		return 0, nil
	}
	return 0, r.Store.SaveUses(ctx, batch)
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
