package storetest

import (
	"fmt"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

func TestLastUsesAreWrittenForManyAtOnceAndNeverBackwards(t *testing.T) {
	everywhere(t, func(w *world) {
		used := func(table, key, id string) int {
			w.Helper()
			return w.count(fmt.Sprintf(`SELECT last_used_at FROM %s WHERE %s = $1`, table, key), id)
		}
		var issued []*oauth.Issued
		for range 3 {
			issued = append(issued, w.connect(rotating, "own", "ada", "acme", "read"))
		}
		other := w.connect(rotating, "own", "bob", "acme", "read")
		w.clock.Advance(time.Minute)
		for _, i := range append(issued, other) {
			accepts(w, w.rules, rotating, i.AccessToken)
		}
		noted := w.clock.Now().UnixMilli()
		_, err := w.rules.SaveUses(w.ctx)
		w.ok(err)
		for _, i := range append(issued, other) {
			if got := used("connections", "id", i.ConnectionID); got != int(noted) {
				t.Errorf("%s was last used at %d, want %d", i.ConnectionID, got, noted)
			}
		}
		if n := w.count(`SELECT count(*) FROM codes WHERE last_used_at = $1`, noted); n != 4 {
			t.Errorf("%d of 4 families were used", n)
		}
		w.ok(w.db.SaveUses(w.ctx, []oauth.Use{{Family: w.family(other), ConnectionID: other.ConnectionID, At: w.clock.Now().Add(-time.Second)}}))
		if got := used("connections", "id", other.ConnectionID); got != int(noted) {
			t.Errorf("an earlier use moved the last one to %d", got)
		}
	})
}

func TestAUseIsWrittenAtOnceAndThenOnceAMinute(t *testing.T) {
	everywhere(t, func(w *world) {
		i := w.connect(rotating, "own", "ada", "acme", "read")
		lastUsed := func() int { return w.count(`SELECT last_used_at FROM connections WHERE id = $1`, i.ConnectionID) }
		use := func(after time.Duration) int {
			w.Helper()
			w.clock.Advance(after)
			accepts(w, w.rules, rotating, i.AccessToken)
			_, err := w.rules.SaveUses(w.ctx)
			w.ok(err)
			return int(w.clock.Now().UnixMilli())
		}
		first := use(time.Minute)
		if got := lastUsed(); got != first {
			t.Fatalf("the first use, at %d, is written as %d", first, got)
		}
		use(20 * time.Second)
		use(20 * time.Second)
		if got := lastUsed(); got != first {
			t.Fatalf("it is written again within the minute: %d", got)
		}
		fourth := use(20 * time.Second)
		if got := lastUsed(); got != fourth {
			t.Fatalf("after a minute it stands at %d, want %d", got, fourth)
		}
		w.clock.Advance(10 * time.Second)
		accepts(w, w.rules, rotating, i.AccessToken)
		w.ok(w.rules.SaveAllUses(w.ctx))
		if got := lastUsed(); got != fourth+10_000 {
			t.Fatalf("at the end it stands at %d, want %d", got, fourth+10_000)
		}
	})
}

// family is the family of what was issued.
func (w *world) family(i *oauth.Issued) postern.Hash {
	w.Helper()
	found, err := w.db.Token(w.ctx, i.AccessToken.Hash())
	w.ok(err)
	return found.Family
}
