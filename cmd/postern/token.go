package main

import (
	"context"
	"errors"

	"postern.dev/postern/internal/server"
)

type tokenCommand struct {
	Create tokenCreate `cmd:"" help:"Make a token for /api/v1, shown once."`
}

// tokenCreate makes a token for the operator's REST API.
type tokenCreate struct {
	source
	JSON  bool     `help:"Print for programs."`
	Name  string   `required:"" placeholder:"N" help:"What the token is for."`
	Right []string `required:"" placeholder:"R" help:"What it may do; repeat it, or write commas."`
}

// Help is shown by --help.
func (tokenCreate) Help() string {
	return `The token is shown now and never again; what is kept is its hash.

Example:
  postern token create --config postern.yaml --name billing --right connections.read`
}

// Run is what the command does.
func (c *tokenCreate) Run(t *terminal) error {
	cfg, err := c.open(t)
	if err != nil {
		return err
	}
	ctx := context.Background()
	rooms, err := server.Build(ctx, cfg, server.Outside{})
	if err != nil {
		return err
	}
	token, err := rooms.Registry.CreateOperatorToken(ctx, c.Name, c.Right)
	if err := errors.Join(err, rooms.Close()); err != nil {
		return err
	}
	if c.JSON {
		return t.json(map[string]any{"name": c.Name, "rights": c.Right, "token": string(token)})
	}
	t.say("%s", string(token))
	return nil
}
