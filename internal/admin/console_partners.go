package admin

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
)

func (d *Console) partners(v *entry.Visit) error {
	return d.showPartners(v, ui.NewForm(nil))
}

func (d *Console) showPartners(v *entry.Visit, form *ui.Form) error {
	after := v.R.URL.Query().Get("after")
	if after != "" {
		if _, err := d.Rows.Partner(v.R.Context(), after); err != nil {
			return err
		}
	}
	list, err := d.Rows.Partners(v.R.Context(), after, mostShown)
	if err != nil {
		return err
	}
	page := &ui.PartnersPage{StaffFrame: done(v, v.Frame("partners")), Token: v.Token(aboutInvite), Form: form,
		Called: form.Field(ui.Field{Name: "company", Label: ui.Say("Company"), Most: 64, Required: true}),
		Email:  form.Field(ui.Field{Name: "email", Label: ui.Say("E-mail"), Type: "email", Most: 254, Required: true, Hint: ui.Say("Of the person who will own its team here.")})}
	for _, p := range list {
		page.Partners = append(page.Partners, ui.PartnerLine{Partner: p.Partner, Apps: p.Apps, Members: p.Members})
	}
	if len(list) == mostShown {
		page.Next = v.Path("/partners?after=" + list[mostShown-1].ID)
	}
	return v.Show(http.StatusOK, page)
}

// invitePartner invites the first person of a company, which comes to be.
func (d *Console) invitePartner(v *entry.Visit) error {
	if err := v.Proved(aboutInvite); err != nil {
		return err
	}
	said, err := v.Fields("company", "email")
	if err != nil {
		return err
	}
	name, email := strings.TrimSpace(said[0]), strings.TrimSpace(said[1])
	form := ui.NewForm(v.R.PostForm)
	entry.AddFindings(form, registry.AboutNewcomer(&name, nil, &email))
	if !form.OK() {
		return d.showPartners(v, form)
	}
	if !v.Fresh() { // before the company comes to be
		return v.AskAgain()
	}
	p, _, err := d.People.InvitePartner(v.R.Context(), name)
	if known, _ := errors.AsType[*postern.Error](err); known != nil && known.Kind == postern.Conflict {
		form.Refuse("company", ui.SayError(known))
		return d.showPartners(v, form)
	}
	if err != nil {
		return err
	}
	return d.invite(v, p, email, postern.Owner)
}

// partner shows one with its apps and people.
func (d *Console) partner(v *entry.Visit) error {
	p, err := d.Rows.Partner(v.R.Context(), v.R.PathValue("partner"))
	if err != nil {
		return err
	}
	return d.showPartner(v, p, ui.NewForm(nil), "")
}

func (d *Console) showPartner(v *entry.Visit, p *postern.Partner, form *ui.Form, link string) error {
	ctx := v.R.Context()
	page := &ui.PartnerPage{
		StaffFrame: done(v, v.Frame("partners")), Partner: *p, Token: v.Token(aboutPartner, p.ID), Link: link, ByHand: !d.People.Mails(),
		Email:  form.Field(ui.Field{Name: "email", Label: ui.Say("E-mail"), Type: "email", Most: 254, Required: true}),
		Reason: form.Field(ui.Field{Name: "reason", Label: ui.Say("Reason"), Type: "lines", Most: 1000, Hint: ui.Say("Only a rejection has one, which its people read.")}),
	}
	var err error
	if page.Apps, err = d.Rows.PartnerApps(ctx, p.ID); err != nil {
		return err
	}
	if page.Members, err = d.Rows.Team(ctx, p.ID); err != nil {
		return err
	}
	if page.Invitations, err = d.Rows.PendingInvitations(ctx, p.ID, d.Now()); err != nil {
		return err
	}
	return v.Show(http.StatusOK, page)
}

