package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"postern.dev/postern/internal/server"
	"postern.dev/postern/internal/yamlfile"
)

// doctor examines an installation.
type doctor struct {
	source
	JSON bool `help:"Print for programs."`
}

// Help is shown by --help.
func (doctor) Help() string {
	return `Looks at the configuration, the dialects, files and their modes, the database,
its schema, the secret key and the clock. Changes nothing, and asks nobody but
the database. Ends with 1 when something is broken.

Example:
  postern doctor --config postern.yaml`
}

// Run is what the command does.
func (d *doctor) Run(t *terminal) error {
	var findings []server.Finding
	cfg, err := d.load(func(w string) {
		findings = append(findings, server.Finding{Check: "configuration", Health: server.Warning, Detail: w})
	})
	if problems, ok := errors.AsType[yamlfile.Problems](err); ok {
		for _, p := range problems {
			findings = append(findings, server.Finding{Check: "configuration", Health: server.Broken, Detail: p.Error()})
		}
	} else if err != nil {
		findings = append(findings, server.Finding{Check: "configuration", Health: server.Broken, Detail: err.Error()})
	} else {
		if len(findings) == 0 {
			findings = append(findings, server.Finding{Check: "configuration", Health: server.Fine, Detail: d.Config})
		}
		findings = append(findings, server.Examine(context.Background(), cfg, time.Now())...)
	}
	return d.tell(t, findings)
}

// tell prints the findings and fails if something is broken.
func (d *doctor) tell(t *terminal, findings []server.Finding) error {
	if d.JSON {
		if err := t.json(findings); err != nil {
			return err
		}
	}
	broken := false
	for _, f := range findings {
		broken = broken || f.Health == server.Broken
		if d.JSON {
			continue
		}
		line := fmt.Sprintf("%-8s %-15s %s", f.Health, f.Check, f.Detail)
		if f.Do != "" {
			line += "; " + f.Do
		}
		t.say("%s", line)
	}
	if broken {
		return exit(failed)
	}
	return nil
}
