package postern

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"log/slog"
	"strings"
	"time"
)

// Secret is text that must not be printed: a code, a token, a client secret.
// It prints as a blank everywhere; string(s) is the deliberate way to its text.
type Secret string

func (Secret) String() string       { return "[secret]" }
func (Secret) GoString() string     { return "[secret]" }
func (Secret) LogValue() slog.Value { return slog.StringValue("[secret]") }

// Hash is what the store keeps of a secret that a machine made: its SHA-256.
// Such secrets have at least 128 random bits, so no slow hash is needed.
type Hash [sha256.Size]byte

// Hash is the form in which a secret is stored and looked up.
func (s Secret) Hash() Hash { return sha256.Sum256([]byte(s)) }

// Equal compares in constant time.
func (h Hash) Equal(other Hash) bool { return subtle.ConstantTimeCompare(h[:], other[:]) == 1 }

// IsZero reports whether the hash is unset; no secret hashes to zero.
func (h Hash) IsZero() bool { return h == Hash{} }

func (h Hash) String() string { return hex.EncodeToString(h[:4]) + "…" }

// Sealer encrypts a secret that must be used again, so that a hash would not do:
// what it seals opens in its own table, row and column only.
type Sealer interface {
	Seal(table, row, column string, plain []byte) ([]byte, error)
	Open(table, row, column string, sealed []byte) ([]byte, error)
}

// Alphabet is a set of characters that secrets are written in.
type Alphabet string

const (
	Hex    Alphabet = "0123456789abcdef"
	Base62 Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
)

// bits is the entropy of one character, rounded down to hundredths.
func (a Alphabet) bits(n int) int {
	if a == Hex {
		return n * 4
	}
	return n * 595 / 100
}

// Form is how a secret looks on the wire: Prefix, then Length random
// characters, then six characters of checksum if it has one. A prefix and a
// checksum let secret scanners find a leaked one without false alarms.
type Form struct {
	Alphabet Alphabet
	Length   int
	Prefix   string
	Checksum bool
}

const checksumLength = 6

// Bits is the randomness of a secret of this form.
func (f Form) Bits() int { return f.Alphabet.bits(f.Length) }

// Len is the length of the whole text.
func (f Form) Len() int {
	n := len(f.Prefix) + f.Length
	if f.Checksum {
		n += checksumLength
	}
	return n
}

// Mint makes a new secret from the random source, without bias. An error means
// that the source failed; then nothing may be issued.
func (f Form) Mint(random io.Reader) (Secret, error) {
	body := make([]byte, 0, f.Len())
	body = append(body, f.Prefix...)
	limit := 256 - 256%len(f.Alphabet)
	buf := make([]byte, f.Length+f.Length/8+8)
	for need := f.Length; need > 0; {
		if _, err := io.ReadFull(random, buf); err != nil {
			return "", fmt.Errorf("random source: %w", err)
		}
		for _, b := range buf {
			if int(b) < limit && need > 0 {
				body = append(body, f.Alphabet[int(b)%len(f.Alphabet)])
				need--
			}
		}
	}
	if f.Checksum {
		body = append(body, checksum(body)...)
	}
	return Secret(body), nil
}

// Matches reports whether a text could be of this form. It is a cheap filter
// before a look-up, and no proof of anything.
func (f Form) Matches(s Secret) bool {
	text := string(s)
	if len(text) != f.Len() || !strings.HasPrefix(text, f.Prefix) {
		return false
	}
	if f.Checksum {
		body := text[:len(text)-checksumLength]
		if string(checksum([]byte(body))) != text[len(body):] {
			return false
		}
		text = body
	}
	for i := len(f.Prefix); i < len(text); i++ {
		if !f.Alphabet.has(text[i]) {
			return false
		}
	}
	return true
}

func (a Alphabet) has(c byte) bool {
	switch {
	case '0' <= c && c <= '9', 'a' <= c && c <= 'f':
		return true
	case 'g' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return a == Base62
	}
	return false
}

// checksum is CRC-32 in six digits.
func checksum(body []byte) []byte {
	return base62(uint64(crc32.ChecksumIEEE(body)), checksumLength)
}

// base62 writes a number in so many digits, most significant first: as texts they
// sort like the numbers.
func base62(n uint64, digits int) []byte {
	out := make([]byte, digits)
	for i := digits - 1; i >= 0; i-- {
		out[i] = Base62[n%62]
		n /= 62
	}
	return out
}

// The product's own forms. Dialects may say others for codes and tokens.
var (
	ClientSecretForm = Form{Base62, 43, "pos_", true}
	SessionForm      = Form{Base62, 43, "", false}
	TicketForm       = Form{Base62, 43, "", false}
	ResetForm        = Form{Base62, 43, "", false}
	OperatorForm     = Form{Base62, 43, "poo_", true}
	APISecretForm    = Form{Base62, 43, "pop_", true}
)

// own are the secrets that the product hands out to be sent over and over, and so
// are sent in wrong places.
var own = []Form{ClientSecretForm, OperatorForm, APISecretForm}

// HideSecrets is a text with "…" in the place of each such secret that stands in it.
func HideSecrets(text string) string {
	for _, f := range own {
		for from := 0; ; {
			at := strings.Index(text[from:], f.Prefix)
			if at < 0 {
				break
			}
			at += from
			end := at + f.Len()
			if end <= len(text) && f.Matches(Secret(text[at:end])) {
				text = text[:at] + "…" + text[end:]
			}
			from = at + 1
		}
	}
	return text
}

// NewID makes an identifier with a kind prefix, e.g. "acc_…". Identifiers are
// public and never reused; 131 random bits make sure of that.
func NewID(random io.Reader, prefix string) (string, error) {
	s, err := Form{Base62, idLength, prefix, false}.Mint(random)
	return string(s), err
}

// NewIDAt is NewID for rows that come by the thousand. It begins with the time:
// what is made together lies together in an index, and a commit writes few of its
// pages. The other 83 bits are random.
func NewIDAt(random io.Reader, now time.Time, prefix string) (string, error) {
	when := base62(uint64(now.UnixMilli()), timeLength)
	s, err := Form{Base62, idLength - timeLength, prefix + string(when), false}.Mint(random)
	return string(s), err
}

const (
	idLength   = 22 // without the prefix
	timeLength = 8  // milliseconds, for some thousand years
)

// NewNumber makes an id for wires that know things by number: positive, and
// exact as a JSON number everywhere (below 2^53).
func NewNumber(random io.Reader) (int64, error) {
	var b [8]byte
	for {
		if _, err := io.ReadFull(random, b[:]); err != nil {
			return 0, fmt.Errorf("random source: %w", err)
		}
		if n := int64(binary.BigEndian.Uint64(b[:]) >> 11); n > 0 {
			return n, nil
		}
	}
}
