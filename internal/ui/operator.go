package ui

import (
	"time"

	"postern.dev/postern"
)

// ReviewPage is the console's first page: what waits for the operator.
type ReviewPage struct {
	StaffFrame
	Apps     []WaitingApp
	Partners []postern.WaitingPartner
	Reviewed bool // the configuration asks for reviews of apps
}

// WaitingApp is an app that asks to be live, or a live one that asks to change.
type WaitingApp struct {
	App   *postern.App
	New   bool
	Since time.Time
	What  []Text // that would change
}

func (*ReviewPage) Name() string { return "operator-review" }
func (*ReviewPage) Title() Text  { return Say("Review") }

// Empty reports whether nothing waits.
func (p *ReviewPage) Empty() bool { return len(p.Apps)+len(p.Partners) == 0 }

// ReviewedAppPage is one app, with what is asked for it.
type ReviewedAppPage struct {
	StaffFrame
	App         *postern.App
	Waits       bool
	New         bool // what waits is the app itself
	Since       time.Time
	Verdict     string // what was said with the last answer
	Proposal    *Proposed
	Scopes      []ScopeReason
	Preview     *ConsentPage // as it would be
	Token       string
	Seen        string
	Reason      Field
	LogoProblem Text
}

// ScopeReason is a permission, and why the app needs it in its partner's words.
type ScopeReason struct {
	Name, Text, Reason string
	New                bool // asked for now
}

func (*ReviewedAppPage) Name() string  { return "operator-app" }
func (p *ReviewedAppPage) Title() Text { return Say("%s", p.App.Name) }

// PartnersPage lists all partners.
type PartnersPage struct {
	StaffFrame
	Partners []PartnerLine
	Next     string // the address of the next page; empty: this is the last
	Token    string
	Form     *Form
	Called   Field
	Email    Field
}

// PartnerLine is one of them.
type PartnerLine struct {
	postern.Partner
	Apps, Members int
}

func (*PartnersPage) Name() string { return "operator-partners" }
func (*PartnersPage) Title() Text  { return Say("Partners") }

// PartnerPage is one partner with its apps and people.
type PartnerPage struct {
	StaffFrame
	Partner     postern.Partner
	Apps        []postern.App
	Members     []postern.Member
	Invitations []postern.Invitation
	Token       string
	Email       Field
	Link        string // of an invitation that no mail carries: shown once
	ByHand      bool   // no mail carries any
	Reason      Field
}

func (*PartnerPage) Name() string  { return "operator-partner" }
func (p *PartnerPage) Title() Text { return Say("%s", p.Partner.Name) }

// Choices are the roles that somebody can be invited to.
func (*PartnerPage) Choices() []RoleChoice { return roleChoices(postern.Owner) }

func (*PartnerPage) Scripts() []string { return []string{"copy.js"} }
