package storetest

import (
	"crypto/rand"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/sandbox"
)

// plainly keeps what it is given: these tests are not about sealing.
type plainly struct{}

func (plainly) Seal(_, _, _ string, plain []byte) ([]byte, error)  { return plain, nil }
func (plainly) Open(_, _, _ string, sealed []byte) ([]byte, error) { return sealed, nil }

// someone is who acts in these tests.
var someone = sandbox.By{Actor: "staff:s"}

func (w *world) sandbox() *sandbox.Rules {
	return &sandbox.Rules{Store: w.db, Sealer: plainly{}, Now: w.clock.Now, Random: rand.Reader,
		HashPassword: func(postern.Secret) (string, error) { return "hash", nil }}
}

// sandboxed makes a sandbox account of the partner's and connects an app to it.
func (w *world) sandboxed(app string) (*sandbox.Rules, *sandbox.Account, postern.Secret, postern.Secret) {
	w.Helper()
	rules := w.sandbox()
	a, err := rules.Make(w.ctx, someone, postern.Partner{ID: "p1"})
	w.ok(err)
	i := w.connect(rotating, app, a.People[0].ID, a.ID, "read")
	return rules, a, i.AccessToken, i.RefreshToken
}

func (w *world) standing(rules *sandbox.Rules, app string) sandbox.Connection {
	w.Helper()
	list, err := rules.Connections(w.ctx, &postern.App{ID: app, Partner: postern.Partner{ID: "p1"}})
	w.ok(err)
	if len(list) != 1 {
		w.Fatalf("%d connections of the sandbox", len(list))
	}
	return list[0]
}

func TestASandboxIsForItsPartnersAppsOnly(t *testing.T) {
	everywhere(t, func(w *world) {
		_, a, token, _ := w.sandboxed("whole")
		w.lives(rotating, token)
		w.run(`INSERT INTO partners (id, name, created_at) VALUES ('p2', 'Another', 1)`)
		w.run(`UPDATE apps SET partner_id = 'p2' WHERE id = 'other'`)
		_, err := w.decide(plain, w.ask(asking(plain, "other", "read")), a.People[0].ID, a.ID, true)
		w.wants(err, postern.Forbidden)
	})
}

func TestOnlyTheOwnSandboxCanBeTouched(t *testing.T) {
	everywhere(t, func(w *world) {
		rules, a, token, _ := w.sandboxed("whole")
		real := w.connect(rotating, "whole", "ada", "acme", "read")
		sand, acme := w.standing(rules, "whole").Connection.ID, w.text(`SELECT id FROM connections WHERE account_id = 'acme'`)
		for _, err := range []error{
			rules.Remove(w.ctx, someone, "p2", a.ID), rules.Remove(w.ctx, someone, "p1", "acme"),
			rules.SwitchPerson(w.ctx, someone, "p2", a.People[0].ID, true), rules.SwitchPerson(w.ctx, someone, "p1", "ada", true),
			rules.ExpireTokens(w.ctx, someone, "p2", sand), rules.ExpireTokens(w.ctx, someone, "p1", acme),
			rules.End(w.ctx, someone, "p2", sand), rules.End(w.ctx, someone, "p1", acme),
			rules.MoveClock(w.ctx, someone, "p2", a.ID, time.Hour), rules.MoveClock(w.ctx, someone, "p1", "acme", time.Hour),
		} {
			w.wants(err, postern.NotFound)
		}
		w.lives(rotating, token)
		w.lives(rotating, real.AccessToken)
	})
}

func TestAMovedClockMakesOneSandboxOlder(t *testing.T) {
	everywhere(t, func(w *world) {
		rules, a, token, refresh := w.sandboxed("whole")
		real := w.connect(rotating, "whole", "ada", "acme", "read")
		w.ok(rules.MoveClock(w.ctx, someone, "p1", a.ID, 59*time.Minute))
		w.lives(rotating, token)
		w.ok(rules.MoveClock(w.ctx, someone, "p1", a.ID, 2*time.Minute))
		w.dead(rotating, token)
		w.lives(rotating, real.AccessToken)
		next, err := w.refresh(rotating, "whole", refresh)
		w.ok(err)
		w.lives(rotating, next.AccessToken)
		w.ok(rules.MoveClock(w.ctx, someone, "p1", a.ID, 200*24*time.Hour))
		_, err = w.refresh(rotating, "whole", next.RefreshToken)
		w.wants(err, postern.InvalidGrant)
	})
}

