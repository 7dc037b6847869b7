package dialect

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/yamlfile"
)

// Finding is one thing that a look at a file found: a mistake of form, or a lint
// with a number, which says what, why and what to do.
type Finding struct {
	yamlfile.Problem
	Lint    string `json:"lint,omitempty"` // E01 …, W01 …; empty: a mistake of form
	Warning bool   `json:"warning,omitempty"`
}

func (f Finding) String() string { return f.Problem.Error() }

func findings(problems yamlfile.Problems) []Finding {
	problems.Sort()
	out := make([]Finding, len(problems))
	for i, p := range problems {
		out[i] = Finding{Problem: p}
	}
	return out
}

func sortFindings(all []Finding) {
	slices.SortStableFunc(all, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
}

// Check looks a dialect's file over: form, then lints, all at once and in file
// order. others are the dialects that it will be mounted beside.
func (l Library) Check(file string, data []byte, others *Set) []Finding {
	d, all := l.read(file, data)
	if d == nil || others == nil {
		return all
	}
	neighbours := slices.DeleteFunc(others.List(), func(o *Dialect) bool { return o.name == d.name })
	_, err := NewSet(append(neighbours, d)...)
	if clash, ok := errors.AsType[*Clash](err); ok && clash.a.dialect != clash.b.dialect {
		all = append(all, found(clash.b.endpoint.node, "E03", "at", "%s", clash.Error()))
		sortFindings(all)
	}
	return all
}

// Check looks a file over with the usual lifetimes.
func Check(file string, data []byte, others *Set) []Finding {
	return Library{}.Check(file, data, others)
}

// linter looks at a dialect whose form is right.
type linter struct {
	s   *spec
	d   *Dialect
	out []Finding
}

func lint(s *spec, d *Dialect) []Finding {
	l := &linter{s: s, d: d}
	l.neededPlaces()
	l.halves()
	l.routes()
	l.callback()
	l.answers()
	l.events()
	l.entropy()
	l.endless()
	l.insecure()
	l.advice()
	sortFindings(l.out)
	return l.out
}

func found(n *yamlfile.Node, lint, key, format string, args ...any) Finding {
	p := n.Problem(format, args...)
	if key != "" {
		p = n.ProblemAt(key, format, args...)
	}
	p.Msg += " [" + lint + "]"
	return Finding{Problem: p, Lint: lint, Warning: lint[0] == 'W'}
}

func (l *linter) report(n *yamlfile.Node, lint, key, format string, args ...any) {
	l.out = append(l.out, found(n, lint, key, format, args...))
}

// neededPlaces, E01: the engine cannot do without these.
func (l *linter) neededPlaces() {
	needs := map[endpointKind][]inputID{
		authorizeEndpoint:  {inClientID, inState},
		tokenEndpoint:      {inClientID, inClientSecret, inCode},
		refreshEndpoint:    {inClientID, inClientSecret, inRefreshToken},
		introspectEndpoint: {inClientID, inClientSecret, inToken},
		revokeEndpoint:     {inClientID, inClientSecret, inToken},
	}
	for _, e := range l.d.endpoints {
		if e.byHolder {
			if len(e.token.places) == 0 {
				l.report(e.node, "E01", "read", "there is no place for the access token; say where it is, as in read: {access_token: scheme Bearer}")
			}
			continue
		}
		for _, id := range needs[e.kind] {
			if id == inToken && e.kind == revokeEndpoint && len(e.inputs[inAccountID].places) > 0 {
				continue // the account's id says what ends
			}
			if (id == inClientID || id == inClientSecret) && len(e.inputs[inAssertion].places) > 0 {
				continue // what the app signed names it and proves it
			}
			if id == inClientID && e.inputs[id].missing == byOther {
				continue
			}
			if id == inClientSecret && e.kind == refreshEndpoint && l.d.terms.RefreshWithoutSecret {
				continue
			}
			if len(e.inputs[id].places) == 0 {
				l.report(e.node, "E01", "read", "there is no place for %s, which the engine needs; say where it is, as in %s: body %s", inputNames[id], inputNames[id], inputNames[id])
			}
		}
		l.takenAway(e)
		if e.kind == tokenEndpoint {
			l.renewal(e)
		}
		if e.kind == tokenEndpoint && l.takesRefresh() && len(e.inputs[inRefreshToken].places) == 0 {
			l.report(e.node, "E01", "read", "there is no place for refresh_token, and the grants have a refresh; say where it is")
		}
	}
	if len(l.d.api.places) == 0 {
		l.report(l.s.Node, "E01", "api", "there is no place for the access token in calls; say where it is, as in api: {read: {access_token: scheme Bearer}}")
	}
}

// takenAway: an input that a file removes, and without which every request would
// be refused unless the file also says what its absence means.
func (l *linter) takenAway(e *endpoint) {
	gone := func(id inputID) bool { return len(e.inputs[id].places) == 0 }
	ask := l.d.first(authorizeEndpoint)
	remedy := func(id inputID, word string) {
		l.report(e.node, "E01", "read", "there is no place for %s, and every request would be refused; say what its absence means, as in absent: {%s: %s}", inputNames[id], inputNames[id], word)
	}
	switch e.kind {
	case authorizeEndpoint:
		if gone(inResponseType) && e.inputs[inResponseType].literal != "code" {
			remedy(inResponseType, "code")
		}
		if gone(inRedirectURI) && e.inputs[inRedirectURI].missing != registered {
			remedy(inRedirectURI, "the registered one")
		}
		if gone(inChallenge) && l.d.terms.PKCE == oauth.PKCERequired {
			l.report(e.node, "E01", "read", "there is no place for code_challenge, and pkce is required; write pkce: optional, or say where it is")
		}
	case tokenEndpoint:
		if gone(inGrantType) && e.inputs[inGrantType].missing != isLiteral {
			remedy(inGrantType, "authorization_code")
		}
		if gone(inRedirectURI) && e.inputs[inRedirectURI].missing != skipped && len(ask.inputs[inRedirectURI].places) > 0 {
			remedy(inRedirectURI, "skip")
		}
		if gone(inVerifier) && len(ask.inputs[inChallenge].places) > 0 {
			l.report(e.node, "E01", "read", "there is no place for code_verifier, and a code with a challenge could never be redeemed; say where it is, or write code_challenge: none under authorize")
		}
	}
}

func (l *linter) takesRefresh() bool { return l.grants(byRefresh) }

func (l *linter) grants(m meaning) bool {
	return slices.ContainsFunc(l.d.grants, func(g grant) bool { return g.meaning == m })
}

// renewal: the grant and the place of what is renewed need each other.
func (l *linter) renewal(e *endpoint) {
	switch placed := len(e.inputs[inAccessToken].places) > 0; {
	case !placed && l.grants(byRenewal):
		l.report(e.node, "E01", "read", "there is no place for access_token, which the grants renew; say where it is, as in access_token: body access_token")
	case placed && !l.grants(byRenewal):
		l.report(e.node, "E02", "read", "access_token is read here, and no grant renews one; write grants: {NAME: renew}")
	}
}

// ended: a route that ends a connection by the account's id says so.
func (l *linter) ended(e *endpoint) {
	if e.kind == revokeEndpoint && len(e.inputs[inAccountID].places) > 0 && (!e.ends || l.d.terms.Level != postern.AccountLevel) {
		l.report(e.node, "E02", "ends", "an account's id names a connection of the whole account; write ends: connection, in a dialect of level account")
	}
}

// halves, E02: a place in the path needs its variable, Basic its other half.
func (l *linter) halves() {
	for _, e := range l.d.endpoints {
		l.ended(e)
		variables := map[string]bool{}
		for _, r := range l.d.mountedRoutes(e) { // the hosts' variables, too
			for _, name := range r.variables() {
				variables[name] = true
			}
		}
		places := slices.Clone(e.token.places)
		for _, in := range e.inputs {
			places = append(places, in.places...)
		}
		if e.kind == authorizeEndpoint {
			for _, k := range l.d.keep {
				places = append(places, k.places...)
			}
			l.secondScopes(e)
			if variables["tenant"] != (l.d.tenant != "") {
				l.report(e.node, "E02", "at", "the route's {tenant} and the key tenant need each other: one finds the name, the other says what it is")
			}
		}
		for _, p := range places {
			if p.kind == inVariable && !variables[p.name] {
				l.report(e.node, "E02", "at", "%q is a place, and no route here has the variable {%s}; add it or read another place", p, p.name)
			}
		}
		if has(e.inputs[inClientSecret].places, inBasicPassword) && !has(e.inputs[inClientID].places, inBasicUser) && e.inputs[inClientID].missing != byOther {
			l.report(e.node, "E02", "read", "the secret is Basic's password, and client_id is not its user; read client_id from basic user too")
		}
	}
}

// secondScopes: what asks for a second token and the token need each other.
func (l *linter) secondScopes(e *endpoint) {
	asked, made := len(e.inputs[inUserScope].places) > 0, l.d.terms.Second != nil
	switch {
	case asked && !made:
		l.report(e.node, "E02", "read", "user_scope asks for a second token, and the tokens have none; write tokens: {second: {asked_by: user_scope}}")
	case made && !asked:
		l.report(e.node, "E02", "read", "the second token is asked for by user_scope, which has no place; write read: {user_scope: query user_scope}")
	case made && l.d.terms.NoScopes:
		l.report(e.node, "E02", "", "a second token has scopes of its own, and this wire has none; take out scopes: none")
	}
}

// routes, E03: two routes that can match one request.
func (l *linter) routes() {
	_, err := NewSet(l.d)
	if clash, ok := errors.AsType[*Clash](err); ok {
		l.report(clash.b.endpoint.node, "E03", "at", "%s", clash.Error())
	}
}

// callback, E04: without code there is no flow, without state no defence.
func (l *linter) callback() {
	n := l.s.Node
	if l.s.Authorize != nil {
		n = l.s.Authorize.Node
	}
	if c := n.Member("callback"); c != nil {
		n = c
	}
	for _, name := range []string{"code", "state"} {
		if !mentions(l.d.allowed, name) {
			l.report(n, "E04", "allowed", "$%s is not in the callback; the app cannot go on without it, so add it", name)
		}
	}
	for _, name := range []string{"error", "state"} {
		if !mentions(l.d.failed, name) {
			l.report(n, "E04", "failed", "$%s is not in the callback of a failure; the app cannot tell what happened, so add it", name)
		}
	}
	for _, secret := range []string{"access_token", "refresh_token", "second.access_token", "presented"} {
		if mentions(l.d.allowed, secret) || mentions(l.d.failed, secret) {
			l.report(n, "E04", "allowed", "$%s in a redirect would show it to browsers and logs; take it out", secret)
		}
	}
}

// mentions reports whether a tree says a value, with or without suffixes.
func mentions(t tree, base string) bool {
	there := false
	if t != nil {
		t.uses(func(x *value) { there = there || x.base == base })
	}
	return there
}

// answers, E05 and E08: what the app must be told, and what it cannot be.
func (l *linter) answers() {
	for _, e := range l.d.endpoints {
		if e.kind != tokenEndpoint && e.kind != refreshEndpoint || e.answer.empty {
			continue
		}
		if !mentions(e.answer.body, "access_token") {
			l.report(e.node, "E05", "answer", "$access_token is not in the answer; without it there is nothing to call with, so add it")
		}
		if e.kind == tokenEndpoint && l.d.terms.Second != nil && !mentions(e.answer.body, "second.access_token") {
			l.report(e.node, "E05", "answer", "$second.access_token is not in the answer, and tokens.second makes one; add it")
		}
		told := mentions(e.answer.body, "refresh_token")
		if !told && e.kind == refreshEndpoint && l.keepsRefresh() {
			continue // the app has the one that stays
		}
		switch {
		case e.own && told && !l.d.refreshes():
			l.report(e.node, "E08", "answer", "$refresh_token is in the answer, and tokens.refresh is none; take out one of the two")
		case !told && l.s.Tokens.Refresh.Given && l.d.terms.Refresh != nil:
			l.report(e.node, "E08", "answer", "tokens.refresh gives refresh tokens, and the answer does not tell them; add $refresh_token, or write refresh: none")
		case !told && l.d.terms.Refresh != nil:
			l.report(e.node, "W05", "answer", "refresh tokens are made and not told; write tokens: {refresh: none}, or add $refresh_token")
		}
	}
	for _, e := range l.d.endpoints {
		if (e.kind == tokenEndpoint || e.kind == refreshEndpoint) && e.answer.empty {
			l.report(e.node, "E05", "answer", "an empty answer tells no access token; write a tree with $access_token")
		}
	}
}

// keepsRefresh reports whether no refresh gives another refresh token.
func (l *linter) keepsRefresh() bool {
	rotates := func(t *oauth.Terms) bool { return t.Refresh != nil && t.Refresh.Rotate }
	return !rotates(&l.d.terms) && !slices.ContainsFunc(l.d.variants, func(v variant) bool { return rotates(v.terms) })
}

// events, E10: webhooks lie in logs and queues, so no credential goes there.
func (l *linter) events() {
	for _, secret := range []string{"access_token", "refresh_token", "second.access_token", "presented", "code"} {
		if l.d.eventData != nil && mentions(l.d.eventData, secret) {
			l.report(l.s.EventData, "E10", "", "$%s in a webhook would be a credential in logs; take it out", secret)
		}
		for _, e := range l.d.events {
			if mentions(e.body, secret) || mentions(&object{e.headers}, secret) {
				l.report(e.node, "E10", "", "$%s in a webhook would be a credential in logs; take it out", secret)
			}
		}
	}
}

// entropy, E06: no secret can be guessed.
func (l *linter) entropy() {
	type where struct {
		node *yamlfile.Node
		form postern.Form
	}
	forms := []where{{l.s.Tokens.Code.Node, l.d.terms.Code.Form}, {l.s.Tokens.Access.Node, l.d.terms.Access.Form}}
	if r := l.d.terms.Refresh; r != nil {
		forms = append(forms, where{l.s.Tokens.Refresh.Of.Node, r.Form})
	}
	if s := l.d.terms.Second; s != nil {
		forms = append(forms, where{l.s.Tokens.Second.Access.Node, s.Form})
	}
	for _, v := range l.d.variants {
		forms = append(forms, where{v.node, v.terms.Access.Form})
		if r := v.terms.Refresh; r != nil {
			forms = append(forms, where{v.node, r.Form})
		}
	}
	for _, f := range forms {
		if bits := f.form.Bits(); bits < leastBits {
			l.report(f.node, "E06", "form", "%d random bits can be guessed; take a longer form: hex 32, base62 22 or more", bits)
		}
	}
}

// endless, E07: what never expires must have an end.
func (l *linter) endless() {
	endless := func(v variant) bool { return v.terms.Access.Life == 0 }
	endlessSecond := l.d.terms.Second != nil && l.d.terms.Second.Life == 0
	if l.d.terms.Access.Life != 0 && !endlessSecond && !slices.ContainsFunc(l.d.variants, endless) {
		return
	}
	if !slices.ContainsFunc(l.d.endpoints, func(e *endpoint) bool { return e.kind == revokeEndpoint }) {
		n := l.s.Tokens.Access.Node
		if n == nil {
			n = l.s.Node
		}
		l.report(n, "E07", "expires", "a token that never expires and cannot be revoked has no end; add revoke, or an expiry")
	}
}

// insecure, E09: what weakens something has its name, and no name stands unused.
func (l *linter) insecure() {
	type weakness struct {
		node      *yamlfile.Node
		key, what string
	}
	need := map[string]weakness{}
	inAddress := func(key string, n *yamlfile.Node, what string, p place) {
		need[key] = weakness{n, "read", fmt.Sprintf("%s is in the address (%s), which logs and histories keep", what, p)}
	}
	for _, e := range l.d.endpoints {
		for id, in := range e.inputs {
			for _, p := range in.places {
				inURL := p.kind == inQuery || p.kind == inVariable
				if e.kind == authorizeEndpoint || !inURL {
					continue
				}
				switch inputID(id) {
				case inClientSecret, inAssertion, inCode, inRefreshToken, inVerifier:
					inAddress("insecure_secret_in_url", e.node, inputNames[id], p)
				case inToken, inAccessToken:
					inAddress("insecure_token_in_url", e.node, inputNames[id], p)
				}
			}
		}
		for _, p := range e.token.places {
			if p.kind == inQuery || p.kind == inVariable {
				inAddress("insecure_token_in_url", e.node, "the token", p)
			}
		}
		if e.kind == tokenEndpoint || e.kind == refreshEndpoint {
			for _, r := range e.routes {
				if r.method == "GET" {
					need["insecure_get_token_request"] = weakness{e.node, "at", "a token is made by GET, which browsers and scanners send of their own accord"}
				}
			}
		}
	}
	for _, p := range l.d.api.places {
		if p.kind == inQuery || p.kind == inVariable {
			inAddress("insecure_token_in_url", l.s.API.Node, "the token", p)
		}
	}
	for _, e := range l.d.endpoints {
		if slices.Contains(e.inputs[inClientID].named, oauth.NamedBySecret) && l.d.allows("insecure_weak_imported_secrets") {
			l.report(e.node, "E09", "absent", "a secret that can be guessed cannot also name its app; take out insecure_weak_imported_secrets")
		}
	}
	if l.d.terms.RefreshWithoutSecret && l.d.refreshes() {
		need["insecure_refresh_without_secret"] = weakness{l.d.first(tokenEndpoint).node, "", "apps refresh without their secret"}
	}
	for _, e := range l.d.events {
		if e.sign != nil && e.sign.key == clientSecret {
			need["insecure_recoverable_client_secret"] = weakness{e.node, "sign", readableSecret}
		}
	}
	if l.d.sign != nil && l.d.sign.key == clientSecret {
		need["insecure_recoverable_client_secret"] = weakness{l.d.first(authorizeEndpoint).node, "", readableSecret}
	}
	for _, key := range []string{"insecure_secret_in_url", "insecure_token_in_url", "insecure_get_token_request", "insecure_refresh_without_secret", "insecure_recoverable_client_secret"} {
		switch w, needed := need[key]; {
		case needed && !l.d.allows(key):
			l.report(w.node, "E09", w.key, "%s; write %s: {because: TEXT} at the top level if it must be so", w.what, key)
		case !needed && l.d.allows(key):
			l.report(l.s.Node, "E09", key, "nothing here needs it; take it out")
		}
	}
}

const readableSecret = "the client secret signs, and must be kept so that it can be read again"

// advice, W01 to W04: what works and will be regretted.
func (l *linter) advice() {
	callback := l.d.node
	if l.s.Authorize != nil {
		callback = l.s.Authorize.Node
	}
	l.d.allowed.uses(func(x *value) {
		if of, _, _ := strings.Cut(x.base, "."); of == "user" || of == "account" || of == "owner" {
			l.report(callback, "W01", "callback", "$%s puts identity into URLs, logs and referrers; say it in the token answer", x.base)
		}
	})
	for _, e := range l.d.endpoints {
		if e.kind == tokenEndpoint && l.d.terms.Access.Life > 0 && !e.answer.empty && !mentions(e.answer.body, "expires_in") && !mentions(e.answer.body, "expires_at") {
			l.report(e.node, "W02", "answer", "the token expires and the answer does not tell when; add $expires_in")
		}
		if e.errors != nil && e.errors.one == 200 && !tellsApart(e) {
			l.report(e.node, "W04", "", "errors have status 200, and nothing in their body tells them from a success; add $error")
		}
	}
	for _, p := range l.d.api.places {
		if n := l.d.terms.Access.Form.Len(); p.encoding == asBase64 && n%3 != 0 {
			l.report(l.s.API.Node, "W03", "read", "base64 of %d characters ends in padding, which clients lose; take a length that 3 divides", n)
		}
	}
}

// tellsApart reports whether a refusal's body says the error, or has a member
// that the success has not, or has otherwise.
func tellsApart(e *endpoint) bool {
	if mentions(e.errors.body, "error") {
		return true
	}
	refusal, ok := e.errors.body.(*object)
	if !ok || e.answer == nil || e.answer.empty {
		return e.answer == nil || e.answer.empty
	}
	success, ok := e.answer.body.(*object)
	if !ok {
		return true
	}
	shape := func(m member) string {
		if l, ok := m.tree.(*literal); ok {
			return m.name + "=" + string(l.json)
		}
		return m.name
	}
	for _, m := range refusal.members {
		if !slices.ContainsFunc(success.members, func(o member) bool { return shape(o) == shape(m) }) {
			return true
		}
	}
	return false
}
