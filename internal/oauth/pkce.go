package oauth

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// challengeLength is a SHA-256 in base64url without padding (RFC 7636 §4.2).
const challengeLength = 43

// minVerifier and maxVerifier are RFC 7636 §4.1's bounds.
const (
	minVerifier = 43
	maxVerifier = 128
)

func validChallenge(c string) bool {
	if len(c) != challengeLength {
		return false
	}
	_, err := base64.RawURLEncoding.Strict().DecodeString(c)
	return err == nil
}

// verifierMeets compares in constant time. A verifier of a wrong length or with
// characters that RFC 7636 does not allow meets no challenge.
func verifierMeets(verifier, challenge string, longest int) bool {
	if longest == 0 {
		longest = maxVerifier
	}
	if len(verifier) < minVerifier || len(verifier) > longest {
		return false
	}
	for i := 0; i < len(verifier); i++ {
		if !unreserved(verifier[i]) {
			return false
		}
	}
	sum := sha256.Sum256([]byte(verifier))
	want := base64.RawURLEncoding.EncodeToString(sum[:])
	return subtle.ConstantTimeCompare([]byte(want), []byte(challenge)) == 1
}

func unreserved(c byte) bool {
	switch {
	case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		return true
	}
	return c == '-' || c == '.' || c == '_' || c == '~'
}
