package identity

import (
	"context"
	"encoding/hex"
	"net/netip"
	"time"

	"postern.dev/postern"
)

// Registration is a company that comes by itself.
type Registration struct {
	Company string
	Name    string // of the person
	Email   string
	Address string
}

// How often registrations and forgotten passwords are heard, so that a stranger
// can neither fill the rows nor have us fill somebody's letter box.
const (
	heardPerSource = 20 // an hour
	heardPerEmail  = 3  // a day
)

// Register makes a one-time link for whoever reads the e-mail: it goes there,
// and is never shown to who asks. Whether the e-mail has a sign-in already makes
// no difference, in what is done as in what is said (attacks.md LC-18, PA-10):
// the link asks a known person for the password, and a new one to choose one.
// So nobody can plant a password on somebody else's e-mail, either.
//
// Too many from one address are RateLimited. Too many for one e-mail get no
// further link, and no other answer. A name that a partner has is a Conflict.
func (r *Rules) Register(ctx context.Context, in Registration) error {
	heard, err := r.heard(ctx, "register", in.Email, in.Address)
	if err != nil || !heard {
		return err
	}
	row := NewInvitation{Email: in.Email, Name: in.Name, Company: in.Company, Role: postern.Owner}
	life := r.Limits.withDefaults().Invitation
	given, err := r.give(ctx, in.Email, registerLetter(in.Company), life, in.Address, false, func(link NewLink) error {
		row.NewLink = link
		return r.Store.SaveRegistration(ctx, row)
	})
	if err == nil {
		r.keepFrom(given, "to go on with the registration of "+in.Company)
	}
	return err
}

// Forgot mails a reset to a member or an operator who forgot the password. The
// answer comes before the look whether there is such a person, so it tells
// nothing, by word or by time.
func (r *Rules) Forgot(ctx context.Context, realm postern.Realm, email, address string) error {
	heard, err := r.heard(ctx, "forgot "+string(realm), email, address)
	if err != nil || !heard || !r.Mails() {
		return err
	}
	r.background.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
		defer cancel()
		_, err := r.startStaffReset(ctx, realm, email, "stranger", address, false)
		if err != nil && !postern.Is(err, postern.NotFound) && !postern.Is(err, postern.Forbidden) {
			r.Log.Warn("a link to set a new password was not made", "error", err)
		}
	})
	return nil
}

// heard counts what a stranger asks for, before anything is done.
func (r *Rules) heard(ctx context.Context, what, email, address string) (bool, error) {
	now := r.Now()
	n, err := r.Store.CountFailure(ctx, bucketOf(what, "from", source(address)), time.Hour, now)
	if err != nil {
		return false, err
	}
	if n > heardPerSource {
		if n == heardPerSource+1 {
			err = r.Store.Note(ctx, "stranger", "asked_too_often", what, now)
		}
		if err == nil {
			e := postern.Errorf(postern.RateLimited, "There were too many of these from where you are. Try again in an hour.")
			e.RetryAfter = time.Hour
			err = e
		}
		return false, err
	}
	n, err = r.Store.CountFailure(ctx, bucketOf(what, "for", postern.FoldEmail(email)), 24*time.Hour, now)
	return n <= heardPerEmail, err
}

// bucketOf names a count by a hash: the table tells no address.
func bucketOf(what, by, who string) string {
	name := postern.Secret(what + "\x00" + by + "\x00" + who).Hash()
	return "asked:" + hex.EncodeToString(name[:])
}

// source is what one caller can be told by: of an IPv6 address, the network that
// one subscriber is given (RFC 6177).
func source(address string) string {
	ip, err := netip.ParseAddr(address)
	if err != nil || ip.Unmap().Is4() {
		return address
	}
	network, err := ip.WithZone("").Prefix(64)
	if err != nil {
		return address
	}
	return network.String()
}
