package storetest

import (
	"errors"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/oauth"
)

func TestAnAccountConnectionIsOneForAllItsMembers(t *testing.T) {
	everywhere(t, func(w *world) {
		a, b := w.connect(capped, "whole", "ada", "acme"), w.connect(capped, "whole", "bob", "acme")
		if a.ConnectionID != b.ConnectionID {
			w.Fatal("two connections")
		}
		if a.Account.WireID != b.Account.WireID || len(a.Account.WireID) != 32 {
			w.Fatalf("account ids %q and %q", a.Account.WireID, b.Account.WireID)
		}
		if a.AccessToken == b.AccessToken {
			w.Fatal("one token for two approvals")
		}
		if w.events(postern.ConnectionCreated) != 1 || w.events(postern.ConnectionUpdated) != 0 {
			w.Fatal("a second approval was told as an event")
		}
		elsewhere := w.connect(capped, "whole", "eve", "globex")
		_, err := w.rules.RevokeHeld(w.ctx, "capped", a.AccessToken, true)
		w.ok(err)
		w.dead(capped, a.AccessToken)
		w.dead(capped, b.AccessToken)
		w.lives(capped, elsewhere.AccessToken)

		back := w.connect(capped, "whole", "bob", "acme")
		if back.ConnectionID == a.ConnectionID || back.Account.WireID != a.Account.WireID {
			w.Fatal("connecting again must be a new connection with the same account id")
		}
		w.dead(capped, a.AccessToken)
	})
}

func TestAUserConnectionIsItsUsersAlone(t *testing.T) {
	everywhere(t, func(w *world) {
		a, b := w.connect(plain, "own", "ada", "acme", "read"), w.connect(plain, "own", "bob", "acme", "read")
		if a.ConnectionID == b.ConnectionID {
			w.Fatal("one connection for two users")
		}
		w.wants(w.rules.Disconnect(w.ctx, postern.User{ID: "bob"}, a.ConnectionID, ""), postern.NotFound)
		w.ok(w.rules.Disconnect(w.ctx, postern.User{ID: "ada"}, a.ConnectionID, ""))
		w.dead(plain, a.AccessToken)
		w.lives(plain, b.AccessToken)
		if got := w.text(`SELECT reason || user_nickname FROM events WHERE type = 'connection.deleted'`); got != "userada" {
			w.Fatalf("the event says %q", got)
		}
	})
}

func TestRV08_DisconnectingEndsCodesQuestionsAndTokens(t *testing.T) {
	everywhere(t, func(w *world) {
		i := w.connect(plain, "whole", "ada", "acme", "read")
		pending := w.approve(plain, "whole", "bob", "acme", "read")
		elsewhere := w.approve(plain, "whole", "eve", "globex", "read")
		open := w.ask(asking(plain, "whole", "read"))
		w.ok(w.rules.ShowTicket(w.ctx, open, "bob"))

		w.ok(w.rules.Disconnect(w.ctx, postern.User{ID: "bob"}, i.ConnectionID, ""))
		w.dead(plain, i.AccessToken)
		_, err := w.refresh(plain, "whole", i.RefreshToken)
		w.wants(err, postern.InvalidGrant)
		_, err = w.rules.Redeem(w.ctx, redeeming(plain, "whole", pending))
		w.wants(err, postern.InvalidGrant)
		_, err = w.decide(plain, open, "bob", "acme", true)
		w.wants(err, postern.Conflict)
		w.redeem(plain, "whole", elsewhere)
		w.wants(w.rules.Disconnect(w.ctx, postern.User{ID: "bob"}, i.ConnectionID, ""), postern.NotFound)
	})
}

func TestRV10_OnlyAMemberWhoseRoleMayEndsAnAccountsConnection(t *testing.T) {
	everywhere(t, func(w *world) {
		i := w.connect(plain, "whole", "ada", "acme", "read")
		w.run(`UPDATE apps SET connect_roles = 'admin' WHERE id = 'whole'`)
		w.wants(w.rules.Disconnect(w.ctx, postern.User{ID: "bob"}, i.ConnectionID, ""), postern.Forbidden)
		w.wants(w.rules.Disconnect(w.ctx, postern.User{ID: "eve"}, i.ConnectionID, ""), postern.NotFound)
		w.lives(plain, i.AccessToken)
		_, err := w.decide(plain, w.ask(asking(plain, "whole", "read")), "bob", "acme", true)
		w.wants(err, postern.Forbidden)
	})
}

