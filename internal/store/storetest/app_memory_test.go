package storetest

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"postern.dev/postern"
)

// The raw connection of these tests is another process for the store: it hears
// of nothing but what the rows say.

// amongAll finds an app in the list of its partner's.
func (w *world) amongAll(id string) (*postern.App, error) {
	list, err := w.db.PartnerApps(w.ctx, "p1")
	at := slices.IndexFunc(list, func(a postern.App) bool { return a.ID == id })
	if err != nil || at < 0 {
		return nil, fmt.Errorf("%s is not in the list of %d apps: %w", id, len(list), err)
	}
	return &list[at], nil
}

func TestThePartnersAppsAreInTheOrderOfTheirNames(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(`INSERT INTO partners (id, name, created_at) VALUES ('p2', 'Another', 1)`)
		w.run(`UPDATE apps SET partner_id = 'p2' WHERE id = 'whole'`)
		w.run(`UPDATE apps SET name = 'A' WHERE id = 'own'`)
		w.run(`UPDATE apps SET removed_at = 1 WHERE id = 'open'`)
		for partner, want := range map[string]string{"p1": "own other", "p2": "whole", "p3": ""} {
			list, err := w.db.PartnerApps(w.ctx, partner)
			w.ok(err)
			var ids []string
			for _, a := range list {
				ids = append(ids, a.ID)
				if len(a.Secrets) != 1 || a.Secrets[0].ID != a.ID {
					w.Errorf("%s came with the secrets %+v", a.ID, a.Secrets)
				}
			}
			if got := strings.Join(ids, " "); got != want {
				w.Errorf("%s has the apps %q, not %q", partner, got, want)
			}
		}
	})
}

func TestAnAppIsReadAsItsRowsAreNow(t *testing.T) {
	everywhere(t, func(w *world) {
		second := postern.Secret("another-another-another").Hash()
		changes := []struct {
			what, change string
			args         []any
			shows        func(a *postern.App) bool
		}{
			{"the app", `UPDATE apps SET name = 'Renamed' WHERE id = 'own'`, nil, func(a *postern.App) bool { return a.Name == "Renamed" }},
			{"its partner", `UPDATE partners SET name = 'New Ltd' WHERE id = 'p1'`, nil, func(a *postern.App) bool { return a.Partner.Name == "New Ltd" }},
			{"a partner switched off", `UPDATE partners SET disabled = TRUE WHERE id = 'p1'`, nil, func(a *postern.App) bool { return a.Disabled }},
			{"a partner switched on", `UPDATE partners SET disabled = FALSE WHERE id = 'p1'`, nil, func(a *postern.App) bool { return !a.Disabled }},
			{"a second secret", `INSERT INTO app_secrets (id, app_id, name, hash, created_at, expires_at) VALUES ('s2', 'own', 'second', $1, 1, 253402300799000)`,
				[]any{second[:]}, func(a *postern.App) bool { return len(a.Secrets) == 2 }},
			{"its end", `UPDATE app_secrets SET expires_at = 7 WHERE id = 's2'`, nil,
				func(a *postern.App) bool {
					return len(a.Secrets) == 2 && (a.Secrets[0].ExpiresAt.UnixMilli() == 7 || a.Secrets[1].ExpiresAt.UnixMilli() == 7)
				}},
			{"its absence", `DELETE FROM app_secrets WHERE id = 's2'`, nil, func(a *postern.App) bool { return len(a.Secrets) == 1 }},
		}
		for _, c := range changes {
			if before, err := w.db.App(w.ctx, "own"); err != nil || c.shows(before) {
				t.Fatalf("%s: the app already shows it, or %v", c.what, err)
			}
			w.run(c.change, c.args...)
			for _, read := range map[string]func() (*postern.App, error){
				"alone": func() (*postern.App, error) { return w.db.App(w.ctx, "own") },
				"with a code": func() (*postern.App, error) {
					a, _, err := w.db.AppAndCode(w.ctx, "own", postern.Hash{1})
					return a, err
				},
				"with a token": func() (*postern.App, error) {
					a, _, err := w.db.AppAndToken(w.ctx, "own", postern.Hash{1})
					return a, err
				},
				"a second time":            func() (*postern.App, error) { return w.db.App(w.ctx, "own") },
				"among all of its partner": func() (*postern.App, error) { return w.amongAll("own") },
			} {
				if after, err := read(); err != nil || !c.shows(after) {
					t.Fatalf("%s: not seen after it was changed (%+v, %v)", c.what, after, err)
				}
			}
		}
		w.run(`UPDATE apps SET removed_at = 1 WHERE id = 'own'`)
		if _, err := w.db.App(w.ctx, "own"); !postern.Is(err, postern.NotFound) {
			t.Fatalf("a removed app is found: %v", err)
		}
		if _, err := w.db.App(w.ctx, "whole"); err != nil {
			t.Fatalf("another app: %v", err)
		}
	})
}

