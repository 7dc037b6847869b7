package gate

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/routes"
)

// nobody knows no token.
type nobody struct{}

func (nobody) Check(context.Context, string, postern.Secret) (*postern.Token, error) {
	return nil, postern.Errorf(postern.InvalidToken, "The access token is not valid.")
}

func (nobody) Astray(context.Context, postern.Secret) error {
	return postern.Errorf(postern.InvalidToken, "The access token is not valid.")
}

type still struct{}

func (still) Seq() int64            { return 0 }
func (still) Holds() bool           { return true }
func (still) Age() time.Duration    { return 0 }
func (still) News() <-chan struct{} { return nil }

// FuzzCheck: whatever is asked, and however, nobody panics, and without a live
// token a yes is only for the one public call, which names nobody.
func FuzzCheck(f *testing.F) {
	f.Add("GET", "/check", "call=original", "Bearer x", "GET", "https://api.example.com/public", "api.example.com")
	f.Add("GET", "/check", "call=forwarded&refusal", "", "GET", "/public", "api.example.com")
	f.Add("GET", "/check", "routes=off&scope=a", "Token x", "", "", "")
	f.Add("POST", "/check/envoy/public", "routes=off", "Bearer x, Bearer y", "", "", "x")
	f.Add("GET", "/check/with/scope=a+b&account=x/envoy/public", "", "Basic Og==", "", "", "")
	f.Add("GET", "/check/with/%2Fenvoy%2F/envoy//public", "access_token=x", "", "GET", "://", "")
	var all []*dialect.Dialect
	for _, name := range []string{"xref", "xeebo", "standard"} {
		d, err := dialect.Library{}.Builtin(name)
		if err != nil {
			f.Fatal(err)
		}
		all = append(all, d)
	}
	set, err := dialect.NewSet(all...)
	if err != nil {
		f.Fatal(err)
	}
	table, mistakes := routes.New(routes.List{AnyToken: true, Rules: []routes.Rule{{Route: "GET /public", Public: true}, {Route: "/", Scopes: []string{"a"}}}})
	if mistakes != nil {
		f.Fatalf("%v", mistakes)
	}
	g := &Gate{Dialects: set, Engine: nobody{}, Sequence: still{}, Routes: table, Fallback: "standard", Log: slog.New(slog.DiscardHandler)}
	f.Fuzz(func(t *testing.T, method, path, query, authorization, toldMethod, toldURL, toldHost string) {
		u, err := url.ParseRequestURI(path)
		if err != nil {
			return
		}
		u.RawQuery = query
		r := (&http.Request{Method: method, URL: u, Host: toldHost, Header: http.Header{
			"Authorization": {authorization}, "X-Original-Method": {toldMethod}, "X-Original-Url": {toldURL},
			"X-Forwarded-Method": {toldMethod}, "X-Forwarded-Uri": {toldURL}, "X-Forwarded-Host": {toldHost},
		}}).WithContext(t.Context())
		w := httptest.NewRecorder()
		g.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			return
		}
		public := strings.Contains(path+toldURL, "/public") && (method == "GET" || method == "HEAD" || toldMethod != "")
		if !public || w.Header().Get("X-Postern-App") != "" || len(w.Header()["X-Postern-Account"]) != 1 {
			t.Fatalf("%s %s?%s with %q is let through: %v", method, path, query, authorization, w.Header())
		}
	})
}
