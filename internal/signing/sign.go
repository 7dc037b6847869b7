package signing

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"time"

	"github.com/go-jose/go-jose/v4"

	"postern.dev/postern"
)

// tokenType is the header's typ (RFC 9068 §2.1): a signed text of another kind is
// then no access token, nor this one anything else.
const tokenType = "at+jwt"

// held is what a node read of the rows, ready for use. It is never changed.
type held struct {
	at       time.Time
	keys     []Key
	signers  map[string]jose.Signer
	audience []string
	set      []byte
}

// Signer is the key that signs now. The first caller who needs one has it made.
// Its tokens are for all APIs that would be told what they stand for if they
// asked.
func (r *Rules) Signer(ctx context.Context) (*postern.Signer, error) {
	h, err := r.needed(ctx)
	if err != nil {
		return nil, err
	}
	return h.signer(current(h.keys, r.Now()).ID)
}

// SignerOf is a key of the key set by its id; NotFound when it has left the set.
func (r *Rules) SignerOf(ctx context.Context, id string) (*postern.Signer, error) {
	h, err := r.hold(ctx)
	if err != nil {
		return nil, err
	}
	return h.signer(id)
}

// signer signs without asking the rows. It gives the same text each time: its
// signature takes no random number (RFC 6979).
func (h *held) signer(id string) (*postern.Signer, error) {
	key := h.signers[id]
	if key == nil {
		return nil, postern.Errorf(postern.NotFound, "There is no such key.")
	}
	sign := func(payload []byte) (postern.Secret, error) {
		signed, err := key.Sign(payload)
		if err != nil {
			return "", postern.Wrap(postern.ServerError, err)
		}
		text, err := signed.CompactSerialize()
		if err != nil {
			return "", postern.Wrap(postern.ServerError, err)
		}
		return postern.Secret(text), nil
	}
	return &postern.Signer{Key: id, Audience: h.audience, Sign: sign}, nil
}

// Set is the key set as bytes (RFC 7517 §5). It is never empty, so nobody keeps a
// set that lacks the first key. While the database is away the last one serves.
func (r *Rules) Set(ctx context.Context) ([]byte, error) {
	h, err := r.needed(ctx)
	if err == nil {
		return h.set, nil
	}
	if last := r.last.Load(); last != nil && len(last.keys) > 0 {
		return last.set, nil
	}
	return nil, err
}

// needed is what is held, with a first key if there was none.
func (r *Rules) needed(ctx context.Context) (*held, error) {
	h, err := r.hold(ctx)
	if err != nil || len(h.keys) > 0 {
		return h, err
	}
	if _, _, err := r.next(ctx, nil, automatic, false); err != nil {
		return nil, err
	}
	r.last.Store(nil) // also where another caller was first
	return r.hold(ctx)
}

// hold is what the rows said at most heldFor ago.
func (r *Rules) hold(ctx context.Context) (*held, error) {
	now, last := r.Now(), r.last.Load()
	if last != nil && !now.Before(last.at) && now.Before(last.at.Add(heldFor)) {
		return last, nil
	}
	h := &held{at: now, signers: map[string]jose.Signer{}}
	var err error
	if h.keys, err = r.Store.SigningKeys(ctx, now); err != nil {
		return nil, err
	}
	if h.audience, err = r.Store.Audience(ctx); err != nil {
		return nil, err
	}
	for _, k := range h.keys {
		if last != nil && last.signers[k.ID] != nil {
			h.signers[k.ID] = last.signers[k.ID]
			continue
		}
		if h.signers[k.ID], err = r.open(k); err != nil {
			return nil, postern.Wrap(postern.ServerError, err)
		}
	}
	if h.set, err = keySet(h.keys); err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	r.last.Store(h)
	return h, nil
}

func keySet(list []Key) ([]byte, error) {
	set := struct {
		Keys []json.RawMessage `json:"keys"`
	}{make([]json.RawMessage, 0, len(list))}
	for _, k := range list {
		set.Keys = append(set.Keys, k.Public)
	}
	return json.Marshal(set)
}

// open makes a signer of a key's sealed half.
func (r *Rules) open(k Key) (jose.Signer, error) {
	plain, err := r.Sealer.Open(table, k.ID, column, k.Sealed)
	if err != nil {
		return nil, err
	}
	private, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), plain)
	if err != nil {
		return nil, err
	}
	public, err := publish(private)
	if err != nil {
		return nil, err
	}
	return jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: &steady{private, public}},
		(&jose.SignerOptions{}).WithType(tokenType))
}

// publish is the public half, named by its thumbprint (RFC 7638).
func publish(private *ecdsa.PrivateKey) (*jose.JSONWebKey, error) {
	public := &jose.JSONWebKey{Key: &private.PublicKey, Algorithm: string(jose.ES256), Use: "sig"}
	thumbprint, err := public.Thumbprint(crypto.SHA256)
	public.KeyID = base64.RawURLEncoding.EncodeToString(thumbprint)
	return public, err
}

// steady signs with ES256 (RFC 7518 §3.4), the same text always with the same
// signature (RFC 6979).
type steady struct {
	private *ecdsa.PrivateKey
	public  *jose.JSONWebKey
}

func (s *steady) Public() *jose.JSONWebKey { return s.public }

func (s *steady) Algs() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.ES256}
}

func (s *steady) SignPayload(payload []byte, _ jose.SignatureAlgorithm) ([]byte, error) {
	digest := sha256.Sum256(payload)
	der, err := s.private.Sign(nil, digest[:], crypto.SHA256) // nil: no random number
	if err != nil {
		return nil, err
	}
	var pair struct{ R, S *big.Int }
	if _, err := asn1.Unmarshal(der, &pair); err != nil {
		return nil, err
	}
	var out [64]byte
	pair.R.FillBytes(out[:32])
	pair.S.FillBytes(out[32:])
	return out[:], nil
}
