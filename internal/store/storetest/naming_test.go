package storetest

import (
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

func TestASecretCanNameItsApp(t *testing.T) {
	everywhere(t, func(w *world) {
		const ownSecret = postern.Secret("only-own-has-this-one-1234")
		hash := ownSecret.Hash()
		w.run(`INSERT INTO app_secrets (id, app_id, name, hash, created_at, expires_at) VALUES ('x', 'own', 'second', $1, 0, 253402300799000)`, hash[:])
		q := redeeming(plain, "", w.approve(plain, "own", "ada", "acme", "read"))
		q.Client.NamedBy = oauth.NamedBySecret

		_, err := w.rules.Redeem(w.ctx, q) // three apps share this secret: it names none
		w.wants(err, postern.InvalidClient)
		q.Client.Secret = "nobody-has-this-secret-123"
		_, err = w.rules.Redeem(w.ctx, q)
		w.wants(err, postern.InvalidClient)
		q.Client.Secret = ownSecret
		issued, err := w.rules.Redeem(w.ctx, q)
		w.ok(err)
		w.lives(plain, issued.AccessToken)

		w.ok(w.revoke(&oauth.Revoke{Terms: plain, Token: issued.AccessToken,
			Client: oauth.ClientAuth{Secret: ownSecret, NamedBy: oauth.NamedBySecret}}))
		w.dead(plain, issued.AccessToken)
	})
}

func TestACodeNamesItsAppOnlyWithAChallenge(t *testing.T) {
	everywhere(t, func(w *world) {
		verifier := strings.Repeat("v", 43)
		sum := sha256.Sum256([]byte(verifier))
		ask := asking(plain, "open", "read")
		ask.Challenge, ask.ChallengeMethod = base64.RawURLEncoding.EncodeToString(sum[:]), "S256"
		granted, err := w.decide(plain, w.ask(ask), "ada", "acme", true)
		w.ok(err)
		q := redeeming(plain, "", granted.Code)
		q.Client = oauth.ClientAuth{NamedBy: oauth.NamedByCode}
		q.Verifier, q.SentVerifier = verifier, true
		issued, err := w.rules.Redeem(w.ctx, q)
		w.ok(err)

		again, err := w.rules.Refresh(w.ctx, &oauth.Refresh{Terms: plain, RefreshToken: issued.RefreshToken,
			Client: oauth.ClientAuth{NamedBy: oauth.NamedByToken}})
		w.ok(err)
		w.lives(plain, again.AccessToken)
		_, err = w.rules.Refresh(w.ctx, &oauth.Refresh{Terms: plain, RefreshToken: "unknown", Client: oauth.ClientAuth{NamedBy: oauth.NamedByToken}})
		w.wants(err, postern.InvalidGrant)

		q = redeeming(plain, "", w.approve(plain, "own", "ada", "acme", "read"))
		q.Client.NamedBy = oauth.NamedByCode
		_, err = w.rules.Redeem(w.ctx, q)
		w.wants(err, postern.InvalidGrant)
		q.Client.NamedBy, q.Client.ClientID = "", "own"
		_, err = w.rules.Redeem(w.ctx, q) // the code is still its owner's
		w.ok(err)
	})
}

func TestKeptParametersChooseTheTermsOfAGrant(t *testing.T) {
	everywhere(t, func(w *world) {
		terms, offline := *plain, *plain
		terms.Refresh = nil
		terms.Variants = []oauth.Variant{{Kept: map[string]string{"access_type": "offline"}, Terms: &offline}}
		redeem := func(kept map[string]string) *oauth.Issued {
			ask := asking(&terms, "own", "read")
			ask.Kept = kept
			granted, err := w.decide(&terms, w.ask(ask), "ada", "acme", true)
			w.ok(err)
			return w.redeem(&terms, "own", granted.Code)
		}
		if got := redeem(nil); got.RefreshToken != "" {
			t.Error("a refresh token that nobody asked for")
		}
		got := redeem(map[string]string{"access_type": "offline"})
		again, err := w.refresh(&terms, "own", got.RefreshToken)
		w.ok(err)
		w.lives(&terms, again.AccessToken)
	})
}

func TestAnAppEndsAConnectionByTheAccountsIDOnItsWire(t *testing.T) {
	everywhere(t, func(w *world) {
		issued := w.connect(capped, "whole", "ada", "acme")
		end := func(app, account string) error {
			_, err := w.rules.RevokeAccount(w.ctx, &oauth.RevokeAccount{Terms: capped, Client: client(app), Account: account})
			return err
		}
		w.wants(end("whole", "acme"), postern.NotFound) // the product's id is not this wire's
		w.wants(end("other", issued.Account.WireID), postern.NotFound)
		w.lives(capped, issued.AccessToken)
		w.ok(end("whole", issued.Account.WireID))
		w.dead(capped, issued.AccessToken)
		w.wants(end("whole", issued.Account.WireID), postern.NotFound)
	})
}

func TestAWireThatRefusesUnknownTokensRefusesEndedOnes(t *testing.T) {
	everywhere(t, func(w *world) {
		issued := w.connect(plain, "own", "ada", "acme", "read")
		q := &oauth.Revoke{Terms: plain, Client: client("own"), Token: issued.AccessToken, OnlyLive: true}
		w.ok(w.revoke(q))
		w.wants(w.revoke(q), postern.NotFound)
	})
}

func TestAHeldRefreshTokenEndsItsFamily(t *testing.T) {
	everywhere(t, func(w *world) {
		issued := w.connect(plain, "own", "ada", "acme", "read")
		_, err := w.rules.RevokeHeldRefresh(w.ctx, "plain", issued.AccessToken, false)
		w.wants(err, postern.InvalidToken)
		_, err = w.rules.RevokeHeldRefresh(w.ctx, "rotating", issued.RefreshToken, false)
		w.wants(err, postern.InvalidToken)
		w.lives(plain, issued.AccessToken)
		_, err = w.rules.RevokeHeldRefresh(w.ctx, "plain", issued.RefreshToken, false)
		w.ok(err)
		w.dead(plain, issued.AccessToken)
	})
}

func TestAnAppIsFoundByAnIdThatItAloneHas(t *testing.T) {
	everywhere(t, func(w *world) {
		for _, row := range [][3]string{{"shop", "7", "own"}, {"shop", "8", "own"}, {"shop", "8", "other"}, {"shop", "9", "gone"}} {
			w.run(`INSERT INTO app_ids (attribute, value, app_id) VALUES ($1, $2, $3)`, row[0], row[1], row[2])
		}
		a := asking(plain, "")
		a.Alias = oauth.Alias{Attr: "shop", Value: "7"}
		if k := w.ask(a); k.AppID != "own" {
			w.Errorf("it is %s", k.AppID)
		}
		for _, alias := range []oauth.Alias{{Attr: "shop", Value: "8"}, {Attr: "shop", Value: "9"}, {Attr: "site", Value: "7"}, {Attr: "shop", Value: "own"}, {Attr: "shop", Value: "\x00\xff"}} {
			a := asking(plain, "")
			a.Alias = alias
			_, err := w.rules.Ask(w.ctx, a)
			w.wants(err, postern.UnknownClient)
		}
		code := w.approve(plain, "own", "ada", "acme", "read")
		q := redeeming(plain, "", code)
		q.Client = oauth.ClientAuth{NamedBy: oauth.NamedByAlias, Alias: oauth.Alias{Attr: "shop", Value: "7"}, Secret: "wrong"}
		_, err := w.rules.Redeem(w.ctx, q)
		w.wants(err, postern.InvalidClient)
		q.Client.Secret, q.Client.ClientID = secretText, ""
		_, err = w.rules.Redeem(w.ctx, q)
		w.ok(err)
	})
}
