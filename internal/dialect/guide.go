package dialect

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"postern.dev/postern"
)

// Guide is the partner's guide to the dialect in Markdown, made from what its
// file says: addresses, parameters, curl lines, answers, errors, lives.
func (d *Dialect) Guide(public string) string {
	g := &guide{d: d, public: public}
	g.say("# Connecting by %s\n", d.name)
	g.say("This page is made from the dialect's file, so it tells what the server does. Words in capitals stand for values of yours.")
	g.overview()
	for _, e := range d.endpoints {
		if e.kind == authorizeEndpoint {
			g.authorize(e)
		}
	}
	for _, e := range d.endpoints {
		if e.kind == tokenEndpoint || e.kind == refreshEndpoint {
			g.token(e)
		}
	}
	g.calls()
	for _, e := range d.endpoints {
		switch e.kind {
		case revokeEndpoint:
			g.revoke(e)
		case introspectEndpoint:
			g.introspect(e)
		}
	}
	g.errors()
	g.life()
	return g.b.String()
}

type guide struct {
	d      *Dialect
	public string
	b      strings.Builder
}

func (g *guide) say(format string, args ...any) { fmt.Fprintf(&g.b, format+"\n", args...) }

// addresses are all of an endpoint's, with capitals for its variables.
func (g *guide) addresses(e *endpoint) []string {
	var out []string
	for _, r := range g.d.mountedRoutes(e) {
		if e.kind == authorizeEndpoint && r.method == "POST" {
			continue
		}
		line := r.method + " " + capitals(addressOf(g.public, r))
		if !slices.Contains(out, line) {
			out = append(out, line)
		}
	}
	return out
}

// capitals turns {client_id} into YOUR_CLIENT_ID.
func capitals(address string) string {
	for _, name := range inputNames {
		address = strings.ReplaceAll(address, "{"+name+"}", sample(name))
	}
	return address
}

// sample stands for a value of the partner's.
func sample(name string) string {
	switch name {
	case "client_id", "client_secret":
		return "YOUR_" + strings.ToUpper(name)
	case "code":
		return "AUTHORIZATION_CODE"
	case "state":
		return "UNIQUE_TOKEN"
	case "redirect_uri":
		return "YOUR_REDIRECT_URL"
	case "token":
		return "ACCESS_TOKEN"
	}
	return strings.ToUpper(name)
}

func (g *guide) overview() {
	g.say("\n## Addresses\n")
	g.say("| what | address |")
	g.say("| --- | --- |")
	for _, e := range g.d.endpoints {
		for _, a := range g.addresses(e) {
			g.say("| %s | `%s` |", e.kind, a)
		}
	}
}

