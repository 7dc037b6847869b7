package identity_test

import (
	"context"
	"testing"
	"time"

	"golang.org/x/crypto/bcrypt"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
)

func TestTheRightPasswordBeginsASession(t *testing.T) {
	everywhere(t, func(w *world) {
		got := w.in(" ADA@x.test", adas)
		s := w.isIn(got.Session)
		if s.User.ID != "ada" || got.User.Email != "ada@x.test" || !s.SignedIn.Equal(w.clock.Now()) {
			t.Fatalf("session %+v of %+v", s, got)
		}
		if !got.ExpiresAt.Equal(w.clock.Now().Add(7*24*time.Hour)) || !s.ExpiresAt.Equal(got.ExpiresAt) {
			t.Fatalf("ends at %v and %v", got.ExpiresAt, s.ExpiresAt)
		}
		if w.audited("sign_in") != 1 || w.text(`SELECT actor || ' ' || address FROM audit`) != "user:ada 192.0.2.7" {
			t.Fatal("the sign-in is not audited")
		}
		list, err := w.rules.Memberships(w.ctx, s.User.ID)
		w.ok(err)
		if len(list) != 1 || list[0].Account.ID != "acme" {
			t.Fatalf("memberships %+v", list)
		}
	})
}

func TestWhoMayNotEnterHearsTheSameWordsAsWhoIsWrong(t *testing.T) {
	everywhere(t, func(w *world) {
		w.user("off", "acme", adas)
		w.exec(`UPDATE users SET disabled = TRUE WHERE id = 'off'`)
		w.user("gone", "acme", adas)
		w.exec(`UPDATE users SET removed_at = 5 WHERE id = 'gone'`)
		w.user("new", "acme", "")
		w.exec(`UPDATE accounts SET disabled = TRUE WHERE id = 'globex'`)
		w.user("broken", "acme", adas)
		w.exec(`UPDATE users SET password_hash = '$argon2id$v=19$m=9' WHERE id = 'broken'`)

		said := map[string]bool{}
		for _, c := range [][2]string{
			{"ada@x.test", wrong}, {"ada@x.test", ""}, {"ada@x.test", adas + "\x00"}, {"ada@x.test", string(make([]byte, 5000))},
			{"nobody@x.test", adas}, {"", adas}, {"off@x.test", adas}, {"gone@x.test", adas},
			{"new@x.test", ""}, {"bob@x.test", bobs}, {"broken@x.test", adas},
		} {
			_, err := w.try(c[0], c[1], "")
			w.wants(err, postern.AccessDenied)
			said[message(err)] = true
		}
		if len(said) != 1 || !said["The e-mail or the password is wrong."] {
			t.Fatalf("different words: %v", said)
		}
		if n := w.audited("sign_in.failed"); n != 11 {
			t.Fatalf("%d of 11 failures are audited", n)
		}
		if w.number(`SELECT COUNT(*) FROM sessions`) != 0 {
			t.Fatal("a session began")
		}
	})
}

// compared is for how long times that ought to be alike are taken, on a machine that
// has other things to do.
const compared = 30 * time.Second

func TestLC18_AnUnknownEmailCostsAsMuchTimeAsAKnownOne(t *testing.T) {
	everywhere(t, func(w *world) {
		w.rules = w.node(identity.Limits{Guesses: 1000})
		took := func(email string) time.Duration {
			start := time.Now()
			_, err := w.try(email, wrong, "")
			w.wants(err, postern.AccessDenied)
			return time.Since(start)
		}
		// The fastest of each tell them apart, if anything does; what the machine
		// does beside only slows some. A difference would be there every time.
		known, unknown := time.Hour, time.Hour
		for end := time.Now().Add(compared); time.Now().Before(end); {
			known, unknown = min(known, took("ada@x.test")), min(unknown, took("nobody@x.test"))
			if known < unknown*5/4 && unknown < known*5/4 {
				return
			}
		}
		t.Fatalf("known %v, unknown %v", known, unknown)
	})
}

