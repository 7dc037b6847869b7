package webhook

import (
	"context"
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"postern.dev/postern"
)

// Keys as the Standard Webhooks write them: a prefix and base64.
const (
	secretPrefix  = "whsec_" // symmetric
	privatePrefix = "whsk_"  // the seed of an Ed25519 key
	publicPrefix  = "whpk_"  // what a partner verifies v1a signatures with
	secretBytes   = 32
)

// Where the keys stand in the rows; a sealed key opens nowhere else.
const (
	appsTable, secretColumn                        = "apps", "webhook_secret"
	endpointsTable, oldSecretColumn, ed25519Column = "endpoints", "old_secret", "ed25519"
)

// signer signs for one endpoint: with its secret, during a rotation also with
// the old one, and with an Ed25519 key where the partner wants one.
type signer struct {
	text    postern.Secret // the endpoint's secret as the partner knows it
	secrets [][]byte
	private ed25519.PrivateKey
}

// signer opens the endpoint's keys.
func (r *Rules) signer(e *Endpoint, now time.Time) (*signer, error) {
	s := &signer{}
	sealed := []struct {
		table, column string
		bytes         []byte
	}{{appsTable, secretColumn, e.Secret}}
	if now.Before(e.OldUntil) {
		sealed = append(sealed, struct {
			table, column string
			bytes         []byte
		}{endpointsTable, oldSecretColumn, e.OldSecret})
	}
	for _, k := range sealed {
		text, err := r.Sealer.Open(k.table, e.App.ID, k.column, k.bytes)
		if err != nil {
			return nil, fmt.Errorf("%s.%s of %s: %w", k.table, k.column, e.App.ID, err)
		}
		key, err := decodeKey(string(text), secretPrefix)
		if err != nil {
			return nil, err
		}
		if s.secrets = append(s.secrets, key); len(s.secrets) == 1 {
			s.text = postern.Secret(text)
		}
	}
	if len(e.Ed25519) > 0 {
		text, err := r.Sealer.Open(endpointsTable, e.App.ID, ed25519Column, e.Ed25519)
		if err != nil {
			return nil, fmt.Errorf("endpoints.ed25519 of %s: %w", e.App.ID, err)
		}
		seed, err := decodeKey(string(text), privatePrefix)
		if err != nil || len(seed) != ed25519.SeedSize {
			return nil, fmt.Errorf("endpoints.ed25519 of %s is no key", e.App.ID)
		}
		s.private = ed25519.NewKeyFromSeed(seed)
	}
	return s, nil
}

// decodeKey never repeats the key in its error.
func decodeKey(text, prefix string) ([]byte, error) {
	digits, ok := strings.CutPrefix(text, prefix)
	key, err := base64.StdEncoding.DecodeString(digits)
	if !ok || err != nil || len(key) == 0 {
		return nil, fmt.Errorf("a webhook key is not %s and base64", prefix)
	}
	return key, nil
}

