package identity

import (
	"testing"
	"time"

	"postern.dev/postern"
)

func TestLC18_ARefusalIsDueAfterTheSlowestKindOfHash(t *testing.T) {
	var p pace
	due := func(want time.Duration) {
		t.Helper()
		if got := p.refusal(); got != want {
			t.Errorf("due after %v, want %v", got, want)
		}
	}
	due(0)
	p.note(ourKind, 40*time.Millisecond)
	due(0) // all take equally long
	p.note("imported", 200*time.Millisecond)
	due(300 * time.Millisecond)
	p.note("imported", 900*time.Millisecond) // the machine was busy
	due(300 * time.Millisecond)
	p.note("imported", 2*time.Millisecond)
	due(60 * time.Millisecond) // a fast kind tells as much as a slow one
}

func TestAPasswordInTwoSpellingsIsComparedTwice(t *testing.T) {
	for password, want := range map[string]int{"plain": 1, "compos\u0065\u0301": 2, "compos\u00e9": 1, "nul\x00": 0} {
		if got := comparisons(postern.Secret(password)); got != want {
			t.Errorf("%q: %d", password, got)
		}
	}
}
