package routes_test

import (
	"errors"
	"net/url"
	"strings"
	"testing"

	"postern.dev/postern/internal/routes"
)

func table(t testing.TB, anyToken bool, rules ...routes.Rule) *routes.Table {
	t.Helper()
	made, mistakes := routes.New(routes.List{AnyToken: anyToken, Rules: rules})
	if mistakes != nil {
		t.Fatalf("%+v", mistakes)
	}
	return made
}

var some = []routes.Rule{
	{Route: "GET /v1/jobs", Scopes: []string{"jobs.read"}},
	{Route: "GET /v1/jobs/{id}", Scopes: []string{"jobs.read"}},
	{Route: "GET /v1/jobs/mine", Scopes: []string{"jobs.mine"}},
	{Route: "POST /v1/jobs", Scopes: []string{"jobs.read", "jobs.write"}},
	{Route: "/v1/files/{path...}", Scopes: []string{"files"}},
	{Route: "GET /status", Public: true},
	{Route: "admin.example.com/", Scopes: []string{"admin"}},
	{Route: "GET /me"},
}

func TestTheMostSpecificRuleHolds(t *testing.T) {
	rules := table(t, false, some...)
	for call, want := range map[string]string{
		"GET /v1/jobs": "jobs.read", "HEAD /v1/jobs": "jobs.read", "GET /v1/jobs/17": "jobs.read", "GET /v1/jobs/mine": "jobs.mine",
		"POST /v1/jobs": "jobs.read jobs.write", "DELETE /v1/files/a/b%20c": "files", "GET /v1/files/": "files", "GET /status": "public",
		"GET /me": "", "GET /v1/jobs/caf%C3%A9": "jobs.read", "GET /v1/jobs/a%3Fb": "jobs.read",
		"PUT /v1/jobs": "no rule", "GET /v1/jobs/": "no rule", "GET /v1/files": "no rule", "GET /V1/jobs": "no rule", "POST /status": "no rule", "GET /": "no rule",
	} {
		method, path, _ := strings.Cut(call, " ")
		for _, host := range []string{"api.example.com", "api.example.com:8443", ""} {
			if got := says(rules.Find(method, host, path)); got != want {
				t.Errorf("%s at %q: %q, want %q", call, host, got, want)
			}
		}
	}
	for _, host := range []string{"admin.example.com", "ADMIN.example.com", "admin.example.com.", "Admin.Example.com.:443"} {
		if got := says(rules.Find("GET", host, "/anything")); got != "admin" {
			t.Errorf("%s: %q", host, got)
		}
	}
	if got := says(table(t, true, some...).Find("PUT", "", "/v1/jobs")); got != "" {
		t.Errorf("where any token does: %q", got)
	}
}

func says(r routes.Rule, err error) string {
	switch {
	case errors.Is(err, routes.ErrNoRule):
		return "no rule"
	case errors.Is(err, routes.ErrUnclean):
		return "unclean"
	case r.Public:
		return "public"
	}
	return strings.Join(r.Scopes, " ")
}

// A path that the gateway, the check and the API could read differently is
// refused, also where any token does.
func TestWhatCanBeReadInTwoWaysIsRefused(t *testing.T) {
	rules := table(t, true, append(some, routes.Rule{Route: "/", Public: true})...)
	for _, path := range []string{
		"", "*", "v1/jobs", "//v1/jobs", "/v1//jobs", "/v1/./jobs", "/v1/../jobs", "/v1/jobs/..", "/v1/jobs/.", "/v1/files//",
		"/v1/%2e%2e/jobs", "/v1/.%2E/jobs", "/v1%2Fjobs", "/v1%2fjobs", "/v1%5cjobs", `/v1\jobs`, "/v1/jobs;x=1", "/v1/jobs%3Bx",
		"/v1/jobs%00", "/v1/jobs%0a", "/v1/jobs%7F", "/v1/%6Aobs", "/v1/jobs%252F", "/v1/jobs%25", "/v1/jobs%", "/v1/jobs%2", "/v1/jobs%zz",
		"/v1/jobs?x", "/v1/jobs#x", "/v1/jo bs", "/v1/jobs\x00", "/v1/jobs\x7f", "/v1/caf\xc3\xa9", "/v1/%C0%AF", "/v1/%ff",
	} {
		if got := says(rules.Find("GET", "", path)); got != "unclean" {
			t.Errorf("%q: %q", path, got)
		}
	}
	for _, method := range []string{"", "get", "Get", "GET ", "CONNECT", "G\x00T", "GET1", strings.Repeat("A", 33)} {
		if got := says(rules.Find(method, "", "/v1/jobs")); got != "unclean" {
			t.Errorf("%q: %q", method, got)
		}
	}
}

