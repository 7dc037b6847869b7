package storetest

import (
	"strconv"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

func TestRefreshArm1_ACurrentTokenGivesWayToOneSuccessor(t *testing.T) {
	everywhere(t, func(w *world) {
		r1 := w.connect(rotating, "own", "ada", "acme", "read")
		r2, err := w.refresh(rotating, "own", r1.RefreshToken)
		w.ok(err)
		if r2.RefreshToken == r1.RefreshToken {
			w.Fatal("the token did not rotate")
		}
		w.lives(rotating, r1.AccessToken) // clients.md R18
		w.lives(rotating, r2.AccessToken)
		r3, err := w.refresh(rotating, "own", r2.RefreshToken)
		w.ok(err)
		w.lives(rotating, r3.AccessToken)
	})
}

func TestRefreshArm2_ARetryWithinTheWindowGetsTheSameAnswer(t *testing.T) {
	everywhere(t, func(w *world) {
		r1 := w.connect(rotating, "own", "ada", "acme", "read", "write")
		first, err := w.rules.Refresh(w.ctx, &oauth.Refresh{Terms: rotating, Client: client("own"), RefreshToken: r1.RefreshToken, Scopes: []string{"read"}})
		w.ok(err)
		w.clock.Advance(29 * time.Second)
		again, err := w.refresh(rotating, "own", r1.RefreshToken)
		w.ok(err)
		if again.RefreshToken != first.RefreshToken || again.AccessToken != first.AccessToken || !again.ExpiresAt.Equal(first.ExpiresAt) || len(again.Scopes) != 1 {
			w.Fatalf("another answer: %+v, first %+v", again, first)
		}
	})
}

func TestRefreshArm3_AfterTheWindowAnUnusedSuccessorIsReplaced(t *testing.T) {
	everywhere(t, func(w *world) {
		r1 := w.connect(rotating, "own", "ada", "acme", "read")
		lost, err := w.refresh(rotating, "own", r1.RefreshToken)
		w.ok(err)
		w.clock.Advance(31 * time.Second)
		next, err := w.refresh(rotating, "own", r1.RefreshToken)
		w.ok(err)
		if next.RefreshToken == lost.RefreshToken {
			w.Fatal("the lost successor was given again")
		}
		_, err = w.refresh(rotating, "own", lost.RefreshToken)
		w.wants(err, postern.InvalidGrant)
		_, err = w.refresh(rotating, "own", next.RefreshToken)
		w.ok(err)
	})
}

func TestRefreshArm4_ASuccessorThatWasUsedMeansTheft(t *testing.T) {
	everywhere(t, func(w *world) {
		r1 := w.connect(rotating, "own", "ada", "acme", "read")
		r2, err := w.refresh(rotating, "own", r1.RefreshToken)
		w.ok(err)
		r3, err := w.refresh(rotating, "own", r2.RefreshToken)
		w.ok(err)
		_, err = w.refresh(rotating, "own", r1.RefreshToken) // within the window, even
		w.wants(err, postern.InvalidGrant)
		for _, token := range []postern.Secret{r1.AccessToken, r2.AccessToken, r3.AccessToken} {
			w.dead(rotating, token)
		}
		_, err = w.refresh(rotating, "own", r3.RefreshToken)
		w.wants(err, postern.InvalidGrant)
		if reason := w.text(`SELECT reason FROM events WHERE type = 'connection.deleted'`); reason != "token_reuse" {
			w.Fatalf("the event says %q", reason)
		}
	})
}

func TestAPublicAppsLateRetryMeansTheft(t *testing.T) {
	everywhere(t, func(w *world) {
		a := asking(plain, "open", "read") // rotates for a public app, whatever the dialect says
		a.Challenge, a.ChallengeMethod = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "S256"
		g, err := w.decide(plain, w.ask(a), "ada", "acme", true)
		w.ok(err)
		q := redeeming(plain, "open", g.Code)
		q.Client.Secret, q.Verifier, q.SentVerifier = "", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", true
		r1, err := w.rules.Redeem(w.ctx, q)
		w.ok(err)
		r2, err := w.refresh(plain, "open", r1.RefreshToken)
		w.ok(err)
		if r2.RefreshToken == r1.RefreshToken {
			w.Fatal("a public app's token did not rotate")
		}
		w.clock.Advance(301 * time.Second)
		_, err = w.refresh(plain, "open", r1.RefreshToken)
		w.wants(err, postern.InvalidGrant)
		w.dead(plain, r2.AccessToken)
	})
}

func TestI12_ManyCallersAtOnceShareOneSuccessor(t *testing.T) {
	for _, callers := range []int{1, 50, 100} {
		t.Run(strconv.Itoa(callers), func(t *testing.T) {
			everywhere(t, func(w *world) {
				r1 := w.connect(rotating, "own", "ada", "acme", "read")
				won := atOnce(callers, func() (*oauth.Issued, error) {
					return w.refresh(rotating, "own", r1.RefreshToken)
				}, func(err error) { w.Errorf("refused: %v", err) })
				for _, i := range won {
					if i.RefreshToken != won[0].RefreshToken || i.AccessToken != won[0].AccessToken {
						w.Fatal("two successors were given")
					}
				}
				live := w.count(`SELECT count(*) FROM tokens WHERE kind = 'refresh' AND rotated_at = 0 AND ended_at = 0`)
				if live != 1 {
					w.Fatalf("%d current refresh tokens", live)
				}
			})
		})
	}
}

func TestATokenThatStaysIsGivenToAllAtOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		r1 := w.connect(plain, "own", "ada", "acme", "read")
		won := atOnce(50, func() (*oauth.Issued, error) { return w.refresh(plain, "own", r1.RefreshToken) },
			func(err error) { w.Errorf("refused: %v", err) })
		for _, i := range won {
			if i.RefreshToken != r1.RefreshToken {
				w.Fatal("the refresh token changed")
			}
			w.lives(plain, i.AccessToken)
		}
	})
}

