package registry_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
)

func TestAtMostTwoSecretsAreValidWhoeverAsksAtOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		_, _, app := portal(w)
		var all sync.WaitGroup
		made := make([]error, 8)
		for i := range made {
			all.Go(func() {
				id, err := w.rules.SecretID()
				if err == nil {
					_, err = w.rules.AddSecret(w.ctx, dev, app.ID, registry.NewSecret{ID: id, Name: "production", Overlap: registry.KeepOld})
				}
				made[i] = err
			})
		}
		all.Wait()
		good := 0
		for _, err := range made {
			switch {
			case err == nil:
				good++
			case !postern.Is(err, postern.Conflict):
				w.Error(err)
			}
		}
		if good != 2 {
			w.Errorf("%d secrets were made", good)
		}
		w.equal("the rows", w.one("SELECT count(*) FROM app_secrets WHERE app_id = '"+app.ID+"'"), "2")
	})
}

// Whoever makes forms by hand may send any id with them.
func TestASecretHasAnIDOfOurForm(t *testing.T) {
	everywhere(t, func(w *world) {
		_, _, app := portal(w)
		for _, id := range []string{"", "sec_", "sec_a\x00b", "sec_\xff", "sec_a/b", "sec_a b", "sec_" + strings.Repeat("a", 1000), "key_1"} {
			_, err := w.rules.AddSecret(w.ctx, dev, app.ID, registry.NewSecret{ID: id, Name: "x", Overlap: registry.KeepOld})
			if !postern.Is(err, postern.InvalidRequest) {
				w.Errorf("%.20q: %v", id, err)
			}
		}
	})
}

// Each is written anew with its app while all others wait, so they are not many.
func TestOfSecretsThatHaveEndedAFewAreToldOf(t *testing.T) {
	everywhere(t, func(w *world) {
		_, _, app := portal(w)
		for n := range 40 {
			_, err := w.rules.AddSecret(w.ctx, dev, app.ID, registry.NewSecret{ID: fmt.Sprint("sec_", n), Name: fmt.Sprint("n", n), Overlap: 0})
			w.ok(err)
			w.clock.Advance(time.Second)
		}
		w.equal("the latest", w.one("SELECT name FROM app_secrets WHERE app_id = '"+app.ID+"' ORDER BY created_at DESC LIMIT 1"), "n39")
		w.equal("the eldest", w.one("SELECT name FROM app_secrets WHERE app_id = '"+app.ID+"' ORDER BY created_at LIMIT 1"), "n30")
	})
}

func TestARotationLetsTheOldSecretLiveUntilItsEnd(t *testing.T) {
	everywhere(t, func(w *world) {
		_, _, app := portal(w)
		add := func(id string, overlap time.Duration) postern.Secret {
			w.Helper()
			s, err := w.rules.AddSecret(w.ctx, dev, app.ID, registry.NewSecret{ID: id, Name: id, Overlap: overlap})
			w.ok(err)
			return s
		}
		first := add("sec_1", registry.KeepOld)
		_, err := w.rules.AddSecret(w.ctx, dev, app.ID, registry.NewSecret{ID: "sec_1", Name: "again", Overlap: registry.KeepOld})
		if !postern.Is(err, postern.Conflict) {
			w.Errorf("a form that was sent twice: %v", err)
		}
		second := add("sec_2", time.Hour)
		if !w.may(app.ID, string(first)) || !w.may(app.ID, string(second)) {
			w.Error("both are valid during the overlap")
		}
		w.clock.Advance(time.Hour + time.Millisecond)
		if w.may(app.ID, string(first)) || !w.may(app.ID, string(second)) {
			w.Error("the old one ends, the new one stays")
		}
		third := add("sec_3", 0)
		if w.may(app.ID, string(second)) || !w.may(app.ID, string(third)) {
			w.Error("without an overlap the old one ends at once")
		}
		row, err := w.db.AppRow(w.ctx, app.ID)
		w.ok(err)
		if last := row.Secrets[len(row.Secrets)-1]; last.Hint != string(third[len(third)-4:]) {
			w.Errorf("the hint is %q", last.Hint)
		}
		w.ok(w.rules.EndSecret(w.ctx, dev, app.ID, "sec_3"))
		if w.may(app.ID, string(third)) {
			w.Error("an ended secret lives")
		}
		if err := w.rules.EndSecret(w.ctx, dev, app.ID, "sec_3"); !postern.Is(err, postern.NotFound) {
			w.Errorf("ended twice: %v", err)
		}
		if err := w.rules.EndSecret(w.ctx, dev, "cal", "sec_1"); !postern.Is(err, postern.NotFound) {
			w.Errorf("another app's secret: %v", err)
		}
		w.equal("the secret in the audit log", w.one("SELECT count(*) FROM audit WHERE detail LIKE '%"+string(third)+"%'"), "0")
	})
}

func TestAnAppThatBecomesPublicGivesUpItsSecrets(t *testing.T) {
	everywhere(t, func(w *world) {
		_, _, app := portal(w)
		secret, err := w.rules.AddSecret(w.ctx, dev, app.ID, registry.NewSecret{ID: "sec_1", Name: "a", Overlap: registry.KeepOld})
		w.ok(err)
		public := form(func(f *registry.AppForm) { f.Public = true })
		_, err = w.rules.EditApp(w.ctx, dev, app.ID, public)
		slips, ok := errors.AsType[registry.Findings](err)
		if !ok || slips[0].Field != "public" || !w.may(app.ID, string(secret)) {
			w.Fatalf("it was not asked: %v", err)
		}
		public.Sure = slips.Slips()
		_, err = w.rules.EditApp(w.ctx, dev, app.ID, public)
		w.ok(err)
		_, err = w.rules.AddSecret(w.ctx, dev, app.ID, registry.NewSecret{ID: "sec_2", Name: "b", Overlap: registry.KeepOld})
		if !postern.Is(err, postern.Conflict) {
			w.Errorf("a public app was given a secret: %v", err)
		}
		_, err = w.rules.EditApp(w.ctx, dev, app.ID, form())
		w.ok(err)
		if w.may(app.ID, string(secret)) {
			w.Error("a secret that was given up works again")
		}
	})
}

func TestADialectThatSignsWithTheSecretKeepsItSealed(t *testing.T) {
	everywhere(t, func(w *world) {
		partner, _, _ := portal(w)
		app, err := w.rules.CreateApp(w.ctx, dev, partner, form(func(f *registry.AppForm) { f.Name, f.Dialect = "Signs", "signs" }))
		w.ok(err)
		secret, err := w.rules.AddSecret(w.ctx, dev, app.ID, registry.NewSecret{ID: "sec_1", Name: "a", Overlap: registry.KeepOld})
		w.ok(err)
		row, err := w.db.AppRow(w.ctx, app.ID)
		w.ok(err)
		plain, err := w.rules.Sealer.Open("app_secrets", "sec_1", "sealed", row.Secrets[0].Sealed)
		if err != nil || string(plain) != string(secret) {
			w.Errorf("what the wire would sign with is %q, %v", plain, err)
		}
		_, err = w.rules.CreateApp(w.ctx, dev, partner, form(func(f *registry.AppForm) { f.Name, f.Dialect, f.Public = "Open", "signs", true }))
		if got := found(err)[0]; got != "public: This API signs with the app’s secret, so an app here must be able to keep one." {
			w.Errorf("found %s", got)
		}
	})
}
