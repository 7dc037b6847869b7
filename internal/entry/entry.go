// Package entry is what the doors of staff have in common: the sign-in, the
// frame around every page of somebody who is signed in, and the pages for what
// goes wrong. The portal has one Entry, the operators' console another; a
// session of one opens nothing of the other.
package entry

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/ui"
)

// Config is what an Entry is given.
type Config struct {
	Prefix    string // of all its paths: "/portal"
	Realm     postern.Realm
	PublicURL string // the origin that people use
	Pages     *ui.Pages
	People    People
	Registers bool // the sign-in page leads to a page to register
	Now       func() time.Time
	Random    io.Reader
	Log       *slog.Logger
	// Address is the client's address, as far as proxies are trusted.
	Address func(*http.Request) string
	// RequestID names the request in pages and logs.
	RequestID func(*http.Request) string
}

// People is what an entry asks of the rules of identity.
type People interface {
	// StaffSession gives the session of a cookie's value; NotFound.
	StaffSession(ctx context.Context, realm postern.Realm, session postern.Secret) (*postern.StaffSession, error)
	StaffSignIn(ctx context.Context, realm postern.Realm, in identity.SignIn) (*identity.StaffSignedIn, error)
	StaffSignOut(ctx context.Context, session postern.Secret) error
	StaffChangePassword(ctx context.Context, s *postern.StaffSession, old, new, device postern.Secret, address string) (*identity.StaffSignedIn, error)
	// StaffReset tells whose password a one-time link sets; NotFound.
	StaffReset(ctx context.Context, realm postern.Realm, link postern.Secret) (*postern.Staff, error)
	// Forgot mails a link to who forgot the password, whoever that may be.
	Forgot(ctx context.Context, realm postern.Realm, email, address string) error
	// Mails reports whether people can be written to.
	Mails() bool
	SpendStaffReset(ctx context.Context, realm postern.Realm, link, new postern.Secret, address string) error
}

// Entry serves the pages under one prefix.
type Entry struct {
	Config
	cookies browser.Cookies
	headers ui.Headers
	mux     *browser.Mux
	handler http.Handler
	uploads chan struct{} // those that are being read or worked on
}

// New builds an entry with the sign-in pages; the door adds its own by Handle.
func New(c Config) (*Entry, error) {
	origin, err := url.Parse(c.PublicURL)
	if err != nil {
		return nil, err
	}
	https := origin.Scheme == "https"
	e := &Entry{
		Config: c, cookies: browser.CookiesFor(https, path.Base(c.Prefix)), headers: ui.Headers{HTTPS: https},
		uploads: make(chan struct{}, mostUploads),
	}
	if e.mux, err = browser.NewMux(origin, e.Error); err != nil {
		return nil, err
	}
	e.handler = e.headers.Wrap(e.mux)
	e.Open("GET /login", e.showSignIn)
	e.Open("POST /login", e.signIn)
	e.Open("GET /logout", e.showSignOut)
	e.Open("POST /logout", e.signOut)
	e.Handle("GET /you", e.showYou)
	e.Handle("POST /you", e.changePassword)
	e.Open("GET /forgot", e.showForgot)
	e.Open("POST /forgot", e.forgot)
	e.Open("GET /reset/{token}", e.showReset)
	e.Open("POST /reset/{token}", e.reset)
	return e, nil
}

// ServeHTTP serves every path under the prefix.
func (e *Entry) ServeHTTP(w http.ResponseWriter, r *http.Request) { e.handler.ServeHTTP(w, r) }

// maxForm bounds what is read of a form without a file, of one that was held too:
// the largest that waits for a password is a key set of some 10 KiB.
const maxForm = 64 << 10

// mostUploads is how many larger forms are in memory at once.
const mostUploads = 32

// Open serves a page to whoever comes, signed in or not. The pattern is
// net/http's, with the path as it is under the prefix: "GET /login".
func (e *Entry) Open(pattern string, page func(w http.ResponseWriter, r *http.Request) error) {
	e.serve(pattern, func(w http.ResponseWriter, r *http.Request) error {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := browser.ReadForm(r); err != nil {
			return err
		}
		return page(w, r)
	})
}

