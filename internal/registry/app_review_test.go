package registry_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
)

func TestAReviewKeepsALiveAppAsItIs(t *testing.T) {
	everywhere(t, func(w *world) {
		_, _, live := portal(w)
		w.rules.Review = true
		row := func(id string) *registry.App {
			w.Helper()
			a, err := w.db.AppRow(w.ctx, id)
			w.ok(err)
			return a
		}
		renamed := form(func(f *registry.AppForm) {
			f.Name, f.WebhookURL = "Partner Y", "https://partner.test/other"
		})
		edited, err := w.rules.EditApp(w.ctx, dev, live.ID, renamed)
		w.ok(err)
		a := row(live.ID)
		if !edited.Proposed || a.Name != "Partner X" || a.WebhookURL != "https://partner.test/other" || a.Proposal == nil || a.Proposal.Name != "Partner Y" || !a.WaitsForReview() {
			w.Fatalf("the app is %+v, proposed %+v", a, a.Proposal)
		}
		seen := registry.Seen(a)
		renamed.Name = "Partner Z"
		_, err = w.rules.EditApp(w.ctx, dev, live.ID, renamed)
		w.ok(err)
		if _, err := w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, live.ID, "", seen); !postern.Is(err, postern.Conflict) {
			w.Errorf("approved what nobody looked at: %v", err)
		}
		w.equal("the name", row(live.ID).Name, "Partner X")
		if _, err := w.rules.RejectApp(w.ctx, registry.By{Actor: "staff:op"}, live.ID, " ", ""); found(err)[0] != "reason: Say why: the app’s people read it, and know what to change." {
			w.Errorf("rejected without a reason: %v", err)
		}
		_, err = w.rules.RejectApp(w.ctx, registry.By{Actor: "staff:op"}, live.ID, "Not your name.", "")
		w.ok(err)
		if a := row(live.ID); a.Proposal.Review != postern.Rejected || a.Proposal.Reason != "Not your name." || a.Name != "Partner X" || a.WaitsForReview() {
			w.Errorf("after the rejection: %+v %+v", a, a.Proposal)
		}
		w.ok(w.rules.AskReview(w.ctx, dev, live.ID))
		_, err = w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, live.ID, "", registry.Seen(row(live.ID)))
		w.ok(err)
		if a := row(live.ID); a.Name != "Partner Z" || a.Proposal != nil {
			w.Errorf("after the approval: %+v", a)
		}
		w.equal("when it last looked different", w.one("SELECT changed_at FROM apps WHERE id = '"+live.ID+"'"), fmt.Sprint(w.clock.Now().UnixMilli()))
		_, err = w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, live.ID, "", "")
		if !postern.Is(err, postern.Conflict) {
			w.Errorf("approved twice: %v", err)
		}
		// What gives up is no news to anybody; what asks for more is.
		less := form(func(f *registry.AppForm) { f.Name, f.Scopes = "Partner Z", []string{"read"} })
		if e, err := w.rules.EditApp(w.ctx, dev, live.ID, less); err != nil || e.Proposed || !slices.Equal(row(live.ID).Scopes, []string{"read"}) {
			w.Errorf("a scope that is given up: %+v, %v", e, err)
		}
		more := form(func(f *registry.AppForm) { f.Name = "Partner Z" })
		if e, err := w.rules.EditApp(w.ctx, dev, live.ID, more); err != nil || !e.Proposed || len(row(live.ID).Scopes) != 1 {
			w.Errorf("a scope more: %+v, %v", e, err)
		}
		if e, err := w.rules.EditApp(w.ctx, dev, live.ID, less); err != nil || row(live.ID).Proposal != nil {
			w.Errorf("back to what it is: %+v, %v", e, err)
		}
	})
}

