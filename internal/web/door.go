// Package web is the door of end users' browsers: sign-in, consent, the page of
// an account's connections, passwords. It reads a request, asks a rule, and
// shows a page of package ui. What is allowed is the rules' affair.
//
// The browser flow is a row: the consent ticket. Every step comes back to
// /consent/{ticket}, which alone knows the next one.
package web

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/ui"
)

// Engine is what the pages ask of the rules of consent (*oauth.Rules).
type Engine interface {
	Ticket(ctx context.Context, secret postern.Secret) (*postern.Ticket, *postern.App, error)
	ShowTicket(ctx context.Context, t *postern.Ticket, userID string) error
	Decide(ctx context.Context, d *oauth.Decision) (*oauth.Granted, error)
	Refuse(ctx context.Context, t *postern.Ticket, kind postern.Kind) error
	Remembered(ctx context.Context, terms *oauth.Terms, t *postern.Ticket, app *postern.App, userID, accountID string) (bool, error)
	Disconnect(ctx context.Context, user postern.User, connectionID, address string) error
}

// People is what the pages ask of the rules of identity (*identity.Rules).
type People interface {
	SignIn(ctx context.Context, q identity.SignIn) (*identity.SignedIn, error)
	Session(ctx context.Context, session postern.Secret) (*postern.Session, error)
	SignOut(ctx context.Context, session postern.Secret) error
	Memberships(ctx context.Context, userID string) ([]postern.Membership, error)
	ChangePassword(ctx context.Context, s *postern.Session, old, new, device postern.Secret, address string) (*identity.SignedIn, error)
	ResetUser(ctx context.Context, link postern.Secret) (*postern.User, error)
	Reset(ctx context.Context, link, new postern.Secret, address string) error
}

// Rows are the reads that pages make for themselves, and the one thing they
// write.
type Rows interface {
	// ScopeCatalogue is every scope, in the operator's order.
	ScopeCatalogue(ctx context.Context) ([]postern.Scope, error)
	// Connections are the live connections that a person sees: those of the
	// accounts they belong to, and their own; of one app, or ("") of all.
	Connections(ctx context.Context, userID, appID string) ([]postern.Listing, error)
	// LookChanged is when the app's name, logo, site or redirect URLs last changed,
	// and when this person last gave it a consent that is remembered (zero: never).
	LookChanged(ctx context.Context, appID, userID string) (changed, approved time.Time, err error)
	// MembersWithRoles are active members of an account who have one of these
	// roles, by name, up to limit.
	MembersWithRoles(ctx context.Context, accountID string, roles []string, limit int) ([]postern.User, error)
	// Logo reads a logo, a PNG; NotFound.
	Logo(ctx context.Context, appID, hash string) ([]byte, error)
	// ReleaseTicket undoes ShowTicket for the person it was shown to, who wants
	// somebody else to answer. An answered ticket stays as it is.
	ReleaseTicket(ctx context.Context, ticket postern.Hash, userID string) error
}

// Wire is how answers are said in the dialect of a ticket (*dialect.Dialect).
type Wire interface {
	Terms() *oauth.Terms
	Allowed(g *oauth.Granted, issuer string) string
	Refused(r *oauth.Refusal, issuer string) string
}

// Config is what the door is given. All of it is needed.
type Config struct {
	PublicURL string // the origin that people use; also the issuer
	Pages     *ui.Pages
	Engine    Engine
	People    People
	Rows      Rows
	Wire      func(dialect string) (Wire, bool)
	Now       func() time.Time
	Random    io.Reader
	Log       *slog.Logger
	// Address is the client's address, as far as proxies are trusted.
	Address func(*http.Request) string
	// RequestID names the request in pages and logs.
	RequestID func(*http.Request) string
	// Seen, if set, hears of every answer to an app's question.
	Seen func(context.Context, dialect.Seen)
}

// Door serves the pages of end users.
type Door struct {
	Config
	cookies browser.Cookies
	headers ui.Headers
	handler http.Handler
}

