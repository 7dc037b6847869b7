package registry_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
)

// portal is a world with two partners, the first of which has an app.
func portal(w *world) (partner, other string, app *registry.App) {
	w.Helper()
	w.apply(`
scopes: [{name: read, description: See}, {name: write, description: Change}]
partners: [{name: Inc}, {name: Other, apps: [{name: Calendar Sync, client_id: cal}]}]`)
	partner, other = w.one("SELECT id FROM partners WHERE name = 'Inc'"), w.one("SELECT id FROM partners WHERE name = 'Other'")
	w.run(`INSERT INTO staff (id, realm, email, email_folded, created_at) VALUES ('stf_1', 'partner', 'dev@inc.test', 'dev@inc.test', 1)`)
	w.run(`INSERT INTO partner_members (partner_id, staff_id, role, created_at) VALUES ('` + partner + `', 'stf_1', 'developer', 1)`)
	w.rules.Reserved = []string{"Acme Cloud"}
	app, err := w.rules.CreateApp(w.ctx, dev, partner, form())
	w.ok(err)
	return partner, other, app
}

var (
	dev = registry.By{Actor: "staff:stf_1", Staff: "stf_1", Address: "192.0.2.7"}
	op  = registry.By{Actor: "staff:op", Staff: "op", Operator: true}
)

// form is one that is right in every way.
func form(change ...func(*registry.AppForm)) *registry.AppForm {
	f := &registry.AppForm{
		Name: "Partner X", Description: "Brings candidates", URL: "https://partner.test", RedirectURLs: []string{"https://app.partner.test/cb"},
		WebhookURL: "https://partner.test/hook", Scopes: []string{"write", "read"}, Reasons: map[string]string{"read": "to show them", "write": "to add notes"},
		Dialect: "open",
	}
	for _, c := range change {
		c(f)
	}
	return f
}

// found are the findings of an error, a line each.
func found(err error) []string {
	f, ok := errors.AsType[registry.Findings](err)
	if !ok {
		return []string{fmt.Sprint(err)}
	}
	return strings.Split(f.Error(), "\n")
}

func TestAPartnerRegistersAnAppWithoutTheOperator(t *testing.T) {
	everywhere(t, func(w *world) {
		partner, _, app := portal(w)
		row, err := w.db.AppRow(w.ctx, app.ID)
		w.ok(err)
		if !row.Live() || row.Partner.ID != partner || row.Partner.Name != "Inc" || row.Level != postern.UserLevel || row.Public ||
			!slices.Equal(row.Scopes, []string{"read", "write"}) || !slices.Equal(row.DefaultScopes, row.Scopes) ||
			!slices.Equal(row.Grants, []string{"authorization_code", "refresh_token"}) || len(row.Secrets) != 0 || row.Reasons["write"] != "to add notes" {
			w.Errorf("the app is %+v", row)
		}
		if len(row.WebhookSecret) == 0 {
			w.Error("nothing signs what the endpoint is told")
		}
		w.equal("the audit record", w.one("SELECT actor, action, object, address FROM audit WHERE action = 'app.created' AND actor <> 'operator'"),
			"staff:stf_1|app.created|app:"+app.ID+"|192.0.2.7")
		// A file that names it later follows the rules of files.
		w.did("partners: [{name: Inc, apps: [{name: Partner X, description: Brings candidates, level: account}]}]",
			"unchanged partner Inc", "changed app Partner X: level, client_secret")

		if _, err := w.rules.CreateApp(w.ctx, dev, "par_none", form()); !postern.Is(err, postern.NotFound) {
			w.Errorf("an app of nobody's: %v", err)
		}
		w.apply("partners: [{name: Inc, disabled: true}]")
		if _, err := w.rules.CreateApp(w.ctx, dev, partner, form()); !postern.Is(err, postern.Forbidden) {
			w.Errorf("an app of a partner that is off: %v", err)
		}
	})
}