func (d *Console) inviteMember(v *entry.Visit) error {
	p, err := d.proved(v)
	if err != nil {
		return err
	}
	said, err := v.Fields("email", "role")
	if err != nil {
		return err
	}
	form := ui.NewForm(v.R.PostForm)
	email := strings.TrimSpace(said[0])
	if entry.AddFindings(form, registry.AboutNewcomer(nil, nil, &email)); !form.OK() {
		return d.showPartner(v, p, form, "")
	}
	role := postern.Role(said[1])
	if !slices.Contains(postern.Roles, role) {
		return postern.Errorf(postern.InvalidRequest, "Choose one of the roles.")
	}
	return d.invite(v, p, email, role)
}

// invite sends the link, or shows it once where no mail is sent.
func (d *Console) invite(v *entry.Visit, p *postern.Partner, email string, role postern.Role) error {
	if !v.Fresh() {
		return v.AskAgain()
	}
	link, err := d.People.Invite(v.R.Context(), identity.Invite{Partner: *p, Email: email, Role: role, Address: v.Address(), ByHand: !d.People.Mails()})
	if postern.Is(err, postern.Conflict) {
		form := ui.NewForm(v.R.PostForm)
		form.Refuse("email", ui.Say("This person is a member of the team already."))
		return d.showPartner(v, p, form, "")
	}
	if err != nil {
		return err
	}
	if link.Mailed {
		return v.Go("/partners/" + p.ID + "?done=invited")
	}
	return d.showPartner(v, p, ui.NewForm(nil), d.PublicURL+identity.InvitePath+string(link.Secret))
}

// proved reads the partner that the path names, for a form about it.
func (d *Console) proved(v *entry.Visit) (*postern.Partner, error) {
	p, err := d.Rows.Partner(v.R.Context(), v.R.PathValue("partner"))
	if err != nil {
		return nil, err
	}
	return p, v.Proved(aboutPartner, p.ID)
}

func (d *Console) answerPartner(v *entry.Visit) error {
	p, err := d.proved(v)
	if err != nil {
		return err
	}
	said, err := v.Fields("answer", "reason")
	if err != nil {
		return err
	}
	word := "approved"
	if said[0] == "approve" {
		err = d.People.ApprovePartner(v.R.Context(), p.ID, v.Actor(), v.Address())
	} else {
		word = "rejected"
		reason := oneLine(said[1])
		if reason == "" {
			form := ui.NewForm(v.R.PostForm)
			form.Refuse("reason", ui.Say("Say why: its people read it."))
			return d.showPartner(v, p, form, "")
		}
		err = d.People.RejectPartner(v.R.Context(), p.ID, reason, v.Actor(), v.Address())
	}
	if err != nil {
		return err
	}
	return v.Go("/partners/" + p.ID + "?done=" + word)
}

func (d *Console) askToSwitchPartner(v *entry.Visit) error {
	p, err := d.Rows.Partner(v.R.Context(), v.R.PathValue("partner"))
	if err != nil {
		return err
	}
	apps, err := d.Rows.PartnerApps(v.R.Context(), p.ID)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, &ui.ConfirmPage{
		StaffFrame: v.Frame("partners"), Heading: ui.Say("Switch %s off?", p.Name), Button: ui.Say("Switch off"),
		Says: []ui.Text{
			ui.Say("The tokens of its apps are of no use from that moment. It has %d.", len(apps)),
			ui.Say("Its people can look at their apps, and change nothing until you switch it on again."),
		},
		Token: v.Token(aboutPartner, p.ID), Action: v.Path("/partners/" + p.ID + "/off"), Back: v.Path("/partners/" + p.ID),
	})
}

func (d *Console) switchPartner(off bool) func(v *entry.Visit) error {
	return func(v *entry.Visit) error {
		p, err := d.proved(v)
		if err != nil {
			return err
		}
		if off && !v.Fresh() {
			return v.AskAgain()
		}
		if !p.Waiting.IsZero() {
			return postern.Errorf(postern.Conflict, "%s registered itself and waits for your answer.", p.Name)
		}
		if err := d.Rules.SwitchPartner(v.R.Context(), v.By(), p.ID, off); err != nil {
			return err
		}
		return v.Go("/partners/" + p.ID + "?done=" + switched(off))
	}
}
