package storetest

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

func (w *world) renew(terms *oauth.Terms, app string, token postern.Secret, scopes ...string) (*oauth.Issued, error) {
	c := client(app)
	if app == "open" {
		c.Secret = ""
	}
	return w.rules.Renew(w.ctx, &oauth.Renew{Terms: terms, Client: c, AccessToken: token, Scopes: scopes})
}

// lasting is plain without refresh tokens, renewed up to three hours.
var lasting = func() *oauth.Terms {
	t := *plain
	t.Refresh, t.Access.Absolute = nil, 3*time.Hour
	return &t
}()

func TestI14_ARenewalNeverWidensScopeAccountOrAbsoluteLifetime(t *testing.T) {
	everywhere(t, func(w *world) {
		first := w.connect(lasting, "own", "ada", "acme", "read", "write")
		w.clock.Advance(50 * time.Minute)
		second, err := w.renew(lasting, "own", first.AccessToken, "read")
		w.ok(err)
		w.lives(lasting, first.AccessToken) // a lost answer breaks nothing
		_, err = w.renew(lasting, "own", second.AccessToken, "read", "write")
		w.wants(err, postern.InvalidScope)
		t2 := w.check(lasting, second.AccessToken)
		if len(t2.Scopes) != 1 || t2.Account.ID != "acme" || t2.Connection.ID != first.ConnectionID {
			w.Fatalf("%+v", t2)
		}
		w.clock.Advance(59 * time.Minute) // 1:49
		third, err := w.renew(lasting, "own", second.AccessToken)
		w.ok(err)
		w.clock.Advance(59 * time.Minute) // 2:48
		fourth, err := w.renew(lasting, "own", third.AccessToken)
		w.ok(err)
		if got := fourth.ExpiresAt.Sub(first.IssuedAt); got != 3*time.Hour {
			w.Fatalf("it lives to %s after the first", got)
		}
		w.clock.Advance(13 * time.Minute)
		_, err = w.renew(lasting, "own", fourth.AccessToken)
		w.wants(err, postern.RefreshDead)
	})
}

func TestOnlyALiveAccessTokenOfTheAppsOwnIsRenewed(t *testing.T) {
	everywhere(t, func(w *world) {
		i := w.connect(plain, "own", "ada", "acme", "read")
		_, err := w.renew(plain, "other", i.AccessToken)
		w.wants(err, postern.InvalidGrant)
		_, err = w.renew(rotating, "own", i.AccessToken) // another dialect
		w.wants(err, postern.InvalidGrant)
		_, err = w.renew(plain, "own", i.RefreshToken)
		w.wants(err, postern.InvalidGrant)
		lone, err := w.rules.ClientCredentials(w.ctx, &oauth.ClientCredentials{Terms: plain, Client: client("own"), Scopes: read})
		w.ok(err)
		_, err = w.renew(plain, "own", lone.AccessToken)
		w.wants(err, postern.InvalidGrant)
		_, err = w.rules.Renew(w.ctx, &oauth.Renew{Terms: plain, Client: oauth.ClientAuth{ClientID: "own", Secret: "wrong"}, AccessToken: i.AccessToken})
		w.wants(err, postern.InvalidClient)
		w.lives(plain, i.AccessToken)

		again, err := w.renew(plain, "own", i.AccessToken)
		w.ok(err)
		w.ok(w.rules.Disconnect(w.ctx, postern.User{ID: "ada"}, i.ConnectionID, ""))
		w.dead(plain, again.AccessToken)
		_, err = w.renew(plain, "own", again.AccessToken)
		w.wants(err, postern.RefreshDead)
	})
}

// Where live tokens would gather without number, or nothing but the token proves
// the app, the old one gives way; of many callers one gets the new one.
func TestARenewedTokenGivesWayWhereItMust(t *testing.T) {
	everywhere(t, func(w *world) {
		i := w.connect(capped, "whole", "ada", "acme")
		won := atOnce(20, func() (*oauth.Issued, error) { return w.renew(capped, "whole", i.AccessToken) },
			func(err error) { w.wants(err, postern.InvalidGrant) })
		if len(won) != 1 {
			w.Fatalf("%d won", len(won))
		}
		w.dead(capped, i.AccessToken)
		w.lives(capped, won[0].AccessToken)

		a := asking(plain, "open", "read")
		verifier := strings.Repeat("v", 43)
		digest := sha256.Sum256([]byte(verifier))
		a.Challenge, a.ChallengeMethod = base64.RawURLEncoding.EncodeToString(digest[:]), "S256"
		g, err := w.decide(plain, w.ask(a), "ada", "acme", true)
		w.ok(err)
		q := redeeming(plain, "open", g.Code)
		q.Client.Secret, q.Verifier, q.SentVerifier, q.MaxVerifier = "", verifier, true, 128
		public, err := w.rules.Redeem(w.ctx, q)
		w.ok(err)
		_, err = w.renew(plain, "open", public.AccessToken)
		w.ok(err)
		w.dead(plain, public.AccessToken)
	})
}

func TestARefreshWithoutTheSecretRotates(t *testing.T) {
	everywhere(t, func(w *world) {
		bare := *plain
		bare.RefreshWithoutSecret = true
		without := func(terms *oauth.Terms, token postern.Secret) (*oauth.Issued, error) {
			return w.rules.Refresh(w.ctx, &oauth.Refresh{Terms: terms, Client: oauth.ClientAuth{ClientID: "own"}, RefreshToken: token})
		}
		first := w.connect(plain, "own", "ada", "acme", "read")
		_, err := without(plain, first.RefreshToken)
		w.wants(err, postern.InvalidClient)
		same, err := w.refresh(&bare, "own", first.RefreshToken)
		w.ok(err)
		if same.RefreshToken != first.RefreshToken {
			w.Fatal("with the secret it rotates too")
		}
		next, err := without(&bare, first.RefreshToken)
		w.ok(err)
		if next.RefreshToken == first.RefreshToken {
			w.Fatal("it does not rotate")
		}
		wrong := &oauth.Refresh{Terms: &bare, Client: oauth.ClientAuth{ClientID: "own", Secret: "wrong"}, RefreshToken: next.RefreshToken}
		_, err = w.rules.Refresh(w.ctx, wrong)
		w.wants(err, postern.InvalidClient)
		_, err = without(&bare, next.RefreshToken)
		w.ok(err)
		_, err = w.refresh(&bare, "own", first.RefreshToken) // the old one again, even with the secret
		w.wants(err, postern.RefreshDead)
		w.dead(plain, next.AccessToken)
	})
}
