package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
)

// people are those of one door, end users or staff: the same promises over rows
// of their own, so that a session of one opens nothing of the other.
type people struct {
	kind string // in audit records: "user", "staff"

	provePassword                       string // and keep its hash
	addSession, seeSession              string
	endSession, endOwn, endAll          string // one; one of a person's; all of a person's
	knowDevice, forgetMost, forgetOther string
	endReset                            string
}

var (
	ofUsers = people{"user", provePassword, addSession, seeSession, endSession, endUsersSession, endUsersSessions,
		knowDevice, forgetDevices, forgetOtherDevices, endUsersReset}
	ofStaff = people{"staff", proveStaffPassword, addStaffSession, seeStaffSession, endStaffSession, endOwnSession, endStaffSessions,
		knowStaffDevice, forgetStaffDevices, forgetOtherStaffDevices, endStaffReset}
)

// signIn begins a session for whoever proved the password.
func (p *people) signIn(ctx context.Context, t *tx, s identity.NewSession) error {
	if err := mustChange(t.exec(ctx, p.provePassword, s.UserID, s.ProvedHash, s.PasswordHash)); err != nil {
		return err
	}
	detail := ""
	if s.PasswordHash != s.ProvedHash {
		detail = "the password's hash was made stronger"
	}
	return p.begin(ctx, t, s, "sign_in", detail)
}

// changePassword replaces the proved password, ends all that let the person in
// before, and begins a new session.
func (p *people) changePassword(ctx context.Context, t *tx, asked postern.Hash, s identity.NewSession) error {
	if err := mustChange(t.exec(ctx, p.provePassword, s.UserID, s.ProvedHash, s.PasswordHash)); err != nil {
		return err
	}
	if err := mustChange(t.exec(ctx, p.endOwn, asked[:], s.UserID)); err != nil {
		return err
	}
	if _, err := t.exec(ctx, p.endAll, s.UserID); err != nil {
		return err
	}
	if _, err := t.exec(ctx, p.forgetOther, s.UserID, s.Device[:]); err != nil {
		return err
	}
	if _, err := t.exec(ctx, p.endReset, s.UserID); err != nil {
		return err
	}
	return p.begin(ctx, t, s, "password.changed", "all sessions ended")
}

// useReset ends all that let the person in before a new password was set by a link.
func (p *people) useReset(ctx context.Context, t *tx, n identity.NewPassword) error {
	if _, err := t.exec(ctx, p.endAll, n.UserID); err != nil {
		return err
	}
	if _, err := t.exec(ctx, clearGuesses, n.Bucket); err != nil {
		return err
	}
	return p.audit(ctx, t, n.UserID, auditRow{At: n.Now, Action: "password.reset_used", Detail: "all sessions ended", Address: n.Address})
}

// begin is what each way to a session has in common.
func (p *people) begin(ctx context.Context, t *tx, s identity.NewSession, action, detail string) error {
	if _, err := t.exec(ctx, p.addSession, s.Session[:], s.UserID, ms(s.Now), ms(s.Expires)); err != nil {
		return err
	}
	if _, err := t.exec(ctx, p.knowDevice, s.Device[:], s.UserID, ms(s.DeviceExpires)); err != nil {
		return err
	}
	if _, err := t.exec(ctx, p.forgetMost, s.UserID); err != nil {
		return err
	}
	if _, err := t.exec(ctx, clearGuesses, s.Bucket); err != nil {
		return err
	}
	return p.audit(ctx, t, s.UserID, auditRow{At: s.Now, Action: action, Detail: detail, Address: s.Address})
}

// see moves "last seen" forward.
func (p *people) see(ctx context.Context, t *tx, session postern.Hash, now time.Time) error {
	_, err := t.exec(ctx, p.seeSession, session[:], ms(now))
	return err
}

// signOut ends a session; one that has ended is no error.
func (p *people) signOut(ctx context.Context, t *tx, session postern.Hash, now time.Time) error {
	var id string
	err := t.row(ctx, p.endSession, session[:]).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	return p.audit(ctx, t, id, auditRow{At: now, Action: "sign_out"})
}

// audit records what a person did to themselves.
func (p *people) audit(ctx context.Context, t *tx, id string, a auditRow) error {
	a.Actor, a.Object = p.kind+":"+id, p.kind+":"+id
	return audit(ctx, t, a)
}
