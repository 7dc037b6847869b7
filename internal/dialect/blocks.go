package dialect

import (
	"cmp"
	"slices"
	"strings"

	"postern.dev/postern/internal/yamlfile"
)

func (c *compiler) authorize() {
	s := c.spec.Authorize
	e := c.endpoint(authorizeEndpoint, s, "GET /oauth/authorize")
	for _, r := range slices.Clone(e.routes) {
		if r.method != "GET" {
			continue
		}
		post := *r
		post.method = "POST"
		if !slices.ContainsFunc(e.routes, func(o *route) bool { return o.String() == post.String() }) {
			e.routes = append(e.routes, &post)
		}
	}
	c.read(e, s, authorizeInputs, inQuery)
	for _, name := range []string{"request", "request_uri", "scope"} {
		e.known[name] = true
	}
	for _, k := range c.d.keep {
		for _, p := range k.places {
			e.known[p.name] = true
		}
	}
	for _, v := range c.d.variants {
		for _, cond := range v.conditions {
			e.known[cond.place.name] = true
		}
	}
	var own errorsSpec
	callback := callbackSpec{}
	if s != nil {
		own, callback = s.Errors, s.Callback
	}
	e.errors = c.errorTable(pageErrors, c.spec.Errors, own)
	c.callback(callback, s == nil)
	c.d.endpoints = append(c.d.endpoints, e)
}

// callback: the RFC's is {code, state}, and iss (RFC 9207) where the whole
// authorize endpoint is the RFC's; a file that writes its own block says iss or
// has none.
func (c *compiler) callback(s callbackSpec, pure bool) {
	allowed, failed := "{code: $code, state: $state}", "{error: $error, error_description: $error_description, state: $state}"
	if pure {
		allowed, failed = "{code: $code, state: $state, iss: $issuer}", "{error: $error, error_description: $error_description, state: $state, iss: $issuer}"
	}
	c.d.allowed = c.flatObject(nodeOr(s.Allowed, allowed))
	c.d.failed = c.flatObject(nodeOr(s.Failed, failed))
	if s.Sign != nil {
		c.d.sign = c.signature(s.Sign, "sorted query", clientSecret)
		c.d.terms.SignsCallbacks = true
		for _, o := range []*object{c.d.allowed, c.d.failed} {
			if slices.ContainsFunc(o.members, func(m member) bool { return m.name == c.d.sign.as }) {
				c.reportKey(s.Sign.Node, "as", "%q is a parameter of the callback already", c.d.sign.as)
			}
		}
	}
}

// nodeOr is the node, or the text of a default read as one.
func nodeOr(n *yamlfile.Node, usual string) *yamlfile.Node {
	if n != nil {
		return n
	}
	n, problems := yamlfile.Read("default", []byte(usual))
	if problems != nil {
		panic(problems) // a default of ours is broken: no input can do this
	}
	return n
}

const tokenAnswer = "{access_token: $access_token, token_type: $token_type, expires_in: $expires_in, refresh_token: $refresh_token, scope: $scope}"

func (c *compiler) token() {
	e := c.tokenLike(tokenEndpoint, c.spec.Token, "POST /oauth/token")
	if c.spec.Refresh == nil {
		return
	}
	r := c.tokenLike(refreshEndpoint, c.spec.Refresh, "")
	if c.spec.Refresh.Answer == nil {
		r.answer = e.answer
	}
}

func (c *compiler) tokenLike(kind endpointKind, s *endpointSpec, usual string) *endpoint {
	e := c.endpoint(kind, s, usual)
	e.cors = c.cors(s == nil)
	c.read(e, s, tokenInputs, inBody)
	if s == nil {
		s = &endpointSpec{}
	}
	e.accepts = c.accepted(s.Accepts, "form")
	e.answer = c.answer(nodeOr(s.Answer, tokenAnswer))
	e.errors = c.errorTable(e.answer.errors(), c.spec.Errors, s.Errors)
	c.d.endpoints = append(c.d.endpoints, e)
	return e
}

// cors: pages of other origins may call the RFC's own endpoints for public apps
// (clients.md R23); other wires stay as they are unless their file says cors.
func (c *compiler) cors(pure bool) bool {
	if c.spec.CORS != nil {
		return *c.spec.CORS
	}
	return pure
}

// holders compiles how a token is presented.
func (c *compiler) holders() {
	api := c.spec.API
	places := []place{{kind: inScheme, name: "Bearer"}}
	for _, r := range api.Read {
		if r.Key != "access_token" {
			c.report(r.Node, "%q is no input of api; only access_token is", r.Key)
			continue
		}
		places = c.places(r.Value, inBody)
	}
	c.d.api = c.presentation(places)
	c.d.challenge = api.Challenge
	c.d.apiErrors = c.errorTable(rfcErrors, c.spec.Errors, api.Errors)
}

func (c *compiler) presentation(places []place) presentation {
	return newPresentation(places, c.d.fits)
}

// whoami compiles the addresses that tell a holder what a token stands for.
func (c *compiler) whoami() {
	for i := range c.spec.Whoami.Of {
		c.oneWhoami(&c.spec.Whoami.Of[i])
	}
}

