package browser

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"

	"postern.dev/postern"
)

// Purpose keeps the token of one form from working in another.
type Purpose string

// TokenField is the form field that a form's token is sent in.
const TokenField = "form_token"

// FormToken proves that a form was written for this browser, this purpose and
// what it is about (a ticket, a session or a person, accounts). Nothing is stored: it is a
// keyed digest, and the key is the secret of the browser's own cookie.
func FormToken(browser postern.Secret, p Purpose, about ...string) string {
	mac := hmac.New(sha256.New, []byte(browser))
	for _, part := range append([]string{string(p)}, about...) {
		var size [8]byte // so that no two lists of parts read the same
		binary.BigEndian.PutUint64(size[:], uint64(len(part)))
		mac.Write(size[:])
		mac.Write([]byte(part))
	}
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// tokenMatches compares in constant time.
func tokenMatches(sent string, browser postern.Secret, p Purpose, about ...string) bool {
	return hmac.Equal([]byte(sent), []byte(FormToken(browser, p, about...)))
}

// Proved refuses a form that this browser was not given. It never sets a
// cookie: who has none cannot have been given a form.
func (c Cookies) Proved(r *http.Request, p Purpose, about ...string) error {
	sent, err := Field(r, TokenField)
	if err != nil {
		return err
	}
	browser := Cookie(r, c.Browser)
	if !browserForm.Matches(browser) || !tokenMatches(sent, browser, p, about...) {
		return postern.Errorf(postern.Forbidden, "This form is out of date, or was not made for this browser. Go back, load the page again and try once more.")
	}
	return nil
}

// HashText is a hash as a part of what a token is about.
func HashText(h postern.Hash) string { return string(h[:]) }
