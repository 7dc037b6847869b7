package storetest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"strings"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/signing"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
)

// sealer is one secret key for all nodes of a test.
type sealer struct{ vault *vault.Vault }

func newSealer() sealer { return sealer{vault.New(vault.Key{1}, rand.Reader)} }

func (s sealer) Seal(table, row, column string, plain []byte) ([]byte, error) {
	return s.vault.Seal(plain, vault.Place{Table: table, Row: row, Column: column})
}

func (s sealer) Open(table, row, column string, sealed []byte) ([]byte, error) {
	return s.vault.Open(sealed, vault.Place{Table: table, Row: row, Column: column})
}

const keyAge = 90 * 24 * time.Hour

func (w *world) keys(db *store.DB, s sealer) *signing.Rules {
	return &signing.Rules{Store: db, Sealer: s, Now: w.clock.Now, Random: rand.Reader, Age: keyAge, TokenLife: oauth.LongestSigned}
}

func (w *world) signs(r *signing.Rules) string {
	w.Helper()
	s, err := r.Signer(w.ctx)
	w.ok(err)
	return s.Key
}

func (w *world) published(r *signing.Rules) []string {
	w.Helper()
	text, err := r.Set(w.ctx)
	w.ok(err)
	var set struct {
		Keys []map[string]string `json:"keys"`
	}
	w.ok(json.Unmarshal(text, &set))
	var ids []string
	for _, k := range set.Keys {
		if k["d"] != "" || k["kty"] != "EC" || k["use"] != "sig" || k["alg"] != "ES256" {
			w.Fatalf("a key is published as %v", k)
		}
		ids = append(ids, k["kid"])
	}
	return ids
}

func TestOfManyNodesThatNeedAFirstKeyOneMakesIt(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		w := newWorld(t, database)
		const nodes = 8
		s, ids := newSealer(), make([]string, nodes)
		var all sync.WaitGroup
		for i := range nodes {
			db, err := store.Open(w.ctx, database)
			w.ok(err)
			t.Cleanup(func() { db.Close() })
			all.Go(func() {
				if signer, err := w.keys(db, s).Signer(w.ctx); err == nil {
					ids[i] = signer.Key
				}
			})
		}
		all.Wait()
		for i, id := range ids {
			if id == "" || id != ids[0] {
				t.Errorf("node %d signs with %q, the first one with %q", i, id, ids[0])
			}
		}
		if n := w.count(`SELECT count(*) FROM signing_keys`); n != 1 {
			t.Errorf("there are %d keys", n)
		}
		if n := w.count(`SELECT count(*) FROM audit WHERE action = 'key.made'`); n != 1 {
			t.Errorf("%d keys are in the audit log", n)
		}
	})
}

func TestAKeyIsPublishedBeforeItSignsAndAsLongAsATokenOfItMayLive(t *testing.T) {
	everywhere(t, func(w *world) {
		r := w.keys(w.db, newSealer())
		first := w.published(r)[0] // asked for the set, it makes a key: nobody keeps an empty one
		next, err := r.Rotate(w.ctx, "operator", false)
		w.ok(err)
		if w.signs(r) != first || len(w.published(r)) != 2 {
			w.Fatal("the next key signs already, or is not published")
		}
		w.clock.Advance(signing.Lead)
		if w.signs(r) != next.ID {
			w.Fatal("the next key does not sign")
		}
		w.clock.Advance(oauth.LongestSigned)
		if len(w.published(r)) != 2 {
			w.Fatal("the old key left while a token that it signed may live")
		}
		w.clock.Advance(15 * time.Minute)
		if ids := w.published(r); len(ids) != 1 || ids[0] != next.ID {
			w.Fatalf("published are %v", ids)
		}
		if _, err := r.SignerOf(w.ctx, first); !postern.Is(err, postern.NotFound) {
			w.Fatalf("the old key signs: %v", err)
		}
		_, err = r.Tend(w.ctx)
		w.ok(err)
		if w.count(`SELECT count(*) FROM signing_keys`) != 1 {
			w.Fatal("the old key's row stays")
		}
	})
}

func TestARetiredKeyIsGoneAtOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		s := newSealer()
		here, there := w.keys(w.db, s), w.keys(w.db, s)
		first := w.signs(here)
		if w.signs(there) != first {
			w.Fatal("nodes sign with different keys")
		}
		pending, err := here.Rotate(w.ctx, "operator", false)
		w.ok(err)
		fresh, err := here.Rotate(w.ctx, "operator", true)
		w.ok(err)
		if w.signs(here) != fresh.ID {
			w.Fatal("the new key does not sign")
		}
		if ids := w.published(here); len(ids) != 1 || ids[0] != fresh.ID {
			w.Fatalf("published are %v beside %s and %s", ids, first, pending.ID)
		}
		w.clock.Advance(5 * time.Second) // what another node may not have heard of
		if w.signs(there) != fresh.ID || len(w.published(there)) != 1 {
			w.Fatal("another node still has the retired key")
		}
	})
}

func TestAKeyGrowsOldOnceForAllNodes(t *testing.T) {
	everywhere(t, func(w *world) {
		s := newSealer()
		here, there := w.keys(w.db, s), w.keys(w.db, s)
		if _, err := here.Tend(w.ctx); err != nil || w.count(`SELECT count(*) FROM signing_keys`) != 0 {
			w.Fatalf("an installation that needs no key got one: %v", err)
		}
		first := w.signs(here)
		w.clock.Advance(keyAge - signing.Lead)
		for range 2 {
			_, err := here.Tend(w.ctx)
			w.ok(err)
			_, err = there.Tend(w.ctx)
			w.ok(err)
		}
		if w.count(`SELECT count(*) FROM signing_keys`) != 2 || w.signs(there) != first {
			w.Fatal("there is not one next key, or it signs already")
		}
		w.clock.Advance(signing.Lead)
		if w.signs(here) == first || w.signs(there) != w.signs(here) {
			w.Fatal("the next key does not sign everywhere")
		}
	})
}

func TestAPrivateKeyRestsSealedInItsRow(t *testing.T) {
	everywhere(t, func(w *world) {
		w.signs(w.keys(w.db, newSealer()))
		other := sealer{vault.New(vault.Key{2}, rand.Reader)}
		if _, err := w.keys(w.db, other).Signer(w.ctx); err == nil {
			w.Fatal("a node with another secret key signs")
		}
		w.run(`UPDATE signing_keys SET id = 'moved'`)
		if _, err := w.keys(w.db, newSealer()).Signer(w.ctx); err == nil {
			w.Fatal("a key opens under another name")
		}
	})
}

// signedTerms are terms under which apps may have signed tokens.
var signedTerms = func() *oauth.Terms {
	t := *rotating
	t.Access.Signed = true
	return &t
}()

// signed has every app get signed tokens.
func (w *world) signed(apis ...string) *signing.Rules {
	w.Helper()
	r := w.keys(w.db, newSealer())
	w.rules.Signed = &oauth.Signed{Keys: r, Issuer: func(dialect string) string { return "https://connect.test/" + dialect }}
	w.run(`UPDATE apps SET access_token_format = 'jwt'`)
	for _, id := range apis {
		w.run(`INSERT INTO apis (id, name, secret_hash, created_at) VALUES ($1, $1, $2, 1)`, id, make([]byte, 32))
	}
	return r
}

// read checks a token as RFC 7515 §5.2 has it, with nothing but the key set.
func (w *world) read(r *signing.Rules, token postern.Secret) map[string]any {
	w.Helper()
	parts := strings.Split(string(token), ".")
	if len(parts) != 3 {
		w.Fatalf("this is no signed token: %d parts", len(parts))
	}
	var header map[string]string
	var said map[string]any
	var set struct{ Keys []map[string]string }
	text, err := r.Set(w.ctx)
	w.ok(err)
	w.ok(json.Unmarshal(text, &set))
	w.ok(json.Unmarshal(w.decode(parts[0]), &header))
	w.ok(json.Unmarshal(w.decode(parts[1]), &said))
	if len(header) != 3 || header["typ"] != "at+jwt" || header["alg"] != "ES256" {
		w.Fatalf("its header is %v", header)
	}
	for _, k := range set.Keys {
		if k["kid"] != header["kid"] {
			continue
		}
		public := &ecdsa.PublicKey{Curve: elliptic.P256(), X: new(big.Int).SetBytes(w.decode(k["x"])), Y: new(big.Int).SetBytes(w.decode(k["y"]))}
		digest, mark := sha256.Sum256([]byte(parts[0]+"."+parts[1])), w.decode(parts[2])
		if len(mark) != 64 || !ecdsa.Verify(public, digest[:], new(big.Int).SetBytes(mark[:32]), new(big.Int).SetBytes(mark[32:])) {
			w.Fatal("its signature is wrong")
		}
		return said
	}
	w.Fatalf("the key %s is not in the set", header["kid"])
	return nil
}