func TestWhatCannotWorkIsRefusedBesideItsField(t *testing.T) {
	w := newWorldOnSQLite(t)
	partner, _, app := portal(w)
	long := "https://partner.test/" + strings.Repeat("a", 2048)
	redirect := func(urls ...string) func(*registry.AppForm) {
		return func(f *registry.AppForm) { f.RedirectURLs = urls }
	}
	public := func(f *registry.AppForm) { f.Public = true }
	for _, c := range []struct {
		name   string
		change func(*registry.AppForm)
		want   string
	}{
		{"no name", func(f *registry.AppForm) { f.Name = " " }, "name: This is empty; write a name."},
		{"long name", func(f *registry.AppForm) { f.Name = strings.Repeat("x", 65) }, "name: This has 65 characters; at most 64 are allowed."},
		{"override", func(f *registry.AppForm) { f.Name = "a\u202eb" }, "name: This holds the character U+202E, which a reader cannot see; remove it."},
		{"joiner", func(f *registry.AppForm) { f.Name = "a\u200db" }, "name: This holds the character U+200D, which a reader cannot see; remove it."},
		{"line break", func(f *registry.AppForm) { f.Name = "a\nb" }, "name: This holds a line break; write it in one line (in YAML, >- folds lines without one at the end)."},
		{"the operator", func(f *registry.AppForm) { f.Name = "ACME cloud" }, "name: This name looks like Acme Cloud itself. Choose one that nobody takes for it."},
		{"the operator in Cyrillic", func(f *registry.AppForm) { f.Name = "Аcme Сloud Support" }, "name: This name looks like Acme Cloud itself. Choose one that nobody takes for it."},
		{"another's app", func(f *registry.AppForm) { f.Name = "Calendаr-Sync" }, "name: Another company has an app whose name looks like this one; people could not tell the two apart. Choose another name."},
		{"script as site", func(f *registry.AppForm) { f.URL = "JaVaScRiPt:alert(1)" }, "url: This must begin with https://."},
		{"data as logo", func(f *registry.AppForm) { f.LogoURL = "data:text/html,x" }, "logo_url: This must begin with https://."},
		{"private webhook", func(f *registry.AppForm) { f.WebhookURL = "https://10.0.0.1/hook" }, "webhook_url: This leads to a host that is not on the public internet; use a public host name."},
		{"unknown scope", func(f *registry.AppForm) { f.Scopes = []string{"all"} }, "scopes: There is no scope all."},
		{"fragment", redirect("https://partner.test/cb#"), "redirect_urls: https://partner.test/cb# has a fragment (#); remove it."},
		{"http", redirect("http://partner.test/cb"), "redirect_urls: http://partner.test/cb must begin with https://."},
		{"javascript", redirect("javascript:alert(1)"), "redirect_urls: javascript:alert(1) must begin with https://."},
		{"custom scheme", redirect("myapp://cb"), "redirect_urls: myapp://cb must begin with https://."},
		{"wildcard", redirect("https://partner.test/*"), "redirect_urls: https://partner.test/* holds a *; redirect URLs are compared byte for byte, so register each one."},
		{"wildcard host", redirect("https://*.partner.test/cb"), "redirect_urls: https://*.partner.test/cb holds a *; redirect URLs are compared byte for byte, so register each one."},
		{"space at the end", redirect("https://partner.test/cb "), "redirect_urls: https://partner.test/cb  begins or ends with a space; remove it."},
		{"user", redirect("https://partner.test@evil.test/cb"), "redirect_urls: https://partner.test@evil.test/cb has a user name (the part before @); remove it."},
		{"backslash", redirect(`https://partner.test\cb`), `redirect_urls: https://partner.test\cb holds a backslash; use /.`},
		{"literal", redirect("https://93.184.216.34/cb"), "redirect_urls: https://93.184.216.34/cb has an IP address in place of a host name; use a name."},
		{"our own", redirect("https://auth.saas.test/portal"), "redirect_urls: https://auth.saas.test/portal leads back to this service; write the address of your own program."},
		{"our own, with its port", redirect("https://auth.saas.test:443/cb"), "redirect_urls: https://auth.saas.test:443/cb leads back to this service; write the address of your own program."},
		{"literal 6", redirect("https://[2606:2800:220:1::1]/cb"), "redirect_urls: https://[2606:2800:220:1::1]/cb has an IP address in place of a host name; use a name."},
		{"localhost", redirect("https://localhost/cb"), "redirect_urls: https://localhost/cb leads to a host that is not on the public internet; use a public host name."},
		{"control", redirect("https://partner.test/\r\ncb"), "redirect_urls: https://partner.test/\r\ncb holds the control character or space U+000D; remove it."},
		{"unicode", redirect("https://pаrtner.test/cb"), "redirect_urls: https://pаrtner.test/cb holds the character U+0430; write hosts in their xn-- form and the rest percent-encoded."},
		{"long", redirect(long), "redirect_urls: " + long[:120] + "… has 2069 bytes; at most 2048 are allowed."},
		{"twice", redirect("https://partner.test/cb", "https://partner.test/cb"), "redirect_urls: https://partner.test/cb stands here twice; remove one."},
		{"no path", redirect("https://partner.test"), "redirect_urls: https://partner.test has no path: does your program answer at the bare host?"},
		{"twins", redirect("https://partner.test/cb", "https://partner.test/cb/"), "redirect_urls: https://partner.test/cb/ is there with and without the slash at its end. Addresses are compared character by character; do you send both?"},
		{"another host", redirect("https://elsewhere.example/cb"), "redirect_urls: https://elsewhere.example/cb is on another host than the app’s site. Is it yours?"},
		{"native", func(f *registry.AppForm) { public(f); f.RedirectURLs = []string{"http://127.0.0.1/cb"} }, ""},
		{"subdomain", redirect("https://login.partner.test/cb"), ""},
		{"no address yet", redirect(), ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := form(func(f *registry.AppForm) { f.Name = "New one" }, c.change)
			before := w.dump()
			_, create := w.rules.CreateApp(w.ctx, dev, partner, f)
			if c.want == "" {
				w.ok(create)
				w.ok(w.rules.RemoveApp(w.ctx, dev, strings.Fields(w.rows("SELECT id FROM apps WHERE name = 'New one' AND removed_at = 0")[0])[0]))
				return
			}
			_, edit := w.rules.EditApp(w.ctx, dev, app.ID, f)
			for what, err := range map[string]error{"create": create, "edit": edit} {
				if got := strings.Join(found(err), "\n"); got != c.want {
					t.Errorf("%s: found\n%s\nwant\n%s", what, got, c.want)
				}
			}
			if w.dump() != before {
				t.Error("what was refused was written")
			}
		})
	}
}

