package dialect

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"postern.dev/postern"
)

const metadataBody = `{"issuer":"https://auth.example","authorization_endpoint":"https://auth.example/oauth/authorize",` +
	`"token_endpoint":"https://auth.example/oauth/token","token_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","private_key_jwt","none"],` +
	`"token_endpoint_auth_signing_alg_values_supported":["ES256","RS256","EdDSA","Ed25519","PS256"],` +
	`"introspection_endpoint":"https://auth.example/oauth/introspect","introspection_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","private_key_jwt"],` +
	`"introspection_endpoint_auth_signing_alg_values_supported":["ES256","RS256","EdDSA","Ed25519","PS256"],` +
	`"revocation_endpoint":"https://auth.example/oauth/revoke","revocation_endpoint_auth_methods_supported":["client_secret_basic","client_secret_post","private_key_jwt","none"],` +
	`"revocation_endpoint_auth_signing_alg_values_supported":["ES256","RS256","EdDSA","Ed25519","PS256"],` +
	`"jwks_uri":"https://auth.example/oauth/jwks","response_types_supported":["code"],"response_modes_supported":["query"],"grant_types_supported":["authorization_code","refresh_token","client_credentials"],` +
	`"code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":true,"scopes_supported":["a"]}`

func TestStandardMetadata(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	w := b.send("GET /.well-known/oauth-authorization-server", nil, "")
	if w.Code != 200 || w.Body.String() != metadataBody {
		t.Errorf("%d\n%s\nwant\n%s", w.Code, w.Body, metadataBody)
	}
	if w.Header().Get("Access-Control-Allow-Origin") != "*" {
		t.Error("pages of other origins cannot read the metadata")
	}
}

func TestMetadataOfAMountedBaseFollowsItsIssuer(t *testing.T) {
	standard := builtin(t, "standard").List()[0]
	base := "/acme"
	moved, err := standard.Mounted(&base, nil)
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(moved)
	if err != nil {
		t.Fatal(err)
	}
	w := newBench(t, set).send("GET /.well-known/oauth-authorization-server/acme", nil, "")
	if !strings.HasPrefix(w.Body.String(), `{"issuer":"https://auth.example/acme","authorization_endpoint":"https://auth.example/acme/oauth/authorize"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

func TestStandardToken(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	const at = "POST /oauth/token"
	body := func(pairs ...string) string { return formBody(pairs...) }
	ok := `{"access_token":"` + xeeboToken + `","token_type":"Bearer","expires_in":3600,"refresh_token":"` + refreshText + `","scope":""}`
	realm := `Basic realm="standard"`
	byBasic := headers("Content-Type", "application/x-www-form-urlencoded", "Authorization", basic("p-standard", secretText))
	for _, row := range []want{
		{name: "body", header: asAForm, body: body("grant_type", "authorization_code", "code", codeText, "client_id", "p-standard", "client_secret", secretText), status: 200, answer: ok},
		{name: "Basic", header: byBasic, body: body("grant_type", "authorization_code", "code", codeText), status: 200, answer: ok},
		{name: "public", header: asAForm, body: body("grant_type", "authorization_code", "code", codeText, "client_id", "pub-standard", "code_verifier", "x"), status: 200, answer: ok},
		{name: "narrowed", header: byBasic, body: body("grant_type", "refresh_token", "refresh_token", refreshText, "scope", "b,a b"), status: 200,
			answer: strings.Replace(ok, `"scope":""`, `"scope":"b a"`, 1)},
		{name: "JSON", header: asJSON, body: `{"grant_type":"x"}`, status: 400, answer: refusedBody("invalid_request", "Send the body as application/x-www-form-urlencoded.")},
		{name: "nobody", header: asAForm, body: body("grant_type", "authorization_code", "code", codeText), status: 401,
			answer: refusedBody("invalid_client", "Authenticate the client: send client_id and client_secret.")},
		{name: "no secret", header: asAForm, body: body("grant_type", "authorization_code", "code", codeText, "client_id", "p-standard"), status: 401, answer: badClientBody},
		{name: "wrong Basic", header: headers("Content-Type", "application/x-www-form-urlencoded", "Authorization", basic("p-standard", "x")),
			body: body("grant_type", "authorization_code", "code", codeText), status: 401, answer: badClientBody, challenge: realm},
		{name: "no grant_type", header: byBasic, body: body("code", codeText), status: 400, answer: refusedBody("invalid_request", `The parameter \"grant_type\" is missing.`)},
		{name: "password", header: byBasic, body: body("grant_type", "password"), status: 400,
			answer: refusedBody("unsupported_grant_type", "Use authorization_code, refresh_token or client_credentials.")},
		{name: "client credentials without leave", header: byBasic, body: body("grant_type", "client_credentials"), status: 400, answer: refusedBody("unauthorized_client", "This app may not use this grant type.")},
		{name: "semicolons", header: byBasic, body: "grant_type=authorization_code;code=" + codeText, status: 400, answer: refusedBody("invalid_request", "The body is not a well-formed form.")},
		{name: "a broken escape", header: byBasic, body: "grant_type=%zz", status: 400, answer: refusedBody("invalid_request", "The body is not a well-formed form.")},
		{name: "ten thousand fields", header: byBasic, body: strings.Repeat("a=&", 10000), status: 400},
		{name: "brackets", header: byBasic, body: "grant_type=authorization_code&code[]=" + codeText, status: 400, answer: refusedBody("invalid_request", `The parameter \"code\" is missing.`)},
	} {
		t.Run(row.name, func(t *testing.T) {
			b.engine.spent = false
			w := b.send(at, row.header, row.body)
			if w.Code != row.status || row.answer != "" && w.Body.String() != row.answer || w.Header().Get("WWW-Authenticate") != row.challenge {
				t.Errorf("%d %s %q\nwant %d %s %q", w.Code, w.Body, w.Header().Get("WWW-Authenticate"), row.status, row.answer, row.challenge)
			}
		})
	}
}

