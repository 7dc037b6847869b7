package dialect

import (
	"net/url"
	"strings"
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// wordyFile uses what only few wires need: an ignored segment, a parameter with
// brackets, scopes in the callback and as objects, and a signed proof in place of
// a secret, under a name of its own and without a type.
const wordyFile = `
language: 1
name: acme
pkce: optional
tokens: {access: {form: base62 45, expires: 1h}, refresh: none, when: [{"query app[kind]": big, access: {expires: 2h}}]}
authorize:
  at: "GET /v/{_version}/ask"
  read: {login_hint: "query person[email]"}
  absent: {response_type: code}
  callback: {allowed: {code: $code, state: $state, scope: $scope, who: $user.id}, failed: {error: $error, state: $state, scope: $scope}}
token:
  at: "POST /{_region}/token"
  accepts: [json, form]
  read: {client_assertion: body proof, client_assertion_type: none}
  absent: {redirect_uri: skip}
  answer: {access_token: $access_token, expires_in: $expires_in, rights: [{$each: $scope, name: $item, of: $client_id}, {name: fixed}]}
`

func wordy(t *testing.T) *bench {
	t.Helper()
	d, err := Library{}.Compile("acme.yaml", []byte(wordyFile))
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(d)
	if err != nil {
		t.Fatal(err)
	}
	return newBench(t, set)
}

func TestASegmentThatMattersToNobody(t *testing.T) {
	b := wordy(t)
	for path, want := range map[string]int{"/v/2024/ask": 302, "/v/x%20y/ask": 302, "/v//ask": 404, "/v/ask": 404, "/v/a/b/ask": 404} {
		if w := b.send("GET "+path+"?client_id=p-acme&redirect_uri=https://p.example/cb", nil, ""); w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	if got := (&Speaker{Dialect: b.Set.List()[0], Server: "https://a.test", ClientID: "p-acme"}).Authorize("S", ""); !strings.HasPrefix(got, "https://a.test/v/demo/ask?client_id=p-acme") {
		t.Error(got)
	}
}

func TestANameWithBrackets(t *testing.T) {
	b := wordy(t)
	q := url.Values{"client_id": {"p-acme"}, "redirect_uri": {"https://p.example/cb"}, "person[email]": {"ada@p.example"}, "app[kind]": {"big"}}
	if w := b.send("GET /v/1/ask?"+q.Encode(), nil, ""); w.Code != 302 || b.engine.rows.ticket.LoginHint != "ada@p.example" || b.engine.rows.ticket.Kept["query app[kind]"] != "big" {
		t.Errorf("%d, %+v", w.Code, b.engine.rows.ticket)
	}
	q.Add("person[email]", "eve@p.example")
	if w := b.send("GET /v/1/ask?"+q.Encode(), nil, ""); w.Code != 400 {
		t.Errorf("twice: %d", w.Code)
	}
	for _, good := range []string{"query a[b]", "body a[b][c]", "query a_b"} {
		if p, err := parsePlace(good); err != nil || p.String() != good {
			t.Errorf("%s: %v, %v", good, p, err)
		}
	}
	for _, bad := range []string{"query a[", "query [a]", "query a[]", "query a[b]c", "query a]b[", "header a[b]", "path a[b]", "scheme a[b]"} {
		if p, err := parsePlace(bad); err == nil {
			t.Errorf("%s: %v", bad, p)
		}
	}
}

func TestACallbackSaysWhatWasGrantedAndARefusalDoesNot(t *testing.T) {
	d := wordy(t).Set.List()[0]
	app := &postern.App{ID: "p-acme"}
	got := d.Allowed(&oauth.Granted{To: "https://p.example/cb", Code: "c", State: "S", App: app, User: postern.User{ID: "u1"}, Scopes: []string{"a", "b"}}, "https://i.test")
	if got != "https://p.example/cb?code=c&state=S&scope=a%20b&who=u1" {
		t.Error(got)
	}
	if to := callbackOfRefusal(t); to != "https://p.example/cb?error=access_denied&state=S" {
		t.Error(to)
	}
}

// callbackOfRefusal has a person say no.
func callbackOfRefusal(t *testing.T) string {
	t.Helper()
	b := wordy(t)
	return b.decided(t, b.Set.List()[0], "p-acme", "https://p.example/cb", "S", false)
}

func TestScopesAsObjects(t *testing.T) {
	b := wordy(t)
	d := b.Set.List()[0]
	say := func(scopes ...string) string {
		v := &values{dialect: d, access: "tok", clientID: "p-acme", scopes: scopes}
		body, _ := d.first(tokenEndpoint).answer.body.appendJSON(nil, v)
		return string(body)
	}
	if got := say("a", `b"c`); got != `{"access_token":"tok","rights":[{"name":"a","of":"p-acme"},{"name":"b\"c","of":"p-acme"},{"name":"fixed"}]}` {
		t.Error(got)
	}
	if got := say(); got != `{"access_token":"tok","rights":[{"name":"fixed"}]}` {
		t.Error(got)
	}
	again, err := Library{}.Compile("again.yaml", []byte(d.Full()))
	if err != nil || again.Full() != d.Full() {
		t.Errorf("%v: what show prints is another dialect\n%s", err, d.Full())
	}
}

func TestAProofInPlaceOfASecret(t *testing.T) {
	b := wordy(t)
	asJSON := headers("Content-Type", "application/json")
	b.check(t, []want{
		{name: "signed", send: "POST /eu/token", header: asJSON, body: `{"grant_type":"authorization_code","client_id":"p-acme","proof":"signed","code":"` + codeText + `"}`, status: 200,
			answer: `{"access_token":"` + xeeboToken + `","expires_in":3600,"rights":[{"name":"fixed"}]}`},
		{name: "beside a secret", send: "POST /eu/token", header: asJSON, body: `{"grant_type":"authorization_code","client_id":"p-acme","client_secret":"` + secretText + `","proof":"signed","code":"x"}`, status: 400,
			answer: `{"error":"invalid_request","error_description":"Authenticate the client in one place only."}`},
		{name: "beside Basic", send: "POST /eu/token", header: headers("Authorization", basic("p-acme", secretText), "Content-Type", "application/json"), body: `{"grant_type":"authorization_code","proof":"signed","code":"x"}`, status: 400,
			answer: `{"error":"invalid_request","error_description":"Authenticate the client in one place only."}`},
	})
	if len(b.engine.asserted) != 1 {
		t.Fatalf("%v", b.engine.asserted)
	}
	if a := b.engine.asserted[0]; a.Assertion != "signed" || a.Secret != "" || strings.Join(a.Audience, " ") != "https://auth.example" {
		t.Errorf("%+v", a) // its token endpoint has an address that is not known without a request
	}
}

func TestAnAssertionOfTheStandardDialect(t *testing.T) {
	b := newBench(t, builtin(t, "standard"))
	form := func(pairs ...string) string {
		return formBody(append([]string{"grant_type", "authorization_code", "code", codeText, "redirect_uri", "https://p.example/cb", "client_id", "p-standard"}, pairs...)...)
	}
	asForm := headers("Content-Type", "application/x-www-form-urlencoded")
	typed := []string{"client_assertion_type", assertionType}
	for name, c := range map[string]struct {
		body, said string
		status     int
	}{
		"no type":     {form("client_assertion", "signed"), `The parameter \"client_assertion_type\" is missing.`, 400},
		"only a type": {form(typed...), `The parameter \"client_assertion\" is missing.`, 400},
		"another type": {form("client_assertion", "signed", "client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"),
			"The client_assertion_type must be " + assertionType, 401},
		"twice": {form(append(typed, "client_assertion", "signed", "client_assertion", "signed")...), `The parameter \"client_assertion\" is given twice.`, 400},
	} {
		if w := b.send("POST /oauth/token", asForm, c.body); w.Code != c.status || !strings.Contains(w.Body.String(), c.said) {
			t.Errorf("%s: %d %s", name, w.Code, w.Body)
		}
	}
	if w := b.send("POST /oauth/token", asForm, form("client_assertion", "signed", "client_assertion_type", assertionType)); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if len(b.engine.asserted) != 1 || strings.Join(b.engine.asserted[0].Audience, " ") != "https://auth.example https://auth.example/oauth/token" {
		t.Errorf("%+v", b.engine.asserted)
	}
	without := builtin(t, "xref").List()[0]
	if without.TakesAssertions() || !b.Set.List()[0].TakesAssertions() {
		t.Error("who takes assertions")
	}
}
