package main

import (
	"postern.dev/postern/internal/dev"
)

// devCommand runs the whole product on this machine.
type devCommand struct {
	Dir          string `default:"postern-dev" placeholder:"DIR" help:"Where the demo's data is; made when absent."`
	Fresh        bool   `help:"Begin anew: forget what an earlier run left."`
	Once         bool   `help:"Make, use and end a connection in every built-in dialect, print what goes over the wire, and exit."`
	Verbose      bool   `help:"Show the server's log."`
	Port         int    `placeholder:"PORT" help:"Postern's port; default 8080, or a free one."`
	PartnerPort  int    `placeholder:"PORT" help:"The partner's site's; default 8081, or a free one."`
	APIPort      int    `name:"api-port" placeholder:"PORT" help:"The sample API's; default 8082, or a free one."`
	InternalPort int    `placeholder:"PORT" help:"The token check's; default 8083, or a free one."`
}

// Help is shown by --help.
func (devCommand) Help() string {
	return `Nothing needs to be set up. There is a company with two accounts and a few
people, a partner's site with a Connect button for each built-in dialect, and an
API behind the token check; all of it is made up and listens on this machine
only. With --once it uses a directory of its own and free ports.

Examples:
  postern dev
  postern dev --once`
}

// Run is what the command does.
func (c *devCommand) Run(t *terminal) error {
	ctx, stop := untilSignalled()
	defer stop()
	o := dev.Options{Dir: c.Dir, Fresh: c.Fresh, Verbose: c.Verbose, Out: t.out, Err: t.err,
		Ports: dev.Ports{Public: c.Port, Partner: c.PartnerPort, API: c.APIPort, Internal: c.InternalPort}}
	if c.Once {
		return dev.Once(ctx, o)
	}
	return dev.Run(ctx, o)
}