func TestFiftyDisconnectionsAtOnceAreOneEvent(t *testing.T) {
	everywhere(t, func(w *world) {
		i := w.connect(capped, "whole", "ada", "acme")
		won := atOnce(50, func() (*postern.Token, error) { return w.rules.RevokeHeld(w.ctx, "capped", i.AccessToken, true) },
			func(err error) { w.wants(err, postern.InvalidToken) })
		if len(won) == 0 {
			w.Fatal("nobody was answered")
		}
		if n := w.events(postern.ConnectionDeleted); n != 1 {
			w.Fatalf("%d endings were told", n)
		}
	})
}

func TestI16_TheOneUnusedLongestEndsOverTheCap(t *testing.T) {
	everywhere(t, func(w *world) {
		var all []postern.Secret
		for range 3 {
			all = append(all, w.connect(capped, "whole", "ada", "acme").AccessToken)
			w.clock.Advance(time.Second)
		}
		w.lives(capped, all[0]) // used now, so the second is unused longest
		w.clock.Advance(time.Second)
		all = append(all, w.connect(capped, "whole", "bob", "acme").AccessToken)
		w.lives(capped, all[0])
		w.dead(capped, all[1])
		w.lives(capped, all[2])
		w.lives(capped, all[3])
	})
}

func TestI16_TheCapHoldsForManyAtOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		var codes []postern.Secret
		for range 12 {
			codes = append(codes, w.approve(capped, "whole", "ada", "acme"))
		}
		next := make(chan postern.Secret, len(codes))
		for _, c := range codes {
			next <- c
		}
		won := atOnce(len(codes), func() (*oauth.Issued, error) {
			return w.rules.Redeem(w.ctx, redeeming(capped, "whole", <-next))
		}, func(err error) { w.Errorf("refused: %v", err) })
		live := 0
		for _, i := range won {
			if _, err := w.rules.Check(w.ctx, "capped", i.AccessToken); err == nil {
				live++
			}
		}
		if live != capped.AtOnce {
			w.Fatalf("%d live tokens", live)
		}
	})
}

func TestRevokingARefreshTokenEndsItsFamilyAndAnAccessTokenItself(t *testing.T) {
	everywhere(t, func(w *world) {
		i := w.connect(rotating, "own", "ada", "acme", "read")
		w.ok(w.revoke(&oauth.Revoke{Terms: rotating, Client: client("own"), Token: i.AccessToken}))
		w.dead(rotating, i.AccessToken)
		if w.events(postern.ConnectionDeleted) != 0 {
			w.Fatal("the connection ended with one access token")
		}
		j, err := w.refresh(rotating, "own", i.RefreshToken)
		w.ok(err)
		err = w.revoke(&oauth.Revoke{Terms: rotating, Client: client("other"), Token: j.RefreshToken})
		w.wants(err, postern.NotFound)
		w.lives(rotating, j.AccessToken)

		k := w.connect(rotating, "own", "ada", "acme", "read") // a second family
		w.ok(w.revoke(&oauth.Revoke{Terms: rotating, Client: client("own"), Token: i.RefreshToken}))
		w.dead(rotating, j.AccessToken)
		w.lives(rotating, k.AccessToken)
		if w.events(postern.ConnectionDeleted) != 0 {
			w.Fatal("the connection ended with one of two families")
		}
		w.ok(w.revoke(&oauth.Revoke{Terms: rotating, Client: client("own"), Token: k.RefreshToken}))
		w.ok(w.revoke(&oauth.Revoke{Terms: rotating, Client: client("own"), Token: k.RefreshToken}))
		if got := w.text(`SELECT reason FROM events WHERE type = 'connection.deleted'`); got != "app" {
			w.Fatalf("the event says %q", got)
		}
	})
}

