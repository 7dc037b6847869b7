package identity

import (
	"bytes"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// passwordHash is a stored hash that has been read and found affordable.
type passwordHash interface {
	matches(password []byte) bool
	weak() bool // below what we make ourselves
}

// argonHash is a hash in the PHC string format:
// $argon2id$v=19$m=19456,t=2,p=1$SALT$KEY (RFC 9106).
type argonHash struct {
	memory, passes uint32 // KiB, iterations
	lanes          uint8
	salt, key      []byte
}

// What we make ourselves. The memory and passes are the least that attacks are
// known to be slow against; more would let fewer people sign in at once.
const (
	argonMemory = 19 << 10 // KiB
	argonPasses = 2
	argonLanes  = 1
	argonSalt   = 16
	argonKey    = 32
)

func newArgonHash(password, salt []byte) *argonHash {
	h := &argonHash{memory: argonMemory, passes: argonPasses, lanes: argonLanes, salt: salt}
	h.key = h.derive(password, argonKey)
	return h
}

func (h *argonHash) derive(password []byte, length int) []byte {
	return argon2.IDKey(password, h.salt, h.passes, h.memory, h.lanes, uint32(length))
}

func (h *argonHash) matches(password []byte) bool {
	return subtle.ConstantTimeCompare(h.derive(password, len(h.key)), h.key) == 1
}

func (h *argonHash) weak() bool { return h.memory < argonMemory || h.passes < argonPasses }

func (h *argonHash) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, h.memory, h.passes, h.lanes, b64(h.salt), b64(h.key))
}

// bcryptHash is the whole text, $2b$COST$SALT-AND-KEY: only ever imported.
type bcryptHash string

// bcryptMost is how much of a password bcrypt sees. A longer one never matches:
// else all that share these bytes would.
const bcryptMost = 72

func (h bcryptHash) matches(password []byte) bool {
	return len(password) <= bcryptMost && bcrypt.CompareHashAndPassword([]byte(h), password) == nil
}

func (h bcryptHash) weak() bool { return true }

// readHash reads a stored hash. It refuses what would cost more than about a
// second or a quarter of a gigabyte each time somebody signs in.
func readHash(text string) (passwordHash, error) {
	switch {
	case strings.HasPrefix(text, "$argon2id$"):
		return readArgon(text)
	case strings.HasPrefix(text, "$2a$"), strings.HasPrefix(text, "$2b$"), strings.HasPrefix(text, "$2y$"):
		return readBcrypt(text)
	}
	return nil, errors.New("it is neither argon2id ($argon2id$v=19$…) nor bcrypt ($2a$…, $2b$…, $2y$…)")
}

const (
	maxMemory    = 256 << 10 // KiB
	maxWork      = 1 << 20   // KiB times passes
	maxLanes     = 16
	maxSalt      = 64
	maxBcrypt    = 14
	bcryptLength = 60
)

func readArgon(text string) (*argonHash, error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 {
		return nil, errors.New("an argon2id hash has five parts, each after a $")
	}
	h := &argonHash{}
	if parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return nil, fmt.Errorf("its argon2 version is not %d", argon2.Version)
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &h.memory, &h.passes, &h.lanes); err != nil {
		return nil, errors.New("its parameters are not written m=…,t=…,p=…")
	}
	if parts[3] != fmt.Sprintf("m=%d,t=%d,p=%d", h.memory, h.passes, h.lanes) {
		return nil, errors.New("something follows its parameters")
	}
	if h.lanes < 1 || h.lanes > maxLanes || h.passes < 1 || h.memory < 8*uint32(h.lanes) ||
		h.memory > maxMemory || uint64(h.memory)*uint64(h.passes) > maxWork {
		return nil, fmt.Errorf("its parameters are out of bounds: m at most %d, m times t at most %d, p from 1 to %d", maxMemory, maxWork, maxLanes)
	}
	var err1, err2 error
	h.salt, err1 = base64.RawStdEncoding.Strict().DecodeString(parts[4])
	h.key, err2 = base64.RawStdEncoding.Strict().DecodeString(parts[5])
	if err1 != nil || err2 != nil || bytes.ContainsAny([]byte(parts[4]+parts[5]), "\r\n") {
		return nil, errors.New("its salt or key is not base64 without padding")
	}
	if len(h.salt) < 8 || len(h.salt) > maxSalt || len(h.key) < 16 || len(h.key) > maxSalt {
		return nil, fmt.Errorf("its salt must have 8 to %d bytes and its key 16 to %d", maxSalt, maxSalt)
	}
	return h, nil
}

func readBcrypt(text string) (bcryptHash, error) {
	cost, err := bcrypt.Cost([]byte(text))
	if err != nil || len(text) != bcryptLength || text[6] != '$' {
		return "", errors.New("it is not a whole bcrypt hash of 60 characters")
	}
	if cost > maxBcrypt {
		return "", fmt.Errorf("its bcrypt cost is over %d", maxBcrypt)
	}
	for _, c := range []byte(text[7:]) {
		if !strings.ContainsRune("./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789", rune(c)) {
			return "", errors.New("it holds a character that bcrypt hashes never have")
		}
	}
	return bcryptHash(text), nil
}
