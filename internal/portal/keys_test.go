package portal_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
)

var clientSecret = regexp.MustCompile(`pos_[A-Za-z0-9]{49}`)

func TestPA04_ASecretIsShownOnceAndRotatedWithoutDowntime(t *testing.T) {
	engines.Each(t, secretIsRotated)
}

func secretIsRotated(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	b := s.Portal(posterntest.Coder)
	app := made(t, s, b, "Night Sync")
	keys := b.Get(app+"/keys").Wants(t, 200, "There is no secret yet")
	const proposed = `value="default"`
	if !strings.Contains(keys.Body, proposed) {
		t.Error("the first secret has no name")
	}
	shown := b.Press(keys, "Make the secret", "name", "production").Wants(t, 200, "It is not shown again")
	first := clientSecret.FindString(shown.Body)
	if first == "" {
		t.Fatalf("no secret on the page: %s", shown.Text())
	}
	if got := shown.Header.Get("Cache-Control"); got != "no-store" {
		t.Errorf("the secret's page may be kept: %q", got)
	}
	// Loaded again, the browser sends the form again.
	form := keys.Forms()[len(keys.Forms())-2]
	for _, f := range keys.Forms() {
		if strings.HasSuffix(f.Action, "/keys") {
			form = f
		}
	}
	form.Fields.Set("name", "production")
	again := b.Post(app+"/keys", form.Fields).Wants(t, 200, "That form was sent before")
	for _, page := range []*posterntest.Page{again, b.Get(app + "/keys"), b.Get(app), b.Get(app + "/settings"), b.Get("/portal")} {
		if strings.Contains(page.Body, first) {
			t.Errorf("%s shows the secret", page.URL)
		}
	}
	if strings.Contains(b.Get(app+"/keys").Body, proposed) {
		t.Error("a second secret has a name that may be the first one's")
	}
	b.Get(app+"/keys").Wants(t, 200, "…"+first[len(first)-4:], "production", "Programs that use it then are refused.")

	second := clientSecret.FindString(b.Press(b.Get(app+"/keys"), "Make the secret", "name", "next", "overlap", "1h").Wants(t, 200).Body)
	b.Get(app+"/keys").Wants(t, 200, "Two secrets are valid")
	client := posterntest.App{ID: strings.TrimPrefix(app, "/portal/apps/"), RedirectURL: "https://partner.test/cb", Dialect: "standard"}
	proves := func(secret string) bool {
		client.Secret = secret
		return s.Redeem(client, strings.Repeat("a", 64)).Field("error") != "invalid_client"
	}
	if !proves(first) || !proves(second) {
		t.Error("during the overlap both prove the app")
	}
	s.Clock.Advance(time.Hour + time.Second)
	if proves(first) || !proves(second) {
		t.Error("after the overlap the new one alone proves the app")
	}
	b.Get(app+"/keys").Wants(t, 200, "ended")
}

// What a program signs is taken once its public key is registered, as long as it is.
func TestAPublicKeyIsRegisteredReplacedAndRemoved(t *testing.T) {
	engines.Each(t, publicKeyIsRegistered)
}

