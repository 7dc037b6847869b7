package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
)

const (
	selectPartnerStanding = `SELECT name, disabled, waiting_since FROM partners WHERE id = $1 AND removed_at = 0`
	selectRole            = `
	SELECT m.role, s.email FROM partner_members m JOIN staff s ON s.id = m.staff_id
	WHERE m.partner_id = $1 AND m.staff_id = $2`

	selectTeam = `
	SELECT ` + memberColumns + `
	FROM partner_members m
	JOIN partners p ON p.id = m.partner_id
	JOIN staff s ON s.id = m.staff_id
	WHERE m.partner_id = $1 AND p.removed_at = 0
	ORDER BY CASE m.role WHEN 'owner' THEN 0 WHEN 'developer' THEN 1 ELSE 2 END, s.email_folded`

	// anotherOwner: one who can sign in stays. Whoever asks holds the team, so no two
	// decide by the same picture.
	anotherOwner = `
	EXISTS (SELECT 1 FROM partner_members o JOIN staff s ON s.id = o.staff_id
	        WHERE o.partner_id = $1 AND o.role = 'owner' AND o.staff_id <> $2 AND s.disabled = FALSE)`
	setRole = `
	UPDATE partner_members SET role = $3
	WHERE partner_id = $1 AND staff_id = $2 AND ($3 = 'owner' OR role <> 'owner' OR ` + anotherOwner + `)`
	removeMember = `
	DELETE FROM partner_members
	WHERE partner_id = $1 AND staff_id = $2 AND (role <> 'owner' OR ` + anotherOwner + `)`
	dropIfAlone = `
	DELETE FROM staff WHERE id = $1 AND realm = 'partner'
	  AND NOT EXISTS (SELECT 1 FROM partner_members m WHERE m.staff_id = $1)`
	// What somebody gave as an owner ends with their being one, also where a file says
	// that they are none, or may not sign in.
	takeBackOrphans = `
	DELETE FROM staff_links WHERE purpose = 'invite' AND made_by <> 'operator' AND NOT EXISTS
	  (SELECT 1 FROM partner_members m JOIN staff s ON s.id = m.staff_id
	   WHERE m.partner_id = staff_links.partner_id AND 'staff:' || m.staff_id = staff_links.made_by
	     AND m.role = 'owner' AND s.disabled = FALSE)`
	takeBack = `DELETE FROM staff_links WHERE id = $1 AND partner_id = $2 AND purpose = 'invite' RETURNING email`

	selectWaiting = `
	SELECT p.id, p.name, p.waiting_since, s.id, s.email, s.name
	FROM partners p
	JOIN partner_members m ON m.partner_id = p.id AND m.role = 'owner'
	JOIN staff s ON s.id = m.staff_id
	WHERE p.waiting_since > 0 AND p.disabled = TRUE AND p.removed_at = 0
	ORDER BY p.waiting_since, p.id, s.email_folded`
	approvePartner = `
	UPDATE partners SET disabled = FALSE, registered = FALSE, waiting_since = 0, refusal = ''
	WHERE id = $1 AND removed_at = 0 AND disabled = TRUE AND (waiting_since > 0 OR refusal <> '')`
	refusePartner = `
	UPDATE partners SET waiting_since = 0, refusal = $2
	WHERE id = $1 AND removed_at = 0 AND disabled = TRUE AND waiting_since > 0`
)

var errNoPartner = postern.Errorf(postern.NotFound, "There is no such partner, or it is not yours to see.")

// holdPartner reads a partner whose team is to change. Until the transaction
// ends, no other team changes and nothing is applied: what is decided here holds.
func (db *DB) holdPartner(ctx context.Context, t *tx, id string) error {
	if _, err := t.exec(ctx, lockRegistry); err != nil {
		return err
	}
	_, err := standing(ctx, t, id)
	if err != nil && db.engine.isForeign(err) {
		err = errNoPartner
	}
	return err
}

// standing reads a partner's name and how it stands with the operator.
func standing(ctx context.Context, t *tx, id string) (*postern.Partner, error) {
	p := &postern.Partner{ID: id}
	var waiting int64
	err := t.row(ctx, selectPartnerStanding, id).Scan(&p.Name, &p.Disabled, &waiting)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoPartner
	}
	p.Waiting = at(waiting)
	return p, err
}

// roleIn is a member's role; NotFound for who is none.
func roleIn(ctx context.Context, t *tx, partnerID, staffID string) (role postern.Role, email string, err error) {
	err = t.row(ctx, selectRole, partnerID, staffID).Scan(&role, &email)
	if errors.Is(err, sql.ErrNoRows) {
		err = errNoPartner
	}
	return role, email, err
}

// mustOwn refuses who is not an owner now, and owners of a partner that is off,
// whatever a page said before.
func mustOwn(ctx context.Context, t *tx, partnerID, staffID string) error {
	role, _, err := roleIn(ctx, t, partnerID, staffID)
	if err == nil && !role.MayManage() {
		err = postern.Errorf(postern.Forbidden, "Only owners of the team may do this. You are %s.", role)
	}
	if err != nil {
		return err
	}
	p, err := standing(ctx, t, partnerID)
	if err != nil {
		return err
	}
	return p.MayChange()
}

// theMember is who an act is about.
func theMember(ctx context.Context, t *tx, a identity.TeamAct) (postern.Role, string, error) {
	role, email, err := roleIn(ctx, t, a.PartnerID, a.Member)
	if err == errNoPartner {
		err = postern.Errorf(postern.NotFound, "There is no such member.")
	}
	return role, email, err
}

// teamRow is the audit record of an act.
func teamRow(a identity.TeamAct, action, detail string) auditRow {
	return auditRow{At: a.Now, Actor: "staff:" + a.Actor, Action: action, Object: "partner:" + a.PartnerID, Detail: detail, Address: a.Address}
}

