package storetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

const (
	issuer   = "https://auth.test"
	endpoint = "https://auth.test/oauth/token"
)

// signer is an app's key pair, whose public half is registered.
type signer struct {
	w   *world
	key *ecdsa.PrivateKey
}

// signing gives an app a key; its secret goes.
func (w *world) signing(app string) *signer {
	w.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	w.ok(err)
	text, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "ES256"}}})
	w.ok(err)
	w.run(`UPDATE apps SET jwks = $1 WHERE id = $2`, string(text), app)
	w.run(`DELETE FROM app_secrets WHERE app_id = $1`, app)
	return &signer{w, key}
}

// assertion is a right one, but for the claims and the typ that a case changes;
// nil takes a claim out.
func (s *signer) assertion(app, typ string, change map[string]any) oauth.ClientAuth {
	s.w.Helper()
	jti, err := postern.NewID(rand.Reader, "jti_")
	s.w.ok(err)
	now := s.w.clock.Now()
	claims := map[string]any{"iss": app, "sub": app, "aud": issuer, "jti": jti, "iat": now.Unix(), "exp": now.Add(time.Minute).Unix()}
	maps.Copy(claims, change)
	maps.DeleteFunc(claims, func(_ string, v any) bool { return v == nil })
	payload, err := json.Marshal(claims)
	s.w.ok(err)
	options := &jose.SignerOptions{}
	if typ != "" {
		options = options.WithType(jose.ContentType(typ))
	}
	with, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: s.key}, options.WithHeader("kid", "k1"))
	s.w.ok(err)
	signed, err := with.Sign(payload)
	s.w.ok(err)
	text, err := signed.CompactSerialize()
	s.w.ok(err)
	return oauth.ClientAuth{ClientID: app, Assertion: postern.Secret(text), Audience: []string{issuer, endpoint}, Source: "192.0.2.1"}
}

func TestAnAppProvesItselfByWhatItSigned(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.signing("own")
		at := func(d time.Duration) int64 { return w.clock.Now().Add(d).Unix() }
		for name, c := range map[string]struct {
			typ    string
			change map[string]any
		}{
			"as most write it":                     {},
			"typ JWT":                              {typ: "JWT"},
			"typ of its own":                       {typ: "client-authentication+jwt"},
			"for the token endpoint":               {change: map[string]any{"aud": endpoint}},
			"for the issuer, as a list":            {change: map[string]any{"aud": []string{issuer}}},
			"for both":                             {change: map[string]any{"aud": []string{issuer, endpoint}}},
			"without iat":                          {change: map[string]any{"iat": nil}},
			"of a clock that is slow":              {change: map[string]any{"exp": at(-20 * time.Second)}},
			"of a clock that is fast":              {change: map[string]any{"iat": at(20 * time.Second), "nbf": at(20 * time.Second)}},
			"for an hour":                          {change: map[string]any{"exp": at(time.Hour)}},
			"with a fraction of a second":          {change: map[string]any{"exp": float64(at(time.Minute)) + 0.5}},
			"with claims that nobody here knows":   {change: map[string]any{"extra": map[string]any{"a": 1}}},
			"with an id that only means something": {change: map[string]any{"jti": strings.Repeat("é", 500)}},
		} {
			w.T.Run(name, func(t *testing.T) {
				if app, err := w.rules.Authenticate(w.ctx, rotating, s.assertion("own", c.typ, c.change)); err != nil || app.ID != "own" {
					t.Errorf("%v, %v", app, err)
				}
			})
		}
		unnamed := s.assertion("own", "", nil)
		unnamed.ClientID = ""
		if app, err := w.rules.Authenticate(w.ctx, rotating, unnamed); err != nil || app.ID != "own" {
			t.Errorf("without client_id: %v, %v", app, err)
		}
	})
}

