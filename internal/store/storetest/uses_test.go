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

// family is the family of what was issued.
func (w *world) family(i *oauth.Issued) postern.Hash {
	w.Helper()
	found, err := w.db.Token(w.ctx, i.AccessToken.Hash())
	w.ok(err)
	return found.Family
}
