package dialect

import (
	"slices"
	"strings"
)

// whenMissing says what a missing parameter means.
type whenMissing func(g *guide, e *endpoint, id inputID) string

func (g *guide) parameters(e *endpoint, ids []inputID, missing whenMissing) {
	var rows [][]string
	for _, id := range ids {
		in := &e.inputs[id]
		if len(in.places) == 0 || (id == inScope || id == inUserScope) && g.d.terms.NoScopes || id == inTokenTypeHint || id == inResponseMode {
			continue
		}
		rows = append(rows, []string{"`" + in.nameInGuide(id) + "`", placeWords(in.places), missing(g, e, id)})
	}
	if e.kind == authorizeEndpoint {
		for _, k := range g.d.keep {
			what := "fine; what you send is kept with the connection"
			if has(k.places, inVariable) {
				what = "it is a part of the address"
			}
			rows = append(rows, []string{"`" + k.places[0].name + "`", placeWords(k.places), what})
		}
	}
	for _, name := range e.headers {
		rows = append(rows, []string{"`" + name + "`", "header", "the request is refused"})
	}
	g.table(rows, "parameter", "where", "when it is missing")
}

// nameInGuide is the wire's own word for an input.
func (in *input) nameInGuide(id inputID) string {
	if p := in.places[0]; p.kind == inVariable || p.kind == inQuery || p.kind == inBody || p.kind == inHeader {
		return p.name
	}
	return in.name(id)
}

// placeWords says where an input may stand.
func placeWords(places []place) string {
	var out []string
	for _, p := range places {
		said := map[placeKind]string{inVariable: "address", inQuery: "query", inBody: "body", inHeader: "header",
			inBasicUser: "user name of HTTP Basic", inBasicPassword: "password of HTTP Basic", inScheme: "`Authorization: " + p.name + " …`"}[p.kind]
		said += map[encoding]string{asBase64: " in base64", asBase64URL: " in base64url"}[p.encoding]
		if !slices.Contains(out, said) {
			out = append(out, said)
		}
	}
	return strings.Join(out, ", or ")
}

func whenConnecting(g *guide, e *endpoint, id inputID) string {
	in := &e.inputs[id]
	switch {
	case in.places[0].kind == inVariable:
		return "it is a part of the address"
	case in.missing == isLiteral:
		return "it means `" + in.literal + "`"
	case in.missing == registered:
		return "the registered one, if there is exactly one"
	case in.missing == refused:
		return "the request is refused"
	case in.missing == byOther:
		return "the credential names your app"
	}
	switch id {
	case inClientID, inResponseType, inRedirectURI, inToken, inAccountID:
		return "the request is refused"
	case inClientSecret:
		return "only public apps have none"
	case inScope:
		if g.d.terms.ScopesRequired {
			return "your app's default scopes"
		}
		return "your app's default scopes, if it has some"
	case inUserScope:
		return "no second token, which acts as the person"
	case inState:
		return "allowed, but your callback could then be forged: always send it"
	case inChallenge, inChallengeMethod:
		return pkceWords(g.d)
	}
	return "fine"
}

func pkceWords(d *Dialect) string {
	if d.terms.PKCE == "required" {
		return "the request is refused: PKCE with `S256` is required"
	}
	return "fine for apps with a secret; PKCE with `S256` is required of public apps"
}

func whenGranting(g *guide, e *endpoint, id inputID, m meaning) string {
	in := &e.inputs[id]
	switch {
	case id == inRedirectURI && in.missing == skipped:
		return "fine; if sent, it must be the one of the link"
	case id == inRedirectURI:
		return "refused, if the link named one"
	case id == inVerifier:
		return "refused, if the link had a challenge"
	case id == inScope:
		return "the scopes that were granted stay; you may name fewer, never more"
	case id == inGrantType && in.missing == isLiteral && g.d.grantName(m) != in.literal:
		return "it means `" + in.literal + "`, so here it must be sent: `" + g.d.grantName(m) + "`"
	case id == inGrantType && in.missing != isLiteral:
		return "the request is refused; it is `" + in.wireWord(g.d.grantName(m)) + "`"
	case id == inCode || id == inRefreshToken:
		return "the request is refused"
	}
	return whenConnecting(g, e, id)
}
