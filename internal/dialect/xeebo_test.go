package dialect

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"
	"testing"

	"postern.dev/postern"
)

const (
	xeeboOK = `{"user":"ada","access_token":"` + xeeboToken + `","refresh_token":"` + refreshText + `","expires_in":3600}`
	xeeboAt = "POST /xeebo/oauth/token"
)

func xeeboBody(grant, name, value string) string {
	return `{"client_id":"p-xeebo","client_secret":"` + secretText + `","grant_type":"` + grant + `","` + name + `":"` + value + `"}`
}

func TestXeeboAuthorize(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	const at = "GET /xeebo/oauth/authorize?state=S"
	const all = at + "&client_id=p-xeebo&response_type=code&redirect_uri=https://p.example/cb"
	asks := func(name, send string) want { return want{name: name, send: send, status: 302, location: "/consent/"} }
	page := func(name, send string) want { return want{name: name, send: send, status: 400} }
	fails := func(name, send, word string) want {
		return want{name: name, send: send, status: 302, location: "https://p.example/cb?error=" + word + "&state=S"}
	}
	b.check(t, []want{
		asks("the guide's six", all+"&scope=a,b&display=page"),
		asks("no redirect_uri", at+"&client_id=p-xeebo&response_type=code"),
		page("no client", at+"&response_type=code"),
		page("unknown client", at+"&client_id=nobody&response_type=code"),
		page("suspended client", at+"&client_id=off-xeebo&response_type=code"),
		page("another slash", all+"/"),
		page("another case", at+"&client_id=p-xeebo&response_type=code&redirect_uri=https://p.example/CB"),
		page("another port", at+"&client_id=p-xeebo&response_type=code&redirect_uri=https://p.example:443/cb"),
		fails("no response_type", at+"&client_id=p-xeebo", "invalid_request"),
		fails("response_type=token", at+"&client_id=p-xeebo&response_type=token", "unsupported_response_type"),
		fails("an unknown scope", all+"&scope=admin", "invalid_scope"),
		fails("another case of a scope", all+"&scope=A", "invalid_scope"),
		fails("no scope at all", all+`&scope=%22a%22`, "invalid_request"),
		fails("a newline in a scope", all+"&scope=a%0Ab", "invalid_request"),
		asks("display=anything", all+"&display=hologram"),
		page("a name twice", all+"&scope=a&scope=b"),
		fails("request", all+"&request=x", "request_not_supported"),
		fails("PKCE plain", all+"&code_challenge=x&code_challenge_method=plain", "invalid_request"),
	})
}

func TestXeeboScopes(t *testing.T) {
	d := builtin(t, "xeebo").List()[0]
	for _, sent := range []string{"a,b", "a b", "a,,b", "a,b,a", " a, b ,"} {
		got, problem := d.parseScopes(sent)
		if problem || !slices.Equal(got, []string{"a", "b"}) {
			t.Errorf("%q: %q, problem %v", sent, got, problem)
		}
	}
}

func TestXeeboCallback(t *testing.T) {
	b := newBench(t, builtin(t, "xeebo"))
	d := b.Set.List()[0]
	if got := b.decided(t, d, "p-xeebo", "https://p.example/cb?x=%20", "a+b", true); got != "https://p.example/cb?x=%20&code="+codeText+"&state=a%2Bb" {
		t.Errorf("allowed: %s", got)
	}
	if got := b.decided(t, d, "p-xeebo", "https://p.example/cb", "", false); got != "https://p.example/cb?error=access_denied" {
		t.Errorf("denied: %s", got)
	}
}

func TestXeeboToken(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	code := xeeboBody("authorization_code", "code", codeText)
	formed := formBody("client_id", "p-xeebo", "client_secret", secretText, "grant_type", "authorization_code", "code", codeText)
	typed := func(media string) http.Header { return headers("Content-Type", media) }
	unsupported := refusedBody("unsupported_grant_type", "Use authorization_code or refresh_token.")
	rows := []want{
		{name: "a form", send: xeeboAt, header: asAForm, body: formed, status: 200, answer: xeeboOK},
		{name: "no type", send: xeeboAt, body: code, status: 200, answer: xeeboOK},
		{name: "JSON under the form type", send: xeeboAt, header: asAForm, body: code, status: 400, answer: badTypeBody},
		{name: "a form under the JSON type", send: xeeboAt, header: asJSON, body: formed, status: 400, answer: badJSONBody},
		{name: "XML", send: xeeboAt, header: typed("application/xml"), body: code, status: 400, answer: badTypeBody},
		{name: "no grant_type", send: xeeboAt, header: asJSON, body: strings.Replace(code, "grant_type", "x", 1), status: 400, answer: missingMember("grant_type")},
		{name: "an empty grant_type", send: xeeboAt, header: asJSON, body: xeeboBody("", "code", codeText), status: 400, answer: missingMember("grant_type")},
		{name: "the other grant's member", send: xeeboAt, header: asJSON, body: strings.TrimSuffix(code, "}") + `,"refresh_token":"x"}`, status: 200, answer: xeeboOK},
		{name: "wrong secret by Basic", send: xeeboAt, header: headers("Content-Type", "text/plain", "Authorization", basic("p-xeebo", "wrong")),
			body: `{"grant_type":"authorization_code","code":"x"}`, status: 401, answer: badClientBody, challenge: `Basic realm="xeebo"`},

		{name: "refresh", send: xeeboAt, header: asJSON, body: xeeboBody("refresh_token", "refresh_token", refreshText), status: 200, answer: xeeboOK},
		{name: "refresh of nothing", send: xeeboAt, header: asJSON, body: xeeboBody("refresh_token", "x", ""), status: 400, answer: missingMember("refresh_token")},
		{name: "refresh of a number", send: xeeboAt, header: asJSON, body: strings.Replace(xeeboBody("refresh_token", "refresh_token", "7"), `"7"`, "7", 1), status: 400, answer: missingMember("refresh_token")},
		{name: "refresh of something unknown", send: xeeboAt, header: asJSON, body: xeeboBody("refresh_token", "refresh_token", "x"), status: 400,
			answer: refusedBody("invalid_grant", "The refresh token is not valid: ask the user to connect again.")},
		{name: "a wider refresh", send: xeeboAt, header: asJSON, body: strings.TrimSuffix(xeeboBody("refresh_token", "refresh_token", refreshText), "}") + `,"scope":"a,everything"}`,
			status: 400, answer: refusedBody("invalid_scope", "A refresh cannot widen the scope.")},
	}
	for _, media := range []string{"application/json", "application/vnd.partner+json", "text/json", "text/plain", "Text/Plain; charset=utf-8"} {
		rows = append(rows, want{name: media, send: xeeboAt, header: typed(media), body: code, status: 200, answer: xeeboOK})
	}
	for _, grant := range []string{"password", "client_credentials", "AUTHORIZATION_CODE", "authorization_code "} {
		rows = append(rows, want{name: "grant " + grant, send: xeeboAt, header: asJSON, body: xeeboBody(grant, "code", codeText), status: 400, answer: unsupported})
	}
	b.check(t, rows)
}

