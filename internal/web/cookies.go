package web

import (
	"net/http"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
)

// What the forms of this door are for.
const (
	toSignIn     browser.Purpose = "sign in"
	toSignOut    browser.Purpose = "sign out"
	toAnswer     browser.Purpose = "answer"
	toDisconnect browser.Purpose = "disconnect"
	toChange     browser.Purpose = "change password"
	toReset      browser.Purpose = "reset password"
)

// Browser is the binding cookie's hash. A browser that has none gets one.
func (d *Door) Browser(w http.ResponseWriter, r *http.Request) (postern.Hash, error) {
	secret, err := d.bind(w, r)
	return secret.Hash(), err
}

func (d *Door) bind(w http.ResponseWriter, r *http.Request) (postern.Secret, error) {
	return d.cookies.Bind(w, r, d.Random)
}

// session is who is signed in; nil: nobody. The error is trouble of ours only.
func (d *Door) session(r *http.Request) (*postern.Session, error) {
	secret := browser.Cookie(r, d.cookies.Session)
	if !postern.SessionForm.Matches(secret) {
		return nil, nil
	}
	s, err := d.People.Session(r.Context(), secret)
	if postern.Is(err, postern.NotFound) {
		return nil, nil
	}
	return s, err
}
