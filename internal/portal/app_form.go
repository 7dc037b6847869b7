package portal

import (
	"net/http"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
)

// typed reads a form for the rules. Whatever else it holds is ignored: no field
// can say what nobody may choose (attacks.md PA-03).
func typed(v *entry.Visit) (*registry.AppForm, error) {
	t, err := v.Fields("name", "description", "url", "logo_url", "webhook_url", "redirect_urls", "dialect", "public", "for_itself", "sure")
	if err != nil {
		return nil, err
	}
	f := &registry.AppForm{
		Name: t[0], Description: t[1], URL: t[2], LogoURL: t[3], WebhookURL: t[4], RedirectURLs: lines(t[5]),
		Dialect: t[6], Public: t[7] == "true", ForItself: t[8] == "true", Sure: t[9], Scopes: v.R.PostForm["scope"], Reasons: map[string]string{},
	}
	for _, scope := range f.Scopes {
		if f.Reasons[scope], err = v.Field("reason:" + scope); err != nil {
			return nil, err
		}
	}
	return f, nil
}

// lines are those of a text; a space at an end is kept, for it is a mistake.
func lines(text string) (list []string) {
	for line := range strings.SplitSeq(text, "\n") {
		if line = strings.TrimSuffix(line, "\r"); line != "" {
			list = append(list, line)
		}
	}
	return list
}

// stored is an app as its form shows it.
func stored(a *registry.App) *ui.Form {
	l := registry.Wished(a)
	values := map[string][]string{
		"name": {l.Name}, "description": {l.Description}, "url": {l.URL}, "logo_url": {l.LogoURL}, "webhook_url": {a.WebhookURL},
		"redirect_urls": {strings.Join(l.RedirectURLs, "\n")}, "scope": l.Scopes,
	}
	if a.Public {
		values["public"] = []string{"true"}
	}
	if l.ForItself {
		values["for_itself"] = []string{"true"}
	}
	for scope, why := range a.Reasons {
		values["reason:"+scope] = []string{why}
	}
	return ui.NewForm(values)
}

// describe completes the page of a form: its fields, and the app as people would
// see it.
func (d *Door) describe(v *entry.Visit, page *ui.AppFormPage, app *postern.App) error {
	catalogue, err := d.Rows.ScopeCatalogue(v.R.Context())
	if err != nil {
		return err
	}
	f := page.Form
	page.Reviewed = d.Registry.Reviews()
	page.Called = f.Field(ui.Field{Name: "name", Label: ui.Say("Name"), Most: 64, Required: true, Hint: ui.Say("What people read when they are asked.")})
	page.About = f.Field(ui.Field{Name: "description", Label: ui.Say("Description"), Type: "lines", Most: 1000, Hint: ui.Say("What it does for them, in a sentence.")})
	page.Site = f.Field(ui.Field{Name: "url", Label: ui.Say("Site"), Type: "url", Most: 2048, Hint: ui.Say("Where people read about it.")})
	page.Redirects = f.Field(ui.Field{Name: "redirect_urls", Label: ui.Say("Redirect URLs"), Type: "lines",
		Hint: ui.Say("Where people return to, one in each line, exactly as your program sends it, such as %s.", "https://app.example.com/callback")})
	page.Webhook = f.Field(ui.Field{Name: "webhook_url", Label: ui.Say("Webhook address"), Type: "url", Most: 2048,
		Hint: ui.Say("Is told when connections are made, change and end. You can leave it empty.")})
	page.Logo = f.Field(ui.Field{Name: "logo_url", Label: ui.Say("Logo from an address"), Type: "url", Most: 2048,
		Hint: ui.Say("It is fetched once and served from here.")})
	page.PublicSaid, page.ScopesSaid, page.DialectSaid = f.Field(ui.Field{Name: "public"}), f.Field(ui.Field{Name: "scopes"}), f.Field(ui.Field{Name: "dialect"})
	page.Public = f.Value("public") == "true"
	page.ForItself, page.ForItselfSaid = f.Value("for_itself") == "true", f.Field(ui.Field{Name: "for_itself"})
	page.OffersItself = d.Registry.OffersItself(app.Dialect) || page.New && slices.ContainsFunc(d.Registry.PartnerDialects(), d.Registry.OffersItself)
	noScopes := d.Registry.NoScopes(app.Dialect)
	scoped := func(c ui.DialectChoice) bool { return !c.NoScopes }
	if page.NoScopes = noScopes && !slices.ContainsFunc(page.Dialects, scoped); !page.NoScopes {
		page.Scopes = scopeChoices(f, catalogue)
	}
	page.Preview = entry.ConsentPreview(app, catalogue, noScopes)
	return nil
}

func scopeChoices(f *ui.Form, catalogue []postern.Scope) (list []ui.ScopeChoice) {
	for _, s := range catalogue {
		list = append(list, ui.ScopeChoice{
			Name: s.Name, Text: postern.ScopeText(catalogue, s.Name), Chosen: slices.Contains(f.Values("scope"), s.Name),
			Reason: f.Field(ui.Field{Name: "reason:" + s.Name, Label: ui.Say("Why the app needs it"), Most: 200}),
		})
	}
	return list
}

// found says what the rules found, and offers to confirm what may be meant.
func (d *Door) found(page *ui.AppFormPage, found registry.Findings) {
	entry.AddFindings(page.Form, found)
	if !found.Refused() {
		page.Sure = found.Slips()
	}
}

// showTried shows a form with all that the rules say of it.
func (d *Door) showTried(v *entry.Visit, page *ui.AppFormPage, appID string, f *registry.AppForm) error {
	app, found, err := d.Registry.TryApp(v.R.Context(), page.Partner.ID, appID, f)
	if err != nil {
		return err
	}
	d.found(page, found)
	shown := app.App
	shown.Partner = page.Partner
	if err := d.describe(v, page, &shown); err != nil {
		return err
	}
	return v.Show(http.StatusOK, page)
}
