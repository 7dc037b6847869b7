package identity

import (
	"context"

	"postern.dev/postern"
)

// StaffChangePassword is ChangePassword for staff: all sessions end, other
// known browsers are forgotten, and a new session begins.
func (r *Rules) StaffChangePassword(ctx context.Context, s *postern.StaffSession, old, new, device postern.Secret, address string) (*StaffSignedIn, error) {
	if err := checkNew(new); err != nil {
		return nil, err
	}
	realm := s.Staff.Realm
	c := &claim{
		door: staffDoor(realm), email: postern.FoldEmail(s.Staff.Email), password: old,
		address: address, detail: "to change the password",
	}
	found, err := r.staffClaim(ctx, realm, c, device)
	if err != nil {
		return nil, err
	}
	if found == nil || found.Staff.ID != s.Staff.ID {
		return nil, notSignedIn() // removed meanwhile, or has another address now
	}
	hash, err := r.replaced(ctx, c, new)
	if err != nil {
		return nil, err
	}
	begun, row, err := r.beginStaff(found.Staff, device, found.KnownDevice)
	if err != nil {
		return nil, err
	}
	row.ProvedHash, row.PasswordHash, row.Bucket, row.Address = found.PasswordHash, hash, c.bucket(), address
	err = r.Store.SaveStaffPassword(ctx, s.Hash, row)
	if postern.Is(err, postern.NotFound) {
		return nil, notSignedIn() // another change, or a sign-out, was first
	}
	if err != nil {
		return nil, err
	}
	return begun, nil
}

// StartStaffReset is StartReset for staff of a realm. It is mailed where people
// can be written to, unless the operator hands it over.
func (r *Rules) StartStaffReset(ctx context.Context, realm postern.Realm, email string, byHand bool) (*Link, error) {
	return r.startStaffReset(ctx, realm, email, "operator", "", byHand)
}

func (r *Rules) startStaffReset(ctx context.Context, realm postern.Realm, email, actor, address string, byHand bool) (*Link, error) {
	found, err := r.Store.StaffCredential(ctx, realm, postern.FoldEmail(email), postern.Hash{}, r.Now())
	if postern.Is(err, postern.NotFound) {
		return nil, postern.Errorf(postern.NotFound, "There is no %s with the e-mail %q; %s.", staffNoun[realm], email, staffFrom[realm])
	}
	if err != nil {
		return nil, err
	}
	if found.Staff.Disabled {
		return nil, postern.Errorf(postern.Forbidden, "The sign-in of %q is switched off: switch it on first.", found.Staff.Email)
	}
	life := r.Limits.withDefaults().Reset
	return r.give(ctx, found.Staff.Email, resetLetter(realm), life, address, byHand, func(link NewLink) error {
		return r.Store.SaveStaffReset(ctx, link, found.Staff.ID, actor)
	})
}

// staffFrom says where each comes from, for an operator who looks for one.
var staffFrom = map[postern.Realm]string{
	postern.PartnerRealm:  "invite with `postern partner invite`",
	postern.OperatorRealm: "declare operators: in a resources file, and `postern apply` it",
}

var staffNoun = map[postern.Realm]string{postern.PartnerRealm: "member of a partner", postern.OperatorRealm: "operator"}

// StaffReset tells whose password a reset sets; NotFound when it was used, has
// expired, was replaced by a later one, or is of the other realm.
func (r *Rules) StaffReset(ctx context.Context, realm postern.Realm, reset postern.Secret) (*postern.Staff, error) {
	if !postern.ResetForm.Matches(reset) {
		return nil, noReset()
	}
	staff, err := r.Store.StaffReset(ctx, realm, reset.Hash(), r.Now())
	if postern.Is(err, postern.NotFound) {
		return nil, noReset()
	}
	return staff, err
}

// SpendStaffReset is Reset for staff: it sets the password, once, and ends all
// sessions.
func (r *Rules) SpendStaffReset(ctx context.Context, realm postern.Realm, reset, new postern.Secret, address string) error {
	staff, err := r.StaffReset(ctx, realm, reset) // first: strangers get no work out of us
	if err != nil {
		return err
	}
	hash, err := r.hashChosen(ctx, new, staff.Email)
	if err != nil {
		return err
	}
	guesses := &claim{door: staffDoor(realm), email: postern.FoldEmail(staff.Email)}
	err = r.Store.SpendStaffReset(ctx, reset.Hash(), NewPassword{
		UserID: staff.ID, PasswordHash: hash, Bucket: guesses.bucket(), Address: address, Now: r.Now(),
	})
	if postern.Is(err, postern.NotFound) {
		return noReset()
	}
	return err
}
