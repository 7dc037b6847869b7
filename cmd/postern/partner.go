package main

import (
	"context"

	"postern.dev/postern"
	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/server"
)

type partnerCommand struct {
	Invite partnerInvite `cmd:"" help:"Invite somebody to a partner's team, by a one-time link."`
	Link   partnerLink   `cmd:"" help:"Make another link for an invitation or registration that waits."`
	Reset  partnerReset  `cmd:"" help:"Make a one-time link to set a new password for the portal."`
}

type operatorCommand struct {
	Reset operatorReset `cmd:"" help:"Make a one-time link to set a new password for the console."`
}

// linkDone is what became of a link, for programs.
type linkDone struct {
	Email      string       `json:"email"`
	Partner    string       `json:"partner,omitempty"`
	NewPartner bool         `json:"new_partner,omitempty"`
	Role       postern.Role `json:"role,omitempty"`
	Mailed     bool         `json:"mailed"`
	Link       string       `json:"link,omitempty"` // where it was not mailed
}

// linkTo completes what is told of a link.
func (d *linkDone) linkTo(cfg *config.Config, path string, l *identity.Link) {
	if d.Email, d.Mailed = l.Email, l.Mailed; !l.Mailed {
		d.Link = cfg.PublicURL + path + string(l.Secret)
	}
}

// tell says where the link is.
func (t *terminal) tell(d *linkDone, lives string, asJSON bool) error {
	switch {
	case asJSON:
		return t.json(d)
	case d.Mailed:
		t.say("The link is mailed to %s by the running server. It works once and for %s.", d.Email, lives)
	default:
		t.say("%s", d.Link)
	}
	return nil
}

// partnerInvite invites somebody.
type partnerInvite struct {
	source
	JSON    bool   `help:"Print for programs."`
	Print   bool   `help:"Print the link instead of mailing it."`
	Partner string `required:"" placeholder:"NAME" help:"The partner's name; one that does not exist is made."`
	Role    string `default:"owner" enum:"owner,developer,viewer" help:"owner, developer or viewer."`
	Email   string `arg:"" help:"Whom to invite."`
}

// Help is shown by --help.
func (partnerInvite) Help() string {
	return `The link works once, for seven days, and for this e-mail alone; an earlier one of
the same person to the same partner ends. Whoever opens it chooses a password, or
signs in where the e-mail is known at the portal already.

Where mail is configured, the link is mailed by the running server, and not
printed. Where it is not, or with --print, it is printed: give it to nobody but the
person.

Example:
  postern partner invite dev@partner.test --partner "Partner Inc" --config postern.yaml`
}

// Run is what the command does.
func (c *partnerInvite) Run(t *terminal) error {
	found := registry.AboutNewcomer(nil, nil, &c.Email)
	found = append(found, registry.AboutNewcomer(&c.Partner, nil, nil)...)
	if len(found) > 0 {
		return t.misused("%s", found[0])
	}
	done := &linkDone{Role: postern.Role(c.Role)}
	err := c.rooms(t, func(ctx context.Context, cfg *config.Config, rooms *server.Rooms) error {
		partner, made, err := rooms.Identity.InvitePartner(ctx, c.Partner)
		if err != nil {
			return err
		}
		done.Partner, done.NewPartner = partner.Name, made
		link, err := rooms.Identity.Invite(ctx, identity.Invite{Partner: *partner, Email: c.Email, Role: done.Role, ByHand: c.Print})
		if err == nil {
			done.linkTo(cfg, identity.InvitePath, link)
		}
		return err
	})
	if err != nil {
		return err
	}
	if done.NewPartner && !c.JSON {
		t.warn("there was no partner %q yet; it is made", done.Partner)
	}
	return t.tell(done, "seven days", c.JSON)
}

// partnerLink makes another link of what waits.
type partnerLink struct {
	source
	JSON  bool   `help:"Print for programs."`
	Email string `arg:"" help:"Whose invitation or registration waits."`
}

// Help is shown by --help.
func (partnerLink) Help() string {
	return `Prints a new link of the invitation or the registration that waits for this
e-mail; the one before ends. It is for people whom no mail reaches: where they
register themselves and mail is not configured, it is how they get on. Be sure that
the person is who they say, for the link proves the e-mail.

Example:
  postern partner link dev@partner.test --config postern.yaml`
}

// Run is what the command does.
func (c *partnerLink) Run(t *terminal) error {
	done := &linkDone{Email: c.Email}
	err := c.rooms(t, func(ctx context.Context, cfg *config.Config, rooms *server.Rooms) error {
		secret, i, err := rooms.Identity.RenewLink(ctx, c.Email)
		if err == nil {
			done.Partner, done.Role = i.Partner.Name, i.Role
			done.linkTo(cfg, identity.InvitePath, &identity.Link{Email: i.Email, Secret: secret})
		}
		return err
	})
	if err != nil {
		return err
	}
	return t.tell(done, "seven days", c.JSON)
}

// staffReset is what the resets of both realms have in common.
type staffReset struct {
	source
	JSON  bool   `help:"Print for programs."`
	Print bool   `help:"Print the link instead of mailing it."`
	Email string `arg:"" help:"The person's e-mail."`
}

func (c *staffReset) run(t *terminal, realm postern.Realm) error {
	done := &linkDone{}
	err := c.rooms(t, func(ctx context.Context, cfg *config.Config, rooms *server.Rooms) error {
		link, err := rooms.Identity.StartStaffReset(ctx, realm, c.Email, c.Print)
		if err == nil {
			done.linkTo(cfg, identity.ResetPath(realm), link)
		}
		return err
	})
	if err != nil {
		return err
	}
	return t.tell(done, "a day", c.JSON)
}

const resetHelp = `The link works once and for a day; an earlier one ends. Setting the password
signs the person out everywhere.

Where mail is configured, the link is mailed to the person by the running server,
and not printed. Where it is not, or with --print, it is printed: give it to nobody
but the person.

Example:
  postern `

type partnerReset struct{ staffReset }

// Help is shown by --help.
func (partnerReset) Help() string {
	return resetHelp + "partner reset dev@partner.test --config postern.yaml"
}

// Run is what the command does.
func (c *partnerReset) Run(t *terminal) error { return c.run(t, postern.PartnerRealm) }

type operatorReset struct{ staffReset }

// Help is shown by --help.
func (operatorReset) Help() string {
	return resetHelp + "operator reset op@saas.test --config postern.yaml"
}

// Run is what the command does.
func (c *operatorReset) Run(t *terminal) error { return c.run(t, postern.OperatorRealm) }
