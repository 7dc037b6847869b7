package ui

import (
	"net/url"
	"time"

	"postern.dev/postern"
)

// SignInPage asks who is there.
type SignInPage struct {
	Token   string // anti-forgery
	Ticket  string // the question that waits; empty: none
	App     *postern.App
	Email   string // as typed before, or as the app hinted
	Problem Text   // why the last attempt failed
	Again   bool   // the app asked for a fresh sign-in
}

func (*SignInPage) Name() string { return "signin" }
func (*SignInPage) Title() Text  { return Say("Sign in") }

// SignOutPage asks whether to sign out.
type SignOutPage struct {
	Token string
	User  *postern.User // nil: nobody is signed in
}

func (*SignOutPage) Name() string { return "signout" }
func (*SignOutPage) Title() Text  { return Say("Sign out") }

// ConsentPage puts an app's question to a person.
type ConsentPage struct {
	Token        string
	SignOutToken string
	Ticket       string
	App          *postern.App
	Site         string // host of the app's site; may be empty
	Goes         string // host, with its port, where Allow will lead
	User         postern.User
	Level        postern.Level // whose the connection would be
	Choices      []Choice
	Scopes       []ScopeLine
	// Own is what the app could do as the person, beside what it could do for the
	// account; most apps ask for one of the two.
	Own []ScopeLine
	// Changed: the app's name, logo, site or redirect URL is not what the person
	// last approved.
	Changed bool
	Problem Text
	// Preview: it is shown to the app's own makers, who cannot answer it.
	Preview bool
	Picture string // of a preview: address of a logo that the app does not have yet
}

// Host is a URL's host with its port, as people can read it. A private-use
// scheme has no host: the scheme itself says which app it is.
func Host(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return ""
	case u.Host == "":
		return u.Scheme
	}
	return u.Host
}

// Choice is an account that the person may connect.
type Choice struct {
	Account postern.Account
	Live    *Standing // nil: not connected yet
	Chosen  bool
}

// Standing is a connection that exists already.
type Standing struct {
	Since time.Time
	By    string // who made it; may be empty
	// Adds is how many of the scopes asked for it does not have.
	Adds int
}

// ScopeLine is a permission in words.
type ScopeLine struct {
	Text string
	New  bool // the existing connection does not have it
}

func (*ConsentPage) Name() string  { return "consent" }
func (p *ConsentPage) Title() Text { return Say("Connect %s", p.App.Name) }

// ForUser reports whether the connection would be the person's own.
func (p *ConsentPage) ForUser() bool { return p.Level == postern.UserLevel }

// Only is the account, where there is just one.
func (p *ConsentPage) Only() *Choice {
	if len(p.Choices) == 1 {
		return &p.Choices[0]
	}
	return nil
}

// WhoMayPage tells a person who may connect the app, since they may not.
type WhoMayPage struct {
	Token        string
	SignOutToken string
	Ticket       string
	App          *postern.App
	User         postern.User
	Reason       Text
	Accounts     []Approvers
}

// Approvers are the people of an account who may connect the app.
type Approvers struct {
	Account string
	Roles   []string
	People  []postern.User // a few of them; may be empty
}

func (*WhoMayPage) Name() string  { return "whomay" }
func (p *WhoMayPage) Title() Text { return Say("Connect %s", p.App.Name) }

// ConnectionsPage lists what is connected.
type ConnectionsPage struct {
	User         postern.User
	SignOutToken string
	Done         Text // what was just done
	Accounts     []AccountConnections
}

// AccountConnections are those of one account, and the person's own in it.
type AccountConnections struct {
	Account     postern.Account
	Connections []ConnectionCard
}

// ConnectionCard is one connection.
type ConnectionCard struct {
	postern.Listing
	Scopes []ScopeLine
	Token  string
	MayEnd bool
}

func (*ConnectionsPage) Name() string { return "connections" }
func (*ConnectionsPage) Title() Text  { return Say("Connections") }

// Empty reports whether nothing is connected.
func (p *ConnectionsPage) Empty() bool {
	for _, a := range p.Accounts {
		if len(a.Connections) > 0 {
			return false
		}
	}
	return true
}

// DisconnectPage says what follows when a connection ends.
type DisconnectPage struct {
	ConnectionCard
	SignOutToken string
	User         postern.User
}

func (*DisconnectPage) Name() string  { return "disconnect" }
func (p *DisconnectPage) Title() Text { return Say("Disconnect %s", p.App.Name) }

// PasswordPage changes a password.
type PasswordPage struct {
	Token        string
	SignOutToken string
	User         postern.User
	Problem      Text
}

func (*PasswordPage) Name() string { return "password" }
func (*PasswordPage) Title() Text  { return Say("Change password") }

// ResetPage sets a new password from a one-time link.
type ResetPage struct {
	Token   string
	Link    string // the path that the form posts to
	Email   string
	Problem Text
}

func (*ResetPage) Name() string { return "reset" }
func (*ResetPage) Title() Text  { return Say("Set a new password") }

// MessagePage says one thing: what this is, what went wrong, or what is done.
type MessagePage struct {
	Heading   Text
	What      Text   // what happened, and why
	Do        Text   // what to do now
	RequestID string // to name when asking for help; empty: none
	Link      string // one of our own paths to go on to; empty: none
	LinkText  Text
	Front     bool // it is the first page: the link is what it is for
}

func (*MessagePage) Name() string  { return "message" }
func (p *MessagePage) Title() Text { return p.Heading }

func (*ConnectionsPage) dated() {}
func (*DisconnectPage) dated()  {}