func TestWhatAnAppMayAskForIsNoChangeOfItsLook(t *testing.T) { // LC-06, LC-08
	everywhere(t, func(w *world) {
		_, _, live := portal(w)
		w.rules.Review = true
		looked := func() string { return w.one("SELECT changed_at FROM apps WHERE id = '" + live.ID + "'") }
		before := looked()
		w.clock.Advance(time.Hour)
		less := form(func(f *registry.AppForm) { f.Scopes = []string{"read"} })
		_, err := w.rules.EditApp(w.ctx, dev, live.ID, less)
		w.ok(err)
		w.equal("after a scope was given up", looked(), before)
		approve := func() {
			w.Helper()
			a, err := w.db.AppRow(w.ctx, live.ID)
			w.ok(err)
			_, err = w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, live.ID, "", registry.Seen(a))
			w.ok(err)
		}
		_, err = w.rules.EditApp(w.ctx, dev, live.ID, form())
		w.ok(err)
		approve()
		w.equal("after a scope more was approved", looked(), before)
		_, err = w.rules.EditApp(w.ctx, dev, live.ID, form(func(f *registry.AppForm) { f.Scopes, f.Description = []string{"read"}, "Takes candidates" }))
		w.ok(err)
		approve()
		w.equal("after another description was approved", looked(), fmt.Sprint(w.clock.Now().UnixMilli()))
	})
}

func TestANewAppWaitsWhereReviewsAreAskedFor(t *testing.T) {
	everywhere(t, func(w *world) {
		partner, _, _ := portal(w)
		w.rules.Review = true
		_, err := w.rules.CreateApp(w.ctx, dev, partner, form(func(f *registry.AppForm) { f.Name, f.Reasons = "Second", nil }))
		if got := found(err); len(got) != 2 || got[0] != "reason:read: Say in a few words why the app needs this." {
			w.Fatalf("without reasons: %v", got)
		}
		app, err := w.rules.CreateApp(w.ctx, dev, partner, form(func(f *registry.AppForm) { f.Name = "Second" }))
		w.ok(err)
		waiting, err := w.db.Waiting(w.ctx, 10)
		w.ok(err)
		if app.Live() || !slices.Equal(waiting, []string{app.ID}) {
			w.Fatalf("live %v, waiting %v", app.Live(), waiting)
		}
		_, err = w.rules.RejectApp(w.ctx, registry.By{Actor: "staff:op"}, app.ID, "Where is your site?", "")
		w.ok(err)
		edited, err := w.rules.EditApp(w.ctx, dev, app.ID, form(func(f *registry.AppForm) { f.Name = "Third" }))
		w.ok(err)
		if edited.Proposed || edited.App.Name != "Third" || edited.App.Review != postern.Waiting {
			w.Errorf("an edit of a rejected app: %+v", edited.App)
		}
		// Of an operator who approves and one who rejects, one is heard.
		var all sync.WaitGroup
		answers := make([]error, 2)
		all.Go(func() { _, answers[0] = w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, app.ID, "", "") })
		all.Go(func() {
			_, answers[1] = w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op2"}, app.ID, "", "")
		})
		all.Wait()
		if (answers[0] == nil) == (answers[1] == nil) {
			w.Errorf("two answers: %v, %v", answers[0], answers[1])
		}
		w.equal("approvals", w.one("SELECT count(*) FROM audit WHERE action = 'app.approved'"), "1")

		declared, err := w.rules.CreateApp(w.ctx, dev, partner, form(func(f *registry.AppForm) { f.Name = "Fourth" }))
		w.ok(err)
		w.did("partners: [{name: Inc, apps: [{name: Fourth, client_id: "+declared.ID+"}]}]",
			"unchanged partner Inc", "changed app Fourth: review, client_secret")
		if a, err := w.db.AppRow(w.ctx, declared.ID); err != nil || !a.Live() {
			w.Errorf("what the operator declares is live: %+v, %v", a, err)
		}
	})
}

