package entry

import (
	"net/http"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/ui"
)

// Token is Visit.Token for forms of those who are not signed in: only this
// browser can send them.
func (e *Entry) Token(w http.ResponseWriter, r *http.Request, p browser.Purpose, about ...string) (string, error) {
	bound, err := e.cookies.Bind(w, r, e.Random)
	if err != nil {
		return "", err
	}
	return browser.FormToken(bound, p, about...), nil
}

// Proved is Visit.Proved for them.
func (e *Entry) Proved(r *http.Request, p browser.Purpose, about ...string) error {
	return e.cookies.Proved(r, p, about...)
}

// Show answers with a page.
func (e *Entry) Show(w http.ResponseWriter, r *http.Request, status int, page ui.Page) error {
	e.write(w, r, status, page)
	return nil
}

// Device is the name that the browser was given at an earlier sign-in.
func (e *Entry) Device(r *http.Request) postern.Secret { return browser.Cookie(r, e.cookies.Device) }

// Visitor is who is signed in; nil: nobody.
func (e *Entry) Visitor(r *http.Request) (*postern.StaffSession, error) { return e.session(r) }
