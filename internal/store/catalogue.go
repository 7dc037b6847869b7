package store

import (
	"context"

	"postern.dev/postern"
)

// EventCatalogue implements portal.Catalogue.
func (db *DB) EventCatalogue(ctx context.Context) ([]postern.PublishedType, error) {
	return collect(ctx, read{db}, func(row scanner) (t postern.PublishedType, err error) {
		err = row.Scan(&t.Type, &t.Description, &t.Scope)
		return t, err
	}, allEventTypes)
}
