package portal

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/requestlog"
	"postern.dev/postern/internal/ui"
)

// Registry is what the pages ask of the rules about apps (*registry.Rules).
type Registry interface {
	AboutCompany(company, name, email string) registry.Findings
	CreateApp(ctx context.Context, by registry.By, partnerID string, f *registry.AppForm) (*registry.App, error)
	TryApp(ctx context.Context, partnerID, appID string, f *registry.AppForm) (*registry.App, registry.Findings, error)
	EditApp(ctx context.Context, by registry.By, appID string, f *registry.AppForm) (*registry.Edited, error)
	SetLogo(ctx context.Context, by registry.By, appID, hash string, png []byte) (*registry.Edited, error)
	SwitchApp(ctx context.Context, by registry.By, appID string, off bool) error
	RemoveApp(ctx context.Context, by registry.By, appID string) error
	AskReview(ctx context.Context, by registry.By, appID string) error
	WithdrawProposal(ctx context.Context, by registry.By, appID string) error

	SecretID() (string, error)
	AddSecret(ctx context.Context, by registry.By, appID string, n registry.NewSecret) (postern.Secret, error)
	EndSecret(ctx context.Context, by registry.By, appID, secretID string) error
	SetKeys(ctx context.Context, by registry.By, appID, text string) error
	TakesKeys(a *registry.App) bool

	PartnerDialects() []string
	UsualDialect() string
	Reviews() bool
	OffersItself(dialect string) bool
	// NoScopes reports whether a dialect's wire has none.
	NoScopes(dialect string) bool
	Missing(a *registry.App) []string
}

// AppRows are the reads of the pages about apps.
type AppRows interface {
	// AppRow is all of an app, with its partner, secrets and proposal.
	AppRow(ctx context.Context, appID string) (*registry.App, error)
	// ProposedLogo is the image that a proposal would give an app; NotFound.
	ProposedLogo(ctx context.Context, appID string) ([]byte, error)
}

const (
	aboutApp  browser.Purpose = "app"
	aboutLogo browser.Purpose = "logo"
)

func (d *Door) appRoutes() {
	e := d.Entry
	e.Handle("GET /apps/{app}", d.overview)
	e.Handle("GET /apps/{app}/settings", d.settings)
	e.Handle("POST /apps/{app}/settings", d.saveSettings)
	e.Handle("POST /apps/{app}/preview", d.previewApp)
	e.HandleUpload("POST /apps/{app}/logo", mostUpload, d.handInLogo, d.logoTooLarge)
	e.Handle("GET /apps/{app}/proposed.png", d.proposedLogo)
	e.Handle("GET /partners/{partner}/apps/new", d.newApp)
	e.Handle("POST /partners/{partner}/apps/new", d.createApp)
	e.Handle("POST /partners/{partner}/apps/preview", d.previewNew)
	e.Handle("POST /apps/{app}/proposal", d.proposal)
	e.Handle("GET /apps/{app}/proposal/withdraw", d.askToWithdraw)
	e.Handle("GET /apps/{app}/logo/remove", d.askToRemoveLogo)
	e.Handle("GET /apps/{app}/off", d.askToSwitchOff)
	e.Handle("POST /apps/{app}/off", d.switchApp(true))
	e.Handle("POST /apps/{app}/on", d.switchApp(false))
	e.Handle("GET /apps/{app}/remove", d.askToRemove)
	e.Handle("POST /apps/{app}/remove", d.removeApp)
	d.keyRoutes()
}

// apps is the first page: the apps of every partner that the person is with.
func (d *Door) apps(v *entry.Visit) error {
	members, err := d.Rows.MemberOf(v.R.Context(), v.Staff().ID)
	if err != nil {
		return err
	}
	page := &ui.PartnerAppsPage{StaffFrame: v.Frame("apps")}
	if v.R.URL.Query().Get("done") == "removed" {
		page.Done = ui.Say("The app is removed, and all of its connections have ended.")
	}
	for _, m := range members {
		apps, err := d.Rows.PartnerApps(v.R.Context(), m.Partner.ID)
		if err != nil {
			return err
		}
		page.Partners = append(page.Partners, ui.PartnerApps{Member: m, Apps: apps})
	}
	return v.Show(http.StatusOK, page)
}

// row reads all of an app, for whom find finds it: app or editable.
func (d *Door) row(v *entry.Visit, tab string, find func(*entry.Visit, string) (*postern.App, ui.AppFrame, error)) (*registry.App, ui.AppFrame, error) {
	app, frame, err := find(v, tab)
	if err != nil {
		return nil, frame, err
	}
	row, err := d.Rows.AppRow(v.R.Context(), app.ID)
	if err != nil {
		return nil, frame, err
	}
	frame.App = row.AsItIs()
	frame.Done = appDone[v.R.URL.Query().Get("done")]
	return row, frame, nil
}

