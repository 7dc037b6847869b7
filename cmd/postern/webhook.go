package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/server"
	"postern.dev/postern/internal/webhook"
)

type webhookCommand struct {
	List   webhookList   `cmd:"" help:"List an app's deliveries, the latest first, and its endpoint's health."`
	Show   webhookShow   `cmd:"" help:"Show a delivery with its attempts."`
	Replay webhookReplay `cmd:"" help:"Send deliveries again."`
	Test   webhookTest   `cmd:"" help:"Send a test event."`
	Rotate webhookRotate `cmd:"" help:"Give an app a new webhook secret, shown once."`
	Order  webhookOrder  `cmd:"" help:"Choose whether a later event of a connection waits for an earlier one."`
	Key    webhookKey    `cmd:"" help:"Switch Ed25519 signatures (v1a) on or off."`
}

// withWebhooks runs f with the rules about webhooks, for an app that there is.
func (s *source) withWebhooks(t *terminal, app string, f func(context.Context, *webhook.Rules) error) error {
	return s.rooms(t, func(ctx context.Context, _ *config.Config, rooms *server.Rooms) error {
		if err := known(ctx, rooms, app); err != nil {
			return err
		}
		return f(ctx, rooms.Webhooks)
	})
}

// actor is who acts at the terminal, in the audit log.
const actor = "operator"

type webhookList struct {
	source
	JSON  bool   `help:"Print for programs."`
	State string `placeholder:"STATE" help:"Only these: open, delivered, parked, kept or withheld."`
	Limit int    `default:"20" help:"How many."`
	App   string `arg:"" help:"The app's client_id."`
}

// Help is shown by --help.
func (webhookList) Help() string {
	return `Parked deliveries were given up and can be sent again; kept ones belong to an app
without an endpoint; withheld ones the app was not allowed to see any more.

Example:
  postern webhook list partner-x --state parked --config postern.yaml`
}

// Run is what the command does.
func (c *webhookList) Run(t *terminal) error {
	return c.withWebhooks(t, c.App, func(ctx context.Context, r *webhook.Rules) error {
		e, err := r.Endpoint(ctx, c.App)
		if err != nil {
			return err
		}
		list, err := r.Deliveries(ctx, webhook.Filter{AppID: c.App, State: webhook.State(c.State), Limit: max(1, c.Limit)})
		if err != nil {
			return err
		}
		if c.JSON {
			lines := make([]map[string]any, 0, len(list))
			for _, d := range list {
				lines = append(lines, delivered(d))
			}
			return t.json(map[string]any{"app": c.App, "url": e.URL, "status": e.Status(), "waiting": e.Waiting, "parked": e.Parked, "deliveries": lines})
		}
		t.say("%s %s: %s, %d waiting, %d parked", c.App, orNone(e.URL), e.Status(), e.Waiting, e.Parked)
		for _, d := range list {
			t.say("%s  %-9s  %2d  %s  %s%s", stamp(d.Message.At), d.State, d.Attempts, d.Message.ID, d.Message.Type, because(d))
		}
		return nil
	})
}

func orNone(url string) string {
	if url == "" {
		return "(no endpoint)"
	}
	return url
}

