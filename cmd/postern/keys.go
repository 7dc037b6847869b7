package main

import (
	"context"
	"time"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/server"
	"postern.dev/postern/internal/signing"
)

type keysCommand struct {
	List   keysList   `cmd:"" help:"List the keys that sign access tokens."`
	Rotate keysRotate `cmd:"" help:"Make a new key, which takes over from the one that signs."`
}

// withKeys runs f with the rules about signing keys.
func (s *source) withKeys(t *terminal, f func(context.Context, *signing.Rules) error) error {
	return s.rooms(t, func(ctx context.Context, _ *config.Config, rooms *server.Rooms) error { return f(ctx, rooms.Signing) })
}

type keysList struct {
	source
	JSON bool `help:"Print for programs."`
}

// Help is shown by --help.
func (keysList) Help() string {
	return `The key that signs is "signing"; "next" is published and signs later; "old" is
published for as long as a token that it signed may live.

Example:
  postern keys list --config postern.yaml`
}

// listedKey is a key as programs read it.
type listedKey struct {
	ID      string        `json:"kid"`
	State   signing.State `json:"state"`
	SignsAt time.Time     `json:"signs_at"`
	Until   *time.Time    `json:"published_until,omitempty"`
}

// Run is what the command does.
func (c *keysList) Run(t *terminal) error {
	return c.withKeys(t, func(ctx context.Context, r *signing.Rules) error {
		list, err := r.List(ctx)
		if err != nil {
			return err
		}
		states := signing.States(list, time.Now())
		if c.JSON {
			out := make([]listedKey, 0, len(list))
			for _, k := range list {
				one := listedKey{ID: k.ID, State: states[k.ID], SignsAt: k.SignsAt}
				if !k.Until.IsZero() {
					one.Until = &k.Until
				}
				out = append(out, one)
			}
			return t.json(map[string]any{"keys": out})
		}
		if len(list) == 0 {
			t.say("There is no key yet: the first app with access_token_format: jwt gets one made.")
		}
		for _, k := range list {
			t.say("%s  %-7s  signs from %s%s", k.ID, states[k.ID], stamp(k.SignsAt), until(k.Until))
		}
		return nil
	})
}

func until(end time.Time) string {
	if end.IsZero() {
		return ""
	}
	return "  published until " + stamp(end)
}

type keysRotate struct {
	source
	RetireNow bool `help:"A key may be known to others: take all earlier ones out of the key set now."`
}

// Help is shown by --help.
func (keysRotate) Help() string {
	return `The new key is published now and signs in ten minutes, when everybody has read it.
The old one stays published for as long as a token that it signed may live.

With --retire-now it signs at once, and APIs that check signatures refuse all tokens
signed before as soon as they read the key set again (within five minutes). Apps get
new tokens by refreshing.

Example:
  postern keys rotate --config postern.yaml`
}

// Run is what the command does.
func (c *keysRotate) Run(t *terminal) error {
	return c.withKeys(t, func(ctx context.Context, r *signing.Rules) error {
		k, err := r.Rotate(ctx, actor, c.RetireNow)
		if err != nil {
			return err
		}
		t.say("%s is published, and signs from %s.", k.ID, stamp(k.SignsAt))
		if c.RetireNow {
			t.say("All earlier keys have left the key set.")
		}
		return nil
	})
}
