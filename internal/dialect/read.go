package dialect

import (
	"encoding/base64"
	"io"
	"mime"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"postern.dev/postern"
)

// maxBody is how large a request's body may be, in bytes.
const maxBody = 64 << 10

// accepted is a media type that an endpoint reads, and as what.
type accepted struct {
	media string // "none": a body without a type
	json  bool
}

var mediaPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9!#$&^_.+-]*/(\*|\*\+[a-z0-9.]+|[a-z0-9][a-z0-9!#$&^_.+-]*)$`)

func (a accepted) matches(media string) bool {
	if prefix, suffix, ok := strings.Cut(a.media, "*"); ok {
		return strings.HasPrefix(media, prefix) && strings.HasSuffix(media, suffix) && len(media) > len(prefix)+len(suffix)
	}
	return a.media == media
}

func invalid(rule postern.Rule, format string, args ...any) *postern.Error {
	return postern.Because(postern.InvalidRequest, rule, format, args...)
}

func twice(name string) *postern.Error {
	return invalid("parameter_twice", "The parameter %q is given twice.", name).With("name", name)
}

// readBody reads the whole body, up to the limit and no byte further.
func readBody(w http.ResponseWriter, r *http.Request) (string, error) {
	tooLarge := withStatus(http.StatusRequestEntityTooLarge, "body_too_large", "The body is larger than 64 KiB.")
	if r.ContentLength > maxBody {
		return "", tooLarge
	}
	if r.Body == nil || r.ContentLength == 0 {
		return "", nil
	}
	data, err := readAll(http.MaxBytesReader(w, r.Body, maxBody), r.ContentLength)
	if _, ok := err.(*http.MaxBytesError); ok {
		return "", tooLarge
	}
	if err != nil {
		return "", invalid("body_cut_short", "The body did not arrive whole.")
	}
	return string(data), nil
}

func readAll(r io.Reader, length int64) ([]byte, error) {
	if length < 0 {
		return io.ReadAll(r)
	}
	data := make([]byte, length)
	_, err := io.ReadFull(r, data)
	return data, err
}

// readParameters reads a machine's request: size, media type, syntax, in this
// order. The URL's query is read only where the endpoint has a place in it.
func (c *call) readParameters() error {
	body, err := readBody(&c.w, c.r)
	if err != nil {
		return err
	}
	if c.r.Method == http.MethodGet || c.r.Method == http.MethodHead || c.r.Method == http.MethodDelete && body == "" {
		err = c.refusePrefetch() // such requests say all in the address
	} else if err = c.parseBody(body); err != nil {
		c.glance(body)
	}
	if err != nil {
		return err
	}
	if c.takesQuery() {
		if c.query, err = parseQuery(c.r.URL.RawQuery, nil); err != nil {
			return invalid("query_malformed", "The query of the address is not well-formed.")
		}
	}
	for _, f := range []fields{c.body, c.query} {
		if name, is := f.repeated(c.known); is {
			return twice(name)
		}
	}
	return nil
}

// refusePrefetch: a browser that fetches ahead would spend a code that nobody
// asked it to.
func (c *call) refusePrefetch() error {
	for _, name := range []string{"Purpose", "Sec-Purpose", "X-Purpose", "X-Moz"} {
		if strings.Contains(strings.ToLower(c.r.Header.Get(name)), "prefetch") || strings.Contains(strings.ToLower(c.r.Header.Get(name)), "preview") {
			return invalid("fetched_ahead", "This request is not to be fetched ahead.")
		}
	}
	return nil
}

func (c *call) known(name string) bool { return c.e.known[name] }

func (c *call) takesQuery() bool {
	for i := range c.e.inputs {
		if slices.ContainsFunc(c.e.inputs[i].places, func(p place) bool { return p.kind == inQuery }) {
			return true
		}
	}
	return false
}

// parseBody reads the body as its type says, never as it looks.
func (c *call) parseBody(body string) error {
	media, ok := mediaOf(c.r)
	if !ok {
		return c.wrongType()
	}
	i := slices.IndexFunc(c.e.accepts, func(a accepted) bool { return a.matches(media) })
	if i < 0 {
		return c.wrongType()
	}
	var err error
	c.json = c.e.accepts[i].json
	if c.json {
		if c.body, err = parseJSON(body, c.buffer[:0]); err != nil {
			return invalid("body_not_json", "The body is not one well-formed JSON object.").With("form", looksLikeForm(body))
		}
		return nil
	}
	if c.e.readsJSON() && looksLikeJSON(body) {
		return c.wrongType()
	}
	if c.body, err = parseForm(body, c.buffer[:0]); err != nil {
		return invalid("body_not_form", "The body is not a well-formed form.").With("json", looksLikeJSON(body))
	}
	return nil
}