func newWorldOnSQLite(t *testing.T) *world {
	t.Helper()
	return newWorld(t, "sqlite:"+t.TempDir()+"/postern.db")
}

func TestASlipIsAskedAboutOnceAndNoOtherIsConfirmedWithIt(t *testing.T) {
	w := newWorldOnSQLite(t)
	_, _, app := portal(w)
	f := form(func(f *registry.AppForm) { f.RedirectURLs = []string{"https://partner.test/"} })
	_, err := w.rules.EditApp(w.ctx, dev, app.ID, f)
	slips, _ := errors.AsType[registry.Findings](err)
	if slips.Refused() || slips.Slips() == "" {
		t.Fatalf("found %v", err)
	}
	f.Sure = slips.Slips()
	other := *f
	other.RedirectURLs = []string{"https://elsewhere.example/"}
	if _, err := w.rules.EditApp(w.ctx, dev, app.ID, &other); err == nil {
		t.Error("another slip was confirmed with the first")
	}
	if _, err := w.rules.EditApp(w.ctx, dev, app.ID, f); err != nil {
		t.Errorf("a slip that is meant: %v", err)
	}
	w.equal("the address", w.one("SELECT redirect_urls FROM apps WHERE id = '"+app.ID+"'"), "https://partner.test/")
}

func TestWhatWasConfirmedIsNotAskedAboutWithEveryOtherChange(t *testing.T) {
	w := newWorldOnSQLite(t)
	_, _, app := portal(w)
	f := form(func(f *registry.AppForm) { f.RedirectURLs = []string{"https://partner.test/"} })
	_, err := w.rules.EditApp(w.ctx, dev, app.ID, f)
	slips, _ := errors.AsType[registry.Findings](err)
	f.Sure = slips.Slips()
	if _, err := w.rules.EditApp(w.ctx, dev, app.ID, f); err != nil {
		t.Fatal(err)
	}
	f.Sure, f.WebhookURL = "", "https://partner.test/hooks"
	if _, err := w.rules.EditApp(w.ctx, dev, app.ID, f); err != nil {
		t.Errorf("a change of the webhook address: %v", err)
	}
	f.RedirectURLs = append(f.RedirectURLs, "https://partner.test/cb")
	if _, err := w.rules.EditApp(w.ctx, dev, app.ID, f); err == nil {
		t.Error("other redirect URLs were taken without a question")
	}
}

