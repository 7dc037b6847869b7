package dialect

import (
	"context"
	"strings"
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

const renewFile = `
language: 1
name: acme
pkce: optional
tokens: {access: {form: base62 45, expires: 1h, absolute: 60d}, refresh: none}
grants: {authorization_code: code, fb_exchange_token: renew}
token: {at: GET /token, accepts: [form], read: {client_id: query client_id, client_secret: query client_secret, code: query code,
  grant_type: query grant_type, access_token: query fb_exchange_token}, absent: {grant_type: authorization_code, redirect_uri: skip},
  answer: {access_token: $access_token, token_type: $token_type, expires_in: $expires_in, scope: $scope}}
insecure_secret_in_url: {because: old}
insecure_token_in_url: {because: old}
insecure_get_token_request: {because: old}
`

type renewing struct {
	*engine
	asked []oauth.Renew
}

func (e *renewing) Renew(ctx context.Context, q *oauth.Renew) (*oauth.Issued, error) {
	app, err := e.Authenticate(ctx, q.Terms, q.Client)
	if err != nil {
		return nil, err
	}
	e.asked = append(e.asked, *q)
	if q.AccessToken != xeeboToken {
		return nil, postern.Errorf(postern.RefreshDead, "no")
	}
	return e.issue(app, q.Terms, []string{"a"}), nil
}

func TestALiveTokenIsExchangedForANewOne(t *testing.T) {
	d, err := Library{}.Compile("acme.yaml", []byte(renewFile))
	if err != nil {
		t.Fatal(err)
	}
	set, err := NewSet(d)
	if err != nil {
		t.Fatal(err)
	}
	b := newBench(t, set)
	e := &renewing{engine: b.engine}
	b.Engine = e
	client := "GET /token?client_id=p-acme&client_secret=" + secretText + "&grant_type=fb_exchange_token"
	b.check(t, []want{
		{name: "live", send: client + "&fb_exchange_token=" + xeeboToken, status: 200,
			answer: `{"access_token":"` + xeeboToken + `","token_type":"Bearer","expires_in":3600,"scope":"a"}`},
		{name: "dead", send: client + "&fb_exchange_token=x", status: 400, answer: `{"error":"invalid_grant","error_description":"no"}`},
		{name: "missing", send: client, status: 400, answer: `{"error":"invalid_request","error_description":"The parameter \"fb_exchange_token\" is missing."}`},
		{name: "no client", send: strings.Replace(client, secretText, "wrong", 1) + "&fb_exchange_token=" + xeeboToken, status: 401},
	})
	if len(e.asked) != 2 || e.asked[0].Terms.Access.Absolute.Hours() != 24*60 {
		t.Errorf("%+v", e.asked)
	}
	for _, row := range []struct{ old, new, want string }{
		{", access_token: query fb_exchange_token", "", "[E01]"},
		{", fb_exchange_token: renew", "", "[E02]"},
		{"absolute: 60d", "absolute: 1m", "absolute"},
		{"refresh: none", "refresh: none, second: {asked_by: user_scope}", "which of the two"},
	} {
		_, err := Library{}.Compile("acme.yaml", []byte(strings.Replace(renewFile, row.old, row.new, 1)))
		if err == nil || !strings.Contains(err.Error(), row.want) {
			t.Errorf("%s: %v", row.new, err)
		}
	}
}

func TestARefreshWithoutASecretHasItsName(t *testing.T) {
	const text = "language: 1\nname: acme\ntoken: {at: POST /token}\n" +
		"refresh: {at: POST /refresh, read: {client_secret: none}, absent: {client_id: by token}}\n"
	if _, err := (Library{}).Compile("acme.yaml", []byte(text)); err == nil || !strings.Contains(err.Error(), "client_secret") {
		t.Errorf("without its name: %v", err)
	}
	d, err := Library{}.Compile("acme.yaml", []byte(text+"insecure_refresh_without_secret: {because: old}\n"))
	if err != nil || !d.Terms().RefreshWithoutSecret {
		t.Errorf("%v", err)
	}
	none := "language: 1\nname: acme\ntokens: {refresh: none}\ntoken: {at: POST /token}\ninsecure_refresh_without_secret: {because: old}\n"
	if _, err := (Library{}).Compile("acme.yaml", []byte(none)); err == nil || !strings.Contains(err.Error(), "nothing here needs it") {
		t.Errorf("where nothing is refreshed: %v", err)
	}
}