func (g *guide) authorize(e *endpoint) {
	g.say("\n## 1. Send the person to us\n")
	method, address, _ := strings.Cut(g.addresses(e)[0], " ")
	g.say("Open this address in the person's browser (`%s`):\n", method)
	var query []string
	for _, id := range []inputID{inClientID, inRedirectURI, inResponseType, inScope, inState} {
		in := &e.inputs[id]
		place := inQuery
		if len(in.places) == 0 || in.places[0].kind != place || id == inScope && g.d.terms.NoScopes {
			continue
		}
		if id == inRedirectURI && in.missing == registered || id == inResponseType && in.missing == isLiteral {
			continue
		}
		value := sample(inputNames[id])
		switch id {
		case inResponseType:
			value = e.wireWord(id, "code")
		case inScope:
			value = "SCOPE" + string(appendEscaped(nil, g.d.scopes.split[:1])) + "SCOPE"
		}
		query = append(query, in.places[0].name+"="+value)
	}
	g.code("", address+prefixed("?", strings.Join(query, "&")))
	g.parameters(e, authorizeInputs)
	g.say("\nThey come back to your redirect URL, after yes and after no:\n")
	g.code("", "YOUR_REDIRECT_URL?"+g.callbackSample(g.d.allowed)+"\nYOUR_REDIRECT_URL?"+g.callbackSample(g.d.failed))
	g.say("\nCompare `state` with the one you sent. The code lives %s and works once.", spoken(g.d.terms.Code.Life))
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// wireWord is how the wire says a word of the engine.
func (e *endpoint) wireWord(id inputID, meaning string) string {
	for wire, means := range e.inputs[id].words {
		if means == meaning {
			return wire
		}
	}
	return meaning
}

func (g *guide) callbackSample(o *object) string {
	var out []string
	for _, m := range o.members {
		out = append(out, m.name+"="+treeSample(m.tree))
	}
	return strings.Join(out, "&")
}

// treeSample is a value of an answer in capitals.
func treeSample(t tree) string {
	switch t := t.(type) {
	case *value:
		return sample(strings.ReplaceAll(t.base, ".", "_"))
	case *phrase:
		return "TEXT"
	case *literal:
		return string(t.value.appendText(nil, " "))
	}
	return ""
}

func (g *guide) parameters(e *endpoint, ids []inputID) {
	g.say("\n| parameter | where | when it is missing |")
	g.say("| --- | --- | --- |")
	for _, id := range ids {
		in := &e.inputs[id]
		if len(in.places) == 0 || id == inScope && g.d.terms.NoScopes || id == inTokenTypeHint {
			continue
		}
		var where []string
		for _, p := range in.places {
			where = append(where, p.String())
		}
		g.say("| `%s` | %s | %s |", in.name(id), strings.Join(where, ", or "), g.whenMissing(e, id))
	}
}

func (g *guide) whenMissing(e *endpoint, id inputID) string {
	in := &e.inputs[id]
	switch {
	case in.missing == isLiteral:
		return "it means `" + in.literal + "`"
	case in.missing == registered:
		return "the registered one, if there is exactly one"
	case in.missing == refused:
		return "the request is refused"
	}
	switch id {
	case inClientID, inResponseType, inCode, inRefreshToken, inToken, inGrantType:
		return "the request is refused"
	case inRedirectURI:
		if e.kind == authorizeEndpoint {
			return "the request is refused"
		}
		if in.missing == skipped {
			return "fine; if sent, it must be the one of the authorize request"
		}
		return "refused, if the authorize request named one"
	case inClientSecret:
		return "only public apps have none"
	case inScope:
		return "your default scopes"
	case inChallenge, inChallengeMethod, inVerifier:
		if g.d.terms.PKCE == "required" {
			return "PKCE (S256) is required"
		}
		return "PKCE (S256) is optional, and required of public apps"
	}
	return "fine"
}

func (g *guide) token(e *endpoint) {
	number, grants := "2", g.d.grants
	if e.kind == refreshEndpoint {
		number, grants = "2b", []grant{{"refresh_token", byRefresh}}
	}
	g.say("\n## %s. Get tokens\n", number)
	for _, gr := range grants {
		if gr.meaning == byClient {
			continue
		}
		g.say("By `%s`:\n", gr.name)
		members := []pair{}
		for _, id := range []inputID{inClientID, inClientSecret} {
			members = append(members, pair{e.inputs[id].name(id), sample(inputNames[id])})
		}
		if in := &e.inputs[inGrantType]; in.missing != isLiteral && e.kind != refreshEndpoint {
			members = append(members, pair{in.name(inGrantType), gr.name})
		}
		id := inCode
		if gr.meaning == byRefresh {
			id = inRefreshToken
		}
		members = append(members, pair{e.inputs[id].name(id), sample(inputNames[id])})
		if gr.meaning == byCode && e.inputs[inRedirectURI].missing != skipped {
			members = append(members, pair{e.inputs[inRedirectURI].name(inRedirectURI), sample("redirect_uri")})
		}
		g.curl(e, members, "")
	}
	g.say("Answer %d:\n", e.answer.status)
	g.answer(e.answer)
	g.parameters(e, tokenInputs)
}

type pair struct{ name, value string }

// curl prints a request that works when pasted, values replaced.
func (g *guide) curl(e *endpoint, members []pair, authorization string) {
	method, address, _ := strings.Cut(g.addresses(e)[0], " ")
	lines := []string{fmt.Sprintf("curl -X %s '%s'", method, address)}
	if authorization != "" {
		lines = append(lines, authorization)
	}
	switch {
	case len(members) == 0:
	case len(e.accepts) > 0 && e.accepts[0].json:
		var body []string
		for _, m := range members {
			body = append(body, fmt.Sprintf("%q:%q", m.name, m.value))
		}
		lines = append(lines, "-H 'Content-Type: application/json'", "-d '{"+strings.Join(body, ",")+"}'")
	default:
		for _, m := range members {
			lines = append(lines, fmt.Sprintf("-d '%s=%s'", m.name, m.value))
		}
	}
	g.code("sh", strings.Join(lines, " \\\n  "))
	g.say("")
}

func (g *guide) code(language, text string) {
	g.say("```%s\n%s\n```", language, text)
}

func (g *guide) answer(a *answer) {
	if a.empty {
		g.say("(no body)")
		return
	}
	g.code("", sampleJSON(a.body))
}

// sampleJSON is a tree with capitals for its values.
func sampleJSON(t tree) string {
	switch t := t.(type) {
	case *object:
		var out []string
		for _, m := range t.members {
			out = append(out, string(m.key)+" "+sampleJSON(m.tree))
		}
		return "{" + strings.Join(out, ", ") + "}"
	case *list:
		var out []string
		for _, item := range t.items {
			out = append(out, sampleJSON(item))
		}
		return "[" + strings.Join(out, ", ") + "]"
	case *literal:
		return string(t.json)
	case *value:
		switch t.kind {
		case isNum, isTime:
			return "3600"
		case isList:
			return "[" + string(appendJSONString(nil, treeSample(t))) + "]"
		}
	}
	return string(appendJSONString(nil, treeSample(t)))
}

// presented is curl's way to show a token.
func presented(p *presentation) string {
	if len(p.places) == 0 {
		return ""
	}
	token := map[encoding]string{asItIs: "ACCESS_TOKEN", asBase64: "$(printf %s ACCESS_TOKEN | base64 -w0)", asBase64URL: "$(printf %s ACCESS_TOKEN | basenc --base64url -w0 | tr -d =)"}[p.places[0].encoding]
	switch first := p.places[0]; first.kind {
	case inScheme:
		return fmt.Sprintf("-H \"Authorization: %s %s\"", first.name, token)
	case inHeader:
		return fmt.Sprintf("-H \"%s: %s\"", first.name, token)
	case inBasicUser:
		return "-u \"" + token + ":\""
	case inBasicPassword:
		return "-u \":" + token + "\""
	case inBody:
		return fmt.Sprintf("-d \"%s=%s\"", first.name, token)
	case inQuery:
		return fmt.Sprintf("-G -d \"%s=%s\"", first.name, token)
	}
	return ""
}

func (g *guide) calls() {
	g.say("\n## 3. Call the API\n")
	g.say("%s As curl says it: `%s`", g.d.api.hint, presented(&g.d.api))
	for _, e := range g.d.endpoints {
		if e.kind == whoamiEndpoint {
			g.say("\nA test call:\n")
			g.curl(e, nil, presented(&e.token))
			g.say("Answer %d:\n", e.answer.status)
			g.answer(e.answer)
		}
	}
}

func (g *guide) revoke(e *endpoint) {
	what := "a token"
	if e.ends {
		what = "the whole connection"
	}
	g.say("\n## End %s\n", what)
	if e.byHolder {
		g.curl(e, nil, presented(&e.token))
	} else {
		g.curl(e, g.clientMembers(e), "")
	}
	g.say("Answer %d:\n", e.answer.status)
	g.answer(e.answer)
}

// clientMembers are the body of a request about a token.
func (g *guide) clientMembers(e *endpoint) []pair {
	var members []pair
	for _, id := range []inputID{inClientID, inClientSecret, inToken} {
		if in := &e.inputs[id]; len(in.places) > 0 && in.places[0].kind == inBody {
			members = append(members, pair{in.name(id), sample(inputNames[id])})
		}
	}
	return members
}

func (g *guide) introspect(e *endpoint) {
	g.say("\n## Look a token up\n")
	g.curl(e, g.clientMembers(e), "")
	g.say("Answer %d:\n", e.answer.status)
	g.answer(e.answer)
}

func (g *guide) errors() {
	g.say("\n## Errors\n")
	for _, e := range g.d.endpoints {
		if e.kind == tokenEndpoint {
			g.say("At the token endpoint, in this shape: `%s`\n", sampleJSON(e.errors.body))
			g.table(e.errors, postern.InvalidRequest, postern.InvalidClient, postern.InvalidGrant, postern.CodeUsed, postern.RedirectMismatch,
				postern.UnsupportedGrantType, postern.UnauthorizedClient, postern.InvalidScope, postern.RateLimited, postern.Unavailable, postern.ServerError)
		}
	}
	g.say("\nIn calls to the API: `%s`\n", sampleJSON(g.d.apiErrors.body))
	g.table(g.d.apiErrors, postern.NoToken, postern.InvalidToken, postern.TokenExpired, postern.InsufficientScope, postern.Unavailable)
}

// advise says what to do about each kind.
var advise = map[postern.Kind]string{
	postern.InvalidRequest:       "the description says what is wrong with the request",
	postern.InvalidClient:        "check the client's id and secret",
	postern.InvalidGrant:         "ask the person to connect again",
	postern.CodeUsed:             "a code works once: ask the person to connect again",
	postern.RedirectMismatch:     "send the redirect URL of the authorize request",
	postern.UnsupportedGrantType: "send a grant type of this page",
	postern.UnauthorizedClient:   "this app may not use this grant type",
	postern.InvalidScope:         "ask only for what was granted",
	postern.RateLimited:          "wait as `Retry-After` says",
	postern.Unavailable:          "try again as `Retry-After` says",
	postern.ServerError:          "tell us",
	postern.NoToken:              "send the token as above",
	postern.InvalidToken:         "it was ended or never was: ask the person to connect again",
	postern.TokenExpired:         "refresh it",
	postern.InsufficientScope:    "ask the person for the scope that the challenge names",
}

func (g *guide) table(t *errorTable, kinds ...postern.Kind) {
	g.say("| status | word | what to do |")
	g.say("| --- | --- | --- |")
	seen := map[string]bool{}
	for _, k := range kinds {
		row := fmt.Sprintf("| %d | `%s` |", t.statusOf(k), t.wordOf(k))
		if !seen[row] {
			g.say("%s %s |", row, advise[k])
		}
		seen[row] = true
	}
}

func (g *guide) life() {
	t := &g.d.terms
	g.say("\n## How long it lasts\n")
	if t.Access.Life == 0 {
		g.say("- An access token does not expire. It lives until you or the other side ends it.")
	} else {
		g.say("- An access token lives %s.", spoken(t.Access.Life))
	}
	switch r := t.Refresh; {
	case r == nil:
		g.say("- There are no refresh tokens.")
	case r.Rotate:
		g.say("- A refresh token lives %s from its last use. Each refresh gives a new one; keep the newest. Repeated within %s, a refresh gets the same answer.", spoken(r.Idle), spoken(r.Window))
	default:
		g.say("- A refresh token lives %s from its last use, and stays the same.", spoken(r.Idle))
	}
	if t.AtOnce > 0 {
		g.say("- A connection has at most %d live tokens; beyond that the one unused longest ends.", t.AtOnce)
	}
	if t.Level == postern.AccountLevel {
		g.say("- A connection belongs to the customer's whole account: it outlives the person who made it.")
	} else {
		g.say("- A connection belongs to the person who made it.")
	}
}

// spoken is a duration in words.
func spoken(d time.Duration) string {
	count := func(n int, unit string) string {
		if n == 1 {
			return "1 " + unit
		}
		return fmt.Sprintf("%d %ss", n, unit)
	}
	switch {
	case d >= 48*time.Hour && d%(24*time.Hour) == 0:
		return count(int(d/(24*time.Hour)), "day")
	case d >= time.Hour && d%time.Hour == 0:
		return count(int(d/time.Hour), "hour")
	case d >= time.Minute && d%time.Minute == 0:
		return count(int(d/time.Minute), "minute")
	}
	return count(int(d/time.Second), "second")
}