func TestXeeboCalls(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	const at = "GET /xeebo/oauth/me"
	encoded := base64.StdEncoding.EncodeToString([]byte(xeeboToken))
	challenge := func(description string) string {
		return `Bearer realm="xeebo", error="invalid_token", error_description="` + description + `"`
	}
	const bad, raw = "The access token is not valid.", "The access token must be base64-encoded."
	none := refusedBody("invalid_token", "Send the header Authorization: Bearer BASE64(ACCESS_TOKEN).")
	rows := []want{
		{name: "encoded", send: at, header: headers("Authorization", "bearer  "+encoded), status: 200, answer: `{"user":"ada"}`},
		{name: "raw", send: at, header: headers("Authorization", "Bearer "+xeeboToken), status: 401, answer: refusedBody("invalid_token", raw), challenge: challenge(raw)},
		{name: "none", send: at, status: 401, answer: none, challenge: `Bearer realm="xeebo"`},
		{name: "in the query", send: at + "?access_token=" + xeeboToken, status: 401, answer: none, challenge: `Bearer realm="xeebo"`},
		{name: "header and query", send: at + "?access_token=x", header: headers("Authorization", "Bearer "+encoded), status: 400},
	}
	for name, credential := range map[string]string{
		"twice": base64.StdEncoding.EncodeToString([]byte(encoded)), "another last character": encoded[:59] + "_", "padded": encoded + "=",
		"wrong case": strings.ToLower(encoded), "a space": encoded[:30] + " " + encoded[30:], "a line feed": encoded[:30] + "\n" + encoded[30:],
		"unknown": base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 45))), "of another dialect": xrefToken,
	} {
		rows = append(rows, want{name: name, send: at, header: headers("Authorization", "Bearer "+credential), status: 401, answer: refusedBody("invalid_token", bad), challenge: challenge(bad)})
	}
	b.check(t, rows)

	b.engine.tokens[xeeboToken].ExpiresAt = start
	const old = "The access token has expired."
	b.check(t, []want{{name: "expired", send: at, header: headers("Authorization", "Bearer "+encoded), status: 401, answer: refusedBody("invalid_token", old), challenge: challenge(old)}})
}

func TestXeeboChallengesForScopes(t *testing.T) {
	d := builtin(t, "xeebo").List()[0]
	got := d.Refuse(postern.Errorf(postern.InsufficientScope, "The token lacks a scope."), []string{"a", "b"})
	want := `Bearer realm="xeebo", error="insufficient_scope", error_description="The token lacks a scope.", scope="a,b"`
	if got.Status != 403 || got.Challenge != want || string(got.Body) != refusedBody("insufficient_scope", "The token lacks a scope.") {
		t.Errorf("%+v %s", got, got.Body)
	}
}

func TestXeeboRevoke(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	const at = "POST /xeebo/oauth/revoke"
	body := func(token string) string {
		return `{"client_id":"p-xeebo","client_secret":"` + secretText + `","token":` + token + `}`
	}
	b.check(t, []want{
		{name: "live", send: at, header: asJSON, body: body(`"` + xeeboToken + `"`), status: 200, answer: "{}"},
		{name: "unknown", send: at, header: asJSON, body: body(`"x"`), status: 200, answer: "{}"},
		{name: "a form and a hint", send: at, header: asAForm, body: formBody("client_id", "p-xeebo", "client_secret", secretText, "token", "x", "token_type_hint", "nonsense"), status: 200, answer: "{}"},
		{name: "none", send: at, header: asJSON, body: body(`""`), status: 400, answer: missingMember("token")},
		{name: "a wrong secret", send: at, header: asJSON, body: strings.Replace(body(`"x"`), secretText, "wrong", 1), status: 401, answer: badClientBody},
	})
	if len(b.engine.revoked) != 1 {
		t.Errorf("%d tokens ended, want 1", len(b.engine.revoked))
	}
}