func TestNamesThatLookAlike(t *testing.T) {
	w := newWorldOnSQLite(t)
	partner, _, _ := portal(w)
	for name, taken := range map[string]bool{
		"Calendar Sync": true, "calendar  sync": true, "CALENDAR SYNC": true, "Саlеndаr Sуnс": true, "Calendar Ѕync!": true, "Ｃalendar Sync": true,
		"Caļendar Sync": true, "Calendar Sync 2": false, "Calender Sync": false, "Acme Cloud": true, "Sync for Acme Cloud": false, "Acrne Cloud": true,
		"Sync for Аcme Cloud": true, "Аcme": false, "日本語アプリ": false, "♥": false,
	} {
		_, err := w.rules.CreateApp(w.ctx, dev, partner, form(func(f *registry.AppForm) { f.Name = name }))
		if (err != nil) != taken {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A page was shown to somebody who might then, and a form may wait for its turn: who
// acts is looked at again when it is theirs.
func TestPA18_WhoMayNoLongerChangesNothing(t *testing.T) {
	everywhere(t, func(w *world) {
		partner, _, app := portal(w)
		state := func() string {
			return strings.Join(append(w.rows("SELECT id, name, url, disabled, removed_at FROM apps ORDER BY id"), w.rows("SELECT id FROM app_secrets")...), "\n")
		}
		before := state()
		for why, c := range map[string]struct {
			row  string
			want postern.Kind
		}{
			"demoted":     {`UPDATE partner_members SET role = 'viewer'`, postern.Forbidden},
			"off":         {`UPDATE partners SET disabled = TRUE`, postern.Forbidden},
			"without one": {`UPDATE staff SET disabled = TRUE`, postern.NotFound},
			"put out":     {`DELETE FROM partner_members`, postern.NotFound},
		} {
			w.run(c.row)
			for what, act := range map[string]func() error{
				"make": func() error {
					_, err := w.rules.CreateApp(w.ctx, dev, partner, form(func(f *registry.AppForm) { f.Name = "Another" }))
					return err
				},
				"edit": func() error {
					_, err := w.rules.EditApp(w.ctx, dev, app.ID, form(func(f *registry.AppForm) { f.URL = "" }))
					return err
				},
				"secret": func() error {
					_, err := w.rules.AddSecret(w.ctx, dev, app.ID, registry.NewSecret{ID: "sec_1", Name: "x"})
					return err
				},
				"end":      func() error { return w.rules.EndSecret(w.ctx, dev, app.ID, "sec_1") },
				"keys":     func() error { return w.rules.SetKeys(w.ctx, dev, app.ID, "") },
				"logo":     func() error { _, err := w.rules.SetLogo(w.ctx, dev, app.ID, "00", []byte("png")); return err },
				"switch":   func() error { return w.rules.SwitchApp(w.ctx, dev, app.ID, true) },
				"ask":      func() error { return w.rules.AskReview(w.ctx, dev, app.ID) },
				"withdraw": func() error { return w.rules.WithdrawProposal(w.ctx, dev, app.ID) },
				"remove":   func() error { return w.rules.RemoveApp(w.ctx, dev, app.ID) },
			} {
				if err := act(); !postern.Is(err, c.want) {
					w.Errorf("%s, %s: %v", why, what, err)
				}
			}
			w.run(`UPDATE partners SET disabled = FALSE`)
			w.run(`UPDATE staff SET disabled = FALSE`)
			if why != "put out" {
				w.run(`UPDATE partner_members SET role = 'developer'`)
			} else {
				w.run(`INSERT INTO partner_members (partner_id, staff_id, role, created_at) VALUES ('` + partner + `', 'stf_1', 'developer', 1)`)
			}
		}
		w.equal("the rows", state(), before)
	})
}

// What is removed keeps its row, so who makes and removes in a loop would fill the
// disk.
func TestAPartnerMakesSoManyAppsADay(t *testing.T) {
	everywhere(t, func(w *world) {
		partner, _, _ := portal(w)
		make := func(n int) error {
			app, err := w.rules.CreateApp(w.ctx, dev, partner, form(func(f *registry.AppForm) { f.Name = fmt.Sprint("Loop ", n) }))
			if err == nil {
				err = w.rules.RemoveApp(w.ctx, dev, app.ID)
			}
			return err
		}
		var err error
		made := 0
		for err == nil && made < 300 {
			if err = make(made); err == nil {
				made++
			}
		}
		if !postern.Is(err, postern.RateLimited) || made < 190 {
			w.Fatalf("after %d: %v", made, err)
		}
		w.clock.Advance(24*time.Hour + time.Second)
		w.ok(make(made))
	})
}

// Whoever saves, makes a key or switches at the moment of a removal brings nothing
// back.
func TestARemovedAppStaysRemovedWhateverIsDoneAtOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		partner, _, _ := portal(w)
		for round := range 5 {
			app, err := w.rules.CreateApp(w.ctx, dev, partner, form(func(f *registry.AppForm) { f.Name = fmt.Sprint("Round ", round) }))
			w.ok(err)
			acts := []func() error{
				func() error {
					_, err := w.rules.EditApp(w.ctx, dev, app.ID, form(func(f *registry.AppForm) { f.Name = fmt.Sprint("Again ", round) }))
					return err
				},
				func() error {
					_, err := w.rules.AddSecret(w.ctx, dev, app.ID, registry.NewSecret{ID: fmt.Sprint("sec_", round), Name: "x", Overlap: registry.KeepOld})
					return err
				},
				func() error { return w.rules.SwitchApp(w.ctx, dev, app.ID, true) },
				func() error { return w.rules.SwitchApp(w.ctx, op, app.ID, false) },
				func() error {
					_, err := w.rules.SetLogo(w.ctx, dev, app.ID, "0123456789abcdef", []byte("png"))
					return err
				},
			}
			var all sync.WaitGroup
			errs := make([]error, len(acts))
			for i := range acts {
				all.Go(func() { errs[i] = acts[(i+round)%len(acts)]() })
			}
			removed := w.rules.RemoveApp(w.ctx, dev, app.ID)
			all.Wait()
			w.ok(removed)
			for _, err := range errs {
				if err != nil && !postern.Is(err, postern.NotFound) {
					w.Error(err)
				}
			}
			if _, err := w.db.AppRow(w.ctx, app.ID); !postern.Is(err, postern.NotFound) {
				w.Errorf("round %d: the app is there: %v", round, err)
			}
			for _, table := range []string{"app_secrets", "logos", "proposals"} {
				w.equal(table, w.one("SELECT count(*) FROM "+table+" WHERE app_id = '"+app.ID+"'"), "0")
			}
		}
	})
}

