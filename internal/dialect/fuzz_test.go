package dialect

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// What the strict reader takes, the standard library must read the same way.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{xrefAll, `{}`, `{"a":"\u00e9\ud83d\ude00","b":[1,-2.5e3,true,null,{"c":""}]}`, `{"a":1,"a":2}`, "{\"a\":\"\x00\"}", `{"a":"\ud800"}`, `[`, ``} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseJSON(s, nil)
		if err != nil {
			return
		}
		var want map[string]any
		if err := json.Unmarshal([]byte(s), &want); err != nil && !strings.Contains(err.Error(), "number") {
			t.Fatalf("%q was read, and is not JSON: %v", s, err)
		}
		for _, field := range got {
			if text, ok := want[field.name].(string); ok && (field.kind != 0 || text != field.value) {
				t.Fatalf("%q: %q is %q here, %q there", s, field.name, field.value, text)
			}
		}
	})
}

func FuzzForm(f *testing.F) {
	for _, s := range []string{"a=b&c=d", "a=%20+", "a;b", "%zz", "a=%", "&&=", "a=\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, err := parseForm(s, nil)
		if err != nil {
			return
		}
		want, err := url.ParseQuery(s)
		if err != nil {
			t.Fatalf("%q was read, and is no form: %v", s, err)
		}
		for _, field := range got {
			if len(want[field.name]) == 0 {
				t.Fatalf("%q: %q is only here", s, field.name)
			}
		}
	})
}

// No body, header or path makes the door panic, answer 500 or redirect.
func FuzzDoor(f *testing.F) {
	b := newBench(f, builtin(f, Builtin()...))
	f.Add("POST", "/oauth/tokens", "application/json", "Token x", xrefAll)
	f.Add("POST", "/xeebo/oauth/token", "text/plain", "Basic eDp5", `{"grant_type":"refresh_token"}`)
	f.Add("GET", "/oauth/open-api/%zz?state=x", "", "", "")
	f.Add("POST", "/oauth/introspect", "application/x-www-form-urlencoded", "Basic !", "token=x&token=y")
	f.Add("GET", "/xeebo/oauth/me?access_token=x", "multipart/form-data", "Bearer  ", "")
	f.Add("DELETE", "/auth", "application/json; charset=\"", "Token\x00", "\x00")
	f.Fuzz(func(t *testing.T, method, target, media, authorization, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || method == "" {
			return
		}
		r := &http.Request{Method: method, URL: u, Host: "auth.example", Header: http.Header{}, ContentLength: -1}
		r.Body = http.NoBody
		if body != "" {
			r.Body = httptest.NewRequest("POST", "/", strings.NewReader(body)).Body
		}
		r.Header["Content-Type"], r.Header["Authorization"] = []string{media}, []string{authorization}
		w := httptest.NewRecorder()
		b.ServeHTTP(w, r)
		if w.Code >= 500 {
			t.Fatalf("%s %s: %d %s", method, target, w.Code, w.Body)
		}
		if to := w.Header().Get("Location"); to != "" && !strings.HasPrefix(to, "/consent/") && !strings.HasPrefix(to, "https://p.example/cb?") {
			t.Fatalf("%s %s: redirected to %s", method, target, to)
		}
	})
}

func FuzzScopes(f *testing.F) {
	d := builtin(f, "xeebo").List()[0]
	f.Add("a,b c")
	f.Add("\"a\"")
	f.Fuzz(func(t *testing.T, s string) {
		scopes, problem := d.parseScopes(s)
		for _, scope := range scopes {
			if scope == "" || !scopeName(scope) || problem {
				t.Fatalf("%q: %q", s, scopes)
			}
		}
	})
}

// A file, whatever is in it, compiles or is refused with places.
func FuzzFile(f *testing.F) {
	for _, name := range Builtin() {
		data, _ := BuiltinFile(name)
		f.Add(string(data))
	}
	f.Add("language: 1\nname: x\ntokens: {access: {form: hex 1}}\ntoken: {at: [GET /a/{b}, 7], answer: {a: [$x, \"${\"]}}")
	f.Add("extends: xref\nname: y\nlanguage: 1\nauthorize: none\nrevoke: {by: holder}\nwhoami: []")
	for _, text := range hostileFiles() {
		if len(text) < 10_000 { // the larger ones have a test of their own
			f.Add(text)
		}
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := Library{}.Compile("f.yaml", []byte(s))
		if err != nil {
			if !strings.HasPrefix(err.Error(), "f.yaml:") && !strings.HasPrefix(err.Error(), "dialects/") && !strings.HasPrefix(err.Error(), "default:") {
				t.Fatalf("no place in %q", err)
			}
			return
		}
		if _, err := NewSet(d); err != nil && !strings.Contains(err.Error(), d.Name()) {
			t.Fatal(err)
		}
	})
}
