package storetest

import (
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// double is a wire whose codes can give two tokens.
var double = func() *oauth.Terms {
	t := *plain
	t.Dialect, t.Refresh, t.Access.Life, t.Consent = "double", nil, 0, oauth.ConsentRemembered
	t.Second = &oauth.AccessTerms{Form: postern.Form{Alphabet: postern.Base62, Length: 48, Prefix: "own-"}}
	return &t
}()

// askBoth approves a question with two scope sets.
func (w *world) askBoth(app, person, account string, first, second []string) postern.Secret {
	w.Helper()
	w.run(`UPDATE apps SET also = 'rotating capped double' WHERE id = $1`, app)
	a := asking(double, app, first...)
	a.SecondScopes = second
	g, err := w.decide(double, w.ask(a), person, account, true)
	w.ok(err)
	return g.Code
}

func (w *world) check(terms *oauth.Terms, token postern.Secret) *postern.Token {
	w.Helper()
	t, err := w.rules.Check(w.ctx, terms.Dialect, token)
	w.ok(err)
	return t
}

var read, write = []string{"read"}, []string{"write"}

func TestOneCodeGivesATokenOfTheAccountAndOneOfThePerson(t *testing.T) {
	everywhere(t, func(w *world) {
		i := w.redeem(double, "whole", w.askBoth("whole", "ada", "acme", read, write))
		first, second := w.check(double, i.AccessToken), w.check(double, i.Second.AccessToken)
		if first.Connection.UserID != "" || second.Connection.UserID != "ada" || first.Connection.ID == second.Connection.ID {
			w.Fatalf("first %+v, second %+v", first.Connection, second.Connection)
		}
		if first.Scopes[0] != "read" || second.Scopes[0] != "write" || len(first.Scopes)+len(second.Scopes) != 2 {
			w.Fatalf("scopes %v, %v", first.Scopes, second.Scopes)
		}
		if n := w.events(postern.ConnectionCreated); n != 2 {
			w.Fatalf("%d connections were told", n)
		}
		again := w.redeem(double, "whole", w.askBoth("whole", "ada", "acme", read, write))
		if got := w.check(double, again.Second.AccessToken).Connection.ID; got != second.Connection.ID {
			w.Fatalf("another connection of the person's: %s, %s", got, second.Connection.ID)
		}
		if n := w.events(postern.ConnectionCreated) + w.events(postern.ConnectionUpdated); n != 2 {
			w.Fatalf("a second approval was told as a change")
		}
	})
}

func TestThePersonsTokenAloneGrantsNothingForTheAccount(t *testing.T) {
	everywhere(t, func(w *world) {
		i := w.redeem(double, "whole", w.askBoth("whole", "ada", "acme", nil, write))
		if i.AccessToken != "" || i.RefreshToken != "" || len(i.Scopes) != 0 {
			w.Fatal("the account is granted too")
		}
		if t := w.check(double, i.Second.AccessToken); t.Connection.UserID != "ada" || len(t.Scopes) != 1 {
			w.Fatalf("%+v", t)
		}
		if n := w.count(`SELECT count(*) FROM connections`); n != 1 {
			w.Fatalf("%d connections", n)
		}
	})
}

func TestAReplayedCodeEndsBothTokens(t *testing.T) {
	everywhere(t, func(w *world) {
		code := w.askBoth("whole", "ada", "acme", read, write)
		i := w.redeem(double, "whole", code)
		_, err := w.rules.Redeem(w.ctx, redeeming(double, "whole", code))
		w.wants(err, postern.CodeUsed)
		w.dead(double, i.AccessToken)
		w.dead(double, i.Second.AccessToken)
		if n := w.events(postern.ConnectionDeleted); n != 2 {
			w.Fatalf("%d endings were told", n)
		}
	})
}

func TestOneOfManyGetsBothTokens(t *testing.T) {
	everywhere(t, func(w *world) {
		code := w.askBoth("whole", "ada", "acme", read, write)
		won := atOnce(20, func() (*oauth.Issued, error) {
			return w.rules.Redeem(w.ctx, redeeming(double, "whole", code))
		}, func(err error) { w.wants(err, postern.InvalidGrant) })
		if len(won) != 1 {
			w.Fatalf("%d won", len(won))
		}
		w.dead(double, won[0].AccessToken)
		w.dead(double, won[0].Second.AccessToken)
	})
}

func TestEachOfTheTwoTokensEndsByItself(t *testing.T) {
	everywhere(t, func(w *world) {
		i := w.redeem(double, "whole", w.askBoth("whole", "ada", "acme", read, write))
		w.ok(w.revoke(&oauth.Revoke{Terms: double, Client: client("whole"), Token: i.AccessToken}))
		w.dead(double, i.AccessToken)
		own := w.check(double, i.Second.AccessToken)

		// A pending code that would give the person's token again goes with the connection.
		pending := w.askBoth("whole", "ada", "acme", read, write)
		w.ok(w.rules.Disconnect(w.ctx, postern.User{ID: "ada"}, own.Connection.ID, ""))
		w.dead(double, i.Second.AccessToken)
		_, err := w.rules.Redeem(w.ctx, redeeming(double, "whole", pending))
		w.wants(err, postern.InvalidGrant)
	})
}

func TestScopesOfTheSecondTokenAreAskedAndRemembered(t *testing.T) {
	everywhere(t, func(w *world) {
		w.askBoth("whole", "ada", "acme", read, read)
		app, err := w.db.App(w.ctx, "whole")
		w.ok(err)
		for _, row := range []struct {
			second []string
			known  bool
		}{{read, true}, {nil, true}, {write, false}} {
			k := &postern.Ticket{Scopes: read, SecondScopes: row.second}
			known, err := w.rules.Remembered(w.ctx, double, k, app, "ada", "acme")
			w.ok(err)
			if known != row.known {
				w.Errorf("%v: remembered %v", row.second, known)
			}
		}
		a := asking(double, "whole", "read")
		a.SecondScopes = []string{"everything"}
		_, err = w.rules.Ask(w.ctx, a)
		w.wants(err, postern.InvalidScope)
		a = asking(plain, "whole", "read")
		a.SecondScopes = read
		_, err = w.rules.Ask(w.ctx, a)
		w.wants(err, postern.InvalidScope)
	})
}

func TestTheSecondTokenAges(t *testing.T) {
	everywhere(t, func(w *world) {
		terms := *double
		terms.Second = &oauth.AccessTerms{Form: double.Second.Form, Life: time.Hour}
		code := w.askBoth("whole", "ada", "acme", read, write)
		i := w.redeem(&terms, "whole", code)
		w.clock.Advance(61 * time.Minute)
		_, err := w.rules.Check(w.ctx, "double", i.Second.AccessToken)
		w.wants(err, postern.TokenExpired)
		w.lives(double, i.AccessToken)
		w.clock.Advance(10 * time.Minute)
		if _, err := w.rules.Sweep(w.ctx); err != nil {
			w.Fatal(err)
		}
		if n := w.events(postern.ConnectionDeleted); n != 1 {
			w.Fatalf("%d endings were told", n)
		}
	})
}

// Of an app of level user both tokens are of one connection, and a cap on it
// never ends what was just given.
func TestBothTokensOfAUsersConnectionOutliveTheOlderOnes(t *testing.T) {
	everywhere(t, func(w *world) {
		terms := *double
		terms.AtOnce = 3
		old := w.redeem(&terms, "own", w.askBoth("own", "ada", "acme", read, write))
		for range 4 {
			next := w.redeem(&terms, "own", w.askBoth("own", "ada", "acme", read, write))
			if a, b := w.check(double, next.AccessToken), w.check(double, next.Second.AccessToken); a.Connection.ID != b.Connection.ID {
				w.Fatal("two connections of one person")
			}
			if n := w.count(`SELECT count(*) FROM codes WHERE outcome = 'redeemed' AND ended_at = 0`); n > 3 {
				w.Fatalf("%d families live", n)
			}
			w.clock.Advance(time.Second)
		}
		w.dead(double, old.AccessToken)
		w.dead(double, old.Second.AccessToken)
	})
}
