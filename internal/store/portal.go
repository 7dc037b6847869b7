package store

import (
	"context"

	"postern.dev/postern"
)

const (
	memberColumns = partnerColumns + `, m.role, m.created_at, ` + staffColumns

	selectMemberOf = `
	SELECT ` + memberColumns + `
	FROM partner_members m
	JOIN partners p ON p.id = m.partner_id
	JOIN staff s ON s.id = m.staff_id
	WHERE m.staff_id = $1 AND s.realm = 'partner' AND p.removed_at = 0
	ORDER BY p.name, p.id`

	selectRegistryAndRole = `
	SELECT r.value, m.role, COALESCE(l.hash, '')
	FROM apps a
	JOIN counters r ON r.name = 'registry_version'
	JOIN partners p ON p.id = a.partner_id
	JOIN partner_members m ON m.partner_id = a.partner_id
	LEFT JOIN logos l ON l.app_id = a.id AND l.url = a.logo_url
	WHERE a.id = $1 AND m.staff_id = $2 AND a.removed_at = 0 AND p.removed_at = 0`

	selectPartnerLogos = `
	SELECT a.id, l.hash
	FROM apps a
	JOIN logos l ON l.app_id = a.id AND l.url = a.logo_url
	WHERE a.partner_id = $1 AND a.removed_at = 0`
)

// errNoApp is said of an app that does not exist as of another partner's.
var errNoApp = postern.Errorf(postern.NotFound, "There is no such app, or it is not yours to see.")

// MemberOf implements portal.Rows.
func (db *DB) MemberOf(ctx context.Context, staffID string) ([]postern.Member, error) {
	return collect(ctx, read{db}, scanMember, selectMemberOf, staffID)
}

// scanMember reads memberColumns.
func scanMember(row scanner) (m postern.Member, err error) {
	var since int64
	s := &m.Staff
	m.Partner, err = scanPartner(row, &m.Role, &since, &s.ID, &s.Realm, &s.Email, &s.Name, &s.Disabled, &s.Vouched)
	m.Since = at(since)
	return m, err
}

// PartnerApp implements portal.Rows.
func (db *DB) PartnerApp(ctx context.Context, staffID, appID string) (*postern.App, postern.Role, error) {
	var role postern.Role
	var logo string
	app, err := db.appBeside(ctx, appID, selectRegistryAndRole, []any{&role, &logo}, appID, staffID)
	if postern.Is(err, postern.NotFound) {
		err = errNoApp
	}
	if err != nil {
		return nil, "", err
	}
	app.LogoHash = logo
	return app, role, nil
}

// PartnerApps implements portal.Rows and admin.ConsoleRows.
func (db *DB) PartnerApps(ctx context.Context, partnerID string) ([]postern.App, error) {
	list, err := db.readApps(ctx, selectPartnerApps, partnerID)
	if err != nil || len(list) == 0 {
		return nil, err
	}
	logos := map[string]string{}
	err = each(ctx, read{db}, func(row scanner) error {
		var id, hash string
		err := row.Scan(&id, &hash)
		logos[id] = hash
		return err
	}, selectPartnerLogos, partnerID)
	for i := range list {
		list[i].LogoHash = logos[list[i].ID]
	}
	return list, err
}