func publicKeyIsRegistered(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	b := s.Portal(posterntest.Coder)
	app := made(t, s, b, "Night Sync")
	id, one, two := strings.TrimPrefix(app, "/portal/apps/"), newKey(t, "one"), newKey(t, "two")
	asks := func(k jose.JSONWebKey) string {
		t.Helper()
		return s.Send(posterntest.PostForm("/oauth/token", "grant_type", "refresh_token", "refresh_token", "none", "client_id", id,
			"client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer", "client_assertion", signed(t, s, id, k))).Field("error")
	}
	wants := func(what string, first, second string) {
		t.Helper()
		if a, b := asks(one), asks(two); a != first || b != second {
			t.Errorf("%s: %s, %s", what, a, b)
		}
	}
	const proved, unproved = "invalid_grant", "invalid_client"

	page := b.Get(app+"/keys").Wants(t, 200, "Public keys", "private_key_jwt")
	private := string(must(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{one}})))
	wrong := b.Press(page, "Register keys", "jwks", private).Wants(t, 200, "Key 1: its member d is part of a private key")
	if got := wrong.Forms(); !slices.ContainsFunc(got, func(f *posterntest.Form) bool { return f.Fields.Get("jwks") == private }) {
		t.Error("what was pasted is gone")
	}
	b.Press(b.Get(app+"/keys"), "Register keys", "jwks", keySet(one)).Wants(t, 200, "The keys are registered", "one", "EC P-256")
	wants("with the first", proved, unproved)
	b.Press(b.Get(app+"/keys"), "Replace the keys", "jwks", keySet(two)).Wants(t, 200, "two")
	wants("with the second in its place", unproved, proved)
	ask := b.Get(app+"/keys/set/remove").Wants(t, 200, "Remove the public keys of Night Sync?", "has no client secret either")
	b.Press(ask, "Remove them").Wants(t, 200, "The keys are removed")
	wants("without keys", unproved, unproved)

	s.Clock.Advance(time.Hour)
	later := b.Get(app+"/keys").Wants(t, 200, "You are asked for your password first")
	b.Press(later, "Register keys").Wants(t, 200, "Your password, once more")
	b.Post(app+"/keys/set", url.Values{"form_token": {"forged"}, "jwks": {keySet(one)}}).Wants(t, 403)
	// A large one waits for the password, too.
	large := strings.Replace(keySet(one), "{", "{"+strings.Repeat(" ", 20<<10), 1)
	asked := b.Press(b.Get(app+"/keys"), "Register keys", "jwks", large).Wants(t, 200, "Your password, once more")
	b.SignIn(asked, posterntest.Coder, posterntest.Password).Wants(t, 200, "The keys are registered", "one")
	// Of a dialect that has no place for a signed text, nothing is said of keys.
	if s.Portal(posterntest.Dev).Get("/portal/apps/" + posterntest.Xref.ID + "/keys").Has("Public keys") {
		t.Error("an app of xref is offered keys")
	}
}

func newKey(t *testing.T, id string) jose.JSONWebKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return jose.JSONWebKey{Key: key, KeyID: id}
}

func keySet(k jose.JSONWebKey) string {
	return string(must(json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{k.Public()}})))
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// signed is a client assertion (RFC 7523).
func signed(t *testing.T, s *posterntest.Postern, client string, key jose.JSONWebKey) string {
	t.Helper()
	signer := must(jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, nil))
	claims := map[string]any{"iss": client, "sub": client, "aud": s.URL, "jti": rand.Text(), "exp": s.Clock.Now().Add(time.Minute).Unix()}
	text, err := must(signer.Sign(must(json.Marshal(claims)))).CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestPA05_AnOldSignInMakesNoKeys(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	app := made(t, s, b, "Night Sync")
	s.Clock.Advance(time.Hour)
	keys := b.Get(app+"/keys").Wants(t, 200, "You are asked for your password first")
	asked := b.Press(keys, "Make the secret", "name", "night & <day>").Wants(t, 200, "Your password, once more")
	if clientSecret.MatchString(asked.Body) {
		t.Fatalf("a stale session got a secret: %s", asked.Text())
	}
	again := b.SignIn(asked, posterntest.Dev, "wrong").Wants(t, 200, "Your password, once more", "is not right")
	shown := b.SignIn(again, posterntest.Dev, posterntest.Password).Wants(t, 200, "It is not shown again", "night & <day>")
	if !clientSecret.MatchString(shown.Body) || shown.URL.Path != app+"/keys" {
		t.Errorf("%s shows no secret: %s", shown.URL, shown.Text())
	}
	// The page that asked makes no second one.
	b.SignIn(again, posterntest.Dev, posterntest.Password).Wants(t, 200, "That form was sent before")
}

func TestTheWebhookKeyIsShownOnceAndNotRotatedTwiceByOneForm(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	app := made(t, s, b, "Night Sync")
	b.Get(app+"/keys").Wants(t, 200, "no webhook address")
	b.Press(b.Get(app+"/settings"), "Save", "webhook_url", "https://partner.test/hook").Wants(t, 200, "Saved")
	keys := b.Get(app + "/keys")
	shown := b.Press(keys, "New webhook key", "overlap", "1h").Wants(t, 200, "Your new webhook key", "The key before it signs as well")
	if strings.Index(shown.Body, "Your new webhook key") > strings.Index(shown.Body, "Client secrets") {
		t.Error("what is shown once stands below the fold")
	}
	if !strings.Contains(shown.Body, "whsec_") {
		t.Error("no key on the page")
	}
	b.Press(keys, "New webhook key", "overlap", "1h").Wants(t, http.StatusForbidden)
	key := regexp.MustCompile(`whsec_[A-Za-z0-9+/]+=*`).FindString(shown.Text())
	again := b.Get(app+"/keys").Wants(t, 200, "a receiver that knows no other refuses what we send", "It ends with …"+key[len(key)-4:], "that older key ends at once")
	if strings.Contains(again.Body, "whsec_") {
		t.Error("the key is shown again")
	}
}
