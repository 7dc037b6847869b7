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
// is held in the page that asks, and done as soon as the password is right, so
// that nobody fills in anything twice.

const toGiveAgain browser.Purpose = "staff password again"

const (
	heldField = "held"       // the form that waits, as base64url of its encoding
	heldProof = "held_token" // its token
)

// AskAgain asks for the password, and holds the form of this visit meanwhile.
// Its token must have been Proved.
func (v *Visit) AskAgain() error {
	form := url.Values{}
	for name, values := range v.R.PostForm {
		if name != browser.TokenField {
			form[name] = values
		}
	}
	return v.entry.askAgain(v, &ui.StaffAgainPage{
		Held: base64.RawURLEncoding.EncodeToString([]byte(form.Encode())), HeldToken: v.heldToken(v.proved.purpose, v.proved.about),
	})
}

func (e *Entry) askAgain(v *Visit, page *ui.StaffAgainPage) error {
	page.StaffFrame, page.Action, page.Token = v.Frame(""), v.R.URL.Path, v.Token(toGiveAgain, v.R.URL.Path)
	status := http.StatusOK
	if page.Wait {
		status = http.StatusTooManyRequests
	}
	return v.Show(status, page)
}

// heldToken proves what the held form's own token did. That one is worth nothing
// any more after the password: it was of the session before.
func (v *Visit) heldToken(p browser.Purpose, about []string) string {
	return browser.FormToken(v.bound, "held "+p, append([]string{v.Staff().ID}, about...)...)
}

// giveAgain takes the password, and goes on with the form that was held: in a
// new session, as after any sign-in (attacks.md LC-01). It returns false where
// it has answered itself.
func (v *Visit) giveAgain() (goOn bool, err error) {
	e := v.entry
	if err := v.Proved(toGiveAgain, v.R.URL.Path); err != nil {
		return false, err
	}
	said, err := v.Fields("password", heldField, heldProof)
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
		return false, e.askAgain(v, &ui.StaffAgainPage{Held: said[1], HeldToken: said[2], Problem: problem, Wait: status == http.StatusTooManyRequests})
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
	v.held = said[2]
	return true, unhold(v.R, said[1])
}

// unhold makes a request the one whose form was held.
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
