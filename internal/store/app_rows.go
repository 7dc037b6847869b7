package store

import (
	"context"

	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
)

const allApps = `SELECT a.id FROM apps a JOIN partners p ON p.id = a.partner_id WHERE a.removed_at = 0 ORDER BY p.name, a.name, a.id`

// AppRow implements portal.AppRows and admin.ConsoleRows.
func (db *DB) AppRow(ctx context.Context, id string) (*registry.App, error) {
	list, err := db.AppRows(ctx, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, errNoApp
	}
	return list[0], nil
}

// AppRows implements admin.ConsoleRows.
func (db *DB) AppRows(ctx context.Context, ids ...string) (list []*registry.App, err error) {
	s := &registry.State{}
	err = db.snapshot(ctx, func(q querier) error {
		r := &stateReader{ctx: ctx, q: q}
		r.apps(s, &registry.Mentions{Apps: ids})
		var partners []string
		for i := range s.Apps {
			partners = append(partners, s.Apps[i].Partner.ID)
		}
		r.partners(s, &registry.Mentions{Partners: partners})
		return r.err
	})
	if err != nil {
		return nil, err
	}
	partners, apps := map[string]postern.Partner{}, map[string]*registry.App{}
	for _, p := range s.Partners {
		partners[p.ID] = p.Partner
	}
	for i := range s.Apps {
		a := &s.Apps[i]
		a.Partner = partners[a.Partner.ID]
		apps[a.ID] = a
	}
	for _, id := range ids {
		if a := apps[id]; a != nil && !a.Removed {
			list = append(list, a)
		}
	}
	return list, nil
}

// AllApps are the ids of all apps, by partner and name.
func (db *DB) AllApps(ctx context.Context) ([]string, error) {
	return column[string](ctx, read{db}, allApps)
}