// A hash that was imported is slower to compare than ours, or faster.
func TestLC18_AnImportedHashCostsAsMuchTimeAsAnyOther(t *testing.T) {
	everywhere(t, func(w *world) {
		w.rules = w.node(identity.Limits{Guesses: 1000})
		w.rules.Now = time.Now
		for email, cost := range map[string]int{"ada@x.test": 10, "bob@x.test": bcrypt.MinCost} {
			hash, err := bcrypt.GenerateFromPassword([]byte(adas), cost)
			w.ok(err)
			w.exec(`UPDATE users SET password_hash = $1 WHERE email = $2`, string(hash), email)
		}
		took := func(email string) time.Duration {
			start := time.Now()
			_, err := w.try(email, wrong, "")
			w.wants(err, postern.AccessDenied)
			return time.Since(start)
		}
		for _, email := range []string{"ada@x.test", "bob@x.test"} {
			took(email) // nobody knows of a kind before the first of it
		}
		slow, fast, unknown := time.Hour, time.Hour, time.Hour
		for end := time.Now().Add(compared); time.Now().Before(end); {
			slow, fast, unknown = min(slow, took("ada@x.test")), min(fast, took("bob@x.test")), min(unknown, took("nobody@x.test"))
			if low, high := min(slow, fast, unknown), max(slow, fast, unknown); high < low*5/4 {
				return
			}
		}
		t.Fatalf("slow hash %v, fast hash %v, unknown %v", slow, fast, unknown)
	})
}

func TestAnAccountThatIsOffLocksOutOnlyWhoHasNoOther(t *testing.T) {
	everywhere(t, func(w *world) {
		w.exec(`INSERT INTO memberships (account_id, user_id, role, created_at) VALUES ('globex', 'ada', 'member', 1)`)
		w.exec(`UPDATE accounts SET disabled = TRUE WHERE id = 'acme'`)
		w.in("ada@x.test", adas)
		w.exec(`UPDATE accounts SET removed_at = 5 WHERE id = 'globex'`)
		_, err := w.try("ada@x.test", adas, "")
		w.wants(err, postern.AccessDenied)
	})
}

func TestST05_AnImportedHashIsReplacedAtTheFirstSignIn(t *testing.T) {
	everywhere(t, func(w *world) {
		weak, err := bcrypt.GenerateFromPassword([]byte("pässword"), bcrypt.MinCost) // composed
		w.ok(err)
		w.exec(`UPDATE users SET password_hash = $1 WHERE id = 'ada'`, string(weak))
		_, err = w.try("ada@x.test", wrong, "")
		w.wants(err, postern.AccessDenied)
		if w.text(`SELECT password_hash FROM users WHERE id = 'ada'`) != string(weak) {
			t.Fatal("a wrong password changed the hash")
		}
		w.in("ada@x.test", "pässword")
		strong := w.text(`SELECT password_hash FROM users WHERE id = 'ada'`)
		if ok, upgrade, err := w.rules.VerifyPassword(strong, "pässword"); !ok || upgrade || err != nil {
			t.Fatalf("after the sign-in the hash is %q", strong)
		}
		w.in("ada@x.test", "pa\u0308ssword")
		if w.text(`SELECT password_hash FROM users WHERE id = 'ada'`) != strong {
			t.Fatal("a good hash was replaced")
		}
	})
}

// interrupted lets something happen between the proof of a password and the
// session that follows.
type interrupted struct {
	identity.Store
	meanwhile func()
}

func (i interrupted) SaveSession(ctx context.Context, s identity.NewSession) error {
	i.meanwhile()
	return i.Store.SaveSession(ctx, s)
}

func TestAPasswordThatWasChangedWhileItWasCheckedBeginsNoSession(t *testing.T) {
	everywhere(t, func(w *world) {
		old := w.in("ada@x.test", adas)
		late := w.node(identity.Limits{})
		late.Store = interrupted{w.db, func() {
			_, err := w.rules.ChangePassword(w.ctx, w.isIn(old.Session), adas, "another password", old.Device, "")
			w.ok(err)
		}}
		_, err := late.SignIn(w.ctx, identity.SignIn{Email: "ada@x.test", Password: adas})
		w.wants(err, postern.AccessDenied)
		if n := w.number(`SELECT COUNT(*) FROM sessions`); n != 1 {
			t.Fatalf("%d sessions", n)
		}
	})
}