func (e *Entry) serve(pattern string, page func(w http.ResponseWriter, r *http.Request) error) {
	e.mux.HandleFunc(e.under(pattern), func(w http.ResponseWriter, r *http.Request) {
		if err := page(w, r); err != nil {
			e.fail(w, r, err)
		}
	})
}

// Handle serves a page to those who are signed in. Others sign in first, and
// come back to it; the form that they sent goes on then.
func (e *Entry) Handle(pattern string, page func(v *Visit) error) {
	e.HandleUpload(pattern, maxForm, page, nil)
}

// HandleUpload is Handle for a form with files, of this many bytes at most. What
// is larger goes to large, which says so where the file was chosen; nothing of the
// form is read then, so nothing of it is proved. Nil: it is told on a page of its own.
func (e *Entry) HandleUpload(pattern string, most int64, page, large func(v *Visit) error) {
	e.serve(pattern, func(w http.ResponseWriter, r *http.Request) error {
		session, err := e.session(r)
		if err != nil {
			return err
		}
		r.Body = http.MaxBytesReader(w, r.Body, most)
		leave, err := e.read(r, most, session)
		defer leave()
		tooLarge := large != nil && session != nil && browser.TooLarge(err)
		if err != nil && !tooLarge {
			return err
		}
		bound, err := e.cookies.Bind(w, r, e.Random)
		if err != nil {
			return err
		}
		v := &Visit{W: w, R: r, Session: session, entry: e, bound: bound}
		switch {
		case tooLarge:
			return large(v)
		case r.PostForm.Has(heldField):
			if goOn, err := v.goOn(); !goOn || err != nil {
				return err
			}
		case session == nil:
			return v.signInFirst()
		}
		return page(v)
	})
}

// read reads a form of so many bytes. A large one takes them of memory until leave is
// called: of those who are signed in a few do so at once, of others none.
func (e *Entry) read(r *http.Request, most int64, session *postern.StaffSession) (leave func(), err error) {
	leave = func() {}
	if most <= maxForm || r.ContentLength >= 0 && r.ContentLength <= maxForm {
		return leave, browser.ReadForm(r)
	}
	if session == nil {
		_, err := io.Copy(io.Discard, r.Body) // else the answer might not be heard
		return leave, browser.ReadError(err)
	}
	select {
	case e.uploads <- struct{}{}:
		return func() { <-e.uploads }, browser.ReadForm(r)
	default:
		return leave, postern.Errorf(postern.Unavailable, "Too many files are on their way here at this moment. Try again in a few seconds.")
	}
}

// Optional serves a page to whoever comes; the session of a visit by somebody
// who is not signed in is nil.
func (e *Entry) Optional(pattern string, page func(v *Visit) error) {
	e.Open(pattern, func(w http.ResponseWriter, r *http.Request) error {
		session, err := e.session(r)
		if err != nil {
			return err
		}
		bound, err := e.cookies.Bind(w, r, e.Random)
		if err != nil {
			return err
		}
		return page(&Visit{W: w, R: r, Session: session, entry: e, bound: bound})
	})
}

// under puts a pattern under the prefix.
func (e *Entry) under(pattern string) string {
	method, rest, _ := strings.Cut(pattern, " ")
	if rest == "/" {
		rest = ""
	}
	return method + " " + e.Prefix + rest
}

// session is who is signed in; nil: nobody. The error is trouble of ours only.
func (e *Entry) session(r *http.Request) (*postern.StaffSession, error) {
	secret := browser.Cookie(r, e.cookies.Session)
	if !postern.SessionForm.Matches(secret) {
		return nil, nil
	}
	s, err := e.People.StaffSession(r.Context(), e.Realm, secret)
	if postern.Is(err, postern.NotFound) {
		return nil, nil
	}
	return s, err
}
