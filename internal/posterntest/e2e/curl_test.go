package e2e

import (
	"os/exec"
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/needs"
)

// The commands of the guide, as they stand in xref.md §8.9.
const (
	guideRedeem = `curl -X POST {api}/oauth/tokens \
    --header "Content-Type: application/json" \
    --data-binary "{
        \"client_id\": \"YOUR_CLIENT_ID\",
        \"client_secret\": \"YOUR_CLIENT_SECRET\",
        \"code\": \"AUTHORIZATION_CODE\"
    }"`
	guideTest        = `curl -X POST {api}/auth -H "Authorization: Token ACCESS_TOKEN"`
	guideDeauthorize = `curl -X POST {api}/oauth/deauthorize -H "Authorization: Token ACCESS_TOKEN"`
)

// xref.md §8.9: nothing is replaced but hosts and values.
func TestXrefTheGuidesCommandsWorkLiterally(t *testing.T) {
	needs.Program(t, "apt-get install curl", "curl")
	each(t, func(t *testing.T, s *posterntest.Postern) {
		run := func(command string, values ...string) string {
			t.Helper()
			command = strings.NewReplacer(append(values, "{api}", s.URL)...).Replace(command)
			out, err := exec.Command("sh", "-c", command+" --silent --show-error").CombinedOutput()
			if err != nil {
				t.Fatalf("%s\n%v\n%s", command, err, out)
			}
			return string(out)
		}
		field := func(answer, name string) string { return posterntest.Reading(t, answer).Field(name) }

		answer := run(guideRedeem, "YOUR_CLIENT_ID", xref.ID, "YOUR_CLIENT_SECRET", xref.Secret,
			"AUTHORIZATION_CODE", s.Approve(xref, posterntest.Ada))
		token, account := field(answer, "access_token"), field(answer, "xref_account_id")
		if token == "" || account == "" {
			t.Fatalf("the exchange answered %s", answer)
		}
		if got := run(guideTest, "ACCESS_TOKEN", token); got != `{"xref_account_id":"`+account+`"}` {
			t.Errorf("the test call answered %s", got)
		}
		if got := run(guideDeauthorize, "ACCESS_TOKEN", token); got != `{"access_token":"`+token+`"}` {
			t.Errorf("deauthorize answered %s", got)
		}
		if got := run(guideTest, "ACCESS_TOKEN", token); got != xrefNotValid {
			t.Errorf("afterwards the test call answered %s", got)
		}
	})
}
