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

// The password is asked for once more where it matters, and whoever was signed out
// meanwhile is asked who they are. The form that was sent is held in the page that
// asks, and goes on as soon as the password is right, so that nobody fills in
// anything twice.

const toGoOn browser.Purpose = "staff go on"

// heldField has the form that waits, as base64url of its encoding.
const heldField = "held"

// mostHeld leaves room for the page's own fields in a form of maxForm.
const mostHeld = maxForm - 8<<10

// held is the form of a request as a page can hold it; "": it holds none. A
// password is not held, nor is a file.
func held(r *http.Request) string {
	if !r.PostForm.Has(browser.TokenField) || r.PostForm.Has("password") || r.MultipartForm != nil && len(r.MultipartForm.File) > 0 {
		return ""
	}
	if text := base64.RawURLEncoding.EncodeToString([]byte(r.PostForm.Encode())); len(text) <= mostHeld {
		return text
	}
	return ""
}

// AskAgain asks for the password, and holds the form of this visit meanwhile.
func (v *Visit) AskAgain() error {
	return v.askWhoGoesOn(http.StatusOK, held(v.R), v.Staff().Email, ui.Text{})
}

// askWhoGoesOn asks for the password of whoever is signed in, and of anyone else
// who they are.
func (v *Visit) askWhoGoesOn(status int, held, email string, problem ui.Text) error {
	action := v.R.URL.Path
	token := browser.FormToken(v.bound, toGoOn, action)
	if v.Session == nil {
		return v.Show(status, &ui.StaffSignInPage{Prefix: v.entry.Prefix, Action: action, Token: token, Held: held, Email: email, Problem: problem})
	}
	return v.Show(status, &ui.StaffAgainPage{StaffFrame: v.Frame(""), Action: action, Token: token, Held: held, Problem: problem})
}

// goOn takes the password, and makes the visit that of the form that was held: in
// a new session, as after any sign-in (attacks.md LC-01). It returns false where
// it has answered itself.
func (v *Visit) goOn() (bool, error) {
	e := v.entry
	if err := e.Proved(v.R, toGoOn, v.R.URL.Path); err != nil {
		return false, err
	}
	said, err := v.Fields("email", "password", heldField)
	if err != nil {
		return false, err
	}
	email, password, held := said[0], postern.Secret(said[1]), said[2]
	if v.Session != nil {
		email = v.Staff().Email
	}
	in, err := e.People.StaffSignIn(v.R.Context(), e.Realm, identity.SignIn{Email: email, Password: password, Device: e.Device(v.R), Address: e.Address(v.R)})
	if problem, status := e.SignInProblem(v.W, err); status != 0 {
		if v.Session != nil && postern.Is(err, postern.AccessDenied) { // the e-mail is not theirs to mistype
			problem = ui.Say("The password is not right. Please try again.")
		}
		return false, v.askWhoGoesOn(status, held, email, problem)
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
	return true, unhold(v.R, held)
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
