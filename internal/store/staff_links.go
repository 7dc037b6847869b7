package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/registry"
)

const (
	invitationColumns = `
	l.id, l.email, l.name, l.partner_id, COALESCE(p.name, l.company), l.role, l.created_at, l.expires_at,
	COALESCE(m.id, ''), COALESCE(m.email, ''), COALESCE(m.name, ''),
	EXISTS (SELECT 1 FROM staff k WHERE k.realm = 'partner' AND k.email_folded = l.email_folded AND k.password_hash <> '' AND k.vouched_by <> '')`

	// Whoever invited may have been removed since; then there is no name to tell.
	invitationTables = `
	staff_links l
	LEFT JOIN partners p ON p.id = l.partner_id AND p.removed_at = 0
	LEFT JOIN staff m ON 'staff:' || m.id = l.made_by`

	selectInvitation = `
	SELECT ` + invitationColumns + ` FROM ` + invitationTables + `
	WHERE l.hash = $1 AND l.purpose <> 'reset' AND l.vouches <> '' AND l.expires_at > $2 AND (l.purpose = 'register' OR p.id IS NOT NULL)`

	selectPending = `
	SELECT ` + invitationColumns + ` FROM ` + invitationTables + `
	WHERE l.partner_id = $1 AND l.purpose = 'invite' AND l.expires_at > $2 AND p.id IS NOT NULL
	ORDER BY l.created_at, l.id`

	latestWaiting = `
	SELECT id FROM staff_links WHERE email_folded = $1 AND purpose <> 'reset' AND expires_at > $2
	ORDER BY created_at DESC, id LIMIT 1`
	renewLink = `UPDATE staff_links SET hash = $2, expires_at = $3, vouches = $4 WHERE id = $1`

	saveInvitation = `
	INSERT INTO staff_links (id, hash, purpose, email, email_folded, partner_id, role, made_by, created_at, expires_at, vouches)
	VALUES ($1, $2, 'invite', $3, $4, $5, $6, $7, $8, $9, $10)
	ON CONFLICT (partner_id, email_folded) WHERE purpose = 'invite' DO UPDATE SET
	  id = excluded.id, hash = excluded.hash, email = excluded.email, role = excluded.role, made_by = excluded.made_by,
	  created_at = excluded.created_at, expires_at = excluded.expires_at, vouches = excluded.vouches`
	saveRegistration = `
	INSERT INTO staff_links (id, hash, purpose, email, email_folded, name, company, role, made_by, created_at, expires_at, vouches)
	VALUES ($1, $2, 'register', $3, $4, $5, $6, $7, 'stranger', $8, $9, $10)
	ON CONFLICT (email_folded) WHERE purpose = 'register' DO UPDATE SET
	  id = excluded.id, hash = excluded.hash, email = excluded.email, name = excluded.name, company = excluded.company,
	  created_at = excluded.created_at, expires_at = excluded.expires_at, vouches = excluded.vouches`

	isMember = `
	SELECT COUNT(*) FROM partner_members m JOIN staff s ON s.id = m.staff_id
	WHERE m.partner_id = $1 AND s.realm = 'partner' AND s.email_folded = $2`
	partnersNames = `SELECT name FROM partners WHERE removed_at = 0`
	partnerNames  = `SELECT id, name, disabled, registered FROM partners WHERE removed_at = 0 ORDER BY id`

	spendInvitation = `
	DELETE FROM staff_links WHERE hash = $1 AND purpose <> 'reset' AND vouches <> '' AND expires_at > $2
	RETURNING purpose, email, email_folded, partner_id, company, role, made_by, vouches`
	// A person whom a file declares without a password has a row already. So has one
	// whose sign-in nobody vouches for: it becomes theirs to whom the link went.
	addStaff = `
	INSERT INTO staff (id, realm, email, email_folded, name, password_hash, vouched_by, created_at)
	VALUES ($1, 'partner', $2, $3, $4, $5, $6, $7)
	ON CONFLICT (realm, email_folded) DO UPDATE SET name = excluded.name, password_hash = excluded.password_hash,
	  vouched_by = excluded.vouched_by
	WHERE (staff.password_hash = '' OR staff.vouched_by = '') AND staff.disabled = FALSE
	RETURNING id`
	foldedEmailOf = `SELECT email_folded, vouched_by FROM staff WHERE id = $1 AND realm = 'partner' AND disabled = FALSE`
	addPartner    = `INSERT INTO partners (id, name, registered, disabled, waiting_since, created_at) VALUES ($1, $2, $3, $4, $5, $6)`
	addMember     = `
	INSERT INTO partner_members (partner_id, staff_id, role, created_at) VALUES ($1, $2, $3, $4)
	ON CONFLICT (partner_id, staff_id) DO NOTHING`
)

