package postern

import "time"

// Account is a customer of the SaaS. Its users reach it through memberships.
type Account struct {
	ID         string // ours, or as imported; never reused
	Handle     string // short name for addresses; may be empty
	Name       string
	Number     int64             // for wires that know things by number; unique among accounts
	Attributes map[string]string // what a dialect's file may say of the account
	Disabled   bool
	// SandboxOf is the partner whose sandbox the account is: a throw-away one that
	// only this partner's apps can connect to. Empty: a real account.
	SandboxOf string

	// WireID is the account's id in the dialect at hand, where that dialect has
	// ids of its own (ids.account in its file); otherwise it equals ID.
	WireID string
}

// OpenTo reports whether an app may be connected to the account at all: a real
// account to every app that is live, a partner's sandbox to the partner's own.
func (a *Account) OpenTo(app *App) bool {
	if a.SandboxOf == "" {
		return app.Live()
	}
	return a.SandboxOf == app.Partner.ID
}

// User is a person of one account or several.
type User struct {
	ID     string
	Email  string
	Name   string // may be empty
	Number int64
	// Nickname is the user's unique name as it is today.
	Nickname string
	// WireNickname is what partners know the user by: fixed when the user first
	// approves a connection, untouched by later renames, never given to another
	// person (xeebo.md §3). Empty until then.
	WireNickname string
	Attributes   map[string]string
	Disabled     bool
}

// Nick is the nickname to say on a wire.
func (u *User) Nick() string {
	if u.WireNickname != "" {
		return u.WireNickname
	}
	return u.Nickname
}

// Display is what pages call the person.
func (u *User) Display() string {
	if u.Name != "" {
		return u.Name
	}
	return u.Email
}

// Membership ties a user to an account.
type Membership struct {
	Account Account
	Role    string // "admin", "member", or the operator's own
}

// Session is a signed-in browser. The cookie holds a secret; the row its hash.
type Session struct {
	Hash      Hash
	User      User
	SignedIn  time.Time // when the password was last given
	ExpiresAt time.Time // absolute
	LastSeen  time.Time
}
