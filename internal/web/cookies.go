package web

import (
	"net/http"
	"time"

	"postern.dev/postern"
)

// cookieNames: __Host- means Secure, Path=/ and no Domain, so a neighbouring
// host can neither set nor read them.
type cookieNames struct {
	browser string // binds a question to the browser that asked
	session string // who is signed in
	device  string // this browser has signed in as somebody before
	secure  bool
}

func namesFor(https bool) cookieNames {
	prefix := ""
	if https {
		prefix = "__Host-"
	}
	return cookieNames{prefix + "postern_browser", prefix + "postern_session", prefix + "postern_device", https}
}

// deviceLife is the longest that browsers keep a cookie.
const deviceLife = 400 * 24 * time.Hour

// browserForm: 43 base62 characters hold 256 random bits.
var browserForm = postern.Form{Alphabet: postern.Base62, Length: 43}

func (n cookieNames) set(w http.ResponseWriter, name string, value postern.Secret, expires time.Time) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: string(value), Path: "/", Expires: expires,
		HttpOnly: true, Secure: n.secure, SameSite: http.SameSiteLaxMode,
	})
}

func (n cookieNames) clear(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Path: "/", MaxAge: -1, HttpOnly: true, Secure: n.secure, SameSite: http.SameSiteLaxMode,
	})
}

func cookie(r *http.Request, name string) postern.Secret {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return postern.Secret(c.Value)
}

// Browser is the binding cookie's hash. A browser that has none gets one.
func (d *Door) Browser(w http.ResponseWriter, r *http.Request) (postern.Hash, error) {
	secret, err := d.browser(w, r)
	return secret.Hash(), err
}

func (d *Door) browser(w http.ResponseWriter, r *http.Request) (postern.Secret, error) {
	if secret := cookie(r, d.cookies.browser); browserForm.Matches(secret) {
		return secret, nil
	}
	secret, err := browserForm.Mint(d.Random)
	if err != nil {
		return "", postern.Wrap(postern.ServerError, err)
	}
	d.cookies.set(w, d.cookies.browser, secret, time.Time{}) // until the browser closes
	return secret, nil
}

// session is who is signed in; nil: nobody. The error is trouble of ours only.
func (d *Door) session(r *http.Request) (*postern.Session, error) {
	secret := cookie(r, d.cookies.session)
	if !postern.SessionForm.Matches(secret) {
		return nil, nil
	}
	s, err := d.People.Session(r.Context(), secret)
	if postern.Is(err, postern.NotFound) {
		return nil, nil
	}
	return s, err
}
