package web

import (
	"net/http"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/ui"
)

// showSignIn is for people who come by themselves; a question asks who is there
// at its own address.
func (d *Door) showSignIn(w http.ResponseWriter, r *http.Request) error {
	session, err := d.session(r)
	if err != nil {
		return err
	}
	if session != nil {
		return redirect(w, r, "/connections")
	}
	return d.askWhoYouAre(w, r, http.StatusOK, nil, &ui.SignInPage{})
}

// askWhoYouAre shows the sign-in form, for a question or for none.
func (d *Door) askWhoYouAre(w http.ResponseWriter, r *http.Request, status int, q *question, page *ui.SignInPage) error {
	bound, err := d.bind(w, r)
	if err != nil {
		return err
	}
	if q != nil {
		page.Ticket, page.App = string(q.secret), q.app
		if page.Email == "" && strings.Contains(q.LoginHint, "@") {
			page.Email = q.LoginHint
		}
		// A stored consent answers right after the sign-in, by redirect.
		q.mayLeadOn(w.Header())
	}
	page.Token = browser.FormToken(bound, toSignIn, page.Ticket)
	d.write(w, r, status, page)
	return nil
}

func (d *Door) signIn(w http.ResponseWriter, r *http.Request) error {
	form, err := browser.Fields(r, "email", "password", "ticket")
	if err != nil {
		return err
	}
	email, password, ticket := form[0], form[1], form[2]
	q := d.waiting(r, ticket)
	if err := d.cookies.Proved(r, toSignIn, ticket); err != nil {
		return d.askWhoYouAre(w, r, http.StatusForbidden, q, &ui.SignInPage{
			Email: email, Problem: ui.Say("This page was open too long, or cookies are off. Please sign in again."),
		})
	}
	in, err := d.People.SignIn(r.Context(), identity.SignIn{
		Email: email, Password: postern.Secret(password),
		Device: browser.Cookie(r, d.cookies.Device), Address: d.Address(r),
	})
	if err != nil {
		return d.askAgain(w, r, q, email, err)
	}
	if err := d.endSession(r); err != nil {
		return err
	}
	d.begin(w, in)
	if q != nil && q.Asks("login") {
		// From here on the question is this person's; somebody else's stays so, and
		// its own page says that.
		if err := d.Engine.ShowTicket(r.Context(), q.Ticket, in.User.ID); err != nil && !postern.Is(err, postern.Forbidden) {
			return err
		}
	}
	return redirect(w, r, next(ticket))
}

// askAgain says calmly why nobody is signed in, and keeps the e-mail.
func (d *Door) askAgain(w http.ResponseWriter, r *http.Request, q *question, email string, err error) error {
	page := &ui.SignInPage{Email: email}
	switch e := asError(err); {
	case e == nil:
		return err
	case e.Kind == postern.AccessDenied:
		page.Problem = ui.Say("The e-mail or the password is not right. Please try again.")
		return d.askWhoYouAre(w, r, http.StatusOK, q, page)
	case e.Kind == postern.RateLimited:
		w.Header().Set("Retry-After", browser.RetryAfter(e.RetryAfter))
		page.Problem = ui.Say("There were too many attempts for this e-mail. Please try again in %s.", ui.Wait(e.RetryAfter))
		return d.askWhoYouAre(w, r, http.StatusTooManyRequests, q, page)
	}
	return err
}

// begin gives the browser its session. The old one is gone: a session never
// survives a change of who is there (attacks.md LC-01).
func (d *Door) begin(w http.ResponseWriter, in *identity.SignedIn) {
	d.cookies.Set(w, d.cookies.Session, in.Session, in.ExpiresAt)
	if in.Device != "" {
		d.cookies.Set(w, d.cookies.Device, in.Device, d.Now().Add(browser.DeviceLife))
	}
}

func (d *Door) endSession(r *http.Request) error {
	secret := browser.Cookie(r, d.cookies.Session)
	if !postern.SessionForm.Matches(secret) {
		return nil
	}
	if err := d.People.SignOut(r.Context(), secret); !postern.Is(err, postern.NotFound) {
		return err
	}
	return nil
}

// next is where a sign-in goes on: to the question that waits, else to the
// person's connections. No address is taken from a request.
func next(ticket string) string {
	if postern.TicketForm.Matches(postern.Secret(ticket)) {
		return "/consent/" + ticket
	}
	return "/connections"
}

// signedIn is the session, or a redirect to the sign-in form.
func (d *Door) signedIn(w http.ResponseWriter, r *http.Request) (*postern.Session, error) {
	session, err := d.session(r)
	if err == nil && session == nil {
		return nil, redirect(w, r, "/login")
	}
	return session, err
}

func (d *Door) showSignOut(w http.ResponseWriter, r *http.Request) error {
	session, err := d.session(r)
	if err != nil {
		return err
	}
	page := &ui.SignOutPage{}
	if session != nil {
		page.User = &session.User
		if page.Token, err = d.signOutToken(w, r, session); err != nil {
			return err
		}
	}
	d.write(w, r, http.StatusOK, page)
	return nil
}

func (d *Door) signOutToken(w http.ResponseWriter, r *http.Request, s *postern.Session) (string, error) {
	bound, err := d.bind(w, r)
	return browser.FormToken(bound, toSignOut, browser.HashText(s.Hash)), err
}

// signOut ends the session. From a question's page ("not you?") it leads back
// to the question, which somebody else may answer then.
func (d *Door) signOut(w http.ResponseWriter, r *http.Request) error {
	session, err := d.session(r)
	if err != nil {
		return err
	}
	if session == nil {
		d.cookies.Clear(w, d.cookies.Session)
		return redirect(w, r, "/logout")
	}
	if err := d.cookies.Proved(r, toSignOut, browser.HashText(session.Hash)); err != nil {
		return err
	}
	ticket, err := browser.Field(r, "ticket")
	if err != nil {
		return err
	}
	if q := d.waiting(r, ticket); q != nil {
		if err := d.Rows.ReleaseTicket(r.Context(), q.Hash, session.User.ID); err != nil {
			return err
		}
	}
	if err := d.endSession(r); err != nil {
		return err
	}
	d.cookies.Clear(w, d.cookies.Session)
	if to := next(ticket); to != "/connections" {
		return redirect(w, r, to)
	}
	return redirect(w, r, "/logout")
}
