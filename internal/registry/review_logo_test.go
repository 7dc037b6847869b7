package registry_test

import (
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/logo"
	"postern.dev/postern/internal/registry"
)

// What is approved is the picture that was looked at. Where there is none, its
// address is not approved either: whatever stood there later would come unseen.
func TestLC10_WhatIsApprovedIsThePictureThatWasSeen(t *testing.T) {
	everywhere(t, func(w *world) {
		partner, _, live := portal(w)
		w.rules.Review = true
		const at = "https://partner.test/logo.png"
		row := func(id string) *registry.App {
			w.Helper()
			a, err := w.db.AppRow(w.ctx, id)
			w.ok(err)
			return a
		}
		approve := func(id, seen string) error {
			_, err := w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, id, "", seen)
			return err
		}
		fetched := func(id string, proposed bool, problem string) {
			w.Helper()
			f := logo.Fetched{Wanted: logo.Wanted{AppID: id, URL: at, Proposed: proposed}, Problem: problem, NextAt: w.clock.Now().Add(time.Hour)}
			if problem == "" {
				f.Image, f.Hash = []byte("png"), "hash"
			}
			w.ok(w.db.SaveLogo(w.ctx, f))
		}
		refused := func(err error) {
			w.Helper()
			if !postern.Is(err, postern.Conflict) {
				w.Errorf("approved: %v", err)
			}
		}
		wish := func(name string) *registry.AppForm {
			return form(func(f *registry.AppForm) { f.Name, f.LogoURL = name, at })
		}

		// A live app's proposal.
		propose := func() string {
			w.Helper()
			e, err := w.rules.EditApp(w.ctx, dev, live.ID, wish("Partner X"))
			w.ok(err)
			if !e.Proposed {
				w.Fatal("a logo is no news")
			}
			return registry.Seen(row(live.ID))
		}
		unseen := propose()
		refused(approve(live.ID, unseen))
		refused(approve(live.ID, ""))
		fetched(live.ID, true, "the host answers 404")
		refused(approve(live.ID, unseen)) // the page said that it was being fetched
		w.ok(approve(live.ID, registry.Seen(row(live.ID))))
		if a := row(live.ID); a.LogoURL != "" || a.Proposal != nil {
			w.Errorf("an address was approved that nobody saw anything of: %+v", a)
		}
		propose()
		broken := registry.Seen(row(live.ID))
		fetched(live.ID, true, "")
		refused(approve(live.ID, broken))
		w.ok(approve(live.ID, registry.Seen(row(live.ID))))
		if a := row(live.ID); a.LogoURL != at || a.LogoHash != "hash" || a.Proposal != nil {
			w.Errorf("not what was seen: %+v", a)
		}

		// A new app.
		for _, problem := range []string{"", "the host answers 404"} {
			app, err := w.rules.CreateApp(w.ctx, dev, partner, wish("New"+problem))
			w.ok(err)
			unseen := registry.Seen(row(app.ID))
			refused(approve(app.ID, unseen))
			fetched(app.ID, false, problem)
			refused(approve(app.ID, unseen))
			w.ok(approve(app.ID, registry.Seen(row(app.ID))))
			if a := row(app.ID); (a.LogoURL == at) != (problem == "") || (a.LogoHash != "") != (problem == "") {
				w.Errorf("with the problem %q: %+v", problem, a)
			}
		}
	})
}
