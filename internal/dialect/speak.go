package dialect

import (
	"cmp"
	"context"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Speaker is a dialect read backwards: an app of a partner's that talks to a
// server in it. What it sends and where it finds what it is told come from the
// dialect's file alone, so guides and samples made of it cannot be wrong.
//
// It sends what the wire needs and no more: an input whose absence the file
// allows is left out.
type Speaker struct {
	Dialect *Dialect
	// Server is the origin at which the dialect is served. A route on a host of
	// its own keeps the origin's scheme and port.
	Server string

	ClientID     string
	ClientSecret string
	RedirectURL  string
	Scopes       []string
	Attributes   map[string]string // of the app, on wires that know it by one
	Tenant       string            // the account's own name, on wires that put it into the address
	Kept         map[string]string // what further variables of an address stand for

	// Sign makes what an app signs in the place of showing a secret
	// (private_key_jwt): another text for each request. nil: it has no key.
	Sign func() string
}

// UsesPKCE reports whether the app should send a challenge: where the wire
// demands one, and where its metadata says that it knows them (RFC 8414 §2).
func (s *Speaker) UsesPKCE() bool {
	return s.Dialect.terms.PKCE == "required" || s.Dialect.first(metadataEndpoint) != nil
}

// Authorize is the address that a person is sent to. The challenge is of S256;
// empty: none.
func (s *Speaker) Authorize(state, challenge string) string {
	given := s.given()
	given[inResponseType], given[inState] = "code", state
	given[inScope] = strings.Join(s.Scopes, s.Dialect.scopes.separator())
	if s.Dialect.terms.NoScopes {
		given[inScope] = ""
	}
	if challenge != "" {
		given[inChallenge], given[inChallengeMethod] = challenge, "S256"
	}
	return s.say(s.Dialect.first(authorizeEndpoint), given, authorizeInputs).URL
}

// separator is what parts scopes in a request: as answers join them, where the
// wire reads that too.
func (s *scopeSyntax) separator() string {
	if s.join != "" && strings.Contains(s.split, s.join) || s.split == "" {
		return s.join
	}
	return s.split[:1]
}

// Redeem exchanges a code; the verifier is of the challenge that was sent.
func (s *Speaker) Redeem(code, verifier string) *Request {
	given := s.proved()
	given[inGrantType], given[inCode], given[inVerifier] = s.Dialect.grantName(byCode), code, verifier
	return s.say(s.Dialect.first(tokenEndpoint), given, tokenInputs)
}

// Refresh asks for another access token; nil where the wire has no refresh.
func (s *Speaker) Refresh(refreshToken string) *Request {
	if !s.Dialect.refreshes() {
		return nil
	}
	given := s.proved()
	given[inRedirectURI] = ""
	given[inGrantType], given[inRefreshToken] = s.Dialect.grantName(byRefresh), refreshToken
	e := s.Dialect.first(refreshEndpoint)
	if e != nil {
		given[inGrantType] = ""
	}
	return s.say(cmp.Or(e, s.Dialect.first(tokenEndpoint)), given, tokenInputs)
}

// Whoami is the wire's test call; nil where it has none.
func (s *Speaker) Whoami(accessToken string) *Request {
	e := s.Dialect.testCall()
	if e == nil {
		return nil
	}
	return s.hold(e, accessToken)
}

// testCall is the first address that tells what an access token stands for.
func (d *Dialect) testCall() *endpoint {
	for _, e := range d.endpoints {
		if e.kind == whoamiEndpoint && !e.refresh {
			return e
		}
	}
	return nil
}

// Call presents an access token to the API.
func (s *Speaker) Call(method, address, accessToken string) *Request {
	w := &writing{request: &Request{Method: method}}
	w.hold(s.Dialect.api.places, accessToken)
	return w.finish(address)
}

// Revoke ends what the tokens stand for, by the route that ends the most; nil
// where the wire leaves that to people.
func (s *Speaker) Revoke(t Told) *Request {
	var e *endpoint
	for _, one := range s.Dialect.endpoints {
		if one.kind == revokeEndpoint && (e == nil || one.ends && !e.ends) {
			e = one
		}
	}
	switch {
	case e == nil:
		return nil
	case e.byHolder && e.refresh:
		return s.hold(e, t["refresh_token"])
	case e.byHolder:
		return s.hold(e, t["access_token"])
	}
	given := s.proved()
	if len(e.inputs[inAccountID].places) > 0 {
		given[inAccountID] = t["account.id"]
	} else if e.ends {
		given[inToken] = t["access_token"]
	} else {
		given[inToken] = cmp.Or(t["refresh_token"], t["access_token"]) // RFC 7009 §2.1: with it go its access tokens
	}
	return s.say(e, given, revokeInputs)
}

// Callback is what the person's browser brings back to the app.
type Callback struct{ Code, State, Error string }

// Callback reads the parameters of the redirect URL.
func (s *Speaker) Callback(query url.Values) Callback {
	told := Told{}
	for _, o := range []*object{s.Dialect.allowed, s.Dialect.failed} {
		for _, m := range o.members {
			if query.Has(m.name) {
				told.read(m.tree, query.Get(m.name))
			}
		}
	}
	return Callback{told["code"], told["state"], told["error"]}
}

// Answer reads a token answer. Without an access token it is a refusal,
// whatever its status says.
func (s *Speaker) Answer(mediaType, body string) Told {
	told := Told{}
	if value, ok := readBodyAs(mediaType, body); ok {
		told.read(s.Dialect.first(tokenEndpoint).answer.body, value)
	}
	return told
}

// Hosts are the hosts that the file binds the dialect's pages ("login") and its
// other addresses ("api") to; empty: any.
func (d *Dialect) Hosts() map[string]string {
	hosts := map[string]string{}
	for which, labels := range map[string][]part{"login": d.loginHost, "api": d.apiHost} {
		if len(labels) > 0 {
			hosts[which] = join(labels, ".")
		}
	}
	return hosts
}

// given are the values that any endpoint may ask of the app.
func (s *Speaker) given() map[inputID]string {
	return map[inputID]string{inClientID: s.ClientID, inRedirectURI: s.RedirectURL}
}

// proved are given, with what proves the app.
func (s *Speaker) proved() map[inputID]string {
	given := s.given()
	given[inClientSecret] = s.ClientSecret
	if s.Sign != nil {
		given[inAssertion], given[inAssertionType] = s.Sign(), assertionType
	}
	return given
}

func (d *Dialect) first(kind endpointKind) *endpoint {
	for _, e := range d.endpoints {
		if e.kind == kind {
			return e
		}
	}
	return nil
}

func (d *Dialect) grantName(m meaning) string {
	for _, g := range d.grants {
		if g.meaning == m {
			return g.name
		}
	}
	return ""
}

// say writes each value into the first place that the endpoint reads it from.
func (s *Speaker) say(e *endpoint, given map[inputID]string, ids []inputID) *Request {
	w := s.begin(e)
	for _, id := range ids {
		in := &e.inputs[id]
		value := given[id]
		if in.is != "" {
			value = s.Attributes[in.is]
		}
		if w.inAddress(in) {
			if value != "" {
				w.variables[in.places[0].name] = value
			}
			continue
		}
		if id == inClientID && given[inAssertion] != "" && len(in.places) > 0 && in.places[0].kind == inBasicUser {
			continue // Basic would be a second proof; what the app signed names it (RFC 7521 §4.2)
		}
		if value != "" && !in.goesWithout(value) {
			w.putFirst(in.places, in.wireWord(value))
		}
	}
	if w.request.Basic && w.request.User == "" { // the address has named the app, and Basic names it too
		w.request.User = given[inClientID]
	}
	return w.finish(s.address(w))
}

// goesWithout reports whether leaving the input out means this value, or is
// allowed whatever it is.
func (in *input) goesWithout(value string) bool {
	switch in.missing {
	case rfc, refused:
		return false
	case isLiteral:
		return in.literal == value
	}
	return true
}

// wireWord is what the wire calls a value.
func (in *input) wireWord(value string) string {
	for _, word := range slices.Sorted(maps.Keys(in.words)) {
		if in.words[word] == value {
			return word
		}
	}
	return value
}

// hold writes a request whose proof is the token.
func (s *Speaker) hold(e *endpoint, token string) *Request {
	w := s.begin(e)
	w.hold(e.token.places, token)
	return w.finish(s.address(w))
}

func (s *Speaker) begin(e *endpoint) *writing {
	r := s.Dialect.mountedRoutes(e)[0]
	w := &writing{route: r, accepts: e.accepts, variables: map[string]string{}, request: &Request{Method: r.method}}
	if s.Tenant != "" {
		w.variables[inputNames[inTenant]] = s.Tenant
	}
	w.readsBody = r.method != "GET" && (e.byHolder || len(e.accepts) > 0)
	for _, name := range e.headers {
		w.request.Header = append(w.request.Header, Header{name, "1"})
	}
	for _, a := range e.answerTypes() {
		w.request.Header = append(w.request.Header, Header{"Accept", a})
	}
	return w
}

// answerTypes is the JSON that an app asks for where it has the choice.
func (e *endpoint) answerTypes() []string {
	if e.answer == nil {
		return nil
	}
	for _, t := range e.answer.types {
		if t.accept != "" && !t.form {
			return []string{t.accept}
		}
	}
	return nil
}

// address is the route's, with its variables filled in.
func (s *Speaker) address(w *writing) string {
	fill := func(parts []part, separator string) string {
		texts := make([]string, len(parts))
		for i, p := range parts {
			texts[i] = p.text
			if p.variable {
				texts[i] = string(appendEscaped(nil, cmp.Or(w.variables[p.text], s.Kept[p.text], "demo")))
			}
		}
		return strings.Join(texts, separator)
	}
	server := s.Server
	if u, err := url.Parse(server); err == nil && len(w.route.host) > 0 {
		u.Host = fill(w.route.host, ".") + strings.TrimPrefix(u.Host, u.Hostname())
		server = u.String()
	}
	return server + "/" + fill(w.route.path, "/")
}

// writing is a request that is being composed.
type writing struct {
	request   *Request
	route     *route
	accepts   []accepted
	readsBody bool
	variables map[string]string
	query     []field
	body      []field
}

// inAddress reports whether the route itself holds the input.
func (w *writing) inAddress(in *input) bool {
	return len(in.places) > 0 && in.places[0].kind == inVariable && slices.Contains(w.route.variables(), in.places[0].name)
}

func (w *writing) hold(places []place, token string) {
	w.readsBody = w.request.Method != "GET"
	if len(w.accepts) == 0 {
		w.accepts = []accepted{{media: usualTypes["form"][0]}}
	}
	w.putFirst(places, token)
}

// putFirst writes a value into the first place that this request has.
func (w *writing) putFirst(places []place, value string) {
	for _, p := range places {
		if w.put(p, p.encode(value)) {
			return
		}
	}
}

func (w *writing) put(p place, value string) bool {
	switch r := w.request; p.kind {
	case inVariable:
		if w.route == nil || !slices.Contains(w.route.variables(), p.name) {
			return false
		}
		w.variables[p.name] = value
	case inQuery:
		w.query = append(w.query, field{name: p.name, value: value})
	case inBody:
		if !w.readsBody {
			return false
		}
		w.body = append(w.body, field{name: p.name, value: value})
	case inHeader:
		r.Header = append(r.Header, Header{p.name, value})
	case inScheme:
		r.Header = append(r.Header, Header{"Authorization", p.name + " " + value})
	case inBasicUser:
		r.Basic, r.User = true, value
	case inBasicPassword:
		r.Basic, r.Password = true, value
	}
	return true
}

// finish puts the parts together.
func (w *writing) finish(address string) *Request {
	r := w.request
	r.URL = address
	if len(w.query) > 0 {
		r.URL += "?" + string(formOfFields(w.query))
	}
	if len(w.body) == 0 {
		return r
	}
	media := w.accepts[0].media
	if !mediaPattern.MatchString(media) || strings.Contains(media, "*") {
		media = usualTypes[map[bool]string{true: "json", false: "form"}[w.accepts[0].json]][0]
	}
	r.Header = append(r.Header, Header{"Content-Type", media})
	if w.accepts[0].json {
		r.Body = string(jsonOfFields(w.body))
	} else {
		r.Body = string(formOfFields(w.body))
	}
	return r
}

func formOfFields(all []field) (b []byte) {
	for i, f := range all {
		if i > 0 {
			b = append(b, '&')
		}
		b = append(appendEscaped(b, f.name), '=')
		b = appendEscaped(b, f.value)
	}
	return b
}

func jsonOfFields(all []field) []byte {
	b := []byte{'{'}
	for i, f := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(appendJSONString(b, f.name), ':')
		b = appendJSONString(b, f.value)
	}
	return append(b, '}')
}