// New checks the configuration and builds the door.
func New(c Config) (*Door, error) {
	origin, err := url.Parse(c.PublicURL)
	if err != nil {
		return nil, err
	}
	https := origin.Scheme == "https"
	d := &Door{Config: c, cookies: browser.CookiesFor(https, ""), headers: ui.Headers{HTTPS: https}}
	mux, err := browser.NewMux(origin, d.refuse)
	if err != nil {
		return nil, err
	}
	for pattern, handle := range map[string]page{
		"GET /{$}":                          d.front,
		"GET /login":                        d.showSignIn,
		"POST /login":                       d.signIn,
		"GET /logout":                       d.showSignOut,
		"POST /logout":                      d.signOut,
		"GET /consent/{ticket}":             d.showConsent,
		"POST /consent/{ticket}":            d.answerConsent,
		"GET /connections":                  d.connections,
		"GET /connections/{id}/disconnect":  d.showDisconnect,
		"POST /connections/{id}/disconnect": d.disconnect,
		"GET /logos/{app}/{file}":           d.logo,
		"GET /password":                     d.showPassword,
		"POST /password":                    d.changePassword,
		"GET /reset/{token}":                d.showReset,
		"POST /reset/{token}":               d.reset,
	} {
		mux.Handle(pattern, d.serve(handle))
	}
	d.handler = d.headers.Wrap(d.withAssets(mux))
	return d, nil
}

// Secure is the middleware that sets every page's headers; the server wraps
// other doors' pages in it too.
func (d *Door) Secure(next http.Handler) http.Handler { return d.headers.Wrap(next) }

// ServeHTTP serves every path that no other door has: its own pages, assets,
// and a page for what is not there.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.handler.ServeHTTP(w, r) }

// withAssets answers what no page is: the files that pages name.
func (d *Door) withAssets(pages http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		reads := r.Method == http.MethodGet || r.Method == http.MethodHead
		if reads && d.Pages.Assets.Serve(w, r) {
			return
		}
		pages.ServeHTTP(w, r)
	})
}

// refuse answers people with a page, and programs, which mostly come here by a slip
// in a wire's address, in words for them.
func (d *Door) refuse(w http.ResponseWriter, r *http.Request, status int, err *postern.Error) {
	switch {
	case browser.ForPeople(r) || status == http.StatusForbidden:
		d.Error(w, r, status, err)
	case status == http.StatusMethodNotAllowed:
		browser.TellMachine(w, status, "method_not_allowed", err.Msg)
	default:
		browser.TellMachine(w, status, "not_found", "There is no endpoint at this address. Compare its path with the one in the guide.")
	}
}

// maxForm bounds what is read of a form: the largest has a few hundred bytes.
const maxForm = 64 << 10

// page is a handler that may fail; the failure becomes a page.
type page func(w http.ResponseWriter, r *http.Request) error

func (d *Door) serve(handle page) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, maxForm)
		if err := browser.ReadForm(r); err != nil {
			d.fail(w, r, err)
			return
		}
		if err := handle(w, r); err != nil {
			d.fail(w, r, err)
		}
	})
}

// front is for those who come without a question.
func (d *Door) front(w http.ResponseWriter, r *http.Request) error {
	session, err := d.session(r)
	if err != nil {
		return err
	}
	if session != nil {
		return redirect(w, r, "/connections")
	}
	return d.Pages.Write(w, r, http.StatusOK, &ui.MessagePage{
		Heading: ui.Say("Connected apps"),
		What:    ui.Say("Here you see which apps may act for your account, and end what you no longer need."),
		Do:      ui.Say("To connect a new app, start at the app: it will send you here to decide."),
		Link:    "/login", LinkText: ui.Say("Sign in"), Front: true,
	})
}

// redirect goes on to one of our own paths.
func redirect(w http.ResponseWriter, r *http.Request, path string) error {
	http.Redirect(w, r, path, http.StatusSeeOther)
	return nil
}
