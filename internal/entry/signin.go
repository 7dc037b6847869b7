package entry

import (
	"errors"
	"net/http"
	"net/url"
	"path"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/ui"
)

const (
	toSignIn  browser.Purpose = "staff sign in"
	toSignOut browser.Purpose = "staff sign out"
	toChange  browser.Purpose = "staff change password"
	toReset   browser.Purpose = "staff reset password"
)

// signInFirst asks who is not signed in who they are, and holds the form that was
// sent. Where there is none to hold, the sign-in form leads back to the page.
func (v *Visit) signInFirst() error {
	if form := held(v.R); form != "" {
		return v.askWhoGoesOn(http.StatusOK, form, "", ui.Text{})
	}
	return v.entry.lead(v.W, v.R, "/login", url.Values{"to": {v.entry.back(v.R)}})
}

// lead redirects to a path under the prefix.
func (e *Entry) lead(w http.ResponseWriter, r *http.Request, path string, query url.Values) error {
	to := e.Prefix + path
	if len(query) > 0 {
		to += "?" + query.Encode()
	}
	http.Redirect(w, r, to, http.StatusSeeOther)
	return nil
}

// back is the page that a request came for. Of a form that was not held it is the page at its address, or the nearest above.
func (e *Entry) back(r *http.Request) string {
	to := r.URL.EscapedPath()
	if r.Method == http.MethodGet && r.URL.RawQuery != "" {
		to += "?" + r.URL.RawQuery
	}
	if _, of, _ := strings.Cut(r.Pattern, " "); r.Method == http.MethodPost {
		for of != e.Prefix && e.pageAt(&url.URL{Path: to}) != "GET "+of {
			to, of = path.Dir(to), path.Dir(of)
		}
	}
	return e.wanted(to)
}

// pageAt is the pattern of the page at an address; "": there is none.
func (e *Entry) pageAt(u *url.URL) string {
	_, pattern := e.mux.Handler(&http.Request{Method: http.MethodGet, URL: u})
	return pattern
}

// longestWay bounds an address to come back to.
const longestWay = 2048

// wanted is the page to go on to after a sign-in: one of our own that can be
// got, else the first. So a link to the sign-in leads nowhere else, whatever
// its maker wrote into it.
func (e *Entry) wanted(to string) string {
	u, err := url.Parse(to)
	if err != nil || len(to) > longestWay || !strings.HasPrefix(to, e.Prefix) ||
		u.Path != e.Prefix && !strings.HasPrefix(u.Path, e.Prefix+"/") ||
		path.Clean(u.Path) != u.Path || strings.ContainsAny(u.Path, "\\\r\n") || u.Fragment != "" {
		return e.Prefix
	}
	if e.pageAt(u) == "" {
		return e.Prefix
	}
	return u.RequestURI()
}

func (e *Entry) showSignIn(w http.ResponseWriter, r *http.Request) error {
	session, err := e.session(r)
	if err != nil {
		return err
	}
	query := r.URL.Query()
	page := &ui.StaffSignInPage{To: e.wanted(query.Get("to"))}
	if session != nil {
		http.Redirect(w, r, page.To, http.StatusSeeOther)
		return nil
	}
	if query.Get("done") == "password" {
		page.Done = ui.Say("Your new password is set. Sign in with it.")
	}
	return e.askWhoYouAre(w, r, http.StatusOK, page)
}

// askWhoYouAre shows the sign-in form.
func (e *Entry) askWhoYouAre(w http.ResponseWriter, r *http.Request, status int, page *ui.StaffSignInPage) (err error) {
	page.Prefix, page.Action, page.Register = e.Prefix, e.Prefix+"/login", e.Registers
	page.Token, err = e.Token(w, r, toSignIn, e.Prefix, page.To)
	if err != nil {
		return err
	}
	return e.Show(w, r, status, page)
}

func (e *Entry) signIn(w http.ResponseWriter, r *http.Request) error {
	form, err := browser.Fields(r, "email", "password", "to")
	if err != nil {
		return err
	}
	page := &ui.StaffSignInPage{Email: form[0], To: e.wanted(form[2])}
	if err := e.Proved(r, toSignIn, e.Prefix, form[2]); err != nil {
		page.Problem = ui.Say("This page was open too long, or cookies are off. Please sign in again.")
		return e.askWhoYouAre(w, r, http.StatusForbidden, page)
	}
	in, err := e.People.StaffSignIn(r.Context(), e.Realm, identity.SignIn{
		Email: form[0], Password: postern.Secret(form[1]), Device: e.Device(r), Address: e.Address(r),
	})
	if err != nil {
		status := 0
		if page.Problem, status = e.SignInProblem(w, err); status == 0 {
			return err
		}
		return e.askWhoYouAre(w, r, status, page)
	}
	if err := e.Begin(w, r, in); err != nil {
		return err
	}
	http.Redirect(w, r, page.To, http.StatusSeeOther)
	return nil
}

// SignInProblem says calmly why nobody is signed in; a zero status: the error
// is none that a person can mend.
func (e *Entry) SignInProblem(w http.ResponseWriter, err error) (problem ui.Text, status int) {
	known, _ := errors.AsType[*postern.Error](err)
	switch {
	case known == nil:
	case known.Kind == postern.AccessDenied:
		return ui.Say("The e-mail or the password is not right. Please try again."), http.StatusOK
	case known.Kind == postern.RateLimited:
		w.Header().Set("Retry-After", browser.RetryAfter(known.RetryAfter))
		return ui.Say("There were too many attempts for this e-mail. Please try again in %s.", ui.Wait(known.RetryAfter)), http.StatusTooManyRequests
	}
	return ui.Text{}, 0
}

// Begin gives the browser its session. The one that it had is ended: a session
// never survives a change of who is there (attacks.md LC-01).
func (e *Entry) Begin(w http.ResponseWriter, r *http.Request, in *identity.StaffSignedIn) error {
	if old := browser.Cookie(r, e.cookies.Session); old != "" {
		if err := e.People.StaffSignOut(r.Context(), old); err != nil {
			return err
		}
	}
	e.cookies.Set(w, e.cookies.Session, in.Session, in.ExpiresAt)
	e.cookies.Set(w, e.cookies.Device, in.Device, e.Now().Add(browser.DeviceLife))
	return nil
}

func (e *Entry) showSignOut(w http.ResponseWriter, r *http.Request) error {
	session, err := e.session(r)
	if err != nil {
		return err
	}
	page := &ui.StaffSignOutPage{Prefix: e.Prefix}
	if session != nil {
		page.Staff = &session.Staff
		if page.Token, err = e.Token(w, r, toSignOut, session.Staff.ID); err != nil {
			return err
		}
	}
	return e.Show(w, r, http.StatusOK, page)
}

func (e *Entry) signOut(w http.ResponseWriter, r *http.Request) error {
	session, err := e.session(r)
	if err != nil {
		return err
	}
	if session != nil {
		if err := e.Proved(r, toSignOut, session.Staff.ID); err != nil {
			return err
		}
		if err := e.People.StaffSignOut(r.Context(), browser.Cookie(r, e.cookies.Session)); err != nil {
			return err
		}
	}
	e.cookies.Clear(w, e.cookies.Session)
	return e.lead(w, r, "/logout", nil)
}