func TestRV01_AnotherAppsRevocationChangesNothing(t *testing.T) {
	everywhere(t, func(w *world) {
		i := w.connect(capped, "whole", "ada", "acme")
		err := w.revoke(&oauth.Revoke{Terms: capped, Client: client("other"), Token: i.AccessToken})
		w.wants(err, postern.NotFound)
		w.lives(capped, i.AccessToken)
		if w.count(`SELECT count(*) FROM audit WHERE action = 'token.revoke_refused' AND actor = 'app:other'`) != 1 {
			w.Fatal("it was not noted")
		}
	})
}

func TestAWiderApprovalUpdatesTheConnection(t *testing.T) {
	everywhere(t, func(w *world) {
		a := w.connect(plain, "own", "ada", "acme", "read")
		b := w.connect(plain, "own", "ada", "acme", "write")
		if a.ConnectionID != b.ConnectionID || len(b.Scopes) != 1 {
			w.Fatal("a token has the scopes of its own consent, under one connection")
		}
		if got := w.text(`SELECT changes || ' ' || sequence FROM events WHERE type = 'connection.updated'`); got != "read write 2" {
			w.Fatalf("the event says %q", got)
		}
	})
}

func TestI10_WhatATokenRestsOnSwitchesItOff(t *testing.T) {
	for off, on := range map[string]string{
		`UPDATE users SET disabled = TRUE WHERE id = 'ada'`:     `UPDATE users SET disabled = FALSE WHERE id = 'ada'`,
		`UPDATE accounts SET disabled = TRUE WHERE id = 'acme'`: `UPDATE accounts SET disabled = FALSE WHERE id = 'acme'`,
		`UPDATE apps SET disabled = TRUE WHERE id = 'own'`:      `UPDATE apps SET disabled = FALSE WHERE id = 'own'`,
		`UPDATE partners SET disabled = TRUE WHERE id = 'p1'`:   `UPDATE partners SET disabled = FALSE WHERE id = 'p1'`,
	} {
		t.Run(off, func(t *testing.T) {
			everywhere(t, func(w *world) {
				i := w.connect(plain, "own", "ada", "acme", "read")
				w.run(off)
				w.dead(plain, i.AccessToken)
				if _, err := w.refresh(plain, "own", i.RefreshToken); err == nil {
					w.Fatal("it was refreshed")
				}
				w.run(on)
				w.lives(plain, i.AccessToken)
			})
		})
	}
}

func TestAnAccountsConnectionOutlivesItsApprover(t *testing.T) {
	everywhere(t, func(w *world) {
		i := w.connect(plain, "whole", "ada", "acme", "read")
		w.run(`UPDATE users SET disabled = TRUE WHERE id = 'ada'`)
		w.run(`DELETE FROM memberships WHERE user_id = 'ada'`)
		w.lives(plain, i.AccessToken)
		_, err := w.refresh(plain, "whole", i.RefreshToken)
		w.ok(err)
	})
}

func TestAQuestionIsAnsweredOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		k := w.ask(asking(plain, "own", "read"))
		w.ok(w.rules.ShowTicket(w.ctx, k, "ada"))
		won := atOnce(50, func() (*oauth.Granted, error) { return w.decide(plain, k, "ada", "acme", true) },
			func(err error) { w.wants(err, postern.Conflict) })
		if len(won) != 1 || w.count(`SELECT count(*) FROM codes`) != 1 {
			w.Fatalf("%d answers", len(won))
		}
		other := w.ask(asking(plain, "own", "read"))
		_, err := w.decide(plain, other, "ada", "acme", false)
		w.wants(err, postern.AccessDenied)
		if r, ok := errors.AsType[*oauth.Refusal](err); !ok || r.To() != redirect || r.State != "S1" {
			w.Fatalf("got %v", err)
		}
		_, err = w.decide(plain, other, "ada", "acme", true)
		w.wants(err, postern.Conflict)
	})
}

func TestLC05_AQuestionIsForWhomItWasShownTo(t *testing.T) {
	everywhere(t, func(w *world) {
		k := w.ask(asking(plain, "own", "read"))
		w.ok(w.rules.ShowTicket(w.ctx, k, "ada"))
		again, _, err := w.db.Ticket(w.ctx, k.Hash)
		w.ok(err)
		w.wants(w.rules.ShowTicket(w.ctx, again, "bob"), postern.Forbidden)
	})
}

