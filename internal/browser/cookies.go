// Package browser is what every door for people's browsers has in common:
// cookies that no neighbouring host can set, forms that only the browser they
// were written for can send, form fields that mean one thing, and a mux that no
// form of another site gets through.
package browser

import (
	"io"
	"net/http"
	"time"

	"postern.dev/postern"
)

// Cookies are one door's names. __Host- means Secure, Path=/ and no Domain, so a
// neighbouring host can neither set nor read them.
type Cookies struct {
	Browser string // binds forms, and a question, to the browser that asked; one for all doors
	Session string // who is signed in
	Device  string // this browser has signed in as somebody before
	secure  bool
}

// CookiesFor names the cookies of a door ("" is end users'). Sessions of two
// doors are two cookies, so that neither opens the other.
func CookiesFor(https bool, door string) Cookies {
	prefix := "postern_"
	if https {
		prefix = "__Host-postern_"
	}
	own := prefix
	if door != "" {
		own += door + "_"
	}
	return Cookies{prefix + "browser", own + "session", own + "device", https}
}

// DeviceLife is the longest that browsers keep a cookie.
const DeviceLife = 400 * 24 * time.Hour

// browserForm: 43 base62 characters hold 256 random bits.
var browserForm = postern.Form{Alphabet: postern.Base62, Length: 43}

// Set gives the browser a cookie; a zero time means until the browser closes.
func (c Cookies) Set(w http.ResponseWriter, name string, value postern.Secret, expires time.Time) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: string(value), Path: "/", Expires: expires,
		HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
	})
}

// Clear takes a cookie back.
func (c Cookies) Clear(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Path: "/", MaxAge: -1, HttpOnly: true, Secure: c.secure, SameSite: http.SameSiteLaxMode,
	})
}

// Cookie is a cookie's value, "" when there is none.
func Cookie(r *http.Request, name string) postern.Secret {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return postern.Secret(c.Value)
}

// Bind is the secret that binds forms to this browser. A browser that has none
// gets one.
func (c Cookies) Bind(w http.ResponseWriter, r *http.Request, random io.Reader) (postern.Secret, error) {
	if secret := Cookie(r, c.Browser); browserForm.Matches(secret) {
		return secret, nil
	}
	secret, err := browserForm.Mint(random)
	if err != nil {
		return "", postern.Wrap(postern.ServerError, err)
	}
	c.Set(w, c.Browser, secret, time.Time{})
	return secret, nil
}

// Bound is the hash of the binding cookie; zero where the browser has none, which
// no row holds.
func (c Cookies) Bound(r *http.Request) postern.Hash {
	if secret := Cookie(r, c.Browser); browserForm.Matches(secret) {
		return secret.Hash()
	}
	return postern.Hash{}
}
