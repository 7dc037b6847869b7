package portal

import (
	"net/http"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
)

func (d *Door) showInvitation(w http.ResponseWriter, r *http.Request) error {
	return d.askToJoin(w, r, http.StatusOK, ui.NewForm(nil), ui.Text{})
}

// askToJoin shows what a link invites to. Looking does not use it up.
func (d *Door) askToJoin(w http.ResponseWriter, r *http.Request, status int, form *ui.Form, problem ui.Text) error {
	link := postern.Secret(r.PathValue("token"))
	i, err := d.People.Invitation(r.Context(), link)
	if err != nil {
		return err
	}
	session, err := d.Entry.Visitor(r)
	if err != nil {
		return err
	}
	token, err := d.Entry.Token(w, r, toJoin, browser.HashText(link.Hash()))
	if err != nil {
		return err
	}
	if i.Name != "" && form.Value("name") == "" {
		form = ui.NewForm(map[string][]string{"name": {i.Name}})
	}
	return d.Entry.Show(w, r, status, &ui.JoinPage{
		Token: token, Link: r.URL.Path, Invitation: *i, SignedIn: isFor(i, session), Form: form, Problem: problem,
	})
}

// isFor reports whether who is signed in is the person that is invited. A sign-in
// for whose e-mail nobody vouches may be anybody's.
func isFor(i *postern.Invitation, s *postern.StaffSession) bool {
	return s != nil && s.Staff.Vouched != "" && postern.FoldEmail(s.Staff.Email) == postern.FoldEmail(i.Email)
}

// acceptInvitation makes the person a member. The e-mail, the partner and the
// role are those of the invitation, whatever the form says (attacks.md PA-17).
func (d *Door) acceptInvitation(w http.ResponseWriter, r *http.Request) error {
	link := postern.Secret(r.PathValue("token"))
	if err := d.Entry.Proved(r, toJoin, browser.HashText(link.Hash())); err != nil {
		return err
	}
	i, err := d.People.Invitation(r.Context(), link)
	if err != nil {
		return err
	}
	session, err := d.Entry.Visitor(r)
	if err != nil {
		return err
	}
	switch {
	case isFor(i, session):
		return d.acceptAs(w, r, link, &session.Staff)
	case i.Known:
		return d.acceptKnown(w, r, link, i)
	}
	return d.acceptNew(w, r, link)
}

// acceptAs is for who is signed in as the person that is invited.
func (d *Door) acceptAs(w http.ResponseWriter, r *http.Request, link postern.Secret, s *postern.Staff) error {
	if err := d.People.AcceptAs(r.Context(), link, s, d.waits(), d.Entry.Address(r)); err != nil {
		return err
	}
	return d.joined(w, r)
}

// waits: a company that registered itself is in at once only where the door is open
// when it comes through, whatever it was when the link was made.
func (d *Door) waits() bool { return d.SignUp != Open }

// acceptKnown signs in whoever has a sign-in already, and then goes on.
func (d *Door) acceptKnown(w http.ResponseWriter, r *http.Request, link postern.Secret, i *postern.Invitation) error {
	password, err := browser.Field(r, "password")
	if err != nil {
		return err
	}
	in, err := d.People.StaffSignIn(r.Context(), postern.PartnerRealm, identity.SignIn{
		Email: i.Email, Password: postern.Secret(password), Device: d.Entry.Device(r), Address: d.Entry.Address(r),
	})
	if err != nil {
		if problem, status := d.Entry.SignInProblem(w, err); status != 0 {
			return d.askToJoin(w, r, status, ui.NewForm(nil), problem)
		}
		return err
	}
	if err := d.Entry.Begin(w, r, in); err != nil {
		return err
	}
	return d.acceptAs(w, r, link, &in.Staff)
}

// acceptNew is for somebody who has no sign-in yet.
func (d *Door) acceptNew(w http.ResponseWriter, r *http.Request, link postern.Secret) error {
	typed, err := browser.TrimmedFields(r, "name")
	if err != nil {
		return err
	}
	passwords, err := browser.Fields(r, "new_password", "new_password_again")
	if err != nil {
		return err
	}
	form := ui.NewForm(r.PostForm)
	entry.AddFindings(form, registry.AboutNewcomer(nil, &typed[0], nil))
	if !form.OK() {
		return d.askToJoin(w, r, http.StatusOK, form, ui.Text{})
	}
	if passwords[0] != passwords[1] {
		return d.askToJoin(w, r, http.StatusOK, form, ui.Say("The two passwords are not the same. Please type them again."))
	}
	in, err := d.People.Accept(r.Context(), link, typed[0], postern.Secret(passwords[0]), d.Entry.Device(r), d.waits(), d.Entry.Address(r))
	if problem, status := d.Entry.PasswordProblem(w, err); status != 0 {
		return d.askToJoin(w, r, status, form, problem)
	}
	if err != nil {
		return err
	}
	if err := d.Entry.Begin(w, r, in); err != nil {
		return err
	}
	return d.joined(w, r)
}

func (d *Door) joined(w http.ResponseWriter, r *http.Request) error {
	http.Redirect(w, r, d.Entry.Prefix, http.StatusSeeOther)
	return nil
}
