package storetest

import (
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

func TestAnAppThatIsNotApprovedIsConnectedToItsSandboxOnly(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(`UPDATE apps SET review = 'waiting' WHERE id = 'whole'`)
		w.run(`INSERT INTO accounts (id, handle, name, number, created_at, sandbox_of) VALUES ('box', 'box', 'Sandbox', 77, 1, 'p1')`)
		w.run(`INSERT INTO memberships (account_id, user_id, role, created_at) VALUES ('box', 'ada', 'admin', 1)`)

		// A question that waits is put again to who may answer it, so one does for all.
		k := w.ask(asking(plain, "whole", "read"))
		_, err := w.decide(plain, k, "ada", "acme", true)
		w.wants(err, postern.Forbidden)
		if e := err.(*postern.Error); e.Why == nil || e.Why.Rule != "app_not_live" {
			t.Fatalf("the log would not tell why: %+v", err)
		}
		g, err := w.decide(plain, k, "ada", "box", true)
		w.ok(err)
		w.lives(plain, w.redeem(plain, "whole", g.Code).AccessToken)

		for _, review := range []string{"rejected", "waiting"} {
			w.run(`UPDATE apps SET review = $1 WHERE id = 'whole'`, review)
			_, err = w.decide(plain, w.ask(asking(plain, "whole", "read")), "ada", "acme", true)
			w.wants(err, postern.Forbidden)
		}
		w.run(`UPDATE apps SET review = '' WHERE id = 'whole'`)
		w.connect(plain, "whole", "ada", "acme", "read")
	})
}

func TestTheLastUseOfASecretIsWrittenBesideTheTraffic(t *testing.T) {
	everywhere(t, func(w *world) {
		used := func() int {
			w.Helper()
			return w.count(`SELECT last_used_at FROM app_secrets WHERE app_id = 'whole'`)
		}
		wrong := client("whole")
		wrong.Secret = "wrong-wrong-wrong-wrong-wrong"
		_, err := w.rules.Authenticate(w.ctx, plain, wrong)
		w.wants(err, postern.InvalidClient)
		_, err = w.rules.SaveUses(w.ctx)
		w.ok(err)
		if used() != 0 {
			t.Fatal("a wrong secret counts as a use")
		}
		_, err = w.rules.Authenticate(w.ctx, plain, client("whole"))
		w.ok(err)
		if used() != 0 {
			t.Fatal("the authentication itself wrote")
		}
		_, err = w.rules.SaveUses(w.ctx)
		w.ok(err)
		first := int(w.clock.Now().UnixMilli())
		if got := used(); got != first {
			t.Fatalf("last used at %d", got)
		}
		for _, later := range []struct {
			by   time.Duration
			want int
		}{{59 * time.Second, first}, {time.Second, first + 60_000}} {
			w.clock.Advance(later.by)
			_, err = w.rules.Authenticate(w.ctx, plain, client("whole"))
			w.ok(err)
			_, err = w.rules.SaveUses(w.ctx)
			w.ok(err)
			if got := used(); got != later.want {
				t.Errorf("last used at %d, want %d", got, later.want)
			}
		}
	})
}

// A token of no account would be of no sandbox either.
func TestAnAppThatWaitsGetsNoTokenForItself(t *testing.T) {
	everywhere(t, func(w *world) {
		for review, want := range map[string]bool{"waiting": false, "rejected": false, "": true} {
			w.run(`UPDATE apps SET review = $1 WHERE id = 'own'`, review)
			_, err := w.rules.ClientCredentials(w.ctx, &oauth.ClientCredentials{Terms: plain, Client: client("own"), Scopes: []string{"read"}})
			if want {
				w.ok(err)
			} else {
				w.wants(err, postern.UnauthorizedClient)
			}
		}
	})
}
