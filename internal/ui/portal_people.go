package ui

import (
	"time"

	"postern.dev/postern"
)

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
