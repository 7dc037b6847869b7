package postern

import "strings"

// TokenFormat is how an app's access tokens are written.
type TokenFormat string

const (
	Opaque TokenFormat = ""    // random text: what it stands for is asked here
	JWT    TokenFormat = "jwt" // signed, and says what it stands for (RFC 9068)
)

// Signer is a key that signs access tokens, ready for use.
type Signer struct {
	Key      string   // its id
	Audience []string // the APIs that its tokens are for
	Sign     func(payload []byte) (Secret, error)
}

// longestJWT bounds what is looked up as one.
const longestJWT = 8 << 10

// LooksSigned reports whether a text has the shape of a signed token: three parts
// of base64url (RFC 7515 §7.1). It is a cheap filter before a look-up, and no proof
// of anything.
func LooksSigned(s Secret) bool {
	parts := strings.Split(string(s[:min(len(s), longestJWT)]), ".")
	if len(s) > longestJWT || len(parts) != 3 {
		return false
	}
	for _, p := range parts {
		if p == "" || strings.Trim(p, string(Base62)+"-_") != "" {
			return false
		}
	}
	return true
}
