package identity

import (
	"context"
	"time"

	"postern.dev/postern"
)

// Invitations are the rows of links with which people come to partners.
type Invitations interface {
	// SaveInvitation keeps an invitation in place of an earlier one of the same
	// person to the same partner. A member who invites must be an owner at that
	// moment: Forbidden; NotFound for who is no member. Whoever is a member
	// already is a Conflict.
	SaveInvitation(ctx context.Context, i NewInvitation) error
	// SaveRegistration keeps a registration in place of an earlier one of the same
	// e-mail. A partner that has this name already is a Conflict.
	SaveRegistration(ctx context.Context, i NewInvitation) error
	// RenewInvitation gives what waits for an e-mail (the latest, invitation or
	// registration) another secret and another end; NotFound.
	RenewInvitation(ctx context.Context, foldedEmail string, l NewLink) (*postern.Invitation, error)
	// Invitation reads a live one.
	Invitation(ctx context.Context, hash postern.Hash, now time.Time) (*postern.Invitation, error)
	// TakeInvitation spends it: the person becomes a member, and where it
	// registers a company, the partner comes to be. Of many callers one wins, the
	// others get NotFound. Somebody else's is Forbidden; a new person whose e-mail
	// has a sign-in by now is a Conflict.
	TakeInvitation(ctx context.Context, hash postern.Hash, t Taker) error
	// InvitePartner finds the partner of this name, or makes it with this id.
	// Conflict: there is one whose name differs in nothing but case or width, or one
	// that registered itself under it.
	InvitePartner(ctx context.Context, id, name string, now time.Time) (p *postern.Partner, made bool, err error)

	// CountFailure counts up in a window and gives the count: of any number of
	// callers no two get the same.
	CountFailure(ctx context.Context, name string, window time.Duration, now time.Time) (int, error)
	// Note writes an audit record of what changed nothing.
	Note(ctx context.Context, actor, action, object string, now time.Time) error
}

// NewInvitation is an invitation on its way into the rows.
type NewInvitation struct {
	NewLink
	Email     string
	Name      string // of who registers
	PartnerID string // of an invitation
	Company   string // of a registration
	Role      postern.Role
	By        string // staff ID of the owner who invites; empty: the operator
}

// Taker is who takes an invitation.
type Taker struct {
	StaffID      string // of who is signed in; for somebody new, the id to have
	New          bool
	Name         string // of somebody new
	PasswordHash string // of somebody new
	Session      NewSession
	PartnerID    string // the id for a partner that comes to be
	Waits        bool   // that partner waits for an operator
	Address      string
	Now          time.Time
}

// Invite is who shall come to which partner.
type Invite struct {
	Partner postern.Partner
	Email   string
	Role    postern.Role
	By      *postern.Staff // an owner; nil: the operator
	Address string
	ByHand  bool // the operator hands the link over; no mail is sent
}

// Invite makes a one-time link, bound to the e-mail; an earlier one for the same
// person and partner ends. An owner is never shown it: where no mail is sent, the
// operator has it (RenewLink). Otherwise an owner could open it, and have a sign-in
// with anybody's e-mail; and would see whether the e-mail has one (attacks.md PA-10).
func (r *Rules) Invite(ctx context.Context, in Invite) (*Link, error) {
	row := NewInvitation{Email: in.Email, PartnerID: in.Partner.ID, Role: in.Role}
	by := ""
	if in.By != nil {
		row.By, by, in.ByHand = in.By.ID, in.By.Display(), false
		if err := r.mayInvite(ctx, in.Partner.ID, in.Email); err != nil {
			return nil, err
		}
	}
	l := inviteLetter(in.Partner.Name, in.Role, by)
	given, err := r.give(ctx, in.Email, l, r.Limits.withDefaults().Invitation, in.Address, in.ByHand, func(link NewLink) error {
		row.NewLink = link
		return r.Store.SaveInvitation(ctx, row)
	})
	if err == nil && in.By != nil {
		r.keepFrom(given, "to join "+in.Partner.Name)
	}
	return given, err
}

// keepFrom takes a link that was not mailed from who asked for it.
func (r *Rules) keepFrom(given *Link, what string) {
	if !given.Mailed && r.Tell != nil {
		r.Tell(what, given.Email, r.PublicURL+InvitePath+string(given.Secret))
	}
	given.Secret = ""
}

// invitesADay keep a team's invitations from becoming somebody's letters to all
// the world.
const invitesADay = 50

