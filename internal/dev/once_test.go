package dev

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"postern.dev/postern/internal/dialect"
)

func TestOnceConnectsUsesAndEndsEveryDialect(t *testing.T) {
	program := filepath.Join(t.TempDir(), "postern")
	if out, err := exec.Command("go", "build", "-o", program, "postern.dev/postern/cmd/postern").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	work, temporary := t.TempDir(), t.TempDir()
	once := exec.Command(program, "dev", "--once")
	once.Dir, once.Env = work, append(os.Environ(), "TMPDIR="+temporary)
	var said, complained bytes.Buffer
	once.Stdout, once.Stderr = &said, &complained
	if err := once.Run(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, said.String(), complained.String())
	}
	for _, name := range dialect.Builtin() {
		_, story, told := strings.Cut(said.String(), "\n== "+name+":")
		if story, _, _ = strings.Cut(story, "\n== "); !told {
			t.Errorf("nothing is told of %s", name)
		}
		for _, step := range []string{"Sign in as", "Allow:", "Call the API", "Disconnect", "The tokens are dead", "\n> ", "\n< HTTP/1.1 401"} {
			if !strings.Contains(story, step) {
				t.Errorf("%s: the story has no %q", name, step)
			}
		}
	}
	for line := range strings.Lines(complained.String()) {
		if !strings.Contains(line, " sets insecure_") { // which is said of a dialect at every start
			t.Errorf("it complained: %s", line)
		}
	}
	for _, dir := range []string{work, temporary} {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("it left %v behind, %v", left, err)
		}
	}
}

func TestAStepThatFailsIsNamed(t *testing.T) {
	d := running(t, t.TempDir(), false)
	var out bytes.Buffer
	s := &story{demo: d, out: &out}
	d.partner.apps["xref"].ClientSecret = "wrong" // the server refuses the redemption
	err := s.tell(t.Context(), "xref")
	if err == nil || !strings.Contains(err.Error(), "invalid_client") || !strings.HasPrefix(s.step, "Allow") {
		t.Errorf("at step %q the error is %v", s.step, err)
	}
	if err := wants(401)(&exchange{Status: 200, Body: "alive"}, nil); err == nil || !strings.Contains(err.Error(), "alive") {
		t.Errorf("a live token passed as dead: %v", err)
	}
	if err := wants(200)(nil, errors.New("away")); err == nil || err.Error() != "away" {
		t.Errorf("the error is %v, want away", err)
	}
}
