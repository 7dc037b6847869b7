package ui

import (
	"slices"
	"time"

	"postern.dev/postern"
)

// AppPage is an app's first page: what it still lacks, and what others know it
// by.
type AppPage struct {
	AppFrame
	Token       string
	Steps       []Step // to go live, in order
	Verdict     string // what the operator said with the last answer
	Since       time.Time
	Proposal    *Proposed // nil: none
	LogoProblem Text
	OwnSwitch   bool // its own people switched it off
	Usage       *Usage
	Refused     LogLines // the latest
}

// Step is something to do before an app is ready.
type Step struct {
	Text Text
	Done bool
	Path string // where it is done; empty: nowhere here
}

// Proposed is a change of a live app that the operator has not approved.
type Proposed struct {
	postern.Proposal
	Differences []Difference
	By          string // may be empty
}

// Logo is where the image is that would become the app's; empty: none would.
func (p *Proposed) Logo() string {
	for _, d := range p.Differences {
		if d.Logo {
			return d.WillLogo
		}
	}
	return ""
}

// Difference is one thing before and after.
type Difference struct {
	What      Text
	Was, Will []Line
	// WasLogo and WillLogo are addresses of images; empty: no image.
	WasLogo, WillLogo string
	Logo              bool
	Fetching          bool // the proposed image is yet to be fetched
	Fault             Text // why it could not be
}

// Line is a line of a difference. What stays stands on both sides.
type Line struct {
	Text  string
	Stays bool
}

// Compared are the lines of two lists.
func Compared(was, will []string) (a, b []Line) {
	for _, text := range was {
		a = append(a, Line{text, slices.Contains(will, text)})
	}
	for _, text := range will {
		b = append(b, Line{text, slices.Contains(was, text)})
	}
	return a, b
}

func (*AppPage) Name() string      { return "portal-app" }
func (p *AppPage) Title() Text     { return Say("%s", p.App.Name) }
func (*AppPage) Scripts() []string { return []string{"copy.js"} }

// Missing is how many steps are not done.
func (p *AppPage) Missing() (n int) {
	for _, s := range p.Steps {
		if !s.Done {
			n++
		}
	}
	return n
}

// AppFormPage describes an app: a new one, or one that there is.
type AppFormPage struct {
	AppFrame
	Partner   postern.Partner
	New       bool
	Token     string
	LogoToken string
	Form      *Form
	// Fields of the form.
	Called, About, Site, Logo, Redirects, Webhook Field
	Dialects                                      []DialectChoice // of a new app; one: there is no choice
	Scopes                                        []ScopeChoice
	NoScopes                                      bool // the API knows none
	Public                                        bool
	PublicSaid, ScopesSaid, DialectSaid           Field
	OffersItself                                  bool // it may ask for tokens for itself
	ForItself                                     bool
	ForItselfSaid                                 Field
	Sure                                          string // what was asked about, for the box that confirms it
	Reviewed                                      bool   // changes of what people see wait for the operator
	Proposed                                      bool   // such a change waits: it is what the form shows
	Uploaded                                      string // address of the logo that was handed in; empty: none
	LogoSaid                                      Text   // what is wrong with the file that was handed in
	Preview                                       *ConsentPage
}

// DialectChoice is a wire that a new app may speak.
type DialectChoice struct {
	Name     string
	Chosen   bool
	NoScopes bool
}

// ScopeChoice is a permission that an app may ask for.
type ScopeChoice struct {
	Name, Text string
	Chosen     bool
	Reason     Field
}

func (*AppFormPage) Name() string { return "portal-app-form" }

func (p *AppFormPage) Title() Text {
	if p.New {
		return Say("New app")
	}
	return Say("Settings of %s", p.App.Name)
}

func (*AppFormPage) Scripts() []string { return []string{"preview.js"} }

// Action is where the form posts to.
func (p *AppFormPage) Action() string {
	if p.New {
		return "/portal/partners/" + p.Partner.ID + "/apps/new"
	}
	return "/portal/apps/" + p.App.ID + "/settings"
}

// PreviewAction is where the form is sent to be shown as people would see the app.
func (p *AppFormPage) PreviewAction() string {
	if p.New {
		return "/portal/partners/" + p.Partner.ID + "/apps/preview"
	}
	return "/portal/apps/" + p.App.ID + "/preview"
}

// KeysPage are an app's client secrets and its webhook key.
type KeysPage struct {
	AppFrame
	Secrets      []SecretLine
	Most         bool // there are as many valid ones as there can be
	Token        string
	SecretID     string
	Called       Field
	Fresh        bool   // the password was given just now
	Shown        string // the secret that was made by this very request
	ShownHook    string // likewise of the webhook key
	HookToken    string
	HookHint     string    // the last characters of the webhook key; empty: there is none
	HookOldUntil time.Time // until when the key before signs, too
	SignsWithKey bool      // it has public keys of its own
	// Public keys, by which it proves itself in place of a secret.
	TakesKeys  bool // it can have some
	PublicKeys []PublicKey
	KeySet     string // all of them, as JSON
	SetToken   string
	Pasted     Field
}

// PublicKey is one of an app's own keys.
type PublicKey struct {
	ID          string // its kid; may be empty
	Kind        string
	Fingerprint string
}

// SecretLine is one client secret.
type SecretLine struct {
	postern.AppSecret
	Valid bool
}

func (*KeysPage) Name() string      { return "portal-keys" }
func (p *KeysPage) Title() Text     { return Say("Keys of %s", p.App.Name) }
func (*KeysPage) Scripts() []string { return []string{"copy.js"} }

// Overlaps are how long old keys can live on beside new ones.
func (*KeysPage) Overlaps() []Overlap {
	return []Overlap{{"24h", Say("in 24 hours")}, {"1h", Say("in 1 hour")}, {"168h", Say("in 7 days")}, {"0s", Say("at once")}}
}

// Overlap is one of them.
type Overlap struct {
	Value string
	Text  Text
}