// SaveInvitation implements identity.Invitations.
func (db *DB) SaveInvitation(ctx context.Context, i identity.NewInvitation) error {
	return db.write(ctx, func(t *tx) error {
		if err := db.holdPartner(ctx, t, i.PartnerID); err != nil {
			return err
		}
		actor := "operator"
		if i.By != "" {
			actor = "staff:" + i.By
			if err := mustOwn(ctx, t, i.PartnerID, i.By); err != nil {
				return err
			}
		}
		folded := postern.FoldEmail(i.Email)
		if n, err := count(ctx, t, isMember, i.PartnerID, folded); err != nil || n > 0 {
			return or(err, postern.Errorf(postern.Conflict, "%s is a member already.", i.Email))
		}
		_, err := t.exec(ctx, saveInvitation, i.ID, i.Hash[:], i.Email, folded, i.PartnerID, string(i.Role), actor, ms(i.Now), ms(i.Expires), string(i.Vouches))
		if err != nil {
			return err
		}
		if err := putMails(ctx, t, i.Mails); err != nil {
			return err
		}
		return audit(ctx, t, auditRow{At: i.Now, Actor: actor, Action: "member.invited", Object: "partner:" + i.PartnerID,
			Detail: i.Email + " as " + string(i.Role), Address: i.Address})
	})
}

// SaveRegistration implements identity.Invitations.
func (db *DB) SaveRegistration(ctx context.Context, i identity.NewInvitation) error {
	return db.write(ctx, func(t *tx) error {
		if err := freeName(ctx, t, i.Company); err != nil {
			return err
		}
		_, err := t.exec(ctx, saveRegistration, i.ID, i.Hash[:], i.Email, postern.FoldEmail(i.Email), i.Name, i.Company, string(i.Role), ms(i.Now), ms(i.Expires), string(i.Vouches))
		if err != nil {
			return err
		}
		return putMails(ctx, t, i.Mails)
	})
}

// freeName keeps a company that registers from the name of another, in whatever
// letters: people who read it beside an app could not tell them apart.
func freeName(ctx context.Context, t *tx, name string) error {
	names, err := column[string](ctx, t, partnersNames)
	if err != nil {
		return err
	}
	for _, other := range names {
		if registry.LooksLike(other, name) {
			return postern.Errorf(postern.Conflict, "A partner of this name is here already.")
		}
	}
	return nil
}

// RenewInvitation implements identity.Invitations.
func (db *DB) RenewInvitation(ctx context.Context, foldedEmail string, l identity.NewLink) (*postern.Invitation, error) {
	err := db.write(ctx, func(t *tx) error {
		var id string
		err := t.row(ctx, latestWaiting, foldedEmail, ms(l.Now)).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return errGone
		}
		if err != nil {
			return err
		}
		if err := mustChange(t.exec(ctx, renewLink, id, l.Hash[:], ms(l.Expires), string(l.Vouches))); err != nil {
			return err
		}
		return audit(ctx, t, auditRow{At: l.Now, Actor: "operator", Action: "invitation.renewed", Object: "link:" + id})
	})
	if err != nil {
		return nil, err
	}
	return db.Invitation(ctx, l.Hash, l.Now)
}

