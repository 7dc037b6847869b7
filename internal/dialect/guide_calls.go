package dialect

import "strings"

// Call is what calls of the operator's API need, for a guide.
type Call struct {
	Route   string   // a method and a path; "": all others
	Scopes  []string // all of them; none: any live token
	Public  bool     // no token is needed
	Refused bool     // no token opens it
}

// needsOfCalls shows partners what each call needs, where the operator has
// rules for routes.
func (g *guide) needsOfCalls() {
	if len(g.demands) == 0 {
		return
	}
	g.say("What each call needs:")
	var rows [][]string
	for _, c := range g.demands {
		route := "all others"
		if c.Route != "" {
			route = "`" + c.Route + "`"
		}
		rows = append(rows, []string{route, c.needs()})
	}
	g.table(rows, "call", "token")
	g.say("A name in braces stands for one part of the path, one that ends in dots for all that follows. Write paths plainly: doubled slashes, dots as parts, and encoded slashes are refused.")
}

func (c *Call) needs() string {
	switch {
	case c.Refused:
		return "refused, with any token"
	case c.Public:
		return "none"
	case len(c.Scopes) == 0:
		return "any live token"
	}
	return "with `" + strings.Join(c.Scopes, "` and `") + "`"
}
