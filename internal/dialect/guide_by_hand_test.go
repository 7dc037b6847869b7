package dialect

import (
	"crypto/sha256"
	"encoding/base64"
	"os/exec"
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest/needs"
)

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