// Invitation implements identity.Invitations.
func (db *DB) Invitation(ctx context.Context, hash postern.Hash, now time.Time) (*postern.Invitation, error) {
	i, err := scanInvitation(read{db}.row(ctx, selectInvitation, hash[:], ms(now)))
	if errors.Is(err, sql.ErrNoRows) {
		return nil, errGone
	}
	return &i, db.trouble(err)
}

// PendingInvitations implements portal.TeamRows and admin.ConsoleRows.
func (db *DB) PendingInvitations(ctx context.Context, partnerID string, now time.Time) ([]postern.Invitation, error) {
	return collect(ctx, read{db}, scanInvitation, selectPending, partnerID, ms(now))
}

func scanInvitation(row scanner) (postern.Invitation, error) {
	i := postern.Invitation{By: postern.Staff{Realm: postern.PartnerRealm}}
	var since, expires int64
	err := row.Scan(&i.ID, &i.Email, &i.Name, &i.Partner.ID, &i.Partner.Name, &i.Role, &since, &expires,
		&i.By.ID, &i.By.Email, &i.By.Name, &i.Known)
	i.Since, i.Expires = at(since), at(expires)
	return i, err
}

// InvitePartner implements identity.Invitations.
func (db *DB) InvitePartner(ctx context.Context, id, name string, now time.Time) (p *postern.Partner, made bool, err error) {
	err = db.write(ctx, func(t *tx) error {
		// One at a time, with applies: each might make the same.
		if _, err := t.exec(ctx, lockRegistry); err != nil {
			return err
		}
		found, alike, err := partnersOf(ctx, t, name)
		switch {
		case err != nil:
			return err
		case len(found) > 1:
			return postern.Errorf(postern.Conflict, "Several partners have the name %q: give them different names first.", name)
		case len(found) == 1 && found[0].Registered: // anybody takes any name
			return postern.Errorf(postern.Conflict, "%s registered itself, and may not be the company that you mean. If it is, invite from its page: /operator/partners/%s", name, found[0].ID)
		case len(found) == 1:
			p, made = &found[0].Partner, false
			return nil
		case alike != "": // mostly a slip, and people would take one for the other
			return postern.Errorf(postern.Conflict, "There is a partner “%s” already. Write its name just so, or another one.", alike)
		}
		p, made = &postern.Partner{ID: id, Name: name}, true
		if _, err := t.exec(ctx, addPartner, id, name, false, false, 0, ms(now)); err != nil {
			return err
		}
		return audit(ctx, t, auditRow{At: now, Actor: "operator", Action: "partner.created", Object: "partner:" + id})
	})
	return p, made, err
}

// partnersOf are the partners of a name, and the name of one that is spelled
// almost like it.
func partnersOf(ctx context.Context, t *tx, name string) (list []registry.Partner, alike string, err error) {
	folded := postern.FoldName(name)
	err = each(ctx, t, func(row scanner) error {
		var p registry.Partner
		err := row.Scan(&p.ID, &p.Name, &p.Disabled, &p.Registered)
		switch {
		case p.Name == name:
			list = append(list, p)
		case postern.FoldName(p.Name) == folded:
			alike = p.Name
		}
		return err
	}, partnerNames)
	return list, alike, err
}

// TakeInvitation implements identity.Invitations.
func (db *DB) TakeInvitation(ctx context.Context, hash postern.Hash, by identity.Taker) error {
	return db.write(ctx, func(t *tx) error {
		// First of all, so that nobody is forgotten while they join: whoever is with
		// no partner any more goes (dropAlone).
		if _, err := t.exec(ctx, lockRegistry); err != nil {
			return err
		}
		var i spentInvitation
		err := t.row(ctx, spendInvitation, hash[:], ms(by.Now)).Scan(&i.purpose, &i.email, &i.folded, &i.partner, &i.company, &i.role, &i.madeBy, &i.vouches)
		if errors.Is(err, sql.ErrNoRows) {
			return errGone
		}
		if err != nil {
			return err
		}
		staff, err := i.taker(ctx, t, by)
		if err != nil {
			return err
		}
		if i.purpose == "register" {
			i.partner = by.PartnerID
			err = i.found(ctx, t, staff, by)
		} else {
			err = i.mayJoin(ctx, t)
		}
		if err != nil {
			return err
		}
		if _, err := t.exec(ctx, addMember, i.partner, staff, i.role, ms(by.Now)); err != nil {
			return err
		}
		err = audit(ctx, t, auditRow{At: by.Now, Actor: "staff:" + staff, Action: "member.joined", Object: "partner:" + i.partner,
			Detail: i.email + " as " + i.role, Address: by.Address})
		if err != nil || !by.New {
			return err
		}
		by.Session.UserID = staff
		return ofStaff.begin(ctx, t, by.Session, "sign_in", "by invitation")
	})
}

