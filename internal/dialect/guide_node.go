package dialect

import (
	"fmt"
	"reflect"
	"strings"
)

var nodeTongue = &tongue{
	id: "node", title: "Node", fence: "javascript",
	name: constantOr(camel), quote: doubleQuoted, join: " + ",
	base64: "Buffer.from(%s).toString(\"base64\")", base64URL: "Buffer.from(%s).toString(\"base64url\")",
	escape: "encodeURIComponent(%s)", form: "new URLSearchParams(%s).toString()", json: "JSON.stringify(%s)", nothing: "undefined",
	fields: func(names, values []string) string {
		var members []string
		for i, name := range names {
			if !identifier.MatchString(name) {
				name = doubleQuoted(name)
			}
			if name == values[i] {
				members = append(members, name)
			} else {
				members = append(members, name+": "+values[i])
			}
		}
		if len(members) == 0 {
			return "{}"
		}
		return laid("{ ", " }", "    ", members)
	},
	at: func(of string, w *where) string {
		for _, name := range w.path {
			if identifier.MatchString(name) {
				of += "?." + name
			} else {
				of += "?.[" + doubleQuoted(name) + "]"
			}
		}
		switch w.encoding {
		case asBase64:
			return "Buffer.from(" + of + " ?? \"\", \"base64\").toString()"
		case asBase64URL:
			return "Buffer.from(" + of + " ?? \"\", \"base64url\").toString()"
		}
		return of
	},
	write: writeNode,
}

func writeNode(l *tongue, s *steps) []snippet {
	tokens := func(name string, p tokenPlaces) string {
		members := "accessToken"
		for _, more := range []struct {
			name string
			at   *where
		}{{"refreshToken", p.refresh}, {"accountID", p.account}} {
			if more.at != nil {
				members += ", " + more.name + ": " + l.at("said", more.at)
			}
		}
		return fmt.Sprintf(`// %s reads an answer: one without an access token is a refusal.
function %s({ status, text, said }) {
  const accessToken = %s;
  if (!accessToken) throw new Error(`+"`refused with ${status}: ${text}`"+`);
  return { %s, said };
}`, name, name, l.at("said", p.access), members)
	}
	out := []snippet{{"setup", paragraphs(
		"import { "+when(s.pkce, "createHash, ")+`randomBytes, timingSafeEqual } from "node:crypto";`,
		"const { "+strings.Join(s.environment(), ", ")+" } = process.env;",
		`// send makes a request and reads its answer, which is JSON or a form.
async function send(method, url, headers, body) {
  const answer = await fetch(url, { method, headers, body, redirect: "manual", signal: AbortSignal.timeout(10_000) });
  const text = await answer.text();
  let said = {};
  try {
    const form = answer.headers.get("content-type")?.startsWith("application/x-www-form-urlencoded");
    said = form ? Object.fromEntries(new URLSearchParams(text)) : JSON.parse(text);
  } catch {} // no body, or one for people
  return { status: answer.status, text, said };
}`)}}
	out = append(out, snippet{"connect", paragraphs(
		`// newState is what you keep in the person's session until they come back.
const newState = () => randomBytes(24).toString("base64url");`,
		when(s.pkce, `// newVerifier is kept there too; the link carries its digest.
const newVerifier = () => randomBytes(32).toString("base64url");
const challengeOf = (codeVerifier) => createHash("sha256").update(codeVerifier).digest("base64url");`),
		fmt.Sprintf("function connectURL(%s) {\n  return %s;\n}", l.parameters(s.connect), l.address(s.connect)))})
	out = append(out, snippet{"callback", fmt.Sprintf(`// callback reads what came back, a URLSearchParams, and gives the code. Where the
// session has no state, the answer is to nobody's question.
function callback(query, state) {
  const came = Object.fromEntries(query);
  const equal = (a, b) => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
  if (!state || !equal(%s ?? "", state)) throw new Error("not the answer to this person's question");
  if (%s) throw new Error("not connected: " + %s);
  return %s;
}`, l.at("came", s.state), l.at("came", s.error), l.at("came", s.error), l.at("came", s.code))})
	out = append(out, snippet{"exchange", paragraphs(tokens("tokens", s.exchanged),
		fmt.Sprintf("async function exchange(%s) {\n  return tokens(await %s);\n}", l.parameters(s.exchange), l.send(s.exchange)))})
	out = append(out, snippet{"call", fmt.Sprintf("async function call(%s) {\n  return %s;\n}", l.parameters(s.call), l.send(s.call))})
	if s.whoami != nil {
		out = append(out, snippet{"whoami", fmt.Sprintf("async function whoami(%s) {\n  return %s;\n}", l.parameters(s.whoami), l.send(s.whoami))})
	}
	if s.refresh != nil {
		reader, own := "tokens", ""
		if !reflect.DeepEqual(s.exchanged, s.refreshed) {
			reader, own = "refreshedTokens", tokens("refreshedTokens", s.refreshed)
		}
		out = append(out, snippet{"refresh", paragraphs(own,
			fmt.Sprintf("async function refresh(%s) {\n  return %s(await %s);\n}", l.parameters(s.refresh), reader, l.send(s.refresh)))})
	}
	if s.disconnect != nil {
		out = append(out, snippet{"disconnect", fmt.Sprintf(`async function disconnect(%s) {
  const answer = await %s;
  if (answer.status >= 300) throw new Error(`+"`not disconnected, ${answer.status}: ${answer.text}`"+`);
}`, l.parameters(s.disconnect), l.send(s.disconnect))})
	}
	return out
}
