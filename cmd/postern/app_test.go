package main

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/server"
)

func TestAppCommands(t *testing.T) {
	dir := t.TempDir()
	file, resources := filepath.Join(dir, "postern.yaml"), filepath.Join(dir, "resources.yaml")
	for path, text := range map[string]string{
		file:      "public_url: http://127.0.0.1:8080\napps: review\ndatabase: sqlite:" + filepath.Join(dir, "postern.db") + "\n",
		resources: "partners: [{name: Partner Inc, members: [{email: dev@p.test, role: developer}], apps: [{name: X, client_id: x, dialect: standard, redirect_urls: [\"https://p.test/cb\"]}]}]",
	} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	say := func(code int, want string, args ...string) {
		t.Helper()
		var out, errOut bytes.Buffer
		got := run(append(args, "--config", file), &out, &errOut)
		if got != code || !strings.Contains(out.String()+errOut.String(), want) {
			t.Errorf("postern %s: exit %d, not %d; %q is not in\n%s%s", strings.Join(args, " "), got, code, want, out.String(), errOut.String())
		}
	}
	say(0, "", "apply", resources)
	say(0, "none", "app", "list", "--waiting")
	say(0, "live", "app", "list")

	cfg, _, err := config.Load(config.Sources{File: file})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	rooms, err := server.Build(ctx, cfg, server.Outside{})
	if err != nil {
		t.Fatal(err)
	}
	row, err := rooms.DB.AppRow(ctx, "x")
	if err != nil {
		t.Fatal(err)
	}
	team, err := rooms.DB.Team(ctx, row.Partner.ID)
	if err != nil || len(team) != 1 {
		t.Fatal(team, err)
	}
	by := registry.By{Actor: "staff:" + team[0].Staff.ID, Staff: team[0].Staff.ID}
	made, err := rooms.Registry.CreateApp(ctx, by, row.Partner.ID, &registry.AppForm{Name: "New", Dialect: "standard"})
	if err == nil {
		_, err = rooms.Registry.EditApp(ctx, by, "x", &registry.AppForm{Name: "X renamed", RedirectURLs: []string{"https://p.test/cb"}})
	}
	if err != nil {
		t.Fatal(err)
	}
	if err := rooms.Close(); err != nil {
		t.Fatal(err)
	}
	say(0, "waiting   New (Partner Inc)", "app", "list", "--waiting")
	say(0, "X (Partner Inc): would change name", "app", "list", "--waiting")
	say(0, `"would_change": [`, "app", "list", "--waiting", "--json")
	say(2, "--reason", "app", "reject", made.ID)
	say(0, "is rejected", "app", "reject", made.ID, "--reason", "Who are you?")
	say(0, "rejected  New", "app", "list")
	say(0, `"reason": "Who are you?"`, "app", "list", "--json")
	say(0, "is approved", "app", "approve", made.ID)
	say(1, "Nothing of this app waits", "app", "approve", made.ID)
	say(0, "X renamed (x) is approved", "app", "approve", "x")
	say(0, "none", "app", "list", "--waiting")
	say(1, "no app with the client_id", "app", "approve", "nobody")
}