func (w *world) decode(text string) []byte {
	w.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	w.ok(err)
	return b
}

func TestASignedTokenSaysWhatItStandsFor(t *testing.T) {
	everywhere(t, func(w *world) {
		keys := w.signed("api-main")
		first := w.connect(signedTerms, "whole", "ada", "acme", "read", "write")
		said := w.read(keys, first.AccessToken)
		now := w.clock.Now().Unix()
		for claim, want := range map[string]any{
			"iss": "https://connect.test/rotating", "sub": "acme", "aud": "api-main", "client_id": "whole", "scope": "read write",
			"iat": float64(now), "exp": float64(now + 3600), "account_id": "acme", "user_id": nil, "connection_id": first.ConnectionID,
		} {
			if said[claim] != want {
				w.Errorf("%s is %v, want %v", claim, said[claim], want)
			}
		}
		second := w.connect(signedTerms, "whole", "bob", "acme", "read", "write")
		again := w.read(keys, second.AccessToken)
		if second.ConnectionID != first.ConnectionID || again["connection_id"] != first.ConnectionID || again["jti"] == said["jti"] {
			w.Errorf("a second approval joins %s and says %v", second.ConnectionID, again)
		}
		own := w.connect(signedTerms, "own", "ada", "acme", "read")
		if said = w.read(keys, own.AccessToken); said["sub"] != "ada" || said["user_id"] != "ada" || said["account_id"] != "acme" {
			w.Errorf("of a person it says %v", said)
		}
		itself, err := w.rules.ClientCredentials(w.ctx, &oauth.ClientCredentials{Terms: signedTerms, Client: client("whole"), Scopes: []string{"read"}})
		w.ok(err)
		if said = w.read(keys, itself.AccessToken); said["sub"] != "whole" || said["account_id"] != nil || said["connection_id"] != nil {
			w.Errorf("of the app itself it says %v", said)
		}
	})
}

func TestTheAudienceIsWhoMayAsk(t *testing.T) {
	everywhere(t, func(w *world) {
		keys := w.signed()
		aud := func() any {
			w.Helper()
			w.clock.Advance(5 * time.Second)
			return w.read(keys, w.connect(signedTerms, "whole", "ada", "acme", "read").AccessToken)["aud"]
		}
		if got := aud(); got != "https://connect.test/rotating" {
			w.Errorf("without APIs it is for %v", got)
		}
		w.signed("b", "a")
		w.run(`INSERT INTO apis (id, name, secret_hash, disabled, created_at) VALUES ('off', 'off', $1, TRUE, 1)`, make([]byte, 32))
		keys = w.rules.Signed.Keys.(*signing.Rules)
		if got, ok := aud().([]any); !ok || len(got) != 2 || got[0] != "a" || got[1] != "b" {
			w.Errorf("with two APIs it is for %v", got)
		}
	})
}

func TestASignedTokenIsOneOfOurs(t *testing.T) {
	everywhere(t, func(w *world) {
		w.signed("api-main")
		i := w.connect(signedTerms, "whole", "ada", "acme", "read")
		w.lives(signedTerms, i.AccessToken)
		forged := i.AccessToken[:len(i.AccessToken)-1] + "A"
		if forged == i.AccessToken {
			forged = i.AccessToken[:len(i.AccessToken)-1] + "Q"
		}
		w.dead(signedTerms, forged)
		_, err := w.rules.Check(w.ctx, "plain", i.AccessToken)
		w.wants(err, postern.InvalidToken)
		hash := i.AccessToken.Hash()
		if w.count(`SELECT count(*) FROM tokens WHERE hash = $1 AND kind = 'access'`, hash[:]) != 1 {
			w.Error("the row does not have its hash")
		}
		_, err = w.db.Disconnect(w.ctx, i.ConnectionID, postern.EndedByAccount, "user:ada", w.clock.Now())
		w.ok(err)
		w.dead(signedTerms, i.AccessToken)
		old := w.connect(signedTerms, "whole", "ada", "acme", "read")
		w.clock.Advance(time.Hour)
		w.dead(signedTerms, old.AccessToken)
	})
}

