package jwks_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"postern.dev/postern/internal/jwks"
)

// pair is a key pair and the way it signs.
type pair struct {
	alg    jose.SignatureAlgorithm
	key    crypto.Signer
	kid    string
	public jose.JSONWebKey
}

func newPair(t testing.TB, alg jose.SignatureAlgorithm, kid string) *pair {
	t.Helper()
	var key crypto.Signer
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
	return &pair{alg, key, kid, jose.JSONWebKey{Key: key.Public(), KeyID: kid}}
}

func (p *pair) sign(t testing.TB, payload, kid string) string {
	t.Helper()
	options := (&jose.SignerOptions{}).WithType("JWT")
	if kid != "" {
		options.WithHeader("kid", kid)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: p.alg, Key: p.key}, options)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := s.Sign([]byte(payload))
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func setOf(t testing.TB, pairs ...*pair) []byte {
	t.Helper()
	var set jose.JSONWebKeySet
	for _, p := range pairs {
		set.Keys = append(set.Keys, p.public)
	}
	text, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func read(t *testing.T, text []byte) *jwks.Set {
	t.Helper()
	set, problems := jwks.Read(text)
	if problems != nil {
		t.Fatal(problems)
	}
	return set
}

func TestATextSignedInAnyOfTheWaysIsKnown(t *testing.T) {
	for _, alg := range []jose.SignatureAlgorithm{jose.ES256, jose.RS256, jose.PS256, jose.EdDSA} {
		mine, another := newPair(t, alg, "k1"), newPair(t, alg, "k2")
		set := read(t, setOf(t, another, mine))
		for _, kid := range []string{"k1", ""} {
			signed, err := set.Verify(mine.sign(t, `{"a":1}`, kid))
			if err != nil || string(signed.Payload) != `{"a":1}` || signed.Type != "JWT" {
				t.Errorf("%s with kid %q: %v, %v", alg, kid, signed, err)
			}
		}
		if _, err := set.Verify(mine.sign(t, "{}", "k2")); err == nil {
			t.Errorf("%s: signed with another key than kid names", alg)
		}
		if _, err := read(t, setOf(t, another)).Verify(mine.sign(t, "{}", "")); err == nil {
			t.Errorf("%s: signed with a key of nobody here", alg)
		}
	}
}

// The newer name of EdDSA is its own header, and so is signed as well.
func TestEd25519ByItsNewerName(t *testing.T) {
	mine := newPair(t, jose.EdDSA, "k1")
	head := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"Ed25519","kid":"k1"}`))
	body := head + "." + base64.RawURLEncoding.EncodeToString([]byte(`{"a":1}`))
	signature, err := mine.key.Sign(rand.Reader, []byte(body), crypto.Hash(0))
	if err != nil {
		t.Fatal(err)
	}
	set := read(t, setOf(t, mine))
	if signed, err := set.Verify(body + "." + base64.RawURLEncoding.EncodeToString(signature)); err != nil || string(signed.Payload) != `{"a":1}` {
		t.Errorf("%v, %v", signed, err)
	}
	signature[0] ^= 1
	if _, err := set.Verify(body + "." + base64.RawURLEncoding.EncodeToString(signature)); err == nil {
		t.Error("another signature is taken")
	}
	other := newPair(t, jose.RS256, "k1")
	if _, err := read(t, setOf(t, other)).Verify(body + "." + base64.RawURLEncoding.EncodeToString(signature)); err == nil {
		t.Error("an RSA key takes it")
	}
}

// The classic ways around a signature: none at all, the public key as a shared
// secret, a key that the text brings along, another algorithm than the key's.
func TestNoTextGetsAroundItsSignature(t *testing.T) {
	mine, thief := newPair(t, jose.RS256, "k1"), newPair(t, jose.ES256, "k1")
	text := setOf(t, mine)
	set := read(t, text)
	good := mine.sign(t, `{"a":1}`, "")
	head, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")

	none := "eyJhbGciOiJub25lIn0." + payload + "."
	hmac, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: text}, nil)
	if err != nil {
		t.Fatal(err)
	}
	shared, err := hmac.Sign([]byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	confused, _ := shared.CompactSerialize()
	embedding, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: thief.key}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	brought, err := embedding.Sign([]byte(`{"a":1}`))
	if err != nil {
		t.Fatal(err)
	}
	own, _ := brought.CompactSerialize()
	bound := mine.public
	bound.Algorithm = "PS256"
	only, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{bound}})
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no algorithm": none, "the public key as a secret": confused, "a key of its own": own,
		"no signature": head + "." + payload + ".", "another payload": head + ".e30." + signature,
		"two parts": head + "." + payload, "nothing": "", "no base64": "a.b.c", "JSON": `{"payload":"e30","signatures":[]}`,
	} {
		if _, err := set.Verify(text); err == nil {
			t.Errorf("%s: taken", name)
		}
	}
	if _, err := read(t, only).Verify(good); err == nil {
		t.Error("the key is for PS256, and this was RS256")
	}
}

func TestWhatIsWrongWithAKeyIsTold(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	other, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	good := newPair(t, jose.ES256, "k1")
	with := func(key any, more map[string]string) string {
		text, err := json.Marshal(jose.JSONWebKey{Key: key})
		if err != nil {
			t.Fatal(err)
		}
		members := map[string]any{}
		if err := json.Unmarshal(text, &members); err != nil {
			t.Fatal(err)
		}
		for name, value := range more {
			members[name] = value
		}
		text, _ = json.Marshal(members)
		return `{"keys":[` + string(text) + `]}`
	}
	for _, c := range []struct{ text, member, want string }{
		{"", "", "is no key set"},
		{`{"keys":[]}`, "", "is no key set"},
		{`{"keys":[` + strings.Repeat(`{},`, 10) + `{}]}`, "keys", "has 11 keys"},
		{`{"keys":[3]}`, "", "is no key;"},
		{`{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}`, "k", "part of a private key"},
		{with(good.key, nil), "d", "part of a private key"},
		{`{"keys":[{"kty":"oct"}]}`, "kty", "the kind of the key"},
		{`{"keys":[{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}]}`, "", "no public key that can be read"},
		{with(weak.Public(), nil), "n", "has 1024 bits"},
		{with(other.Public(), nil), "crv", "must be P-256"},
		{with(good.public.Key, map[string]string{"alg": "RS256"}), "alg", "does not fit"},
		{with(good.public.Key, map[string]string{"use": "enc"}), "use", "must be sig"},
		{string(setOf(t, good, good)), "kid", "another key of this app"},
	} {
		set, problems := jwks.Read([]byte(c.text))
		if set != nil || len(problems) == 0 || problems[0].Member != c.member || !strings.Contains(problems[0].Msg, c.want) {
			t.Errorf("%.80s: %v; want %q at %q", c.text, problems, c.want, c.member)
		}
	}
}

// FuzzVerify: no text that a stranger sends does harm, or is signed by chance.
func FuzzVerify(f *testing.F) {
	mine := newPair(f, jose.ES256, "k1")
	set, _ := jwks.Read(setOf(f, mine))
	good := mine.sign(f, `{"sub":"app"}`, "k1")
	f.Add(good)
	f.Add("eyJhbGciOiJub25lIn0.e30.")
	f.Add(`{"payload":"","protected":""}`)
	f.Fuzz(func(t *testing.T, text string) {
		jwks.Unverified(text)
		if signed, err := set.Verify(text); err == nil && string(signed.Payload) != `{"sub":"app"}` {
			t.Errorf("taken: %q", text)
		}
	})
}

// FuzzRead: no key set does harm.
func FuzzRead(f *testing.F) {
	f.Add(setOf(f, newPair(f, jose.ES256, "k1")))
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB","x5c":["AA"]}]}`))
	f.Add([]byte(`{"keys":[{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if set, problems := jwks.Read(text); (set == nil) != (len(problems) > 0) {
			t.Errorf("%v, %v", set, problems)
		}
	})
}
