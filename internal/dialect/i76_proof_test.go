package dialect_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"

	"postern.dev/postern/internal/dialect"
)

// What apps sign to prove themselves (private_key_jwt), and what is tried with it.

// keyPair is a key with its public half as an app registers it.
type keyPair struct {
	signer jose.Signer
	public string
}

// keyOf is the key of an app; all apps of a kind have the same, so that only what
// they say in it tells them apart.
func keyOf(app string) *keyPair { return keysByKind[app[:1]]() }

var keysByKind = map[string]func() *keyPair{"a": sync.OnceValue(newKeyPair), "b": sync.OnceValue(newKeyPair), "p": sync.OnceValue(newKeyPair)}

func newKeyPair() *keyPair {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "k1"))
	if err != nil {
		panic(err)
	}
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256"}}})
	if err != nil {
		panic(err)
	}
	return &keyPair{signer, string(public)}
}

// made counts assertions, so that each has an id of its own.
var made atomic.Int64

// signs makes an app's assertions, right ones but for the claims that a case
// changes; nil takes a claim out.
func (w *wires) signs(app string, key *keyPair, change map[string]any) func() string {
	issuer := w.wire.Issuer(w.door.Issuer)
	return func() string {
		now := w.clock.Now()
		claims := map[string]any{"iss": app, "sub": app, "aud": issuer, "jti": fmt.Sprint(made.Add(1)), "exp": now.Add(time.Minute).Unix()}
		maps.Copy(claims, change)
		maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
		payload, err := json.Marshal(claims)
		w.ok(err)
		signed, err := key.signer.Sign(payload)
		w.ok(err)
		text, err := signed.CompactSerialize()
		w.ok(err)
		return text
	}
}

// impostor speaks as an app and has neither its secret nor its key.
func (w *wires) impostor(s *dialect.Speaker) *dialect.Speaker {
	other := *s
	if w.d.signs {
		other.Sign = w.signs(s.ClientID, keyOf("b-"), nil)
		if strings.HasPrefix(s.ClientID, "b-") {
			other.Sign = w.signs(s.ClientID, keyOf("a-"), nil)
		}
	} else {
		other.ClientSecret = "wrong-wrong-wrong-wrong"
	}
	return &other
}

// proofs: what an app signed proves one request, of that app alone, here, now,
// and with nothing beside it; what proves nothing leaves the code to its owner.
func (w *wires) proofs(a *dialect.Speaker, extra []string) {
	if !w.wire.TakesAssertions() {
		return
	}
	by := func(key *keyPair, change map[string]any) *dialect.Speaker {
		s := *a
		s.ClientSecret, s.Sign = "", w.signs(a.ClientID, key, change)
		return &s
	}
	own, other := keyOf("a-"), keyOf("b-")
	here, at := w.wire.Issuer(w.door.Issuer), func(d time.Duration) int64 { return w.clock.Now().Add(d).Unix() }
	code := w.ask(a, challenge, extra...)
	for why, s := range map[string]*dialect.Speaker{
		"another app's key":               by(other, nil),
		"another app's proof":             by(other, map[string]any{"iss": "b-" + w.d.name, "sub": "b-" + w.d.name}),
		"another app's name":              by(own, map[string]any{"iss": "b-" + w.d.name, "sub": "b-" + w.d.name}),
		"a proof for another wire":        by(own, map[string]any{"aud": w.other.Issuer(w.door.Issuer)}),
		"a proof for others as well":      by(own, map[string]any{"aud": []string{here, "https://evil.test"}}),
		"a proof for nobody":              by(own, map[string]any{"aud": nil}),
		"a proof that has expired":        by(own, map[string]any{"exp": at(-time.Minute)}),
		"a proof that is good for ever":   by(own, map[string]any{"exp": nil}),
		"a proof for a day":               by(own, map[string]any{"exp": at(24 * time.Hour)}),
		"a proof that cannot be told":     by(own, map[string]any{"jti": nil}),
		"a proof whose time is to come":   by(own, map[string]any{"nbf": at(time.Hour)}),
		"a name and nothing to prove it":  {Dialect: a.Dialect, Server: a.Server, ClientID: a.ClientID, RedirectURL: a.RedirectURL, Tenant: a.Tenant},
		"a proof without its signature":   w.altered(by(own, nil), func(s string) string { return s[:strings.LastIndexByte(s, '.')+1] }),
		"a proof with a word of its own":  w.altered(by(own, nil), func(s string) string { return strings.Replace(s, ".", ".e30", 1) }),
		"a proof that is not one":         w.altered(by(own, nil), func(string) string { return hostile }),
		"a proof, and a secret beside it": w.besideSecret(by(own, nil)),
	} {
		if s != nil && w.redeem(s, code, verifier) != nil {
			w.Errorf("%s redeems the code", why)
		}
	}
	once := by(own, nil).Sign()
	again := w.altered(by(own, nil), func(string) string { return once })
	if w.redeem(again, code, verifier) == nil {
		w.Fatal("an app that proves itself by what it signed is refused, or others took its code")
	}
	code = w.ask(a, challenge, extra...)
	if w.redeem(again, code, verifier) != nil {
		w.Error("a proof is good twice")
	}
	if w.redeem(by(own, nil), code, verifier) == nil {
		w.Error("a proof that was used before took the code from its owner")
	}
}

// altered shows something else than what it signs.
func (w *wires) altered(s *dialect.Speaker, change func(string) string) *dialect.Speaker {
	sign := s.Sign
	s.Sign = func() string { return change(sign()) }
	return s
}

// besideSecret shows the secret too; nil where the wire reads none.
func (w *wires) besideSecret(s *dialect.Speaker) *dialect.Speaker {
	if strings.Contains(w.text, "client_secret: none") {
		return nil
	}
	s.ClientSecret = string(secretOf(s.ClientID))
	return s
}
