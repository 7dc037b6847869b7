package dialect

import (
	"slices"
	"strings"

	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/yamlfile"
)

// endpoint compiles what all endpoints' blocks share. A nil block is the RFC's.
func (c *compiler) endpoint(kind endpointKind, s *endpointSpec, usual string) *endpoint {
	e := &endpoint{kind: kind, known: map[string]bool{}, own: s != nil}
	if s == nil {
		s = &endpointSpec{Node: c.spec.Node}
	}
	e.node = s.Node
	if e.own {
		for _, p := range s.Node.Unknown(keysOf[kind.String()]...) {
			if !slices.Contains(c.problems, p) { // told already, if no endpoint has the key
				c.problems = append(c.problems, p)
			}
		}
	}
	if len(s.At) == 0 {
		if usual == "" {
			c.reportKey(s.Node, "at", "say where it is, as in at: POST /oauth/token")
			return e
		}
		s.At = yamlfile.OneOrMany[string]{usual}
	}
	for _, at := range s.At {
		r, err := parseRoute(at)
		if err != nil {
			c.reportKey(s.Node, "at", "%v", err)
			continue
		}
		e.routes = append(e.routes, r)
	}
	for _, name := range s.Require {
		if !isToken(name) {
			c.reportKey(s.Node, "require_headers", "%q is no header", name)
		}
		e.headers = append(e.headers, name)
	}
	return e
}

// notInRFCs are the inputs that have no usual place.
var notInRFCs = []inputID{inTenant, inAccountID, inUserScope, inAccessToken, inAssertion, inAssertionType}

// read compiles the places of an endpoint's inputs.
func (c *compiler) read(e *endpoint, s *endpointSpec, ids []inputID, usual placeKind) {
	for _, id := range ids {
		if !slices.Contains(notInRFCs, id) {
			e.inputs[id].places = []place{{kind: usual, name: inputNames[id]}}
		}
	}
	if usual == inBody {
		e.inputs[inClientID].places = append(e.inputs[inClientID].places, place{kind: inBasicUser, name: "user"})
		e.inputs[inClientSecret].places = append(e.inputs[inClientSecret].places, place{kind: inBasicPassword, name: "password"})
	}
	if s == nil && usual == inBody { // the RFC's own endpoints take private_key_jwt, others where their file says so
		e.inputs[inAssertion].places = []place{{kind: inBody, name: inputNames[inAssertion]}}
	}
	if s != nil {
		c.ownPlaces(e, s, ids, usual)
	}
	if t := &e.inputs[inAssertionType]; len(e.inputs[inAssertion].places) > 0 && len(t.places) == 0 && !t.none && t.missing == rfc {
		t.places = []place{{kind: inBody, name: inputNames[inAssertionType]}}
	}
	for _, r := range e.routes {
		c.variables(e, r, ids)
	}
	for _, in := range e.inputs {
		for _, p := range in.places {
			if p.kind == inQuery || p.kind == inBody {
				e.known[p.name] = true
			}
		}
	}
}

func (c *compiler) ownPlaces(e *endpoint, s *endpointSpec, ids []inputID, usual placeKind) {
	for _, r := range s.Read {
		id, ok := inputNamed(r.Key)
		if !ok || !slices.Contains(ids, id) {
			c.report(r.Node, "%q is no input of %s%s", r.Key, e.kind, yamlfile.Suggest(r.Key, namesOf(ids)))
			continue
		}
		in := &e.inputs[id]
		in.places = c.places(r.Value, usual)
		in.none = r.Value.None
		c.words(in, r.Value.Of.Map)
		c.otherID(in, id, r.Value)
		switch r.Value.Of.Both {
		case "":
		case "equal":
			in.both = true
		default:
			c.report(r.Node, "both: only equal is known here")
		}
	}
	if s.Map != nil {
		c.translations(e, s.Map, ids)
	}
	if s.Absent != nil {
		c.absences(e, s.Absent, ids)
	}
}

// otherID reads is: app.attr.X, for wires that know an app by another of its ids.
func (c *compiler) otherID(in *input, id inputID, s readSpec) {
	if s.Of.Is == "" {
		return
	}
	name, ok := strings.CutPrefix(s.Of.Is, "app.attr.")
	if !ok || !isName(name) || id != inClientID {
		c.report(s.Node, "is: %q: only a client_id can be another of the app's ids; write is: app.attr.NAME", s.Of.Is)
		return
	}
	in.is = name
}

// translations reads map: {auth_code: code} for the input whose words vary most,
// or map: {response_type: {auth_code: code}} for any.
func (c *compiler) translations(e *endpoint, n *yamlfile.Node, ids []inputID) {
	usual := inGrantType
	if e.kind == authorizeEndpoint {
		usual = inResponseType
	}
	if n.Kind != yamlfile.Mapping {
		c.report(n, "write a mapping of the wire's words to what they mean, as in {auth_code: code}")
		return
	}
	for _, m := range n.Members {
		if m.Value.Kind == yamlfile.Scalar {
			c.words(&e.inputs[usual], yamlfile.Ordered[string]{{Key: m.Key, Value: scalarText(m.Value)}})
			continue
		}
		id, ok := inputNamed(m.Key)
		if !ok || !slices.Contains(ids, id) {
			c.report(m.Value, "%q is no input of %s%s", m.Key, e.kind, yamlfile.Suggest(m.Key, namesOf(ids)))
			continue
		}
		var words yamlfile.Ordered[string]
		c.problems = append(c.problems, m.Value.Decode(&words)...)
		c.words(&e.inputs[id], words)
	}
}

