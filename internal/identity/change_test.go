package identity_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern.dev/postern"
)

const next = "another good password"

func TestAChangedPasswordEndsAllSessionsAndBeginsOne(t *testing.T) {
	everywhere(t, func(w *world) {
		here, elsewhere, bob := w.in("ada@x.test", adas), w.in("ada@x.test", adas), w.in("bob@x.test", bobs)
		reset, _, err := w.rules.StartReset(w.ctx, "ada@x.test")
		w.ok(err)
		got, err := w.rules.ChangePassword(w.ctx, w.isIn(here.Session), adas, next, here.Device, "192.0.2.7")
		w.ok(err)

		w.isOut(here.Session)
		w.isOut(elsewhere.Session)
		w.isIn(bob.Session)
		if w.isIn(got.Session).User.ID != "ada" || got.Device != here.Device {
			t.Fatalf("got %+v", got)
		}
		_, err = w.rules.ResetUser(w.ctx, reset)
		w.wants(err, postern.NotFound)
		_, err = w.try("ada@x.test", adas, "")
		w.wants(err, postern.AccessDenied)
		w.in("ada@x.test", next)
		if n := w.audited("password.changed"); n != 1 {
			t.Fatalf("%d records", n)
		}

		// The browser where it was changed stays known; the others are forgotten.
		w.failures("ada@x.test", guesses)
		_, err = w.try("ada@x.test", next, elsewhere.Device)
		w.wants(err, postern.RateLimited)
		_, err = w.try("ada@x.test", next, here.Device)
		w.ok(err)
	})
}

func TestAWrongOldPasswordIsAFailedSignIn(t *testing.T) {
	everywhere(t, func(w *world) {
		got := w.in("ada@x.test", adas)
		s := w.isIn(got.Session)
		for range guesses {
			_, err := w.rules.ChangePassword(w.ctx, s, wrong, next, got.Device, "")
			w.wants(err, postern.AccessDenied)
		}
		_, err := w.rules.ChangePassword(w.ctx, s, adas, next, got.Device, "")
		w.wants(err, postern.RateLimited)
		_, err = w.try("ada@x.test", adas, got.Device)
		w.wants(err, postern.RateLimited)
		if n := w.audited("sign_in.failed"); n != guesses {
			t.Fatalf("%d records of %d failures", n, guesses)
		}
		w.isIn(got.Session) // nothing else has changed
		w.in("ada@x.test", adas)
	})
}

func TestANewPasswordThatIsRefusedCostsNoGuess(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.isIn(w.in("ada@x.test", adas).Session)
		for range guesses + 1 {
			_, err := w.rules.ChangePassword(w.ctx, s, adas, "short", "", "")
			w.wants(err, postern.InvalidRequest)
		}
		_, err := w.rules.ChangePassword(w.ctx, s, adas, next, "", "")
		w.ok(err)
	})
}

func TestAnEndedSessionChangesNoPassword(t *testing.T) {
	everywhere(t, func(w *world) {
		got := w.in("ada@x.test", adas)
		s := w.isIn(got.Session)
		w.ok(w.rules.SignOut(w.ctx, got.Session))
		_, err := w.rules.ChangePassword(w.ctx, s, adas, next, got.Device, "")
		w.wants(err, postern.NotFound)
		w.in("ada@x.test", adas)
	})
}

func TestAResetSetsThePasswordOnceAndEndsAllSessions(t *testing.T) {
	everywhere(t, func(w *world) {
		before := w.in("ada@x.test", adas)
		w.failures("ada@x.test", guesses)
		reset, user, err := w.rules.StartReset(w.ctx, "ADA@x.test ")
		w.ok(err)
		if user.ID != "ada" {
			t.Fatalf("for %+v", user)
		}
		w.isIn(before.Session) // asking changes nothing yet
		user, err = w.rules.ResetUser(w.ctx, reset)
		w.ok(err)
		if user.Email != "ada@x.test" {
			t.Fatalf("for %+v", user)
		}
		w.wants(w.rules.Reset(w.ctx, reset, "short", ""), postern.InvalidRequest)
		w.ok(w.rules.Reset(w.ctx, reset, next, "192.0.2.7"))

		w.isOut(before.Session)
		w.in("ada@x.test", next) // though strangers had used up the guesses
		w.wants(w.rules.Reset(w.ctx, reset, "a third password", ""), postern.NotFound)
		_, err = w.rules.ResetUser(w.ctx, reset)
		w.wants(err, postern.NotFound)
		w.in("ada@x.test", next)
		if w.audited("password.reset_made") != 1 || w.audited("password.reset_used") != 1 {
			t.Fatal("not audited once each")
		}

		// The owner's browser is still known.
		w.failures("ada@x.test", guesses)
		_, err = w.try("ada@x.test", next, before.Device)
		w.ok(err)
	})
}

func TestALaterResetEndsTheEarlier(t *testing.T) {
	everywhere(t, func(w *world) {
		first, _, err := w.rules.StartReset(w.ctx, "ada@x.test")
		w.ok(err)
		second, _, err := w.rules.StartReset(w.ctx, "ada@x.test")
		w.ok(err)
		bobs, _, err := w.rules.StartReset(w.ctx, "bob@x.test")
		w.ok(err)
		w.wants(w.rules.Reset(w.ctx, first, next, ""), postern.NotFound)
		w.ok(w.rules.Reset(w.ctx, second, next, ""))
		w.ok(w.rules.Reset(w.ctx, bobs, next, ""))
	})
}

func TestAResetLivesADay(t *testing.T) {
	everywhere(t, func(w *world) {
		reset, _, err := w.rules.StartReset(w.ctx, "ada@x.test")
		w.ok(err)
		w.clock.Advance(24*time.Hour - time.Millisecond)
		_, err = w.rules.ResetUser(w.ctx, reset)
		w.ok(err)
		w.clock.Advance(time.Millisecond)
		_, err = w.rules.ResetUser(w.ctx, reset)
		w.wants(err, postern.NotFound)
		w.wants(w.rules.Reset(w.ctx, reset, next, ""), postern.NotFound)
		w.in("ada@x.test", adas)
	})
}

func TestNobodyIsReset(t *testing.T) {
	everywhere(t, func(w *world) {
		_, _, err := w.rules.StartReset(w.ctx, "nobody@x.test")
		w.wants(err, postern.NotFound)
		reset, _, err := w.rules.StartReset(w.ctx, "ada@x.test")
		w.ok(err)
		w.exec(`UPDATE users SET disabled = TRUE WHERE id = 'ada'`)
		_, err = w.rules.ResetUser(w.ctx, reset)
		w.wants(err, postern.NotFound)
		w.wants(w.rules.Reset(w.ctx, reset, next, ""), postern.NotFound)
		_, _, err = w.rules.StartReset(w.ctx, "ada@x.test")
		w.wants(err, postern.Forbidden)
		w.wants(w.rules.Reset(w.ctx, "", next, ""), postern.NotFound)
	})
}

func TestOfManyWhoUseAResetOneWins(t *testing.T) {
	everywhere(t, func(w *world) {
		reset, _, err := w.rules.StartReset(w.ctx, "ada@x.test")
		w.ok(err)
		var won atomic.Int32
		var all sync.WaitGroup
		for range 12 {
			all.Go(func() {
				switch err := w.rules.Reset(w.ctx, reset, next, ""); {
				case err == nil:
					won.Add(1)
				case postern.KindOf(err) != postern.NotFound:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if won.Load() != 1 || w.audited("password.reset_used") != 1 {
			t.Fatalf("%d won", won.Load())
		}
	})
}
