package clients

import (
	"os/exec"
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/needs"
)

func curlClients(*testing.T) []client {
	var found []client
	for _, app := range posterntest.Apps {
		found = append(found, client{"curl", "as installed", app, runCurl})
	}
	return found
}

// steps are the commands of a partner's guide for each wire; what an answer
// holds fills the later ones.
var steps = map[string][]struct{ did, command, want string }{
	"checkr": {
		{"code", `curl -X POST {url}/checkr/oauth/tokens -H 'Content-Type: application/json' -d '{"client_id":"{id}","client_secret":"{secret}","code":"{code}"}'`, `"checkr_account_id":"`},
		{"the test call", `curl -X GET {url}/checkr/v1/account -u {access_token}:`, `"object":"account"`},
		{"deauthorize", `curl -X POST {url}/checkr/oauth/deauthorize -u {access_token}:`, `{"access_token":"{access_token}"}`},
		{"deauthorize", `curl -X GET {url}/checkr/v1/account -u {access_token}:`, `"error":"Bad authentication error"`},
	},
	"xref": {
		{"code", `curl {url}/oauth/tokens -H 'Content-Type: application/json' -d '{"client_id":"{id}","client_secret":"{secret}","code":"{code}"}'`, `"xref_account_id":"`},
		{"the test call", `curl -X POST {url}/auth -H 'Authorization: Token {access_token}'`, `"xref_account_id":"`},
		{"deauthorize", `curl -X POST {url}/oauth/deauthorize -H 'Authorization: Token {access_token}'`, `{"access_token":"{access_token}"}`},
		{"deauthorize", `curl {url}/auth -H 'Authorization: Token {access_token}'`, `"error":"invalid_token"`},
	},
	"xeebo": {
		{"code", `curl {url}/xeebo/oauth/token -H 'Content-Type: application/json' -d '{"client_id":"{id}","client_secret":"{secret}","grant_type":"authorization_code","code":"{code}"}'`, `"expires_in":3600`},
		{"the test call", `curl {url}/xeebo/oauth/me -H "Authorization: Bearer $(printf %s {access_token} | base64 -w0)"`, `{"user":"ada"}`},
		{"refresh", `curl {url}/xeebo/oauth/token -u {id}:{secret} -d grant_type=refresh_token -d refresh_token={refresh_token}`, `"refresh_token":"{refresh_token}"`},
		{"revocation", `curl {url}/xeebo/oauth/revoke -u {id}:{secret} -d token={refresh_token}`, `{}`},
		{"revocation", `curl {url}/xeebo/oauth/me -H "Authorization: Bearer $(printf %s {access_token} | base64 -w0)"`, `"error":"invalid_token"`},
	},
	"standard": {
		{"metadata", `curl {url}/.well-known/oauth-authorization-server`, `"issuer":"{url}"`},
		{"code", `curl {url}/oauth/token -u {id}:{secret} -d grant_type=authorization_code -d code={code} --data-urlencode redirect_uri={redirect}`, `"token_type":"Bearer"`},
		{"introspection", `curl {url}/oauth/introspect -u {id}:{secret} -d token={access_token}`, `"active":true`},
		{"refresh", `curl {url}/oauth/token -u {id}:{secret} -d grant_type=refresh_token -d refresh_token={refresh_token}`, `"refresh_token":"`},
		{"revocation", `curl {url}/oauth/revoke -u {id}:{secret} -d token={refresh_token}`, `{}`},
		{"revocation", `curl {url}/oauth/introspect -u {id}:{secret} -d token={access_token}`, `{"active":false}`},
	},
}

func runCurl(t *testing.T, s *posterntest.Postern, c client, did func(string)) {
	needs.Program(t, "apt-get install curl", "curl")
	values := map[string]string{"url": s.URL, "id": c.app.ID, "secret": c.app.Secret, "redirect": c.app.RedirectURL,
		"code": approved(s, c.app)}
	fill := func(text string) string {
		for name, value := range values {
			text = strings.ReplaceAll(text, "{"+name+"}", value)
		}
		return text
	}
	for _, step := range steps[c.app.Dialect] {
		command := fill(step.command)
		out, err := exec.Command("sh", "-c", "set -e; "+command+" -sS").CombinedOutput()
		if want := fill(step.want); err != nil || !strings.Contains(string(out), want) {
			t.Fatalf("%s\n%v\n%s\nwant %s", command, err, out, want)
		}
		answer := posterntest.Reading(t, string(out))
		for _, name := range []string{"access_token", "refresh_token"} {
			if v := answer.Field(name); v != "" {
				values[name] = v
			}
		}
		did(step.did)
	}
}

// approved is a code: of the authorize link of the guide.
func approved(s *posterntest.Postern, app posterntest.App) string {
	if app.Dialect != "checkr" {
		return s.Approve(app, posterntest.Ada)
	}
	return s.SignedIn(posterntest.Ada).AllowAt(s.URL + "/checkr/authorize/" + app.ID + "/signup?state=customer-7").Query.Get("code")
}
