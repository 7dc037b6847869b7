package dialect

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

const signedFile = `
language: 1
name: acme
level: account
pkce: optional
insecure_recoverable_client_secret: {because: "the old wire signs with it"}
tenant: account.handle
authorize:
  at: GET {tenant}.shops.example/authorize
  callback:
    allowed: {code: $code, host: "${account.handle}/admin", shop: $tenant, state: $state, timestamp: $now}
    failed: {error: $error, state: $state, timestamp: $now}
    sign: {as: hmac, with: sha256 hex, over: sorted query, key: client secret}
token: {at: POST /token}
revoke: {at: POST /revoke}
`

// The digest is over all parameters of the address but itself, sorted, as
// URL-encoded as they stand: what an app computes again of what it got.
func TestACallbackIsSignedWithTheAppsSecret(t *testing.T) {
	d, err := Library{}.Compile("acme.yaml", []byte(signedFile))
	if err != nil {
		t.Fatal(err)
	}
	if !d.Terms().SignsCallbacks || !d.Apps().RecoverableSecrets {
		t.Error("the engine and the registry do not know")
	}
	at := time.Unix(1337178173, 0)
	app := &postern.App{ID: "x"}
	allowed := d.Allowed(&oauth.Granted{To: "https://p.example/cb?z=1&a=2", Code: "c0de", State: "a&b=c d*~", App: app, Tenant: "fluff", At: at,
		Account: postern.Account{Handle: "fluff"}, Key: "hush"}, "https://auth.example")
	if !strings.HasPrefix(allowed, "https://p.example/cb?z=1&a=2&code=c0de&host=fluff%2Fadmin&shop=fluff&state=a%26b%3Dc%20d%2A~&timestamp=1337178173&hmac=") {
		t.Fatal(allowed)
	}
	u, err := url.Parse(allowed)
	if err != nil {
		t.Fatal(err)
	}
	got := u.Query()
	digest := got.Get("hmac")
	got.Del("hmac")
	message := strings.NewReplacer("+", "%20", "*", "%2A").Replace(got.Encode()) // sorted
	mac := hmac.New(sha256.New, []byte("hush"))
	mac.Write([]byte(message))
	if want := hex.EncodeToString(mac.Sum(nil)); digest != want {
		t.Errorf("%s is signed %s, want %s over %s", allowed, digest, want, message)
	}
}

func TestAKnownCallbackHasItsKnownDigest(t *testing.T) {
	const message = "code=0907a61c0c8d55e99db179b68161bc00&shop=some-shop.myshopify.com&timestamp=1337178173"
	g := &signature{as: "hmac", hash: sha256.New, encode: hex.EncodeToString}
	got := g.signed("https://p.example/?timestamp=1337178173&shop=some-shop.myshopify.com&code=0907a61c0c8d55e99db179b68161bc00", "hush")
	mac := hmac.New(sha256.New, []byte("hush"))
	mac.Write([]byte(message))
	if !strings.HasSuffix(got, "&hmac="+hex.EncodeToString(mac.Sum(nil))) {
		t.Error(got)
	}
	if unsigned := g.signed("https://p.example/?a=b", ""); unsigned != "https://p.example/?a=b" {
		t.Error(unsigned)
	}
}

func TestWhatCannotBeSignedIsRefused(t *testing.T) {
	for _, row := range []struct{ old, new, want string }{
		{`insecure_recoverable_client_secret: {because: "the old wire signs with it"}` + "\n", "", "insecure_recoverable_client_secret"},
		{"    sign: {as: hmac, with: sha256 hex, over: sorted query, key: client secret}\n", "", "nothing here needs it"},
		{"sha256 hex", "md5 hex", "no digest"},
		{"sha256 hex", "sha256", "no digest"},
		{"sorted query", "body", "cannot be signed here"},
		{"key: client secret", "key: password", "unknown key"},
		{"as: hmac", "as: state", "already"},
		{"as: hmac", `as: "a b"`, "is no name"},
	} {
		_, err := Library{}.Compile("acme.yaml", []byte(strings.Replace(signedFile, row.old, row.new, 1)))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.new, err)
		}
	}
}
