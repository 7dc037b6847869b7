package portal

import (
	"context"
	"net/http"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/ui"
)

// SignUp says how partners come.
type SignUp string

const (
	ByInvitation SignUp = "invite"  // an operator or an owner invites
	Open         SignUp = "open"    // whoever registers is in
	Approved     SignUp = "approve" // whoever registers waits for an operator
)

// People is what the portal asks of the rules of identity.
type People interface {
	// Mails reports whether people can be written to.
	Mails() bool
	Invite(ctx context.Context, in identity.Invite) (*identity.Link, error)
	// Invitation tells what a link invites to; NotFound.
	Invitation(ctx context.Context, link postern.Secret) (*postern.Invitation, error)
	Accept(ctx context.Context, link postern.Secret, name string, password, device postern.Secret, waits bool, address string) (*identity.StaffSignedIn, error)
	AcceptAs(ctx context.Context, link postern.Secret, s *postern.Staff, waits bool, address string) error
	StaffSignIn(ctx context.Context, realm postern.Realm, in identity.SignIn) (*identity.StaffSignedIn, error)
	Register(ctx context.Context, in identity.Registration) error
	SetRole(ctx context.Context, a identity.TeamAct, role postern.Role) error
	RemoveMember(ctx context.Context, a identity.TeamAct) error
	TakeBack(ctx context.Context, a identity.TeamAct, invitationID string) error
}

// TeamRows are the reads of the team's page.
type TeamRows interface {
	// Team are the members of a partner, owners first.
	Team(ctx context.Context, partnerID string) ([]postern.Member, error)
	// PendingInvitations are those that nobody has used yet.
	PendingInvitations(ctx context.Context, partnerID string, now time.Time) ([]postern.Invitation, error)
}

func (d *Door) peopleRoutes() {
	e := d.Entry
	e.Open("GET /invite/{token}", d.showInvitation)
	e.Open("POST /invite/{token}", d.acceptInvitation)
	if d.SignUp == Open || d.SignUp == Approved {
		e.Open("GET /register", d.showRegister)
		e.Open("POST /register", d.register)
	}
	e.Handle("GET /team", d.team)
	e.Handle("GET /team/{partner}/invite", d.showInvite)
	e.Handle("POST /team/{partner}/invite", d.invite)
	e.Handle("GET /team/{partner}/members/{member}", d.showMember)
	e.Handle("POST /team/{partner}/members/{member}", d.setRole)
	e.Handle("GET /team/{partner}/members/{member}/remove", d.askToRemoveMember)
	e.Handle("POST /team/{partner}/members/{member}/remove", d.removeMember)
	e.Handle("GET /team/{partner}/invitations/{invitation}/remove", d.askToTakeBack)
	e.Handle("POST /team/{partner}/invitations/{invitation}/remove", d.takeBack)
}

const (
	toJoin     browser.Purpose = "join"
	toRegister browser.Purpose = "register"
)

func (d *Door) showRegister(w http.ResponseWriter, r *http.Request) error {
	return d.askToRegister(w, r, ui.NewForm(nil))
}

func (d *Door) askToRegister(w http.ResponseWriter, r *http.Request, form *ui.Form) error {
	token, err := d.Entry.Token(w, r, toRegister)
	if err != nil {
		return err
	}
	return d.Entry.Show(w, r, http.StatusOK, &ui.RegisterPage{Token: token, Form: form, Mails: d.People.Mails()})
}

func (d *Door) register(w http.ResponseWriter, r *http.Request) error {
	if err := d.Entry.Proved(r, toRegister); err != nil {
		return err
	}
	typed, err := browser.TrimmedFields(r, "company", "name", "email")
	if err != nil {
		return err
	}
	form := ui.NewForm(r.PostForm)
	entry.AddFindings(form, d.Registry.AboutCompany(typed[0], typed[1], typed[2]))
	if !form.OK() {
		return d.askToRegister(w, r, form)
	}
	err = d.People.Register(r.Context(), identity.Registration{
		Company: typed[0], Name: typed[1], Email: typed[2], Address: d.Entry.Address(r),
	})
	if postern.Is(err, postern.Conflict) {
		form.Refuse("company", ui.Say("A partner of this name is here already. Ask its people to invite you, or write the name in full."))
		return d.askToRegister(w, r, form)
	}
	if err != nil {
		return err
	}
	return d.Entry.Show(w, r, http.StatusOK, d.sent(typed[2]))
}

// sent says the same whoever the e-mail belongs to.
func (d *Door) sent(email string) *ui.SentPage {
	page := &ui.SentPage{Heading: ui.Say("One more step"), Back: d.Entry.Prefix + "/login"}
	if d.People.Mails() {
		page.Says = []ui.Text{
			ui.Say("A link is on its way to %s. Open it to go on: it works once, and for seven days.", email),
			ui.Say("Nothing came after a few minutes? Look where unwanted mail goes, and whether the address is right."),
		}
	} else {
		page.Says = []ui.Text{ui.Say("The people who run this service have a link for %s. Ask them for it: it works once, and for seven days.", email)}
	}
	return page
}