func FuzzAppForm(f *testing.F) {
	f.Add("Partner X", "https://partner.test/cb", "https://partner.test", "read")
	f.Add("\u202eevil", "https://[::1]:0/%", "javascript:alert(1)", "")
	f.Add("А", "http://localhost", "https://", "reason")
	rules := &registry.Rules{Store: nothing{}, Dialects: map[string]registry.DialectFacts{"open": {}}, Reserved: []string{"Acme Cloud"}}
	f.Fuzz(func(t *testing.T, name, redirect, url, scope string) {
		_, found, err := rules.TryApp(t.Context(), "p", "", &registry.AppForm{Name: name, RedirectURLs: []string{redirect, redirect + "/"}, URL: url, LogoURL: url, WebhookURL: url,
			Scopes: []string{scope}, Reasons: map[string]string{scope: name}, Description: name, Dialect: "open"})
		if err != nil {
			t.Fatal(err)
		}
		if strings.HasPrefix(redirect, "http:") && !found.Refused() {
			t.Errorf("%s was not refused", redirect)
		}
	})
}

func TestWhatAnAppLacksUntilPeopleCanConnectIt(t *testing.T) {
	w := newWorldOnSQLite(t)
	partner, _, _ := portal(w)
	lacks := func(id string) string {
		w.Helper()
		row, err := w.db.AppRow(w.ctx, id)
		w.ok(err)
		return strings.Join(w.rules.Missing(row), " ")
	}
	two := []string{"https://partner.test/a", "https://partner.test/b"}
	strict := form(func(f *registry.AppForm) { *f = registry.AppForm{Name: "Strict", Dialect: "strict", RedirectURLs: two} })
	_, err := w.rules.CreateApp(w.ctx, dev, partner, strict)
	if got := found(err)[0]; got != "redirect_urls: These are 2 addresses; in this API an app has exactly one." {
		w.Errorf("two addresses where one is possible: %s", got)
	}
	strict.RedirectURLs = nil
	app, err := w.rules.CreateApp(w.ctx, dev, partner, strict)
	w.ok(err)
	w.equal("at first it lacks", lacks(app.ID), "redirect_urls scopes description url secret")
	full := form(func(f *registry.AppForm) { f.Name = "Strict" })
	_, err = w.rules.EditApp(w.ctx, dev, app.ID, full)
	w.ok(err)
	_, err = w.rules.AddSecret(w.ctx, dev, app.ID, registry.NewSecret{ID: "sec_1", Name: "a", Overlap: registry.KeepOld})
	w.ok(err)
	w.equal("then it lacks", lacks(app.ID), "")
	full.Public, full.Sure = true, ""
	_, err = w.rules.EditApp(w.ctx, dev, app.ID, full)
	slips, _ := errors.AsType[registry.Findings](err)
	full.Sure = slips.Slips()
	_, err = w.rules.EditApp(w.ctx, dev, app.ID, full)
	w.ok(err)
	w.equal("a public one lacks", lacks(app.ID), "")
}

