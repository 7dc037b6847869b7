package dialect

import (
	"slices"

	"postern.dev/postern/internal/oauth"
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
		rows = append(rows, []string{"`" + in.nameInGuide(id) + "`", g.standing(in.places), missing(g, e, id)})
	}
	if e.kind == authorizeEndpoint {
		for _, k := range g.d.keep {
			what := g.text("fine; what you send is kept with the connection")
			if has(k.places, inVariable) {
				what = g.text("it is a part of the address")
			}
			rows = append(rows, []string{"`" + k.places[0].name + "`", g.standing(k.places), what})
		}
	}
	for _, name := range e.headers {
		rows = append(rows, []string{"`" + name + "`", g.text("header"), g.text("the request is refused")})
	}
	g.table(rows, g.text("parameter"), g.text("where"), g.text("when it is missing"))
}

// nameInGuide is the wire's own word for an input.
func (in *input) nameInGuide(id inputID) string {
	if p := in.places[0]; p.kind == inVariable || p.kind == inQuery || p.kind == inBody || p.kind == inHeader {
		return p.name
	}
	return in.name(id)
}

var placeMeanings = map[placeKind]string{inVariable: "address", inQuery: "query", inBody: "body", inHeader: "header",
	inBasicUser: "user name of HTTP Basic", inBasicPassword: "password of HTTP Basic"}

// standing says where an input may stand.
func (g *guide) standing(places []place) string {
	var out []string
	for _, p := range places {
		said := "`Authorization: " + p.name + " …`"
		if p.kind != inScheme {
			said = g.text(placeMeanings[p.kind])
		}
		switch p.encoding {
		case asBase64:
			said = g.text("%s in base64", said)
		case asBase64URL:
			said = g.text("%s in base64url", said)
		}
		if !slices.Contains(out, said) {
			out = append(out, said)
		}
	}
	return g.chain(out, "%s, or %s")
}

func whenConnecting(g *guide, e *endpoint, id inputID) string {
	in := &e.inputs[id]
	switch {
	case in.places[0].kind == inVariable:
		return g.text("it is a part of the address")
	case in.missing == isLiteral:
		return g.text("it means `%s`", in.literal)
	case in.missing == registered:
		return g.text("the registered one, if there is exactly one")
	case in.missing == refused:
		return g.text("the request is refused")
	case in.missing == byOther:
		return g.text("the credential names your app")
	}
	switch id {
	case inClientID, inResponseType, inRedirectURI, inToken, inAccountID:
		return g.text("the request is refused")
	case inClientSecret:
		return g.text("only public apps have none")
	case inScope:
		if g.d.terms.ScopesRequired {
			return g.text("your app's default scopes")
		}
		return g.text("your app's default scopes, if it has some")
	case inUserScope:
		return g.text("no second token, which acts as the person")
	case inState:
		return g.text("allowed, but your callback could then be forged: always send it")
	case inChallenge, inChallengeMethod:
		return g.pkce()
	case inAssertion, inAssertionType:
		return g.text("fine: they stand in place of a secret, for apps with public keys")
	case inLoginHint:
		return g.text("fine; an e-mail address stands in the sign-in form already")
	case inPrompt:
		if g.d.terms.Consent == oauth.ConsentAlways {
			return g.text("fine; `login` asks for another sign-in")
		}
		return g.text("fine; `login` asks for another sign-in, `consent` asks again what was allowed before, `none` asks nothing, and sends an error back where somebody would have to answer")
	}
	return g.text("fine")
}

func (g *guide) pkce() string {
	if g.d.terms.PKCE == "required" {
		return g.text("the request is refused: PKCE with `S256` is required")
	}
	return g.text("fine for apps with a secret; PKCE with `S256` is required of public apps")
}

func whenGranting(g *guide, e *endpoint, id inputID, m meaning) string {
	in := &e.inputs[id]
	switch {
	case id == inRedirectURI && in.missing == skipped:
		return g.text("fine; if sent, it must be the one of the link")
	case id == inRedirectURI:
		return g.text("refused, if the link named one")
	case id == inVerifier:
		return g.text("refused, if the link had a challenge")
	case id == inScope:
		return g.text("the scopes that were granted stay; you may name fewer, never more")
	case id == inGrantType && in.missing == isLiteral && g.d.grantName(m) != in.literal:
		return g.text("it means `%s`, so here it must be sent: `%s`", in.literal, g.d.grantName(m))
	case id == inGrantType && in.missing != isLiteral:
		return g.text("the request is refused; it is `%s`", in.wireWord(g.d.grantName(m)))
	case id == inCode || id == inRefreshToken:
		return g.text("the request is refused")
	}
	return whenConnecting(g, e, id)
}