// mayInvite counts what a team asks for, and what it asks for one person: nobody's
// letter box is filled with it.
func (r *Rules) mayInvite(ctx context.Context, partnerID, email string) error {
	for _, c := range []struct {
		bucket string
		most   int
		often  *postern.Error
	}{
		{bucketOf("invite "+partnerID, "for", postern.FoldEmail(email)), heardPerEmail, postern.Errorf(postern.RateLimited, "Your team has invited this person several times today. Try again tomorrow.")},
		{bucketOf("invite", "by", partnerID), invitesADay, postern.Errorf(postern.RateLimited, "This team has invited very many people today. Try again tomorrow.")},
	} {
		n, err := r.Store.CountFailure(ctx, c.bucket, 24*time.Hour, r.Now())
		if err != nil {
			return err
		}
		if n > c.most {
			c.often.RetryAfter = 24 * time.Hour
			return c.often
		}
	}
	return nil
}

// InvitePartner finds the partner that somebody is to be invited to, and makes
// it where there is none of this name yet.
func (r *Rules) InvitePartner(ctx context.Context, name string) (p *postern.Partner, made bool, err error) {
	id, err := postern.NewID(r.Random, "par_")
	if err != nil {
		return nil, false, err
	}
	return r.Store.InvitePartner(ctx, id, name, r.Now())
}

// RenewLink makes another link of the invitation or registration that waits for
// an e-mail, for the operator to hand over: the one before ends.
func (r *Rules) RenewLink(ctx context.Context, email string) (postern.Secret, *postern.Invitation, error) {
	secret, link, err := r.newLink(r.Limits.withDefaults().Invitation, "")
	if err != nil {
		return "", nil, err
	}
	i, err := r.Store.RenewInvitation(ctx, postern.FoldEmail(email), link)
	if postern.Is(err, postern.NotFound) {
		return "", nil, postern.Errorf(postern.NotFound, "Nothing waits for %q: there is neither an invitation nor a registration. Invite with `postern partner invite`; a member who forgot the password needs `postern partner reset`.", email)
	}
	return secret, i, err
}

// Invitation tells what a link invites to; NotFound when it was used, has
// expired, was taken back, or was replaced by a later one.
func (r *Rules) Invitation(ctx context.Context, secret postern.Secret) (*postern.Invitation, error) {
	if !postern.ResetForm.Matches(secret) {
		return nil, noReset()
	}
	i, err := r.Store.Invitation(ctx, secret.Hash(), r.Now())
	if postern.Is(err, postern.NotFound) {
		return nil, noReset()
	}
	return i, err
}

// Accept takes an invitation for somebody new, who chooses name and password,
// and begins a session: the link went to their e-mail.
func (r *Rules) Accept(ctx context.Context, secret postern.Secret, name string, password, device postern.Secret, waits bool, address string) (*StaffSignedIn, error) {
	i, err := r.Invitation(ctx, secret) // first: strangers get no work out of us
	if err != nil {
		return nil, err
	}
	if i.Known {
		return nil, errKnown()
	}
	hash, err := r.hashChosen(ctx, password, i.Email)
	if err != nil {
		return nil, err
	}
	id, err := postern.NewID(r.Random, "stf_")
	if err != nil {
		return nil, err
	}
	staff := postern.Staff{ID: id, Realm: postern.PartnerRealm, Email: i.Email, Name: name}
	begun, row, err := r.beginStaff(staff, device, false)
	if err != nil {
		return nil, err
	}
	guesses := &claim{door: staffDoor(staff.Realm), email: postern.FoldEmail(i.Email)}
	row.Bucket, row.Address = guesses.bucket(), address
	t := Taker{StaffID: id, New: true, Name: name, PasswordHash: hash, Session: row, Waits: waits, Address: address}
	if err := r.take(ctx, secret, t); err != nil {
		return nil, err
	}
	return begun, nil
}

// AcceptAs takes an invitation for who is signed in, if it is theirs.
func (r *Rules) AcceptAs(ctx context.Context, secret postern.Secret, s *postern.Staff, waits bool, address string) error {
	if !postern.ResetForm.Matches(secret) {
		return noReset()
	}
	return r.take(ctx, secret, Taker{StaffID: s.ID, Waits: waits, Address: address})
}

func (r *Rules) take(ctx context.Context, secret postern.Secret, t Taker) (err error) {
	if t.PartnerID, err = postern.NewID(r.Random, "par_"); err != nil {
		return err
	}
	t.Now = r.Now()
	err = r.Store.TakeInvitation(ctx, secret.Hash(), t)
	switch {
	case postern.Is(err, postern.NotFound):
		return noReset()
	case postern.Is(err, postern.Conflict) && t.New:
		return errKnown()
	}
	return err
}

func errKnown() error {
	return postern.Errorf(postern.Conflict, "Somebody has signed up with this e-mail meanwhile. Open the link again and sign in.")
}