// sign makes the header webhook-signature over exactly these bytes: a signature
// for each key, separated by spaces.
func (s *signer) sign(id string, at time.Time, body []byte) string {
	signed := append([]byte(id+"."+strconv.FormatInt(at.Unix(), 10)+"."), body...)
	var all []string
	for _, key := range s.secrets {
		mac := hmac.New(sha256.New, key)
		mac.Write(signed)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	if s.private != nil {
		all = append(all, "v1a,"+base64.StdEncoding.EncodeToString(ed25519.Sign(s.private, signed)))
	}
	return strings.Join(all, " ")
}

// UsualOverlap is how long an old secret goes on signing after a rotation, unless
// somebody says otherwise.
const UsualOverlap = 24 * time.Hour

// LongestOverlap is the longest that one may.
const LongestOverlap = 30 * 24 * time.Hour

// RotateSecret gives an endpoint, as it was looked at, a new webhook secret, told
// here and never again. For the overlap both sign, so that the partner can change
// over at leisure. Of two at once one counts, the other is a Conflict: it would
// show a secret that signs nothing, or end the old one before its time.
func (r *Rules) RotateSecret(ctx context.Context, e *Endpoint, overlap time.Duration, actor string) (postern.Secret, error) {
	if overlap < 0 || overlap > LongestOverlap {
		return "", postern.Errorf(postern.InvalidRequest, "The overlap must be between 0 and 30 days.")
	}
	now, appID := r.Now(), e.App.ID
	secret, k, err := r.newKey(appID, secretPrefix, appsTable, secretColumn)
	if err != nil {
		return "", err
	}
	keys := Keys{Secret: k, Was: e.Secret}
	if len(e.Secret) > 0 && overlap > 0 {
		old, err := r.Sealer.Open(appsTable, appID, secretColumn, e.Secret)
		if err != nil {
			return "", postern.Wrap(postern.ServerError, err)
		}
		if keys.OldSecret, err = r.Sealer.Seal(endpointsTable, appID, oldSecretColumn, old); err != nil {
			return "", postern.Wrap(postern.ServerError, err)
		}
		keys.OldUntil = now.Add(overlap)
	}
	if err := r.Store.SetKeys(ctx, appID, keys, actor, now); err != nil {
		return "", err
	}
	return secret, nil
}

// SetEd25519 switches an app's further signature (v1a) on with a new key, and
// gives the public one, or off.
func (r *Rules) SetEd25519(ctx context.Context, appID string, on bool, actor string) (public string, err error) {
	if _, err := r.Store.EndpointOf(ctx, appID); err != nil {
		return "", err
	}
	if !on {
		return "", r.Store.SetKeys(ctx, appID, Keys{Ed25519: []byte{}}, actor, r.Now())
	}
	private, sealed, err := r.newKey(appID, privatePrefix, endpointsTable, ed25519Column)
	if err != nil {
		return "", err
	}
	if public, err = publicOf(string(private)); err != nil {
		return "", postern.Wrap(postern.ServerError, err)
	}
	return public, r.Store.SetKeys(ctx, appID, Keys{Ed25519: sealed}, actor, r.Now())
}

// KeyHint tells the key that signs for an endpoint from others: its last
// characters; "": there is none.
func (r *Rules) KeyHint(e *Endpoint) (string, error) {
	if len(e.Secret) == 0 {
		return "", nil
	}
	text, err := r.Sealer.Open(appsTable, e.App.ID, secretColumn, e.Secret)
	if err != nil {
		return "", postern.Wrap(postern.ServerError, err)
	}
	const shown = 4
	return string(text[max(0, len(text)-shown):]), nil
}

// PublicKey is what v1a signatures of an endpoint are verified with; "": it has
// none.
func (r *Rules) PublicKey(e *Endpoint) (string, error) {
	if len(e.Ed25519) == 0 {
		return "", nil
	}
	text, err := r.Sealer.Open(endpointsTable, e.App.ID, ed25519Column, e.Ed25519)
	if err != nil {
		return "", postern.Wrap(postern.ServerError, err)
	}
	return publicOf(string(text))
}

func publicOf(private string) (string, error) {
	seed, err := decodeKey(private, privatePrefix)
	if err != nil {
		return "", err
	}
	public := ed25519.NewKeyFromSeed(seed).Public().(ed25519.PublicKey)
	return publicPrefix + base64.StdEncoding.EncodeToString(public), nil
}

func (r *Rules) newKey(appID, prefix, table, column string) (postern.Secret, []byte, error) {
	key := make([]byte, secretBytes)
	if _, err := io.ReadFull(r.Random, key); err != nil {
		return "", nil, postern.Wrap(postern.ServerError, fmt.Errorf("random source: %w", err))
	}
	text := prefix + base64.StdEncoding.EncodeToString(key)
	sealed, err := r.Sealer.Seal(table, appID, column, []byte(text))
	if err != nil {
		return "", nil, postern.Wrap(postern.ServerError, err)
	}
	return postern.Secret(text), sealed, nil
}
