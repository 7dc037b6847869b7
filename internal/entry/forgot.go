package entry

import (
	"net/http"

	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/ui"
)

const toForget browser.Purpose = "staff forgot password"

// showForgot asks for an e-mail. Where nobody can be written to, it says whom to
// ask.
func (e *Entry) showForgot(w http.ResponseWriter, r *http.Request) error {
	if !e.People.Mails() {
		return e.Show(w, r, http.StatusOK, &ui.SentPage{
			Heading: ui.Say("Forgot your password?"), Back: e.Prefix + "/login",
			Says: []ui.Text{ui.Say("Ask the people who run this service for a link to set a new one.")},
		})
	}
	token, err := e.Token(w, r, toForget, e.Prefix)
	if err != nil {
		return err
	}
	return e.Show(w, r, http.StatusOK, &ui.ForgotPage{Prefix: e.Prefix, Token: token})
}

// forgot says the same whether there is such a person or not.
func (e *Entry) forgot(w http.ResponseWriter, r *http.Request) error {
	if !e.People.Mails() {
		return e.showForgot(w, r)
	}
	if err := e.Proved(r, toForget, e.Prefix); err != nil {
		return err
	}
	email, err := browser.TrimmedFields(r, "email")
	if err != nil {
		return err
	}
	if err := e.People.Forgot(r.Context(), e.Realm, email[0], e.Address(r)); err != nil {
		return err
	}
	return e.Show(w, r, http.StatusOK, &ui.SentPage{
		Heading: ui.Say("Look into your mail"), Back: e.Prefix + "/login",
		Says: []ui.Text{
			ui.Say("If %s can sign in here, a link to set a new password is on its way there. It works once, and for a day.", email[0]),
			ui.Say("Nothing came after a few minutes? Look where unwanted mail goes, and whether the address is right."),
		},
	})
}
