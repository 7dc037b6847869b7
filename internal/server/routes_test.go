package server

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"postern.dev/postern/internal/config"
)

func TestMistakesInTheRulesForRoutesAreToldByLine(t *testing.T) {
	mounted, err := Mounts(&config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = readRoutes("routes.yaml", []byte(`default: maybe
scopeless: [standard, nope]
routes:
  - {route: "GET /a", scopes: [a]}
  - {route: "GET /a", scopes: [b]}
  - {route: "get /b", scopes: [b]}
  - {route: "GET /c"}
  - {route: "GET /d", scopes: [d], public: true}
`), mounted)
	if err == nil {
		t.Fatal("no mistake is told")
	}
	for _, want := range []string{
		`routes.yaml:1:10: default: "maybe" is unknown`, `routes.yaml:2:12: scopeless: "standard" is no mounted dialect without scopes`, `scopeless: "nope" is no mounted`,
		`routes.yaml:5:13: routes[1].route: it and "GET /a" both match`,
		`routes.yaml:6:13: routes[2].route: "get" is no method`, "routes.yaml:7:6: routes[3]: say what the calls need", "routes.yaml:8:44: routes[4].public: ",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("not told: %s\n%v", want, err)
		}
	}
	_, err = readRoutes("routes.yaml", []byte("routes:\n  - {rout: GET /a, scopes: [a]}\n"), mounted)
	if err == nil || !strings.Contains(err.Error(), `unknown key "rout"`) {
		t.Errorf("an unknown key: %v", err)
	}
}

func TestTheExampleOfRulesIsOne(t *testing.T) {
	file := filepath.Join("..", "..", "docs", "examples", "routes.yaml")
	mounted, err := Mounts(&config.Config{})
	if err != nil {
		t.Fatal(err)
	}
	table, err := Routes(&config.Config{Routes: file}, mounted)
	if err != nil || len(table.List().Rules) < 3 {
		t.Fatalf("%v", err)
	}
	page, err := os.ReadFile("../../docs/checking.md")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !strings.Contains(string(page), string(text)) {
		t.Errorf("docs/checking.md shows other rules than docs/examples/routes.yaml (%v)", err)
	}
	if none, err := Routes(&config.Config{}, mounted); none != nil || err != nil {
		t.Errorf("without a file: %v %v", none, err)
	}
}
