package identity

import (
	"context"
	"time"

	"postern.dev/postern"
)

// Team are the rows of partners' members. Each act is decided in the
// transaction that does it, with the team held, so that of two owners who
// act on one another one comes first: a partner always has an owner who can
// sign in.
//
// Who acts must be an owner at that moment: Forbidden; for who is no member,
// everything of the partner is NotFound. While a partner is switched off its team
// stays as it is, whoever sits at an owner's desk: Forbidden.
type Team interface {
	// SetRole gives a member another role. The last owner keeps theirs: Conflict.
	SetRole(ctx context.Context, a TeamAct, role postern.Role) error
	// RemoveMember ends a membership; everybody may end their own. Who is with no
	// partner any more is gone, with all sessions. The last owner stays: Conflict.
	RemoveMember(ctx context.Context, a TeamAct) error
	// TakeBack ends an invitation that waits.
	TakeBack(ctx context.Context, a TeamAct, invitationID string) error

	// Team are the members of a partner, owners first.
	Team(ctx context.Context, partnerID string) ([]postern.Member, error)
	// WaitingPartners are those that registered themselves and wait for an
	// operator, the longest first.
	WaitingPartners(ctx context.Context) ([]postern.WaitingPartner, error)
	// AnswerPartner switches a partner on that waits or was refused, or refuses one
	// that waits, with a reason. One that does neither is a Conflict.
	AnswerPartner(ctx context.Context, a PartnerAnswer) error
}

// TeamAct is who does something to whom.
type TeamAct struct {
	PartnerID string
	Actor     string // staff ID
	Member    string // staff ID
	Address   string
	Now       time.Time
}

// PartnerAnswer is an operator's word on a partner that waits.
type PartnerAnswer struct {
	PartnerID string
	Refusal   string // empty: approved
	Actor     string // for the audit record
	Address   string
	Now       time.Time
	Mails     []postern.SealedMail
}

// SetRole gives a member another role.
func (r *Rules) SetRole(ctx context.Context, a TeamAct, role postern.Role) error {
	a.Now = r.Now()
	return r.Store.SetRole(ctx, a, role)
}

// RemoveMember takes a member from the team.
func (r *Rules) RemoveMember(ctx context.Context, a TeamAct) error {
	a.Now = r.Now()
	return r.Store.RemoveMember(ctx, a)
}

// TakeBack ends an invitation that nobody has used yet.
func (r *Rules) TakeBack(ctx context.Context, a TeamAct, invitationID string) error {
	a.Now = r.Now()
	return r.Store.TakeBack(ctx, a, invitationID)
}

// WaitingPartners are those that wait for an operator.
func (r *Rules) WaitingPartners(ctx context.Context) ([]postern.WaitingPartner, error) {
	return r.Store.WaitingPartners(ctx)
}

// ApprovePartner switches on a partner that waits, or that was refused. Its
// owners are told by mail, where mail is configured.
func (r *Rules) ApprovePartner(ctx context.Context, partnerID, actor, address string) error {
	return r.answer(ctx, PartnerAnswer{PartnerID: partnerID, Actor: actor, Address: address})
}

// RejectPartner says no to a partner that waits, with a reason that its people
// see. It stays switched off.
func (r *Rules) RejectPartner(ctx context.Context, partnerID, reason, actor, address string) error {
	if reason == "" {
		return postern.Errorf(postern.InvalidRequest, "Give a reason: the partner’s people see it.")
	}
	return r.answer(ctx, PartnerAnswer{PartnerID: partnerID, Refusal: reason, Actor: actor, Address: address})
}

func (r *Rules) answer(ctx context.Context, a PartnerAnswer) error {
	a.Now = r.Now()
	if r.Mails() {
		team, err := r.Store.Team(ctx, a.PartnerID)
		if err != nil {
			return err
		}
		a.Mails = r.answers(team, a.Refusal)
	}
	if err := r.Store.AnswerPartner(ctx, a); err != nil {
		return err
	}
	r.knock(a.Mails)
	return nil
}

// answers are the mails to a team's owners. One who cannot be written to keeps the
// others from nothing.
func (r *Rules) answers(team []postern.Member, refusal string) (mails []postern.SealedMail) {
	for _, m := range team {
		if m.Role != postern.Owner {
			continue
		}
		subject, text := answerLetter(m.Partner.Name, refusal == "", refusal, r.PublicURL+"/portal")
		mail, err := r.Mail.Seal(m.Staff.Email, subject, text)
		if err != nil {
			r.Log.Warn("an owner of a partner cannot be written to", "partner", m.Partner.ID, "error", err)
			continue
		}
		mails = append(mails, mail)
	}
	return mails
}
