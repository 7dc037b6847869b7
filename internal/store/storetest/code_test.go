package storetest

import (
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

var wires = []*oauth.Terms{plain, rotating, capped}

func TestI01_OneOfManyCallersRedeemsACodeAndTheReplaysEndWhatItGave(t *testing.T) {
	for _, terms := range wires {
		for _, callers := range []int{1, 50, 100} {
			t.Run(terms.Dialect+"/"+strconv.Itoa(callers), func(t *testing.T) {
				everywhere(t, func(w *world) {
					code := w.approve(terms, "whole", "ada", "acme")
					won := atOnce(callers, func() (*oauth.Issued, error) {
						return w.rules.Redeem(w.ctx, redeeming(terms, "whole", code))
					}, func(err error) { w.wants(err, postern.InvalidGrant) })
					if len(won) != 1 {
						w.Fatalf("%d callers won", len(won))
					}
					if n := w.events(postern.ConnectionCreated); n != 1 {
						w.Fatalf("%d connections were made", n)
					}
					if callers == 1 {
						w.lives(terms, won[0].AccessToken)
						return
					}
					w.dead(terms, won[0].AccessToken) // attacks.md TK-02
					if n := w.events(postern.ConnectionDeleted); n != 1 {
						w.Fatalf("%d endings were told", n)
					}
				})
			})
		}
	}
}

// atOnce has many callers do a thing at the same moment.
func atOnce[T any](callers int, do func() (T, error), refused func(error)) (won []T) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	start := make(chan struct{})
	for range callers {
		wg.Go(func() {
			<-start
			got, err := do()
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won = append(won, got)
			} else {
				refused(err)
			}
		})
	}
	close(start)
	wg.Wait()
	return won
}

func TestACodeLivesFiveMinutes(t *testing.T) {
	everywhere(t, func(w *world) {
		early, late := w.approve(plain, "own", "ada", "acme", "read"), w.approve(plain, "own", "ada", "acme", "read")
		w.clock.Advance(299 * time.Second)
		w.redeem(plain, "own", early)
		w.clock.Advance(2 * time.Second)
		_, err := w.rules.Redeem(w.ctx, redeeming(plain, "own", late))
		w.wants(err, postern.InvalidGrant)
	})
}

func TestI05_AnotherAppsPresentationLeavesTheCodeToItsOwner(t *testing.T) {
	everywhere(t, func(w *world) {
		code := w.approve(plain, "own", "ada", "acme", "read")
		_, err := w.rules.Redeem(w.ctx, redeeming(plain, "other", code))
		w.wants(err, postern.InvalidGrant)
		_, err = w.rules.Redeem(w.ctx, redeeming(rotating, "own", code)) // its owner, in another dialect
		w.wants(err, postern.InvalidGrant)
		w.lives(plain, w.redeem(plain, "own", code).AccessToken)
	})
}

func TestAFailedClientAuthenticationLeavesTheCodeWhole(t *testing.T) {
	everywhere(t, func(w *world) {
		code := w.approve(plain, "own", "ada", "acme", "read")
		q := redeeming(plain, "own", code)
		q.Client.Secret = "wrong"
		_, err := w.rules.Redeem(w.ctx, q)
		w.wants(err, postern.InvalidClient)
		q.Client.Secret = ""
		_, err = w.rules.Redeem(w.ctx, q)
		w.wants(err, postern.InvalidClient)
		w.redeem(plain, "own", code)
	})
}

func TestManyFailuresAreToldToWaitAndTheRightSecretStillWorks(t *testing.T) {
	everywhere(t, func(w *world) {
		code := w.approve(plain, "own", "ada", "acme", "read")
		q := redeeming(plain, "own", code)
		q.Client.Secret = "wrong"
		for range 30 {
			_, err := w.rules.Redeem(w.ctx, q)
			w.wants(err, postern.InvalidClient)
		}
		_, err := w.rules.Redeem(w.ctx, q)
		w.wants(err, postern.RateLimited)
		w.redeem(plain, "own", code)
		w.clock.Advance(time.Minute)
		_, err = w.rules.Redeem(w.ctx, q)
		w.wants(err, postern.InvalidClient)
	})
}

