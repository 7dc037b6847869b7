package dialect

import (
	"net/http"
	"strings"
	"testing"
)

// want is a row of a wire's table: what is sent, and what must come back.
type want struct {
	name      string
	send      string // "POST /oauth/tokens"
	header    http.Header
	body      string
	status    int
	answer    string // the whole body; "": any
	location  string // prefix; "": none
	challenge string // WWW-Authenticate; "": none
}

func (b *bench) check(t *testing.T, rows []want) {
	t.Helper()
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			b.engine.spent = false
			w := b.send(row.send, row.header, row.body)
			if w.Code != row.status {
				t.Errorf("status %d, want %d", w.Code, row.status)
			}
			if got := w.Body.String(); row.answer != "" && got != row.answer {
				t.Errorf("answer\n  %s\nwant\n  %s", got, row.answer)
			}
			if got := w.Header().Get("Location"); (row.location == "") != (got == "") || !strings.HasPrefix(got, row.location) {
				t.Errorf("Location %q, want %q", got, row.location)
			}
			if got := w.Header().Get("WWW-Authenticate"); got != row.challenge {
				t.Errorf("challenge %q, want %q", got, row.challenge)
			}
			if w.Header().Get("Access-Control-Allow-Origin") != "" {
				t.Error("another origin may read this")
			}
		})
	}
}

func refusedBody(word, description string) string {
	return `{"error":"` + word + `","error_description":"` + description + `"}`
}

var (
	asJSON  = headers("Content-Type", "application/json")
	asAForm = headers("Content-Type", "application/x-www-form-urlencoded")
	xrefOK  = `{"access_token":"` + xrefToken + `","xref_account_id":"` + xrefAccount + `"}`
	xrefAll = `{"client_id":"p-xref","client_secret":"` + secretText + `","code":"` + codeText + `"}`

	badCodeBody   = refusedBody("invalid_grant", "The code is not valid: it was used, has expired, or was not issued to this client.")
	badClientBody = refusedBody("invalid_client", "Unknown client_id or wrong client_secret.")
	badTypeBody   = refusedBody("invalid_request", "Send the body as application/json.")
	badJSONBody   = refusedBody("invalid_request", "The body is not one well-formed JSON object.")
	bothBody      = refusedBody("invalid_request", "Authenticate the client in one place only.")
)

func missingMember(name string) string {
	return refusedBody("invalid_request", `The member \"`+name+`\" is missing.`)
}