func TestAnAssertionThatIsNotRightProvesNothing(t *testing.T) {
	everywhere(t, func(w *world) {
		s, thief := w.signing("own"), w.signing("whole")
		at := func(d time.Duration) int64 { return w.clock.Now().Add(d).Unix() }
		for name, c := range map[string]struct {
			typ    string
			change map[string]any
			want   string
		}{
			"iss of another app":           {change: map[string]any{"iss": "whole"}, want: "iss and sub"},
			"sub of another app":           {change: map[string]any{"sub": "whole"}, want: "iss and sub"},
			"no sub":                       {change: map[string]any{"sub": nil}, want: "iss and sub"},
			"for another server":           {change: map[string]any{"aud": "https://other.test"}, want: "aud"},
			"for another server as well":   {change: map[string]any{"aud": []string{issuer, "https://other.test"}}, want: "aud"},
			"for nobody":                   {change: map[string]any{"aud": nil}, want: "aud"},
			"for an empty list":            {change: map[string]any{"aud": []string{}}, want: "aud"},
			"for the issuer with a slash":  {change: map[string]any{"aud": issuer + "/"}, want: "aud"},
			"no jti":                       {change: map[string]any{"jti": nil}, want: "jti is missing"},
			"no exp":                       {change: map[string]any{"exp": nil}, want: "exp is missing"},
			"expired":                      {change: map[string]any{"exp": at(-31 * time.Second)}, want: "expired"},
			"expired long ago":             {change: map[string]any{"exp": -1e300}, want: "expired"},
			"good for a day":               {change: map[string]any{"exp": at(24 * time.Hour)}, want: "more than an hour"},
			"good for ever":                {change: map[string]any{"exp": 1e300}, want: "more than an hour"},
			"not yet good":                 {change: map[string]any{"nbf": at(time.Minute)}, want: "nbf"},
			"made tomorrow":                {change: map[string]any{"iat": at(24 * time.Hour)}, want: "iat"},
			"exp as a text":                {change: map[string]any{"exp": "soon"}, want: "claims"},
			"an access token of the app's": {typ: "at+jwt", want: "typ"},
		} {
			w.T.Run(name, func(t *testing.T) {
				_, err := w.rules.Authenticate(w.ctx, rotating, s.assertion("own", c.typ, c.change))
				if !postern.Is(err, postern.InvalidClient) || !strings.Contains(err.Error(), c.want) {
					t.Errorf("%v; want %q", err, c.want)
				}
			})
		}
		stolen := thief.assertion("own", "", nil) // signed with a key that is not the app's
		beside := s.assertion("own", "", nil)
		beside.Secret = secretText
		named := s.assertion("own", "", nil)
		named.ClientID = "whole"
		public := s.assertion("open", "", nil)
		keyless := s.assertion("other", "", nil)
		unknown := s.assertion("nobody", "", nil)
		garbage := oauth.ClientAuth{ClientID: "own", Assertion: "a.b.c", Audience: []string{issuer}, Source: "192.0.2.1"}
		said := map[string]bool{}
		for name, c := range map[string]oauth.ClientAuth{"stolen": stolen, "beside a secret": beside, "of another client_id": named,
			"of a public app": public, "of an app without keys": keyless, "of nobody": unknown, "garbage": garbage} {
			_, err := w.rules.Authenticate(w.ctx, rotating, c)
			e, ok := errors.AsType[*postern.Error](err)
			if !ok || !postern.Is(err, postern.InvalidClient) {
				t.Errorf("%s: %v", name, err)
				continue
			}
			said[e.Msg] = true
		}
		if len(said) != 1 {
			t.Errorf("what a stranger is told differs: %v", said)
		}
	})
}

// I-06 for assertions: one proves one request, whoever sends it again, until it
// has expired; then its row goes.
func TestAnAssertionProvesOneRequest(t *testing.T) {
	everywhere(t, func(w *world) {
		s := w.signing("own")
		c := s.assertion("own", "", map[string]any{"jti": "again"})
		var proved, refused atomic.Int32
		var all sync.WaitGroup
		for range 20 {
			all.Go(func() {
				_, err := w.rules.Authenticate(w.ctx, rotating, c)
				switch {
				case err == nil:
					proved.Add(1)
				case postern.Is(err, postern.InvalidClient) && strings.Contains(err.Error(), "used before"):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if proved.Load() != 1 || refused.Load() != 19 {
			t.Errorf("%d proved, %d refused", proved.Load(), refused.Load())
		}
		other := w.signing("whole")
		if _, err := w.rules.Authenticate(w.ctx, rotating, other.assertion("whole", "", map[string]any{"jti": "again"})); err != nil {
			t.Errorf("another app's jti is its own affair: %v", err)
		}
		w.sweepAll()
		if n := w.count(`SELECT count(*) FROM assertions`); n != 2 {
			t.Errorf("%d rows before they expired", n)
		}
		w.clock.Advance(2 * time.Minute)
		w.sweepAll()
		if n := w.count(`SELECT count(*) FROM assertions`); n != 0 {
			t.Errorf("%d rows after they expired", n)
		}
	})
}

func (w *world) sweepAll() {
	w.Helper()
	_, err := w.db.Sweep(w.ctx, w.clock.Now(), 100)
	w.ok(err)
}

// A wrong assertion touches no code; a right one is as good as a secret, also for
// refresh, introspection and revocation.
func TestAnAssertionIsAsGoodAsASecret(t *testing.T) {
	everywhere(t, func(w *world) {
		s, thief := w.signing("own"), w.signing("whole")
		q := redeeming(rotating, "own", w.approve(rotating, "own", "ada", "acme", "read"))
		q.Client = thief.assertion("own", "", nil)
		_, err := w.rules.Redeem(w.ctx, q)
		w.wants(err, postern.InvalidClient)
		q.Client = client("own") // its secret is gone
		_, err = w.rules.Redeem(w.ctx, q)
		w.wants(err, postern.InvalidClient)
		q.Client = s.assertion("own", "", nil)
		i, err := w.rules.Redeem(w.ctx, q)
		w.ok(err)
		again, err := w.rules.Refresh(w.ctx, &oauth.Refresh{Terms: rotating, Client: s.assertion("own", "", nil), RefreshToken: i.RefreshToken})
		w.ok(err)
		told, err := w.rules.Introspect(w.ctx, &oauth.Introspect{Terms: rotating, Client: s.assertion("own", "", nil), Token: again.AccessToken})
		if err != nil || told == nil {
			t.Fatalf("%v, %v", told, err)
		}
		_, err = w.rules.Revoke(w.ctx, &oauth.Revoke{Terms: rotating, Client: s.assertion("own", "", nil), Token: again.RefreshToken})
		w.ok(err)
		w.dead(rotating, again.AccessToken)

		bare := *rotating
		bare.RefreshWithoutSecret = true
		i = func() *oauth.Issued {
			q := redeeming(&bare, "own", w.approve(&bare, "own", "ada", "acme", "read"))
			q.Client = s.assertion("own", "", nil)
			i, err := w.rules.Redeem(w.ctx, q)
			w.ok(err)
			return i
		}()
		_, err = w.rules.Refresh(w.ctx, &oauth.Refresh{Terms: &bare, Client: thief.assertion("own", "", nil), RefreshToken: i.RefreshToken})
		w.wants(err, postern.InvalidClient) // who shows a proof is held to it
	})
}
