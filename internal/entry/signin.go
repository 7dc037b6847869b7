package entry

import (
	"net/http"

	"postern.dev/postern/internal/browser"
)

const toSignOut browser.Purpose = "sign out"

// signInFirst leads who is not signed in to the sign-in form.
func (e *Entry) signInFirst(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, e.Prefix+"/login", http.StatusSeeOther)
	return nil
}

// askAgain asks for the password of who is signed in.
func (e *Entry) askAgain(v *Visit) error { return v.Go("/login") }
