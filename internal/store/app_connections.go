package store

import (
	"context"

	"postern.dev/postern"
)

const (
	appConnections = `
	SELECT co.id, co.number, co.user_id, co.scopes, co.created_at, co.created_by, co.last_used_at,
	  a.id, a.handle, a.name, a.sandbox_of, COALESCE(u.id, ''), COALESCE(u.name, ''), COALESCE(u.nickname, ''), COALESCE(u.wire_nickname, '')
	FROM connections co
	JOIN accounts a ON a.id = co.account_id
	LEFT JOIN users u ON u.id = co.created_by AND u.removed_at = 0
	WHERE co.app_id = $1 AND co.ended_at = 0 AND `
	// After the one with an id, in the order of the list.
	listAppConnections = appConnections + `($2 = '' OR a.id = $2 OR a.name = $2) AND ($3 = '' OR EXISTS
	  (SELECT 1 FROM connections p WHERE p.id = $3 AND p.app_id = $1
	     AND (co.created_at < p.created_at OR co.created_at = p.created_at AND co.id < p.id)))
	ORDER BY co.created_at DESC, co.id DESC LIMIT $4`
	oneAppConnection = appConnections + `co.id = $2`
)

// AppConnections implements portal.ConnectionRows.
func (db *DB) AppConnections(ctx context.Context, appID, account, after string, limit int) ([]postern.Listing, error) {
	return db.appConnections(ctx, listAppConnections, appID, plainText(account), plainText(after), limit)
}

// AppConnection implements portal.ConnectionRows.
func (db *DB) AppConnection(ctx context.Context, appID, connectionID string) (*postern.Listing, error) {
	list, err := db.appConnections(ctx, oneAppConnection, appID, plainText(connectionID))
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, notFound("connection")
	}
	return &list[0], nil
}

func (db *DB) appConnections(ctx context.Context, query, appID string, args ...any) ([]postern.Listing, error) {
	return collect(ctx, read{db}, func(row scanner) (l postern.Listing, err error) {
		c, a, u := &l.Connection, &l.Account, &l.Maker
		var scopes string
		var made, used int64
		err = row.Scan(&c.ID, &c.Number, &c.UserID, &scopes, &made, &c.CreatedBy, &used,
			&a.ID, &a.Handle, &a.Name, &a.SandboxOf, &u.ID, &u.Name, &u.Nickname, &u.WireNickname)
		c.AppID, c.AccountID, c.Scopes, c.CreatedAt, c.LastUsedAt = appID, a.ID, split(scopes), at(made), at(used)
		return l, err
	}, query, append([]any{appID}, args...)...)
}
