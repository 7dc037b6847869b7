package ui

import (
	"time"

	"postern.dev/postern"
)

// StaffFrame is what pages of the portal and of the console have in common.
// Their templates show it by {{template "staff-nav" .}}.
type StaffFrame struct {
	Prefix       string // "/portal" or "/operator"
	Staff        postern.Staff
	SignOutToken string
	Section      string // of the navigation: the entry to mark as current
	Done         Text   // what was just done; may be empty
}

func (StaffFrame) dated() {}

// StaffSignInPage asks a member of a partner, or an operator, who is there.
type StaffSignInPage struct {
	Prefix   string
	Action   string // the path that the form is sent to
	Token    string
	To       string // the page that waits
	Held     string // the form that waits, where one does
	Email    string // as typed before
	Register bool   // there is a page to register
	Done     Text
	Problem  Text
}

func (*StaffSignInPage) Name() string { return "staff-signin" }
func (*StaffSignInPage) Title() Text  { return Say("Sign in") }

// StaffAgainPage asks who is signed in for the password once more, and holds the
// form that needs it.
type StaffAgainPage struct {
	StaffFrame
	Action  string // the path that the form was sent to
	Token   string
	Held    string // as in StaffSignInPage
	Problem Text
}

func (*StaffAgainPage) Name() string { return "staff-again" }
func (*StaffAgainPage) Title() Text  { return Say("Your password, once more") }

// StaffSignOutPage asks whether to sign out, or says that it is done.
type StaffSignOutPage struct {
	Prefix string
	Token  string
	Staff  *postern.Staff // nil: nobody is signed in
}

func (*StaffSignOutPage) Name() string { return "staff-signout" }
func (*StaffSignOutPage) Title() Text  { return Say("Sign out") }

// StaffYouPage is about whoever is signed in.
type StaffYouPage struct {
	StaffFrame
	Token   string
	Since   time.Time // of the sign-in
	Problem Text
}

func (*StaffYouPage) Name() string { return "staff-you" }
func (*StaffYouPage) Title() Text  { return Say("You") }

// StaffResetPage sets a new password from a one-time link.
type StaffResetPage struct {
	Token   string
	Link    string // the path that the form posts to
	Email   string
	Problem Text
}

func (*StaffResetPage) Name() string { return "staff-reset" }
func (*StaffResetPage) Title() Text  { return Say("Set a new password") }

// SentPage says that a link is on its way, whoever is at the other end.
type SentPage struct {
	Heading Text
	Says    []Text
	Back    string
}

func (*SentPage) Name() string  { return "staff-sent" }
func (p *SentPage) Title() Text { return p.Heading }

// ForgotPage asks for the e-mail of who forgot the password.
type ForgotPage struct {
	Prefix string
	Token  string
}

func (*ForgotPage) Name() string { return "staff-forgot" }
func (*ForgotPage) Title() Text  { return Say("Forgot your password?") }

// ConfirmPage asks before something is ended: it names the thing, and says what
// follows.
type ConfirmPage struct {
	StaffFrame
	Heading Text
	Says    []Text
	Action  string // the path that the form posts to
	Token   string
	Hidden  map[string]string // further fields of the form
	Button  Text
	Back    string // the path to go back to
}

func (*ConfirmPage) Name() string  { return "staff-confirm" }
func (p *ConfirmPage) Title() Text { return p.Heading }
