package ui

import (
	"time"

	"postern.dev/postern"
)

// appSamples are the pages about apps, keys and their review, by name.
func appSamples() map[string]Page {
	inc := postern.Partner{ID: "par_1", Name: "Partner Inc"}
	app := postern.App{
		ID: "app_7Hk29shg38sLqoP2eXk2", Name: "Partner X", Partner: inc, Dialect: "standard", Level: postern.AccountLevel,
		Description: "Brings candidates from your careers page into your reviews, every night.", URL: "https://partner.test",
		RedirectURLs: []string{"https://app.partner.test/integrations/callback"}, WebhookURL: "https://app.partner.test/hooks/postern",
	}
	waiting, rejected, off := app, app, app
	waiting.Review, rejected.Review, off.Disabled = postern.Waiting, postern.Rejected, true
	staff := StaffFrame{Prefix: "/portal", Staff: postern.Staff{ID: "stf_1", Email: "dev@partner.test", Name: "Devi Partner"}, SignOutToken: "t", Section: "apps"}
	console := StaffFrame{Prefix: "/operator", Staff: postern.Staff{ID: "stf_2", Email: "op@saas.test"}, SignOutToken: "t", Section: "review"}
	of := func(a *postern.App, tab string) AppFrame {
		return AppFrame{StaffFrame: staff, App: a, Role: postern.Developer, Tab: tab}
	}
	preview := &ConsentPage{App: &app, Site: "partner.test", Goes: "app.partner.test", Preview: true, Choices: []Choice{{Account: postern.Account{Name: "Example"}}},
		User: postern.User{Name: "Ada Example", Email: "ada@example.com"}, Scopes: []ScopeLine{{Text: "See your candidates"}}}
	differences := []Difference{
		{What: Say("Name"), Was: []Line{{"Partner X", false}}, Will: []Line{{"Partner Y", false}}},
		{What: Say("Redirect URLs"), Was: []Line{{"https://a.test/cb", true}}, Will: []Line{{"https://a.test/cb", true}, {"https://b.test/cb", false}}},
		{What: Say("Logo"), Logo: true, WillLogo: "/portal/apps/x/proposed.png"},
		{What: Say("Logo"), Logo: true, Will: []Line{{"https://a.test/logo.png", false}}, Fetching: true},
		{What: Say("Logo"), Logo: true, Will: []Line{{"https://a.test/logo.png", false}}, Fault: SayPlain("the host answers %s", "404")},
	}
	proposed := &Proposed{Proposal: postern.Proposal{Looks: app.Looks(), At: day, Review: postern.Waiting}, Differences: differences, By: "Devi Partner"}
	refused := *proposed
	refused.Review, refused.Reason = postern.Rejected, "This is not your name."
	form := NewForm(map[string][]string{"name": {"Partner X"}, "redirect_urls": {"http://partner.test/cb"}})
	form.Refuse("redirect_urls", Say("%s %s.", "http://partner.test/cb", Say("must begin with https://")))
	form.Question("url", Say("Is it yours?"))
	fields := func(p *AppFormPage) *AppFormPage {
		p.Called = form.Field(Field{Name: "name", Label: Say("Name"), Most: 64, Required: true})
		p.About = form.Field(Field{Name: "description", Label: Say("Description"), Type: "lines"})
		p.Site = form.Field(Field{Name: "url", Label: Say("Site"), Type: "url"})
		p.Redirects = form.Field(Field{Name: "redirect_urls", Label: Say("Redirect URLs"), Type: "lines", Hint: Say("One in each line.")})
		p.Webhook = form.Field(Field{Name: "webhook_url", Label: Say("Webhook address"), Type: "url"})
		p.Logo = form.Field(Field{Name: "logo_url", Label: Say("Logo from an address"), Type: "url"})
		p.PublicSaid, p.ForItselfSaid, p.OffersItself = Field{Name: "public"}, Field{Name: "for_itself"}, true
		p.Form, p.Preview, p.Token = form, preview, "t"
		p.Scopes = []ScopeChoice{{Name: "candidates.read", Text: "See your candidates", Chosen: true, Reason: Field{Name: "reason:candidates.read", Label: Say("Why"), Type: "text"}},
			{Name: "notes.write", Text: "Add notes", Reason: Field{Name: "reason:notes.write", Label: Say("Why"), Type: "text"}}}
		return p
	}
	secrets := []SecretLine{
		{postern.AppSecret{ID: "sec_1", Name: "production", Hint: "x9Qa", CreatedAt: day, LastUsedAt: day, ExpiresAt: day.Add(time.Hour)}, true},
		{postern.AppSecret{ID: "sec_2", Name: "old", CreatedAt: day, ExpiresAt: day}, false},
	}
	answer := Field{Name: "reason", Label: Say("Reason"), Type: "lines", Rows: 3}
	steps := []Step{{Say("Say where people return to"), true, "/portal/apps/x/settings"}, {Say("Make a client secret"), false, "/portal/apps/x/keys"}, {Say("Wait for approval"), false, ""}}
	return map[string]Page{
		"portal-app":          &AppPage{AppFrame: of(&app, ""), Token: "t", Steps: steps, Proposal: proposed, LogoProblem: SayPlain("the host answers %s", "404")},
		"portal-app-rejected": &AppPage{AppFrame: of(&rejected, ""), Token: "t", Verdict: "Where is your site?", Proposal: &refused},
		"portal-app-waiting":  &AppPage{AppFrame: of(&waiting, ""), Token: "t"},
		"portal-app-off":      &AppPage{AppFrame: of(&off, ""), Token: "t", OwnSwitch: true},
		"portal-app-form-new": fields(&AppFormPage{AppFrame: AppFrame{StaffFrame: staff}, Partner: inc, New: true, Reviewed: true, Dialects: []DialectChoice{{"standard", true, false}, {"xref", false, true}}, Sure: "abc"}),
		"portal-app-form":     fields(&AppFormPage{AppFrame: of(&app, "settings"), Proposed: true, Reviewed: true, Public: true, Uploaded: "/logos/x/y.png", LogoSaid: Say("It is no image.")}),
		"portal-keys":         &KeysPage{AppFrame: of(&app, "keys"), Secrets: secrets, Token: "t", SecretID: "sec_3", Fresh: true, Called: Field{Name: "name", Label: Say("Name"), Type: "text"}, HookHint: "CFE=", HookOldUntil: day, HookToken: "t"},
		"portal-keys-shown":   &KeysPage{AppFrame: of(&app, "keys"), Secrets: secrets, Shown: "pos_abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHI", ShownHook: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", Most: true, HookHint: "LaSw"},
		"portal-keys-none":    &KeysPage{AppFrame: of(&app, "keys"), Token: "t", SecretID: "sec_1", Called: Field{Name: "name", Label: Say("Name"), Type: "text"}},
		"portal-keys-public": &KeysPage{AppFrame: of(&app, "keys"), Token: "t", SecretID: "sec_1", Fresh: true, TakesKeys: true, SetToken: "t", KeySet: `{"keys":[{"kty":"EC"}]}`,
			PublicKeys: []PublicKey{{"2026-1", "EC P-256", "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"}, {"", "RSA 2048", "cn-I_WNMClehiVp51i_0VpOENW1upEerA8sEam5hn-s"}}, Called: Field{Name: "name", Label: Say("Name"), Type: "text"},
			Pasted: NewForm(nil).Field(Field{Name: "jwks", Label: Say("Key set (JSON)"), Type: "lines", Hint: Say("Public keys alone.")})},
		"operator-review":        &ReviewPage{StaffFrame: console, Reviewed: true, Apps: []WaitingApp{{&waiting, true, day, nil}, {&app, false, day, []Text{Say("name"), Say("logo")}}}, Partners: []postern.WaitingPartner{{Partner: postern.Partner{ID: "par_2", Name: "New Inc", Waiting: day}, Owners: []postern.Staff{{Email: "a@new.test"}}}}},
		"operator-review-none":   &ReviewPage{StaffFrame: console},
		"operator-app":           &ReviewedAppPage{StaffFrame: console, App: &app, Waits: true, Since: day, Proposal: proposed, Preview: preview, Token: "t", Seen: "s", Reason: answer, Scopes: []ScopeReason{{"candidates.read", "See your candidates", "To show them", true}}},
		"operator-app-new":       &ReviewedAppPage{StaffFrame: console, App: &waiting, Waits: true, New: true, Since: day, Preview: preview, Token: "t", Seen: "s", Reason: answer, Verdict: "Where is your site?"},
		"operator-app-rejected":  &ReviewedAppPage{StaffFrame: console, App: &rejected, Preview: preview, Reason: answer, Proposal: &refused},
		"operator-partners":      &PartnersPage{StaffFrame: console, Partners: []PartnerLine{{inc, 2, 1}, {postern.Partner{ID: "par_2", Name: "Off Inc", Disabled: true}, 1, 3}}, Token: "t", Called: Field{Name: "name", Label: Say("Company"), Type: "text"}, Email: Field{Name: "email", Label: Say("E-mail"), Type: "email"}},
		"operator-partners-none": &PartnersPage{StaffFrame: console, Called: Field{Name: "name", Label: Say("Company"), Type: "text"}, Email: Field{Name: "email", Label: Say("E-mail"), Type: "email"}},
		"operator-partner": &PartnerPage{StaffFrame: console, Partner: inc, Apps: []postern.App{app, waiting, rejected, off}, Members: []postern.Member{{Partner: inc, Staff: staff.Staff, Role: postern.Owner, Since: day}},
			Invitations: []postern.Invitation{{Email: "b@partner.test", Role: postern.Viewer, Expires: day}}, Token: "t", Link: "https://saas.test/portal/join/abc", ByHand: true, Email: Field{Name: "email", Label: Say("E-mail"), Type: "email"}},
		"operator-partner-new": &PartnerPage{StaffFrame: console, Partner: postern.Partner{ID: "par_2", Name: "New Inc", Waiting: day, Disabled: true}, Reason: answer, Email: Field{Name: "email", Type: "email"}},
		"operator-partner-off": &PartnerPage{StaffFrame: console, Partner: postern.Partner{ID: "par_3", Name: "Off Inc", Disabled: true}},
		"operator-audit": &AuditPage{StaffFrame: console, Records: []postern.AuditRecord{{At: day, Actor: "staff:stf_1", ActorName: "dev@partner.test", Action: "app.changed", Object: "app:x", ObjectName: "Night Sync", Detail: "name", Address: "192.0.2.1"}},
			Actor: Field{Name: "actor", Label: Say("By"), Type: "text"}, Object: Field{Name: "object", Label: Say("About"), Type: "text"}, More: "/operator/audit?before=1"},
		"operator-audit-none": &AuditPage{StaffFrame: console, Actor: Field{Name: "actor", Label: Say("By"), Type: "text"}, Object: Field{Name: "object", Label: Say("About"), Type: "text"}},
	}
}
