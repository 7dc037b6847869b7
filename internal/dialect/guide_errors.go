package dialect

import (
	"fmt"
	"slices"

	"postern.dev/postern"
)

// causes say of each kind of refusal when it comes and what to do.
var causes = map[postern.Kind][2]string{
	postern.InvalidRequest:       {"the request is not well-formed", "the description says what is wrong; mend the program"},
	postern.MissingParameter:     {"something is missing", "the description says what"},
	postern.InvalidClient:        {"the client's id or secret is wrong", "check both; the code or refresh token is still good"},
	postern.UnknownClient:        {"there is no such app", "check both; the code or refresh token is still good"},
	postern.InvalidGrant:         {"the code or refresh token is no longer good, or never was", "ask the person to connect again"},
	postern.CodeUsed:             {"the code was used before", "ask the person to connect again"},
	postern.RedirectMismatch:     {"the redirect URL is not that of the link", "ask the person to connect again, and then send the same one"},
	postern.RefreshDead:          {"the refresh token has ended", "ask the person to connect again"},
	postern.UnsupportedGrantType: {"the grant type is none of this page", "mend the program"},
	postern.UnauthorizedClient:   {"your app may not use this grant type", "ask us"},
	postern.InvalidScope:         {"a scope was not granted", "ask only for what was granted"},
	postern.RateLimited:          {"too many failed attempts", "wait as `Retry-After` says"},
	postern.Unavailable:          {"we are away for a moment; nothing was spent", "repeat the request as `Retry-After` says"},
	postern.ServerError:          {"something went wrong on our side", "repeat once, then tell us"},
	postern.NoToken:              {"the call has no token", "send it as above"},
	postern.InvalidToken:         {"the token was ended, or never was", "ask the person to connect again"},
	postern.TokenExpired:         {"the token is too old", "refresh it, if it is only too old"},
	postern.InsufficientScope:    {"the token lacks a scope", "ask the person for the scope that the challenge names"},
}

var tokenKinds = []postern.Kind{postern.InvalidRequest, postern.MissingParameter, postern.InvalidClient, postern.UnknownClient, postern.InvalidGrant,
	postern.CodeUsed, postern.RedirectMismatch, postern.RefreshDead, postern.UnsupportedGrantType, postern.UnauthorizedClient, postern.InvalidScope,
	postern.RateLimited, postern.Unavailable, postern.ServerError}

var apiKinds = []postern.Kind{postern.NoToken, postern.InvalidToken, postern.TokenExpired, postern.InsufficientScope, postern.InvalidRequest, postern.Unavailable}

func (g *guide) errors() {
	g.heading("Errors")
	e := g.d.first(tokenEndpoint)
	g.say("Where tokens are given, a refusal looks like this. The word is for programs, the description for you.")
	g.code("", sample(e.errors.types, e.errors.body))
	if e.errors.statusOf(postern.InvalidGrant) == 200 {
		g.say("**A refusal can have status 200: look into the body.** What has no access token is a refusal.")
	}
	g.refusals(e.errors, tokenKinds)
	g.say("In calls to the API:")
	g.code("", sample(g.d.apiErrors.types, g.d.apiErrors.body))
	g.refusals(g.d.apiErrors, apiKinds)
	g.say("A word that is not listed here: treat it as its status says. Only the words of a code or refresh token that is no longer good mean that the person has to act; all else is for a program to repeat or to mend.")
}

func (g *guide) refusals(t *errorTable, kinds []postern.Kind) {
	var rows [][]string
	for _, k := range kinds {
		if g.d.terms.NoScopes && (k == postern.InvalidScope || k == postern.InsufficientScope) || k == postern.RefreshDead && !g.d.refreshes() ||
			k == postern.TokenExpired && g.d.terms.Access.Life == 0 && len(g.d.variants) == 0 {
			continue
		}
		row := []string{fmt.Sprint(t.statusOf(k)), "`" + t.wordOf(k) + "`", g.text(causes[k][0]), g.text(causes[k][1])}
		if !t.saysWord() {
			row = slices.Delete(row, 1, 2)
		}
		rows = g.mergeRow(rows, row)
	}
	head := []string{g.text("status"), g.text("word"), g.text("when"), g.text("what to do")}
	if !t.saysWord() {
		head = slices.Delete(head, 1, 2)
	}
	g.table(rows, head...)
}

// saysWord reports whether a refusal's body has the word of its kind.
func (t *errorTable) saysWord() (says bool) {
	t.body.uses(func(v *value) { says = says || v.base == "error" })
	return says
}
