package dialect

import (
	"context"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
)

// signedByAppFile is a wire of its own whose apps may have signed tokens.
const signedByAppFile = `
language: 1
name: acme
pkce: optional
tokens: {access: {form: hex 40, format: by app}, when: [{query access_type: online, access: {expires: 2h}}]}
token: {at: POST /token}
jwks: {at: GET /keys}
`

func TestTheKeySetIsServedForAWhile(t *testing.T) {
	b := newBench(t, builtin(t, "xref", "xeebo", "standard"))
	w := b.send("GET /oauth/jwks", nil, "")
	h := w.Header()
	if w.Code != 200 || w.Body.String() != `{"keys":[{"kid":"k1"}]}` || h.Get("Content-Type") != "application/jwk-set+json" ||
		h.Get("Cache-Control") != "public, max-age=300" || h.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %s %v", w.Code, w.Body, h)
	}
	b.Keys = func(context.Context) ([]byte, error) { return nil, postern.Errorf(postern.Unavailable, "Try again.") }
	if w := b.send("GET /oauth/jwks", nil, ""); w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("while the keys cannot be read: %d %v", w.Code, w.Header())
	}
}

func TestWhichWiresCarrySignedTokens(t *testing.T) {
	own := func(tokens string) string {
		return "language: 1\nname: acme\npkce: optional\ntokens: " + tokens + "\n"
	}
	for name, c := range map[string]struct {
		file string
		want bool
	}{
		"the RFCs' own wire":     {"language: 1\nname: acme\n", true},
		"opaque":                 {own("{access: {format: opaque}}"), false},
		"a form":                 {own("{access: {form: hex 40}}"), false},
		"a form, and by app":     {own("{access: {form: hex 40, format: by app}}"), true},
		"a prefix":               {own("{access: {prefix: x_}}"), false},
		"without end":            {own("{access: {expires: never}}"), false},
		"two hours":              {own("{access: {expires: 2h}}"), false},
		"half an hour":           {own("{access: {expires: 30m}}"), true},
		"without a place":        {"language: 1\nname: acme\njwks: none\n", false},
		"a wire of its own":      {"language: 1\nname: acme\ntoken: {at: POST /t}\nrevoke: {at: POST /r}\n", false},
		"its own, with a place":  {"language: 1\nname: acme\ntoken: {at: POST /t}\nrevoke: {at: POST /r}\njwks: {at: GET /k}\n", true},
		"its own form and place": {signedByAppFile, true},
	} {
		d, err := Library{}.Compile("acme.yaml", []byte(c.file))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if d.SignedTokens() != c.want {
			t.Errorf("%s: %v", name, d.SignedTokens())
		}
	}
	for _, builtIn := range builtin(t, Builtin()...).List() {
		if builtIn.SignedTokens() != (builtIn.name == "standard") {
			t.Errorf("%s: %v", builtIn.name, builtIn.SignedTokens())
		}
	}
}

func TestALongerLifeOfTheConfigurationIsForRegistrationToRefuse(t *testing.T) {
	d, err := Library{Lifetimes: Lifetimes{Code: time.Minute, Access: 8 * time.Hour, Refresh: time.Hour}}.Builtin("standard")
	if err != nil || !d.SignedTokens() || d.Terms().Access.Life != 8*time.Hour {
		t.Errorf("%v, %+v", err, d.Terms().Access)
	}
}

func TestWhatAFileSaysWronglyOfSignedTokens(t *testing.T) {
	for text, want := range map[string]string{
		"language: 1\nname: acme\ntokens: {access: {format: jwt}}\n":                                                 `3:27: tokens.access.format: unknown value "jwt"; known: opaque, by app`,
		"language: 1\nname: acme\ntokens: {access: {format: by app}}\ntoken: {at: POST /t}\nrevoke: {at: POST /r}\n": `3:27: tokens.access.format: signed tokens need a place for their keys; write jwks: {at: GET /oauth/jwks}`,
		strings.Replace(twoTokensFile, "prefix: own-,", "prefix: own-, format: by app,", 1):                          `a second token is always opaque; leave the key out`,
	} {
		_, err := Library{}.Compile("acme.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

func TestASignedTokenIsReadWhereOneMayBe(t *testing.T) {
	const signed = "eyJhbGciOiJFUzI1NiJ9.eyJqdGkiOiJ4In0.c2ln-_"
	standard, _ := builtin(t, "standard").Get("standard")
	xeebo, _ := builtin(t, "xeebo").Get("xeebo")
	for text, want := range map[string]bool{
		signed: true, signed + ".": false, strings.TrimSuffix(signed, ".c2ln-_"): false, "a..b": false, "a.b.c=": false, "a.b.c d": false,
		"a.b." + strings.Repeat("c", 9000): false, "..": false,
	} {
		if standard.fits(postern.Secret(text)) != want {
			t.Errorf("%.60q: %v", text, !want)
		}
	}
	if xeebo.fits(signed) {
		t.Error("a wire without signed tokens takes one")
	}
}
