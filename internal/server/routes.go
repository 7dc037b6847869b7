package server

import (
	"fmt"
	"os"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/routes"
	"postern.dev/postern/internal/yamlfile"
)

// routesFile is the file of rules for routes (docs/checking.md).
type routesFile struct {
	Default   string      `yaml:"default"`
	Scopeless []string    `yaml:"scopeless"`
	Routes    []routeRule `yaml:"routes,required"`

	Node *yamlfile.Node `yaml:",node"`
}

type routeRule struct {
	Route  string         `yaml:"route,required"`
	Scopes *[]string      `yaml:"scopes"`
	Public bool           `yaml:"public"`
	Node   *yamlfile.Node `yaml:",node"`
}

// Routes reads the rules for routes that a configuration names; nil where it
// names none. All that is wrong with them is told at once, by line.
func Routes(cfg *config.Config, mounted *dialect.Set) (*routes.Table, error) {
	if cfg == nil || cfg.Routes == "" {
		return nil, nil
	}
	data, err := os.ReadFile(cfg.Routes)
	if err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	return readRoutes(cfg.Routes, data, mounted)
}

func readRoutes(file string, data []byte, mounted *dialect.Set) (*routes.Table, error) {
	var f routesFile
	problems := yamlfile.Decode(file, data, &f)
	if problems != nil {
		return nil, problems
	}
	list := routes.List{AnyToken: f.Default == "any_token", Scopeless: f.Scopeless}
	if f.Default != "" && f.Default != "deny" && f.Default != "any_token" {
		problems = append(problems, f.Node.ProblemAt("default", "%q is unknown; write deny (calls without a rule are refused) or any_token (they need just a live token)", f.Default))
	}
	for _, name := range f.Scopeless {
		if d, ok := mounted.Get(name); !ok || !d.Terms().NoScopes {
			problems = append(problems, f.Node.ProblemAt("scopeless", "%q is no mounted dialect without scopes; those with scopes are held to the rules", name))
		}
	}
	for _, r := range f.Routes {
		rule := routes.Rule{Route: r.Route, Public: r.Public, Scopes: []string{}}
		if r.Scopes != nil {
			rule.Scopes = *r.Scopes
		} else if !r.Public {
			problems = append(problems, r.Node.Problem("say what the calls need: scopes: [NAME …], scopes: [] for any live token, or public: true"))
		}
		list.Rules = append(list.Rules, rule)
	}
	table, mistakes := routes.New(list)
	for _, m := range mistakes {
		problems = append(problems, f.Routes[m.Rule].Node.ProblemAt(m.Key, "%s", m.Msg))
	}
	problems.Sort()
	return table, problems.Err()
}

// Calls are the rules as they concern tokens of one dialect, for its guide; none
// where there are no rules.
func Calls(table *routes.Table, d *dialect.Dialect) (calls []dialect.Call) {
	if table == nil {
		return nil
	}
	for _, r := range table.List().Rules {
		needs := table.Needs(r, d.Name())
		if len(needs) > 0 && d.Terms().NoScopes {
			continue // no token of this wire opens it
		}
		calls = append(calls, dialect.Call{Route: r.Route, Scopes: needs, Public: r.Public})
	}
	return append(calls, dialect.Call{Refused: !table.List().AnyToken})
}
