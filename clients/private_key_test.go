package clients

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"postern.dev/postern/internal/posterntest"
)

// keyed proves itself by what it signs; its keys are made for the run. What the
// script gets in the place of the secret are the private ones.
type keyed struct {
	app       posterntest.App
	resources string
}

func newKeyed(t *testing.T) keyed {
	t.Helper()
	var private []jose.JSONWebKey
	var public jose.JSONWebKeySet
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA} {
		key := newKey(t, alg)
		private = append(private, jose.JSONWebKey{Key: key, KeyID: string(alg) + "-key", Algorithm: string(alg)})
		public.Keys = append(public.Keys, jose.JSONWebKey{Key: key.Public(), KeyID: string(alg) + "-key", Algorithm: string(alg), Use: "sig"})
	}
	k := keyed{app: posterntest.App{ID: "keyed-app", Name: "Keyed", Secret: text(t, private), RedirectURL: "https://partner.test/cb", Dialect: "standard"}}
	k.resources = `partners: [{name: Partner Inc, apps: [{name: Keyed, description: For tests, url: "https://partner.test", dialect: standard,
  client_id: keyed-app, jwks: ` + text(t, public) + `, redirect_urls: ["https://partner.test/cb"], scopes: [candidates.read]}]}]`
	return k
}

func newKey(t *testing.T, alg jose.SignatureAlgorithm) (key crypto.Signer) {
	t.Helper()
	var err error
	switch alg {
	case jose.ES256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, key, err = ed25519.GenerateKey(rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func text(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
