package dialect

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
)

// A route is a method, a host and a path as a dialect's file says them:
//
//	GET /oauth/open-api/{client_id}
//	POST {tenant}.shops.example/admin/oauth/access_token
//	GET /oauth/{_hub}/authorize
//
// A segment or a label in braces is a variable, and matters to nobody if its name
// begins with _; nothing else is special.
type route struct {
	method string
	host   []part // labels; none: any host
	path   []part // segments

	dialect  *Dialect
	endpoint *endpoint
}

// part is one segment of a path or one label of a host.
type part struct {
	text     string // the literal, or the variable's name
	variable bool
}

// maxVariables bounds what one route may capture, so that a match needs no
// allocation.
const maxVariables = 4

var methods = []string{"GET", "POST", "PUT", "PATCH", "DELETE"}

func parseRoute(text string) (*route, error) {
	method, rest, ok := strings.Cut(text, " ")
	if !ok || !slices.Contains(methods, method) {
		return nil, fmt.Errorf("route %q: want a method and a path, as in \"POST /oauth/token\"", text)
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		return nil, fmt.Errorf("route %q: the path must begin with /", text)
	}
	r := &route{method: method}
	var err error
	if host := rest[:slash]; host != "" {
		if r.host, err = parseHost(host); err != nil {
			return nil, fmt.Errorf("route %q: %w", text, err)
		}
	}
	if r.path, err = parseParts(rest[slash+1:], "/", pathCharacter); err != nil {
		return nil, fmt.Errorf("route %q: %w", text, err)
	}
	if n := captures(r.host) + captures(r.path); n > maxVariables {
		return nil, fmt.Errorf("route %q: %d variables; at most %d", text, n, maxVariables)
	}
	return r, nil
}

// fixed reports whether the route is one address.
func (r *route) fixed() bool { return captures(r.host)+captures(r.path) == 0 }

func captures(parts []part) (n int) {
	for _, p := range parts {
		if p.variable {
			n++
		}
	}
	return n
}

// parseHost reads a host pattern, with a port or without; the port is no part
// of what is compared, since proxies and test benches change it.
func parseHost(text string) ([]part, error) {
	host, _, _ := strings.Cut(strings.ToLower(text), ":")
	return parseParts(host, ".", hostCharacter)
}

func parseParts(text, separator string, allowed func(byte) bool) ([]part, error) {
	var parts []part
	for piece := range strings.SplitSeq(text, separator) {
		if name, ok := strings.CutPrefix(piece, "{"); ok {
			name, ok = strings.CutSuffix(name, "}")
			if !ok || !isName(name) {
				return nil, fmt.Errorf("%q is no variable; write {name}", piece)
			}
			parts = append(parts, part{name, true})
			continue
		}
		if piece == "" || piece == "." || piece == ".." {
			return nil, fmt.Errorf("%q has an empty or dotted part", text)
		}
		for i, char := range piece {
			if !allowed(piece[i]) {
				return nil, fmt.Errorf("%q has the character %q, which no address needs", piece, char)
			}
		}
		parts = append(parts, part{piece, false})
	}
	return parts, nil
}

// pathCharacter tells the characters that stand for themselves in a path.
func pathCharacter(c byte) bool {
	return letterOrDigit(c) || strings.IndexByte("-._~!$'()*+,:@=", c) >= 0
}

func hostCharacter(c byte) bool { return letterOrDigit(c) || c == '-' }

