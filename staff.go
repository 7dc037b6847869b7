package postern

import "time"

// Realm is whose people staff are. A realm is a door of its own: one e-mail may
// be staff of both, and neither sign-in opens the other.
type Realm string

const (
	PartnerRealm  Realm = "partner"  // people of partners: the developer portal
	OperatorRealm Realm = "operator" // people of the operator: the console
)

// Staff is a person of a partner or of the operator. Customers' people are
// Users.
type Staff struct {
	ID       string
	Realm    Realm
	Email    string
	Name     string // may be empty
	Disabled bool
	Vouched  Voucher
}

// Voucher is who says that an e-mail is the person's. A sign-in for which nobody
// does opens no partner but those that it opens already: as far as others are
// concerned, it is as if it were not there.
type Voucher string

const (
	ByOperator Voucher = "operator" // who declared the person, or handed them a link
	ByMail     Voucher = "mail"     // a link that was mailed there was used
)

// Display is what pages call the person.
func (s *Staff) Display() string {
	if s.Name != "" {
		return s.Name
	}
	return s.Email
}

// StaffSession is a signed-in browser of a staff member. The cookie holds a
// secret; the row its hash.
type StaffSession struct {
	Hash      Hash
	Staff     Staff
	SignedIn  time.Time // when the password was last given
	ExpiresAt time.Time // absolute
	LastSeen  time.Time
}

// Role is what a member may do for a partner.
type Role string

const (
	Owner     Role = "owner"     // everything, members too
	Developer Role = "developer" // apps and their keys
	Viewer    Role = "viewer"    // sees everything that is no secret
)

// Roles are all roles of members, the mightiest first.
var Roles = []Role{Owner, Developer, Viewer}

// MayEdit reports whether a member with this role may change apps, make keys
// and end connections.
func (r Role) MayEdit() bool { return r == Owner || r == Developer }

// MayManage reports whether a member with this role may invite, change and
// remove members.
func (r Role) MayManage() bool { return r == Owner }

// Member is a person's part in a partner.
type Member struct {
	Partner Partner
	Staff   Staff
	Role    Role
	Since   time.Time
}

// Invitation is a one-time link with which somebody comes to a partner: asked
// by the partner or the operator, or, of a partner that is yet to be, by
// themselves.
type Invitation struct {
	ID      string
	Email   string  // whom it is for; nobody else can use it
	Name    string  // as they wrote it when they registered; may be empty
	Partner Partner // without an ID: the company that registers
	Role    Role
	By      Staff // the member who invites; empty: the operator, or themselves
	Known   bool  // the e-mail has a sign-in already, and somebody vouches for it
	Since   time.Time
	Expires time.Time
}

// Registers reports whether the invitation makes a new partner.
func (i *Invitation) Registers() bool { return i.Partner.ID == "" }

// WaitingPartner is one that registered itself, with those who did.
type WaitingPartner struct {
	Partner
	Owners []Staff
}
