package portal

import (
	"net/http"
	"slices"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
)

const inTeam browser.Purpose = "team"

// teamDone is what the page says after an act.
var teamDone = map[string]ui.Text{
	"invited": ui.Say("The invitation is on its way by mail."),
	"kept":    ui.Say("The invitation is made. The people who run this service have its link, and give it to nobody but the person: ask them to."),
	"role":    ui.Say("The role is changed."),
	"removed": ui.Say("The member is removed."),
	"back":    ui.Say("The invitation is taken back; its link does not work any more."),
}

func (d *Door) team(v *entry.Visit) error {
	ctx := v.R.Context()
	mine, err := d.Rows.MemberOf(ctx, v.Staff().ID)
	if err != nil {
		return err
	}
	page := &ui.TeamPage{StaffFrame: v.Frame("team")}
	page.Done = teamDone[v.R.URL.Query().Get("done")]
	for _, m := range mine {
		team := ui.Team{Member: m}
		if team.Members, err = d.Rows.Team(ctx, m.Partner.ID); err != nil {
			return err
		}
		if team.Pending, err = d.Rows.PendingInvitations(ctx, m.Partner.ID, d.Now()); err != nil {
			return err
		}
		page.Teams = append(page.Teams, team)
	}
	return v.Show(http.StatusOK, page)
}

// partner is the one that the path names, with the reader's part in it. One that
// the reader is not with is as one that does not exist.
func (d *Door) partner(v *entry.Visit) (*postern.Member, error) {
	mine, err := d.Rows.MemberOf(v.R.Context(), v.Staff().ID)
	if err != nil {
		return nil, err
	}
	for _, m := range mine {
		if m.Partner.ID == v.R.PathValue("partner") {
			return &m, nil
		}
	}
	return nil, postern.Errorf(postern.NotFound, "There is no such partner, or it is not yours to see.")
}

// owned is partner for what only owners do.
func (d *Door) owned(v *entry.Visit) (*postern.Member, error) {
	m, err := d.partner(v)
	if err == nil && !m.Role.MayManage() {
		err = postern.Errorf(postern.Forbidden, "Only owners of the team of %s may do this. Your role is %s.", m.Partner.Name, m.Role)
	}
	if err == nil {
		err = m.Partner.MayChange()
	}
	return m, err
}

// member is the one that the path names.
func (d *Door) member(v *entry.Visit, partnerID string) (*postern.Member, error) {
	team, err := d.Rows.Team(v.R.Context(), partnerID)
	if err != nil {
		return nil, err
	}
	for _, m := range team {
		if m.Staff.ID == v.R.PathValue("member") {
			return &m, nil
		}
	}
	return nil, postern.Errorf(postern.NotFound, "There is no such member.")
}

// act is who does what to whom, for the rules, which look again.
func act(v *entry.Visit) identity.TeamAct {
	return identity.TeamAct{
		PartnerID: v.R.PathValue("partner"), Actor: v.Staff().ID, Member: v.R.PathValue("member"), Address: v.Address(),
	}
}

// about is what a form of the team is about.
func about(v *entry.Visit) []string {
	return []string{v.R.PathValue("partner"), v.R.PathValue("member"), v.R.PathValue("invitation")}
}

// handedIn proves a form of the team of one of the sender's partners. Another's is
// told as one that does not exist (PA-01), whatever was sent.
func (d *Door) handedIn(v *entry.Visit) error {
	if _, err := d.partner(v); err != nil {
		return err
	}
	return v.Proved(inTeam, about(v)...)
}

func (d *Door) showInvite(v *entry.Visit) error {
	m, err := d.owned(v)
	if err != nil {
		return err
	}
	form := ui.NewForm(map[string][]string{"role": {string(postern.Developer)}})
	return d.askWhom(v, &ui.InvitePage{Partner: m.Partner, Form: form})
}

func (d *Door) askWhom(v *entry.Visit, page *ui.InvitePage) error {
	page.StaffFrame, page.Token = v.Frame("team"), v.Token(inTeam, about(v)...)
	return v.Show(http.StatusOK, page)
}

func (d *Door) invite(v *entry.Visit) error {
	m, err := d.owned(v)
	if err != nil {
		return err
	}
	if err := v.Proved(inTeam, about(v)...); err != nil {
		return err
	}
	typed, err := browser.TrimmedFields(v.R, "email", "role")
	if err != nil {
		return err
	}
	role, err := roleOf(typed[1])
	if err != nil {
		return err
	}
	page := &ui.InvitePage{Partner: m.Partner, Form: ui.NewForm(v.R.PostForm)}
	entry.AddFindings(page.Form, registry.AboutNewcomer(nil, nil, &typed[0]))
	if !page.Form.OK() {
		return d.askWhom(v, page)
	}
	if !v.Fresh() {
		return v.AskAgain()
	}
	link, err := d.People.Invite(v.R.Context(), identity.Invite{
		Partner: m.Partner, Email: typed[0], Role: role, By: v.Staff(), Address: v.Address(),
	})
	if postern.Is(err, postern.Conflict) {
		page.Form.Refuse("email", ui.Say("This person is a member of the team already."))
		return d.askWhom(v, page)
	}
	if err != nil {
		return err
	}
	if link.Mailed {
		return v.Go("/team?done=invited")
	}
	return v.Go("/team?done=kept")
}

