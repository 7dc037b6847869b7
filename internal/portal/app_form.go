package portal

import (
	"net/http"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/logo"
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
	wire, mounted := d.Dialects.Get(app.Dialect)
	page.NoScopes = mounted && wire.Terms().NoScopes
	if !page.NoScopes {
		page.Scopes = scopeChoices(f, catalogue)
	}
	page.Preview = entry.ConsentPreview(app, catalogue, page.NoScopes)
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

// New apps -----------------------------------------------------------------------

func (d *Door) newApp(v *entry.Visit) error {
	page, err := d.newPage(v, ui.NewForm(map[string][]string{"dialect": {d.Registry.UsualDialect()}}))
	if err != nil {
		return err
	}
	app := &postern.App{Name: "…", Partner: page.Partner, Dialect: d.Registry.UsualDialect(), Level: d.levelOf(d.Registry.UsualDialect())}
	if err := d.describe(v, page, app); err != nil {
		return err
	}
	return v.Show(http.StatusOK, page)
}

func (d *Door) levelOf(dialect string) postern.Level {
	if wire, ok := d.Dialects.Get(dialect); ok {
		return wire.Level()
	}
	return postern.AccountLevel
}

// newPage is the page of a new app, for somebody who may register one.
func (d *Door) newPage(v *entry.Visit, form *ui.Form) (*ui.AppFormPage, error) {
	m, err := d.partner(v)
	if err != nil {
		return nil, err
	}
	if err := mayEdit(m.Role, &m.Partner); err != nil {
		return nil, err
	}
	page := &ui.AppFormPage{AppFrame: ui.AppFrame{StaffFrame: v.Frame("apps"), Role: m.Role}, Partner: m.Partner, New: true,
		Token: v.Token(aboutApp, "new", m.Partner.ID), Form: form}
	for _, name := range d.Registry.PartnerDialects() {
		page.Dialects = append(page.Dialects, ui.DialectChoice{Name: name, Chosen: name == form.Value("dialect")})
	}
	return page, nil
}

func (d *Door) createApp(v *entry.Visit) error {
	page, f, err := d.sentNew(v)
	if err != nil {
		return err
	}
	app, err := d.Registry.CreateApp(v.R.Context(), v.By(), page.Partner.ID, f)
	if _, ok := findings(err); ok {
		return d.showTried(v, page, "", f)
	}
	if err != nil {
		return err
	}
	return v.Go("/apps/" + app.ID + "?done=created")
}

func (d *Door) previewNew(v *entry.Visit) error {
	page, f, err := d.sentNew(v)
	if err != nil {
		return err
	}
	return d.showTried(v, page, "", f)
}

func (d *Door) sentNew(v *entry.Visit) (*ui.AppFormPage, *registry.AppForm, error) {
	page, err := d.newPage(v, ui.NewForm(v.R.PostForm))
	if err != nil {
		return nil, nil, err
	}
	if err := v.Proved(aboutApp, "new", page.Partner.ID); err != nil {
		return nil, nil, err
	}
	f, err := typed(v)
	return page, f, err
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

// Apps that there are ---------------------------------------------------------------

// formPage is the page of an app that there is.
func (d *Door) formPage(v *entry.Visit, row *registry.App, frame ui.AppFrame, form *ui.Form) *ui.AppFormPage {
	page := &ui.AppFormPage{AppFrame: frame, Partner: row.Partner, Token: v.Token(aboutApp, row.ID), LogoToken: v.Token(aboutLogo, row.ID),
		Form: form, Proposed: row.Proposal != nil && row.Proposal.Review == postern.Waiting}
	switch l := registry.Wished(row); {
	case l.LogoURL != "" || l.LogoHash == "":
	case l.LogoHash == row.LogoHash:
		page.Uploaded = entry.LogoPath(&row.App)
	default:
		page.Uploaded = v.Path("/apps/" + row.ID + "/proposed.png")
	}
	return page
}

func (d *Door) settings(v *entry.Visit) error {
	row, frame, err := d.row(v, "settings", d.editable)
	if err != nil {
		return err
	}
	return d.showSettings(v, http.StatusOK, row, frame, ui.Text{})
}

func (d *Door) showSettings(v *entry.Visit, status int, row *registry.App, frame ui.AppFrame, logoSaid ui.Text) error {
	page := d.formPage(v, row, frame, stored(row))
	page.LogoSaid = logoSaid
	if err := d.describe(v, page, row.AsWished()); err != nil {
		return err
	}
	return v.Show(status, page)
}

func (d *Door) saveSettings(v *entry.Visit) error {
	row, page, f, err := d.sentSettings(v)
	if err != nil {
		return err
	}
	edited, err := d.Registry.EditApp(v.R.Context(), v.By(), row.ID, f)
	if _, ok := findings(err); ok {
		return d.showTried(v, page, row.ID, f)
	}
	if err != nil {
		return err
	}
	return v.Go("/apps/" + row.ID + "?done=" + doneWord(edited))
}

func doneWord(e *registry.Edited) string {
	if e.Proposed {
		return "proposed"
	}
	return "saved"
}

func (d *Door) previewApp(v *entry.Visit) error {
	row, page, f, err := d.sentSettings(v)
	if err != nil {
		return err
	}
	return d.showTried(v, page, row.ID, f)
}

func (d *Door) sentSettings(v *entry.Visit) (*registry.App, *ui.AppFormPage, *registry.AppForm, error) {
	row, frame, err := d.row(v, "settings", d.editable)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := v.Proved(aboutApp, row.ID); err != nil {
		return nil, nil, nil, err
	}
	f, err := typed(v)
	return row, d.formPage(v, row, frame, ui.NewForm(v.R.PostForm)), f, err
}

// Logos -------------------------------------------------------------------------------

// mostUpload is the largest image with what a form adds to it.
const mostUpload = 1<<20 + 16<<10

func (d *Door) handInLogo(v *entry.Visit) error {
	row, frame, err := d.row(v, "settings", d.editable)
	if err != nil {
		return err
	}
	if err := v.Proved(aboutLogo, row.ID); err != nil {
		return err
	}
	do, err := v.Field("do")
	if err != nil {
		return err
	}
	if do == "remove" {
		return d.keepLogo(v, row.ID, "", nil)
	}
	file, err := v.File("logo")
	if err != nil {
		return err
	}
	if len(file) == 0 {
		return d.showSettings(v, http.StatusOK, row, frame, ui.Say("Choose an image first."))
	}
	png, hash, err := d.readLogo(v, file)
	if err != nil {
		return d.showSettings(v, http.StatusOK, row, frame, cannotBeUsed(err))
	}
	return d.keepLogo(v, row.ID, hash, png)
}

// logoTooLarge says so beside the file: the first picture at hand often has some
// megabytes.
func (d *Door) logoTooLarge(v *entry.Visit) error {
	row, frame, err := d.row(v, "settings", d.editable)
	if err != nil {
		return err
	}
	return d.showSettings(v, http.StatusBadRequest, row, frame, cannotBeUsed(logo.ErrTooLarge))
}

func cannotBeUsed(err error) ui.Text {
	return ui.Say("This file cannot be used: %s.", entry.Said(err.Error()))
}

func (d *Door) askToRemoveLogo(v *entry.Visit) error {
	row, _, err := d.row(v, "settings", d.editable)
	if err != nil {
		return err
	}
	says := []ui.Text{ui.Say("The image is not kept: to have it again, hand it in again.")}
	if row.Live() && d.Registry.Reviews() {
		says = append(says, ui.Say("People see it until the operator has approved the change."))
	}
	return v.Show(http.StatusOK, &ui.ConfirmPage{
		StaffFrame: v.Frame("apps"), Heading: ui.Say("Remove the logo of %s?", row.Name), Button: ui.Say("Remove it"), Says: says,
		Token: v.Token(aboutLogo, row.ID), Action: v.Path("/apps/" + row.ID + "/logo"), Back: v.Path("/apps/" + row.ID + "/settings"), Hidden: map[string]string{"do": "remove"},
	})
}

// readLogo reads one image at a time, for each may take much memory.
func (d *Door) readLogo(v *entry.Visit, file []byte) (png []byte, hash string, err error) {
	select {
	case d.reading <- struct{}{}:
		defer func() { <-d.reading }()
	case <-v.R.Context().Done():
		return nil, "", v.R.Context().Err()
	}
	return logo.Read(file)
}

func (d *Door) keepLogo(v *entry.Visit, appID, hash string, png []byte) error {
	edited, err := d.Registry.SetLogo(v.R.Context(), v.By(), appID, hash, png)
	if err != nil {
		return err
	}
	return v.Go("/apps/" + appID + "/settings?done=" + doneWord(edited))
}

// proposedLogo shows an image that was handed in and is not approved, to those
// who handed it in.
func (d *Door) proposedLogo(v *entry.Visit) error {
	app, _, err := d.app(v, "")
	if err != nil {
		return err
	}
	png, err := d.Rows.ProposedLogo(v.R.Context(), app.ID)
	if err != nil {
		return err
	}
	return v.Image(png)
}
