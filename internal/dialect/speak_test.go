package dialect

import (
	"fmt"
	"net/url"
	"testing"
)

func speakerOf(t *testing.T, d *Dialect) *Speaker {
	t.Helper()
	return &Speaker{Dialect: d, Server: "https://postern.test", ClientID: "app-1", ClientSecret: "s3cret&more",
		RedirectURL: "https://partner.test/cb", Scopes: []string{"a", "b"}, Tenant: "acme"}
}

// lines is a request as it is compared here.
func (r *Request) lines() string {
	if r == nil {
		return "nothing"
	}
	out := r.Method + " " + r.URL
	if r.Basic {
		out += "\nBasic " + r.User + ":" + r.Password
	}
	for _, h := range r.Header {
		out += "\n" + h.Name + ": " + h.Value
	}
	if r.Body != "" {
		out += "\n" + r.Body
	}
	return out
}

func TestAnAppSpeaksWhatTheFileSays(t *testing.T) {
	told := Told{"access_token": "AT", "refresh_token": "RT"}
	for name, want := range map[string][]string{
		"xref": {
			"https://postern.test/oauth/open-api/app-1?state=S%26",
			"POST https://postern.test/oauth/tokens\nContent-Type: application/json\n" +
				`{"client_id":"app-1","client_secret":"s3cret&more","code":"CODE"}`,
			"nothing",
			"POST https://postern.test/auth\nAuthorization: Token AT",
			"GET https://api.test/x\nAuthorization: Token AT",
			"POST https://postern.test/oauth/deauthorize\nAuthorization: Token AT",
		},
		"xeebo": {
			"https://postern.test/xeebo/oauth/authorize?client_id=app-1&response_type=code&scope=a%2Cb&state=S%26",
			"POST https://postern.test/xeebo/oauth/token\nContent-Type: application/json\n" +
				`{"client_id":"app-1","client_secret":"s3cret&more","grant_type":"authorization_code","code":"CODE"}`,
			"POST https://postern.test/xeebo/oauth/token\nContent-Type: application/json\n" +
				`{"client_id":"app-1","client_secret":"s3cret&more","grant_type":"refresh_token","refresh_token":"RT"}`,
			"GET https://postern.test/xeebo/oauth/me\nAuthorization: Bearer QVQ=",
			"GET https://api.test/x\nAuthorization: Bearer QVQ=",
			"POST https://postern.test/xeebo/oauth/revoke\nContent-Type: application/json\n" +
				`{"client_id":"app-1","client_secret":"s3cret&more","token":"RT"}`,
		},
		"standard": {
			"https://postern.test/oauth/authorize?client_id=app-1&response_type=code&redirect_uri=https%3A%2F%2Fpartner.test%2Fcb" +
				"&scope=a%20b&state=S%26&code_challenge=CH&code_challenge_method=S256",
			"POST https://postern.test/oauth/token\nContent-Type: application/x-www-form-urlencoded\n" +
				"client_id=app-1&client_secret=s3cret%26more&grant_type=authorization_code&code=CODE&redirect_uri=https%3A%2F%2Fpartner.test%2Fcb&code_verifier=V",
			"POST https://postern.test/oauth/token\nContent-Type: application/x-www-form-urlencoded\n" +
				"client_id=app-1&client_secret=s3cret%26more&grant_type=refresh_token&refresh_token=RT",
			"nothing",
			"GET https://api.test/x\nAuthorization: Bearer AT",
			"POST https://postern.test/oauth/revoke\nContent-Type: application/x-www-form-urlencoded\n" +
				"client_id=app-1&client_secret=s3cret%26more&token=RT",
		},
	} {
		d, err := Library{}.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		s := speakerOf(t, d)
		challenge, verifier := "", ""
		if s.UsesPKCE() {
			challenge, verifier = "CH", "V"
		}
		got := []string{s.Authorize("S&", challenge), s.Redeem("CODE", verifier).lines(), s.Refresh("RT").lines(),
			s.Whoami("AT").lines(), s.Call("GET", "https://api.test/x", "AT").lines(), s.Revoke(told).lines()}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("%s, message %d:\n got %s\nwant %s", name, i, got[i], want[i])
			}
		}
	}
}

// A wire with everything in an odd place: the tenant in the host, the token as
// the user of Basic, answers as forms, grants and words of its own.
const oddWire = `
language: 1
name: odd
hosts: {api: api.example.com}
insecure_token_in_url: {because: the old server has it so}
tenant: account.handle
tokens: {access: {expires: 1h}, refresh: {rotate: never}}
grants: {authorization_code: code, again: refresh}
authorize:
  at: GET {tenant}.shops.example/ask
  read: {client_id: query app}
  map: {response_type: {auth_code: code}}
  callback: {allowed: {c: $code.base64, s: $state}, failed: {why: $error, s: $state}}
token:
  at: POST /apps/{client_id}/token
  read: {client_secret: header X-Secret, code: body auth}
  absent: {grant_type: authorization_code, redirect_uri: skip}
  require_headers: [X-Version]
  answer: {type: {default: form, application/json: json}, body: {key: $access_token, again: $refresh_token.base64, who: "acct:${account.id}"}}
api: {read: {access_token: basic user}}
revoke:
  - {at: "DELETE /tokens/{token}", read: {token: path token}}
`