func TestItsOwnersMistakeSpendsACode(t *testing.T) {
	verifier := strings.Repeat("v", 43)
	sum := sha256.Sum256([]byte(verifier))
	challenge := base64.RawURLEncoding.EncodeToString(sum[:])
	for name, c := range map[string]struct {
		challenge string
		spoil     func(*oauth.Redeem)
	}{
		"another redirect_uri":      {"", func(q *oauth.Redeem) { q.RedirectURI = "http://127.0.0.1:9/cb" }},
		"a changed redirect_uri":    {"", func(q *oauth.Redeem) { q.RedirectURI += "/" }},
		"no redirect_uri":           {"", func(q *oauth.Redeem) { q.SentURI = false }},
		"a wrong verifier":          {challenge, func(q *oauth.Redeem) { q.Verifier, q.SentVerifier = strings.Repeat("w", 43), true }},
		"no verifier":               {challenge, func(q *oauth.Redeem) {}},
		"an empty verifier":         {challenge, func(q *oauth.Redeem) { q.SentVerifier = true }},
		"the challenge as verifier": {challenge, func(q *oauth.Redeem) { q.Verifier, q.SentVerifier = challenge, true }},
		"a verifier for none":       {"", func(q *oauth.Redeem) { q.Verifier, q.SentVerifier = verifier, true }},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				a := asking(plain, "own", "read")
				if c.challenge != "" {
					a.Challenge, a.ChallengeMethod = c.challenge, "S256"
				}
				g, err := w.decide(plain, w.ask(a), "ada", "acme", true)
				w.ok(err)
				right := redeeming(plain, "own", g.Code)
				if c.challenge != "" {
					right.Verifier, right.SentVerifier = verifier, true
				}
				wrong := redeeming(plain, "own", g.Code)
				c.spoil(wrong)
				_, err = w.rules.Redeem(w.ctx, wrong)
				w.wants(err, postern.InvalidGrant)
				_, err = w.rules.Redeem(w.ctx, right)
				w.wants(err, postern.InvalidGrant)
				if n := w.count(`SELECT count(*) FROM tokens`); n != 0 {
					w.Fatalf("%d tokens were made", n)
				}
			})
		})
	}
}

func TestTheRightVerifierMeetsItsChallenge(t *testing.T) {
	everywhere(t, func(w *world) {
		// RFC 7636 Appendix B.
		a := asking(plain, "open", "read")
		a.Challenge, a.ChallengeMethod = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256"
		g, err := w.decide(plain, w.ask(a), "ada", "acme", true)
		w.ok(err)
		q := redeeming(plain, "open", g.Code)
		q.Client.Secret = ""
		q.Verifier, q.SentVerifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", true
		_, err = w.rules.Redeem(w.ctx, q)
		w.ok(err)
	})
}

func TestI03_NothingIsExchangedForWhoIsSwitchedOff(t *testing.T) {
	for _, off := range []string{
		`UPDATE users SET disabled = TRUE WHERE id = 'ada'`,
		`UPDATE accounts SET disabled = TRUE WHERE id = 'acme'`,
		`UPDATE apps SET disabled = TRUE WHERE id = 'own'`,
		`UPDATE partners SET disabled = TRUE WHERE id = 'p1'`,
		`DELETE FROM memberships WHERE user_id = 'ada' AND account_id = 'acme'`,
	} {
		t.Run(off, func(t *testing.T) {
			everywhere(t, func(w *world) {
				code := w.approve(plain, "own", "ada", "acme", "read")
				w.run(off)
				if _, err := w.rules.Redeem(w.ctx, redeeming(plain, "own", code)); err == nil {
					w.Fatal("it was redeemed")
				}
				if n := w.count(`SELECT count(*) FROM tokens`); n != 0 {
					w.Fatalf("%d tokens were made", n)
				}
			})
		})
	}
}

func TestI08_AFailedExchangeLeavesNothingBehind(t *testing.T) {
	everywhere(t, func(w *world) {
		first := w.approve(plain, "own", "ada", "acme", "read")
		w.run(`CREATE UNIQUE INDEX one_event ON events (type)`) // the second connection's event will fail
		w.redeem(plain, "own", first)
		second := w.approve(plain, "whole", "ada", "acme", "read")
		if _, err := w.rules.Redeem(w.ctx, redeeming(plain, "whole", second)); err == nil {
			w.Fatal("it was redeemed")
		}
		if n := w.count(`SELECT count(*) FROM connections WHERE app_id = 'whole'`); n != 0 {
			w.Fatal("a connection was left behind")
		}
		w.run(`DROP INDEX one_event`)
		w.redeem(plain, "whole", second) // and the code is still good
	})
}

func TestACodeIsUnknownUnderTheAddressOfAnotherAccount(t *testing.T) {
	everywhere(t, func(w *world) {
		code := w.approve(plain, "own", "ada", "acme", "read")
		q := redeeming(plain, "own", code)
		q.Tenant = oauth.Tenant{Key: "handle", Name: "globex"}
		_, err := w.rules.Redeem(w.ctx, q)
		w.wants(err, postern.InvalidGrant)
		q.Tenant.Name = "acme"
		i, err := w.rules.Redeem(w.ctx, q)
		w.ok(err)
		for name, want := range map[string]bool{"globex": false, "acme": true} {
			_, err := w.rules.Refresh(w.ctx, &oauth.Refresh{Terms: plain, Client: client("own"), RefreshToken: i.RefreshToken, Tenant: oauth.Tenant{Key: "handle", Name: name}})
			if (err == nil) != want {
				w.Errorf("a refresh under %s: %v", name, err)
			}
		}
	})
}
