package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestWebhookCommands(t *testing.T) {
	dir := t.TempDir()
	config, resources := filepath.Join(dir, "postern.yaml"), filepath.Join(dir, "resources.yaml")
	for path, text := range map[string]string{
		config: "public_url: http://127.0.0.1:8080\ndatabase: sqlite:" + filepath.Join(dir, "postern.db") + "\n",
		resources: `
partners:
  - name: Partner Inc
    apps:
      - {name: X, client_id: x, dialect: standard, redirect_urls: ["https://p.test/cb"], webhook_url: "https://p.test/hook"}
      - {name: Y, client_id: y, dialect: standard, redirect_urls: ["https://p.test/cb"]}
`,
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	say := func(code int, want string, args ...string) string {
		t.Helper()
		var out, errOut bytes.Buffer
		got := run(append(args, "--config", config), &out, &errOut)
		if got != code || !strings.Contains(out.String()+errOut.String(), want) {
			t.Errorf("postern %s: exit %d, not %d; %q is not in\n%s%s", strings.Join(args, " "), got, code, want, out.String(), errOut.String())
		}
		return out.String()
	}
	say(0, "", "apply", resources)
	say(0, "healthy, 0 waiting", "webhook", "list", "x")
	say(0, "on its way", "webhook", "test", "x")
	say(0, "whsec_", "webhook", "rotate", "x", "--overlap", "1h")
	say(0, "whpk_", "webhook", "key", "x", "new")
	say(0, "", "webhook", "order", "x", "false")
	say(0, `"deliveries": []`, "webhook", "list", "x", "--json")
	say(1, "no webhook_url", "webhook", "test", "y")
	say(1, "no app with the client_id", "webhook", "list", "nobody")
	say(1, "no such delivery", "webhook", "show", "x", "evt_0")
	say(1, "no state", "webhook", "list", "x", "--state", "lost")
	say(2, "say what to send again", "webhook", "replay", "x")
	say(2, `--since: "yesterday" is no time; write one as in 2027`, "webhook", "replay", "x", "--since", "yesterday")
	say(0, "0 sent again", "webhook", "replay", "x", "--since", "2027-01-31T12:00:00Z")
	say(0, "0 sent again", "webhook", "replay", "x", "--state", "parked")
}
