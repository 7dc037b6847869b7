package storetest

import (
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/logo"
	"postern.dev/postern/internal/registry"
)

func (w *world) wantedLogos() []logo.Wanted {
	w.Helper()
	list, err := w.db.WantedLogos(w.ctx, w.clock.Now(), 10)
	w.ok(err)
	return list
}

func TestALogoIsFetchedOnceForEachAddressAndKeptOverFaults(t *testing.T) {
	everywhere(t, func(w *world) {
		hash := func() string {
			w.Helper()
			h, err := w.logoHash("own")
			w.ok(err)
			return h
		}
		if len(w.wantedLogos()) != 0 || hash() != "" {
			w.Fatal("no app has a logo yet")
		}
		w.run(`UPDATE apps SET logo_url = 'https://partner.test/a.png' WHERE id = 'own'`)
		first := w.wantedLogos()
		if len(first) != 1 {
			w.Fatalf("wanted %v", first)
		}
		hour := w.clock.Now().Add(time.Hour)
		w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: first[0], Image: []byte("png"), Hash: "h1", NextAt: hour}))
		if len(w.wantedLogos()) != 0 || hash() != "h1" {
			w.Fatal("it was fetched")
		}
		if png, err := w.db.Logo(w.ctx, "own", "h1"); err != nil || string(png) != "png" {
			w.Fatal(png, err)
		}
		_, err := w.db.Logo(w.ctx, "own", "h2")
		w.wants(err, postern.NotFound)
		w.clock.Advance(2 * time.Hour)
		if len(w.wantedLogos()) != 1 {
			w.Fatal("it is to be looked at again")
		}
		w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: first[0], Problem: "away", NextAt: hour.Add(9 * time.Hour)}))
		if hash() != "h1" {
			w.Fatal("a fault took the logo away")
		}
		w.run(`UPDATE apps SET logo_url = 'https://partner.test/b.png' WHERE id = 'own'`)
		if len(w.wantedLogos()) != 1 || hash() != "" {
			w.Fatal("another address is another logo")
		}
		w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: first[0], Image: []byte("late"), Hash: "h3", NextAt: hour}))
		if hash() != "" {
			w.Fatal("an answer that came too late was kept")
		}
	})
}

// A partner could put any picture at our own address, and take the app away: it
// was shown for ever, and nobody could end that.
func TestLC10_ALogoThatWasTakenAwayIsShownToNobody(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(`UPDATE apps SET logo_url = 'https://partner.test/a.png' WHERE id = 'own'`)
		keep := func() {
			w.Helper()
			w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: logo.Wanted{AppID: "own", URL: "https://partner.test/a.png"}, Image: []byte("png"), Hash: "h1", NextAt: w.clock.Now()}))
		}
		shown := func(kind postern.Kind) {
			w.Helper()
			_, err := w.db.Logo(w.ctx, "own", "h1")
			if kind == "" {
				w.ok(err)
			} else {
				w.wants(err, kind)
			}
		}
		keep()
		shown("")
		w.run(`UPDATE apps SET logo_url = '' WHERE id = 'own'`)
		shown(postern.NotFound)
		w.run(`UPDATE apps SET logo_url = 'https://partner.test/a.png' WHERE id = 'own'`)
		shown("")
		w.run(`UPDATE apps SET removed_at = 1 WHERE id = 'own'`)
		shown(postern.NotFound)
		w.run(`DELETE FROM logos`)
		keep() // fetched before, saved after
		if n := w.text(`SELECT count(*) FROM logos`); n != "0" {
			w.Error("a removed app got a logo")
		}
	})
}