func letterOrDigit(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// isName reports whether a text can name an input, a variable or a value.
func isName(s string) bool {
	for i := range len(s) {
		if !letterOrDigit(s[i]) && s[i] != '_' {
			return false
		}
	}
	return s != ""
}

func (r *route) String() string {
	return r.method + " " + join(r.host, ".") + "/" + join(r.path, "/")
}

// address is the route without its method.
func (r *route) address() string { return join(r.host, ".") + "/" + join(r.path, "/") }

func join(parts []part, separator string) string {
	var b strings.Builder
	for i, p := range parts {
		if i > 0 {
			b.WriteString(separator)
		}
		if p.variable {
			b.WriteString("{" + p.text + "}")
		} else {
			b.WriteString(p.text)
		}
	}
	return b.String()
}

// ignored: a variable whose name begins with _ stands for any segment, and for
// nothing that matters.
func (p *part) ignored() bool { return p.variable && p.text[0] == '_' }

// variables are the names of what the route captures and uses, host first.
func (r *route) variables() []string {
	var names []string
	for _, p := range slices.Concat(r.host, r.path) {
		if p.variable && !p.ignored() {
			names = append(names, p.text)
		}
	}
	return names
}

// mounted is the route under a base path and, if it names no host itself, on
// the given one.
func (r *route) mounted(base []part, host []part) *route {
	m := *r
	m.path = slices.Concat(base, r.path)
	if len(m.host) == 0 {
		m.host = host
	}
	return &m
}

// overlaps reports whether one request can match both routes. A route on a host
// of its own goes before one on any host, so these two never quarrel.
func (r *route) overlaps(other *route) bool {
	if r.method != other.method || (len(r.host) == 0) != (len(other.host) == 0) {
		return false
	}
	return alike(r.host, other.host) && alike(r.path, other.path)
}

func alike(a, b []part) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !a[i].variable && !b[i].variable && a[i].text != b[i].text {
			return false
		}
	}
	return true
}

// router finds the route of a request: a tree of segments for each host
// pattern, and one for any host.
type router struct {
	hosts []hostTree
	any   *branch
}

type hostTree struct {
	labels []part
	root   *branch
}

type branch struct {
	literal  map[string]*branch
	variable *branch
	routes   []*route // that end here
}

// newRouter builds the trees, and refuses two routes that can match one request.
func newRouter(routes []*route) (*router, error) {
	rt := &router{any: &branch{}}
	near := neighbours{}
	for i, r := range routes {
		for _, earlier := range near.of(r, routes[:i]) {
			if r.overlaps(earlier) {
				return nil, &Clash{earlier, r}
			}
		}
		near[r.begins()] = append(near[r.begins()], r)
		rt.tree(r.host).add(r)
	}
	return rt, nil
}

// neighbours are routes by how their paths begin. Only those that begin alike can
// match one request, so hundreds of dialects need not be compared with each other.
type neighbours map[string][]*route

// begins is the first segment of the path; "{" where that is a variable.
func (r *route) begins() string {
	switch {
	case len(r.path) == 0:
		return ""
	case r.path[0].variable:
		return "{"
	}
	return r.path[0].text
}

func (n neighbours) of(r *route, all []*route) []*route {
	if r.begins() == "{" {
		return all
	}
	return slices.Concat(n[r.begins()], n["{"])
}

// Clash is two routes that can match one request.
type Clash struct{ a, b *route }

func (c *Clash) Error() string {
	if c.a.dialect == c.b.dialect {
		return fmt.Sprintf("dialect %s: %q and %q can match one request; change one of them", c.a.dialect.Name(), c.a, c.b)
	}
	return fmt.Sprintf("dialects %s and %s: %q and %q can match one request; mount one of them under another base or host",
		c.a.dialect.Name(), c.b.dialect.Name(), c.a, c.b)
}

func (rt *router) tree(host []part) *branch {
	if len(host) == 0 {
		return rt.any
	}
	for _, h := range rt.hosts {
		if slices.Equal(h.labels, host) {
			return h.root
		}
	}
	root := &branch{}
	rt.hosts = append(rt.hosts, hostTree{host, root})
	return root
}

func (b *branch) add(r *route) {
	for _, p := range r.path {
		b = b.child(p)
	}
	b.routes = append(b.routes, r)
}

func (b *branch) child(p part) *branch {
	if p.variable {
		if b.variable == nil {
			b.variable = &branch{}
		}
		return b.variable
	}
	if b.literal[p.text] == nil {
		if b.literal == nil {
			b.literal = map[string]*branch{}
		}
		b.literal[p.text] = &branch{}
	}
	return b.literal[p.text]
}

