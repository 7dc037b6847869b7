package web

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"net/http"

	"postern.dev/postern"
)

// purpose keeps the token of one form from working in another.
type purpose string

const (
	toSignIn     purpose = "sign in"
	toSignOut    purpose = "sign out"
	toAnswer     purpose = "answer"
	toDisconnect purpose = "disconnect"
	toChange     purpose = "change password"
	toReset      purpose = "reset password"
)

// formToken proves that a form was written for this browser, this purpose and
// what it is about (a ticket, a session, accounts). Nothing is stored: it is a
// keyed digest, and the key is the secret of the browser's own cookie.
func formToken(browser postern.Secret, p purpose, about ...string) string {
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
func tokenMatches(sent string, browser postern.Secret, p purpose, about ...string) bool {
	return browser != "" && hmac.Equal([]byte(sent), []byte(formToken(browser, p, about...)))
}

// proved refuses a form that this browser was not given. It never sets a
// cookie: who has none cannot have been given a form.
func (d *Door) proved(r *http.Request, p purpose, about ...string) error {
	sent, err := field(r, "form_token")
	if err != nil {
		return err
	}
	browser := cookie(r, d.cookies.browser)
	if !browserForm.Matches(browser) || !tokenMatches(sent, browser, p, about...) {
		return postern.Errorf(postern.Forbidden, "This form is out of date, or was not made for this browser. Go back, load the page again and try once more.")
	}
	return nil
}

// hashText is a hash as a part of what a token is about.
func hashText(h postern.Hash) string { return string(h[:]) }