// Tokens without a person are asked for only where the operator lets partners ask,
// and are reviewed like scopes; who gives them up needs nobody.
func TestTokensForItselfAreAskedForWhereTheOperatorLetsPartnersAsk(t *testing.T) {
	everywhere(t, func(w *world) {
		_, _, app := portal(w)
		itself := form(func(f *registry.AppForm) { f.ForItself = true })
		grants := func() string { w.Helper(); return w.one("SELECT grants FROM apps WHERE id = '" + app.ID + "'") }
		refused := func(f *registry.AppForm, want string) {
			w.Helper()
			_, err := w.rules.EditApp(w.ctx, dev, app.ID, f)
			w.equal("what is found", strings.Join(found(err), "\n"), want)
		}
		without := grants()
		refused(itself, "for_itself: Here an app gets no tokens for itself, unless the operator sets it up.")
		w.rules.ForItself = true
		refused(form(func(f *registry.AppForm) { f.ForItself, f.Public = true, true }), "for_itself: A public app gets no tokens for itself: nothing proves who asks.")
		_, err := w.rules.CreateApp(w.ctx, dev, app.Partner.ID, form(func(f *registry.AppForm) { f.Name, f.ForItself, f.Dialect = "Two", true, "other" }))
		w.equal("in a dialect without", strings.Join(found(err), "\n"), "for_itself: In this dialect there are no tokens for an app itself.")

		w.rules.Review = true
		e, err := w.rules.EditApp(w.ctx, dev, app.ID, itself)
		w.ok(err)
		if !e.Proposed || grants() != without {
			w.Errorf("before the approval: %v, %s", e.Proposed, grants())
		}
		_, err = w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, app.ID, "", "")
		w.ok(err)
		w.equal("after it", grants(), without+" client_credentials")
		// Where partners may not ask any more, what was given stays.
		w.rules.ForItself = false
		_, err = w.rules.EditApp(w.ctx, dev, app.ID, form(func(f *registry.AppForm) { f.WebhookURL = "" }))
		w.ok(err)
		w.equal("after another edit", grants(), without+" client_credentials")
		w.rules.ForItself = true
		e, err = w.rules.EditApp(w.ctx, dev, app.ID, form())
		w.ok(err)
		if e.Proposed || grants() != without {
			w.Errorf("given up: %v, %s", e.Proposed, grants())
		}
	})
}

func TestManyAppsAreReadTogetherInTheirOrder(t *testing.T) {
	everywhere(t, func(w *world) {
		partner, _, _ := portal(w)
		var ids []string
		for n := range 40 { // more than one statement takes
			app, err := w.rules.CreateApp(w.ctx, dev, partner, form(func(f *registry.AppForm) { f.Name = fmt.Sprintf("App %d", n) }))
			w.ok(err)
			ids = append(ids, app.ID)
		}
		slices.Reverse(ids)
		w.ok(w.rules.RemoveApp(w.ctx, dev, ids[7]))
		rows, err := w.db.AppRows(w.ctx, append(ids, "nobody")...)
		w.ok(err)
		var got []string
		for _, row := range rows {
			if row.Partner.ID != partner || row.Partner.Name == "" {
				w.Errorf("%s is of %+v", row.Name, row.Partner)
			}
			got = append(got, row.ID)
		}
		if !slices.Equal(got, slices.Delete(ids, 7, 8)) {
			w.Errorf("read %v", got)
		}
		if none, err := w.db.AppRows(w.ctx); err != nil || len(none) != 0 {
			w.Errorf("of none: %v, %v", none, err)
		}
	})
}
