package dialect

import (
	"context"
	"net/http"
	"strings"
	"testing"
)

const oldFile = `
language: 1
name: acme
pkce: optional
scopes: none
insecure_secret_in_url: {because: old partners}
insecure_token_in_url: {because: old partners}
insecure_get_token_request: {because: old partners}
tokens: {access: {form: hex 40, expires: never}, refresh: none}
token:
  at: GET /token
  read: {client_id: query key, client_secret: query secret, code: query code}
  absent: {grant_type: authorization_code, redirect_uri: skip}
  answer: {access_token: $access_token}
api: {read: {access_token: [query token, basic user]}}
whoami: {at: "GET /tokens/{token}", read: {access_token: path token}, answer: {id: $account.id}}
revoke: {at: "DELETE /tokens/{token}", by: holder, read: {token: path token}, unknown: refuse, answer: {status: 204, body: empty}}
`

func TestOldWiresWorkOnlyUnderTheirInsecureNames(t *testing.T) {
	for _, key := range []string{"insecure_secret_in_url", "insecure_token_in_url", "insecure_get_token_request"} {
		text := strings.Replace(oldFile, key+": {because: old partners}\n", "", 1)
		if _, err := (Library{}).Compile("acme.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("without %s: %v", key, err)
		}
	}
}

func TestAnOldWire(t *testing.T) {
	d, err := Library{}.Compile("acme.yaml", []byte(oldFile))
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(d)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, set)
	b.engine.tokens[xrefToken].Dialect = "acme"
	all := "/token?key=p-acme&secret=" + secretText + "&code=" + codeText
	for _, row := range []struct {
		line   string
		header http.Header
		status int
		body   string
	}{
		{"GET " + all, nil, 200, `{"access_token":"` + xrefToken + `"}`},
		{"GET " + all + "&code=x", nil, 400, ""},
		{"GET " + all, headers("Sec-Purpose", "prefetch;prerender"), 400, ""},
		{"HEAD " + all, nil, 405, ""},
		{"GET /tokens/" + xrefToken, nil, 200, `{"id":"acc_1"}`},
		{"GET /tokens/" + strings.Repeat("0", 40), nil, 401, ""},
		{"HEAD /tokens/" + xrefToken, nil, 200, ""},
		{"DELETE /tokens/" + xrefToken, nil, 204, ""},
	} {
		b.engine.spent = false
		w := b.send(row.line, row.header, "")
		if w.Code != row.status || row.body != "" && w.Body.String() != row.body {
			t.Errorf("%s: %d %s", row.line, w.Code, w.Body)
		}
	}
	r, _ := http.NewRequest("GET", "https://api.example/?token="+xrefToken, nil)
	if token, err := d.ReadToken(r); err != nil || token != xrefToken {
		t.Errorf("in the query: %v", err)
	}
	r, _ = http.NewRequest("GET", "https://api.example/", nil)
	r.SetBasicAuth(xrefToken, "")
	if token, err := d.ReadToken(r); err != nil || token != xrefToken {
		t.Errorf("as Basic's user: %v", err)
	}
	r.SetBasicAuth(xrefToken, "x")
	if _, err := d.ReadToken(r); err == nil {
		t.Error("a password beside the token is accepted")
	}
}

// A token in the body is read as the body's type says.
func TestATokenInTheBody(t *testing.T) {
	text := "language: 1\nname: acme\ntokens: {access: {form: hex 40}}\napi: {read: {access_token: [scheme Bearer, body token]}}\n" +
		"whoami: {at: POST /test, answer: {id: $account.id}}\n"
	d, err := Library{}.Compile("acme.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(d)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, set)
	b.engine.tokens[xrefToken].Dialect = "acme"
	challenge := `Bearer realm="acme"`
	b.check(t, []want{
		{name: "a form", send: "POST /test", header: asAForm, body: "token=" + xrefToken, status: 200, answer: `{"id":"acc_1"}`},
		{name: "JSON", send: "POST /test", header: asJSON, body: `{"token":"` + xrefToken + `"}`, status: 200, answer: `{"id":"acc_1"}`},
		{name: "the header", send: "POST /test", header: headers("Authorization", "Bearer "+xrefToken), status: 200},
		{name: "an empty one", send: "POST /test", header: asAForm, body: "token=", status: 401, challenge: challenge},
		{name: "a number", send: "POST /test", header: asJSON, body: `{"token":7}`, status: 401, challenge: challenge},
		{name: "no JSON", send: "POST /test", header: asJSON, body: `{"token":`, status: 400},
		{name: "twice", send: "POST /test", header: asAForm, body: "token=x&token=x", status: 400},
		{name: "header and body", send: "POST /test", header: headers("Authorization", "Bearer "+xrefToken, "Content-Type", "application/json"), body: `{"token":"x"}`, status: 400},
		{name: "another type", send: "POST /test", header: headers("Content-Type", "text/plain"), body: "token=" + xrefToken, status: 401, challenge: challenge},
	})
}

func TestWhatWasSeenHoldsNoStrangersText(t *testing.T) {
	b := newBench(t, builtin(t, "xref"))
	var seen []Seen
	b.Seen = func(_ context.Context, s Seen) { seen = append(seen, s) }
	b.send("POST /oauth/tokens", asJSON, strings.Replace(xrefAll, "p-xref", strings.Repeat("<", 9000), 1))
	b.send("POST /oauth/tokens", asJSON, xrefAll)
	b.send("GET /oauth/open-api/%3Cscript%3E", nil, "")
	if len(seen) != 3 || seen[0].AppID != "" || seen[0].Refused == nil || seen[1].AppID != "p-xref" || seen[1].Status != 200 || seen[1].Refused != nil || seen[2].AppID != "" {
		t.Errorf("%+v", seen)
	}
}