// appDone is what the page says after an act.
var appDone = map[string]ui.Text{
	"created":   ui.Say("The app is registered."),
	"saved":     ui.Say("Saved."),
	"proposed":  ui.Say("Handed in: people see the change when the operator has approved it."),
	"asked":     ui.Say("Handed in again."),
	"withdrawn": ui.Say("Taken back: the app stays as it is."),
	"off":       ui.Say("The app is switched off: its tokens are of no use from now on."),
	"on":        ui.Say("The app is switched on."),
	"ended":     ui.Say("The secret has ended."),
	"keys":      ui.Say("The keys are registered: what your program signs with one of them is taken from now on."),
	"keyless":   ui.Say("The keys are removed: nothing that they signed is taken any more."),
	"again":     ui.Say("That form was sent before: the secret was made then, and shown once. If you did not keep it, end it and make another."),
}

func (d *Door) overview(v *entry.Visit) error {
	row, frame, err := d.row(v, "", d.app)
	if err != nil {
		return err
	}
	page := &ui.AppPage{AppFrame: frame, Token: v.Token(aboutApp, row.ID), Steps: d.steps(row, frame.App.Disabled), Verdict: row.Verdict, Since: row.ReviewedAt,
		LogoProblem: entry.Said(row.LogoProblem), OwnSwitch: row.OwnSwitch()}
	ctx := v.R.Context()
	if page.Usage, err = d.usage(ctx, row.ID); err != nil {
		return err
	}
	refused, err := d.Requests.List(ctx, row.ID, requestlog.Filter{Outcome: requestlog.Refused}, shownRefused)
	if err != nil {
		return err
	}
	page.Refused = ui.LogLines{AppID: row.ID, Lines: linesOf(refused), Chosen: "?outcome=refused"}
	if row.Proposal != nil {
		catalogue, err := d.Rows.ScopeCatalogue(ctx)
		if err != nil {
			return err
		}
		page.Proposal = &ui.Proposed{Proposal: *row.Proposal, Differences: entry.Differences(row, catalogue, v.Path("/apps/"+row.ID+"/proposed.png"))}
	}
	return v.Show(http.StatusOK, page)
}

// stepTexts are what may be missing, in the order in which it is done.
var stepTexts = []struct {
	key, place string
	text       ui.Text
}{
	{"redirect_urls", "settings#redirect_urls", ui.Say("Say where people return to: a redirect URL")},
	{"scopes", "settings#scopes", ui.Say("Choose what the app may ask for")},
	{"description", "settings#description", ui.Say("Describe what it does")},
	{"url", "settings#url", ui.Say("Name its site")},
	{"logo_url", "settings#logo_url", ui.Say("Give it a logo")},
	{"webhook_url", "settings#webhook_url", ui.Say("Name the address that is told of events")},
	{"secret", "keys", ui.Say("Make a client secret")},
}

// lacks are the steps before which an app cannot be connected in the sandbox either.
func (d *Door) lacks(app *postern.App) (steps []ui.Step) {
	missing := d.Registry.Missing(&registry.App{App: *app})
	for _, s := range stepTexts {
		if (s.key == "redirect_urls" || s.key == "scopes") && slices.Contains(missing, s.key) {
			steps = append(steps, ui.Step{Text: s.text, Path: Prefix + "/apps/" + app.ID + "/" + s.place})
		}
	}
	return steps
}

// steps are what is to be done until people can connect the app, and what is done
// of it: one that is off is not ready, whatever it has. What apps do not need here
// is no step.
func (d *Door) steps(row *registry.App, off bool) (steps []ui.Step) {
	here, missing := Prefix+"/apps/"+row.ID, map[string]bool{}
	for _, key := range d.Registry.Missing(row) {
		missing[key] = true
	}
	always := map[string]bool{"redirect_urls": true, "secret": !row.Public && row.JWKS == ""}
	for _, s := range stepTexts {
		if missing[s.key] || always[s.key] {
			steps = append(steps, ui.Step{Text: s.text, Done: !missing[s.key], Path: here + "/" + s.place})
		}
	}
	switch {
	case off && row.OwnSwitch():
		steps = append(steps, ui.Step{Text: ui.Say("Switch it on again"), Path: here + "#end"})
	case off:
		steps = append(steps, ui.Step{Text: ui.Say("Wait until the operator switches it on again")})
	}
	switch {
	case row.Review == postern.Rejected:
		steps = append(steps, ui.Step{Text: ui.Say("Change what was not approved, and hand it in again"), Path: here + "/settings"})
	case !row.Live():
		steps = append(steps, ui.Step{Text: ui.Say("Wait until the operator approves it for real accounts")})
	case d.Registry.Reviews():
		steps = append(steps, ui.Step{Text: ui.Say("Approved for real accounts"), Done: true})
	}
	return steps
}

