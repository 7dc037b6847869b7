package dialect

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
		route := g.text("all others")
		if c.Route != "" {
			route = "`" + c.Route + "`"
		}
		rows = append(rows, []string{route, g.tokenFor(c)})
	}
	g.table(rows, g.text("call"), g.text("token"))
	g.say("A name in braces stands for one part of the path, one that ends in dots for all that follows. Write paths plainly: doubled slashes, dots as parts, and encoded slashes are refused.")
}

// tokenFor is the token that a call needs.
func (g *guide) tokenFor(c Call) string {
	switch {
	case c.Refused:
		return g.text("refused, with any token")
	case c.Public:
		return g.text("none")
	case len(c.Scopes) == 0:
		return g.text("any live token")
	}
	return g.text("with %s", g.chain(coded(c.Scopes), "%s and %s"))
}
