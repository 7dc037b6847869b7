package identity_test

import (
	"context"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
)

func TestLC16_AllSpellingsOfAnEmailAreOneIdentity(t *testing.T) {
	everywhere(t, func(w *world) {
		w.rules = w.node(identity.Limits{}) // ten, if nothing is said
		spellings := []string{"ada@x.test", "ADA@X.TEST", " ada@x.test", "ａｄａ@x.test", "Ada@x.test\t"}
		for i := range 10 {
			_, err := w.try(spellings[i%len(spellings)], wrong, "")
			w.wants(err, postern.AccessDenied)
		}
		for _, spelling := range spellings {
			_, err := w.try(spelling, adas, "")
			w.wants(err, postern.RateLimited)
		}
		w.in("bob@x.test", bobs) // another person is not slowed
	})
}

func TestThrottlingSaysWhenToComeBackAndEndsThen(t *testing.T) {
	everywhere(t, func(w *world) {
		w.failures("ada@x.test", guesses-1)
		w.clock.Advance(time.Minute)
		w.failures("ada@x.test", 1)
		_, err := w.try("ada@x.test", adas, "")
		w.wants(err, postern.RateLimited)
		if e := err.(*postern.Error); e.RetryAfter != window-time.Minute {
			t.Fatalf("come back in %v", e.RetryAfter)
		}
		w.clock.Advance(window - time.Minute - time.Millisecond)
		_, err = w.try("ada@x.test", adas, "")
		w.wants(err, postern.RateLimited)
		w.clock.Advance(time.Millisecond)
		w.in("ada@x.test", adas)
		if n := w.audited("sign_in.throttled"); n != 1 {
			t.Fatalf("one window of throttling left %d records", n)
		}
	})
}

func TestASuccessForgetsTheFailures(t *testing.T) {
	everywhere(t, func(w *world) {
		for range 2 {
			w.failures("ada@x.test", guesses-1)
			w.in("ada@x.test", adas)
		}
		w.failures("ada@x.test", guesses)
	})
}

func TestAnUnknownEmailIsThrottledLikeAKnownOne(t *testing.T) {
	everywhere(t, func(w *world) {
		said := map[string]bool{}
		for _, email := range []string{"ada@x.test", "nobody@x.test"} {
			w.failures(email, guesses)
			_, err := w.try(email, wrong, "")
			w.wants(err, postern.RateLimited)
			said[message(err)] = true
		}
		if len(said) != 1 {
			t.Fatalf("different words: %v", said)
		}
	})
}

func TestTheCountsTellNoAddress(t *testing.T) {
	everywhere(t, func(w *world) {
		w.failures("ada@x.test", 1)
		w.failures("somebody.else@y.test", 1)
		all := w.text(`SELECT MIN(name) || MAX(name) FROM throttles`) +
			w.text(`SELECT MIN(object || detail) || MAX(object || detail) FROM audit WHERE action = 'sign_in.failed'`)
		if strings.Contains(all, "@") || strings.Contains(all, "test") {
			t.Fatalf("rows tell an address: %s", all)
		}
	})
}

func TestI34_OfManyParallelGuessesOnlyTheLimitIsEvaluated(t *testing.T) {
	everywhere(t, func(w *world) {
		// Three nodes with a long line, so that nobody is sent away for that.
		nodes := []*identity.Rules{}
		for range 3 {
			nodes = append(nodes, w.node(identity.Limits{Waiting: 300}))
		}
		var evaluated, throttled atomic.Int32
		var all sync.WaitGroup
		start := make(chan struct{})
		for i := range 200 {
			all.Go(func() {
				<-start
				_, err := nodes[i%3].SignIn(w.ctx, identity.SignIn{Email: "ada@x.test", Password: wrong})
				switch postern.KindOf(err) {
				case postern.AccessDenied:
					evaluated.Add(1)
				case postern.RateLimited:
					throttled.Add(1)
				default:
					t.Errorf("unexpected: %v", err)
				}
			})
		}
		close(start)
		all.Wait()
		if evaluated.Load() != 10 || throttled.Load() != 190 {
			t.Fatalf("%d evaluated, %d throttled", evaluated.Load(), throttled.Load())
		}
		if n := w.audited("sign_in.failed"); n != 10 {
			t.Fatalf("%d failures audited", n)
		}
		if n := w.audited("sign_in.throttled"); n != 1 {
			t.Fatalf("%d records of throttling", n)
		}
		// OP-24: a fresh process knows the count.
		_, err := w.node(identity.Limits{}).SignIn(w.ctx, identity.SignIn{Email: "ada@x.test", Password: adas})
		w.wants(err, postern.RateLimited)
	})
}