func TestAnAppSpeaksAWireWithEverythingInAnOddPlace(t *testing.T) {
	d, err := Library{}.Compile("odd.yaml", []byte(oddWire))
	if err != nil {
		t.Fatal(err)
	}
	s := speakerOf(t, d)
	s.Server = "http://localhost:8080"
	if got := fmt.Sprint(d.Hosts()); got != "map[api:api.example.com]" {
		t.Errorf("hosts are %s", got)
	}
	for i, row := range [][2]string{
		{s.Authorize("S", ""), "http://acme.shops.example:8080/ask?app=app-1&response_type=auth_code&redirect_uri=https%3A%2F%2Fpartner.test%2Fcb&scope=a%20b&state=S"},
		{s.Redeem("C", "").lines(), "POST http://api.example.com:8080/apps/app-1/token\nX-Version: 1\nAccept: application/json\nX-Secret: s3cret&more\n" +
			"Content-Type: application/x-www-form-urlencoded\nauth=C"},
		{s.Refresh("RT").lines(), "POST http://api.example.com:8080/apps/app-1/token\nX-Version: 1\nAccept: application/json\nX-Secret: s3cret&more\n" +
			"Content-Type: application/x-www-form-urlencoded\ngrant_type=again&refresh_token=RT"},
		{s.Call("GET", "http://api.test/x", "AT").lines(), "GET http://api.test/x\nBasic AT:"},
		{s.Revoke(Told{"access_token": "AT"}).lines(), "DELETE http://api.example.com:8080/tokens/AT\nContent-Type: application/x-www-form-urlencoded\nclient_id=app-1&client_secret=s3cret%26more"},
		{fmt.Sprint(s.Answer("application/x-www-form-urlencoded; charset=utf-8", "key=AT&again=UlQ=&who=x&more=1")), "map[access_token:AT refresh_token:RT]"},
		{fmt.Sprint(s.Answer("application/json", `{"key":"AT","again":"not base64!"}`)), "map[access_token:AT]"},
		{fmt.Sprint(s.Answer("application/json", `["key"]`)), "map[]"},
		{fmt.Sprint(s.Callback(url.Values{"c": {"Q09ERQ=="}, "s": {"S"}})), "{CODE S }"},
		{fmt.Sprint(s.Callback(url.Values{"why": {"access_denied"}, "s": {"S"}})), "{ S access_denied}"},
	} {
		if row[0] != row[1] {
			t.Errorf("row %d:\n got %s\nwant %s", i, row[0], row[1])
		}
	}
}

func TestCurlLinesLeaveGapsForTheShell(t *testing.T) {
	for _, row := range []struct {
		r    Request
		want string
	}{
		{Request{Method: "GET", URL: "http://a/x?q=1", Header: []Header{{"Authorization", "Token ACCESS_TOKEN"}}},
			`curl 'http://a/x?q=1' -H 'Authorization: Token '"$ACCESS_TOKEN"`},
		{Request{Method: "GET", URL: "http://a/x", Header: []Header{{"Authorization", "Bearer QUNDRVNTX1RPS0VO"}}},
			`curl 'http://a/x' -H 'Authorization: Bearer '"$(printf %s "$ACCESS_TOKEN" | base64)"`},
		{Request{Method: "GET", URL: "http://a/x", Basic: true, User: "ACCESS_TOKEN"}, `curl 'http://a/x' -u "$ACCESS_TOKEN"':'`},
		{Request{Method: "POST", URL: "http://a/x", Body: `{"it's":"CODE"}`}, `curl -X POST 'http://a/x' -d '{"it'\''s":"'"$CODE"'"}'`},
	} {
		if got := row.r.Curl("ACCESS_TOKEN", "CODE"); got != row.want {
			t.Errorf("\n got %s\nwant %s", got, row.want)
		}
	}
}

// FuzzAnswer: what a server of a stranger's answers makes no reader fall over.
func FuzzAnswer(f *testing.F) {
	d, err := Library{}.Compile("odd.yaml", []byte(oddWire))
	if err != nil {
		f.Fatal(err)
	}
	s := &Speaker{Dialect: d}
	f.Add("application/json", `{"key":"AT"}`)
	f.Add("application/x-www-form-urlencoded", "key=AT")
	f.Add("text/html", "<p>")
	f.Fuzz(func(t *testing.T, media, body string) {
		for _, v := range s.Answer(media, body) {
			if v == "" {
				t.Errorf("%q of %q told an empty value", body, media)
			}
		}
	})
}
