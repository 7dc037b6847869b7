package portal

import (
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/ui"
	"postern.dev/postern/internal/webhook"
)

// Hooks is what the pages about webhooks and their keys ask of the rules.
type Hooks interface {
	Endpoint(ctx context.Context, appID string) (*webhook.Endpoint, error)
	KeyHint(e *webhook.Endpoint) (string, error)
	RotateSecret(ctx context.Context, e *webhook.Endpoint, overlap time.Duration, actor string) (postern.Secret, error)
	Deliveries(ctx context.Context, f webhook.Filter) ([]*webhook.Delivery, error)
	Delivery(ctx context.Context, appID, eventID string) (*webhook.Delivery, []webhook.Attempt, []byte, error)
	Replay(ctx context.Context, f webhook.Filter, actor string) (int, error)
	Test(ctx context.Context, appID, actor string) (string, error)
}

const toSend browser.Purpose = "send webhooks"

func (d *Door) webhookRoutes() {
	d.Entry.Handle("GET /apps/{app}/webhooks", d.webhooks)
	d.Entry.Handle("POST /apps/{app}/webhooks/test", d.testWebhook)
	d.Entry.Handle("POST /apps/{app}/webhooks/again", d.sendSomeAgain)
	d.Entry.Handle("GET /apps/{app}/webhooks/{event}", d.delivery)
	d.Entry.Handle("POST /apps/{app}/webhooks/{event}/again", d.sendAgain)
}

// webhookDone is what the page says after an act.
var webhookDone = map[string]ui.Text{
	"tested": ui.Say("A test event is on its way. Load this page again to see how it went."),
	"again":  ui.Say("It is sent again, with the same id. Load this page again to see how it went."),
	"none":   ui.Say("Nothing was chosen by that: no delivery of that kind and time is over."),
}

func (d *Door) webhooks(v *entry.Visit) error {
	return d.showWebhooks(v, ui.NewForm(nil))
}

// showWebhooks shows the page, with what was typed to send some again.
func (d *Door) showWebhooks(v *entry.Visit, form *ui.Form) error {
	app, frame, err := d.app(v, "webhooks")
	if err != nil {
		return err
	}
	q := v.R.URL.Query()
	page := &ui.WebhooksPage{AppFrame: frame, Token: v.Token(toSend, app.ID), State: q.Get("state")}
	page.Which = form.Value("state")
	page.Since = form.Field(ui.Field{Name: "since", Label: ui.Say("From (UTC)"), Type: "datetime-local"})
	page.Until = form.Field(ui.Field{Name: "until", Label: ui.Say("To (UTC)"), Type: "datetime-local"})
	page.Done = webhookDone[q.Get("done")]
	if n, err := strconv.Atoi(q.Get("sent")); err == nil && n > 0 {
		page.Done = ui.Say("Sent again: %d, in their order and with the same ids.", n)
	}
	if page.Endpoint, err = d.endpoint(v, app.ID); err != nil {
		return err
	}
	list, err := d.Hooks.Deliveries(v.R.Context(), webhook.Filter{AppID: app.ID, State: webhook.State(page.State), Before: before(v), Limit: perPage})
	if err != nil {
		return err
	}
	for _, one := range list {
		page.Deliveries = append(page.Deliveries, deliveryLine(one))
	}
	if len(list) == perPage && v.R.Method == http.MethodGet { // at the address of a form there is no list
		page.Older = older(v, strconv.FormatInt(list[perPage-1].Position, 10))
	}
	return v.Show(http.StatusOK, page)
}

func (d *Door) endpoint(v *entry.Visit, appID string) (ui.HookEndpoint, error) {
	e, err := d.Hooks.Endpoint(v.R.Context(), appID)
	if err != nil {
		return ui.HookEndpoint{}, err
	}
	return ui.HookEndpoint{URL: e.URL, Status: e.Status(), Failures: e.Failures, FailingSince: e.FailingSince, LastSuccess: e.LastSuccess,
		Waiting: e.Waiting, Parked: e.Parked, Ordered: e.Ordered}, nil
}