func TestPagesOfOtherOriginsMayActForPublicAppsOnly(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	for _, row := range []struct {
		name, line string
		header     http.Header
		body       string
		open       bool
	}{
		{"preflight", "OPTIONS /oauth/token", nil, "", true},
		{"public", "POST /oauth/token", asAForm, formBody("grant_type", "authorization_code", "code", codeText, "client_id", "pub-standard"), true},
		{"a refusal", "POST /oauth/revoke", asAForm, formBody("client_id", "pub-standard"), true},
		{"with a secret", "POST /oauth/token", asAForm, formBody("grant_type", "authorization_code", "code", codeText, "client_id", "p-standard", "client_secret", secretText), false},
		{"with Basic", "POST /oauth/token", headers("Content-Type", "application/x-www-form-urlencoded", "Authorization", basic("p-standard", "x")), formBody("grant_type", "x"), false},
		{"a page", "OPTIONS /oauth/authorize", nil, "", false},
		{"another wire", "OPTIONS /xeebo/oauth/token", nil, "", false},
		{"introspection", "OPTIONS /oauth/introspect", nil, "", false},
	} {
		w := b.send(row.line, row.header, row.body)
		if got := w.Header().Get("Access-Control-Allow-Origin") == "*"; got != row.open {
			t.Errorf("%s: open %v, want %v", row.name, got, row.open)
		}
	}
}

func TestStandardCallbackNamesTheIssuer(t *testing.T) {
	b := newBench(t, builtin(t, "standard"))
	d, app := b.Set.List()[0], b.engine.rows.apps["p-standard"]
	const iss = "&iss=https%3A%2F%2Fauth.example"
	if got := b.decided(t, d, "p-standard", "https://p.example/cb", "S", true); got != "https://p.example/cb?code="+codeText+"&state=S"+iss {
		t.Errorf("allowed: %s", got)
	}
	if got := b.decided(t, d, "p-standard", "https://p.example/cb", "S", false); !strings.HasPrefix(got, "https://p.example/cb?error=access_denied&error_description=") || !strings.HasSuffix(got, "&state=S"+iss) {
		t.Errorf("denied: %s", got)
	}
	no := false
	app.ISS = &no
	if got := b.decided(t, d, "p-standard", "https://p.example/cb", "S", true); strings.Contains(got, "iss=") {
		t.Errorf("unwanted: %s", got)
	}
}

