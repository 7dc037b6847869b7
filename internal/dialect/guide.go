package dialect

import (
	"cmp"
	"net/url"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// Guide is the partner's guide to the dialect in Markdown, made from what its
// file says and from where the deployment serves it: the link, the callback,
// each request in curl and in four tongues, answers, errors, lives, webhooks.
// calls are what the operator's own rules say that each call needs.
func (d *Dialect) Guide(in Language, public string, calls ...Call) string {
	return d.guideFor(in, public, nil, calls).markdown()
}

// GuideHTML is the same guide as one page that needs nothing else.
func (d *Dialect) GuideHTML(in Language, public string, look Look, calls ...Call) string {
	return d.guideFor(in, public, nil, calls).html(look)
}

// guide is a guide in the making.
type guide struct {
	page
	d       *Dialect
	public  string
	steps   *steps
	program map[string][]choice // by step
	demands []Call
}

// guideFor is the guide for one app, or (nil) for any.
func (d *Dialect) guideFor(in Language, public string, app *GuideApp, calls []Call) *page {
	public = strings.TrimSuffix(public, "/")
	g := &guide{page: page{in: in}, d: d, demands: calls, public: public, steps: d.steps(public), program: map[string][]choice{}}
	for _, l := range tongues {
		for _, s := range l.write(l, g.steps) {
			g.program[s.step] = append(g.program[s.step], choice{l.id, l.title, l.fence, s.text})
		}
	}
	g.title = g.text("Connecting by %s", d.name)
	g.say("How your product connects to our customers' accounts. All of it is made from what the server itself reads, so it tells what the server does.")
	if app != nil {
		g.begin(app)
	}
	g.needs()
	g.addresses()
	g.connect()
	g.callback()
	g.exchange()
	g.calls()
	g.refresh()
	g.disconnect()
	g.introspect()
	g.webhooks()
	g.errors()
	g.life()
	return &g.page
}

// steps are the messages of a program on this wire, all with blanks.
func (d *Dialect) steps(public string) *steps {
	s := &Speaker{Dialect: d, Server: public, ClientID: blank(clientIDBlank), ClientSecret: blank(secretBlank), RedirectURL: blank(redirectBlank),
		Scopes: []string{blank(scopesBlank)}, Attributes: map[string]string{}, Kept: map[string]string{}}
	if d.tenant != "" {
		s.Tenant = blank(tenantBlank)
	}
	for _, e := range d.endpoints {
		if attr := e.inputs[inClientID].is; attr != "" {
			s.Attributes[attr] = blank(attributePrefix + strings.ToUpper(attr))
		}
	}
	for _, k := range d.keep {
		for _, p := range k.places {
			if p.kind == inVariable {
				s.Kept[p.name] = blank(strings.ToUpper(p.name))
			}
		}
	}
	out := &steps{pkce: s.UsesPKCE()}
	challenge, verifier := "", ""
	if out.pkce {
		challenge, verifier = blank(challengeBlank), blank(verifierBlank)
	}
	told := Told{"access_token": blank(accessBlank), "account.id": blank(accountBlank)}
	if d.refreshes() {
		told["refresh_token"] = blank(refreshBlank)
	}
	method := "GET"
	if len(d.api.places) > 0 && d.api.places[0].kind == inBody {
		method = "POST"
	}
	out.connect = newMessage(&Request{Method: "GET", URL: s.Authorize(blank(stateBlank), challenge)})
	out.exchange = newMessage(s.Redeem(blank(codeBlank), verifier))
	out.call = newMessage(s.Call(method, blank(urlBlank), told["access_token"]))
	out.whoami = newMessage(s.Whoami(told["access_token"]))
	out.refresh = newMessage(s.Refresh(told["refresh_token"]))
	out.disconnect = newMessage(s.Revoke(told))
	out.code, out.state, out.error = find(d.allowed, "code"), find(d.allowed, "state"), find(d.failed, "error")
	out.exchanged = placesIn(d.first(tokenEndpoint).answer)
	out.refreshed = out.exchanged
	if e := d.first(refreshEndpoint); e != nil {
		out.refreshed = placesIn(e.answer)
	}
	return out
}

func placesIn(a *answer) tokenPlaces {
	if a.empty {
		return tokenPlaces{}
	}
	return tokenPlaces{find(a.body, "access_token"), find(a.body, "refresh_token"), find(a.body, "account.id")}
}

// choose shows a step in all tongues, a request's as a curl line first.
func (g *guide) choose(step string, m *message) {
	var of []choice
	if m != nil {
		of = append(of, choice{"curl", "curl", "sh", m.curl()})
	}
	g.blocks = append(g.blocks, choices{append(of, g.program[step]...)})
}

// environmentMeanings say what a partner has to put where.
var environmentMeanings = map[string]string{
	clientIDBlank: "your app's id, from the partner portal",
	secretBlank:   "your app's secret, shown once when it is made; it never goes into a browser or an app on a phone",
	redirectBlank: "one of the redirect URLs that you registered, byte for byte",
}

func (g *guide) needs() {
	g.heading("What you need")
	var rows [][]string
	for _, name := range g.steps.environment() {
		meaning := g.text("your app's `%s`, by which this wire knows it", strings.ToLower(strings.TrimPrefix(name, attributePrefix)))
		if usual := environmentMeanings[name]; usual != "" {
			meaning = g.text(usual)
		}
		rows = append(rows, []string{"`" + name + "`", meaning})
	}
	g.table(rows, g.text("variable"), g.text("what it is"))
	g.say("The examples read these from the environment. Those of one language, one after the other, make one program; this is how it begins:")
	g.choose("setup", nil)
}

// endpointAddresses are an endpoint's, each once.
func (g *guide) endpointAddresses(e *endpoint) []string {
	var out []string
	for _, r := range g.d.mountedRoutes(e) {
		if e.kind == authorizeEndpoint && r.method == "POST" {
			continue
		}
		line := r.method + " " + g.addressOf(r)
		if !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

// addressOf is a route's whole address: one on a host of its own keeps the
// deployment's port.
func (g *guide) addressOf(r *route) string {
	address := addressOf(g.public, r)
	if u, err := url.Parse(g.public); err == nil && len(r.host) > 0 && u.Port() != "" {
		host := join(r.host, ".")
		address = strings.Replace(address, host, host+":"+u.Port(), 1)
	}
	return address
}

// accountKeys are what every account is called by; attributes come beside them.
var accountKeys = []string{"id", "handle", "name", "number"}

// tenant tells what the account in an address is called by, and what it does there.
func (g *guide) tenant() {
	if g.d.tenant == "" {
		return
	}
	by := g.text(g.d.tenant)
	if attr, ok := strings.CutPrefix(g.d.tenant, "attr."); ok {
		by = "`" + attr + "`"
	}
	if slices.Contains(g.d.mountedRoutes(g.d.first(authorizeEndpoint))[0].variables(), "tenant") {
		g.say("`TENANT` is the account that is to be connected, by its %s with us: ask your customer for it first. No other account can be connected by that link.", by)
		return
	}
	g.say("A link may name the account, by its %s with us, where an address above has `{tenant}`: then no other account can be connected by it.", by)
}

var endpointMeanings = map[endpointKind]string{
	authorizeEndpoint: "the Connect link", tokenEndpoint: "tokens", refreshEndpoint: "refresh", revokeEndpoint: "disconnect",
	introspectEndpoint: "look a token up", whoamiEndpoint: "what a token stands for", metadataEndpoint: "metadata (RFC 8414)",
	jwksEndpoint: "keys of signed tokens (RFC 7517)",
}

func (g *guide) addresses() {
	g.heading("Addresses")
	var rows [][]string
	for _, e := range g.d.endpoints {
		what := g.text(endpointMeanings[e.kind])
		if e.kind == whoamiEndpoint && e.refresh {
			what = g.text("what a refresh token stands for")
		}
		if all := g.endpointAddresses(e); len(all) > 0 {
			rows = append(rows, []string{what, g.chain(coded(all), "%s or %s")})
		}
	}
	g.table(rows, g.text("what"), g.text("address"))
}

func (g *guide) connect() {
	g.heading("1. Send the person to us")
	g.say("Your Connect button leads the person's browser, by a link or a redirect, to:")
	g.code("", plainText(g.steps.connect))
	g.parameters(g.d.first(authorizeEndpoint), authorizeInputs, whenConnecting)
	g.tenant()
	keep := g.text("Make the state new each time, from random bytes, and keep it in their session.")
	if g.steps.pkce {
		keep = g.text("Make the state new each time, from random bytes, and keep it in their session; so too the verifier, whose digest the link carries (PKCE, RFC 7636).")
	}
	g.paragraph(g.text("We ask them to sign in, tell them who asks and for what, and send them back."), keep)
	g.choose("connect", nil)
}

// plainText is an address with its blanks as words in capitals.
func plainText(m *message) string {
	text := func(all []piece) string {
		var b strings.Builder
		for _, p := range all {
			b.WriteString(p.text + p.blank)
		}
		return b.String()
	}
	out := text(m.address)
	for i, q := range m.query {
		out += map[bool]string{true: "?", false: "&"}[i == 0] + string(appendEscaped(nil, q.name)) + "=" + text(q.value)
	}
	return out
}

func (g *guide) callback() {
	g.heading("2. Take them back")
	g.say("They come back to your redirect URL, after yes and after no:")
	g.code("", "REDIRECT_URL?"+callbackSample(g.d.allowed)+"\nREDIRECT_URL?"+callbackSample(g.d.failed))
	g.say("Compare `%s` with the one that you sent, before anything else: another one comes from an attacker. The code (`%s`) lives %s and works once. A URL of yours that has a query of its own keeps it.",
		strings.Join(g.steps.state.path, "."), strings.Join(g.steps.code.path, "."), g.spoken(g.d.terms.Code.Life))
	if sign := g.d.sign; sign != nil {
		hash, form, _ := strings.Cut(sign.with, " ")
		g.say("The callback is signed: `%s` is the HMAC-%s, in %s, of all other parameters as they stand, sorted by name and joined by `&`, with your client secret as key. Compute it over the raw query and compare in constant time.",
			sign.as, strings.ToUpper(hash), form)
	}
	t := g.d.first(authorizeEndpoint).errors
	var rows [][]string
	for _, k := range []postern.Kind{postern.AccessDenied, postern.InvalidScope, postern.UnsupportedResponseType, postern.InvalidRequest, postern.UnauthorizedClient, postern.Unavailable, postern.ServerError} {
		if k == postern.InvalidScope && g.d.terms.NoScopes {
			continue
		}
		rows = g.mergeRow(rows, []string{"`" + t.wordOf(k) + "`", g.text(callbackCauses[k][0]), g.text(callbackCauses[k][1])})
	}
	g.table(rows, strings.Join(g.steps.error.path, "."), g.text("when"), g.text("what to do"))
	g.say("Where the app is unknown (status %d) or the redirect URL is not one of yours (status %d) nobody is redirected: the person sees a page that says so, and you see it when you try your link.",
		t.statusOf(postern.UnknownClient), t.statusOf(postern.RedirectMismatch))
	g.choose("callback", nil)
}

var callbackCauses = map[postern.Kind][2]string{
	postern.AccessDenied:            {"the person said no, or may not connect this account", "show that nothing was connected, and the button again"},
	postern.InvalidScope:            {"a scope is unknown, or not one of your app's", "ask for scopes that your app has"},
	postern.UnsupportedResponseType: {"the link asks for something other than a code", "make the link as above"},
	postern.InvalidRequest:          {"the link lacks a parameter, or has one twice", "make the link as above"},
	postern.UnauthorizedClient:      {"the app may not connect in this way", "ask us"},
	postern.Unavailable:             {"we are away for a moment", "let the person try again"},
	postern.ServerError:             {"something went wrong on our side", "let the person try again, and tell us"},
}

// mergeRow adds a row; one with the same beginning takes its cause in.
func (g *guide) mergeRow(rows [][]string, row []string) [][]string {
	last := len(row) - 1
	for i, r := range rows {
		if slices.Equal(r[:last-1], row[:last-1]) {
			for at := last - 1; at <= last; at++ {
				if !strings.Contains(r[at], row[at]) {
					rows[i][at] = g.text("%s; or %s", r[at], row[at])
				}
			}
			return rows
		}
	}
	return append(rows, row)
}

func callbackSample(o *object) string {
	var out []string
	for _, m := range o.members {
		out = append(out, m.name+"="+treeSample(m.tree))
	}
	return strings.Join(out, "&")
}

func (g *guide) exchange() {
	e := g.d.first(tokenEndpoint)
	g.heading("3. Exchange the code")
	g.say("From your server, and at once:")
	g.choose("exchange", g.steps.exchange)
	g.say("The answer is a %d:", e.answer.status)
	g.answer(e.answer)
	if account := g.steps.exchanged.account; account != nil {
		g.say("Keep the tokens encrypted, with the id of the account or person (`%s` in the answer).", strings.Join(account.path, "."))
	} else {
		g.say("Keep the tokens encrypted, with the id of the account or person.")
	}
	g.grantParameters(e, byCode, inCode, inRedirectURI, inVerifier)
	g.signing(e)
}

// signing tells those whose public keys are registered what they send in place of
// a secret.
func (g *guide) signing(e *endpoint) {
	proof, kind := &e.inputs[inAssertion], &e.inputs[inAssertionType]
	if len(proof.places) == 0 {
		return
	}
	sent := []string{proof.name(inAssertion)}
	if len(kind.places) > 0 {
		sent = append(sent, kind.name(inAssertionType)+"="+assertionType)
	}
	g.say("An app whose public keys are registered sends %s in place of the secret: a JWT that it signed (%s), with its client id as `iss` and `sub`, `%s` as `aud`, an `exp` within the hour, and a `jti` that is new in each request.",
		g.chain(coded(sent), "%s and %s"), strings.Join(oauth.AssertionAlgorithms(), ", "), issuerOf(g.public, g.d))
}

// grantParameters are the parameters of one grant.
func (g *guide) grantParameters(e *endpoint, m meaning, own ...inputID) {
	ids := append([]inputID{inClientID, inClientSecret}, own...)
	if e.kind == tokenEndpoint {
		ids = slices.Insert(ids, 2, inGrantType)
	}
	g.parameters(e, ids, func(g *guide, e *endpoint, id inputID) string { return whenGranting(g, e, id, m) })
}

func (g *guide) calls() {
	g.heading("4. Call the API")
	g.say(g.d.api.hint.format, g.d.api.hint.args...)
	if more := g.d.api.places; len(more) > 1 {
		var also []string
		for _, p := range more[1:] {
			also = append(also, p.String())
		}
		g.say("It may also stand elsewhere, but in one place only: %s.", strings.Join(coded(also), ", "))
	}
	g.say("`%s` is the address of whatever you call of the API itself.", urlBlank)
	g.choose("call", g.steps.call)
	g.needsOfCalls()
	if g.steps.whoami != nil {
		g.say("To try a token, and to see what it stands for, ask us:")
		g.choose("whoami", g.steps.whoami)
		e := g.d.testCall()
		g.say("The answer is a %d:", e.answer.status)
		g.answer(e.answer)
	}
}

func (g *guide) refresh() {
	g.heading("5. Refresh")
	if g.steps.refresh == nil {
		if g.d.terms.Access.Life == 0 {
			g.say("There is nothing to refresh: an access token lives until somebody ends it.")
		} else {
			g.say("There are no refresh tokens: when the access token has expired, ask the person to connect again.")
		}
		return
	}
	e := cmp.Or(g.d.first(refreshEndpoint), g.d.first(tokenEndpoint))
	r := g.d.refreshTerms()
	g.say("Some minutes before an access token expires, or when a call says that it has, exchange the refresh token for a new one. Let one process at a time do this for a connection.")
	if g.d.terms.Refresh == nil {
		g.say("Only some connections have a refresh token; \"How long things last\" says which.")
	}
	g.choose("refresh", g.steps.refresh)
	g.say("The answer is a %d:", e.answer.status)
	g.answer(e.answer)
	if r.Rotate {
		g.say("**Each refresh gives a new refresh token: save it before you go on, and forget the old one.** If the answer is lost, repeat the request: within %s it gets the same answer. A token that is presented after its successor was used counts as stolen, and ends the connection's tokens.", g.spoken(r.Window))
	} else {
		g.say("The refresh token stays the same.")
	}
	own := []inputID{inRefreshToken}
	if !g.d.terms.NoScopes {
		own = append(own, inScope)
	}
	g.grantParameters(e, byRefresh, own...)
}

// refreshTerms are the wire's for refresh tokens; where only some grants have
// them, the first of those.
func (d *Dialect) refreshTerms() *oauth.RefreshTerms {
	if d.terms.Refresh != nil {
		return d.terms.Refresh
	}
	for _, v := range d.variants {
		if v.terms.Refresh != nil {
			return v.terms.Refresh
		}
	}
	return nil
}

func (g *guide) disconnect() {
	g.heading("6. Disconnect")
	if g.steps.disconnect == nil {
		g.say("This wire has no request for it: people end connections on our pages.")
	} else {
		g.say("When a customer disconnects on your side, tell us:")
		g.choose("disconnect", g.steps.disconnect)
	}
	for _, e := range g.d.endpoints {
		if e.kind != revokeEndpoint {
			continue
		}
		address, t := g.endpointAddresses(e)[0], e.errors
		what := g.text("`%s`: It ends that token, and with a refresh token its access tokens too.", address)
		if e.ends {
			what = g.text("`%s`: It ends the whole connection with all its tokens.", address)
		}
		unknown := g.text("A token that we don't know gets the same answer.")
		if e.refuses {
			unknown = g.text("A token that we don't know is refused with %d `%s`.", t.statusOf(postern.InvalidToken), t.wordOf(postern.InvalidToken))
		}
		known := g.text("The answer is a %d:", e.answer.status)
		if e.answer.empty {
			known = g.text("The answer is a %d without a body.", e.answer.status)
		}
		g.paragraph(what, unknown, known)
		g.answer(e.answer)
		if !e.byHolder {
			g.parameters(e, revokeInputs, whenConnecting)
		}
	}
	g.say("People may end it too, at `%s/connections`: then calls are refused, and a webhook tells you.", g.public)
}

func (g *guide) introspect() {
	for _, e := range g.d.endpoints {
		if e.kind != introspectEndpoint {
			continue
		}
		g.heading("Look a token up")
		s := &Speaker{Dialect: g.d, Server: g.public, ClientID: blank(clientIDBlank), ClientSecret: blank(secretBlank)}
		given := s.proved()
		given[inToken] = blank(accessBlank)
		m := newMessage(s.say(e, given, introspectInputs))
		g.blocks = append(g.blocks, choices{[]choice{{"curl", "curl", "sh", m.curl()}}})
		g.say("The answer is a %d:", e.answer.status)
		g.answer(e.answer)
		if !e.refuses {
			g.say("For a token that is no longer good, or is another app's, it is `{\"active\":false}`.")
		}
	}
}
