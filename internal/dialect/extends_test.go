package dialect

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFileExtendsTheOneBesideIt(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("base.yaml", "language: 1\nname: base\nbase: /old\nlevel: account\nauthorize: {at: GET /ask}\n")
	write("deep.yaml", "extends: base.yaml\nlanguage: 1\nname: deep\n")
	compile := func(extends string) (*Dialect, error) {
		text := "language: 1\nname: acme\nextends: " + extends + "\nauthorize: {absent: {response_type: code}}\n"
		return Library{}.Compile(write("acme.yaml", text), []byte(text))
	}
	d, err := compile("base.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if d.Name() != "acme" || d.Base() != "/old" || d.Level() != "account" || d.Routes()[0].Address != "/old/ask" {
		t.Errorf("%s", d.Full())
	}
	for extends, want := range map[string]string{
		"deep.yaml": "only one level", "none.yaml": "cannot be read", "../base.yaml": "there is no built-in dialect",
		"/etc/passwd": "there is no built-in dialect", "acme.yaml": "only one level", ".yaml": "there is no built-in dialect",
	} {
		if _, err := compile(extends); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", extends, err)
		}
	}
}