func TestIntrospection(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	const at = "POST /oauth/introspect"
	api := headers("Content-Type", "application/x-www-form-urlencoded", "Authorization", basic("api-main", secretText))
	b.check(t, []want{
		{name: "user level", send: at, header: api, body: "token=" + xeeboToken, status: 200,
			answer: `{"active":true,"client_id":"p-xeebo","scope":"a b","token_type":"Bearer","exp":1777899600,"iat":1777896000,"sub":"usr_1","account_id":"acc_1","user_id":"usr_1","username":"ada","connection_id":"con_1","dialect":"xeebo"}`},
		{name: "account level", send: at, header: api, body: "token=" + xrefToken, status: 200,
			answer: `{"active":true,"scope":"","token_type":"Bearer","iat":1777896000,"sub":"acc_1","account_id":"acc_1","dialect":"xref"}`},
		{name: "unknown", send: at, header: api, body: "token=x&token_type_hint=nonsense", status: 200, answer: `{"active":false}`},
		{name: "nobody asks", send: at, header: asAForm, body: "token=" + xrefToken, status: 401},
		{name: "no token", send: at, header: api, body: "token=", status: 400},
	})
}

func TestTroubleOfOurs(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "standard"))
	for _, row := range []struct {
		err    error
		status int
		answer string
		retry  string
	}{
		{postern.Wrap(postern.Unavailable, errors.New("dial tcp 10.0.0.1:5432")), 503, refusedBody("temporarily_unavailable", "The server cannot answer right now. Try again in a few seconds."), "5"},
		{errors.New("a secret detail"), 500, refusedBody("server_error", "Something went wrong on the server's side. Nothing was changed."), ""},
		{&postern.Error{Kind: postern.RateLimited, RetryAfter: 60e9}, 429, refusedBody("temporarily_unavailable", "Too many failed attempts. Try again later."), "60"},
		{postern.Errorf(postern.NotFound, "a row is gone"), 500, "", ""},
	} {
		b.engine.fails = row.err
		w := b.send("POST /oauth/tokens", asJSON, xrefAll)
		if w.Code != row.status || row.answer != "" && w.Body.String() != row.answer || w.Header().Get("Retry-After") != row.retry {
			t.Errorf("%v: %d %s, Retry-After %q", row.err, w.Code, w.Body, w.Header().Get("Retry-After"))
		}
		if w := b.send("GET /auth", headers("Authorization", "Token "+xrefToken), ""); w.Code != row.status || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("whoami, %v: %d, challenge %q", row.err, w.Code, w.Header().Get("WWW-Authenticate"))
		}
	}
	b.engine.rows.away = postern.Wrap(postern.Unavailable, errors.New("away"))
	if w := b.send("GET /oauth/open-api/p-xref", nil, ""); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("authorize: %d", w.Code)
	}
}

func TestNothingElseIsMatched(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	for _, path := range []string{"/", "/oauth", "/oauth/token/", "//oauth/token", "/oauth//token", "/oauth/./token", "/oauth/x/../token", "/OAUTH/token", "/oauth%2Ftoken", "/oauth/token%00", "/oauth/token;x", "/login"} {
		r, err := http.NewRequest("POST", "https://auth.example"+path, nil)
		if err == nil && b.Match(r) {
			t.Errorf("%s is matched", path)
		}
	}
}

func TestTwoDialectsThatClaimOneRouteAreNamed(t *testing.T) {
	standard := builtin(t, "standard").List()[0]
	other, err := Library{}.Compile("acme.yaml", []byte("language: 1\nname: acme\n"))
	if err != nil {
		t.Fatal(err)
	}
	_, err = NewSet(standard, other)
	if err == nil || !strings.Contains(err.Error(), "standard") || !strings.Contains(err.Error(), "acme") || !strings.Contains(err.Error(), "/oauth/authorize") {
		t.Errorf("%v", err)
	}
	own, err := other.Mounted(nil, map[string]string{"login": "login.acme.example", "api": "api.acme.example"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(standard, own)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, set)
	for host, name := range map[string]string{"login.acme.example:8443": "acme", "LOGIN.acme.example": "acme", "auth.example": "standard", "x.login.acme.example": "standard"} {
		r, _ := http.NewRequest("GET", "https://"+host+"/oauth/authorize", nil)
		var m match
		if !b.find(r, &m) || m.route.dialect.Name() != name {
			t.Errorf("%s: not %s's", host, name)
		}
	}
}
