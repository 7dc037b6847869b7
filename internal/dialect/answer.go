package dialect

import (
	"cmp"
	"net/http"
	"slices"
	"strings"

	"postern.dev/postern/internal/yamlfile"
)

// answer is how a success is said: status, type, headers of the file's own, and
// the body.
type answer struct {
	status  int
	types   []answerType // by Accept; the first is the usual one
	headers []member
	body    tree
	empty   bool
}

// answerType is an encoding of the body, for an Accept of this media type.
type answerType struct {
	accept string
	form   bool
}

var (
	jsonType = []string{"application/json; charset=utf-8"}
	formType = []string{"application/x-www-form-urlencoded; charset=utf-8"}
	noStore  = []string{"no-store"}
)

// floorHeaders are set by the door alone; no file can.
var floorHeaders = []string{"Location", "Set-Cookie", "Cache-Control", "Content-Type", "Content-Length", "Content-Encoding",
	"Transfer-Encoding", "Connection", "Www-Authenticate", "Retry-After", "Allow", "Refresh", "Date", "Vary",
	"Strict-Transport-Security", "Content-Security-Policy", "Link", "Clear-Site-Data", "Trailer", "Upgrade"}

// answer compiles a tree, or, where it has the key body, the long form.
func (c *compiler) answer(n *yamlfile.Node) *answer {
	a := &answer{status: http.StatusOK, types: []answerType{{}}}
	if n.Kind != yamlfile.Mapping || n.Member("body") == nil {
		a.body = c.mappingTree(n)
		return a
	}
	var long struct {
		Status  int                              `yaml:"status"`
		Type    yamlfile.Node                    `yaml:"type"`
		Headers yamlfile.Ordered[*yamlfile.Node] `yaml:"headers"`
		Body    *yamlfile.Node                   `yaml:"body"`
	}
	c.problems = append(c.problems, n.Decode(&long)...)
	a.status = cmp.Or(long.Status, a.status)
	if a.status < 200 || a.status > 299 {
		c.reportKey(n, "status", "a success has a status of 200 to 299")
	}
	c.answerHeaders(a, long.Headers)
	if n.Member("type") != nil {
		a.types = c.answerTypes(&long.Type)
	}
	if long.Body.Kind == yamlfile.Scalar && long.Body.Text == "empty" {
		a.empty = true
		return a
	}
	a.body = c.mappingTree(long.Body)
	if slices.ContainsFunc(a.types, func(t answerType) bool { return t.form }) {
		c.flatObject(long.Body)
	}
	return a
}

func (c *compiler) answerHeaders(a *answer, headers yamlfile.Ordered[*yamlfile.Node]) {
	for _, h := range headers {
		name := http.CanonicalHeaderKey(h.Key)
		switch {
		case !isToken(h.Key):
			c.report(h.Node, "%q is no header", h.Key)
		case slices.Contains(floorHeaders, name) || strings.HasPrefix(name, "Access-Control-"):
			c.report(h.Node, "the header %s is the server's own affair; no file sets it", name)
		default:
			a.headers = append(a.headers, member{name: name, tree: c.leaf(h.Node)})
		}
	}
}

// answerTypes reads json, form, or a table by Accept.
func (c *compiler) answerTypes(n *yamlfile.Node) []answerType {
	kind := func(n *yamlfile.Node) bool {
		if n.Text != "json" && n.Text != "form" {
			c.report(n, "unknown type %q; known: json, form", n.Text)
		}
		return n.Text == "form"
	}
	if n.Kind != yamlfile.Mapping {
		return []answerType{{form: kind(n)}}
	}
	types := []answerType{{}}
	for _, m := range n.Members {
		if m.Key == "default" {
			types[0].form = kind(m.Value)
			continue
		}
		types = append(types, answerType{strings.ToLower(m.Key), kind(m.Value)})
	}
	return types
}

// asForm chooses the encoding by the request's Accept.
func asForm(types []answerType, r *http.Request) bool {
	if len(types) > 1 {
		accept := strings.ToLower(r.Header.Get("Accept"))
		for _, t := range types[1:] {
			for one := range strings.SplitSeq(accept, ",") {
				media, _, _ := strings.Cut(one, ";")
				if strings.TrimSpace(media) == t.accept {
					return t.form
				}
			}
		}
	}
	return types[0].form
}

// errors is the table that an endpoint's refusals begin with: the RFC's, said in
// the encoding of the endpoint's answers.
func (a *answer) errors() *errorTable {
	t := *rfcErrors
	t.types = a.types
	return &t
}

// write says the answer. What carries a credential is never stored by a cache.
func (a *answer) write(w http.ResponseWriter, r *http.Request, v *values) {
	h := w.Header()
	h["Cache-Control"] = noStore
	for _, m := range a.headers {
		if d := m.tree.(leaf).datum(v); d.kind != absent && d.kind != isNull {
			h[m.name] = []string{headerText(string(d.appendText(nil, v.dialect.scopes.join)))}
		}
	}
	if a.empty {
		w.WriteHeader(a.status)
		return
	}
	writeBody(w, r, a.status, a.types, a.body, v)
}

func writeBody(w http.ResponseWriter, r *http.Request, status int, types []answerType, body tree, v *values) {
	h := w.Header()
	b := make([]byte, 0, 512)
	if o, ok := body.(*object); ok && asForm(types, r) && o.flat() {
		h["Content-Type"] = formType
		b = o.appendForm(b, v)
	} else {
		h["Content-Type"] = jsonType
		b, _ = body.appendJSON(b, v)
	}
	if len(types) > 1 {
		h["Vary"] = []string{"Accept"}
	}
	w.WriteHeader(status)
	w.Write(b) // the status is out: a failure now is the connection's, and the next read of it tells
}

// headerText leaves out what no header value can hold (RFC 9110 §5.5).
func headerText(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return -1
		}
		return r
	}, s)
}
