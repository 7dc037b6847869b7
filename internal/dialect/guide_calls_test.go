package dialect

import (
	"strings"
	"testing"
)

func TestAGuideSaysWhatEachCallNeeds(t *testing.T) {
	d, err := Library{}.Builtin("standard")
	if err != nil {
		t.Fatal(err)
	}
	calls := []Call{
		{Route: "GET /v1/jobs/{id}", Scopes: []string{"jobs.read"}}, {Route: "POST /v1/jobs", Scopes: []string{"jobs.read", "jobs.write"}},
		{Route: "GET /v1/me"}, {Route: "GET /v1/status", Public: true}, {Refused: true},
	}
	got := d.Guide(English, someOrigin, calls...)
	for _, row := range []string{
		"| `GET /v1/jobs/{id}` | with `jobs.read` |", "| `POST /v1/jobs` | with `jobs.read` and `jobs.write` |",
		"| `GET /v1/me` | any live token |", "| `GET /v1/status` | none |", "| all others | refused, with any token |",
	} {
		if !strings.Contains(got, row) {
			t.Errorf("the guide lacks %s", row)
		}
	}
	if page := d.GuideHTML(English, someOrigin, Look{}, calls...); !strings.Contains(page, "GET /v1/jobs/{id}") {
		t.Error("the page lacks the calls")
	}
	if strings.Contains(d.Guide(English, someOrigin), "What each call needs") {
		t.Error("a guide without rules speaks of them")
	}
}
