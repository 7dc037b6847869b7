// Package jwks reads the public keys by which apps prove themselves (a JSON Web
// Key Set, RFC 7517), and holds signed texts against them.
//
// It belongs to the ground: it knows keys and signatures, not what a signed text
// says or what follows from it.
package jwks

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
)

// Algorithms are the ways to sign that are accepted (RFC 7518 §3.1, RFC 8037):
// all with a key pair, so that nothing that is kept here could sign. Ed25519 is
// EdDSA under the name that RFC 9864 gave it.
var Algorithms = []string{"ES256", "RS256", "EdDSA", "Ed25519", "PS256"}

const (
	mostKeys   = 10
	leastRSA   = 2048 // bits (NIST SP 800-131A)
	largestRSA = 8192 // a larger one only costs time at each request
)

// private are the members of a key that nobody may know but its owner (RFC 7518
// §6.2.2, §6.3.2, §6.4).
var private = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"}

// Set is an app's public keys.
type Set struct{ keys []jose.JSONWebKey }

// Key is what tells one key of a set from the others.
type Key struct {
	ID          string // its kid; may be empty
	Kind        string // "EC P-256", "RSA 2048", "Ed25519"
	Fingerprint string // RFC 7638, SHA-256, in base64url
}

// Keys are those of the set, in its order.
func (s *Set) Keys() (all []Key) {
	for i := range s.keys {
		k := Key{ID: s.keys[i].KeyID}
		switch public := s.keys[i].Key.(type) {
		case *ecdsa.PublicKey:
			k.Kind = "EC " + public.Curve.Params().Name
		case *rsa.PublicKey:
			k.Kind = fmt.Sprintf("RSA %d", public.N.BitLen())
		default:
			k.Kind = "Ed25519"
		}
		if sum, err := s.keys[i].Thumbprint(crypto.SHA256); err == nil { // Read took only kinds that have one
			k.Fingerprint = base64.RawURLEncoding.EncodeToString(sum)
		}
		all = append(all, k)
	}
	return all
}

// Problem is something wrong with a set: which key (-1: the set itself), which
// member of it ("": the key itself), and what to do.
type Problem struct {
	Key    int
	Member string
	Msg    string
}

func (p Problem) Error() string { return p.Msg }

// Read reads a set and finds all that is wrong with it. A set with problems is nil.
func Read(text []byte) (*Set, []Problem) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &raw); err != nil || len(raw.Keys) == 0 {
		return nil, []Problem{{-1, "", "is no key set; write {keys: [{kty: EC, crv: P-256, x: …, y: …, kid: …}]} with at least one public key"}}
	}
	if len(raw.Keys) > mostKeys {
		return nil, []Problem{{-1, "keys", fmt.Sprintf("has %d keys; at most %d", len(raw.Keys), mostKeys)}}
	}
	s := &Set{}
	var problems []Problem
	for i, one := range raw.Keys {
		key, wrong := readKey(one)
		for _, p := range wrong {
			problems = append(problems, Problem{i, p.Member, p.Msg})
		}
		if key != nil && key.KeyID != "" && slices.ContainsFunc(s.keys, func(k jose.JSONWebKey) bool { return k.KeyID == key.KeyID }) {
			problems = append(problems, Problem{i, "kid", "is the kid of another key of this app; give each its own"})
		}
		if key != nil {
			s.keys = append(s.keys, *key)
		}
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return s, nil
}

func readKey(text []byte) (*jose.JSONWebKey, []Problem) {
	var members map[string]any
	if json.Unmarshal(text, &members) != nil {
		return nil, []Problem{{Msg: "is no key; write a mapping with kty and the members of a public key"}}
	}
	for _, name := range private {
		if _, there := members[name]; there {
			return nil, []Problem{{Member: name, Msg: "is part of a private key, which only the app may know; register the public key alone, of a new key pair"}}
		}
	}
	if problem := aboutUse(members); problem != nil {
		return nil, []Problem{*problem}
	}
	key := &jose.JSONWebKey{}
	if err := key.UnmarshalJSON(text); err != nil || !key.Valid() || !key.IsPublic() {
		return nil, []Problem{{Msg: "is no public key that can be read; copy it whole, with kty and its members as base64url"}}
	}
	if problem := aboutStrength(key); problem != nil {
		return nil, []Problem{*problem}
	}
	return key, nil
}

