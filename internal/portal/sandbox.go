package portal

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/sandbox"
	"postern.dev/postern/internal/ui"
)

// Sandboxes is what the pages ask of the rules about sandboxes.
type Sandboxes interface {
	Accounts(ctx context.Context, partnerID string) ([]sandbox.Account, error)
	Make(ctx context.Context, by sandbox.By, partner postern.Partner) (*sandbox.Account, error)
	Remove(ctx context.Context, by sandbox.By, partnerID, accountID string) error
	SwitchPerson(ctx context.Context, by sandbox.By, partnerID, userID string, off bool) error
	Connections(ctx context.Context, app *postern.App) ([]sandbox.Connection, error)
	ExpireTokens(ctx context.Context, by sandbox.By, partnerID, connectionID string) error
	End(ctx context.Context, by sandbox.By, partnerID, connectionID string) error
	MoveClock(ctx context.Context, by sandbox.By, partnerID, accountID string, on time.Duration) error
	FailWebhooks(ctx context.Context, by sandbox.By, appID string, attempts int) error
	WebhooksToFail(ctx context.Context, appID string) (int, error)
}

const inSandbox browser.Purpose = "sandbox"

func (d *Door) sandboxRoutes() {
	e := d.Entry
	e.Handle("GET /apps/{app}/sandbox", d.sandbox)
	e.Handle("POST /apps/{app}/sandbox/accounts", d.inSandbox("made", d.makeSandbox))
	e.Handle("GET /apps/{app}/sandbox/accounts/{account}/remove", d.askToRemoveSandbox)
	e.Handle("POST /apps/{app}/sandbox/accounts/{account}/remove", d.inSandbox("removed", d.removeSandbox))
	e.Handle("POST /apps/{app}/sandbox/accounts/{account}/clock", d.inSandbox("moved", d.moveClock))
	e.Handle("POST /apps/{app}/sandbox/people/{user}", d.inSandbox("switched", d.switchPerson))
	e.Handle("POST /apps/{app}/sandbox/connections/{connection}/expire", d.inSandbox("expired", d.expireTokens))
	e.Handle("GET /apps/{app}/sandbox/connections/{connection}/end", d.askToEndInSandbox)
	e.Handle("POST /apps/{app}/sandbox/connections/{connection}/end", d.inSandbox("ended", d.endInSandbox))
	e.Handle("POST /apps/{app}/sandbox/fail", d.inSandbox("failing", d.failWebhooks))
}

// sandboxDone is what the page says after an act.
var sandboxDone = map[string]ui.Text{
	"made":     ui.Say("The account is there. Sign in as one of its people after your Connect button, or begin with Try it."),
	"removed":  ui.Say("The account is removed, with its people and connections."),
	"moved":    ui.Say("The clock is moved. What has expired by it is refused from now on."),
	"switched": ui.Say("Done. What the app may still do for this person shows with its next call."),
	"expired":  ui.Say("Its access tokens have expired: the next call is refused."),
	"ended":    ui.Say("Disconnected. Its tokens are dead, and your webhook endpoint is told."),
	"failing":  ui.Say("Set. Webhooks shows the attempts."),
}

func (d *Door) sandbox(v *entry.Visit) error {
	app, frame, err := d.app(v, "sandbox")
	if err != nil {
		return err
	}
	ctx := v.R.Context()
	page := &ui.SandboxPage{AppFrame: frame, Token: v.Token(inSandbox, app.ID), SignIn: d.PublicURL + "/login"}
	page.Done = sandboxDone[v.R.URL.Query().Get("done")]
	accounts, err := d.Sandboxes.Accounts(ctx, app.Partner.ID)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		shown := ui.SandboxAccount{Account: a.Account}
		for _, p := range a.People {
			one := ui.SandboxPerson{User: p.User, Role: p.Role, Password: "••••••••"}
			if frame.Role.MayEdit() {
				one.Password = string(p.Password)
			}
			shown.People = append(shown.People, one)
		}
		page.Accounts = append(page.Accounts, shown)
	}
	connections, err := d.Sandboxes.Connections(ctx, app)
	if err != nil {
		return err
	}
	for _, s := range connections {
		page.Connections = append(page.Connections, ui.SandboxConnection{
			Connection: s.Connection, Account: s.Account, Approver: s.Approver,
			AccessUntil: s.AccessUntil, Never: s.Never, Expired: !s.AccessUntil.IsZero() && !d.Now().Before(s.AccessUntil),
		})
	}
	if page.ToFail, err = d.Sandboxes.WebhooksToFail(ctx, app.ID); err != nil {
		return err
	}
	return v.Show(http.StatusOK, page)
}