// Whoever moves the clock by exactly the age of something brings it to zero, which
// in the rows is "not yet" and "never". Nothing that is dead may come of it.
func TestAMovedClockBringsNothingBackToLife(t *testing.T) {
	for _, column := range []string{"expires_at", "rotated_at", "ended_at"} {
		t.Run(column, func(t *testing.T) {
			everywhere(t, func(w *world) {
				_, a, token, refresh := w.sandboxed("whole")
				if column == "rotated_at" {
					_, err := w.refresh(rotating, "whole", refresh)
					w.ok(err)
				}
				w.run(`UPDATE tokens SET ended_at = $1 WHERE kind = 'access'`, w.clock.Now().UnixMilli()) // one that is revoked
				// As in a dialect whose tokens have no end, but for the column at hand.
				if column != "expires_at" {
					w.run(`UPDATE tokens SET expires_at = 253402300799000`)
					w.run(`UPDATE codes SET live_until = 253402300799000`)
				} else {
					w.run(`UPDATE tokens SET ended_at = 0`)
				}
				age := time.Duration(w.count(`SELECT MAX(`+column+`) FROM tokens WHERE `+column+` < 253402300799000`)) * time.Millisecond
				w.ok(w.db.MoveClock(w.ctx, "p1", a.ID, age, sandbox.Act{Now: w.clock.Now()}))
				if n := w.count(`SELECT count(*) FROM tokens WHERE kind = 'access' AND ended_at = 0`); column == "ended_at" && n != 0 {
					w.Errorf("%d tokens that were revoked are not any more", n)
				}
				if n := w.count(`SELECT count(*) FROM tokens WHERE kind = 'refresh' AND rotated_at = 0`); column == "rotated_at" && n != 1 {
					w.Errorf("%d refresh tokens are the current one", n)
				}
				w.dead(rotating, token)
			})
		})
	}
}

func TestWhatHappensInASandboxHappensForReal(t *testing.T) {
	everywhere(t, func(w *world) {
		rules, a, token, refresh := w.sandboxed("own")
		w.ok(rules.ExpireTokens(w.ctx, someone, "p1", w.standing(rules, "own").Connection.ID))
		w.dead(rotating, token)
		next, err := w.refresh(rotating, "own", refresh)
		w.ok(err)
		w.ok(rules.SwitchPerson(w.ctx, someone, "p1", a.People[0].ID, true))
		w.dead(rotating, next.AccessToken)
		w.ok(rules.SwitchPerson(w.ctx, someone, "p1", a.People[0].ID, false))
		w.lives(rotating, next.AccessToken)
		w.ok(rules.End(w.ctx, someone, "p1", w.standing(rules, "own").Connection.ID))
		w.dead(rotating, next.AccessToken)
		if reason := w.text(`SELECT reason FROM events WHERE type = 'connection.deleted'`); reason != "user" {
			w.Errorf("the end says %q", reason)
		}
	})
}

func TestARemovedSandboxTakesItsPeopleAlong(t *testing.T) {
	everywhere(t, func(w *world) {
		rules, a, token, _ := w.sandboxed("whole")
		w.ok(rules.Remove(w.ctx, someone, "p1", a.ID))
		w.dead(rotating, token)
		if n := w.count(`SELECT count(*) FROM users WHERE email LIKE '%.sandbox.invalid' AND removed_at = 0`) + w.count(`SELECT count(*) FROM sandbox_passwords`); n != 0 {
			w.Errorf("%d rows of its people are left", n)
		}
		if reason := w.text(`SELECT reason FROM events WHERE type = 'connection.deleted'`); reason != "account_removed" {
			w.Errorf("the end says %q", reason)
		}
		left, err := rules.Accounts(w.ctx, "p1")
		w.ok(err)
		if len(left) != 0 {
			w.Errorf("%d accounts are left", len(left))
		}
	})
}

