package registry

import (
	"strings"
	"time"
	"unicode/utf8"

	"postern.dev/postern"
)

// Mentions are the objects that a declaration names, by all that they can be
// found by. E-mails and nicknames are folded.
type Mentions struct {
	Accounts, AccountNames, Handles []string
	Users, Emails, Nicknames        []string
	Partners, PartnerNames          []string
	Apps                            []string // and all of the partners named above
	APIs, APINames                  []string
	Members, Operators              []string // by e-mail
	Staff                           string   // whose State.MemberOf is wanted; empty: nobody's
	ScopeUses                       bool     // whether State.ScopeUses is wanted
	Names                           bool     // whether State.Names is
	Owners                          bool     // whether State.Owners is
}

// State is what the rows say of the objects mentioned, removed ones too: their
// ids are never given again.
type State struct {
	Scopes    []postern.Scope // the whole catalogue, in its order
	Events    []EventType     // all
	Accounts  []Account
	Users     []User
	Nicknames map[string]string // folded nickname: the id of whose it is, or was
	Partners  []Partner
	Apps      []App
	APIs      []API
	Members   []Staff
	Operators []Staff
	MemberOf  []postern.Member    // of the one above, who can sign in
	ScopeUses map[string][]string // scope: the ids of the apps that may ask for it
	Names     []postern.App       // id, partner and name of every app
	Owners    map[string][]string // partner of an app above: e-mails of its owners who can sign in
}

// EventType is a kind of event of the operator's own product.
type EventType struct {
	Type        string
	Description string
	Scope       string // that a connection must hold to hear of it; empty: none
}

// Account is an account's row.
type Account struct {
	postern.Account
	Removed bool
}

// User is a user's row. Declared is the hash of the password as it was last
// declared: the user may have another one by now.
type User struct {
	postern.User
	PasswordHash string
	Declared     string
	Removed      bool
	Roles        map[string]string // by account
}

// Partner is a partner's row. Registered: it came by itself, and no operator has said
// yes to it, so its name is no proof of whose it is.
type Partner struct {
	postern.Partner
	Registered, Removed bool
}

// App is an app's row. Disabled is its own switch alone.
type App struct {
	postern.App
	WebhookSecret   []byte // sealed
	DeclaredSecrets string // a digest of its secrets as they were last declared
	Removed         bool

	CreatedAt   time.Time
	DisabledBy  string            // who switched it off last; empty: the operator
	ReviewedAt  time.Time         // since when Review is what it is; zero: from the beginning
	Verdict     string            // what the operator said with the last answer
	Reasons     map[string]string // why the app needs a scope, in its partner's words
	Proposal    *postern.Proposal // nil: none
	LogoProblem string            // why there is no logo, where there is a logo_url
}

// API is a resource server's row. A removed one leaves none.
type API struct{ postern.API }

// Staff is the row of a partner's member or an operator.
type Staff struct {
	ID           string
	Email        string
	Name         string
	PasswordHash string
	Declared     string
	Disabled     bool
	Vouched      postern.Voucher
	Roles        map[string]string // of a member, by partner
}

// Writes are what an apply does to the rows. Objects are written whole.
type Writes struct {
	Scopes       []postern.Scope // appended to the catalogue, or described anew
	Events       []EventType
	Accounts     []Put[Account]
	Users        []Put[User] // with the memberships that they have afterwards
	Partners     []Put[Partner]
	Apps         []Put[App] // with the secrets that they have afterwards
	APIs         []Put[API]
	Members      []Put[Staff]
	Operators    []Put[Staff]
	DropScopes   []string
	DropEvents   []string
	Leave        []Leave  // memberships that end, with their user-level connections
	EndSessions  []string // of users whose password was set
	DropAccounts []string
	DropUsers    []string
	DropPartners []string // their apps are in DropApps
	DropApps     []string
	DropAPIs     []string
	DropStaff    []string // members and operators
	Logos        []Logo
	Proposals    []Proposed
	Audit        []Audit
	Mails        []postern.SealedMail

	// Actor and Address are whose wish it is and where it came from; empty: the
	// operator's, at the terminal.
	Actor, Address string
}

// Put is a row to write. Of an app, Looks tells that people see it otherwise
// than when they approved it.
type Put[T any] struct {
	Row   T
	New   bool
	Looks bool
}

// Logo is an image that was handed in for an app, as a PNG of our own making. An
// app without one has Hash "".
type Logo struct {
	AppID, Hash string
	PNG         []byte
}

// Proposed is what becomes of an app's proposal; nil: there is none any more. A
// PNG of nil leaves the image that is kept with it.
type Proposed struct {
	AppID    string
	Proposal *postern.Proposal
	PNG      []byte
	Approved bool // its image becomes the app's
}

// Leave is a membership that ends.
type Leave struct{ AccountID, UserID string }

// Audit is a record of what was done.
type Audit struct{ Action, Object, Detail string }

// mentions collects what a declaration names.
func (r *Resources) mentions() *Mentions {
	m := &Mentions{}
	for _, d := range r.scopes {
		m.ScopeUses = m.ScopeUses || value(d.Remove)
	}
	for _, d := range r.accounts {
		add(&m.Accounts, string(value(d.ID)))
		add(&m.AccountNames, value(d.Name))
		add(&m.Handles, string(value(d.Handle)))
	}
	for _, d := range r.users {
		add(&m.Users, string(value(d.ID)))
		add(&m.Emails, postern.FoldEmail(d.Email))
		if d.Nickname != nil {
			add(&m.Nicknames, postern.FoldNickname(string(*d.Nickname)))
			continue
		}
		for _, proposed := range proposals(d.Email) {
			add(&m.Nicknames, postern.FoldNickname(proposed))
		}
	}
	for _, d := range r.partners {
		add(&m.Partners, string(value(d.ID)))
		add(&m.PartnerNames, value(d.Name))
	}
	for _, d := range r.apps {
		add(&m.Apps, string(value(d.ClientID)))
		add(&m.APIs, string(value(d.ClientID)))
	}
	for _, d := range r.apis {
		add(&m.APIs, string(value(d.ID)))
		add(&m.Apps, string(value(d.ID)))
		add(&m.APINames, value(d.Name))
	}
	for _, d := range r.members {
		add(&m.Members, postern.FoldEmail(d.Email))
	}
	for _, d := range r.operators {
		add(&m.Operators, postern.FoldEmail(d.Email))
	}
	return m
}

// add leaves out what cannot be in any row, and what a database would not even
// look for.
func add(list *[]string, text string) {
	if text != "" && utf8.ValidString(text) && !strings.ContainsRune(text, 0) {
		*list = append(*list, text)
	}
}

// OperatorToken is a new operator's token on its way into the rows.
type OperatorToken struct {
	ID     string
	Name   string
	Hash   postern.Hash
	Rights []string
	Now    time.Time
}
