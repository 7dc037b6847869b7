package dialect

import (
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
