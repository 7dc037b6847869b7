package registry

import (
	"fmt"
	"io"
	"strings"

	"postern.dev/postern"
)

// Result is what an apply did, or with a dry run would do, in the order of the
// files' kinds.
type Result struct {
	DryRun  bool      `json:"dry_run"`
	Changes []*Change `json:"changes"`
}

// Did is what became of an object.
type Did string

const (
	Created   Did = "created"
	Changed   Did = "changed"
	Unchanged Did = "unchanged"
	Removed   Did = "removed"
)

// Change is what became of one object.
type Change struct {
	Did  Did    `json:"did"`
	Kind string `json:"kind"` // "account", "user", "partner", "member", "app", "api", "scope", "event", "operator"
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
	// Keys are what changed, of an object that was there.
	Keys []string `json:"keys,omitempty"`
	// Secrets were made by this apply. They are shown here and never again; a dry
	// run makes none.
	Secrets []MadeSecret `json:"secrets,omitempty"`
}

// MadeSecret is a secret that was made because none was declared.
type MadeSecret struct {
	Key    string         `json:"key"` // "client_secret", "webhook_secret", "secret"
	Secret postern.Secret `json:"secret,omitempty"`
}

// Count is how many objects this became of.
func (r *Result) Count(d Did) (n int) {
	for _, c := range r.Changes {
		if c.Did == d {
			n++
		}
	}
	return n
}

// Print writes the result for people: a line for each object, the sums, and
// last the secrets that were made.
func (r *Result) Print(w io.Writer) error {
	var text strings.Builder
	for _, c := range r.Changes {
		fmt.Fprintf(&text, "%-9s  %-8s  %s\n", c.Did, c.Kind, c.title())
	}
	if r.DryRun {
		text.WriteString("\nDry run, nothing was written. An apply would give: ")
	} else if len(r.Changes) > 0 {
		text.WriteString("\n")
	}
	fmt.Fprintf(&text, "%d created, %d changed, %d removed, %d unchanged.\n",
		r.Count(Created), r.Count(Changed), r.Count(Removed), r.Count(Unchanged))
	r.printSecrets(&text)
	_, err := io.WriteString(w, text.String())
	return err
}

func (c *Change) title() string {
	title := c.ID
	if c.Name != "" && c.Name != c.ID {
		title = c.Name + " (" + c.ID + ")"
	}
	if len(c.Keys) > 0 {
		title += ": " + strings.Join(c.Keys, ", ")
	}
	return title
}

func (r *Result) printSecrets(text *strings.Builder) {
	const head = "\nMade now and shown this once; keep them:\n"
	before := head
	for _, c := range r.Changes {
		for _, s := range c.Secrets {
			if s.Secret == "" {
				continue
			}
			fmt.Fprintf(text, "%s  %s %s  %s: %s\n", before, c.Kind, c.ID, s.Key, string(s.Secret))
			before = ""
		}
	}
}