func lastOwner() error {
	return postern.Errorf(postern.Conflict, "This is the last owner of the team. Make somebody else an owner first.")
}

// SetRole implements identity.Team.
func (db *DB) SetRole(ctx context.Context, a identity.TeamAct, role postern.Role) error {
	return db.write(ctx, func(t *tx) error {
		if err := db.holdPartner(ctx, t, a.PartnerID); err != nil {
			return err
		}
		if err := mustOwn(ctx, t, a.PartnerID, a.Actor); err != nil {
			return err
		}
		was, email, err := theMember(ctx, t, a)
		if err != nil || was == role {
			return err
		}
		if n, err := t.exec(ctx, setRole, a.PartnerID, a.Member, string(role)); err != nil || n == 0 {
			return or(err, lastOwner())
		}
		if !role.MayManage() {
			if _, err := t.exec(ctx, takeBackOrphans); err != nil {
				return err
			}
		}
		return audit(ctx, t, teamRow(a, "member.role_changed", email+": "+string(was)+" to "+string(role)))
	})
}

// RemoveMember implements identity.Team.
func (db *DB) RemoveMember(ctx context.Context, a identity.TeamAct) error {
	return db.write(ctx, func(t *tx) error {
		if err := db.holdPartner(ctx, t, a.PartnerID); err != nil {
			return err
		}
		if a.Actor != a.Member {
			if err := mustOwn(ctx, t, a.PartnerID, a.Actor); err != nil {
				return err
			}
		}
		_, email, err := theMember(ctx, t, a)
		if err != nil {
			return err
		}
		if n, err := t.exec(ctx, removeMember, a.PartnerID, a.Member); err != nil || n == 0 {
			return or(err, lastOwner())
		}
		if _, err := t.exec(ctx, takeBackOrphans); err != nil {
			return err
		}
		if err := dropAlone(ctx, t, a.Member); err != nil {
			return err
		}
		return audit(ctx, t, teamRow(a, "member.removed", email))
	})
}

// dropAlone forgets a person who is with no partner any more.
func dropAlone(ctx context.Context, t *tx, staffID string) error {
	n, err := t.exec(ctx, dropIfAlone, staffID)
	if err != nil || n == 0 {
		return err
	}
	return signOutStaff(ctx, t, staffID)
}

// TakeBack implements identity.Team.
func (db *DB) TakeBack(ctx context.Context, a identity.TeamAct, invitationID string) error {
	return db.write(ctx, func(t *tx) error {
		if err := db.holdPartner(ctx, t, a.PartnerID); err != nil {
			return err
		}
		if err := mustOwn(ctx, t, a.PartnerID, a.Actor); err != nil {
			return err
		}
		var email string
		err := t.row(ctx, takeBack, invitationID, a.PartnerID).Scan(&email)
		if errors.Is(err, sql.ErrNoRows) || err != nil && db.engine.isForeign(err) {
			return postern.Errorf(postern.NotFound, "This invitation was used or taken back, or has expired.")
		}
		if err != nil {
			return err
		}
		return audit(ctx, t, teamRow(a, "invitation.taken_back", email))
	})
}

// Team implements portal.TeamRows and admin.ConsoleRows.
func (db *DB) Team(ctx context.Context, partnerID string) ([]postern.Member, error) {
	return collect(ctx, read{db}, scanMember, selectTeam, partnerID)
}

// WaitingPartners implements identity.Team.
func (db *DB) WaitingPartners(ctx context.Context) ([]postern.WaitingPartner, error) {
	var list []postern.WaitingPartner
	err := each(ctx, read{db}, func(row scanner) error {
		p := postern.Partner{Disabled: true}
		s := postern.Staff{Realm: postern.PartnerRealm}
		var waiting int64
		err := row.Scan(&p.ID, &p.Name, &waiting, &s.ID, &s.Email, &s.Name)
		p.Waiting = at(waiting)
		if n := len(list); n == 0 || list[n-1].ID != p.ID {
			list = append(list, postern.WaitingPartner{Partner: p})
		}
		last := &list[len(list)-1]
		last.Owners = append(last.Owners, s)
		return err
	}, selectWaiting)
	return list, err
}

// AnswerPartner implements identity.Team.
func (db *DB) AnswerPartner(ctx context.Context, a identity.PartnerAnswer) error {
	return db.write(ctx, func(t *tx) error {
		if err := db.holdPartner(ctx, t, a.PartnerID); err != nil {
			return err
		}
		row := auditRow{At: a.Now, Actor: a.Actor, Action: "partner.approved", Object: "partner:" + a.PartnerID, Address: a.Address}
		query, args := approvePartner, []any{a.PartnerID}
		if a.Refusal != "" {
			query, args = refusePartner, append(args, a.Refusal)
			row.Action, row.Detail = "partner.refused", a.Refusal
		}
		if n, err := t.exec(ctx, query, args...); err != nil || n == 0 {
			return or(err, postern.Errorf(postern.Conflict, "This partner does not wait for an answer any more."))
		}
		if err := putMails(ctx, t, a.Mails); err != nil {
			return err
		}
		if err := audit(ctx, t, row); err != nil {
			return err
		}
		return announceApps(ctx, t, a.PartnerID, a.Now)
	})
}

// announceApps says that a partner's apps are not what they were: they are on
// and off with it.
func announceApps(ctx context.Context, t *tx, partnerID string, now time.Time) error {
	apps, err := column[string](ctx, t, appsOfPartner, partnerID)
	if err != nil {
		return err
	}
	for _, app := range apps {
		if err := change(ctx, t, "app", app, now); err != nil {
			return err
		}
	}
	return nil
}