func because(d *webhook.Delivery) string {
	switch {
	case d.Why != "":
		return "  " + d.Why
	case d.State == webhook.Open && !d.DueAt.IsZero():
		return "  next try " + stamp(d.DueAt)
	}
	return ""
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func delivered(d *webhook.Delivery) map[string]any {
	m := map[string]any{"id": d.Message.ID, "type": d.Message.Type, "timestamp": stamp(d.Message.At), "state": d.State, "attempts": d.Attempts}
	if d.Why != "" {
		m["why"] = d.Why
	}
	if d.State == webhook.Open && !d.DueAt.IsZero() {
		m["next_try"] = stamp(d.DueAt)
	}
	return m
}

type webhookShow struct {
	source
	JSON  bool   `help:"Print for programs."`
	App   string `arg:"" help:"The app's client_id."`
	Event string `arg:"" help:"The event's id, the webhook-id."`
}

// Help is shown by --help.
func (webhookShow) Help() string {
	return `Example:
  postern webhook show partner-x evt_3k9… --config postern.yaml`
}

// Run is what the command does.
func (c *webhookShow) Run(t *terminal) error {
	return c.withWebhooks(t, c.App, func(ctx context.Context, r *webhook.Rules) error {
		d, attempts, body, err := r.Delivery(ctx, c.App, c.Event)
		if err != nil {
			return err
		}
		if c.JSON {
			m, log := delivered(d), make([]map[string]any, 0, len(attempts))
			for _, a := range attempts {
				log = append(log, map[string]any{"number": a.Number, "at": stamp(a.At), "took_ms": a.Took.Milliseconds(), "status": a.Status, "error": a.Error, "reply": a.Reply})
			}
			m["body"], m["log"] = json.RawMessage(body), log
			return t.json(m)
		}
		t.say("%s  %s  %s%s", d.Message.ID, d.Message.Type, d.State, because(d))
		t.say("%s", body)
		for _, a := range attempts {
			said := a.Error
			if a.Status != 0 {
				said = fmt.Sprintf("%d %q", a.Status, a.Reply)
			}
			t.say("%2d  %s  %s  %s", a.Number, stamp(a.At), a.Took, said)
		}
		return nil
	})
}

// moment is a time as it is typed.
type moment struct{ time.Time }

// UnmarshalText reads one.
func (m *moment) UnmarshalText(text []byte) (err error) {
	if m.Time, err = time.Parse(time.RFC3339, string(text)); err != nil {
		return fmt.Errorf("%q is no time; write one as in 2027-01-31T12:00:00Z", text)
	}
	return nil
}

type webhookReplay struct {
	source
	JSON  bool   `help:"Print for programs."`
	State string `placeholder:"STATE" help:"Those of this state: parked, delivered, kept, withheld or open."`
	Since moment `placeholder:"TIME" help:"Those that happened from here on (2027-01-31T12:00:00Z)."`
	Until moment `placeholder:"TIME" help:"Those that happened up to here."`
	App   string `arg:"" help:"The app's client_id."`
	Event string `arg:"" optional:"" help:"One event's id."`
}

// Help is shown by --help.
func (webhookReplay) Help() string {
	return `They go out in their order with the ids that they had, at most 1000 at a time. What
waits for its next try goes at once if it is named, or with --state open.

Examples:
  postern webhook replay partner-x evt_3k9… --config postern.yaml
  postern webhook replay partner-x --state parked --since 2027-01-31T00:00:00Z --config postern.yaml`
}

// Validate is called by the parser.
func (c *webhookReplay) Validate() error {
	if c.Event == "" && c.State == "" && c.Since.IsZero() && c.Until.IsZero() {
		return errors.New("say what to send again: an event's id, --state, --since or --until")
	}
	return nil
}

// Run is what the command does.
func (c *webhookReplay) Run(t *terminal) error {
	return c.withWebhooks(t, c.App, func(ctx context.Context, r *webhook.Rules) error {
		n, err := r.Replay(ctx, webhook.Filter{
			AppID: c.App, EventID: c.Event, State: webhook.State(c.State), Since: c.Since.Time, Till: c.Until.Time,
		}, actor)
		if err != nil {
			return err
		}
		if c.JSON {
			return t.json(map[string]int{"replayed": n})
		}
		t.say("%d sent again", n)
		return nil
	})
}

type webhookTest struct {
	source
	JSON bool   `help:"Print for programs."`
	App  string `arg:"" help:"The app's client_id."`
}

// Help is shown by --help.
func (webhookTest) Help() string {
	return `Sends an event of the type postern.test, by the server that runs on this database.

Example:
  postern webhook test partner-x --config postern.yaml`
}

// Run is what the command does.
func (c *webhookTest) Run(t *terminal) error {
	return c.withWebhooks(t, c.App, func(ctx context.Context, r *webhook.Rules) error {
		id, err := r.Test(ctx, c.App, actor)
		if err != nil {
			return err
		}
		if c.JSON {
			return t.json(map[string]string{"id": id})
		}
		t.say("%s is on its way; `postern webhook show %s %s` tells how it went", id, c.App, id)
		return nil
	})
}

type webhookRotate struct {
	source
	JSON    bool          `help:"Print for programs."`
	Overlap time.Duration `default:"24h" help:"How long the old secret signs, too."`
	App     string        `arg:"" help:"The app's client_id."`
}

// Help is shown by --help.
func (webhookRotate) Help() string {
	return `During the overlap each message carries two signatures, so that the partner can
change over without losing one.

Example:
  postern webhook rotate partner-x --overlap 72h --config postern.yaml`
}

// Run is what the command does.
func (c *webhookRotate) Run(t *terminal) error {
	return c.withWebhooks(t, c.App, func(ctx context.Context, r *webhook.Rules) error {
		e, err := r.Endpoint(ctx, c.App)
		if err != nil {
			return err
		}
		secret, err := r.RotateSecret(ctx, e, c.Overlap, actor)
		if err != nil {
			return err
		}
		if c.JSON {
			return t.json(map[string]string{"webhook_secret": string(secret)})
		}
		t.say("%s", string(secret))
		return nil
	})
}

type webhookOrder struct {
	source
	App     string `arg:"" help:"The app's client_id."`
	Ordered string `arg:"" enum:"true,false" help:"true or false."`
}

// Help is shown by --help.
func (webhookOrder) Help() string {
	return `Example:
  postern webhook order partner-x false --config postern.yaml`
}

// Run is what the command does.
func (c *webhookOrder) Run(t *terminal) error {
	return c.withWebhooks(t, c.App, func(ctx context.Context, r *webhook.Rules) error {
		return r.Order(ctx, c.App, c.Ordered == "true", actor)
	})
}

type webhookKey struct {
	source
	App string `arg:"" help:"The app's client_id."`
	Do  string `arg:"" enum:"new,off" help:"new makes a key and prints the public one; off ends it."`
}

// Help is shown by --help.
func (webhookKey) Help() string {
	return `Example:
  postern webhook key partner-x new --config postern.yaml`
}

// Run is what the command does.
func (c *webhookKey) Run(t *terminal) error {
	return c.withWebhooks(t, c.App, func(ctx context.Context, r *webhook.Rules) error {
		public, err := r.SetEd25519(ctx, c.App, c.Do == "new", actor)
		if err == nil && public != "" {
			t.say("%s", public)
		}
		return err
	})
}
