package ui

import (
	"time"

	"postern.dev/postern"
)

// SandboxPage is a partner's sandbox, as one app of the partner's sees it.
type SandboxPage struct {
	AppFrame
	Token       string
	SignIn      string // the address at which the sandbox's people sign in
	Accounts    []SandboxAccount
	Connections []SandboxConnection
	ToFail      int // webhook attempts that are still to fail
}

// SandboxAccount is one throw-away account.
type SandboxAccount struct {
	postern.Account
	People []SandboxPerson
}

// SandboxPerson is somebody of it, with the password.
type SandboxPerson struct {
	postern.User
	Role     string
	Password string
}

// SandboxConnection is a live connection of the app to a sandbox account.
type SandboxConnection struct {
	postern.Connection
	Account     string
	Approver    postern.User
	AccessUntil time.Time // zero: there is no live access token
	Never       bool      // it has one without end
	Expired     bool
}

func (*SandboxPage) Name() string { return "portal-sandbox" }

// Scripts: what its people sign in with can be copied.
func (*SandboxPage) Scripts() []string { return []string{"copy.js"} }

func (p *SandboxPage) Title() Text { return Say("Sandbox of %s", p.App.Name) }