func TestManyRightPasswordsAtOnceAreNoGuesses(t *testing.T) {
	everywhere(t, func(w *world) {
		var all sync.WaitGroup
		for range 30 {
			all.Go(func() {
				if _, err := w.try("ada@x.test", adas, ""); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestLC17_StrangersDoNotLockOutAKnownBrowser(t *testing.T) {
	everywhere(t, func(w *world) {
		first := w.in("ada@x.test", adas)
		w.failures("ada@x.test", guesses)
		_, err := w.try("ada@x.test", adas, "")
		w.wants(err, postern.RateLimited)

		again, err := w.try("ada@x.test", adas, first.Device)
		w.ok(err)
		if again.Device != first.Device {
			t.Fatal("a known browser lost its name")
		}
		// Her sign-in gives the strangers no new guesses.
		_, err = w.try("ada@x.test", adas, "")
		w.wants(err, postern.RateLimited)
	})
}

func TestAKnownBrowserHasALimitToo(t *testing.T) {
	everywhere(t, func(w *world) {
		device := w.in("ada@x.test", adas).Device
		for range guesses {
			_, err := w.try("ada@x.test", wrong, device)
			w.wants(err, postern.AccessDenied)
		}
		_, err := w.try("ada@x.test", adas, device)
		w.wants(err, postern.RateLimited)
		w.in("ada@x.test", adas) // the count of all others is untouched
	})
}

func TestABrowserIsKnownForItsPersonOnly(t *testing.T) {
	everywhere(t, func(w *world) {
		mallorys := w.in("bob@x.test", bobs).Device
		w.failures("ada@x.test", guesses)
		for _, device := range []postern.Secret{mallorys, "", "x", postern.Secret(strings.Repeat("a", 43))} {
			_, err := w.try("ada@x.test", wrong, device)
			w.wants(err, postern.RateLimited)
		}
	})
}

func TestABrowserNameThatSomebodyPlantedIsReplaced(t *testing.T) {
	everywhere(t, func(w *world) {
		planted := postern.Secret(strings.Repeat("a", 43))
		got, err := w.try("ada@x.test", adas, planted)
		w.ok(err)
		if got.Device == planted || got.Device == "" {
			t.Fatalf("the planted name stayed")
		}
		if hash := planted.Hash(); w.number(`SELECT COUNT(*) FROM devices WHERE hash = $1`, hash[:]) != 0 {
			t.Fatal("the planted name is known")
		}
	})
}

func TestAPersonHasOnlySoManyKnownBrowsersAndForgetsThem(t *testing.T) {
	everywhere(t, func(w *world) {
		var first, last postern.Secret
		for i := range 12 {
			last = w.in("ada@x.test", adas).Device
			if i == 0 {
				first = last
			}
			w.clock.Advance(time.Second)
		}
		if n := w.number(`SELECT COUNT(*) FROM devices`); n != 10 {
			t.Fatalf("%d browsers are known", n)
		}
		w.failures("ada@x.test", guesses)
		_, err := w.try("ada@x.test", adas, first)
		w.wants(err, postern.RateLimited)
		_, err = w.try("ada@x.test", adas, last)
		w.ok(err)

		w.clock.Advance(400 * 24 * time.Hour)
		w.failures("ada@x.test", guesses)
		_, err = w.try("ada@x.test", adas, last)
		w.wants(err, postern.RateLimited)
	})
}

func TestNoSettingAllowsFewerThanFiveGuesses(t *testing.T) {
	everywhere(t, func(w *world) {
		for setting, allowed := range map[int]int{1: 5, -3: 5, 7: 7} {
			w.exec(`DELETE FROM throttles`)
			w.rules = w.node(identity.Limits{Guesses: setting, Window: time.Minute})
			w.failures("ada@x.test", allowed)
			_, err := w.try("ada@x.test", adas, "")
			w.wants(err, postern.RateLimited)
		}
	})
}

// held stops at the count until it is let go.
type held struct {
	identity.Store
	arrived, release chan struct{}
}

func (h held) CountGuess(ctx context.Context, g identity.Guess) (identity.Count, error) {
	h.arrived <- struct{}{}
	<-h.release
	return h.Store.CountGuess(ctx, g)
}

func TestAFloodOfSignInsIsSentAwayBeforeItCostsMemory(t *testing.T) {
	everywhere(t, func(w *world) {
		rules := w.node(identity.Limits{Hashes: 1, Waiting: 1})
		h := held{w.db, make(chan struct{}, 2), make(chan struct{})}
		rules.Store = h
		answers := make(chan error)
		signIn := func(ctx context.Context) {
			_, err := rules.SignIn(ctx, identity.SignIn{Email: "ada@x.test", Password: adas})
			answers <- err
		}
		go signIn(w.ctx)
		<-h.arrived

		// Whoever gives up waiting leaves the line.
		ctx, cancel := context.WithTimeout(w.ctx, time.Millisecond)
		defer cancel()
		go signIn(ctx)
		w.wants(<-answers, postern.Unavailable)

		// One of these waits, the others are told to come back.
		for range 4 {
			go signIn(w.ctx)
		}
		for range 3 {
			err := <-answers
			w.wants(err, postern.Unavailable)
			if e := err.(*postern.Error); e.RetryAfter == 0 || !strings.Contains(e.Msg, "Try again") {
				t.Fatalf("sent away without a word: %v", err)
			}
		}
		close(h.release)
		w.ok(<-answers)
		w.ok(<-answers)
		if n := w.audited("sign_in.failed"); n != 0 {
			t.Fatalf("%d of those sent away were counted as wrong", n)
		}
	})
}