func TestARefreshTokenDiesOfIdlenessAndNotOfUse(t *testing.T) {
	for _, terms := range []*oauth.Terms{plain, rotating} {
		t.Run(terms.Dialect, func(t *testing.T) {
			everywhere(t, func(w *world) {
				token := w.connect(terms, "own", "ada", "acme", "read").RefreshToken
				for range 3 {
					w.clock.Advance(179 * 24 * time.Hour)
					i, err := w.refresh(terms, "own", token)
					w.ok(err)
					token = i.RefreshToken
				}
				w.clock.Advance(180*24*time.Hour + time.Second)
				_, err := w.refresh(terms, "own", token)
				w.wants(err, postern.InvalidGrant)
			})
		})
	}
}

func TestI14_NoRefreshOutlivesTheAbsoluteLife(t *testing.T) {
	terms, r := *rotating, *rotating.Refresh
	r.Absolute = 90 * 24 * time.Hour
	terms.Refresh = &r
	everywhere(t, func(w *world) {
		token := w.connect(&terms, "own", "ada", "acme", "read").RefreshToken
		for day := 1; day < 90; day++ {
			w.clock.Advance(24 * time.Hour)
			i, err := w.refresh(&terms, "own", token)
			w.ok(err)
			token = i.RefreshToken
		}
		w.clock.Advance(24 * time.Hour)
		_, err := w.refresh(&terms, "own", token)
		w.wants(err, postern.InvalidGrant)
	})
}

func TestI14_ARefreshNarrowsOneTokenAndNeverWidens(t *testing.T) {
	everywhere(t, func(w *world) {
		r := w.connect(plain, "own", "ada", "acme", "read").RefreshToken
		ask := &oauth.Refresh{Terms: plain, Client: client("own"), RefreshToken: r, Scopes: []string{"read", "write"}}
		_, err := w.rules.Refresh(w.ctx, ask)
		w.wants(err, postern.InvalidScope)
	})
	everywhere(t, func(w *world) {
		r := w.connect(plain, "own", "ada", "acme", "read", "write").RefreshToken
		narrow, err := w.rules.Refresh(w.ctx, &oauth.Refresh{Terms: plain, Client: client("own"), RefreshToken: r, Scopes: []string{"write"}})
		w.ok(err)
		got, err := w.rules.Check(w.ctx, "plain", narrow.AccessToken)
		w.ok(err)
		if len(got.Scopes) != 1 || got.Scopes[0] != "write" {
			w.Fatalf("scopes %v", got.Scopes)
		}
		whole, err := w.refresh(plain, "own", r)
		w.ok(err)
		if len(whole.Scopes) != 2 {
			w.Fatal("the family's scope shrank")
		}
	})
}

func TestAnotherAppCannotRefresh(t *testing.T) {
	everywhere(t, func(w *world) {
		r := w.connect(rotating, "own", "ada", "acme", "read").RefreshToken
		_, err := w.refresh(rotating, "other", r)
		w.wants(err, postern.InvalidGrant)
		_, err = w.rules.Refresh(w.ctx, &oauth.Refresh{Terms: rotating, Client: oauth.ClientAuth{ClientID: "own"}, RefreshToken: r})
		w.wants(err, postern.InvalidClient)
		_, err = w.refresh(rotating, "own", r)
		w.ok(err)
	})
}
