package ui

import "postern.dev/postern"

// JoinPage is what an invitation's link opens.
type JoinPage struct {
	Token      string
	Link       string // the path that the form posts to
	Invitation postern.Invitation
	SignedIn   bool // as the person whom it is for
	Form       *Form
	Problem    Text
}

func (*JoinPage) Name() string { return "portal-join" }
func (p *JoinPage) Title() Text {
	if p.Invitation.Registers() {
		return Say("Register %s", p.Invitation.Partner.Name)
	}
	return Say("Join %s", p.Invitation.Partner.Name)
}

// Fields are those of somebody new.
func (p *JoinPage) Fields() []Field {
	return []Field{p.Form.Field(Field{Name: "name", Label: Say("Your name"), Most: 64, Required: true, Complete: "name"})}
}

// RegisterPage asks who registers a company.
type RegisterPage struct {
	Token string
	Form  *Form
	Mails bool // the link that follows is mailed
}

func (*RegisterPage) Name() string { return "portal-register" }
func (*RegisterPage) Title() Text  { return Say("Register your company") }

// Fields are all of the form.
func (p *RegisterPage) Fields() []Field {
	use := Say("You sign in with it.")
	if p.Mails {
		use = Say("A link goes there; with it you choose your password.")
	}
	return []Field{
		p.Form.Field(Field{Name: "company", Label: Say("Company"), Hint: Say("People see it beside your apps."), Most: 64, Required: true, Complete: "organization"}),
		p.Form.Field(Field{Name: "name", Label: Say("Your name"), Most: 64, Required: true, Complete: "name"}),
		p.Form.Field(Field{Name: "email", Label: Say("E-mail"), Hint: use, Type: "email", Most: 254, Required: true, Complete: "email"}),
	}
}

// TeamPage are the people of the partners that the reader is with.
type TeamPage struct {
	StaffFrame
	Teams []Team
}

// Team are the people of one partner.
type Team struct {
	postern.Member // the reader's own part
	Members        []postern.Member
	Pending        []postern.Invitation
}

func (*TeamPage) Name() string { return "portal-team" }
func (*TeamPage) Title() Text  { return Say("Team") }

// InvitePage asks whom to invite.
type InvitePage struct {
	StaffFrame
	Partner postern.Partner
	Token   string
	Form    *Form
}

func (*InvitePage) Name() string  { return "portal-invite" }
func (p *InvitePage) Title() Text { return Say("Invite to %s", p.Partner.Name) }

// EmailField is the one field of the form beside the roles.
func (p *InvitePage) EmailField() Field {
	return p.Form.Field(Field{Name: "email", Label: Say("E-mail"), Type: "email", Most: 254, Required: true, Complete: "off"})
}

// Choices are the roles to choose from.
func (p *InvitePage) Choices() []RoleChoice { return roleChoices(postern.Role(p.Form.Value("role"))) }

// MemberPage changes what a member may do.
type MemberPage struct {
	StaffFrame
	Partner postern.Partner
	Member  postern.Member
	Token   string
	Problem Text
}

func (*MemberPage) Name() string  { return "portal-member" }
func (p *MemberPage) Title() Text { return Say("%s in %s", p.Member.Staff.Display(), p.Partner.Name) }

// Choices are the roles to choose from.
func (p *MemberPage) Choices() []RoleChoice { return roleChoices(p.Member.Role) }

// RoleChoice is a role that can be given.
type RoleChoice struct {
	Role   postern.Role
	Name   Text
	Says   Text
	Chosen bool
}

func roleChoices(chosen postern.Role) (list []RoleChoice) {
	for _, r := range postern.Roles {
		list = append(list, RoleChoice{r, RoleName(r), roleSays[r], r == chosen})
	}
	return list
}

var roleNames = map[postern.Role]Text{
	postern.Owner: Say("Owner"), postern.Developer: Say("Developer"), postern.Viewer: Say("Viewer"),
}

var roleSays = map[postern.Role]Text{
	postern.Owner:     Say("Everything, the team included"),
	postern.Developer: Say("Apps, their keys and their connections"),
	postern.Viewer:    Say("Sees everything that is no secret, changes nothing"),
}

// RoleName is a member's role in words.
func RoleName(r postern.Role) Text { return roleNames[r] }
