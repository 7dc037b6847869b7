package dialect

import (
	"strings"
	"testing"

	"postern.dev/postern/internal/oauth"
)

const bySecretFile = `
language: 1
name: acme
pkce: optional
scopes: none
tokens: {access: {form: hex 40, expires: never}, refresh: none}
token:
  at: POST /token
  read: {client_id: none, client_secret: [scheme Bearer, body client_secret]}
  absent: {client_id: by secret, redirect_uri: skip}
  answer: {access_token: $access_token}
revoke: {at: POST /end, read: {client_secret: scheme Bearer}, absent: {client_id: by secret}, unknown: refuse, answer: {ended: $presented}}
`

func TestTheSecretAsBearerNamesItsApp(t *testing.T) {
	d, err := Library{}.Compile("acme.yaml", []byte(bySecretFile))
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(d)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, set)
	b.engine.tokens[xrefToken].Dialect = "acme"
	bearer := headers("Content-Type", "application/x-www-form-urlencoded", "Authorization", "Bearer "+secretText)
	twice := bearer.Clone()
	twice.Add("Authorization", "Bearer x")
	code := formBody("grant_type", "authorization_code", "code", codeText)
	b.check(t, []want{
		{name: "in the header", send: "POST /token", header: bearer, body: code, status: 200, answer: `{"access_token":"` + xrefToken + `"}`},
		{name: "in the body", send: "POST /token", header: asAForm, body: code + "&client_secret=" + secretText, status: 200},
		{name: "in both", send: "POST /token", header: bearer, body: code + "&client_secret=" + secretText, status: 400, answer: bothBody},
		{name: "two headers", send: "POST /token", header: twice, body: code, status: 400, answer: bothBody},
		{name: "wrong", send: "POST /token", header: asAForm, body: code + "&client_secret=wrong", status: 401},
		{name: "none", send: "POST /token", header: asAForm, body: code, status: 401},
		{name: "ending", send: "POST /end", header: bearer, body: "token=" + xrefToken, status: 200, answer: `{"ended":"` + xrefToken + `"}`},
		{name: "ending what is unknown", send: "POST /end", header: bearer, body: "token=x", status: 401},
		{name: "ending without a secret", send: "POST /end", header: asAForm, body: "token=x", status: 401},
	})
	if last := b.engine.redeems[0].Client; last.NamedBy != oauth.NamedBySecret || last.ClientID != "" {
		t.Errorf("%+v", last)
	}
	weak := bySecretFile + "insecure_weak_imported_secrets: {because: old}\n"
	if _, err := (Library{}).Compile("acme.yaml", []byte(weak)); err == nil || !strings.Contains(err.Error(), "[E09]") {
		t.Errorf("weak secrets that name their app: %v", err)
	}
}

func TestACodeOrATokenMayNameItsApp(t *testing.T) {
	text := strings.Replace(bySecretFile, "client_id: by secret, redirect_uri: skip", "client_id: [by code, by token], redirect_uri: skip", 1)
	text = strings.Replace(text, "refresh: none", "refresh: {rotate: never}", 1)
	text = strings.Replace(text, "$access_token}", "$access_token, refresh_token: $refresh_token}", 1)
	d, err := Library{}.Compile("acme.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(d)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, set)
	b.send("POST /token", asAForm, formBody("grant_type", "authorization_code", "code", codeText))
	b.send("POST /token", asAForm, formBody("grant_type", "refresh_token", "refresh_token", refreshText))
	if got := b.engine.named; len(got) != 2 || got[0] != oauth.NamedByCode || got[1] != oauth.NamedByToken {
		t.Errorf("named by %q", got)
	}
}
