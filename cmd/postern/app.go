package main

import (
	"context"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/server"
)

type appCommand struct {
	List    appList    `cmd:"" help:"List apps, or those that wait for your approval."`
	Approve appApprove `cmd:"" help:"Open real accounts to an app, or make what it asks to change so."`
	Reject  appReject  `cmd:"" help:"Say no to an app, or to what it asks to change."`
}

type appList struct {
	source
	JSON    bool `help:"Print for programs."`
	Waiting bool `help:"Only those that wait for an answer, the longest first."`
}

// Help is shown by --help.
func (appList) Help() string {
	return `An app waits when it is new and the configuration says "apps: review", or when it is
live and its partner wants to change what people see of it.

Example:
  postern app list --waiting --config postern.yaml`
}

// Run is what the command does.
func (c *appList) Run(t *terminal) error {
	return c.rooms(t, func(ctx context.Context, _ *config.Config, rooms *server.Rooms) error {
		ids, err := c.ids(ctx, rooms)
		if err != nil {
			return err
		}
		rows, err := rooms.DB.AppRows(ctx, ids...)
		if err != nil {
			return err
		}
		lines := make([]map[string]any, 0, len(rows))
		for _, row := range rows {
			if lines = append(lines, listedApp(row)); !c.JSON {
				t.say("%-28s  %-8s  %s (%s)%s", row.ID, standing(row), row.Name, row.Partner.Name, wanted(row))
			}
		}
		if c.JSON {
			return t.json(lines)
		}
		if len(lines) == 0 {
			t.say("none")
		}
		return nil
	})
}

func (c *appList) ids(ctx context.Context, rooms *server.Rooms) ([]string, error) {
	if c.Waiting {
		const most = 1000
		return rooms.DB.Waiting(ctx, most)
	}
	return rooms.DB.AllApps(ctx)
}

// known complains of an app that there is not, and says where the ids are: who
// comes from the portal has its name in mind.
func known(ctx context.Context, rooms *server.Rooms, id string) error {
	_, err := rooms.DB.AppRow(ctx, id)
	if postern.Is(err, postern.NotFound) {
		return postern.Errorf(postern.NotFound, "There is no app with the client_id %q; `postern app list` shows them.", id)
	}
	return err
}

// standing is an app's state in a word.
func standing(a *registry.App) string {
	switch {
	case a.Disabled || a.Partner.Disabled:
		return "off"
	case !a.Live():
		return string(a.Review)
	}
	return "live"
}

// wanted is what a live app asks to change.
func wanted(a *registry.App) string {
	if !a.Live() || a.Proposal == nil || a.Proposal.Review != postern.Waiting {
		return ""
	}
	return ": would change " + strings.Join(registry.Differences(a.Looks(), a.Proposal.Looks), ", ")
}

func listedApp(a *registry.App) map[string]any {
	m := map[string]any{"client_id": a.ID, "name": a.Name, "partner": a.Partner.Name, "state": standing(a)}
	if wanted(a) != "" {
		m["would_change"] = registry.Differences(a.Looks(), a.Proposal.Looks)
		m["proposed"] = a.Proposal.Looks
	}
	if a.Verdict != "" {
		m["reason"] = a.Verdict
	}
	return m
}

type appApprove struct {
	source
	Reason string `placeholder:"TEXT" help:"What the app's people shall read."`
	App    string `arg:"" help:"The app's client_id."`
}

// Help is shown by --help.
func (appApprove) Help() string {
	return `Look first at what is asked: postern app list --waiting, or /operator.

Example:
  postern app approve partner-x --config postern.yaml`
}

// Run is what the command does.
func (c *appApprove) Run(t *terminal) error {
	return c.rooms(t, func(ctx context.Context, _ *config.Config, rooms *server.Rooms) error {
		if err := known(ctx, rooms, c.App); err != nil {
			return err
		}
		a, err := rooms.Registry.ApproveApp(ctx, registry.By{Actor: actor, Operator: true}, c.App, c.Reason, "")
		if err == nil {
			t.say("%s (%s) is approved", a.Name, a.ID)
		}
		return err
	})
}

type appReject struct {
	source
	Reason string `required:"" placeholder:"TEXT" help:"Why; the app's people read it."`
	App    string `arg:"" help:"The app's client_id."`
}

// Help is shown by --help.
func (appReject) Help() string {
	return `Its people read the reason in the portal, and by mail where mail is configured. They
can change the app and hand it in again.

Example:
  postern app reject partner-x --reason "Your redirect URL is not on your own host." --config postern.yaml`
}

// Run is what the command does.
func (c *appReject) Run(t *terminal) error {
	return c.rooms(t, func(ctx context.Context, _ *config.Config, rooms *server.Rooms) error {
		if err := known(ctx, rooms, c.App); err != nil {
			return err
		}
		a, err := rooms.Registry.RejectApp(ctx, registry.By{Actor: actor, Operator: true}, c.App, c.Reason, "")
		if err == nil {
			t.say("%s (%s) is rejected", a.Name, a.ID)
		}
		return err
	})
}
