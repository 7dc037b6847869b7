// Package vault seals the secrets that must be used again – webhook keys, TOTP
// seeds, upstream secrets – so that a copy of the database without the key file
// is worth nothing. Secrets that only have to be recognised are hashed instead
// and never come here.
package vault

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Place is where a sealed value lives. A value moved to another row or column
// does not open there.
type Place struct {
	Table, Row, Column string
}

// Vault seals with one key and opens with that key or older ones. Its methods
// may be called at once.
type Vault struct {
	random io.Reader
	id     keyID
	keys   map[keyID]cipher.AEAD
}

// A sealed value is: version, key id, nonce, AES-256-GCM text.
const (
	version   = 1
	idLength  = 4
	nonceSize = 12
	header    = 1 + idLength
)

type keyID [idLength]byte

// ErrWrongKey means that a value was sealed with a key that this vault does not
// have.
var ErrWrongKey = errors.New("sealed with another secret key")

var errDamaged = errors.New("the sealed value is damaged, or stood in another place")

// New makes a vault that seals with key and also opens what older keys sealed.
func New(key Key, random io.Reader, older ...Key) *Vault {
	v := &Vault{random: random, id: key.id(), keys: map[keyID]cipher.AEAD{}}
	for _, k := range append(older, key) {
		v.keys[k.id()] = k.aead()
	}
	return v
}

// Seal encrypts a value for one place. Sealing again gives other bytes.
func (v *Vault) Seal(plain []byte, at Place) ([]byte, error) {
	sealed := make([]byte, header+nonceSize, header+nonceSize+len(plain)+aes.BlockSize)
	sealed[0] = version
	copy(sealed[1:], v.id[:])
	nonce := sealed[header:]
	if _, err := io.ReadFull(v.random, nonce); err != nil {
		return nil, fmt.Errorf("random source: %w", err)
	}
	return v.keys[v.id].Seal(sealed, nonce, plain, at.bound(sealed[:header])), nil
}

// Open decrypts a value that was sealed for this place.
func (v *Vault) Open(sealed []byte, at Place) ([]byte, error) {
	if len(sealed) < header+nonceSize || sealed[0] != version {
		return nil, errDamaged
	}
	aead, ok := v.keys[keyID(sealed[1:header])]
	if !ok {
		return nil, ErrWrongKey
	}
	nonce, text := sealed[header:header+nonceSize], sealed[header+nonceSize:]
	plain, err := aead.Open(nil, nonce, text, at.bound(sealed[:header]))
	if err != nil {
		return nil, errDamaged
	}
	return plain, nil
}

// bound is what a value is tied to: the lengths keep ("a", "bc") and ("ab",
// "c") apart.
func (p Place) bound(head []byte) []byte {
	b := append([]byte("postern\x00"), head...)
	for _, part := range []string{p.Table, p.Row, p.Column} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(part)))
		b = append(b, part...)
	}
	return b
}

func (k Key) aead() cipher.AEAD {
	block, err := aes.NewCipher(k[:])
	if err != nil {
		panic(err) // only for keys of another length
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // only for blocks of another size
	}
	return aead
}

// id names a key without telling anything of it.
func (k Key) id() keyID {
	sum := sha256.Sum256(append([]byte("postern key id\x00"), k[:]...))
	return keyID(sum[:idLength])
}
