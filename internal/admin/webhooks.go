package admin

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/webhook"
)

// endpointView is an app's endpoint with its health.
type endpointView struct {
	App          string     `json:"app" doc:"The app's client_id."`
	URL          string     `json:"url" doc:"Where events go; empty: the app pulls them."`
	Status       string     `json:"status" enum:"healthy,failing,disabled,none" doc:"disabled: it said 410 Gone. none: there is no URL."`
	Failures     int        `json:"failures" doc:"In a row."`
	FailingSince *time.Time `json:"failing_since,omitempty"`
	LastSuccess  *time.Time `json:"last_success,omitempty"`
	Waiting      int64      `json:"waiting" doc:"Open deliveries."`
	Parked       int64      `json:"parked" doc:"Deliveries that were given up."`
	Ordered      bool       `json:"ordered" doc:"Whether a later event of a connection waits for an earlier one."`
	PublicKey    string     `json:"public_key,omitempty" doc:"Verifies the Ed25519 signature, where there is one."`
	OldUntil     *time.Time `json:"old_secret_until,omitempty" doc:"How long the secret before this one signs too."`
}

// deliveryView is a delivery in a list.
type deliveryView struct {
	ID        string     `json:"id" doc:"The event's id."`
	Type      string     `json:"type"`
	Timestamp time.Time  `json:"timestamp" doc:"When it happened."`
	State     string     `json:"state" enum:"open,delivered,parked,kept,withheld" doc:"parked: given up. kept: there was no endpoint; pull it. withheld: no connection allowed it any more."`
	Attempts  int        `json:"attempts"`
	NextTry   *time.Time `json:"next_try,omitempty"`
	DoneAt    *time.Time `json:"done_at,omitempty"`
	Why       string     `json:"why,omitempty" doc:"What became of it, in words."`
}

// deliveryList is a page of deliveries.
type deliveryList struct {
	Deliveries []deliveryView `json:"deliveries"`
	Cursor     string         `json:"cursor,omitempty" doc:"There may be more: send it with the next request."`
}

// deliveryDetail is one with what is sent and what was answered.
type deliveryDetail struct {
	DeliveryView
	Body json.RawMessage `json:"body" doc:"What is sent, in the standard form."`
	Log  []attemptView   `json:"log" doc:"The latest 100 attempts, the latest first."`
}

// DeliveryView is exported so that its members are a deliveryDetail's, in the
// document too.
type DeliveryView = deliveryView

// attemptView is one request and what came of it.
type attemptView struct {
	Number int       `json:"number"`
	At     time.Time `json:"at"`
	TookMS int64     `json:"took_ms" doc:"Milliseconds."`
	Status int       `json:"status,omitempty" doc:"Of the answer; absent: there was none."`
	Error  string    `json:"error,omitempty" doc:"Why there was none."`
	Reply  string    `json:"reply,omitempty" doc:"The first KiB of the answer, as text."`
}

// What is sent and said by the other routes.
type (
	rotation struct {
		Overlap *int64 `json:"overlap_seconds,omitempty" minimum:"0" maximum:"2592000" doc:"How long the old secret signs too; a day when it is left out."`
	}
	rotated struct {
		Secret string `json:"webhook_secret" doc:"It is shown here and never again."`
	}
	ordering struct {
		Ordered *bool `json:"ordered" nullable:"false" doc:"Whether a later event of a connection waits for an earlier one."`
	}
	signing struct {
		Enabled *bool `json:"enabled" nullable:"false" doc:"Whether messages are signed with Ed25519, too. Each true makes a new key pair."`
	}
	signed struct {
		Enabled   bool   `json:"enabled"`
		PublicKey string `json:"public_key" doc:"Empty when it is off."`
	}
	selection struct {
		ID    string `json:"id,omitempty" doc:"One event."`
		State string `json:"state,omitempty" enum:"delivered,parked,kept,withheld" doc:"All of this state."`
		Since string `json:"since,omitempty" format:"date-time" doc:"That happened then or later."`
		Until string `json:"until,omitempty" format:"date-time" doc:"That happened then or earlier."`
	}
	replayed struct {
		Replayed int `json:"replayed" doc:"How many are sent again; at most 1,000 at a time."`
	}
)

