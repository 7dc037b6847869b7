package main

import (
	"context"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/registry"
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
	return `The token is shown now and never again; what is kept is its hash. The rights are
` + strings.Join(registry.OperatorRights, ", ") + `.

Examples:
  postern token create --config postern.yaml --name product --right events.publish
  postern token create --config postern.yaml --name billing --right connections.read`
}

// Run is what the command does.
func (c *tokenCreate) Run(t *terminal) error {
	var token postern.Secret
	err := c.rooms(t, func(ctx context.Context, _ *config.Config, rooms *server.Rooms) (err error) {
		token, err = rooms.Registry.CreateOperatorToken(ctx, c.Name, c.Right)
		return err
	})
	if err != nil {
		return err
	}
	if c.JSON {
		return t.json(map[string]any{"name": c.Name, "rights": c.Right, "token": string(token)})
	}
	t.say("%s", string(token))
	return nil
}