// inSandbox is what every act in a sandbox has in common: a role that may, a
// form of this page, and the way back to it, which says that it is done.
func (d *Door) inSandbox(done string, act func(v *entry.Visit, app *postern.App) error) func(v *entry.Visit) error {
	return func(v *entry.Visit) error {
		app, _, err := d.editable(v, "sandbox")
		if err != nil {
			return err
		}
		if err := v.Proved(inSandbox, app.ID); err != nil {
			return err
		}
		if err := act(v, app); err != nil {
			return err
		}
		return v.Go("/apps/" + app.ID + "/sandbox?done=" + done)
	}
}

// acting is who acts.
func acting(v *entry.Visit) sandbox.By { return sandbox.By{Actor: v.Actor(), Address: v.Address()} }

func (d *Door) makeSandbox(v *entry.Visit, app *postern.App) error {
	_, err := d.Sandboxes.Make(v.R.Context(), acting(v), app.Partner)
	return err
}

func (d *Door) askToRemoveSandbox(v *entry.Visit) error {
	app, _, err := d.editable(v, "sandbox")
	if err != nil {
		return err
	}
	accounts, err := d.Sandboxes.Accounts(v.R.Context(), app.Partner.ID)
	if err != nil {
		return err
	}
	for _, a := range accounts {
		if a.ID == v.R.PathValue("account") {
			return v.Show(http.StatusOK, &ui.ConfirmPage{
				StaffFrame: v.Frame("apps"), Heading: ui.Say("Remove %s?", a.Name), Button: ui.Say("Remove account"),
				Says: []ui.Text{
					ui.Say("Its people go with it, and its connections end: each app is told, with the reason %s.", "account_removed"),
					ui.Say("It cannot be brought back. You can make another one."),
				},
				Token: v.Token(inSandbox, app.ID), Action: v.R.URL.Path, Back: v.Path("/apps/" + app.ID + "/sandbox"),
			})
		}
	}
	return postern.Errorf(postern.NotFound, "There is no such account in your sandbox.")
}

func (d *Door) removeSandbox(v *entry.Visit, app *postern.App) error {
	return d.Sandboxes.Remove(v.R.Context(), acting(v), app.Partner.ID, v.R.PathValue("account"))
}

func (d *Door) moveClock(v *entry.Visit, app *postern.App) error {
	text, err := v.Field("by")
	if err != nil {
		return err
	}
	by, err := time.ParseDuration(text)
	if err != nil {
		return postern.Errorf(postern.InvalidRequest, "Choose how much time shall pass.")
	}
	return d.Sandboxes.MoveClock(v.R.Context(), acting(v), app.Partner.ID, v.R.PathValue("account"), by)
}

func (d *Door) switchPerson(v *entry.Visit, app *postern.App) error {
	off, err := v.Field("off")
	if err != nil {
		return err
	}
	return d.Sandboxes.SwitchPerson(v.R.Context(), acting(v), app.Partner.ID, v.R.PathValue("user"), off == "true")
}

func (d *Door) expireTokens(v *entry.Visit, app *postern.App) error {
	return d.Sandboxes.ExpireTokens(v.R.Context(), acting(v), app.Partner.ID, v.R.PathValue("connection"))
}

func (d *Door) askToEndInSandbox(v *entry.Visit) error {
	app, _, err := d.editable(v, "sandbox")
	if err != nil {
		return err
	}
	connections, err := d.Sandboxes.Connections(v.R.Context(), app)
	if err != nil {
		return err
	}
	for _, s := range connections {
		if s.Connection.ID == v.R.PathValue("connection") {
			return v.Show(http.StatusOK, &ui.ConfirmPage{
				StaffFrame: v.Frame("apps"), Heading: ui.Say("Disconnect %s from %s?", app.Name, s.Account), Button: ui.Say("Disconnect"),
				Says:  []ui.Text{ui.Say("Its tokens die at once, and your webhook endpoint is told, as if the account’s people had disconnected the app.")},
				Token: v.Token(inSandbox, app.ID), Action: v.R.URL.Path, Back: v.Path("/apps/" + app.ID + "/sandbox"),
			})
		}
	}
	return postern.Errorf(postern.NotFound, "There is no such connection to your sandbox.")
}

func (d *Door) endInSandbox(v *entry.Visit, app *postern.App) error {
	return d.Sandboxes.End(v.R.Context(), acting(v), app.Partner.ID, v.R.PathValue("connection"))
}

func (d *Door) failWebhooks(v *entry.Visit, app *postern.App) error {
	text, err := v.Field("attempts")
	if err != nil {
		return err
	}
	attempts, err := strconv.Atoi(text)
	if err != nil {
		return postern.Errorf(postern.InvalidRequest, "Choose how many attempts shall fail.")
	}
	return d.Sandboxes.FailWebhooks(v.R.Context(), acting(v), app.ID, attempts)
}