func maybe(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

func view(d *webhook.Delivery) deliveryView {
	v := deliveryView{ID: d.Message.ID, Type: d.Message.Type, Timestamp: d.Message.At, State: string(d.State),
		Attempts: d.Attempts, DoneAt: maybe(d.DoneAt), Why: d.Why}
	switch {
	case d.State != webhook.Open:
	case d.Behind:
		v.Why = "An earlier event of this connection is still being delivered."
	default:
		v.NextTry = maybe(d.DueAt)
	}
	return v
}

func (d *Door) endpoint(c *call) error {
	e, err := d.webhooks.Endpoint(c.r.Context(), c.r.PathValue("app"))
	if err != nil {
		return err
	}
	public, err := d.webhooks.PublicKey(e)
	if err != nil {
		return err
	}
	say(c.w, http.StatusOK, endpointView{
		App: e.App.ID, URL: e.URL, Status: e.Status(), Failures: e.Failures, FailingSince: maybe(e.FailingSince),
		LastSuccess: maybe(e.LastSuccess), Waiting: e.Waiting, Parked: e.Parked, Ordered: e.Ordered,
		PublicKey: public, OldUntil: maybe(e.OldUntil),
	})
	return nil
}

func (d *Door) test(c *call) error {
	id, err := d.webhooks.Test(c.r.Context(), c.r.PathValue("app"), c.actor)
	if err != nil {
		return err
	}
	say(c.w, http.StatusAccepted, receipt{id, "published"})
	return nil
}

// rotate answers with the new secret, once.
func (d *Door) rotate(c *call) error {
	var said rotation
	if err := c.body(&said, true); err != nil {
		return err
	}
	overlap := int64(webhook.UsualOverlap / time.Second)
	if said.Overlap != nil {
		overlap = *said.Overlap
	}
	if overlap < 0 || overlap > int64(webhook.LongestOverlap/time.Second) {
		return postern.Errorf(postern.InvalidRequest, "overlap_seconds: write a number of seconds from 0 to 2592000, which is 30 days.")
	}
	e, err := d.webhooks.Endpoint(c.r.Context(), c.r.PathValue("app"))
	if err != nil {
		return err
	}
	secret, err := d.webhooks.RotateSecret(c.r.Context(), e, time.Duration(overlap)*time.Second, c.actor)
	if err != nil {
		return err
	}
	say(c.w, http.StatusOK, rotated{string(secret)})
	return nil
}

func (d *Door) order(c *call) error {
	var said ordering
	if err := c.body(&said, false); err != nil {
		return err
	}
	if said.Ordered == nil {
		return postern.Errorf(postern.InvalidRequest, "ordered: it is missing.")
	}
	if err := d.webhooks.Order(c.r.Context(), c.r.PathValue("app"), *said.Ordered, c.actor); err != nil {
		return err
	}
	say(c.w, http.StatusOK, said)
	return nil
}

func (d *Door) ed25519(c *call) error {
	var said signing
	if err := c.body(&said, false); err != nil {
		return err
	}
	if said.Enabled == nil {
		return postern.Errorf(postern.InvalidRequest, "enabled: it is missing.")
	}
	public, err := d.webhooks.SetEd25519(c.r.Context(), c.r.PathValue("app"), *said.Enabled, c.actor)
	if err != nil {
		return err
	}
	say(c.w, http.StatusOK, signed{*said.Enabled, public})
	return nil
}

func (d *Door) deliveries(c *call) error {
	f := webhook.Filter{AppID: c.r.PathValue("app"), State: webhook.State(c.query.Get("state"))}
	limit, err := c.number("limit", 1, 100, webhook.MostPulled)
	if err != nil {
		return err
	}
	f.Limit = int(limit)
	if f.Before, err = c.cursor("cursor"); err != nil {
		return err
	}
	if f.Since, err = c.time("since"); err != nil {
		return err
	}
	if f.Till, err = c.time("until"); err != nil {
		return err
	}
	list, err := d.webhooks.Deliveries(c.r.Context(), f)
	if err != nil {
		return err
	}
	out := deliveryList{Deliveries: make([]deliveryView, 0, len(list))}
	for _, one := range list {
		out.Deliveries = append(out.Deliveries, view(one))
	}
	if len(list) == f.Limit {
		out.Cursor = strconv.FormatInt(list[len(list)-1].Position, 10)
	}
	say(c.w, http.StatusOK, out)
	return nil
}

func (d *Door) delivery(c *call) error {
	one, attempts, body, err := d.webhooks.Delivery(c.r.Context(), c.r.PathValue("app"), c.r.PathValue("event"))
	if err != nil {
		return err
	}
	out := deliveryDetail{view(one), body, make([]attemptView, 0, len(attempts))}
	for _, a := range attempts {
		out.Log = append(out.Log, attemptView{a.Number, a.At, a.Took.Milliseconds(), a.Status, a.Error, a.Reply})
	}
	say(c.w, http.StatusOK, out)
	return nil
}

// replay sends again: one event, or those of a state and a time.
func (d *Door) replay(c *call) error {
	var said selection
	if err := c.body(&said, false); err != nil {
		return err
	}
	if said.ID == "" && said.State == "" && said.Since == "" && said.Until == "" {
		return postern.Errorf(postern.InvalidRequest, "id: say what to send again: an id, a state, since or until.")
	}
	f := webhook.Filter{AppID: c.r.PathValue("app"), EventID: said.ID, State: webhook.State(said.State)}
	var err error
	if said.Since != "" {
		if f.Since, err = parseTime("since", said.Since); err != nil {
			return err
		}
	}
	if said.Until != "" {
		if f.Till, err = parseTime("until", said.Until); err != nil {
			return err
		}
	}
	n, err := d.webhooks.Replay(c.r.Context(), f, c.actor)
	if err != nil {
		return err
	}
	say(c.w, http.StatusAccepted, replayed{n})
	return nil
}