func TestI07_NoCodeGoesToAnAddressThatIsNoLongerRegistered(t *testing.T) {
	everywhere(t, func(w *world) {
		k := w.ask(asking(plain, "own", "read"))
		w.run(`UPDATE apps SET redirect_urls = 'https://partner.test/new' WHERE id = 'own'`)
		_, err := w.decide(plain, k, "ada", "acme", true)
		w.wants(err, postern.RedirectMismatch)
		if _, ok := errors.AsType[*oauth.Refusal](err); ok {
			w.Fatal("it would be redirected")
		}
		if w.count(`SELECT count(*) FROM codes`) != 0 {
			w.Fatal("a code was made")
		}
	})
}

func TestAConsentIsRememberedUntilTheAppLooksDifferent(t *testing.T) {
	everywhere(t, func(w *world) {
		app, err := w.db.App(w.ctx, "own")
		w.ok(err)
		remembered := func(scopes ...string) bool {
			w.Helper()
			yes, err := w.rules.Remembered(w.ctx, rotating, w.ask(asking(rotating, "own", scopes...)), app, "ada", "acme")
			w.ok(err)
			return yes
		}
		if remembered("read") {
			w.Fatal("nothing was allowed yet")
		}
		w.approve(rotating, "own", "ada", "acme", "read")
		if !remembered("read") || remembered("read", "write") {
			w.Fatal("the consent covers read, and no more")
		}
		w.clock.Advance(time.Second)
		w.run(`UPDATE apps SET changed_at = $1 WHERE id = 'own'`, w.clock.Now().UnixMilli())
		if remembered("read") {
			w.Fatal("a changed app must ask again")
		}
	})
}

func TestAConnectionEndsWhenItsLastTokenDiesOfAge(t *testing.T) {
	everywhere(t, func(w *world) {
		w.connect(plain, "own", "ada", "acme", "read")
		w.clock.Advance(24 * time.Hour)
		_, err := w.rules.Sweep(w.ctx)
		w.ok(err)
		if w.events(postern.ConnectionDeleted) != 0 {
			w.Fatal("it ended while its refresh token lives")
		}
		w.clock.Advance(180 * 24 * time.Hour)
		for range 2 {
			_, err = w.rules.Sweep(w.ctx)
			w.ok(err)
		}
		if got := w.text(`SELECT reason FROM events WHERE type = 'connection.deleted'`); got != "expired" {
			w.Fatalf("the event says %q", got)
		}
	})
}

// Strangers can fail to sign in as nobody as often as they like: of that the audit
// log forgets what is old. What was tried of a person it keeps.
func TestTheAuditLogForgetsWhoFailedToSignInAsNobody(t *testing.T) {
	everywhere(t, func(w *world) {
		failed := func(object string) {
			w.ok(w.db.FailedGuess(w.ctx, identity.Guess{Object: object, Now: w.clock.Now()}))
		}
		failed("nobody")
		failed("user:ada")
		w.clock.Advance(6 * 24 * time.Hour)
		failed("nobody")
		for _, c := range []struct {
			later time.Duration
			want  int
		}{{0, 2}, {25 * time.Hour, 1}, {7 * 24 * time.Hour, 0}} {
			w.clock.Advance(c.later)
			_, err := w.rules.Sweep(w.ctx)
			w.ok(err)
			if n := w.count(`SELECT count(*) FROM audit WHERE object = 'nobody'`); n != c.want {
				w.Errorf("%d records of nobody, want %d", n, c.want)
			}
		}
		if w.count(`SELECT count(*) FROM audit WHERE object = 'user:ada'`) != 1 {
			w.Error("what was tried of a person is gone")
		}
	})
}

