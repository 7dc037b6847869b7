package identity

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"postern.dev/postern"
)

// pace has a wrong password answered equally late for everybody. Hashes that
// were imported take longer or shorter to compare than ours, and so than the one
// of nobody: until their first sign-in such people would stand out by the time
// of a refusal (attacks.md LC-18). Where no other hashes than ours were met, nobody
// waits.
//
// Nobody computes meanwhile, and nobody has a seat at the desk. What a kind
// takes is what it took at its fastest, so a busy moment slows no later answer.
type pace struct {
	mu      sync.Mutex
	fastest map[string]time.Duration // by kind
}

// note remembers how long a comparison with a kind of hash took.
func (p *pace) note(kind string, took time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fastest == nil {
		p.fastest = map[string]time.Duration{}
	}
	if before, known := p.fastest[kind]; !known || took < before {
		p.fastest[kind] = took
	}
}

// refusal is how long after the beginning of a comparison its no is due: half as
// long again as the slowest kind takes.
func (p *pace) refusal() (due time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, met := p.fastest[ourKind]; met && len(p.fastest) == 1 {
		return 0
	}
	for _, took := range p.fastest {
		due = max(due, took*3/2)
	}
	return due
}

// refuseInPace waits until the no to a password is due, and gives it.
func (r *Rules) refuseInPace(ctx context.Context, password postern.Secret, began time.Time) error {
	due := r.pace.refusal() * time.Duration(comparisons(password))
	wait := time.NewTimer(due - r.Now().Sub(began))
	defer wait.Stop()
	select {
	case <-wait.C:
		return wrong()
	case <-ctx.Done():
		return postern.Wrap(postern.Unavailable, ctx.Err())
	}
}

// comparisons is how many a wrong password takes, whoever's it is not.
func comparisons(password postern.Secret) int {
	switch {
	case isNever(password):
		return 0
	case string(normal(string(password))) != string(password):
		return 2
	}
	return 1
}

// isNever: no password is like that; see checkNew.
func isNever(password postern.Secret) bool {
	return len(password) > longestPassword || strings.ContainsRune(string(password), 0)
}

// ourKind is the kind of the hashes that we make, and of nobody's.
var ourKind = kindOf(&argonHash{memory: argonMemory, passes: argonPasses, lanes: argonLanes})

// kindOf names hashes that take equally long.
func kindOf(h passwordHash) string {
	if a, ok := h.(*argonHash); ok {
		return fmt.Sprint("argon2id ", a.memory, a.passes, a.lanes)
	}
	return fmt.Sprintf("bcrypt %.7s", h)
}
