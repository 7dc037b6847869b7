package main

import (
	"strings"
	"testing"
)

const someRules = `scopeless: [xref]
routes:
  - {route: "GET /v1/jobs/{id}", scopes: [jobs.read]}
  - {route: "GET /v1/status", public: true}
`

func TestAGuideShowsTheRulesForRoutes(t *testing.T) {
	p := newPlace(t)
	p.write("routes.yaml", someRules)
	p.write("postern.yaml", "database: sqlite:a.db\npublic_url: http://localhost\nroutes: routes.yaml\n")
	for dialect, row := range map[string]string{
		"standard": "| `GET /v1/jobs/{id}` | with `jobs.read` |", "xref": "| `GET /v1/jobs/{id}` | any live token |",
	} {
		out := p.ok("dialect", "docs", dialect, "--config", "postern.yaml")
		if !strings.Contains(out, row) || !strings.Contains(out, "| `GET /v1/status` | none |") || !strings.Contains(out, "| all others | refused, with any token |") {
			t.Errorf("%s: the guide lacks its calls:\n%s", dialect, out)
		}
	}
	if out := p.ok("dialect", "docs", "standard"); strings.Contains(out, "/v1/status") {
		t.Error("a guide without a configuration has its rules")
	}
}

func TestMistakesInTheRulesEndTheStartWithTheirLine(t *testing.T) {
	p := newPlace(t)
	p.write("routes.yaml", someRules+"  - {route: \"GET /v1/jobs/{other}\", scopes: [a]}\n")
	p.write("postern.yaml", "database: sqlite:a.db\npublic_url: http://localhost\nroutes: routes.yaml\n")
	for _, command := range [][]string{{"serve"}, {"dialect", "docs", "xref"}, {"doctor"}} {
		code, out, errOut := p.run(append(command, "--config", "postern.yaml")...)
		if told := out + errOut; code != 1 || !strings.Contains(told, "routes.yaml:5:13: routes[2].route: it and \"GET /v1/jobs/{id}\" both match") {
			t.Errorf("%v: exit %d\n%s", command, code, told)
		}
	}
}
