package dialect

import (
	"fmt"
	"reflect"
	"regexp"
	"strings"
)

var pythonTongue = &tongue{
	id: "python", title: "Python", fence: "python",
	name: constantOr(strings.ToLower), quote: doubleQuoted, join: " + ",
	base64: "base64.b64encode((%s).encode()).decode()", base64URL: "base64.urlsafe_b64encode((%s).encode()).decode().rstrip(\"=\")",
	escape: "quote(%s, safe=\"\")", form: "urlencode(%s)", json: "json.dumps(%s)", nothing: "None",
	fields: func(names, values []string) string {
		var members []string
		for i, name := range names {
			members = append(members, doubleQuoted(name)+": "+values[i])
		}
		return laid("{", "}", "        ", members)
	},
	at: func(of string, w *where) string {
		for i, name := range w.path {
			of += ".get(" + doubleQuoted(name)
			if i < len(w.path)-1 {
				of += ", {}"
			}
			of += ")"
		}
		switch w.encoding {
		case asBase64:
			return "base64.b64decode(" + of + " or \"\").decode()"
		case asBase64URL:
			return "base64.urlsafe_b64decode((" + of + " or \"\") + \"==\").decode()"
		}
		return of
	},
	write: writePython,
}

func writePython(l *tongue, s *steps) []snippet {
	tokens := func(name string, p tokenPlaces) string {
		members := `"access_token": access_token`
		for _, more := range []struct {
			name string
			at   *where
		}{{"refresh_token", p.refresh}, {"account_id", p.account}} {
			if more.at != nil {
				members += ", \"" + more.name + "\": " + l.at("said", more.at)
			}
		}
		return fmt.Sprintf(`def %s(answer):
    """Reads an answer: one without an access token is a refusal."""
    said = answer["said"]
    access_token = %s
    if not access_token:
        raise RuntimeError(f"refused with {answer['status']}: {answer['text']}")
    return {%s, "said": said}`, name, l.at("said", p.access), members)
	}
	var environment []string
	for _, name := range s.environment() {
		environment = append(environment, fmt.Sprintf("%s = os.environ[%q]", name, name))
	}
	function := func(name string, m *message) string {
		return fmt.Sprintf("def %s(%s):\n    return %s", name, l.parameters(m), l.send(m))
	}
	out := []snippet{{"setup", paragraphs(
		"import base64, hashlib, hmac, json, os, secrets, urllib.error, urllib.request\nfrom urllib.parse import parse_qsl, quote, urlencode",
		strings.Join(environment, "\n"),
		`class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args):
        return None


opener = urllib.request.build_opener(NoRedirect)


def send(method, url, headers, body):
    """Makes a request and reads its answer, which is JSON or a form."""
    request = urllib.request.Request(url, method=method, headers=headers, data=body.encode() if body else None)
    try:
        answer = opener.open(request, timeout=10)
    except urllib.error.HTTPError as refusal:  # it is an answer too
        answer = refusal
    with answer:
        text = answer.read().decode()
        form = answer.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded")
    try:
        said = dict(parse_qsl(text)) if form else json.loads(text)
    except ValueError:  # no body, or one for people
        said = {}
    return {"status": answer.status, "text": text, "said": said}`)}}
	out = append(out, snippet{"connect", paragraphs(
		`def new_state():
    """Keep it in the person's session until they come back."""
    return secrets.token_urlsafe(24)`,
		when(s.pkce, `def new_verifier():
    """Kept there too; the link carries its digest."""
    return secrets.token_urlsafe(32)


def challenge_of(code_verifier):
    return base64.urlsafe_b64encode(hashlib.sha256(code_verifier.encode()).digest()).decode().rstrip("=")`),
		fmt.Sprintf("def connect_url(%s):\n    return %s", l.parameters(s.connect), l.address(s.connect)))})
	out = append(out, snippet{"callback", fmt.Sprintf(`def callback(query, state):
    """Reads what came back, the query string, and gives the code. Where the
    session has no state, the answer is to nobody's question."""
    came = dict(parse_qsl(query))
    if not state or not hmac.compare_digest((%s or "").encode(), state.encode()):
        raise RuntimeError("not the answer to this person's question")
    if %s:
        raise RuntimeError("not connected: " + %s)
    return %s`, l.at("came", s.state), l.at("came", s.error), l.at("came", s.error), l.at("came", s.code))})
	out = append(out, snippet{"exchange", paragraphs(tokens("tokens", s.exchanged),
		fmt.Sprintf("def exchange(%s):\n    return tokens(%s)", l.parameters(s.exchange), l.send(s.exchange)))})
	out = append(out, snippet{"call", function("call", s.call)})
	if s.whoami != nil {
		out = append(out, snippet{"whoami", function("whoami", s.whoami)})
	}
	if s.refresh != nil {
		reader, own := "tokens", ""
		if !reflect.DeepEqual(s.exchanged, s.refreshed) {
			reader, own = "refreshed_tokens", tokens("refreshed_tokens", s.refreshed)
		}
		out = append(out, snippet{"refresh", paragraphs(own,
			fmt.Sprintf("def refresh(%s):\n    return %s(%s)", l.parameters(s.refresh), reader, l.send(s.refresh)))})
	}
	if s.disconnect != nil {
		out = append(out, snippet{"disconnect", fmt.Sprintf(`def disconnect(%s):
    answer = %s
    if answer["status"] >= 300:
        raise RuntimeError(f"not disconnected, {answer['status']}: {answer['text']}")`, l.parameters(s.disconnect), l.send(s.disconnect))})
	}
	for i := range out { // PEP 8: two blank lines around functions
		out[i].text = regexp.MustCompile(`\n\n+(def|class) `).ReplaceAllString(out[i].text, "\n\n\n$1 ")
	}
	return out
}
