package storetest

import (
	"slices"
	"testing"

	"postern.dev/postern"
)

func TestAPersonSeesTheirAccountsConnectionsAndTheirOwn(t *testing.T) {
	everywhere(t, func(w *world) {
		whole := w.connect(capped, "whole", "bob", "acme")
		own := w.connect(plain, "own", "ada", "acme", "read")
		w.connect(plain, "own", "bob", "acme", "read")
		w.connect(capped, "whole", "eve", "globex")
		w.run(`UPDATE apps SET connect_roles = 'admin owner', url = 'https://partner.test' WHERE id = 'whole'`)

		list, err := w.db.Connections(w.ctx, "ada", "")
		w.ok(err)
		var seen []string
		for _, l := range list {
			seen = append(seen, l.Account.ID+" "+l.App.ID+" "+l.Connection.UserID+" "+l.Role)
		}
		if want := []string{"acme own ada admin", "acme whole  admin", "globex whole  member"}; !slices.Equal(seen, want) {
			w.Fatalf("ada sees %q", seen)
		}
		mine, shared := list[0], list[1]
		if mine.Connection.ID != own.ConnectionID || !slices.Equal(mine.Connection.Scopes, []string{"read"}) || mine.App.Level != postern.UserLevel {
			w.Errorf("her own: %+v", mine)
		}
		if shared.Connection.ID != whole.ConnectionID || shared.Maker.Email != "bob@test" || shared.App.Partner.Name != "Partner" ||
			!slices.Equal(shared.App.ConnectRoles, []string{"admin", "owner"}) || !shared.Connection.CreatedAt.Equal(w.clock.Now()) ||
			!shared.Connection.LastUsedAt.IsZero() {
			w.Errorf("the account's: %+v", shared)
		}
		if one, err := w.db.Connections(w.ctx, "ada", "own"); err != nil || len(one) != 1 {
			w.Errorf("of one app: %+v, %v", one, err)
		}

		w.run(`UPDATE users SET removed_at = 1 WHERE id = 'bob'`)
		w.ok(w.rules.Disconnect(w.ctx, postern.User{ID: "ada"}, own.ConnectionID, ""))
		list, err = w.db.Connections(w.ctx, "ada", "")
		w.ok(err)
		if len(list) != 2 || list[0].Maker.ID != "" {
			w.Errorf("after one ended and its maker was removed: %+v", list)
		}
	})
}

func TestAChangedLookIsTold(t *testing.T) {
	everywhere(t, func(w *world) {
		changed, approved, err := w.db.LookChanged(w.ctx, "own", "ada")
		w.ok(err)
		if !approved.IsZero() || !changed.IsZero() {
			w.Fatalf("before any consent: changed %v, approved %v", changed, approved)
		}
		w.run(`UPDATE apps SET changed_at = $1 WHERE id = 'own'`, w.clock.Now().UnixMilli())
		if changed, _, err = w.db.LookChanged(w.ctx, "own", "ada"); err != nil || !changed.Equal(w.clock.Now()) {
			w.Fatalf("after a change: %v %v", changed, err)
		}
		w.approve(rotating, "own", "ada", "acme", "read")
		_, approved, err = w.db.LookChanged(w.ctx, "own", "ada")
		w.ok(err)
		if !approved.Equal(w.clock.Now()) {
			w.Errorf("approved %v", approved)
		}
		_, _, err = w.db.LookChanged(w.ctx, "none", "ada")
		w.wants(err, postern.NotFound)
	})
}

func TestApproversAreNamedUpToALimit(t *testing.T) {
	everywhere(t, func(w *world) {
		names := func(limit int, roles ...string) (list []string) {
			people, err := w.db.MembersWithRoles(w.ctx, "acme", roles, limit)
			w.ok(err)
			for _, u := range people {
				list = append(list, u.Email)
			}
			return list
		}
		if got := names(5, "owner", "admin"); !slices.Equal(got, []string{"ada@test"}) {
			w.Errorf("admins: %q", got)
		}
		if got := names(5, "admin", "member"); !slices.Equal(got, []string{"ada@test", "bob@test"}) {
			w.Errorf("all: %q", got)
		}
		if got := names(1, "admin", "member"); len(got) != 1 {
			w.Errorf("one: %q", got)
		}
		w.run(`UPDATE users SET disabled = TRUE WHERE id = 'ada'`)
		if got := names(5, "admin"); len(got) != 0 {
			w.Errorf("a person who is switched off: %q", got)
		}
	})
}

func TestAQuestionIsReadWithItsAppAsPeopleSeeItNow(t *testing.T) {
	everywhere(t, func(w *world) {
		k := w.ask(asking(plain, "own"))
		read := func() *postern.App {
			w.Helper()
			_, app, err := w.db.Ticket(w.ctx, k.Hash)
			w.ok(err)
			return app
		}
		if app := read(); app == nil || app.ID != "own" || app.Name == "Renamed" || app.LogoHash != "" || len(app.RedirectURLs) == 0 {
			w.Fatalf("read with %+v", app)
		}
		w.run(`UPDATE apps SET name = 'Renamed' WHERE id = 'own'`)
		w.run(`INSERT INTO logos (app_id, url, hash, image, next_at) VALUES ('own', '', 'h1', NULL, 0)`)
		if app := read(); app.Name != "Renamed" || app.LogoHash != "h1" {
			w.Errorf("after a change read with %+v", app)
		}
		w.run(`UPDATE apps SET logo_url = 'https://partner.test/a.png', disabled = TRUE WHERE id = 'own'`)
		if app := read(); app.LogoHash != "" || !app.Disabled {
			w.Errorf("with another logo, and off, read with %+v", app)
		}
		w.run(`UPDATE apps SET removed_at = 1 WHERE id = 'own'`)
		if app := read(); app != nil {
			w.Errorf("removed, it is read with %+v", app)
		}
	})
}

func TestAReleasedQuestionCanBeShownToSomebodyElse(t *testing.T) {
	everywhere(t, func(w *world) {
		k := w.ask(asking(plain, "own"))
		w.ok(w.rules.ShowTicket(w.ctx, k, "ada"))
		again, _, err := w.db.Ticket(w.ctx, k.Hash)
		w.ok(err)
		w.ok(w.db.ReleaseTicket(w.ctx, k.Hash, "eve")) // not hers: no change
		w.wants(w.rules.ShowTicket(w.ctx, again, "eve"), postern.Forbidden)
		w.ok(w.db.ReleaseTicket(w.ctx, k.Hash, "ada"))
		free, _, err := w.db.Ticket(w.ctx, k.Hash)
		w.ok(err)
		w.ok(w.rules.ShowTicket(w.ctx, free, "eve"))
		_, err = w.decide(plain, again, "ada", "acme", true)
		w.wants(err, postern.Conflict)
		_, err = w.decide(plain, free, "eve", "globex", true)
		w.ok(err)
		w.ok(w.db.ReleaseTicket(w.ctx, k.Hash, "eve")) // answered: it stays hers
		if owner := w.text(`SELECT user_id FROM tickets WHERE hash = $1`, k.Hash[:]); owner != "eve" {
			w.Errorf("an answered question belongs to %q", owner)
		}
	})
}

func TestScopesComeInTheOperatorsOrder(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(`INSERT INTO scopes (name, description, position) VALUES ('b', 'Second', 2), ('z', 'First', 1)`)
		list, err := w.db.ScopeCatalogue(w.ctx)
		w.ok(err)
		if !slices.Equal(list, []postern.Scope{{Name: "z", Description: "First"}, {Name: "b", Description: "Second"}}) {
			w.Errorf("%+v", list)
		}
	})
}
