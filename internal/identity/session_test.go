package identity_test

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
)

func TestASessionEndsWhenNobodyUsesIt(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.in("ada@x.test", adas).Session
		w.clock.Advance(12*time.Hour - time.Millisecond)
		w.isIn(s)
		w.rules.Close() // what was seen is written
		w.clock.Advance(12*time.Hour - time.Millisecond)
		w.isIn(s)
		w.rules.Close()
		w.clock.Advance(12 * time.Hour)
		w.isOut(s)
	})
}

func TestASessionEndsHoweverMuchItIsUsed(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.in("ada@x.test", adas).Session
		for range 7*24 - 1 {
			w.clock.Advance(time.Hour)
			w.isIn(s)
			w.rules.Close()
		}
		w.clock.Advance(time.Hour)
		w.isOut(s)
	})
}

func TestThatASessionWasSeenIsWrittenOnceAMinute(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.in("ada@x.test", adas).Session
		began := w.isIn(s).LastSeen
		seen := func() time.Time {
			w.isIn(s)
			w.rules.Close()
			return w.isIn(s).LastSeen
		}
		w.clock.Advance(59 * time.Second)
		if got := seen(); !got.Equal(began) {
			t.Fatalf("written after %v", got.Sub(began))
		}
		w.clock.Advance(time.Second)
		if got := seen(); got.Sub(began) != time.Minute {
			t.Fatalf("after a minute it was last seen after %v", got.Sub(began))
		}
		// A node whose clock is behind does not take it back.
		w.ok(w.db.SeeSession(w.ctx, s.Hash(), began))
		if got := w.isIn(s).LastSeen; got.Sub(began) != time.Minute {
			t.Fatal("last seen went back")
		}
	})
}

func TestASessionOfWhoIsSwitchedOffOrRemovedIsNone(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.in("ada@x.test", adas).Session
		w.exec(`UPDATE users SET disabled = TRUE WHERE id = 'ada'`)
		w.isOut(s)
		w.exec(`UPDATE users SET disabled = FALSE WHERE id = 'ada'`)
		w.isIn(s)
		w.exec(`UPDATE users SET removed_at = 5 WHERE id = 'ada'`)
		w.isOut(s)
	})
}

func TestLC22_ACopiedCookieOpensNothingAfterSigningOut(t *testing.T) {
	everywhere(t, func(w *world) {
		s, other := w.in("ada@x.test", adas).Session, w.in("ada@x.test", adas).Session
		elsewhere := w.node(identity.Limits{})
		w.ok(w.rules.SignOut(w.ctx, s))
		w.isOut(s)
		_, err := elsewhere.Session(w.ctx, s)
		w.wants(err, postern.NotFound)
		w.isIn(other) // another browser's stays

		w.ok(w.rules.SignOut(w.ctx, s)) // again is no error
		w.ok(w.rules.SignOut(w.ctx, "nonsense"))
		if n := w.audited("sign_out"); n != 1 {
			t.Fatalf("%d records of one signing out", n)
		}
	})
}

func TestOnlyTheExactSessionIsOne(t *testing.T) {
	everywhere(t, func(w *world) {
		s := string(w.in("ada@x.test", adas).Session)
		for _, other := range []string{"", s[:42], s + "a", " " + s, strings.ToUpper(s), strings.Repeat("a", 43), "\x00", s[:42] + "\xff", strings.Repeat("x", 1<<20)} {
			if other == s { // all of it may be capitals and digits
				continue
			}
			w.isOut(postern.Secret(other))
		}
	})
}

func TestI32_TheSessionIDIsNewAtEachSignInAndChangeOfThePassword(t *testing.T) {
	everywhere(t, func(w *world) {
		first := w.in("ada@x.test", adas)
		second, err := w.try("ada@x.test", adas, first.Device)
		w.ok(err)
		third, err := w.rules.ChangePassword(w.ctx, w.isIn(second.Session), adas, "another password", second.Device, "")
		w.ok(err)
		if first.Session == second.Session || second.Session == third.Session || first.Session == third.Session {
			t.Fatal("an id came again")
		}
		w.isOut(first.Session)
		w.isOut(second.Session)
		w.isIn(third.Session)
	})
}