// encode is the other way of decode.
func (p place) encode(s string) string {
	switch p.encoding {
	case asBase64:
		return base64.StdEncoding.EncodeToString([]byte(s))
	case asBase64URL:
		return base64.RawURLEncoding.EncodeToString([]byte(s))
	}
	return s
}

// Request is what an app sends, as on the wire.
type Request struct {
	Method string
	URL    string
	Header []Header // in order, without Authorization: Basic
	Body   string

	// Basic: the request authenticates with a user name and a password (RFC 7617).
	Basic          bool
	User, Password string
}

// Header is one header of a request.
type Header struct{ Name, Value string }

// HTTP is the request for an HTTP client, but for the body.
func (r *Request) HTTP(ctx context.Context) (*http.Request, error) {
	out, err := http.NewRequestWithContext(ctx, r.Method, r.URL, nil)
	if err != nil {
		return nil, err
	}
	for _, h := range r.Header {
		out.Header.Set(h.Name, h.Value)
	}
	if r.Basic {
		out.SetBasicAuth(url.QueryEscape(r.User), url.QueryEscape(r.Password)) // RFC 6749 §2.3.1
	}
	return out, nil
}

// Curl is the request as a command to paste into a shell. Each of the blanks is
// a word that stands in the request in the place of something not known yet; in
// the command it is a variable of the shell.
func (r *Request) Curl(blanks ...string) string {
	words := []string{"curl"}
	if r.Method != "GET" {
		words = append(words, "-X "+r.Method)
	}
	words = append(words, shellQuoted(r.URL, blanks))
	if r.Basic {
		words = append(words, "-u "+shellQuoted(r.User+":"+r.Password, blanks))
	}
	for _, h := range r.Header {
		words = append(words, "-H "+shellQuoted(h.Name+": "+h.Value, blanks))
	}
	if r.Body != "" {
		words = append(words, "-d "+shellQuoted(r.Body, blanks))
	}
	return strings.Join(words, " ")
}

// shellQuoted is a text in single quotes, which the shell leaves alone, with
// gaps for variables.
func shellQuoted(text string, blanks []string) string {
	out := "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	for _, blank := range blanks {
		out = strings.ReplaceAll(out, blank, fmt.Sprintf(`'"$%s"'`, blank))
		coded := base64.StdEncoding.EncodeToString([]byte(blank))
		out = strings.ReplaceAll(out, coded, fmt.Sprintf(`'"$(printf %%s "$%s" | base64)"'`, blank))
	}
	return strings.TrimSuffix(strings.TrimPrefix(out, "''"), "''")
}