func TestMistakesAreToldAllAtOnce(t *testing.T) {
	_, mistakes := routes.New(routes.List{Rules: []routes.Rule{
		{Route: "GET /a/{x}/c"},
		{Route: "GET /a/b/{y}"},
		{Route: "get /a"},
		{Route: "GET"},
		{Route: "GET /a/{"},
		{Route: "GET /a/../b"},
		{Route: "GET /a%2Fb"},
		{Route: "API.example.com/a"},
		{Route: "GET /ok", Scopes: []string{"two words"}},
		{Route: "GET /ok2", Scopes: []string{"a"}, Public: true},
		{Route: "GET /ok"},
		{Route: ""},
	}})
	want := []struct {
		rule int
		key  string
		part string
	}{
		{1, "route", `it and "GET /a/{x}/c" both match some calls`}, {2, "route", `"get" is no method`}, {3, "route", "is no pattern"},
		{4, "route", "is no pattern"}, {5, "route", "is no pattern"}, {6, "route", "write the path as it reads"}, {7, "route", "small letters"},
		{8, "scopes", `"two words" is no scope`}, {9, "public", "needs no scopes"}, {10, "route", `it and "GET /ok" both match`}, {11, "route", "is no pattern"},
	}
	if len(mistakes) != len(want) {
		t.Fatalf("%d mistakes: %+v", len(mistakes), mistakes)
	}
	for i, m := range mistakes {
		if m.Rule != want[i].rule || m.Key != want[i].key || !strings.Contains(m.Msg, want[i].part) {
			t.Errorf("%+v, want %+v", m, want[i])
		}
	}
}

// FuzzFind: whatever is sent, a rule is found only for a path whose segments,
// decoded once, are the rule's own – and that decoding again or cleaning leaves
// as it is.
func FuzzFind(f *testing.F) {
	for _, seed := range []string{"/v1/jobs", "/v1/jobs/17", "/v1/jobs/..%2f", "/v1/%6aobs", "//v1/jobs", "/v1/jobs/%C0%AF", "/v1/files/a/b", "/status;x", "/v1/jobs/%252e"} {
		f.Add("GET", "admin.example.com", seed)
		f.Add("POST", "x", seed)
	}
	rules := table(f, false, some...)
	f.Fuzz(func(t *testing.T, method, host, path string) {
		r, err := rules.Find(method, host, path)
		if err != nil {
			return
		}
		plain, err := url.PathUnescape(path)
		if err != nil {
			t.Fatalf("%q cannot be decoded", path)
		}
		if strings.Count(plain, "/") != strings.Count(path, "/") {
			t.Fatalf("%q has other segments once decoded", path)
		}
		if again, err := url.PathUnescape(plain); err != nil || again != plain {
			t.Fatalf("%q can be decoded twice", path)
		}
		if !follows(r.Route, method, host, plain) {
			t.Fatalf("%s %s %q is taken for %q", method, host, path, r.Route)
		}
	})
}

// follows is a second, plainer reading of a pattern.
func follows(pattern, method, host, path string) bool {
	want, rest, ok := strings.Cut(pattern, " ")
	if !ok {
		want, rest = method, pattern
	}
	if want != method && !(want == "GET" && method == "HEAD") {
		return false
	}
	if at := strings.IndexByte(rest, '/'); at > 0 {
		if !strings.HasPrefix(strings.ToLower(host), rest[:at]) {
			return false
		}
		rest = rest[at:]
	}
	have, need := strings.Split(path, "/"), strings.Split(rest, "/")
	for i, n := range need {
		switch {
		case n == "" && i == len(need)-1 && i > 0, strings.HasSuffix(n, "...}"):
			return len(have) > i
		case i >= len(have), strings.HasPrefix(n, "{") && have[i] == "", !strings.HasPrefix(n, "{") && n != have[i]:
			return false
		}
	}
	return len(have) == len(need)
}
