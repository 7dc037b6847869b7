package registry

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"postern.dev/postern"
)

const (
	shortestSecret = 20 // characters: what a machine made, at 6 bits each, has 120 bits
	longestSecret  = 255
)

// MostSecrets is how many of an app are valid at one time (I-40).
const MostSecrets = 2

// aboutClientSecret is the rule for client secrets that are declared. Weak ones
// come from a server that made them shorter.
func aboutClientSecret(text string, weak bool) string {
	if weak {
		return aboutSecret(text, 1)
	}
	problem := aboutSecret(text, shortestSecret)
	if text != "" && len(text) < shortestSecret {
		problem += " (insecure_weak_imported_secrets in the dialect allows less)"
	}
	return problem
}

func aboutSecret(text string, least int) string {
	for _, c := range text {
		if c < ' ' || c > '~' { // RFC 6749, appendix A.2
			return "holds a character that is not printable ASCII"
		}
	}
	switch {
	case text == "":
		return "is empty; leave the key out to have one made"
	case len(text) < least:
		return fmt.Sprintf("has %d characters; a secret needs %d at least", len(text), least)
	case len(text) > longestSecret:
		return fmt.Sprintf("has %d characters; at most %d are allowed", len(text), longestSecret)
	}
	return ""
}

// readSecretHash reads "sha256:HEX".
func readSecretHash(text string) (h postern.Hash, ok bool) {
	digits, ok := strings.CutPrefix(text, "sha256:")
	if !ok || len(digits) != 2*len(h) {
		return h, false
	}
	_, err := hex.Decode(h[:], []byte(digits))
	return h, err == nil && !h.IsZero()
}

const secretHashHelp = "must be sha256: and the 64 hex digits of the secret's SHA-256"

// readExpiry reads a time of RFC 3339, or a day of UTC.
func readExpiry(text string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.UTC().Truncate(time.Millisecond), true // what the rows keep
		}
	}
	return time.Time{}, false
}

// hint is what tells secrets apart on a page: the end of one that is long.
func hint(secret string) string {
	if len(secret) < shortestSecret {
		return ""
	}
	return secret[len(secret)-4:]
}

// Webhook secrets are written as the Standard Webhooks write them: a prefix and
// the base64 of 24 to 64 bytes.
const (
	webhookPrefix = "whsec_"
	webhookBytes  = 32
)

func aboutWebhookSecret(text string) string {
	digits, ok := strings.CutPrefix(text, webhookPrefix)
	key, err := base64.StdEncoding.Strict().DecodeString(digits)
	if !ok || err != nil || strings.ContainsAny(digits, "\r\n") || len(key) < 24 || len(key) > 64 {
		return "must be whsec_ and the base64 of 24 to 64 bytes"
	}
	return ""
}

func mintWebhookSecret(random io.Reader) (postern.Secret, error) {
	key := make([]byte, webhookBytes)
	if _, err := io.ReadFull(random, key); err != nil {
		return "", fmt.Errorf("random source: %w", err)
	}
	return postern.Secret(webhookPrefix + base64.StdEncoding.EncodeToString(key)), nil
}