// Somebody real whom a file has made a member is a guest there: their partner neither
// switches them off nor takes them along.
func TestARealPersonInASandboxIsNotThePartners(t *testing.T) {
	everywhere(t, func(w *world) {
		rules, a, _, _ := w.sandboxed("whole")
		real := w.connect(rotating, "whole", "ada", "acme", "read")
		w.run(`INSERT INTO memberships (account_id, user_id, role, created_at) VALUES ($1, 'ada', 'member', 1)`, a.ID)
		w.wants(rules.SwitchPerson(w.ctx, someone, "p1", "ada", true), postern.NotFound)
		w.ok(rules.Remove(w.ctx, someone, "p1", a.ID))
		if n := w.count(`SELECT count(*) FROM users WHERE id = 'ada' AND removed_at = 0 AND disabled = FALSE AND email <> ''`); n != 1 {
			w.Error("the partner removed somebody of its customer's")
		}
		w.lives(rotating, real.AccessToken)
		if n := w.count(`SELECT count(*) FROM memberships WHERE account_id = $1`, a.ID); n != 0 {
			w.Errorf("%d are members of an account that is gone", n)
		}
	})
}

func TestManyWhoMakeSandboxesAtOnceMakeFive(t *testing.T) {
	everywhere(t, func(w *world) {
		rules := w.sandbox()
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				_, err := rules.Make(w.ctx, someone, postern.Partner{ID: "p1"})
				if err != nil && !postern.Is(err, postern.Conflict) {
					w.Error(err)
				}
			})
		}
		all.Wait()
		list, err := rules.Accounts(w.ctx, "p1")
		w.ok(err)
		if len(list) != 5 {
			w.Fatalf("%d accounts", len(list))
		}
		for _, a := range list {
			if len(a.People) != 2 || a.People[0].Password == "" {
				w.Errorf("%+v", a.People)
			}
		}
	})
}

// What is removed keeps its row, so who makes and removes in a loop would fill the
// disk.
func TestAPartnerMakesSoManySandboxesADay(t *testing.T) {
	everywhere(t, func(w *world) {
		rules := w.sandbox()
		rules.HashPassword = func(postern.Secret) (string, error) { return "hash", nil }
		make := func() error {
			a, err := rules.Make(w.ctx, someone, postern.Partner{ID: "p1"})
			if err == nil {
				err = rules.Remove(w.ctx, someone, "p1", a.ID)
			}
			return err
		}
		for range 50 {
			w.ok(make())
		}
		w.wants(make(), postern.RateLimited)
		w.clock.Advance(24*time.Hour + time.Second)
		w.ok(make())
	})
}

// Passwords take a processor and a place at the desk where people sign in.
func TestASandboxTooManyTakesNoWorkWithPasswords(t *testing.T) {
	everywhere(t, func(w *world) {
		rules, hashed := w.sandbox(), 0
		rules.HashPassword = func(postern.Secret) (string, error) { hashed++; return "hash", nil }
		for n := range 8 {
			_, err := rules.Make(w.ctx, someone, postern.Partner{ID: "p1"})
			if n < 5 {
				w.ok(err)
			} else {
				w.wants(err, postern.Conflict)
			}
		}
		if hashed != 10 {
			w.Errorf("%d passwords were hashed for five accounts of two people", hashed)
		}
	})
}

func TestWebhooksFailAsOftenAsWished(t *testing.T) {
	everywhere(t, func(w *world) {
		rules := w.sandbox()
		w.ok(rules.FailWebhooks(w.ctx, someone, "whole", 2))
		for i, want := range []bool{true, true, false} {
			if failed, err := w.db.FailOnPurpose(w.ctx, "whole"); err != nil || failed != want {
				w.Errorf("attempt %d fails: %v, %v", i, failed, err)
			}
		}
		w.wants(rules.FailWebhooks(w.ctx, someone, "whole", 21), postern.InvalidRequest)
	})
}