// glance reads a body that is refused already as what it looks like: nothing is
// decided by it, but its app's people find the request in their log. JSON in
// place of a form is what newcomers send most often.
func (c *call) glance(body string) {
	switch {
	case looksLikeJSON(body):
		c.body, _ = parseJSON(body, c.buffer[:0])
	case looksLikeForm(body):
		c.body, _ = parseForm(body, c.buffer[:0])
	}
}

func (c *call) wrongType() error {
	return invalid("media_type_wrong", "Send the body as %s.", c.e.usualType()).
		With("sent", c.r.Header.Get("Content-Type")).With("wanted", c.e.usualType())
}

func looksLikeForm(body string) bool {
	name, _, ok := strings.Cut(body, "=")
	return ok && scopeName(name)
}

func looksLikeJSON(body string) bool {
	body = strings.TrimLeft(body, " \t\r\n")
	return body != "" && (body[0] == '{' || body[0] == '[')
}

func (e *endpoint) readsJSON() bool {
	return slices.ContainsFunc(e.accepts, func(a accepted) bool { return a.json })
}

// usualType is the media type that callers are told to use.
func (e *endpoint) usualType() string {
	if len(e.accepts) == 0 {
		return "nothing: this request has no body"
	}
	return e.accepts[0].media
}

// mediaOf is the body's media type in lower case, "none" where there is none. A
// second type, another charset than UTF-8 or an encoded body are refused.
func mediaOf(r *http.Request) (string, bool) {
	types := r.Header["Content-Type"]
	switch {
	case len(types) > 1, len(r.Header["Content-Encoding"]) > 0:
		return "", false
	case len(types) == 0 || types[0] == "":
		return "none", true
	case types[0] == "application/json", types[0] == "application/x-www-form-urlencoded":
		return types[0], true
	}
	media, params, err := mime.ParseMediaType(types[0])
	if err != nil {
		return "", false
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return "", false
	}
	return media, true
}

// formOf is the form that came with a call to the API, if one came: a token
// there must be noticed. What is no form is nobody's affair here.
func formOf(r *http.Request) (fields, *postern.Error) {
	media, ok := mediaOf(r)
	if r.Body == nil || !ok || media != usualTypes["form"][0] {
		return nil, nil
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxBody+1))
	if err != nil || len(body) > maxBody {
		return nil, invalid("body_too_large", "The body is larger than 64 KiB.")
	}
	form, err := parseForm(string(body), nil)
	if err != nil {
		return nil, nil
	}
	return form, nil
}

// basicAuth is what an Authorization header says of the client.
type basicAuth struct {
	read           bool
	tried          bool // the header was there, and of the scheme Basic
	broken         bool // it was, and could not be read
	repeated       bool // there were several Authorization headers
	user, password string
	raw            string // the password as it stood, where decoding changes it
}

// readBasic reads HTTP Basic as RFC 6749 §2.3.1 has it: both halves are
// form-encoded. Many clients leave the encoding out, so what cannot be decoded
// stands as it is.
func (c *call) readBasic() *basicAuth {
	b := &c.basic
	if b.read {
		return b
	}
	b.read = true
	for _, value := range c.r.Header["Authorization"] {
		scheme, credential, _ := strings.Cut(value, " ")
		if !strings.EqualFold(scheme, "Basic") {
			continue
		}
		b.tried = true
		b.repeated = len(c.r.Header["Authorization"]) > 1
		pair, err := base64.StdEncoding.Strict().DecodeString(strings.TrimLeft(credential, " "))
		user, password, ok := strings.Cut(string(pair), ":")
		if err != nil || !ok || user == "" || password == "" || !plain(string(pair)) {
			b.broken = true
			continue
		}
		b.user, b.password = user, password
		if decoded, ok := unescapeForm(user); ok {
			b.user = decoded
		}
		if decoded, ok := unescapeForm(password); ok && decoded != password {
			b.password, b.raw = decoded, password
		}
	}
	return b
}