func roleOf(text string) (postern.Role, error) {
	role := postern.Role(text)
	if !slices.Contains(postern.Roles, role) {
		return "", postern.Errorf(postern.InvalidRequest, "Choose a role: owner, developer or viewer.")
	}
	return role, nil
}

func (d *Door) showMember(v *entry.Visit) error { return d.askForRole(v, ui.Text{}) }

func (d *Door) askForRole(v *entry.Visit, problem ui.Text) error {
	mine, err := d.owned(v)
	if err != nil {
		return err
	}
	m, err := d.member(v, mine.Partner.ID)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, &ui.MemberPage{
		StaffFrame: v.Frame("team"), Partner: mine.Partner, Member: *m, Token: v.Token(inTeam, about(v)...), Problem: problem,
	})
}

var lastOwner = ui.Say("This is the last owner of the team. Make somebody else an owner first.")

func (d *Door) setRole(v *entry.Visit) error {
	if err := d.handedIn(v); err != nil {
		return err
	}
	text, err := v.Field("role")
	if err != nil {
		return err
	}
	role, err := roleOf(text)
	if err != nil {
		return err
	}
	if !v.Fresh() {
		return v.AskAgain()
	}
	err = d.People.SetRole(v.R.Context(), act(v), role)
	if postern.Is(err, postern.Conflict) {
		return d.askForRole(v, lastOwner)
	}
	if err != nil {
		return err
	}
	return v.Go("/team?done=role")
}

func (d *Door) askToRemoveMember(v *entry.Visit) error {
	mine, err := d.partner(v)
	if err != nil {
		return err
	}
	self := v.R.PathValue("member") == v.Staff().ID
	if !self {
		if mine, err = d.owned(v); err != nil {
			return err
		}
	}
	m, err := d.member(v, mine.Partner.ID)
	if err != nil {
		return err
	}
	page := &ui.ConfirmPage{
		StaffFrame: v.Frame("team"), Action: v.R.URL.Path, Token: v.Token(inTeam, about(v)...), Back: v.Path("/team"),
		Heading: ui.Say("Remove %s from %s?", m.Staff.Display(), mine.Partner.Name), Button: ui.Say("Remove"),
		Says: []ui.Text{ui.Say("They see and change nothing of it any more, from now on."), ui.Say("Apps and their keys stay as they are: make new keys where they knew the old ones.")},
	}
	if self {
		page.Heading, page.Button = ui.Say("Leave %s?", mine.Partner.Name), ui.Say("Leave")
		page.Says = []ui.Text{ui.Say("You see and change nothing of it any more. To come back, an owner must invite you.")}
	}
	return v.Show(http.StatusOK, page)
}

func (d *Door) removeMember(v *entry.Visit) error {
	if err := d.handedIn(v); err != nil {
		return err
	}
	if !v.Fresh() {
		return v.AskAgain()
	}
	err := d.People.RemoveMember(v.R.Context(), act(v))
	if postern.Is(err, postern.Conflict) {
		return d.askForRole(v, lastOwner)
	}
	if err != nil {
		return err
	}
	return v.Go("/team?done=removed")
}

func (d *Door) askToTakeBack(v *entry.Visit) error {
	m, err := d.owned(v)
	if err != nil {
		return err
	}
	pending, err := d.Rows.PendingInvitations(v.R.Context(), m.Partner.ID, d.Now())
	if err != nil {
		return err
	}
	for _, i := range pending {
		if i.ID == v.R.PathValue("invitation") {
			return v.Show(http.StatusOK, &ui.ConfirmPage{
				StaffFrame: v.Frame("team"), Action: v.R.URL.Path, Token: v.Token(inTeam, about(v)...), Back: v.Path("/team"),
				Heading: ui.Say("Take the invitation of %s back?", i.Email), Button: ui.Say("Take back"),
				Says: []ui.Text{ui.Say("The link that they have does not work any more. You can invite them again.")},
			})
		}
	}
	return postern.Errorf(postern.NotFound, "This invitation was used or taken back, or has expired.")
}

func (d *Door) takeBack(v *entry.Visit) error {
	if err := d.handedIn(v); err != nil {
		return err
	}
	if err := d.People.TakeBack(v.R.Context(), act(v), v.R.PathValue("invitation")); err != nil {
		return err
	}
	return v.Go("/team?done=back")
}
