package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/server"
)

// apply brings the database to what files declare.
type apply struct {
	source
	DryRun bool     `help:"Tell what would change, and change nothing."`
	JSON   bool     `help:"Print for programs."`
	Files  []string `arg:"" name:"resources" help:"Resources files."`
}

// Help is shown by --help.
func (apply) Help() string {
	return `Creates what is declared and not there, changes what differs, leaves the rest
alone; again changes nothing. All mistakes are told at once, and then nothing is
written. Secrets that it makes are shown once. It may run beside the server, and
before it on an empty database.

Example:
  postern apply --config postern.yaml resources.yaml --dry-run`
}

// Run is what the command does.
func (a *apply) Run(t *terminal) error {
	files := make([]registry.File, len(a.Files))
	for i, name := range a.Files {
		data, err := os.ReadFile(name)
		if err != nil {
			return fmt.Errorf("the resources: %w", err)
		}
		files[i] = registry.File{Name: name, Data: data}
	}
	cfg, err := a.open(t)
	if err != nil {
		return err
	}
	ctx := context.Background()
	build := server.Build
	if a.DryRun {
		build = server.Rehearse
	}
	rooms, err := build(ctx, cfg, server.Outside{})
	if err != nil {
		return err
	}
	result, err := rooms.Registry.Apply(ctx, registry.Read(files...), a.DryRun)
	if err := errors.Join(err, rooms.Close()); err != nil {
		return err
	}
	if a.JSON {
		return t.json(result)
	}
	return result.Print(t.out)
}
