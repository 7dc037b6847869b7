package entry

import (
	"encoding/base64"
	"net/http"
	"net/url"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/ui"
)

// The password is asked for once more where it matters. The form that was sent
// is held in the page that asks, and goes on as soon as the password is right, so
// that nobody fills in anything twice.

const toGiveAgain browser.Purpose = "staff password again"

// heldField has the form that waits, as base64url of its encoding.
const heldField = "held"

// AskAgain asks for the password, and holds the form of this visit meanwhile.
func (v *Visit) AskAgain() error {
	held := base64.RawURLEncoding.EncodeToString([]byte(v.R.PostForm.Encode()))
	return v.entry.askAgain(v, http.StatusOK, &ui.StaffAgainPage{Held: held})
}

func (e *Entry) askAgain(v *Visit, status int, page *ui.StaffAgainPage) error {
	page.StaffFrame, page.Action, page.Token = v.Frame(""), v.R.URL.Path, v.Token(toGiveAgain, v.R.URL.Path)
	return v.Show(status, page)
}

// giveAgain takes the password, and makes the visit that of the form that was
// held: in a new session, as after any sign-in (attacks.md LC-01). It returns
// false where it has answered itself.
func (v *Visit) giveAgain() (goOn bool, err error) {
	e := v.entry
	if err := v.Proved(toGiveAgain, v.R.URL.Path); err != nil {
		return false, err
	}
	said, err := v.Fields("password", heldField)
	if err != nil {
		return false, err
	}
	in, err := e.People.StaffSignIn(v.R.Context(), e.Realm, identity.SignIn{
		Email: v.Staff().Email, Password: postern.Secret(said[0]), Device: e.Device(v.R), Address: e.Address(v.R),
	})
	if problem, status := e.SignInProblem(v.W, err); status != 0 {
		if postern.Is(err, postern.AccessDenied) { // the e-mail is not theirs to mistype
			problem = ui.Say("The password is not right. Please try again.")
		}
		return false, e.askAgain(v, status, &ui.StaffAgainPage{Held: said[1], Problem: problem})
	}
	if err != nil {
		return false, err
	}
	if err := e.Begin(v.W, v.R, in); err != nil {
		return false, err
	}
	if v.Session, err = e.People.StaffSession(v.R.Context(), e.Realm, in.Session); err != nil {
		return false, err
	}
	return true, unhold(v.R, said[1])
}

// unhold makes a request the one whose form was held. Its token is with it, and
// is looked at as ever.
func unhold(r *http.Request, held string) error {
	text, err := base64.RawURLEncoding.DecodeString(held)
	if err == nil {
		r.PostForm, err = url.ParseQuery(string(text))
	}
	if err != nil {
		return postern.Wrap(postern.InvalidRequest, err)
	}
	r.Form = r.PostForm
	return nil
}
