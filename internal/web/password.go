package web

import (
	"net/http"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/ui"
)

func (d *Door) showPassword(w http.ResponseWriter, r *http.Request) error {
	s, err := d.signedIn(w, r)
	if s == nil {
		return err
	}
	return d.askForPassword(w, r, http.StatusOK, s, ui.Text{})
}

func (d *Door) askForPassword(w http.ResponseWriter, r *http.Request, status int, s *postern.Session, problem ui.Text) error {
	bound, err := d.bind(w, r)
	if err != nil {
		return err
	}
	d.write(w, r, status, &ui.PasswordPage{
		Token:        browser.FormToken(bound, toChange, browser.HashText(s.Hash)),
		SignOutToken: browser.FormToken(bound, toSignOut, browser.HashText(s.Hash)),
		User:         s.User, Problem: problem,
	})
	return nil
}

// changePassword also changes the session, and ends all others.
func (d *Door) changePassword(w http.ResponseWriter, r *http.Request) error {
	s, err := d.signedIn(w, r)
	if s == nil {
		return err
	}
	if err := d.cookies.Proved(r, toChange, browser.HashText(s.Hash)); err != nil {
		return err
	}
	form, err := browser.Fields(r, "password", "new_password", "new_password_again")
	if err != nil {
		return err
	}
	if form[1] != form[2] {
		return d.askForPassword(w, r, http.StatusOK, s, notTheSame)
	}
	in, err := d.People.ChangePassword(r.Context(), s,
		postern.Secret(form[0]), postern.Secret(form[1]), browser.Cookie(r, d.cookies.Device), d.Address(r))
	if problem, status := passwordProblem(w, err); problem.Format != "" {
		return d.askForPassword(w, r, status, s, problem)
	}
	if err != nil {
		return err
	}
	d.begin(w, in)
	return redirect(w, r, "/connections?done=password")
}

var notTheSame = ui.Say("The two new passwords are not the same. Please type them again.")

// passwordProblem is what a person can mend; an empty Text otherwise.
func passwordProblem(w http.ResponseWriter, err error) (problem ui.Text, status int) {
	switch e := asError(err); {
	case e == nil:
		return ui.Text{}, 0
	case e.Kind == postern.AccessDenied:
		return ui.Say("The current password is not right. Please try again."), http.StatusOK
	case e.Kind == postern.RateLimited:
		w.Header().Set("Retry-After", browser.RetryAfter(e.RetryAfter))
		return ui.Say("There were too many attempts. Please try again in %s.", ui.Wait(e.RetryAfter)), http.StatusTooManyRequests
	case e.Kind == postern.InvalidRequest && e.Msg != "":
		return ui.SayError(e), http.StatusOK
	}
	return ui.Text{}, 0
}

func (d *Door) showReset(w http.ResponseWriter, r *http.Request) error {
	return d.askForNew(w, r, http.StatusOK, ui.Text{})
}

// askForNew shows the form of a one-time link. Looking does not use it up.
func (d *Door) askForNew(w http.ResponseWriter, r *http.Request, status int, problem ui.Text) error {
	link := postern.Secret(r.PathValue("token"))
	user, err := d.People.ResetUser(r.Context(), link)
	if postern.Is(err, postern.NotFound) {
		return &postern.Error{Kind: deadLink}
	}
	if err != nil {
		return err
	}
	bound, err := d.bind(w, r)
	if err != nil {
		return err
	}
	d.write(w, r, status, &ui.ResetPage{
		Token: browser.FormToken(bound, toReset, browser.HashText(link.Hash())),
		Link:  "/reset/" + string(link), Email: user.Email, Problem: problem,
	})
	return nil
}

// reset sets the password, once. The person signs in with it: the link proves
// who may set it, not who is at this browser later.
func (d *Door) reset(w http.ResponseWriter, r *http.Request) error {
	link := postern.Secret(r.PathValue("token"))
	if err := d.cookies.Proved(r, toReset, browser.HashText(link.Hash())); err != nil {
		return err
	}
	form, err := browser.Fields(r, "new_password", "new_password_again")
	if err != nil {
		return err
	}
	if form[0] != form[1] {
		return d.askForNew(w, r, http.StatusOK, notTheSame)
	}
	err = d.People.Reset(r.Context(), link, postern.Secret(form[0]), d.Address(r))
	if problem, status := passwordProblem(w, err); problem.Format != "" {
		return d.askForNew(w, r, status, problem)
	}
	if postern.Is(err, postern.NotFound) {
		return &postern.Error{Kind: deadLink}
	}
	if err != nil {
		return err
	}
	d.cookies.Clear(w, d.cookies.Session)
	d.write(w, r, http.StatusOK, &ui.MessagePage{
		Heading: ui.Say("Your password is set"), What: ui.Say("You are signed out everywhere. Connected apps stay connected."),
		Link: "/login", LinkText: ui.Say("Sign in"),
	})
	return nil
}
