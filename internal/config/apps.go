package config

import (
	"slices"

	"postern.dev/postern/internal/yamlfile"
)

// Apps say what partners may register by themselves. One word stands for its
// review: "apps: review".
type Apps struct {
	// Review is "open": a new app is for everybody at once; or "review": it works in
	// its partner's sandbox until an operator approves it, and later changes of what
	// people see of it are approved, too.
	Review string `yaml:"review"`
	// Dialects are those that partners may choose; empty: all that are mounted.
	Dialects []string `yaml:"dialects"`
	// ClientCredentials lets partners ask that an app gets tokens for itself, without
	// anybody's consent. A resources file may say so of any app.
	ClientCredentials bool `yaml:"client_credentials"`
}

const (
	appsOpen   = "open"
	appsReview = "review"
)

// Reviewed reports whether an operator looks at apps before people do.
func (a *Apps) Reviewed() bool { return a.Review == appsReview }

// DecodeYAML reads the one word, or the keys.
func (a *Apps) DecodeYAML(n *yamlfile.Node) yamlfile.Problems {
	if n.Kind == yamlfile.Scalar {
		a.Review = n.Text
		return nil
	}
	type keys Apps // without this method
	k := keys(*a)
	problems := n.Decode(&k)
	*a = Apps(k)
	return problems
}

func (c *Config) checkApps(r *report) {
	key := "apps.review"
	if n := find(r.root, "apps"); n != nil && n.Kind == yamlfile.Scalar {
		key = "apps"
	}
	oneOf(r, key, c.Apps.Review, appsOpen, appsReview)
	for i, name := range c.Apps.Dialects {
		if slices.Contains(c.Apps.Dialects[:i], name) {
			r.say("apps.dialects", "%q stands there twice; remove one", name)
		}
	}
}
