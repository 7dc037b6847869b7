package oauth

import (
	"bytes"
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"io"
	"time"

	"postern.dev/postern"
)

// minting makes tokens after a dialect's terms.
type minting struct {
	r       *Rules
	terms   *Terms
	app     *postern.App
	now     time.Time
	started time.Time // of the family: absolute life counts from here
	stands  bearing
}

// minted is a new token: its text for the app, its row for the store.
type minted struct {
	secret postern.Secret
	row    NewToken
	said   string // where it is signed
}

func (m *minting) access(ctx context.Context, random io.Reader, scopes []string) (minted, error) {
	if !m.signs() {
		return m.token(random, m.terms.Access.Form, scopes, m.accessEnds())
	}
	d, err := m.draft(ctx, random, scopes)
	if err != nil {
		return minted{}, err
	}
	return d.sign()
}

// accessEnds is a life from now, within what renewals may add up to.
func (m *minting) accessEnds() time.Time {
	life := m.terms.Access.Life
	if m.signs() {
		life = signedLife(life)
	}
	end := endOfLife(m.now, life)
	if m.terms.Access.Absolute == 0 {
		return end
	}
	return earlier(end, m.started.Add(m.terms.Access.Absolute))
}

func (m *minting) refresh(random io.Reader, scopes []string) (minted, error) {
	return m.token(random, m.terms.Refresh.Form, scopes, m.refreshEnds())
}

// refreshEnds is idle life from now, within the absolute life of the family.
func (m *minting) refreshEnds() time.Time {
	end := endOfLife(m.now, m.terms.Refresh.Idle)
	if m.terms.Refresh.Absolute == 0 {
		return end
	}
	return earlier(end, m.started.Add(m.terms.Refresh.Absolute))
}

// earlier is the earlier of two ends of life, of which the first may be never.
func earlier(end, last time.Time) time.Time {
	if end.IsZero() || end.After(last) {
		return last
	}
	return end
}

func (m *minting) token(random io.Reader, form postern.Form, scopes []string, ends time.Time) (minted, error) {
	secret, err := form.Mint(random)
	if err != nil {
		return minted{}, postern.Wrap(postern.ServerError, err)
	}
	return minted{secret: secret, row: NewToken{
		Hash: secret.Hash(), AppID: m.app.ID, Dialect: m.terms.Dialect,
		Scopes: scopes, IssuedAt: m.now, ExpiresAt: ends,
	}}, nil
}

func endOfLife(from time.Time, life time.Duration) time.Time {
	if life == 0 {
		return time.Time{}
	}
	return from.Add(life)
}

// derivedBytes is enough for any form: unused ones are thrown away.
const derivedBytes = 1024

// derived is a random source that gives the same bytes for the same presented
// token and salt (HKDF-SHA256, RFC 5869). The salt is stored, the token is not:
// so a repeated refresh gets the same answer, and the rows alone tell nobody
// what it was. One use of a token's kind never gives bytes of another.
func derived(presented postern.Secret, salt []byte, use string) (io.Reader, error) {
	key, err := hkdf.Key(sha256.New, []byte(presented), salt, "postern refresh "+use, derivedBytes)
	if err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	return bytes.NewReader(key), nil
}
