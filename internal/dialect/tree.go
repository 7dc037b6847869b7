package dialect

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"postern.dev/postern/internal/yamlfile"
)

// A tree is an answer as a file says it: ordered members, each a literal or one
// named value. It is compiled once; a request only appends bytes.
type tree interface {
	// appendJSON writes the tree. False: it stands for an absent value, and what
	// was written must be forgotten.
	appendJSON(b []byte, v *values) ([]byte, bool)
	// uses calls f with each named value of the tree.
	uses(f func(*value))
}

// leaf is a tree of one value, and so one that a form or a query can carry.
type leaf interface {
	tree
	datum(v *values) datum
}

// literal is a fixed value with its JSON, made once.
type literal struct {
	value datum
	json  []byte
}

func newLiteral(d datum) *literal { return &literal{d, d.appendJSON(nil, " ")} }

func (l *literal) appendJSON(b []byte, _ *values) ([]byte, bool) { return append(b, l.json...), true }
func (l *literal) datum(*values) datum                           { return l.value }
func (l *literal) uses(func(*value))                             {}

func (x *value) appendJSON(b []byte, v *values) ([]byte, bool) {
	d := x.datum(v)
	return d.appendJSON(b, v.dialect.scopes.join), d.kind != absent
}
func (x *value) uses(f func(*value)) { f(x) }

// phrase is a text with values in it: "user:${user.id}". One absent value makes
// the whole absent.
type phrase struct {
	parts []leaf
}

func (p *phrase) datum(v *values) datum {
	var b []byte
	for _, part := range p.parts {
		d := part.datum(v)
		if d.kind == absent {
			return datum{}
		}
		b = d.appendText(b, v.dialect.scopes.join)
	}
	return datum{kind: isText, s: string(b)}
}

func (p *phrase) appendJSON(b []byte, v *values) ([]byte, bool) {
	d := p.datum(v)
	return d.appendJSON(b, ""), d.kind != absent
}

func (p *phrase) uses(f func(*value)) {
	for _, part := range p.parts {
		part.uses(f)
	}
}

// object is a mapping; a member whose value is absent is left out.
type object struct {
	members []member
}

type member struct {
	name string
	key  []byte // its JSON, with the colon
	tree tree
}

func (o *object) appendJSON(b []byte, v *values) ([]byte, bool) {
	b = append(b, '{')
	first := true
	for i := range o.members {
		m := &o.members[i]
		before := len(b)
		if !first {
			b = append(b, ',')
		}
		b = append(b, m.key...)
		var there bool
		if b, there = m.tree.appendJSON(b, v); !there {
			b = b[:before]
			continue
		}
		first = false
	}
	return append(b, '}'), true
}

func (o *object) uses(f func(*value)) {
	for _, m := range o.members {
		m.tree.uses(f)
	}
}

// flat reports whether the object can be said as a form: no lists, no objects.
func (o *object) flat() bool {
	for _, m := range o.members {
		if _, ok := m.tree.(leaf); !ok {
			return false
		}
	}
	return true
}

// appendForm writes a flat object as name=value pairs, in order. Null has no
// text, so it is left out like an absent value.
func (o *object) appendForm(b []byte, v *values) []byte {
	from := len(b)
	for i := range o.members {
		m := &o.members[i]
		d := m.tree.(leaf).datum(v)
		if d.kind == absent || d.kind == isNull {
			continue
		}
		if len(b) > from {
			b = append(b, '&')
		}
		b = appendEscaped(b, m.name)
		b = append(b, '=')
		if d.kind == isText {
			b = appendEscaped(b, d.s)
		} else {
			b = appendEscaped(b, string(d.appendText(nil, v.dialect.scopes.join)))
		}
	}
	return b
}

// list is a sequence; an absent item is left out.
type list struct {
	items []tree
}

func (l *list) appendJSON(b []byte, v *values) ([]byte, bool) {
	b = append(b, '[')
	first := true
	for _, item := range l.items {
		before := len(b)
		if !first {
			b = append(b, ',')
		}
		var there bool
		if b, there = item.appendJSON(b, v); !there {
			b = b[:before]
			continue
		}
		first = false
	}
	return append(b, ']'), true
}

func (l *list) uses(f func(*value)) {
	for _, item := range l.items {
		item.uses(f)
	}
}

// forEach is an item of a list that stands there once for each word of a value:
// {$each: $scope, handle: $item}. It has as many as there are scopes, no more.
type forEach struct {
	of   *value
	item *object
}

func (r *forEach) appendJSON(b []byte, v *values) ([]byte, bool) {
	before, words := v.item, r.of.datum(v).list
	for i, word := range words {
		if i > 0 {
			b = append(b, ',')
		}
		v.item = word
		b, _ = r.item.appendJSON(b, v) // an object is always there
	}
	v.item = before
	return b, len(words) > 0
}

