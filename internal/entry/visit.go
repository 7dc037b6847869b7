package entry

import (
	"net/http"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
)

// Visit is a request of somebody who is signed in; at a page that Optional serves,
// perhaps of nobody.
type Visit struct {
	W       http.ResponseWriter
	R       *http.Request
	Session *postern.StaffSession

	entry *Entry
	bound postern.Secret // the browser's binding cookie
}

// Staff is who is here.
func (v *Visit) Staff() *postern.Staff { return &v.Session.Staff }

// Actor names who is here in audit records.
func (v *Visit) Actor() string { return "staff:" + v.Session.Staff.ID }

// By is who is here, for the rules about apps and partners.
func (v *Visit) By() registry.By {
	return registry.By{Actor: v.Actor(), Staff: v.Staff().ID, Operator: v.entry.Realm == postern.OperatorRealm, Address: v.Address()}
}

// Address is where the request came from.
func (v *Visit) Address() string { return v.entry.Address(v.R) }

// Token goes into a form, so that only this browser can send it, with this
// person signed in, for this purpose and about these things. It outlives the
// session: who gives the password again, here or in another window, goes on with
// the pages that are open.
func (v *Visit) Token(p browser.Purpose, about ...string) string {
	return browser.FormToken(v.bound, p, append([]string{v.Staff().ID}, about...)...)
}

// Proved refuses a form whose Token is another.
func (v *Visit) Proved(p browser.Purpose, about ...string) error {
	return v.entry.cookies.Proved(v.R, p, append([]string{v.Staff().ID}, about...)...)
}

// Field is a form field, "" when absent; twice is refused.
func (v *Visit) Field(name string) (string, error) { return browser.Field(v.R, name) }

// Fields reads several, in order.
func (v *Visit) Fields(names ...string) ([]string, error) { return browser.Fields(v.R, names...) }

// File reads a file of the form; nil when none was chosen.
func (v *Visit) File(name string) ([]byte, error) { return browser.File(v.R, name) }

// freshFor is how long after the password was given keys may be made.
const freshFor = 10 * time.Minute

// Fresh reports whether the person gave the password just now. Where a form
// needs that and it is not so: return AskAgain().
func (v *Visit) Fresh() bool { return v.entry.Now().Sub(v.Session.SignedIn) < freshFor }

// Frame is what the page has in common with all others.
func (v *Visit) Frame(section string) ui.StaffFrame {
	if v.Session == nil {
		return ui.StaffFrame{Prefix: v.entry.Prefix, Section: section}
	}
	return ui.StaffFrame{Prefix: v.entry.Prefix, Staff: v.Session.Staff, SignOutToken: v.Token(toSignOut), Section: section}
}

// Show answers with a page.
func (v *Visit) Show(status int, page ui.Page) error {
	v.entry.write(v.W, v.R, status, page)
	return nil
}

// Go leads on to one of our own paths, under the prefix.
func (v *Visit) Go(path string) error {
	http.Redirect(v.W, v.R, v.entry.Prefix+path, http.StatusSeeOther)
	return nil
}

// Image answers with a PNG of our own making.
func (v *Visit) Image(png []byte) error {
	v.W.Header().Set("Content-Type", "image/png")
	_, _ = v.W.Write(png) // that a browser went away meanwhile is nobody's error
	return nil
}

// Path is a path of this door, for links and forms.
func (v *Visit) Path(path string) string { return v.entry.Prefix + path }