// at is what stands in a place of this request.
func (c *call) at(p place) (string, *postern.Error) {
	switch p.kind {
	case inVariable:
		value, _ := c.m.value(p.name)
		return value, nil
	case inQuery:
		if f := c.query.find(p.name); f != nil {
			return f.value, nil
		}
		if c.e.kind == authorizeEndpoint { // a POST is like a GET: its form counts as the query
			if f := c.body.find(p.name); f != nil {
				return f.value, nil
			}
		}
	case inBody:
		switch f := c.body.find(p.name); {
		case f == nil || f.kind == null:
			return "", nil
		case f.kind == other:
			return "", invalid("parameter_not_text", "The member %q is not a text.", p.name).With("name", p.name)
		default:
			return f.value, nil
		}
	case inHeader:
		if values := c.r.Header[p.name]; len(values) > 1 {
			return "", invalid("header_twice", "The header %q is given twice.", p.name).With("name", p.name)
		}
		return c.r.Header.Get(p.name), nil
	case inBasicUser:
		return c.readBasic().user, nil
	case inBasicPassword:
		return c.readBasic().password, nil
	case inScheme:
		return c.underScheme(p.name), nil
	}
	return "", nil
}

func (c *call) underScheme(word string) string {
	for _, value := range c.r.Header["Authorization"] {
		scheme, credential, _ := strings.Cut(value, " ")
		if strings.EqualFold(scheme, word) {
			return strings.TrimLeft(credential, " ")
		}
	}
	return ""
}

// value reads an input; empty is absent (RFC 6749 §3.1). Two filled places are
// refused, or must agree where the file says so.
func (c *call) value(id inputID) (string, *postern.Error) {
	in := &c.e.inputs[id]
	found := ""
	for _, p := range in.places {
		raw, err := c.at(p)
		if err != nil && slices.Contains(requiredInputs, id) {
			err = c.missing(id) // xref.md §3, row 5: what is no text is not there
		}
		if err != nil {
			return "", err
		}
		if raw == "" {
			continue
		}
		value, ok := p.decode(raw)
		switch {
		case !ok:
			return "", invalid("parameter_encoding", "The parameter %q is not encoded as it must be.", p.name).With("name", p.name)
		case found != "" && !(in.both || id == inClientID) || found != "" && found != value:
			return "", twoPlaces(id, in)
		}
		found = value
	}
	if word, ok := in.words[found]; ok && found != "" {
		found = word
	}
	if found == "" && in.missing == isLiteral {
		return in.literal, nil
	}
	return found, nil
}

func twoPlaces(id inputID, in *input) *postern.Error {
	if id == inClientID || id == inClientSecret {
		return invalid("client_auth_twice", "Authenticate the client in one place only.")
	}
	return invalid("parameter_in_two_places", "The parameter %q is given in two places.", in.name(id)).With("name", in.name(id))
}

// need reads an input that must be there.
func (c *call) need(id inputID) (string, *postern.Error) {
	value, err := c.value(id)
	if err == nil && value == "" {
		err = c.missing(id)
	}
	return value, err
}

func (c *call) missing(id inputID) *postern.Error {
	in := &c.e.inputs[id]
	return postern.Because(postern.MissingParameter, "parameter_missing", "The %s %q is missing.", postern.Sentence{Text: in.kindOfName(c.json)}, in.name(id)).
		With("name", in.name(id)).With("in_address", c.elsewhere(in.name(id)))
}

// sent reports whether an input is there at all, be it empty.
func (c *call) sent(id inputID) bool {
	for _, p := range c.e.inputs[id].places {
		switch p.kind {
		case inQuery:
			if c.query.find(p.name) != nil {
				return true
			}
		case inBody:
			if f := c.body.find(p.name); f != nil && f.kind != null {
				return true
			}
		}
	}
	return false
}

// parseScopes splits a scope parameter as the dialect writes it: empty parts
// drop out, repeats collapse, the order stays. problem: characters that no scope
// can have.
func (d *Dialect) parseScopes(s string) (scopes []string, problem bool) {
	if d.terms.NoScopes {
		return nil, false
	}
	seen := map[string]bool{}
	for _, name := range strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(d.scopes.split, r) }) {
		if !scopeName(name) {
			return nil, true
		}
		if !seen[name] {
			seen[name] = true
			scopes = append(scopes, name)
		}
	}
	return scopes, false
}

// scopeName: the characters of [A-Za-z0-9._:/-].
func scopeName(s string) bool {
	for i := range len(s) {
		if !letterOrDigit(s[i]) && strings.IndexByte("._:/-", s[i]) < 0 {
			return false
		}
	}
	return true
}
