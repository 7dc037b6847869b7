package registry_test

import (
	"testing"

	"postern.dev/postern/internal/oauth"
)

// signingKey is the secret that a callback of app x is signed with.
func (w *world) signingKey() string {
	w.Helper()
	app, err := w.db.App(w.ctx, "x")
	w.ok(err)
	s := app.SigningSecret(w.clock.Now())
	if s == nil {
		return ""
	}
	plain, err := newSealer(w.T).Open("app_secrets", s.ID, "sealed", s.Sealed)
	w.ok(err)
	return string(plain)
}

func TestASecretIsKeptSealedOnlyWhereTheWireSignsWithIt(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(secrets("client_secret: " + one + ", redirect_urls: [https://p.test/cb]"))
		w.equal("sealed", w.one("SELECT count(*) FROM app_secrets WHERE sealed IS NOT NULL"), "0")
		w.refused(secrets("dialect: signs"),
			`a.yaml:1:62: partners[0].apps[0].dialect: signs is a wire that signs with the app's secret, of which only a hash is known; declare client_secret itself`)
		w.apply(secrets("dialect: signs, client_secret: " + one))
		w.equal("the key", w.signingKey(), one)

		before := w.dump()
		w.apply(secrets("client_secret: " + one))
		w.equal("the rows", w.dump(), before)

		w.clock.Advance(1000000)
		w.apply(secrets("client_secrets: [{name: a, secret: " + one + "}, {name: b, secret: " + two + "}]"))
		w.equal("the older key", w.signingKey(), one)
		w.apply(secrets("client_secrets: [{name: b, secret: " + two + "}]"))
		w.equal("the newer key", w.signingKey(), two)

		w.apply(secrets("dialect: open"))
		w.equal("sealed", w.one("SELECT count(*) FROM app_secrets WHERE sealed IS NOT NULL"), "0")
		w.let("after the wire changed", two)
	})
}

func TestAMadeSecretCanBeSignedWith(t *testing.T) {
	everywhere(t, func(w *world) {
		result := w.did(secrets("dialect: signs"), "created partner P", "created app X")
		w.equal("the key", w.signingKey(), string(w.made(result, "client_secret")))
	})
}

func TestAWireThatSignsTakesNoHashAndNoPublicApp(t *testing.T) {
	everywhere(t, func(w *world) {
		hash := "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		w.refused(secrets("dialect: signs, client_secret_hash: '"+hash+"'"),
			`a.yaml:1:62: partners[0].apps[0].dialect: signs is a wire that signs with the app's secret, of which only a hash is known; declare client_secret itself`)
		w.refused(secrets("dialect: signs, public: true, redirect_urls: [https://p.test/cb]"),
			`a.yaml:1:77: partners[0].apps[0].public: does not go with the dialect signs, which signs with the app's secret`)
	})
}

// What the browser carries is signed with the key of the rows, and nobody is
// asked anything when it cannot be.
func TestTheEngineOpensTheKeyThatTheRegistrySealed(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(secrets("dialect: signs, client_secret: " + one + ", redirect_urls: [https://p.test/cb]"))
		terms := &oauth.Terms{Dialect: "signs", SignsCallbacks: true, PKCE: oauth.PKCEOptional, NoScopes: true}
		ask := &oauth.Ask{Terms: terms, ClientID: "x", RedirectURI: "https://p.test/cb", SentURI: true, ResponseType: "token"}
		_, err := w.oauth.Ask(w.ctx, ask)
		if refused, ok := err.(*oauth.Refusal); ok || err == nil {
			t.Fatalf("without a sealer: %v", refused)
		}
		w.oauth.Sealed = newSealer(w.T)
		_, err = w.oauth.Ask(w.ctx, ask)
		refused, ok := err.(*oauth.Refusal)
		if !ok || string(refused.Key) != one || refused.At.IsZero() {
			t.Fatalf("%v", err)
		}
		w.ok1(w.sql.Exec("UPDATE app_secrets SET sealed = NULL"))
		ask.ResponseType = "code"
		if _, err = w.oauth.Ask(w.ctx, ask); err == nil {
			t.Fatal("a question whose answer cannot be signed")
		}
	})
}

func (w *world) ok1(_ any, err error) {
	w.Helper()
	w.ok(err)
}

func TestAnAppsAttributesAreIdsToFindItBy(t *testing.T) {
	everywhere(t, func(w *world) {
		w.apply(secrets("attributes: {shop: '7', site: a}"))
		id, err := w.db.ClientByAlias(w.ctx, oauth.Alias{Attr: "shop", Value: "7"})
		w.ok(err)
		w.equal("the app", id, "x")
		w.apply(secrets("attributes: {shop: '8'}"))
		if _, err := w.db.ClientByAlias(w.ctx, oauth.Alias{Attr: "shop", Value: "7"}); err == nil {
			t.Error("the old id still finds it")
		}
		w.apply("partners: [{name: P, apps: [{client_id: x, remove: true}]}]")
		if _, err := w.db.ClientByAlias(w.ctx, oauth.Alias{Attr: "shop", Value: "8"}); err == nil {
			t.Error("a removed app is found")
		}
	})
}