// match is a route with what its variables stand for in one request.
type match struct {
	route  *route
	values [maxVariables]string
	// others are the routes of this path under another method, when the
	// request's own has none: the answer is 405.
	others []*route
}

// value is what the route's variable of this name stands for.
func (m *match) value(name string) (string, bool) {
	i := 0
	for _, p := range m.route.host {
		if p.variable {
			if p.text == name {
				return m.values[i], true
			}
			i++
		}
	}
	for _, p := range m.route.path {
		if p.variable {
			if p.text == name {
				return m.values[i], true
			}
			i++
		}
	}
	return "", false
}

// find gives the route of a request, or the routes that its path has under
// other methods, or neither. The path is the escaped one, and must be clean:
// no empty or dotted segment, no trailing slash. A literal is compared as it
// was sent, so an address has one spelling.
func (rt *router) find(method, host, path string, m *match) bool {
	if len(path) < 2 || path[0] != '/' {
		return false
	}
	for i := range rt.hosts {
		h := &rt.hosts[i]
		if n, ok := matchHost(h.labels, host, &m.values); ok {
			if h.root.find(method, path[1:], n, m) {
				return true
			}
		}
	}
	if rt.any.find(method, path[1:], 0, m) {
		return true
	}
	return len(m.others) > 0
}

func (b *branch) find(method, rest string, captured int, m *match) bool {
	segment, rest, more := strings.Cut(rest, "/")
	if segment == "" || segment == "." || segment == ".." {
		return false
	}
	if next := b.literal[segment]; next != nil && next.step(method, rest, more, captured, m) {
		return true
	}
	if b.variable == nil || captured == maxVariables {
		return false
	}
	value, ok := unescapeSegment(segment)
	if !ok {
		return false
	}
	m.values[captured] = value
	return b.variable.step(method, rest, more, captured+1, m)
}

func (b *branch) step(method, rest string, more bool, captured int, m *match) bool {
	if more {
		return b.find(method, rest, captured, m)
	}
	for _, r := range b.routes {
		if r.answers(method) {
			m.route = r
			return true
		}
	}
	m.others = append(m.others, b.routes...)
	return false
}

// answers reports whether the route takes this method: GET brings HEAD along.
func (r *route) answers(method string) bool {
	return r.method == method || method == "HEAD" && r.answersHead()
}

// answersHead: HEAD changes nothing, so it is not for what a GET spends or ends.
func (r *route) answersHead() bool {
	if e := r.endpoint; e != nil && (e.kind == tokenEndpoint || e.kind == refreshEndpoint || e.kind == revokeEndpoint) {
		return false
	}
	return r.method == "GET"
}

// matchHost captures the variables of a host pattern and gives their number.
func matchHost(labels []part, host string, values *[maxVariables]string) (int, bool) {
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host = host[:i]
	}
	captured := 0
	for i, p := range labels {
		label, rest, more := strings.Cut(host, ".")
		if more != (i < len(labels)-1) || label == "" {
			return 0, false
		}
		switch {
		case !p.variable && !strings.EqualFold(p.text, label):
			return 0, false
		case p.variable && captured < maxVariables:
			values[captured] = strings.ToLower(label)
			captured++
		}
		host = rest
	}
	return captured, true
}

// unescapeSegment decodes what stands in a variable's place. A slash that was
// hidden in it is no part of any id.
func unescapeSegment(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 {
		return s, true
	}
	value, err := url.PathUnescape(s)
	if err != nil || strings.ContainsAny(value, "/\\") || value == "" {
		return "", false
	}
	return value, true
}

// allow is the Allow header of a 405 (RFC 9110 §10.2.1).
func allow(routes []*route) string {
	var list []string
	add := func(m string) {
		if !slices.Contains(list, m) {
			list = append(list, m)
		}
	}
	for _, r := range routes {
		add(r.method)
		if r.answersHead() {
			add("HEAD")
		}
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}