// aboutUse looks at what the key says of itself.
func aboutUse(members map[string]any) *Problem {
	said := func(name string) string { text, _ := members[name].(string); return text }
	kinds := map[string][]string{"EC": {"ES256"}, "RSA": {"RS256", "PS256"}, "OKP": {"EdDSA", "Ed25519"}}
	ways, known := kinds[said("kty")]
	switch alg := said("alg"); {
	case !known:
		return &Problem{Member: "kty", Msg: "is the kind of the key: EC (P-256), RSA or OKP (Ed25519)"}
	case alg != "" && !slices.Contains(ways, alg):
		return &Problem{Member: "alg", Msg: fmt.Sprintf("%q does not fit a key of kind %s; write %s, or leave it out", alg, said("kty"), strings.Join(ways, " or "))}
	}
	if use := said("use"); use != "" && use != "sig" {
		return &Problem{Member: "use", Msg: "must be sig, or be left out: this key signs"}
	}
	return nil
}

// aboutStrength holds a well-formed key against what is safe.
func aboutStrength(key *jose.JSONWebKey) *Problem {
	switch k := key.Key.(type) {
	case *ecdsa.PublicKey:
		if k.Curve.Params().Name != "P-256" {
			return &Problem{Member: "crv", Msg: "must be P-256, the curve of ES256"}
		}
	case *rsa.PublicKey:
		if bits := k.N.BitLen(); bits < leastRSA || bits > largestRSA {
			return &Problem{Member: "n", Msg: fmt.Sprintf("has %d bits; an RSA key has %d to %d", bits, leastRSA, largestRSA)}
		}
		if k.E < 3 || k.E%2 == 0 {
			return &Problem{Member: "e", Msg: "must be an odd number above 2; AQAB (65537) is usual"}
		}
	case ed25519.PublicKey:
	default:
		return &Problem{Member: "kty", Msg: "is the kind of the key: EC (P-256), RSA or OKP (Ed25519)"}
	}
	return nil
}

// Signed is a text that one of a set's keys signed.
type Signed struct {
	Payload []byte
	Type    string // typ of the header; "": none
}

// ErrNotSigned is that none of the keys signed the text. Why shows in no answer.
var ErrNotSigned = errors.New("not signed by a registered key")

// Verify holds a compact signature (RFC 7515 §7.1) against the set: the key with
// the header's kid, or, where it names none, each of them. Keys that the header
// itself brings or points to are never used.
func (s *Set) Verify(text string) (*Signed, error) {
	signed, err := jose.ParseSignedCompact(text, algorithms())
	if err != nil || len(signed.Signatures) != 1 {
		return nil, ErrNotSigned
	}
	header := signed.Signatures[0].Protected
	for i := range s.keys {
		key := &s.keys[i]
		if header.KeyID != "" && key.KeyID != header.KeyID || key.Algorithm != "" && usual(key.Algorithm) != usual(header.Algorithm) {
			continue
		}
		if payload, err := signed.Verify(verifier(key)); err == nil {
			typ, _ := header.ExtraHeaders[jose.HeaderType].(string)
			return &Signed{payload, typ}, nil
		}
	}
	return nil, ErrNotSigned
}

// usual is the name that the library knows an algorithm by.
func usual(algorithm string) string {
	if algorithm == "Ed25519" {
		return "EdDSA"
	}
	return algorithm
}

// verifier is the key as the library takes it.
func verifier(key *jose.JSONWebKey) any {
	if public, ok := key.Key.(ed25519.PublicKey); ok {
		return edwards{public}
	}
	return key.Key
}

// edwards verifies Ed25519 under both of its names.
type edwards struct{ ed25519.PublicKey }

// VerifyPayload implements jose.OpaqueVerifier.
func (k edwards) VerifyPayload(payload, signature []byte, alg jose.SignatureAlgorithm) error {
	if usual(string(alg)) != string(jose.EdDSA) || !ed25519.Verify(k.PublicKey, payload, signature) {
		return ErrNotSigned
	}
	return nil
}

// Unverified is what a text says, whoever signed it: good for finding out whose
// keys to hold it against, and for nothing else.
func Unverified(text string) ([]byte, bool) {
	signed, err := jose.ParseSignedCompact(text, algorithms())
	if err != nil {
		return nil, false
	}
	return signed.UnsafePayloadWithoutVerification(), true
}

func algorithms() []jose.SignatureAlgorithm {
	out := make([]jose.SignatureAlgorithm, len(Algorithms))
	for i, name := range Algorithms {
		out[i] = jose.SignatureAlgorithm(name)
	}
	return out
}
