package dialect

import (
	"crypto/sha256"
	"encoding/base64"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest/needs"
)

// Who pastes the curl lines of their app's guide knows each variable from its
// first section: its value, or where it comes from.
func TestAGuideForAnAppTellsEachVariableOfItsCurlLines(t *testing.T) {
	variable := regexp.MustCompile(`\$\{?([A-Z_]+)`)
	for name, d := range everyWire(t) {
		app := &GuideApp{ClientID: "app_1", RedirectURL: "https://partner.test/cb", Product: "Acme", SampleCall: "https://api.acme.test/it's"}
		told, rest, _ := strings.Cut(strings.TrimPrefix(d.guideFor(English, someOrigin, app, nil).markdown(), "# "), "\n## What you need\n")
		if !strings.Contains(told, `export API_URL='https://api.acme.test/it'\''s'`) {
			t.Errorf("%s: the address to call first is not set:\n%s", name, told)
		}
		found := 0
		for _, after := range strings.Split(rest, "\n```sh\n")[1:] {
			line, _, _ := strings.Cut(after, "\n```\n")
			for _, m := range variable.FindAllStringSubmatch(line, -1) {
				found++
				if m[1] != tenantBlank && !strings.Contains(told, m[1]) {
					t.Errorf("%s: nothing says what %s is:\n%s", name, m[1], line)
				}
			}
		}
		if found == 0 {
			t.Errorf("%s: no curl line reads a variable", name)
		}
	}
}

func TestALinkThatAShellPrintsCarriesTheDigestOfTheVerifierThatItKeeps(t *testing.T) {
	needs.Program(t, "apt-get install openssl", "openssl")
	script := linkByHand("https://a.test/authorize?client_id=it's&code_challenge=CODE_CHALLENGE&code_challenge_method=S256") + "\necho \"$CODE_VERIFIER\"\n"
	out, err := exec.Command("sh", "-c", script).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, script)
	}
	link, verifier, _ := strings.Cut(strings.TrimSpace(string(out)), "\n")
	digest := sha256.Sum256([]byte(verifier))
	want := "https://a.test/authorize?client_id=it's&code_challenge=" + base64.RawURLEncoding.EncodeToString(digest[:]) + "&code_challenge_method=S256"
	if link != want {
		t.Errorf("the link is %s, want %s", link, want)
	}
}