// spentInvitation is what the row said.
type spentInvitation struct {
	purpose, email, folded, partner, company, role, madeBy, vouches string
}

// mayJoin: while a partner is off its team stays as it is, whatever an owner gave
// before. The operator's own word counts at any time.
func (i *spentInvitation) mayJoin(ctx context.Context, t *tx) error {
	p, err := standing(ctx, t, i.partner)
	if err == nil && i.madeBy != "operator" {
		err = p.MayChange()
	}
	return err
}

// taker is who becomes a member: somebody new, or who is signed in and has the
// e-mail that the link went to, by somebody's word.
func (i *spentInvitation) taker(ctx context.Context, t *tx, by identity.Taker) (id string, err error) {
	if by.New {
		err = t.row(ctx, addStaff, by.StaffID, i.email, i.folded, by.Name, by.PasswordHash, i.vouches, ms(by.Now)).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			err = postern.Errorf(postern.Conflict, "This e-mail has a sign-in already.")
		}
		if err != nil || id == by.StaffID {
			return id, err
		}
		return id, i.takesOver(ctx, t, id, by)
	}
	var folded, vouched string
	err = t.row(ctx, foldedEmailOf, by.StaffID).Scan(&folded, &vouched)
	if errors.Is(err, sql.ErrNoRows) {
		return "", errGone
	}
	switch {
	case err != nil:
	case folded != i.folded:
		err = postern.Errorf(postern.Forbidden, "This invitation is for another e-mail address than the one that you are signed in with.")
	case vouched == "":
		err = postern.Errorf(postern.Forbidden, "Nobody has vouched yet for the e-mail address that you are signed in with. Open the link again and choose a new password.")
	}
	return by.StaffID, err
}

// takesOver ends whatever let somebody in as this person before.
func (i *spentInvitation) takesOver(ctx context.Context, t *tx, staff string, by identity.Taker) error {
	if err := signOutStaff(ctx, t, staff); err != nil {
		return err
	}
	return audit(ctx, t, auditRow{At: by.Now, Actor: "staff:" + staff, Action: "password.changed", Object: "staff:" + staff,
		Detail: "by invitation; all sessions ended", Address: by.Address})
}

// found makes the partner of a company that registered itself.
func (i *spentInvitation) found(ctx context.Context, t *tx, staff string, by identity.Taker) error {
	if err := freeName(ctx, t, i.company); postern.Is(err, postern.Conflict) {
		return postern.Errorf(postern.Forbidden, "A partner with the name %s has come to be meanwhile. Ask its people to invite you, or register under another name.", i.company)
	} else if err != nil {
		return err
	}
	waiting, detail := int64(0), "registered itself"
	if by.Waits {
		waiting, detail = ms(by.Now), "registered itself, and waits for an operator"
	}
	if _, err := t.exec(ctx, addPartner, i.partner, i.company, true, by.Waits, waiting, ms(by.Now)); err != nil {
		return err
	}
	return audit(ctx, t, auditRow{At: by.Now, Actor: "staff:" + staff, Action: "partner.created", Object: "partner:" + i.partner, Detail: detail, Address: by.Address})
}

func count(ctx context.Context, t *tx, query string, args ...any) (n int, err error) {
	err = t.row(ctx, query, args...).Scan(&n)
	return n, err
}

// or is trouble, where there was some, else what was found out.
func or(trouble, found error) error {
	if trouble != nil {
		return trouble
	}
	return found
}
