package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"postern.dev/postern"
)

const (
	partnerColumns = `p.id, p.name, p.disabled, p.waiting_since, p.refusal`

	listPartners = `
	SELECT ` + partnerColumns + `,
	       (SELECT COUNT(*) FROM apps a WHERE a.partner_id = p.id AND a.removed_at = 0),
	       (SELECT COUNT(*) FROM partner_members m WHERE m.partner_id = p.id)
	FROM partners p WHERE p.removed_at = 0 AND ($1 = '' OR EXISTS
	  (SELECT 1 FROM partners b WHERE b.id = $1 AND (b.name < p.name OR b.name = p.name AND b.id < p.id)))
	ORDER BY p.name, p.id LIMIT $2`
	onePartner = `SELECT ` + partnerColumns + ` FROM partners p WHERE p.id = $1 AND p.removed_at = 0`
	staffName  = `SELECT CASE WHEN name <> '' THEN name ELSE email END FROM staff WHERE id = $1`
)

var (
	auditColumns = `SELECT id, at, actor, action, object, detail, address, ` + called("actor") + `, ` + called("object") + ` FROM audit`
	// The column comes first: PostgreSQL gives a parameter the type of what it is first
	// compared with, and 0 is too small a type for a time.
	auditOrder = ` AND (at < $1 OR at = $1 AND id < $2 OR $1 = 0) ORDER BY at DESC, id DESC LIMIT $3`
	auditAll   = auditColumns + ` WHERE TRUE` + auditOrder
	auditBy    = auditColumns + ` WHERE actor = $4` + auditOrder
	auditAbout = auditColumns + ` WHERE object = $4` + auditOrder
	auditBoth  = auditColumns + ` WHERE actor = $4 AND object = $5` + auditOrder
)

// called is what somebody or something in a column of the audit log ("app:ID")
// is called now.
func called(column string) string {
	text := "COALESCE(CASE"
	for _, kind := range []struct{ word, name string }{
		{"staff", "email FROM staff"}, {"operator", "email FROM staff"}, {"member", "email FROM staff"}, {"user", "email FROM users"},
		{"app", "name FROM apps"}, {"api", "name FROM apis"}, {"partner", "name FROM partners"}, {"account", "name FROM accounts"},
	} {
		text += fmt.Sprintf(" WHEN %s LIKE '%s:%%' THEN (SELECT %s WHERE id = substr(%s, %d))", column, kind.word, kind.name, column, len(kind.word)+2)
	}
	return text + " END, '')"
}

// Partners implements admin.ConsoleRows.
func (db *DB) Partners(ctx context.Context, after string, limit int) ([]postern.PartnerCount, error) {
	return collect(ctx, read{db}, func(row scanner) (p postern.PartnerCount, err error) {
		p.Partner, err = scanPartner(row, &p.Apps, &p.Members)
		return p, err
	}, listPartners, plainText(after), limit)
}

// Partner implements admin.ConsoleRows.
func (db *DB) Partner(ctx context.Context, id string) (*postern.Partner, error) {
	p, err := scanPartner(read{db}.row(ctx, onePartner, id))
	if err != nil {
		return nil, db.missing(err, "partner")
	}
	return &p, nil
}

// scanPartner reads partnerColumns, and what the query has after them.
func scanPartner(row scanner, more ...any) (p postern.Partner, err error) {
	var waiting int64
	err = row.Scan(append([]any{&p.ID, &p.Name, &p.Disabled, &waiting, &p.Refusal}, more...)...)
	p.Waiting = at(waiting)
	return p, err
}

// StaffName implements admin.ConsoleRows. Of somebody who was removed there is
// none.
func (db *DB) StaffName(ctx context.Context, staffID string) (name string, err error) {
	err = read{db}.row(ctx, staffName, staffID).Scan(&name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return name, db.trouble(err)
}

// AuditRecords implements admin.ConsoleRows.
func (db *DB) AuditRecords(ctx context.Context, f postern.AuditFilter) ([]postern.AuditRecord, error) {
	query, args := auditAll, []any{f.Before, f.BeforeID, f.Limit}
	switch {
	case f.Actor != "" && f.Object != "":
		query, args = auditBoth, append(args, f.Actor, f.Object)
	case f.Actor != "":
		query, args = auditBy, append(args, f.Actor)
	case f.Object != "":
		query, args = auditAbout, append(args, f.Object)
	}
	list, err := collect(ctx, read{db}, scanAudit, query, args...)
	if err != nil && db.engine.isForeign(err) {
		return nil, nil // no row can hold what was asked for
	}
	return list, err
}

func scanAudit(row scanner) (a postern.AuditRecord, err error) {
	var when int64
	err = row.Scan(&a.ID, &when, &a.Actor, &a.Action, &a.Object, &a.Detail, &a.Address, &a.ActorName, &a.ObjectName)
	a.At = at(when)
	return a, err
}
