package gate

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/routes"
)

// One character that must not stand plainly in a URL has net/url write the whole
// path anew, with an encoded slash as a slash. The API reads the path as it came,
// so rules are held against that: here, what looks like /open/{id} is a /{name}.
func TestACallIsHeldAgainstRulesAsItCame(t *testing.T) {
	d, err := dialect.Library{}.Builtin("standard")
	if err != nil {
		t.Fatal(err)
	}
	set, err := dialect.NewSet(d)
	if err != nil {
		t.Fatal(err)
	}
	table, mistakes := routes.New(routes.List{Rules: []routes.Rule{{Route: "GET /open/{id}", Public: true}, {Route: "GET /{name}", Scopes: []string{"all"}}}})
	if mistakes != nil {
		t.Fatal(mistakes)
	}
	g := &Gate{Dialects: set, Engine: nobody{}, Sequence: still{}, Routes: table, Fallback: "standard", Log: slog.New(slog.DiscardHandler)}
	for path, want := range map[string]int{
		"/open/x": 200, "/open/x|y": 200, "/open/%7C": 200,
		"/open%2Fx": 401, "/open%2Fx|": 401, "/open%2fx\"": 401, "/open%2Fx^%20": 401, "/open%2Fé": 401, "/open/%2e|": 401,
	} {
		for _, prefix := range []string{"/check/envoy", "/check/with/scope=a/envoy"} {
			u, err := url.ParseRequestURI(prefix + path)
			if err != nil {
				t.Fatal(err)
			}
			w := httptest.NewRecorder()
			g.ServeHTTP(w, (&http.Request{Method: http.MethodGet, URL: u, Host: "api.test", Header: http.Header{}}).WithContext(t.Context()))
			if w.Code != want {
				t.Errorf("%s%s: %d, want %d", prefix, path, w.Code, want)
			}
		}
	}
}