func (r *forEach) uses(f func(*value)) {
	f(r.of)
	r.item.uses(f)
}

// each is the key that makes an object of a list a repeated one.
const each = "$each"

// tree compiles a node of a file.
func (c *compiler) tree(n *yamlfile.Node) tree {
	switch n.Kind {
	case yamlfile.Mapping:
		return c.object(n)
	case yamlfile.Sequence:
		l := &list{}
		for _, item := range n.Items {
			if item.Member(each) != nil {
				l.items = append(l.items, c.repeated(item))
				continue
			}
			l.items = append(l.items, c.tree(item))
		}
		return l
	}
	return c.leaf(n)
}

func (c *compiler) repeated(n *yamlfile.Node) tree {
	of, ok := c.leaf(n.Member(each)).(*value)
	if !ok || of.kind != isWords && of.kind != isList {
		c.reportKey(n, each, "repeats for each word of a list: write $scope")
		return newLiteral(datum{kind: isNull})
	}
	rest := *n
	rest.Members = slices.DeleteFunc(slices.Clone(n.Members), func(m yamlfile.Member) bool { return m.Key == each })
	outer := c.repeats
	c.repeats = true
	defer func() { c.repeats = outer }()
	return &forEach{of, c.object(&rest)}
}

func (c *compiler) object(n *yamlfile.Node) *object {
	o := &object{}
	for _, m := range n.Members {
		if m.Key == each {
			c.report(m.Value, "%s stands in an item of a list, as in [{%s: $scope, name: $item}]", each, each)
			continue
		}
		key := append(appendJSONString(nil, m.Key), ':')
		o.members = append(o.members, member{m.Key, key, c.tree(m.Value)})
	}
	return o
}

// flatObject compiles a mapping whose members are single values, for a form or a
// query.
func (c *compiler) flatObject(n *yamlfile.Node) *object {
	if n.Kind != yamlfile.Mapping {
		c.report(n, "write a mapping of names and values, as in {code: $code, state: $state}")
		return &object{}
	}
	o := c.object(n)
	for i, m := range o.members {
		if _, ok := m.tree.(leaf); !ok {
			c.report(n.Members[i].Value, "a form or a query carries single values, no lists and mappings")
			o.members[i].tree = newLiteral(datum{})
		}
	}
	return o
}

func (c *compiler) leaf(n *yamlfile.Node) leaf {
	switch v := n.Value.(type) {
	case bool:
		if v {
			return newLiteral(datum{kind: isBool, n: 1})
		}
		return newLiteral(datum{kind: isBool})
	case int64:
		return newLiteral(datum{kind: isNum, n: v})
	case float64:
		c.report(n, "numbers with a fraction are not said on any wire; write a whole number or text")
	case string:
		leaf, err := c.parseText(v)
		if err == nil {
			return leaf
		}
		c.report(n, "%v", err)
	}
	return newLiteral(datum{kind: isNull})
}

// parseText reads a text of a tree: "$name" is a value with its type,
// "…${name}…" a text with values in it, "$$" a dollar, all else itself.
func (c *compiler) parseText(s string) (leaf, error) {
	if name, ok := strings.CutPrefix(s, "$"); ok && isReference(name) {
		return c.parseValue(name)
	}
	var parts []leaf
	plain := ""
	flush := func() {
		if plain != "" {
			parts = append(parts, newLiteral(datum{kind: isText, s: plain}))
			plain = ""
		}
	}
	for s != "" {
		before, after, found := strings.Cut(s, "$")
		plain += before
		if !found {
			break
		}
		switch {
		case strings.HasPrefix(after, "$"):
			plain, s = plain+"$", after[1:]
			continue
		case !strings.HasPrefix(after, "{"):
			return nil, fmt.Errorf("%q: a value inside a text is written ${name}, a dollar $$", "$"+after)
		}
		name, rest, closed := strings.Cut(after[1:], "}")
		if !closed || !isReference(name) {
			return nil, fmt.Errorf("%q: a value inside a text is written ${name}", "$"+after)
		}
		flush()
		x, err := c.parseValue(name)
		if err != nil {
			return nil, err
		}
		parts, s = append(parts, x), rest
	}
	flush()
	switch {
	case len(parts) == 0:
		return newLiteral(datum{kind: isText}), nil
	case len(parts) == 1:
		if l, ok := parts[0].(*literal); ok {
			return l, nil
		}
	}
	return &phrase{parts}, nil
}

// isReference reports whether a text is a dotted name.
func isReference(s string) bool {
	for piece := range strings.SplitSeq(s, ".") {
		if !isName(piece) {
			return false
		}
	}
	return true
}

// scalarText is a scalar as text, for keys that take words or numbers.
func scalarText(n *yamlfile.Node) string {
	switch v := n.Value.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return n.Text
}