func (c *compiler) oneWhoami(s *endpointSpec) {
	e := c.holderEndpoint(whoamiEndpoint, s, "access_token", "refresh_token")
	if s.Answer == nil {
		c.reportKey(s.Node, "answer", "say what a holder is told, as in answer: {account: $account.id}")
		return
	}
	e.answer = c.answer(s.Answer)
	e.errors = c.errorTable(e.answer.errors(), c.spec.Errors, c.spec.API.Errors, s.Errors)
}

// holderEndpoint is one where the token itself is the proof.
func (c *compiler) holderEndpoint(kind endpointKind, s *endpointSpec, names ...string) *endpoint {
	e := c.endpoint(kind, s, "")
	e.token = c.d.api
	e.byHolder = true
	for _, r := range s.Read {
		if !slices.Contains(names, r.Key) {
			c.report(r.Node, "%q is no input of %s; only %s is", r.Key, kind, strings.Join(names, " or "))
			continue
		}
		e.token = c.presentation(c.places(r.Value, inBody))
		if r.Key == "refresh_token" {
			e.refresh, e.token.fits = true, c.d.fitsRefresh
		}
	}
	for _, r := range e.routes {
		c.variables(e, r, nil)
	}
	c.d.endpoints = append(c.d.endpoints, e)
	return e
}

const (
	introspectAnswer = "{active: true, client_id: $client_id, scope: $scope, token_type: $token_type, exp: $expires_at.unix, iat: $issued_at.unix," +
		" sub: $subject, account_id: $account.id, user_id: $owner.id, username: $owner.nickname, connection_id: $connection.id, dialect: $dialect}"
	revokeAnswer = "{status: 200, body: {}}"
)

func (c *compiler) introspect() {
	b := c.spec.Introspect
	if b.None || !b.Given && c.spec.Token != nil {
		return
	}
	s := &b.Of
	if !b.Given {
		s = nil
	}
	e := c.endpoint(introspectEndpoint, s, "POST /oauth/introspect")
	c.read(e, s, introspectInputs, inBody)
	if s == nil {
		s = &endpointSpec{}
	}
	e.accepts = c.accepted(s.Accepts, "form")
	e.answer = c.answer(nodeOr(s.Answer, introspectAnswer))
	e.errors = c.errorTable(e.answer.errors(), c.spec.Errors, s.Errors)
	e.refuses = c.unknownToken(s, cmp.Or(map[bool]string{true: "refuse"}[s.Answer != nil], "ok"))
	c.d.endpoints = append(c.d.endpoints, e)
}

// unknownToken reads what a token that is not known is answered with.
func (c *compiler) unknownToken(s *endpointSpec, usual string) bool {
	switch word := cmp.Or(s.Unknown, usual); word {
	case "ok":
		return false
	case "refuse":
		return true
	default:
		c.reportKey(s.Node, "unknown", "unknown value %q; known: ok, refuse", word)
		return false
	}
}

// revocation: the file's list; else RFC 7009, with the RFC's own token endpoint.
func (c *compiler) revocation() {
	s := c.spec.Revoke
	if !s.Given && c.spec.Token == nil {
		c.revoke(nil)
	}
	for i := range s.Of {
		c.revoke(&s.Of[i])
	}
}

func (c *compiler) revoke(s *endpointSpec) {
	var e *endpoint
	if s != nil && s.By == "holder" {
		e = c.holderEndpoint(revokeEndpoint, s, "token", "refresh_token")
	} else {
		e = c.endpoint(revokeEndpoint, s, "POST /oauth/revoke")
		c.read(e, s, revokeInputs, inBody)
		e.cors = c.cors(s == nil)
		c.d.endpoints = append(c.d.endpoints, e)
	}
	errors := []errorsSpec{c.spec.Errors}
	if s == nil {
		s = &endpointSpec{Node: c.spec.Node}
	}
	if s.By != "" && s.By != "client" && s.By != "holder" {
		c.reportKey(s.Node, "by", "unknown value %q; known: client, holder", s.By)
	}
	if e.byHolder {
		errors = append(errors, c.spec.API.Errors)
	}
	switch s.Ends {
	case "", "token":
	case "connection":
		e.ends = true
	default:
		c.reportKey(s.Node, "ends", "unknown value %q; known: token, connection", s.Ends)
	}
	e.refuses = c.unknownToken(s, "ok")
	e.accepts = c.accepted(s.Accepts, "form")
	e.answer = c.answer(nodeOr(s.Answer, revokeAnswer))
	e.errors = c.errorTable(e.answer.errors(), append(errors, s.Errors)...)
}

// metadata (RFC 8414) is true of the RFC's own endpoints only, so it comes with
// them, or where the file asks for it.
func (c *compiler) metadata() {
	b := c.spec.Metadata
	if b.None || !b.Given && (c.spec.Token != nil || c.spec.Authorize != nil) {
		return
	}
	var s *endpointSpec
	if b.Given {
		s = &b.Of
	}
	e := c.endpoint(metadataEndpoint, s, "GET /.well-known/oauth-authorization-server")
	e.cors = true
	c.d.endpoints = append(c.d.endpoints, e)
}