func TestARetryGetsTheSameSignedTokenByteForByte(t *testing.T) {
	everywhere(t, func(w *world) {
		keys := w.signed("api-main")
		i := w.connect(signedTerms, "whole", "ada", "acme", "read", "write")
		w.clock.Advance(1234 * time.Millisecond)
		first, err := w.refresh(signedTerms, "whole", i.RefreshToken)
		w.ok(err)
		w.read(keys, first.AccessToken)
		w.clock.Advance(7 * time.Second)
		w.run(`UPDATE apis SET disabled = TRUE`) // what changed since is not said
		_, err = keys.Rotate(w.ctx, "operator", false)
		w.ok(err)
		w.rules.Signed.Keys = w.keys(w.db, newSealer()) // another node
		again, err := w.refresh(signedTerms, "whole", i.RefreshToken)
		w.ok(err)
		if again.AccessToken != first.AccessToken || again.RefreshToken != first.RefreshToken || !again.ExpiresAt.Equal(first.ExpiresAt) ||
			!again.IssuedAt.Equal(first.IssuedAt) || strings.Join(again.Scopes, " ") != strings.Join(first.Scopes, " ") {
			w.Fatalf("a retry got another answer: %+v, at first %+v", again, first)
		}
		w.lives(signedTerms, again.AccessToken)
		w.run(`UPDATE apps SET access_token_format = ''`) // from now on opaque; this answer was signed
		again, err = w.refresh(signedTerms, "whole", i.RefreshToken)
		w.ok(err)
		if again.AccessToken != first.AccessToken {
			w.Fatal("a retry got a token of another format")
		}
	})
}

func TestARetryAfterItsKeyWasRetiredGetsAnotherTokenAndBreaksNothing(t *testing.T) {
	everywhere(t, func(w *world) {
		keys := w.signed("api-main")
		for _, app := range []string{"whole", "open"} {
			i := w.connectAs(app)
			first, err := w.refresh(signedTerms, app, i.RefreshToken)
			w.ok(err)
			_, err = keys.Rotate(w.ctx, "operator", true)
			w.ok(err)
			second, err := w.refresh(signedTerms, app, i.RefreshToken)
			w.ok(err)
			if second.AccessToken == first.AccessToken || second.RefreshToken == first.RefreshToken {
				w.Fatal("it is the same answer, by a key that may be known to others")
			}
			w.read(keys, second.AccessToken)
			third, err := w.refresh(signedTerms, app, second.RefreshToken)
			w.ok(err)
			w.lives(signedTerms, third.AccessToken)
		}
	})
}

// connectAs connects an app, also the public one.
func (w *world) connectAs(app string) *oauth.Issued {
	w.Helper()
	if app != "open" {
		return w.connect(signedTerms, app, "ada", "acme", "read")
	}
	verifier := strings.Repeat("v", 43)
	digest := sha256.Sum256([]byte(verifier))
	a := asking(signedTerms, app, "read")
	a.Challenge, a.ChallengeMethod = base64.RawURLEncoding.EncodeToString(digest[:]), "S256"
	g, err := w.decide(signedTerms, w.ask(a), "ada", "acme", true)
	w.ok(err)
	q := redeeming(signedTerms, app, g.Code)
	q.Client.Secret, q.Verifier, q.SentVerifier, q.MaxVerifier = "", verifier, true, 128
	i, err := w.rules.Redeem(w.ctx, q)
	w.ok(err)
	return i
}

func TestASignedTokenNeverLivesLongerThanAnHour(t *testing.T) {
	everywhere(t, func(w *world) {
		keys := w.signed("api-main")
		for _, life := range []time.Duration{0, 8 * time.Hour} {
			terms := *signedTerms
			terms.Access.Life = life
			i := w.connect(&terms, "whole", "ada", "acme", "read")
			said := w.read(keys, i.AccessToken)
			if said["exp"].(float64)-said["iat"].(float64) != 3600 || !i.ExpiresAt.Equal(w.clock.Now().Add(time.Hour)) {
				w.Errorf("where tokens live %s it says %v", life, said)
			}
		}
	})
}
