package dialect

import (
	"strings"
	"testing"

	"postern.dev/postern/internal/oauth"
)

const offlineFile = `
language: 1
name: acme
pkce: optional
scopes: none
keep: {audience: query audience}
tokens:
  access: {form: base62 45, expires: 1h}
  refresh: none
  when:
    - {query access_type: offline, refresh: {form: hex 64, rotate: never, idle: 30d}}
    - {audience: big, access: {expires: 2h}, answer: {access_token: $access_token, big: true}}
    - {body expiring: "1", access: {form: base62 30, expires: 5m}}
token: {at: POST /token, absent: {redirect_uri: skip}}
`

func TestOtherTermsForThoseWhoAskOtherwise(t *testing.T) {
	d, err := Library{}.Compile("acme.yaml", []byte(offlineFile))
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(d)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, set)
	ask := func(query string) *oauth.Terms {
		w := b.send("GET /oauth/authorize?client_id=p-acme&response_type=code&redirect_uri=https://p.example/cb"+query, nil, "")
		if w.Code != 302 {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		b.engine.kept = b.engine.rows.ticket.Kept
		return d.Terms().For(b.engine.kept)
	}
	body := formBody("client_id", "p-acme", "client_secret", secretText, "grant_type", "authorization_code", "code", codeText)
	redeem := func(more string) string {
		b.engine.spent = false
		return b.send("POST /token", asAForm, body+more).Body.String()
	}

	if terms := ask(""); terms.Refresh != nil || strings.Contains(redeem(""), "refresh_token") {
		t.Error("a refresh token that nobody asked for")
	}
	if terms := ask("&access_type=online"); terms.Refresh != nil {
		t.Error("a refresh token for online")
	}
	if terms := ask("&access_type=offline"); terms.Refresh == nil || terms.Refresh.Rotate || !strings.Contains(redeem(""), "refresh_token") {
		t.Error("no refresh token for offline")
	}
	if terms := ask("&audience=big"); terms.Access.Life.Hours() != 2 || redeem("") != `{"access_token":"`+xeeboToken+`","big":true}` {
		t.Errorf("another answer: %s", redeem(""))
	}
	ask("")
	redeem("&expiring=1")
	if last := b.engine.redeems[len(b.engine.redeems)-1]; last.Terms.Access.Life.Minutes() != 5 {
		t.Errorf("by a member of the token request: %v", last.Terms.Access.Life)
	}
	if w := b.send("GET /oauth/authorize?access_type=offline&access_type=online", nil, ""); w.Code != 400 {
		t.Errorf("twice: %d", w.Code)
	}
}

func TestMixedConditionsAreRefused(t *testing.T) {
	text := strings.Replace(offlineFile, "{query access_type: offline,", "{query access_type: offline, body x: y,", 1)
	if _, err := (Library{}).Compile("acme.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "write two entries") {
		t.Errorf("%v", err)
	}
}
