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
	App          string     `json:"app"`
	URL          string     `json:"url"`
	Status       string     `json:"status"` // "healthy", "failing", "disabled", "none"
	Failures     int        `json:"failures"`
	FailingSince *time.Time `json:"failing_since,omitempty"`
	LastSuccess  *time.Time `json:"last_success,omitempty"`
	Waiting      int64      `json:"waiting"`
	Parked       int64      `json:"parked"`
	Ordered      bool       `json:"ordered"`
	PublicKey    string     `json:"public_key,omitempty"`
	OldUntil     *time.Time `json:"old_secret_until,omitempty"`
}

// deliveryView is a delivery in a list.
type deliveryView struct {
	ID        string     `json:"id"`
	Type      string     `json:"type"`
	Timestamp time.Time  `json:"timestamp"`
	State     string     `json:"state"`
	Attempts  int        `json:"attempts"`
	NextTry   *time.Time `json:"next_try,omitempty"`
	DoneAt    *time.Time `json:"done_at,omitempty"`
	Why       string     `json:"why,omitempty"`
}

// attemptView is one request and what came of it.
type attemptView struct {
	Number int       `json:"number"`
	At     time.Time `json:"at"`
	TookMS int64     `json:"took_ms"`
	Status int       `json:"status,omitempty"`
	Error  string    `json:"error,omitempty"`
	Reply  string    `json:"reply,omitempty"`
}

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
		LastSuccess: maybe(e.LastSuccess), Waiting: e.Waiting, Parked: e.Given, Ordered: e.Ordered,
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
	said := struct {
		Overlap int64 `json:"overlap_seconds"`
	}{int64(webhook.UsualOverlap / time.Second)}
	if err := c.body(&said, true); err != nil {
		return err
	}
	if said.Overlap < 0 || said.Overlap > 1<<31 {
		return postern.Errorf(postern.InvalidRequest, "overlap_seconds: write a number of seconds up to 30 days.")
	}
	secret, err := d.webhooks.RotateSecret(c.r.Context(), c.r.PathValue("app"), time.Duration(said.Overlap)*time.Second, c.actor)
	if err != nil {
		return err
	}
	say(c.w, http.StatusOK, map[string]string{"webhook_secret": string(secret)})
	return nil
}

func (d *Door) order(c *call) error {
	var said struct {
		Ordered *bool `json:"ordered"`
	}
	if err := c.body(&said, false); err != nil {
		return err
	}
	if said.Ordered == nil {
		return postern.Errorf(postern.InvalidRequest, "ordered: it is missing.")
	}
	if err := d.webhooks.Order(c.r.Context(), c.r.PathValue("app"), *said.Ordered, c.actor); err != nil {
		return err
	}
	say(c.w, http.StatusOK, map[string]bool{"ordered": *said.Ordered})
	return nil
}

func (d *Door) ed25519(c *call) error {
	var said struct {
		Enabled *bool `json:"enabled"`
	}
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
	say(c.w, http.StatusOK, map[string]any{"enabled": *said.Enabled, "public_key": public})
	return nil
}

func (d *Door) deliveries(c *call) error {
	f := webhook.Filter{AppID: c.r.PathValue("app"), State: webhook.State(c.query.Get("state"))}
	limit, err := c.number("limit", 100, webhook.MostPulled)
	if err != nil {
		return err
	}
	f.Limit = max(1, int(limit))
	if f.Before, err = c.number("cursor", 0, 1<<62); err != nil {
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
	out := struct {
		Deliveries []deliveryView `json:"deliveries"`
		Cursor     string         `json:"cursor,omitempty"` // there is more
	}{Deliveries: make([]deliveryView, 0, len(list))}
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
	out := struct {
		deliveryView
		Body json.RawMessage `json:"body"`
		Log  []attemptView   `json:"log"`
	}{view(one), body, make([]attemptView, 0, len(attempts))}
	for _, a := range attempts {
		out.Log = append(out.Log, attemptView{a.Number, a.At, a.Took.Milliseconds(), a.Status, a.Error, a.Reply})
	}
	say(c.w, http.StatusOK, out)
	return nil
}

// replay sends again: one event, or those of a state and a time.
func (d *Door) replay(c *call) error {
	var said struct {
		ID    string `json:"id"`
		State string `json:"state"`
		Since string `json:"since"`
		Until string `json:"until"`
	}
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
	say(c.w, http.StatusAccepted, map[string]int{"replayed": n})
	return nil
}
