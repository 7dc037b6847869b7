package store

import (
	"context"
	"database/sql"

	"postern.dev/postern"
)

// EventCatalogue implements portal.Catalogue.
func (db *DB) EventCatalogue(ctx context.Context) ([]postern.PublishedType, error) {
	var list []postern.PublishedType
	r := &stateReader{ctx: ctx, q: read{db}}
	r.all(allEventTypes, func(rows *sql.Rows) error {
		var t postern.PublishedType
		err := rows.Scan(&t.Type, &t.Description, &t.Scope)
		list = append(list, t)
		return err
	})
	return list, db.trouble(r.err)
}