func TestExpiredRowsGoAwayByThemselves(t *testing.T) {
	everywhere(t, func(w *world) {
		w.connect(plain, "own", "ada", "acme", "read")
		gone := w.connect(capped, "whole", "ada", "acme")
		w.approve(plain, "own", "ada", "acme", "read")
		_, err := w.rules.RevokeHeld(w.ctx, "capped", gone.AccessToken, true)
		w.ok(err)
		kept := w.connect(capped, "whole", "eve", "globex")
		w.clock.Advance(400 * 24 * time.Hour)
		for range 3 {
			_, err := w.rules.Sweep(w.ctx)
			w.ok(err)
			w.clock.Advance(48 * time.Hour)
		}
		w.lives(capped, kept.AccessToken)
		for table, want := range map[string]int{"tickets": 0, "codes": 1, "tokens": 1} {
			if n := w.count(`SELECT count(*) FROM ` + table); n != want {
				w.Errorf("%d rows in %s, want %d", n, table, want)
			}
		}
	})
}

func TestIntrospectionTellsAnAPIAllAndAnAppItsOwn(t *testing.T) {
	everywhere(t, func(w *world) {
		hash := postern.Secret("api-secret").Hash()
		w.run(`INSERT INTO apis (id, name, secret_hash, created_at) VALUES ('main', 'main', $1, 1)`, hash[:])
		i := w.connect(rotating, "own", "ada", "acme", "read")
		ask := func(id, secret string, token postern.Secret) (*postern.Token, error) {
			return w.rules.Introspect(w.ctx, &oauth.Introspect{Terms: plain, Client: oauth.ClientAuth{ClientID: id, Secret: postern.Secret(secret)}, Token: token})
		}
		for _, asker := range [][2]string{{"main", "api-secret"}, {"own", secretText}} {
			got, err := ask(asker[0], asker[1], i.AccessToken)
			w.ok(err)
			if got == nil || got.Subject() != "ada" {
				w.Fatalf("%s is told %+v", asker[0], got)
			}
			_, err = ask(asker[0], asker[1], i.RefreshToken)
			w.wants(err, postern.InvalidToken)
		}
		_, err := ask("other", secretText, i.AccessToken)
		w.wants(err, postern.InvalidToken)
		if why := err.(*postern.Error).Why; why.Rule != "other_apps_token" || why.AppID != "" || why.AccountID != "" {
			w.Fatalf("another app could be told %+v", why)
		}
		_, err = ask("main", "wrong", i.AccessToken)
		w.wants(err, postern.InvalidClient)
		_, err = ask("nobody", "wrong", i.AccessToken)
		w.wants(err, postern.InvalidClient)
	})
}

func TestClientCredentialsGiveATokenForTheAppItself(t *testing.T) {
	everywhere(t, func(w *world) {
		i, err := w.rules.ClientCredentials(w.ctx, &oauth.ClientCredentials{Terms: plain, Client: client("own"), Scopes: []string{"read"}})
		w.ok(err)
		got, err := w.rules.Check(w.ctx, "plain", i.AccessToken)
		w.ok(err)
		if got.Subject() != "own" || got.Account.ID != "" || i.RefreshToken != "" {
			w.Fatalf("got %+v", got)
		}
		w.ok(w.revoke(&oauth.Revoke{Terms: plain, Client: client("own"), Token: i.AccessToken}))
		w.dead(plain, i.AccessToken)
	})
}

func TestI11_EveryRevocationIsInTheChangeSequenceWithoutGaps(t *testing.T) {
	everywhere(t, func(w *world) {
		var held []*oauth.Issued
		for _, person := range []string{"ada", "bob"} {
			held = append(held, w.connect(rotating, "own", person, "acme", "read"))
		}
		next := make(chan *oauth.Issued, len(held))
		for _, i := range held {
			next <- i
		}
		atOnce(len(held), func() (struct{}, error) {
			i := <-next
			return struct{}{}, w.revoke(&oauth.Revoke{Terms: rotating, Client: client("own"), Token: i.RefreshToken})
		}, func(err error) { w.Errorf("refused: %v", err) })
		n, last := w.count(`SELECT count(*) FROM changes`), w.count(`SELECT COALESCE(max(seq), 0) FROM changes`)
		if n != 2 || last != 2 {
			w.Fatalf("%d changes, the last numbered %d", n, last)
		}
	})
}
