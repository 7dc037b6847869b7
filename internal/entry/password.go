package entry

import (
	"errors"
	"net/http"
	"net/url"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/ui"
)

func (e *Entry) showYou(v *Visit) error { return e.askForChange(v, http.StatusOK, ui.Text{}) }

func (e *Entry) askForChange(v *Visit, status int, problem ui.Text) error {
	page := &ui.StaffYouPage{StaffFrame: v.Frame("you"), Token: v.Token(toChange), Since: v.Session.SignedIn, Problem: problem}
	if v.R.URL.Query().Get("done") == "password" {
		page.Done = ui.Say("Your password is changed. You are signed out everywhere else.")
	}
	return v.Show(status, page)
}

// changePassword also changes the session, and ends all others.
func (e *Entry) changePassword(v *Visit) error {
	if err := v.Proved(toChange); err != nil {
		return err
	}
	form, err := v.Fields("password", "new_password", "new_password_again")
	if err != nil {
		return err
	}
	if form[1] != form[2] {
		return e.askForChange(v, http.StatusOK, notTheSame)
	}
	in, err := e.People.StaffChangePassword(v.R.Context(), v.Session,
		postern.Secret(form[0]), postern.Secret(form[1]), e.Device(v.R), v.Address())
	if problem, status := e.PasswordProblem(v.W, err); status != 0 {
		return e.askForChange(v, status, problem)
	}
	if err != nil {
		return err
	}
	if err := e.Begin(v.W, v.R, in); err != nil {
		return err
	}
	return e.lead(v.W, v.R, "/you", url.Values{"done": {"password"}})
}

var notTheSame = ui.Say("The two new passwords are not the same. Please type them again.")

// PasswordProblem is what a person can mend about a password; a zero status:
// nothing.
func (e *Entry) PasswordProblem(w http.ResponseWriter, err error) (problem ui.Text, status int) {
	known, _ := errors.AsType[*postern.Error](err)
	switch {
	case known == nil:
	case known.Kind == postern.AccessDenied:
		return ui.Say("The current password is not right. Please try again."), http.StatusOK
	case known.Kind == postern.RateLimited:
		w.Header().Set("Retry-After", browser.RetryAfter(known.RetryAfter))
		return ui.Say("There were too many attempts. Please try again in %s.", ui.Wait(known.RetryAfter)), http.StatusTooManyRequests
	case known.Kind == postern.InvalidRequest && known.Msg != "":
		return ui.Say("%s", known.Msg), http.StatusOK
	}
	return ui.Text{}, 0
}

func (e *Entry) showReset(w http.ResponseWriter, r *http.Request) error {
	return e.askForNew(w, r, http.StatusOK, ui.Text{})
}

// askForNew shows the form of a one-time link. Looking does not use it up.
func (e *Entry) askForNew(w http.ResponseWriter, r *http.Request, status int, problem ui.Text) error {
	link := postern.Secret(r.PathValue("token"))
	staff, err := e.People.StaffReset(r.Context(), e.Realm, link)
	if err != nil {
		return err
	}
	token, err := e.Token(w, r, toReset, browser.HashText(link.Hash()))
	if err != nil {
		return err
	}
	return e.Show(w, r, status, &ui.StaffResetPage{
		Token: token, Link: e.Prefix + "/reset/" + string(link), Email: staff.Email, Problem: problem,
	})
}

// reset sets the password, once. The person signs in with it: the link proves
// who may set it, not who is at this browser later.
func (e *Entry) reset(w http.ResponseWriter, r *http.Request) error {
	link := postern.Secret(r.PathValue("token"))
	if err := e.Proved(r, toReset, browser.HashText(link.Hash())); err != nil {
		return err
	}
	form, err := browser.Fields(r, "new_password", "new_password_again")
	if err != nil {
		return err
	}
	if form[0] != form[1] {
		return e.askForNew(w, r, http.StatusOK, notTheSame)
	}
	err = e.People.SpendStaffReset(r.Context(), e.Realm, link, postern.Secret(form[0]), e.Address(r))
	if problem, status := e.PasswordProblem(w, err); status != 0 {
		return e.askForNew(w, r, status, problem)
	}
	if err != nil {
		return err
	}
	e.cookies.Clear(w, e.cookies.Session)
	return e.lead(w, r, "/login", url.Values{"done": {"password"}})
}
