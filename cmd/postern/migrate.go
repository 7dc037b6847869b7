package main

import (
	"context"
	"errors"

	"postern.dev/postern/internal/server"
)

// migrate brings the schema up to date by hand.
type migrate struct {
	source
	JSON bool `help:"Print for programs."`
}

// Help is shown by --help.
func (migrate) Help() string {
	return `` + "`postern serve`" + ` and ` + "`postern apply`" + ` do this by themselves; do it by hand to choose when.

Example:
  postern migrate --config postern.yaml`
}

// Run is what the command does.
func (m *migrate) Run(t *terminal) error {
	cfg, err := m.open(t)
	if err != nil {
		return err
	}
	ctx := context.Background()
	db, before, err := server.Open(ctx, cfg)
	if err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	if db, err = server.OpenMigrated(ctx, cfg); err != nil {
		return err
	}
	now, err := db.Inspect(ctx)
	if err := errors.Join(err, db.Close()); err != nil {
		return err
	}
	switch {
	case m.JSON:
		return t.json(map[string]int64{"before": before.Have, "now": now.Have})
	case before.Have == now.Have:
		t.say("the schema of %s is up to date (version %d)", server.Name(cfg), now.Have)
	default:
		t.say("the schema of %s is now version %d; it was %d", server.Name(cfg), now.Have, before.Have)
	}
	return nil
}