func TestI60_NoSecretIsInTheRows(t *testing.T) {
	everywhere(t, func(w *world) {
		got := w.in("ada@x.test", adas)
		reset, _, err := w.rules.StartReset(w.ctx, "ada@x.test")
		w.ok(err)
		for table, secret := range map[string]postern.Secret{"sessions": got.Session, "devices": got.Device, "resets": reset} {
			hash := secret.Hash()
			if w.number(`SELECT COUNT(*) FROM `+table+` WHERE hash = $1`, hash[:]) != 1 {
				t.Errorf("%s does not keep the hash", table)
			}
			if w.number(`SELECT COUNT(*) FROM `+table+` WHERE hash = $1`, []byte(secret)) != 0 {
				t.Errorf("%s keeps the secret", table)
			}
		}
	})
}

// dry is a random source that has failed.
type dry struct{}

func (dry) Read([]byte) (int, error) { return 0, errors.New("the source is dry") }

func TestI63_WithoutRandomnessNothingIsIssued(t *testing.T) {
	everywhere(t, func(w *world) {
		session := w.isIn(w.in("ada@x.test", adas).Session)
		// Enough for a session, not for the name of the browser.
		for _, source := range []io.Reader{dry{}, io.MultiReader(strings.NewReader(strings.Repeat("a", 56)), dry{})} {
			w.rules.Random = source
			if _, err := w.try("ada@x.test", adas, ""); err == nil {
				t.Fatal("signed in")
			}
			if _, err := w.rules.ChangePassword(w.ctx, session, adas, "another password", "", ""); err == nil {
				t.Fatal("changed a password")
			}
		}
		w.rules.Random = dry{}
		if _, _, err := w.rules.StartReset(w.ctx, "ada@x.test"); err == nil {
			t.Fatal("made a reset")
		}
		if _, err := w.rules.HashPassword("another password"); err == nil {
			t.Fatal("made a hash")
		}
		if n := w.number(`SELECT COUNT(*) FROM sessions`) + w.number(`SELECT COUNT(*) FROM resets`); n != 1 {
			t.Fatalf("%d rows", n)
		}
	})
}

func TestExpiredRowsGoAwayInBatches(t *testing.T) {
	everywhere(t, func(w *world) {
		kept := w.in("ada@x.test", adas)
		past := w.clock.Now().Add(-time.Millisecond).UnixMilli()
		for i := range 600 {
			w.exec(`INSERT INTO sessions (hash, user_id, signed_in_at, last_seen_at, expires_at) VALUES ($1, 'ada', 1, 1, $2)`, []byte{byte(i), byte(i >> 8)}, past)
		}
		w.exec(`INSERT INTO devices (hash, user_id, expires_at) VALUES ($1, 'ada', $2)`, []byte{1}, past)
		w.exec(`INSERT INTO resets (hash, user_id, created_at, expires_at) VALUES ($1, 'ada', 1, $2)`, []byte{1}, past)
		w.exec(`INSERT INTO throttles (name, failures, since, expires_at) VALUES ('old', 1, 1, $1)`, past)
		w.failures("bob@x.test", 1)
		_, _, err := w.rules.StartReset(w.ctx, "bob@x.test")
		w.ok(err)

		for _, want := range []int{500, 100, 0} {
			n, err := w.rules.Sweep(w.ctx)
			w.ok(err)
			if n != want {
				t.Fatalf("removed %d, not %d", n, want)
			}
		}
		for _, table := range []string{"sessions", "devices", "resets", "throttles"} {
			if n := w.number(`SELECT COUNT(*) FROM ` + table); n != 1 {
				t.Errorf("%s keeps %d rows, not the live one", table, n)
			}
		}
		w.isIn(kept.Session)
	})
}
