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

const endingFile = `
language: 1
name: acme
level: account
ids: {account: hex 32}
pkce: optional
scopes: none
insecure_token_in_url: {because: the old address of ending}
tokens: {refresh: {form: hex 64, rotate: never}}
token: {at: POST /token}
revoke:
  - {at: POST /deauthorize, read: {account_id: body user_id}, ends: connection, unknown: refuse, answer: {user_id: $presented}}
  - {at: "DELETE /refresh/{refresh_token}", by: holder, read: {refresh_token: path refresh_token}, unknown: refuse, answer: {status: 204, body: empty}}
`

func TestOtherWaysToEndAConnection(t *testing.T) {
	d, err := Library{}.Compile("acme.yaml", []byte(endingFile))
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(d)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, set)
	by := func(account string) string {
		return formBody("client_id", "p-acme", "client_secret", secretText, "user_id", account)
	}
	b.check(t, []want{
		{name: "by the account's id", send: "POST /deauthorize", header: asAForm, body: by(xrefAccount), status: 200, answer: `{"user_id":"` + xrefAccount + `"}`},
		{name: "an unknown one", send: "POST /deauthorize", header: asAForm, body: by("x"), status: 401},
		{name: "none", send: "POST /deauthorize", header: asAForm, body: by(""), status: 400},
		{name: "by a refresh token in the path", send: "DELETE /refresh/" + refreshText, status: 204},
		{name: "another", send: "DELETE /refresh/" + strings.Repeat("0", 64), status: 401, challenge: `Bearer realm="acme", error="invalid_token", error_description="The access token is not valid."`},
	})
}

const aliasFile = `
language: 1
name: acme
pkce: optional
scopes: none
tokens: {access: {form: hex 40, expires: never}, refresh: none}
authorize: {at: "GET /shops/{shop}/authorize", read: {client_id: {from: path shop, is: app.attr.shop_id}}, absent: {response_type: code, redirect_uri: the registered one}}
token: {at: POST /token, read: {client_id: {from: body shop, is: app.attr.shop_id}, client_secret: body client_secret}, absent: {redirect_uri: skip}, answer: {access_token: $access_token}}
revoke: {at: POST /end}
`

// Ids of the old server may hold what a client_id cannot.
func TestAnAppIsKnownByAnotherOfItsIds(t *testing.T) {
	d, err := Library{}.Compile("acme.yaml", []byte(aliasFile))
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(d)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, set)
	b.engine.rows.aliases = map[oauth.Alias]string{{Attr: "shop_id", Value: "shop 7"}: "p-acme"}
	b.check(t, []want{
		{name: "asking", send: "GET /shops/shop%207/authorize?state=S", status: 302, location: "/consent/"},
		{name: "asking as nobody", send: "GET /shops/shop%208/authorize?state=S", status: 400},
		{name: "its client_id is another name", send: "GET /shops/p-acme/authorize?state=S", status: 400},
	})
	body := formBody("grant_type", "authorization_code", "code", codeText, "client_secret", secretText)
	b.check(t, []want{
		{name: "redeeming as nobody", send: "POST /token", header: asAForm, body: body + "&shop=x", status: 401},
		{name: "redeeming without a name", send: "POST /token", header: asAForm, body: body, status: 401},
		{name: "redeeming", send: "POST /token", header: asAForm, body: body + "&shop=shop+7", status: 200, answer: `{"access_token":"` + xrefToken + `"}`},
	})
	speaker := &Speaker{Dialect: d, Server: "https://x.test", ClientID: "p-acme", Attributes: map[string]string{"shop_id": "shop 7"}}
	if got := speaker.Authorize("S", ""); !strings.HasPrefix(got, "https://x.test/shops/shop%207/authorize?") {
		t.Error(got)
	}
	for _, bad := range []string{"is: app.name", "is: app.attr.", "is: user.attr.x"} {
		text := strings.Replace(aliasFile, "is: app.attr.shop_id", bad, 1)
		if _, err := (Library{}).Compile("acme.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "app.attr.NAME") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}
