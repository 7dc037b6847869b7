package dialect

import (
	"context"
	"strings"
	"testing"

	"postern.dev/postern/internal/oauth"
)

const twoTokensFile = `
language: 1
name: acme
level: account
pkce: optional
tokens:
  access: {form: base62 48, prefix: bot-, expires: never}
  refresh: none
  second: {asked_by: user_scope, level: user, access: {form: base62 48, prefix: own-, expires: never}}
scopes: {split: [","], join: ",", absent: skip}
authorize: {at: GET /authorize, read: {user_scope: query user_scope}, absent: {response_type: code}}
token:
  at: POST /access
  absent: {grant_type: authorization_code, redirect_uri: skip}
  answer: {ok: true, access_token: $access_token, scope: $scope,
    authed_user: {id: $user.id, scope: $second.scope, access_token: $second.access_token, token_type: $second.token_type, expires_in: $second.expires_in}}
revoke: {at: POST /revoke}
`

// twoTokens redeems with a second token, or with it alone.
type twoTokens struct {
	*engine
	alone bool
}

func (e *twoTokens) Redeem(ctx context.Context, q *oauth.Redeem) (*oauth.Issued, error) {
	i, err := e.engine.Redeem(ctx, q)
	if err == nil {
		i.Scopes = []string{"chat", "files"}
		i.Second = &oauth.Second{AccessToken: "own-1", Scopes: []string{"read", "write"}}
	}
	if err == nil && e.alone {
		i.AccessToken, i.Scopes = "", nil
	}
	return i, err
}

func TestASecondScopeSetAndItsToken(t *testing.T) {
	d, err := Library{}.Compile("acme.yaml", []byte(twoTokensFile))
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(d)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, set)
	engine := &twoTokens{engine: b.engine}
	b.Engine = engine
	to := "GET /authorize?client_id=p-acme&redirect_uri=https://p.example/cb"
	for query, want := range map[string][2]string{
		"&scope=a&user_scope=a,b": {"a", "a b"}, "&user_scope=b": {"", "b"}, "&scope=a": {"a", ""},
	} {
		if w := b.send(to+query, nil, ""); w.Code != 302 || !strings.HasPrefix(w.Header().Get("Location"), "/consent/") {
			t.Fatalf("%s: %d %s", query, w.Code, w.Header())
		}
		k := b.engine.rows.ticket
		if got := [2]string{strings.Join(k.Scopes, " "), strings.Join(k.SecondScopes, " ")}; got != want {
			t.Errorf("%s: %q", query, got)
		}
	}
	for query, word := range map[string]string{"&user_scope=everything": "invalid_scope", "&user_scope=%22": "invalid_request"} {
		if w := b.send(to+query, nil, ""); !strings.Contains(w.Header().Get("Location"), "error="+word) {
			t.Errorf("%s: %d %s", query, w.Code, w.Header())
		}
	}
	if w := b.send(to+"&user_scope=a&user_scope=b", nil, ""); w.Code != 400 {
		t.Errorf("twice: %d", w.Code)
	}

	body := formBody("client_id", "p-acme", "client_secret", secretText, "code", codeText)
	for alone, want := range map[bool]string{
		false: `{"ok":true,"access_token":"` + xrefToken + `","scope":"chat,files","authed_user":{"id":"usr_1","scope":"read,write","access_token":"own-1","token_type":"user"}}`,
		true:  `{"ok":true,"authed_user":{"id":"usr_1","scope":"read,write","access_token":"own-1","token_type":"user"}}`,
	} {
		engine.alone, b.engine.spent = alone, false
		if got := b.send("POST /access", asAForm, body).Body.String(); got != want {
			t.Errorf("alone %v: %s", alone, got)
		}
	}
	if !d.fits("own-" + "0123456789abcdef0123456789abcdef0123456789abcdef") {
		t.Error("the second token is not one of this dialect's")
	}
}

func TestASecondTokenNeedsItsOtherHalves(t *testing.T) {
	for _, row := range []struct{ old, new, want string }{
		{"read: {user_scope: query user_scope}, ", "", "E02"},
		{"  second: {", "  #{", "user_scope asks for a second token"},
		{", access_token: $second.access_token", "", "E05"},
		{"refresh: none", "refresh: none\n  at_once: 1", "at least 2"},
		{"asked_by: user_scope", "asked_by: scope", "user_scope"},
		{"level: user, access", "level: account, access", "acts as the person"},
		{`{split: [","], join: ",", absent: skip}`, "none", "E02"},
		{"form: base62 48, prefix: own-", "form: hex 20, prefix: own-", "E06"},
		{"revoke: {at: POST /revoke}", "revoke: none", "E07"},
		{"absent: {response_type: code}}", "callback: {allowed: {code: $code, state: $state, t: $second.access_token}, failed: {error: $error, state: $state}}}", "E04"},
	} {
		text := strings.Replace(twoTokensFile, row.old, row.new, 1)
		if row.new == "  #{" {
			text = strings.Replace(text, "$second.", "$", 4)
			text = strings.NewReplacer("scope: $scope, access_token: $access_token, token_type: $token_type, expires_in: $expires_in", "a: b").Replace(text)
		}
		_, err := Library{}.Compile("acme.yaml", []byte(text))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.new, err)
		}
	}
}
