package main

import (
	"context"
	"errors"

	"postern.dev/postern/internal/server"
)

type userCommand struct {
	Reset userReset `cmd:"" help:"Make a one-time link to set a new password."`
}

// userReset makes a link for somebody who cannot sign in.
type userReset struct {
	source
	JSON  bool   `help:"Print for programs."`
	Email string `arg:"" help:"The person's e-mail."`
}

// Help is shown by --help.
func (userReset) Help() string {
	return `The link works once and for a day; an earlier one ends. Give it to nobody but
the person. Setting the password signs the person out everywhere.

Example:
  postern user reset ada@acme.test --config postern.yaml`
}

// Run is what the command does.
func (u *userReset) Run(t *terminal) error {
	cfg, err := u.open(t)
	if err != nil {
		return err
	}
	ctx := context.Background()
	rooms, err := server.Build(ctx, cfg, server.Outside{})
	if err != nil {
		return err
	}
	secret, user, err := rooms.Identity.StartReset(ctx, u.Email)
	if err := errors.Join(err, rooms.Close()); err != nil {
		return err
	}
	link := cfg.PublicURL + "/reset/" + string(secret)
	if u.JSON {
		return t.json(map[string]string{"email": user.Email, "link": link})
	}
	t.say("%s", link)
	return nil
}