func TestWhatIsDoneToAnAppThatWasReadStaysWithTheReader(t *testing.T) {
	everywhere(t, func(w *world) {
		first, err := w.db.App(w.ctx, "own")
		if err != nil {
			t.Fatal(err)
		}
		first.Name, first.Disabled = "scribbled over", true
		if again, err := w.db.App(w.ctx, "own"); err != nil || again.Name != "own" || again.Disabled {
			t.Fatalf("%+v, %v", again, err)
		}
	})
}

func TestNoCrowdedReaderSeesAnAppOlderThanAnAcknowledgedChange(t *testing.T) {
	everywhere(t, func(w *world) {
		const changes, readers = 60, 4
		var mu sync.RWMutex
		acknowledged := 0
		done := make(chan struct{})
		var reading sync.WaitGroup
		for range readers {
			reading.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					mu.RLock()
					least := acknowledged
					mu.RUnlock()
					app, err := w.db.App(w.ctx, "own")
					if err != nil {
						t.Error(err)
						return
					}
					var seen int
					if _, err := fmt.Sscanf(app.Name, "own%d", &seen); least > 0 && (err != nil || seen < least) {
						t.Errorf("read %q after change %d was acknowledged", app.Name, least)
						return
					}
				}
			})
		}
		for i := 1; i <= changes; i++ {
			w.run(`UPDATE apps SET name = $1 WHERE id = 'own'`, fmt.Sprint("own", i))
			mu.Lock()
			acknowledged = i
			mu.Unlock()
		}
		close(done)
		reading.Wait()
	})
}

func TestChangesByHandCountHoweverTheyAreMade(t *testing.T) {
	everywhere(t, func(w *world) {
		by := map[string]func(){
			"postgres": func() {
				w.run(`CREATE SCHEMA elsewhere CREATE TABLE counters (name TEXT, value BIGINT)`)
				c, err := w.sql.Conn(w.ctx)
				w.ok(err)
				defer c.Close()
				for _, statement := range []string{`SET search_path = elsewhere`, `UPDATE public.apps SET name = 'By hand' WHERE id = 'own'`} {
					_, err = c.ExecContext(w.ctx, statement)
					w.ok(err)
				}
			},
			"sqlite": func() {
				w.run(`CREATE TEMP TABLE one AS SELECT * FROM apps WHERE id = 'own'`)
				w.run(`UPDATE one SET name = 'By hand'`)
				w.run(`REPLACE INTO apps SELECT * FROM one`)
			},
		}
		w.sql.SetMaxOpenConns(1) // the temporary table is the connection's
		_, err := w.db.App(w.ctx, "own")
		w.ok(err)
		by[w.db.Engine()]()
		app, err := w.db.App(w.ctx, "own")
		w.ok(err)
		if app.Name != "By hand" {
			t.Errorf("the app is read as %q", app.Name)
		}
		if w.db.Engine() == "postgres" {
			w.run(`TRUNCATE public.apps`)
			_, err = w.db.App(w.ctx, "own")
			w.wants(err, postern.NotFound)
		}
	})
}
