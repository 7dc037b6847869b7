package storetest

import (
	"slices"
	"testing"
)

func TestMetadataListsWhatTheDialectsAppsAskForByDefault(t *testing.T) {
	everywhere(t, func(w *world) {
		for i, name := range []string{"c", "b", "a"} { // the operator's order
			w.run(`INSERT INTO scopes (name, description, position) VALUES ($1, $1, $2)`, name, i)
		}
		w.run(`UPDATE apps SET dialect = 'x_y', default_scopes = 'a gone' WHERE id = 'whole'`)
		w.run(`UPDATE apps SET dialect = 'other', also = 'old x_y', default_scopes = 'c' WHERE id = 'own'`)
		w.run(`UPDATE apps SET dialect = 'xzy', default_scopes = 'b' WHERE id = 'other'`)
		w.run(`UPDATE apps SET dialect = 'x_y', default_scopes = 'b', disabled = $1 WHERE id = 'open'`, true)
		for dialect, want := range map[string][]string{"x_y": {"c", "a"}, "xzy": {"b"}, "old": {"c"}, "x": {}} {
			got, err := w.db.DefaultScopes(w.ctx, dialect)
			if err != nil || !slices.Equal(got, want) {
				w.Errorf("%s lists %v, %v; wanted %v", dialect, got, err, want)
			}
		}
	})
}