func TestXrefAuthorize(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	const at = "GET /oauth/open-api/p-xref"
	ok := want{status: 302, location: "/consent/"}
	page := func(name, send string, status int) want { return want{name: name, send: send, status: status} }
	asks := func(name, send string) want {
		return want{name: name, send: send, status: ok.status, location: ok.location}
	}
	fails := func(name, send, word string) want {
		return want{name: name, send: send, status: 302, location: "https://p.example/cb?state=S&error=" + word}
	}
	b.check(t, []want{
		asks("plain", at+"?state=S"),
		asks("no state", at),
		asks("the alias", "GET /authorize/p-xref/open?state=S"),
		{name: "POST is like GET", send: "POST /oauth/open-api/p-xref", header: asAForm, body: "state=S", status: 303, location: "/consent/"},
		{name: "HEAD asks nothing", send: "HEAD /oauth/open-api/p-xref?state=S", status: 200},
		page("unknown app", "GET /oauth/open-api/nobody?state=S", 404),
		page("malformed app", "GET /oauth/open-api/no%20body", 404),
		page("a NUL in the app", "GET /oauth/open-api/p%00xref", 404),
		page("empty app", "GET /oauth/open-api/?state=S", 404),
		page("suspended app", "GET /oauth/open-api/off-xref", 404),
		page("app of another dialect", "GET /oauth/open-api/p-xeebo", 404),
		page("a hidden slash", "GET /oauth/open-api/p-xref%2Fx", 404),
		page("a trailing slash", at+"/", 404),
		page("a double slash", "GET //oauth/open-api/p-xref", 404),
		page("a dot segment", "GET /oauth/./open-api/p-xref", 404),
		page("an escaped literal", "GET /%6fauth/open-api/p-xref", 404),
		asks("the same id in the query", at+"?client_id=p-xref"),
		page("another id in the query", at+"?client_id=p-xeebo", 400),
		asks("the registered URL", at+"?redirect_uri=https://p.example/cb"),
		page("another URL", at+"?redirect_uri=https://p.example/cb/", 400),
		asks("redirect_url is no name", at+"?redirect_url=https://evil.example/"),
		asks("response_type=code", at+"?response_type=code"),
		fails("response_type=token", at+"?state=S&response_type=token", "unsupported_response_type"),
		asks("PKCE", at+"?code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256"),
		fails("PKCE plain", at+"?state=S&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=plain", "invalid_request"),
		fails("a challenge alone", at+"?state=S&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", "invalid_request"),
		fails("a method alone", at+"?state=S&code_challenge_method=S256", "invalid_request"),
		asks("what is ignored", at+"?scope=x&resource=y&nonce=z&response_mode=query&display=page&foo=1&foo=2"),
		fails("another response_mode", at+"?state=S&response_mode=fragment", "invalid_request"),
		page("state twice", at+"?state=a&state=b", 400),
		page("redirect_uri twice, the same", at+"?redirect_uri=https://p.example/cb&redirect_uri=https://p.example/cb", 400),
		{name: "query and body", send: "POST /oauth/open-api/p-xref?state=a", header: asAForm, body: "state=a", status: 400},
		{name: "a form that is none", send: "POST /oauth/open-api/p-xref", header: asJSON, body: `{"state":"S"}`, status: 400},
		page("state of 2049 bytes", at+"?state="+strings.Repeat("s", 2049), 400),
		asks("state of 2048 bytes", at+"?state="+strings.Repeat("s", 2048)),
		asks("state of control characters", at+"?state=%00%0d%0a%ff"),
		page("a broken escape", at+"?state=%zz", 400),
		fails("request", at+"?state=S&request=x.y.z", "request_not_supported"),
		fails("request_uri", at+"?state=S&request_uri=https://evil.example/", "request_uri_not_supported"),
		page("a query over 16 KiB", at+"?x="+strings.Repeat("x", 16<<10), 414),
	})
	w := b.send("DELETE /oauth/open-api/p-xref", nil, "")
	if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD, POST" {
		t.Errorf("DELETE: %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}

func TestXrefCallback(t *testing.T) {
	b := newBench(t, builtin(t, "xref"))
	d := b.Set.List()[0]
	const cb = "https://p.example/cb"
	for _, row := range []struct{ to, state, want string }{
		{cb, "S1", cb + "?state=S1&code=" + codeText},
		{cb, "", cb + "?code=" + codeText},
		{cb + "?a=b", "S", cb + "?a=b&state=S&code=" + codeText},
		{cb + "?a=%2f+c&", "S", cb + "?a=%2f+c&state=S&code=" + codeText},
		{cb + "?", "S", cb + "?state=S&code=" + codeText},
		{cb, "a b&c=d+e%\"\x00\xff", cb + "?state=a%20b%26c%3Dd%2Be%25%22%00%FF&code=" + codeText},
		{cb, "☃", cb + "?state=%E2%98%83&code=" + codeText},
	} {
		if got := b.decided(t, d, "p-xref", row.to, row.state, true); got != row.want {
			t.Errorf("allowed\n  %s\nwant\n  %s", got, row.want)
		}
	}
	if got := b.decided(t, d, "p-xref", cb, "S", false); got != cb+"?state=S&error=access_denied" {
		t.Errorf("denied: %s", got)
	}
}

func TestXrefToken(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	const at = "POST /oauth/tokens"
	with := func(member string) string { return strings.TrimSuffix(xrefAll, "}") + "," + member + "}" }
	without := func(name string) string {
		for _, m := range []string{`"client_id":"p-xref",`, `"client_secret":"` + secretText + `",`, `,"code":"` + codeText + `"`} {
			if strings.Contains(m, `"`+name+`"`) {
				return strings.Replace(xrefAll, m, "", 1)
			}
		}
		return xrefAll
	}
	json := func(name, body string, status int, answer string) want {
		return want{name: name, send: at, header: asJSON, body: body, status: status, answer: answer}
	}
	good := func(name, body string) want { return json(name, body, 200, xrefOK) }
	onlyCode := `{"code":"` + codeText + `"}`
	rows := []want{
		good("JSON", xrefAll),
		{name: "JSON with a charset", send: at, header: headers("Content-Type", "application/json; charset=UTF-8"), body: xrefAll, status: 200, answer: xrefOK},
		{name: "a form", send: at, header: asAForm, body: formBody("client_id", "p-xref", "client_secret", secretText, "code", codeText), status: 200, answer: xrefOK},
		{name: "Basic", send: at, header: headers("Content-Type", "application/json", "Authorization", basic("p-xref", secretText)), body: onlyCode, status: 200, answer: xrefOK},
		{name: "Basic, percent-encoded", send: at, header: headers("Content-Type", "application/json", "Authorization", basic("p%2Dxref", strings.ReplaceAll(secretText, "-", "%2D"))), body: onlyCode, status: 200, answer: xrefOK},
		good("grant_type", with(`"grant_type":"authorization_code"`)),
		good("redirect_uri", with(`"redirect_uri":"https://p.example/cb"`)),
		good("unknown members", with(`"foo":[1,{"bar":null}],"baz":1e999`)),

		{name: "2: over 64 KiB", send: at, header: asJSON, body: with(`"x":"` + strings.Repeat("x", 64<<10) + `"`), status: 413,
			answer: refusedBody("invalid_request", "The body is larger than 64 KiB.")},
		{name: "3: another media type", send: at, header: headers("Content-Type", "application/xml"), body: xrefAll, status: 400, answer: badTypeBody},
		{name: "3: text/plain", send: at, header: headers("Content-Type", "text/plain"), body: xrefAll, status: 400, answer: badTypeBody},
		{name: "3: none", send: at, body: xrefAll, status: 400, answer: badTypeBody},
		{name: "3: two", send: at, header: headers("Content-Type", "application/json", "Content-Type", "application/json"), body: xrefAll, status: 400, answer: badTypeBody},
		{name: "3: UTF-16", send: at, header: headers("Content-Type", "application/json; charset=utf-16"), body: xrefAll, status: 400, answer: badTypeBody},
		{name: "3: multipart", send: at, header: headers("Content-Type", "multipart/form-data; boundary=x"), body: xrefAll, status: 400, answer: badTypeBody},
		{name: "3: gzip", send: at, header: headers("Content-Type", "application/json", "Content-Encoding", "gzip"), body: xrefAll, status: 400, answer: badTypeBody},
		{name: "3: JSON under the form type", send: at, header: asAForm, body: xrefAll, status: 400, answer: badTypeBody},
	}
	for name, body := range map[string]string{
		"nothing": "", "no object": `[]`, "null": "null", "a second document": xrefAll + xrefAll, "a BOM": "\ufeff" + xrefAll,
		"invalid UTF-8": with("\"x\":\"\xff\""), "a NUL": with(`"x":"\u0000"`), "a raw NUL": with("\"x\":\"\x00\""), "a member twice": with(`"code":"x"`),
		"a member twice, deep": with(`"x":[{"y":1,"\u0079":2}]`), "nesting over 16": with(`"x":` + strings.Repeat("[", 16) + strings.Repeat("]", 16)),
		"a lone surrogate": with(`"x":"\ud800"`), "half a pair": with(`"x":"\ud83d\u0041"`), "a comment": with(`"x":1/**/`), "single quotes": `{'code':'x'}`, "NaN": with(`"x":NaN`),
		"a trailing comma": strings.TrimSuffix(xrefAll, "}") + ",}", "a form": formBody("code", codeText), "a leading zero": with(`"x":01`), "trailing text": xrefAll + "x",
	} {
		rows = append(rows, json("4: "+name, body, 400, badJSONBody))
	}
	for _, name := range []string{"client_id", "client_secret", "code"} {
		rows = append(rows, json("5: no "+name, without(name), 400, missingMember(name)))
		for what, value := range map[string]string{"empty": `""`, "null": `null`} {
			body := strings.TrimSuffix(without(name), "}") + `,"` + name + `":` + value + "}"
			rows = append(rows, json("5: "+what+" "+name, body, 400, missingMember(name)))
		}
	}
	auth := func(value string) http.Header {
		return headers("Content-Type", "application/json", "Authorization", value)
	}
	realm := `Basic realm="xref"`
	rows = append(rows,
		json("5: code is a number", strings.Replace(xrefAll, `"`+codeText+`"`, "7", 1), 400, missingMember("code")),
		json("5: secret is a list", strings.Replace(xrefAll, `"`+secretText+`"`, "[]", 1), 400, missingMember("client_secret")),
		json("5 before 9: a wrong secret and no code", `{"client_id":"p-xref","client_secret":"wrong"}`, 400, missingMember("code")),
		want{name: "6: the query completes nothing", send: at + "?code=" + codeText, header: asJSON, body: without("code"), status: 400, answer: missingMember("code")},
		want{name: "7: a field twice", send: at, header: asAForm, body: formBody("client_id", "p-xref", "client_secret", secretText, "code", codeText) + "&code=x", status: 400,
			answer: refusedBody("invalid_request", `The parameter \"code\" is given twice.`)},
		want{name: "8: header and body", send: at, header: auth(basic("p-xref", secretText)), body: xrefAll, status: 400, answer: bothBody},
		want{name: "8: two ids", send: at, header: auth(basic("p-xref", secretText)), body: `{"client_id":"other","code":"` + codeText + `"}`, status: 400, answer: bothBody},
		want{name: "8: one id twice is well", send: at, header: auth(basic("p-xref", secretText)), body: without("client_secret"), status: 200, answer: xrefOK},
		json("9: unknown client", strings.Replace(xrefAll, "p-xref", "nobody", 1), 401, badClientBody),
		json("9: malformed client", strings.Replace(xrefAll, "p-xref", "no body", 1), 401, badClientBody),
		json("9: wrong secret", strings.Replace(xrefAll, secretText, "wrong", 1), 401, badClientBody),
		json("9: suspended", strings.Replace(xrefAll, "p-xref", "off-xref", 1), 401, badClientBody),
		json("9: of another dialect", strings.Replace(xrefAll, "p-xref", "p-xeebo", 1), 401, badClientBody),
		want{name: "10: wrong secret", send: at, header: auth(basic("p-xref", "wrong")), body: onlyCode, status: 401, answer: badClientBody, challenge: realm},
		want{name: "10: no base64", send: at, header: auth("Basic !!!"), body: onlyCode, status: 401, answer: badClientBody, challenge: realm},
		want{name: "10: no colon", send: at, header: auth("Basic cC14cmVm"), body: onlyCode, status: 401, answer: badClientBody, challenge: realm},
		want{name: "10: no user", send: at, header: auth(basic("", secretText)), body: onlyCode, status: 401, answer: badClientBody, challenge: realm},
		want{name: "10: no password", send: at, header: auth(basic("p-xref", "")), body: onlyCode, status: 401, answer: badClientBody, challenge: realm},
		json("11: another grant", with(`"grant_type":"password"`), 400, refusedBody("unsupported_grant_type", "Only authorization_code is supported here.")),
		json("11: no refresh here", with(`"grant_type":"refresh_token"`), 400, refusedBody("unsupported_grant_type", "Only authorization_code is supported here.")),
		json("11 after 9", strings.Replace(with(`"grant_type":"password"`), secretText, "wrong", 1), 401, badClientBody),
		json("12: unknown code", strings.Replace(xrefAll, codeText, "nope", 1), 400, badCodeBody),
	)
	b.check(t, rows)
}

func TestXrefTokenByAnotherMethod(t *testing.T) {
	b := newBench(t, builtin(t, "xref"))
	for _, method := range []string{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"} {
		w := b.send(method+" /oauth/tokens", nil, "")
		if w.Code != 405 || w.Header().Get("Allow") != "POST" || w.Body.String() != refusedBody("invalid_request", "Send this request with POST.") {
			t.Errorf("%s: %d, Allow %q, %s", method, w.Code, w.Header().Get("Allow"), w.Body)
		}
	}
}

func TestXrefAnswersAreJSONThatNobodyStores(t *testing.T) {
	b := newBench(t, builtin(t, "xref"))
	for _, body := range []string{xrefAll, "{}"} {
		w := b.send("POST /oauth/tokens", asJSON, body)
		if w.Header().Get("Content-Type") != "application/json; charset=utf-8" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("headers %v", w.Header())
		}
	}
}

func TestXrefCalls(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	who := `{"xref_account_id":"` + xrefAccount + `"}`
	no := refusedBody("invalid_token", "The access token is not valid.")
	none := refusedBody("invalid_token", "Send the header Authorization: Token ACCESS_TOKEN.")
	invalid := `Token realm="xref", error="invalid_token"`
	rows := []want{
		{name: "no credential", send: "POST /auth", status: 401, answer: none, challenge: `Token realm="xref"`},
		{name: "an empty header", send: "POST /auth", header: headers("Authorization", ""), status: 401, answer: none, challenge: `Token realm="xref"`},
		{name: "in the query", send: "POST /auth?access_token=" + xrefToken, status: 401, answer: none, challenge: `Token realm="xref"`},
		{name: "in a form", send: "POST /auth", header: asAForm, body: "access_token=" + xrefToken, status: 401, answer: none, challenge: `Token realm="xref"`},
		{name: "header and query", send: "GET /auth?access_token=x", header: headers("Authorization", "Token "+xrefToken), status: 400},
		{name: "header and form", send: "POST /auth", header: headers("Authorization", "Token "+xrefToken, "Content-Type", "application/x-www-form-urlencoded"), body: "access_token=x", status: 400},
		{name: "two headers", send: "GET /auth", header: headers("Authorization", "Token "+xrefToken, "Authorization", "Token "+xrefToken), status: 401, answer: no, challenge: invalid},
	}
	for _, good := range []string{"Token " + xrefToken, "token " + xrefToken, "TOKEN  " + xrefToken} {
		for _, method := range []string{"GET", "POST"} {
			rows = append(rows, want{name: method + " " + good, send: method + " /auth", header: headers("Authorization", good), status: 200, answer: who})
		}
	}
	for _, bad := range []string{
		"Token " + strings.ToUpper(xrefToken), `Token "` + xrefToken + `"`, `Token token="` + xrefToken + `"`, "Token\t" + xrefToken, "Token" + xrefToken,
		"Token " + xrefToken + ", Token " + xrefToken, "Token " + xrefToken + " x", "Bearer " + xrefToken, basic(xrefToken, "x"), "Token", xrefToken,
		"Token " + xeeboToken, "Token " + strings.Repeat("0", 40), "Token " + xrefToken[1:], "Token " + xrefToken + "0", "Token " + strings.Repeat("a", 9000), "Token \xff\x01",
	} {
		rows = append(rows, want{name: "refused " + bad, send: "GET /auth", header: headers("Authorization", bad), status: 401, answer: no, challenge: invalid})
		rows = append(rows, want{name: "refused at the end " + bad, send: "POST /oauth/deauthorize", header: headers("Authorization", bad), status: 401, answer: no, challenge: invalid})
	}
	b.check(t, append(rows,
		want{name: "deauthorize", send: "POST /oauth/deauthorize", header: headers("Authorization", "Token "+xrefToken), status: 200, answer: `{"access_token":"` + xrefToken + `"}`},
		want{name: "a body is ignored", send: "POST /oauth/deauthorize", header: headers("Authorization", "Token "+xrefToken, "Content-Type", "application/x-www-form-urlencoded"), body: "access_token=x", status: 200},
		want{name: "one over 64 KiB is not", send: "POST /oauth/deauthorize", header: headers("Authorization", "Token "+xrefToken), body: strings.Repeat("x", 64<<10+1), status: 413},
	))
}
