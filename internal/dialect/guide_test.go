package dialect

import (
	"strings"
	"testing"
)

func TestTheGuideOfXrefHasTheCommandsThatWork(t *testing.T) {
	got := builtin(t, "xref").List()[0].Guide("https://auth.example")
	for _, want := range []string{
		"https://auth.example/oauth/open-api/YOUR_CLIENT_ID?state=UNIQUE_TOKEN\n",
		"YOUR_REDIRECT_URL?state=UNIQUE_TOKEN&code=AUTHORIZATION_CODE\n",
		"curl -X POST 'https://auth.example/oauth/tokens' \\\n  -H 'Content-Type: application/json' \\\n  -d '{\"client_id\":\"YOUR_CLIENT_ID\",\"client_secret\":\"YOUR_CLIENT_SECRET\",\"code\":\"AUTHORIZATION_CODE\"}'",
		"curl -X POST 'https://auth.example/auth' \\\n  -H \"Authorization: Token ACCESS_TOKEN\"",
		"curl -X POST 'https://auth.example/oauth/deauthorize' \\\n  -H \"Authorization: Token ACCESS_TOKEN\"",
		"| 401 | `invalid_client` |",
		"The code lives 5 minutes", "does not expire",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the guide lacks %q\n%s", want, got)
		}
	}
}

func TestEveryGuideIsWhole(t *testing.T) {
	for _, name := range Builtin() {
		got := builtin(t, name).List()[0].Guide("https://auth.example")
		if strings.Count(got, "```")%2 != 0 || strings.Contains(got, "%!") || strings.Contains(got, "{client_id}") {
			t.Errorf("%s:\n%s", name, got)
		}
	}
}
