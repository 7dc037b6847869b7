package dialect

import (
	"slices"

	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/yamlfile"
)

// whenSpec is an entry of tokens.when: conditions, and what is then otherwise.
type whenSpec struct {
	Node       *yamlfile.Node
	Conditions []yamlfile.Member
	Of         struct {
		Access  accessSpec         `yaml:"access"`
		Refresh block[refreshSpec] `yaml:"refresh"`
		AtOnce  int                `yaml:"at_once"`
		Answer  *yamlfile.Node     `yaml:"answer"`
	}
}

var whenKeys = []string{"access", "refresh", "at_once", "answer"}

// DecodeYAML parts the conditions from the terms.
func (s *whenSpec) DecodeYAML(n *yamlfile.Node) yamlfile.Problems {
	s.Node = n
	terms := *n
	terms.Members = nil
	for _, m := range n.Members {
		if slices.Contains(whenKeys, m.Key) {
			terms.Members = append(terms.Members, m)
		} else {
			s.Conditions = append(s.Conditions, m)
		}
	}
	return terms.Decode(&s.Of)
}

// variant is other terms, or another answer, for some grants.
type variant struct {
	node       *yamlfile.Node
	conditions []condition
	terms      *oauth.Terms
	answer     *answer // nil: the endpoint's own
}

// condition is a value that a parameter must have.
type condition struct {
	name  string // as it is kept with the grant; for a place of the authorize request, the place
	place place  // of the token request; kind inQuery: of the authorize request, or nowhere
	value string
}

// atToken reports whether the condition is about the token request itself. All
// others are about the grant, and so about what was kept with it.
func (c *condition) atToken() bool { return c.place.kind != inQuery }

func (c *compiler) variants() {
	for _, s := range c.spec.Tokens.When {
		v := variant{node: s.Node}
		for _, m := range s.Conditions {
			if cond, ok := c.condition(m); ok {
				v.conditions = append(v.conditions, cond)
			}
		}
		if len(s.Conditions) == 0 {
			c.report(s.Node, "say when, as in {query access_type: offline, refresh: {idle: 30d}}")
		}
		if slices.ContainsFunc(v.conditions, func(a condition) bool { return a.atToken() != v.conditions[0].atToken() }) {
			c.report(s.Node, "an entry asks either for what the authorize request said or for what the token request says; write two entries")
		}
		t := c.d.terms
		t.Access = c.access(s.Of.Access, t.Access)
		t.Refresh = c.refresh(s.Of.Refresh, c.refreshUnder())
		if !s.Of.Refresh.Given {
			t.Refresh = c.d.terms.Refresh
		}
		if s.Of.AtOnce > 0 {
			t.AtOnce = s.Of.AtOnce
		}
		v.terms = &t
		if s.Of.Answer != nil {
			v.answer = c.answer(s.Of.Answer)
		}
		c.d.variants = append(c.d.variants, v)
	}
	for _, v := range c.d.variants {
		if kept := v.kept(); kept != nil {
			c.d.terms.Variants = append(c.d.terms.Variants, oauth.Variant{Kept: kept, Terms: v.terms})
		}
	}
}

// refreshUnder are the refresh terms that a variant's are laid over.
func (c *compiler) refreshUnder() *oauth.RefreshTerms {
	if c.d.terms.Refresh != nil {
		return c.d.terms.Refresh
	}
	return &oauth.RefreshTerms{
		Form: refreshForm, Rotate: true, Window: c.lifetimes.Window,
		Idle: c.lifetimes.Refresh, Absolute: c.lifetimes.Absolute,
	}
}

func (c *compiler) condition(m yamlfile.Member) (condition, bool) {
	if m.Value.Kind != yamlfile.Scalar {
		c.report(m.Value, "a condition compares with one text")
		return condition{}, false
	}
	cond := condition{name: m.Key, place: place{kind: inQuery}, value: scalarText(m.Value)}
	if c.keeps(m.Key) {
		return cond, true
	}
	p, err := parsePlace(m.Key)
	if err != nil || p.kind == inVariable || p.encoding != asItIs {
		c.report(m.Value, "%q is no condition%s; write query NAME (of the authorize request), body NAME or header NAME (of the token request), or the name of a kept parameter",
			m.Key, yamlfile.Suggest(m.Key, whenKeys))
		return condition{}, false
	}
	cond.place = p
	if p.kind == inQuery {
		cond.name = p.String()
	}
	return cond, true
}

// kept are the kept parameters that the variant is about; nil: it is about the
// token request.
func (v *variant) kept() map[string]string {
	if len(v.conditions) == 0 || v.conditions[0].atToken() {
		return nil
	}
	kept := map[string]string{}
	for _, c := range v.conditions {
		kept[c.name] = c.value
	}
	return kept
}

// refreshes reports whether any grant of the dialect gets refresh tokens.
func (d *Dialect) refreshes() bool {
	return d.terms.Refresh != nil ||
		slices.ContainsFunc(d.variants, func(v variant) bool { return v.terms.Refresh != nil })
}

// remember keeps the authorize request's parameters that a variant asks for.
func (c *call) remember(kept map[string]string) map[string]string {
	for i := range c.d.variants {
		for _, cond := range c.d.variants[i].conditions {
			if cond.atToken() || cond.place.name == "" {
				continue
			}
			if value := c.parameter(cond.place.name); value == cond.value {
				if kept == nil {
					kept = map[string]string{}
				}
				kept[cond.name] = value
			}
		}
	}
	return kept
}

// asked is the variant that the token request itself asks for, or nil.
func (c *call) asked() *variant {
	for i := range c.d.variants {
		v := &c.d.variants[i]
		if v.kept() == nil && !slices.ContainsFunc(v.conditions, func(cond condition) bool {
			value, err := c.at(cond.place)
			return err != nil || value != cond.value
		}) {
			return v
		}
	}
	return nil
}

// terms are those of this token request; the grant may have others yet.
func (c *call) terms() *oauth.Terms {
	if v := c.asked(); v != nil {
		return v.terms
	}
	return &c.d.terms
}

// answerFor is the answer of the variant that holds, else the endpoint's.
func (c *call) answerFor(kept map[string]string) *answer {
	if len(c.d.variants) == 0 {
		return c.e.answer
	}
	if v := c.asked(); v != nil && v.answer != nil {
		return v.answer
	}
	for i := range c.d.variants {
		v := &c.d.variants[i]
		if of := (&oauth.Variant{Kept: v.kept()}); of.Kept == nil || !of.Fits(kept) {
			continue
		}
		if v.answer != nil {
			return v.answer
		}
		break // the first that fits holds
	}
	return c.e.answer
}
