package storetest

import (
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/logo"
)

func TestALogoIsFetchedOnceForEachAddressAndKeptOverFaults(t *testing.T) {
	everywhere(t, func(w *world) {
		wanted := func() []logo.Wanted {
			w.Helper()
			list, err := w.db.WantedLogos(w.ctx, w.clock.Now(), 10)
			w.ok(err)
			return list
		}
		hash := func() string {
			w.Helper()
			h, err := w.db.LogoHash(w.ctx, "own")
			w.ok(err)
			return h
		}
		if len(wanted()) != 0 || hash() != "" {
			w.Fatal("no app has a logo yet")
		}
		w.run(`UPDATE apps SET logo_url = 'https://partner.test/a.png' WHERE id = 'own'`)
		first := wanted()
		if len(first) != 1 {
			w.Fatalf("wanted %v", first)
		}
		hour := w.clock.Now().Add(time.Hour)
		w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: first[0], Image: []byte("png"), Hash: "h1", NextAt: hour}))
		if len(wanted()) != 0 || hash() != "h1" {
			w.Fatal("it was fetched")
		}
		if png, err := w.db.Logo(w.ctx, "own", "h1"); err != nil || string(png) != "png" {
			w.Fatal(png, err)
		}
		_, err := w.db.Logo(w.ctx, "own", "h2")
		w.wants(err, postern.NotFound)
		w.clock.Advance(2 * time.Hour)
		if len(wanted()) != 1 {
			w.Fatal("it is to be looked at again")
		}
		w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: first[0], Problem: "away", NextAt: hour.Add(9 * time.Hour)}))
		if hash() != "h1" {
			w.Fatal("a fault took the logo away")
		}
		w.run(`UPDATE apps SET logo_url = 'https://partner.test/b.png' WHERE id = 'own'`)
		if len(wanted()) != 1 || hash() != "" {
			w.Fatal("another address is another logo")
		}
		w.ok(w.db.SaveLogo(w.ctx, logo.Fetched{Wanted: first[0], Image: []byte("late"), Hash: "h3", NextAt: hour}))
		if hash() != "" {
			w.Fatal("an answer that came too late was kept")
		}
	})
}
