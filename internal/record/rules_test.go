package record

import (
	"net/http"
	"strings"
	"testing"

	"postern.dev/postern/internal/transcript"
)

// machine is an exchange of a partner's machine.
func machine(method, target, authorization, body string, status int, answer string) *Exchange {
	x := &Exchange{Host: "old.test", Method: method, Target: target, Header: http.Header{}, Body: body,
		Status: status, Said: http.Header{"Content-Type": {"application/json"}}, Answer: answer}
	if authorization != "" {
		x.Header.Set("Authorization", authorization)
	}
	if strings.HasPrefix(body, "{") {
		x.Header.Set("Content-Type", "application/json")
	} else if body != "" {
		x.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	return x
}

// browser is one of a person's: it has a cookie.
func browser(target string, status int, location string) *Exchange {
	x := &Exchange{Host: "old.test", From: "ada", Method: "GET", Target: target, Header: http.Header{"Cookie": {"session=hush-hush-hush"}},
		Status: status, Said: http.Header{"Content-Type": {"text/html"}}}
	if location != "" {
		x.Said.Set("Location", location)
	}
	return x
}

func written(t *testing.T, all ...*Exchange) string {
	t.Helper()
	var b strings.Builder
	for _, one := range Transcripts(all, Options{}) {
		if _, err := transcript.Parse(FileName(one), []byte(one.String())); err != nil {
			t.Errorf("what was written cannot be read: %v", err)
		}
		b.WriteString(one.String())
	}
	return b.String()
}

func wants(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%s\nis not in\n%s", part, text)
		}
	}
}

func TestPeoplesPagesPasswordsAndCookiesAreNotKept(t *testing.T) {
	signIn := machine("POST", "/api/session", "", `{"email":"ada@old.test","password":"hush-hush-hush"}`, 200, `{"ok":true}`)
	if text := written(t, browser("/login?next=/x", 200, ""), signIn, browser("/app.css", 200, "")); text != "" {
		t.Errorf("kept:\n%s", text)
	}
}

func TestAQuestionIsWhatLedToTheCallback(t *testing.T) {
	text := written(t,
		browser("/authorize?client_id=x&state=S1", 302, "/login?client_id=x&state=S1"),
		browser("/login?client_id=x&state=S1", 200, ""),
		browser("/decide", 303, "https://p.test/cb?a=b&code=c0dec0dec0de&state=S1"),
		browser("/authorize?client_id=x&state=S2&scope=nope", 302, "https://p.test/cb?error=invalid_scope&state=S2"))
	wants(t, text, "> GET /authorize?client_id=x&state=S1\n@allow\n< 303\n< Location: https://p.test/cb?a=b&code={{code}}&state=S1",
		"redirect_uri=https://p.test/cb?a=b", "scope=nope\n< 302\n< Location: https://p.test/cb?error=invalid_scope&state=S2")
	if strings.Contains(text, "/login") || strings.Contains(text, "hush") || strings.Contains(text, "c0de") {
		t.Errorf("too much is kept:\n%s", text)
	}
}

func TestATokenIsMaskedInEverySpelling(t *testing.T) {
	const token = "0123456789abcdef0123"
	text := written(t,
		machine("POST", "/token", "", "client_id=x&client_secret=hush-hush-hush&code=c0dec0de", 400, `{"error":"invalid_grant"}`),
		machine("POST", "/token", "Basic eDpodXNoLWh1c2gtaHVzaA==", "grant_type=client_credentials", 200, `{"access_token":"`+token+`","user":{"name":"Ada","id":1700000000},"expires_in":60}`),
		machine("GET", "/me", "Bearer "+token, "", 200, `{"name":"Ada"}`),
		machine("GET", "/me", "Bearer MDEyMzQ1Njc4OWFiY2RlZjAxMjM=", "", 200, `{"name":"Ada"}`),
		machine("GET", "/me", "Basic MDEyMzQ1Njc4OWFiY2RlZjAxMjM6", "", 200, `{"name":"Ada"}`),
		machine("DELETE", "/tokens/"+token, "", "", 200, `{}`))
	wants(t, text, "client_secret={{client_secret}}&code=10000000", "Authorization: Basic {{basic}}",
		`{"access_token":"{{access_token ~ /[0-9a-f]{20}/}}","user":{"name":"{{name}}","id":{{id ~ /[0-9]{10}/}}},"expires_in":60}`,
		"Bearer {{access_token}}", "Bearer {{access_token as base64}}", "Basic {{access_token as basic}}", "DELETE /tokens/{{access_token}}")
	for _, secret := range []string{token, "hush", "Ada", "c0de", "1700000000"} {
		if strings.Contains(text, secret) {
			t.Errorf("%s is kept:\n%s", secret, text)
		}
	}
}