func TestWhatTheOperatorSwitchedOffOnlyTheOperatorSwitchesOn(t *testing.T) {
	everywhere(t, func(w *world) {
		_, _, app := portal(w)
		off := func() string { w.Helper(); return w.one("SELECT disabled FROM apps WHERE id = '" + app.ID + "'") }
		w.ok(w.rules.SwitchApp(w.ctx, dev, app.ID, true))
		w.ok(w.rules.SwitchApp(w.ctx, dev, app.ID, false))
		w.equal("off", off(), "0")
		changes := w.one("SELECT count(*) FROM changes WHERE kind = 'app' AND key = '" + app.ID + "'")
		w.equal("what memories are told", changes, "2")
		w.ok(w.rules.SwitchApp(w.ctx, dev, app.ID, true))
		w.ok(w.rules.SwitchApp(w.ctx, op, app.ID, true))
		if err := w.rules.SwitchApp(w.ctx, dev, app.ID, false); !postern.Is(err, postern.Forbidden) {
			w.Errorf("the partner switched it on: %v", err)
		}
		w.equal("off", off(), "1")
		w.ok(w.rules.SwitchApp(w.ctx, op, app.ID, false))
		w.equal("off", off(), "0")
		w.ok(w.rules.RemoveApp(w.ctx, dev, app.ID))
		if _, err := w.db.AppRow(w.ctx, app.ID); !postern.Is(err, postern.NotFound) {
			w.Errorf("a removed app: %v", err)
		}
	})
}

func TestALogoThatWasHandedInIsShownOrProposed(t *testing.T) {
	everywhere(t, func(w *world) {
		_, _, app := portal(w)
		hash := func() string { w.Helper(); row, err := w.db.AppRow(w.ctx, app.ID); w.ok(err); return row.LogoHash }
		_, err := w.rules.SetLogo(w.ctx, dev, app.ID, "h1", []byte("png one"))
		w.ok(err)
		w.equal("the logo", hash(), "h1")
		w.rules.Review = true
		e, err := w.rules.SetLogo(w.ctx, dev, app.ID, "h2", []byte("png two"))
		w.ok(err)
		w.equal("the logo", hash(), "h1")
		png, err := w.db.ProposedLogo(w.ctx, app.ID)
		w.ok(err)
		w.equal("what is proposed", string(png), "png two")
		if !e.Proposed {
			w.Error("it is not said that the logo waits")
		}
		// An edit of something else keeps the image.
		_, err = w.rules.EditApp(w.ctx, dev, app.ID, form(func(f *registry.AppForm) { f.Description = "Anew" }))
		w.ok(err)
		_, err = w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, app.ID, "", "")
		w.ok(err)
		w.equal("the logo", hash(), "h2")
		if png, err := w.db.Logo(w.ctx, app.ID, "h2"); err != nil || string(png) != "png two" {
			w.Errorf("the image is %q, %v", png, err)
		}
		_, err = w.rules.SetLogo(w.ctx, dev, app.ID, "", nil)
		w.ok(err)
		_, err = w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, app.ID, "", "")
		w.ok(err)
		w.equal("the logo", hash(), "")
	})
}

func TestAnApprovalNeverCarriesWhatNobodyLookedAt(t *testing.T) {
	everywhere(t, func(w *world) {
		_, _, app := portal(w)
		w.rules.Review = true
		for i := range 6 {
			good, evil := fmt.Sprintf("Partner X%d", i), fmt.Sprintf("Partner Y%d", i)
			_, err := w.rules.EditApp(w.ctx, dev, app.ID, form(func(f *registry.AppForm) { f.Name = good }))
			w.ok(err)
			row, err := w.db.AppRow(w.ctx, app.ID)
			w.ok(err)
			seen := registry.Seen(row)
			var all sync.WaitGroup
			var edited, approved error
			all.Go(func() {
				_, edited = w.rules.EditApp(w.ctx, dev, app.ID, form(func(f *registry.AppForm) { f.Name = evil }))
			})
			all.Go(func() { _, approved = w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, app.ID, "", seen) })
			all.Wait()
			w.ok(edited)
			row, err = w.db.AppRow(w.ctx, app.ID)
			w.ok(err)
			if approved != nil && !postern.Is(approved, postern.Conflict) {
				w.Fatal(approved)
			}
			if row.Name == evil || (approved == nil) != (row.Name == good) || row.Proposal == nil || row.Proposal.Name != evil {
				w.Fatalf("approved %v: the app is %s, proposed %+v", approved, row.Name, row.Proposal)
			}
		}
	})
}