// proposal takes back a change that waits, or hands in again what was rejected.
func (d *Door) proposal(v *entry.Visit) error {
	app, _, err := d.editable(v, "")
	if err != nil {
		return err
	}
	if err := v.Proved(aboutApp, app.ID); err != nil {
		return err
	}
	do, err := v.Field("do")
	if err != nil {
		return err
	}
	if do == "withdraw" {
		if err := d.Registry.WithdrawProposal(v.R.Context(), v.By(), app.ID); err != nil {
			return err
		}
		return v.Go("/apps/" + app.ID + "?done=withdrawn")
	}
	if err := d.Registry.AskReview(v.R.Context(), v.By(), app.ID); err != nil {
		return err
	}
	return v.Go("/apps/" + app.ID + "?done=asked")
}

func (d *Door) askToWithdraw(v *entry.Visit) error {
	row, _, err := d.row(v, "", d.editable)
	if err != nil {
		return err
	}
	if row.Proposal == nil {
		return postern.Errorf(postern.NotFound, "No change of this app waits for an answer (any more).")
	}
	return v.Show(http.StatusOK, &ui.ConfirmPage{
		StaffFrame: v.Frame("apps"), Heading: ui.Say("Take back the change of %s?", row.Name), Button: ui.Say("Take it back"),
		Says:  []ui.Text{ui.Say("What you asked for is forgotten, and nobody answers it. The app stays as it is.")},
		Token: v.Token(aboutApp, row.ID), Action: v.Path("/apps/" + row.ID + "/proposal"), Back: v.Path("/apps/" + row.ID), Hidden: map[string]string{"do": "withdraw"},
	})
}

func (d *Door) askToSwitchOff(v *entry.Visit) error {
	app, _, err := d.editable(v, "")
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, &ui.ConfirmPage{
		StaffFrame: v.Frame("apps"), Heading: ui.Say("Switch %s off?", app.Name), Button: ui.Say("Switch off"),
		Says: []ui.Text{
			ui.Say("Its tokens are of no use from that moment, and it gets no others. Nobody can connect it."),
			ui.Say("Its connections stay. When you switch it on again, what has not expired works as before."),
		},
		Token: v.Token(aboutApp, app.ID), Action: v.Path("/apps/" + app.ID + "/off"), Back: v.Path("/apps/" + app.ID),
	})
}

func (d *Door) switchApp(off bool) func(v *entry.Visit) error {
	done := "on"
	if off {
		done = "off"
	}
	return func(v *entry.Visit) error {
		app, _, err := d.editable(v, "")
		if err != nil {
			return err
		}
		if err := v.Proved(aboutApp, app.ID); err != nil {
			return err
		}
		if err := d.Registry.SwitchApp(v.R.Context(), v.By(), app.ID, off); err != nil {
			return err
		}
		return v.Go("/apps/" + app.ID + "?done=" + done)
	}
}

func (d *Door) askToRemove(v *entry.Visit) error {
	app, _, err := d.editable(v, "")
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, &ui.ConfirmPage{
		StaffFrame: v.Frame("apps"), Heading: ui.Say("Remove %s?", app.Name), Button: ui.Say("Remove app"),
		Says: []ui.Text{
			ui.Say("Every connection of the app ends at once, and its tokens with them. Its webhook endpoint is told of each, with the reason %s.", "app_removed"),
			ui.Say("Its client_id %s is never given again. It cannot be brought back.", app.ID),
		},
		Token: v.Token(aboutApp, app.ID, "remove"), Action: v.Path("/apps/" + app.ID + "/remove"), Back: v.Path("/apps/" + app.ID),
	})
}

func (d *Door) removeApp(v *entry.Visit) error {
	app, _, err := d.editable(v, "")
	if err != nil {
		return err
	}
	if err := v.Proved(aboutApp, app.ID, "remove"); err != nil {
		return err
	}
	if !v.Fresh() {
		return v.AskAgain()
	}
	if err := d.Registry.RemoveApp(v.R.Context(), v.By(), app.ID); err != nil {
		return err
	}
	return v.Go("?done=removed")
}

// findings are those of an error; none where it is another error.
func findings(err error) (registry.Findings, bool) { return errors.AsType[registry.Findings](err) }