func TestACredentialFromBeforeIsReplacedOrLeftOut(t *testing.T) {
	text := written(t,
		machine("GET", "/me", "Bearer from-before-the-recording", "", 200, `{}`),
		machine("GET", "/me", "Bearer from-before-the-recording", "", 401, `{"error":"invalid_token"}`))
	wants(t, text, "# Left out here: GET /me answered 200, to a credential from before the recording.",
		"> Authorization: Bearer 1000000000000000000000000\n< 401")
	if strings.Contains(text, "from-before") {
		t.Errorf("kept:\n%s", text)
	}
}

func TestEachAppHasATranscript(t *testing.T) {
	list := Transcripts([]*Exchange{
		machine("POST", "/token", "", `{"client_id":"x","client_secret":"s3cret-s3cret","code":"c0dec0de"}`, 200, `{"access_token":"tokentokentoken1"}`),
		machine("POST", "/token", "", `{"client_id":"../y","client_secret":"s3cret-s3cret","code":"c0dec0df"}`, 200, `{"access_token":"tokentokentoken2"}`),
		machine("POST", "/end", "Token tokentokentoken1", "", 200, "{}"),
	}, Options{})
	if len(list) != 2 || FileName(list[0]) != "x.txt" || FileName(list[1]) != "-y.txt" || !strings.Contains(list[0].String(), "/end") {
		t.Errorf("%d transcripts:\n%v", len(list), list)
	}
}

func TestWhatLinesCannotHoldIsToldOrWrittenOtherwise(t *testing.T) {
	text := written(t, machine("GET", "/a", "", "", 400, "{\r\n \"error\": \"x\"\r\n}"), machine("GET", "/b", "", "", 400, "\x00"))
	wants(t, text, "@loose", `< {"error":"x"}`, "# Left out here: GET /b answered 400, with bytes that are no text.")
	long := machine("GET", "/c", "", "", 400, "x")
	long.Cut = true
	wants(t, written(t, long), "too long")
}

func TestOnlyTheAskedPathsCount(t *testing.T) {
	list := Transcripts([]*Exchange{machine("GET", "/oauth/x", "", "", 400, "{}"), machine("GET", "/candidates", "", "", 400, "{}")}, Options{Only: []string{"/oauth/"}})
	if len(list) != 1 || list[0].Exchanges() != 1 {
		t.Errorf("got %v", list)
	}
}

const archive = `{"log":{"entries":[
 {"request":{"method":"GET","url":"https://old.test/authorize?client_id=x&state=S1","headers":[{"name":"cookie","value":"a=b"},{"name":":path","value":"/"}]},
  "response":{"status":302,"headers":[],"redirectURL":"https://p.test/cb?code=c0dec0dec0de&state=S1","content":{}}},
 {"request":{"method":"GET","url":"https://p.test/cb?code=c0dec0dec0de&state=S1","headers":[]},"response":{"status":200,"headers":[],"content":{"mimeType":"application/json","text":"{}"}}},
 {"request":{"method":"POST","url":"https://old.test/token","headers":[],"postData":{"mimeType":"application/x-www-form-urlencoded","params":[{"name":"client_id","value":"x"},{"name":"code","value":"c0dec0dec0de"}]}},
  "response":{"status":200,"headers":[],"content":{"mimeType":"application/json","encoding":"base64","text":"eyJhY2Nlc3NfdG9rZW4iOiJ0b2tlbnRva2VudG9rZW4ifQ=="}}}
]}}`