// words adds translations of an input's words.
func (c *compiler) words(in *input, words yamlfile.Ordered[string]) {
	for _, w := range words {
		if in.words == nil {
			in.words = map[string]string{}
		}
		in.words[w.Key] = w.Value
	}
}

func namesOf(ids []inputID) []string {
	var out []string
	for _, id := range ids {
		out = append(out, inputNames[id])
	}
	return out
}

func (c *compiler) places(s readSpec, usual placeKind) []place {
	var out []place
	for _, text := range s.Of.From {
		p, err := parsePlace(text)
		if err != nil {
			c.report(s.Node, "%v", err)
			continue
		}
		if usual == inQuery && p.kind == inBody {
			c.report(s.Node, "%q: an authorize request has no body of its own; write query %s", text, p.name)
			continue
		}
		out = append(out, p)
	}
	if len(out) == 0 && !s.None && len(s.Of.From) == 0 {
		c.report(s.Node, "say where it is found, as in body code")
	}
	return out
}

// variables makes a route's variables the places of the inputs they name. The
// parameter of that name, if it comes too, must be equal.
func (c *compiler) variables(e *endpoint, r *route, ids []inputID) {
	for _, name := range r.variables() {
		id, ok := inputNamed(name)
		if !ok || !slices.Contains(ids, id) && id != inTenant {
			if c.keeps(name) || c.placed(e, name) {
				continue
			}
			c.problems = append(c.problems, c.spec.Node.Problem("%s: the variable {%s} is the place of nothing%s",
				r, name, yamlfile.Suggest(name, append(namesOf(ids), "tenant"))))
			continue
		}
		in := &e.inputs[id]
		v := place{kind: inVariable, name: name}
		if !slices.Contains(in.places, v) {
			in.places = append([]place{v}, in.places...)
		}
		in.both = true
	}
}

// placed reports whether an input of the endpoint is read from this variable.
func (c *compiler) placed(e *endpoint, variable string) bool {
	for _, in := range e.inputs {
		if slices.Contains(in.places, place{kind: inVariable, name: variable}) {
			return true
		}
	}
	return slices.ContainsFunc(e.token.places, func(p place) bool { return p.kind == inVariable && p.name == variable })
}

func (c *compiler) absences(e *endpoint, n *yamlfile.Node, ids []inputID) {
	if n.Kind != yamlfile.Mapping {
		c.report(n, "write a mapping of inputs, as in {redirect_uri: skip}")
		return
	}
	for _, m := range n.Members {
		id, ok := inputNamed(m.Key)
		if !ok || !slices.Contains(ids, id) {
			c.report(m.Value, "%q is no input of %s%s", m.Key, e.kind, yamlfile.Suggest(m.Key, namesOf(ids)))
			continue
		}
		in := &e.inputs[id]
		if id == inClientID && e.kind != authorizeEndpoint && c.naming(in, m.Value) {
			continue
		}
		switch word := scalarText(m.Value); {
		case word == "refuse":
			in.missing = refused
		case word == "skip":
			in.missing = skipped
		case word == "the registered one" && id == inRedirectURI:
			in.missing = registered
		case strings.HasPrefix(word, "by ") || word == "the registered one" || word == "":
			c.report(m.Value, "%q is no meaning of an absent %s", word, m.Key)
		default:
			in.missing, in.literal = isLiteral, word
		}
	}
}

// naming reads by secret, by code, by token, or a list of these.
func (c *compiler) naming(in *input, n *yamlfile.Node) bool {
	nodes := []*yamlfile.Node{n}
	if n.Kind == yamlfile.Sequence {
		nodes = n.Items
	}
	for _, one := range nodes {
		by, ok := strings.CutPrefix(scalarText(one), "by ")
		named := oauth.NamedBy(by)
		if !ok || !slices.Contains([]oauth.NamedBy{oauth.NamedBySecret, oauth.NamedByCode, oauth.NamedByToken}, named) {
			return false
		}
		in.named = append(in.named, named)
	}
	in.missing = byOther
	return true
}

func (c *compiler) accepted(s acceptsSpec, usual ...string) []accepted {
	if s.Node == nil {
		for _, name := range usual {
			s.Table = append(s.Table, yamlfile.Entry[yamlfile.OneOrMany[string]]{Key: name, Value: usualTypes[name]})
		}
	}
	var out []accepted
	for _, entry := range s.Table {
		if usualTypes[entry.Key] == nil {
			c.report(s.Node, "unknown encoding %q%s", entry.Key, yamlfile.Suggest(entry.Key, []string{"json", "form"}))
			continue
		}
		for _, media := range entry.Value {
			if media != "none" && !mediaPattern.MatchString(media) {
				c.report(s.Node, "%q is no media type; write application/json, application/*+json or none", media)
			}
			out = append(out, accepted{media: strings.ToLower(media), json: entry.Key == "json"})
		}
	}
	return out
}
