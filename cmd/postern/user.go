package main

import (
	"context"
	"fmt"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/mail"
	"postern.dev/postern/internal/server"
)

type userCommand struct {
	Reset userReset `cmd:"" help:"Make a one-time link to set a new password."`
}

// userReset makes a link for somebody who cannot sign in.
type userReset struct {
	source
	JSON  bool   `help:"Print for programs."`
	Print bool   `help:"Print the link instead of mailing it."`
	Email string `arg:"" help:"The person's e-mail."`
}

// Help is shown by --help.
func (userReset) Help() string {
	return `The link works once and for a day; an earlier one ends. Setting the password
signs the person out everywhere.

Where mail is configured, the link is mailed to the person by the running server,
and not printed. Where it is not, or with --print, it is printed: give it to nobody
but the person.

Example:
  postern user reset ada@acme.test --config postern.yaml`
}

// Run is what the command does.
func (u *userReset) Run(t *terminal) error {
	var done *resetDone
	err := u.rooms(t, func(ctx context.Context, cfg *config.Config, rooms *server.Rooms) (err error) {
		done, err = u.reset(ctx, rooms, cfg)
		return err
	})
	if err != nil {
		return err
	}
	switch {
	case u.JSON:
		return t.json(done)
	case done.Mailed:
		t.say("The link is mailed to %s by the running server. It works once and for a day.", done.Email)
	default:
		t.say("%s", done.Link)
	}
	return nil
}

// resetDone is what became of a reset, for programs.
type resetDone struct {
	Email  string `json:"email"`
	Mailed bool   `json:"mailed"`
	Link   string `json:"link,omitempty"` // where it was not mailed
}

func (u *userReset) reset(ctx context.Context, rooms *server.Rooms, cfg *config.Config) (*resetDone, error) {
	secret, user, err := rooms.Identity.StartReset(ctx, u.Email)
	if err != nil {
		return nil, err
	}
	link := cfg.PublicURL + "/reset/" + string(secret)
	if u.Print || !rooms.Mail.Configured() {
		return &resetDone{Email: user.Email, Link: link}, nil
	}
	err = rooms.Mail.Send(ctx, mail.Message{To: user.Email, Subject: "Set a new password", Text: fmt.Sprintf(resetText, cfg.PublicURL, link)})
	return &resetDone{Email: user.Email, Mailed: true}, err
}

const resetText = `Hello,

the people who run %s have made a link for you, with which you can set a new
password:

    %s

It works once, and for a day. Setting the password signs you out everywhere.
Until you do, your old password goes on working.

Whoever has the link can set your password: please do not pass it on.
`