func TestAnArchiveOfABrowserIsRead(t *testing.T) {
	all, err := ReadHAR([]byte(archive), "")
	if err != nil {
		t.Fatal(err)
	}
	text := written(t, all...)
	wants(t, text, "> GET /authorize?client_id=x&state=S1\n@allow", "> POST /token", "client_id=x&code={{code}}", `< {"access_token":"{{access_token}}"}`)
	if strings.Contains(text, "/cb?code={{code}}&state=S1\n<") {
		t.Errorf("the partner's own site is kept:\n%s", text)
	}
	if all, err = ReadHAR([]byte(archive), "elsewhere.test"); err != nil || len(all) != 0 {
		t.Errorf("another host: %d, %v", len(all), err)
	}
	for bad, want := range map[string]string{
		"": "it is not JSON, or not all of it", archive[:200]: "it is not JSON, or not all of it", "{}": "it has no log.entries",
		`{"log":{"entries":[{"request":"x"}]}}`:         "log.entries.request is a string, which it never is in one",
		`{"log":{"entries":[{"request":{"url":"x"}}]}}`: `entry 1 has no address: "x"`,
	} {
		if _, err := ReadHAR([]byte(bad), ""); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func FuzzTranscripts(f *testing.F) {
	f.Add("/t?client_id=x", "Basic eDp5", `{"code":"c0dec0dec0de","a":[1700000000,"{{b"]}`, `{"access_token":"tokentokentoken","x":{"y":"\u00e9\r"}}`, "https://p.test/cb?code=a")
	f.Add("/a?b&=c", "Token", "a=b&a=%zz", "{{{", "%")
	f.Fuzz(func(t *testing.T, target, authorization, body, answer, location string) {
		x := machine("POST", "/"+strings.ReplaceAll(target, " ", ""), authorization, body, 200, answer)
		y := browser("/"+target, 302, location)
		z := machine("GET", "/x", authorization, "", 401, answer)
		for _, one := range Transcripts([]*Exchange{x, y, z, x}, Options{}) {
			if _, err := transcript.Parse("f.txt", []byte(one.String())); err != nil {
				t.Errorf("what was written cannot be read: %v\n%s", err, one)
			}
		}
	})
}

func FuzzReadHAR(f *testing.F) {
	f.Add([]byte(archive))
	f.Fuzz(func(t *testing.T, data []byte) {
		all, err := ReadHAR(data, "")
		if err == nil {
			Transcripts(all, Options{})
		}
	})
}

func TestAWireOfOtherWordsIsRecorded(t *testing.T) {
	ask := &Exchange{Host: "old.test", From: "b", Method: "GET", Target: "/connect/app-1?nonce=N1", Header: http.Header{"Cookie": {"a=b"}},
		Status: 302, Said: http.Header{"Location": {"https://p.test/cb?ticket=t1cket-t1cket&nonce=N1"}}}
	redeem := machine("POST", "/keys", "", `{"ticket":"t1cket-t1cket"}`, 200, `{"key":"0123456789abcdef0123","company":"c-1"}`)
	redeem.Header.Set("X-App-Id", "app-1")
	redeem.Header.Set("X-App-Secret", "s3cret-s3cret")
	list := Transcripts([]*Exchange{ask, redeem}, Options{Words: Words{
		"ticket": "code", "nonce": "state", "key": "access_token", "header X-App-Id": "client_id", "header X-App-Secret": "client_secret"}})
	if len(list) != 1 {
		t.Fatalf("%d transcripts", len(list))
	}
	text := list[0].String()
	wants(t, text, "@app client_id=app-1 client_secret=secret-of-app-1 redirect_uri=https://p.test/cb", "> GET /connect/app-1?nonce=N1\n@allow\n< 302",
		"ticket={{ticket", "&nonce=N1", "> X-App-Id: app-1\n> X-App-Secret: {{client_secret}}", `> {"ticket":"{{ticket}}"}`, `{"key":"{{key`)
	if strings.Contains(text, "s3cret-s3cret") || strings.Contains(text, "t1cket-t1cket") {
		t.Errorf("kept:\n%s", text)
	}
}