// The picture behind a proposed address is fetched once, for the operator to look
// at; the app is without it until then, and gets just that one.
func TestLC10_AProposedPictureIsFetchedBesideTheAppAndStaysAsItWasSeen(t *testing.T) {
	everywhere(t, func(w *world) {
		proposes := func(p registry.Proposed) {
			w.Helper()
			p.AppID = "own"
			w.ok(w.db.ApplyRegistry(w.ctx, &registry.Mentions{}, w.clock.Now(), func(*registry.State) (*registry.Writes, error) {
				return &registry.Writes{Proposals: []registry.Proposed{p}}, nil
			}))
		}
		proposal := func() *postern.Proposal {
			w.Helper()
			a, err := w.db.AppRow(w.ctx, "own")
			w.ok(err)
			return a.Proposal
		}
		at := func(url string) *postern.Proposal {
			return &postern.Proposal{Looks: postern.Looks{Name: "Own", LogoURL: url}, Review: postern.Waiting}
		}
		const a, b = "https://partner.test/a.png", "https://partner.test/b.png"
		w.run(`UPDATE apps SET logo_url = $1 WHERE id = 'own'`, a)
		w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: w.wantedLogos()[0], Image: []byte("old"), Hash: "h0", NextAt: w.clock.Now().Add(24 * time.Hour)}))
		proposes(registry.Proposed{Proposal: at(a)})
		if len(w.wantedLogos()) != 0 {
			w.Fatal("the app's own address is nothing to look at")
		}
		proposes(registry.Proposed{Proposal: at(b)})
		list := w.wantedLogos()
		if len(list) != 1 || !list[0].Proposed || list[0].URL != b || list[0].AppID != "own" {
			w.Fatalf("wanted %+v", list)
		}
		w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: list[0], Problem: "away", NextAt: w.clock.Now().Add(time.Hour)}))
		if p := proposal(); len(w.wantedLogos()) != 0 || p.Problem != "away" || p.Picture != "" {
			w.Fatalf("after a fault: %+v", p)
		}
		w.clock.Advance(time.Hour)
		list = w.wantedLogos()
		for _, hash := range []string{"h1", "h2"} { // two nodes, to which the host shows different ones
			w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: list[0], Image: []byte(hash), Hash: hash}))
		}
		renamed := at(b)
		renamed.Name = "Another"
		proposes(registry.Proposed{Proposal: renamed})
		png, err := w.db.ProposedLogo(w.ctx, "own")
		w.ok(err)
		if p := proposal(); p.Picture != "h1" || p.Problem != "" || string(png) != "h1" || len(w.wantedLogos()) != 0 {
			w.Fatalf("it is not what was fetched first: %+v, %s", p, png)
		}
		if hash, err := w.logoHash("own"); err != nil || hash != "h0" {
			w.Fatal("people see what nobody approved", hash, err)
		}
		w.run(`UPDATE apps SET logo_url = $1 WHERE id = 'own'`, b)
		proposes(registry.Proposed{Proposal: proposal(), Approved: true})
		if png, err := w.db.Logo(w.ctx, "own", "h1"); err != nil || string(png) != "h1" {
			w.Fatal("another picture than was seen", png, err)
		}
		w.clock.Advance(400 * 24 * time.Hour)
		if hash, err := w.logoHash("own"); err != nil || hash != "h1" || len(w.wantedLogos()) != 0 {
			w.Fatal("it is fetched again", hash, err)
		}

		// Another address, or an image that is handed in, takes the place of a picture.
		proposes(registry.Proposed{Proposal: at(a)})
		w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: w.wantedLogos()[0], Image: []byte("pa"), Hash: "ha"}))
		handed := at("")
		handed.LogoHash = "hh"
		proposes(registry.Proposed{Proposal: handed, PNG: []byte("handed")})
		if png, err := w.db.ProposedLogo(w.ctx, "own"); err != nil || string(png) != "handed" || proposal().Picture != "" {
			w.Fatal("not what was handed in", png, err)
		}
		proposes(registry.Proposed{Proposal: at(a)})
		_, err = w.db.ProposedLogo(w.ctx, "own")
		w.wants(err, postern.NotFound)
		w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: logo.Wanted{AppID: "own", URL: "https://partner.test/late.png", Proposed: true}, Image: []byte("late"), Hash: "hl"}))
		if proposal().Picture != "" {
			w.Fatal("an answer that came too late was kept")
		}
	})
}

// Two nodes may fetch the same logo at once: the one that comes second changes
// nothing, for somebody may have looked at the first by then.
func TestALogoThatIsThereIsNotReplacedBeforeItsTime(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(`UPDATE apps SET logo_url = 'https://partner.test/a.png' WHERE id = 'own'`)
		asked := w.clock.Now()
		save := func(hash string, asked time.Time) {
			w.Helper()
			w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: logo.Wanted{AppID: "own", URL: "https://partner.test/a.png"}, Image: []byte(hash), Hash: hash, Asked: asked, NextAt: asked.Add(time.Hour)}))
		}
		for _, step := range []struct {
			hash, is string
			asked    time.Time
		}{{"h1", "h1", asked}, {"h2", "h1", asked}, {"h3", "h3", asked.Add(time.Hour)}} {
			save(step.hash, step.asked)
			if hash, err := w.logoHash("own"); err != nil || hash != step.is {
				w.Errorf("%s was saved, and it is %s (%v)", step.hash, hash, err)
			}
		}
	})
}

// A partner could otherwise keep a picture back until the operator asks for reviews,
// and have it shown unseen.
func TestALogoOfBeforeThereWereReviewsIsNotFetchedAnew(t *testing.T) {
	everywhere(t, func(w *world) {
		w.run(`UPDATE apps SET logo_url = 'https://partner.test/a.png' WHERE id = 'own'`)
		fetched := func(image, hash string, next time.Time) {
			w.Helper()
			list, err := w.db.WantedLogos(w.ctx, w.clock.Now(), 10)
			w.ok(err)
			if len(list) != 1 {
				w.Fatalf("wanted %v", list)
			}
			w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: list[0], Image: []byte(image), Hash: hash, Asked: w.clock.Now(), NextAt: next}))
		}
		never := time.UnixMilli(253402300799000)
		fetched("first", "h1", w.clock.Now().Add(time.Hour))
		w.clock.Advance(2 * time.Hour)
		fetched("second", "h2", never)
		if h, err := w.logoHash("own"); err != nil || h != "h1" {
			t.Errorf("shown is %q, %v", h, err)
		}
		if png, err := w.db.Logo(w.ctx, "own", "h1"); err != nil || string(png) != "first" {
			t.Errorf("%q, %v", png, err)
		}
		if list, err := w.db.WantedLogos(w.ctx, w.clock.Now().Add(1000*time.Hour), 10); err != nil || len(list) != 0 {
			t.Errorf("it is looked at again: %v, %v", list, err)
		}
		w.run(`UPDATE apps SET logo_url = 'https://partner.test/b.png' WHERE id = 'own'`)
		fetched("other", "h3", never)
		if h, err := w.logoHash("own"); err != nil || h != "h3" {
			t.Errorf("of another address it is %q, %v", h, err)
		}
	})
}

// logoHash names the logo that people see of an app.
func (w *world) logoHash(app string) (string, error) {
	row, err := w.db.AppRow(w.ctx, app)
	if err != nil {
		return "", err
	}
	return row.LogoHash, nil
}