func deliveryLine(one *webhook.Delivery) ui.DeliveryLine {
	l := ui.DeliveryLine{ID: one.Message.ID, Type: one.Message.Type, At: one.Message.At, State: string(one.State), Attempts: one.Attempts,
		Account: one.Message.Account, Behind: one.Behind, DoneAt: one.DoneAt, Why: ui.SayWritten(one.Why)}
	if one.State == webhook.Open && !one.Behind {
		l.NextTry = one.DueAt
	}
	return l
}

func (d *Door) delivery(v *entry.Visit) error {
	app, frame, err := d.app(v, "webhooks")
	if err != nil {
		return err
	}
	one, attempts, body, err := d.Hooks.Delivery(v.R.Context(), app.ID, v.R.PathValue("event"))
	if err != nil {
		return err
	}
	page := &ui.DeliveryPage{AppFrame: frame, Delivery: deliveryLine(one), Token: v.Token(toSend, app.ID, one.Message.ID)}
	page.Done = webhookDone[v.R.URL.Query().Get("done")]
	var pretty bytes.Buffer
	if json.Indent(&pretty, body, "", "  ") == nil {
		page.Body = pretty.String()
	}
	for i := range attempts {
		a := &attempts[i]
		page.Attempts = append(page.Attempts, ui.AttemptLine{Number: a.Number, At: a.At, Took: a.Took, Status: a.Status, OK: a.OK(), Error: ui.SayWritten(a.Error), Reply: a.Reply})
	}
	return v.Show(http.StatusOK, page)
}

// sending is the app whose webhooks a form wants sent, for who may have them sent.
func (d *Door) sending(v *entry.Visit, about ...string) (*postern.App, error) {
	app, _, err := d.editable(v, "webhooks")
	if err != nil {
		return nil, err
	}
	return app, v.Proved(toSend, append([]string{app.ID}, about...)...)
}

func (d *Door) testWebhook(v *entry.Visit) error {
	app, err := d.sending(v)
	if err != nil {
		return err
	}
	if _, err := d.Hooks.Test(v.R.Context(), app.ID, v.Actor()); err != nil {
		return err
	}
	return v.Go("/apps/" + app.ID + "/webhooks?done=tested")
}

func (d *Door) sendAgain(v *entry.Visit) error {
	event := v.R.PathValue("event")
	app, err := d.sending(v, event)
	if err != nil {
		return err
	}
	if _, err := d.Hooks.Replay(v.R.Context(), webhook.Filter{AppID: app.ID, EventID: event}, v.Actor()); err != nil {
		return err
	}
	return v.Go("/apps/" + app.ID + "/webhooks/" + event + "?done=again")
}

// sendSomeAgain sends those of a state and a time.
func (d *Door) sendSomeAgain(v *entry.Visit) error {
	app, err := d.sending(v)
	if err != nil {
		return err
	}
	said, err := v.Fields("state", "since", "until")
	if err != nil {
		return err
	}
	f := webhook.Filter{AppID: app.ID, State: webhook.State(said[0])}
	if f.State == "" {
		return postern.Errorf(postern.InvalidRequest, "Choose which deliveries are sent again.")
	}
	form := ui.NewForm(v.R.PostForm)
	f.Since, f.Till = typedTime(form, "since", said[1]), typedTime(form, "until", said[2])
	if !form.OK() {
		return d.showWebhooks(v, form)
	}
	n, err := d.Hooks.Replay(v.R.Context(), f, v.Actor())
	if err != nil {
		return err
	}
	if n == 0 {
		return v.Go("/apps/" + app.ID + "/webhooks?done=none")
	}
	return v.Go("/apps/" + app.ID + "/webhooks?sent=" + strconv.Itoa(n))
}

// typedTime reads an <input type="datetime-local">, in UTC; zero: nothing was
// typed. In a browser that knows no such input anything can be typed.
func typedTime(form *ui.Form, field, text string) time.Time {
	if text == "" {
		return time.Time{}
	}
	for _, layout := range []string{"2006-01-02T15:04", "2006-01-02T15:04:05"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t
		}
	}
	form.Refuse(field, ui.Say("Write a time as 2026-11-24T19:30, in UTC."))
	return time.Time{}
}
