package dialect_test

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/needs"
)

// The guides of the wires of other companies. Each wire's programs are run in the
// languages that need no compiler; Go's, which take a second each to build, of
// every third wire, so that each way of its snippets is built somewhere.

// scopesOf is a scope of each wire that has scopes.
var scopesOf = map[string]string{"figma": "file_content:read", "github": "repo", "hubspot": "oauth", "shopify": "read_products", "slack": "chat:write", "stripe": "read_write"}

// others are the built-in wires but the three that every Postern has.
func others() []string {
	return slices.DeleteFunc(dialect.Builtin(), func(name string) bool { return slices.Contains([]string{"xref", "xeebo", "standard"}, name) })
}

// hosted are the wires that live at hosts of their own, and not under a path.
var hosted = []string{"shopify"}

// way is how programs, and the browser, get to a wire. Most are at the address of
// this test's Postern, and need nothing.
type way struct {
	tenant  string
	env     []string
	through http.RoundTripper
}

// wayTo leads to a wire's own hosts, of which no name server knows. curl, Python,
// Go and PHP's curl take a proxy from their environment, and this Postern is one:
// a request that names another host is served as that host's. Node's fetch takes
// none before version 24, so its look-up of names is told the address.
func wayTo(t *testing.T, s *posterntest.Postern, name string) *way {
	if !slices.Contains(hosted, name) {
		return &way{}
	}
	names := filepath.Join(t.TempDir(), "names.cjs")
	write(t, names, `const dns = require('node:dns'), real = dns.lookup;
dns.lookup = (host, options, done) =>
  host.endsWith('.myshopify.com') ? (options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)) : real(host, options, done);`)
	here, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	return &way{
		tenant:  "acme",
		env:     []string{"TENANT=acme", "http_proxy=" + s.URL, "no_proxy=127.0.0.1", "NODE_OPTIONS=--require=" + names},
		through: &http.Transport{Proxy: http.ProxyURL(here)},
	}
}

// refreshTokenOf makes a connection of which there is a refresh token, as the
// wire gives only to those who ask for one.
func refreshTokenOf(t *testing.T, s *posterntest.Postern, speaker *dialect.Speaker, w *way) string {
	t.Helper()
	link := speaker.Authorize("S", "")
	back := s.SignedInAt(posterntest.Ada, link, w.through).AllowAt(link)
	r := speaker.Redeem(speaker.Callback(back.Query).Code, "")
	r.Body = strings.TrimSuffix(r.Body, "}") + `,"expiring":"1"}`
	req, err := r.HTTP(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	req.Body = io.NopCloser(strings.NewReader(r.Body))
	res, err := w.through.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	told := speaker.Answer(res.Header.Get("Content-Type"), string(body))
	if told["refresh_token"] == "" {
		t.Fatalf("no refresh token: %d %s", res.StatusCode, body)
	}
	return told["refresh_token"]
}

// newOthers is a Postern that serves them, each under its name.
func newOthers(t *testing.T) *posterntest.Postern {
	t.Helper()
	mounts := []any{map[string]any{"name": "xref"}, map[string]any{"name": "xeebo"}, map[string]any{"name": "standard"}}
	apps, scopes := "", ""
	for _, name := range others() {
		mount := map[string]any{"name": name}
		if !slices.Contains(hosted, name) {
			mount["base"] = "/" + name
		}
		mounts = append(mounts, mount)
		may := ""
		if scope := scopesOf[name]; scope != "" {
			scopes += fmt.Sprintf("\n  - {name: %q, description: For tests}", scope)
			may = fmt.Sprintf(", scopes: [%q]", scope)
		}
		a := otherApp(name)
		apps += fmt.Sprintf("\n      - {name: %q, description: For tests, url: \"https://partner.test\", dialect: %s, client_id: %s, client_secret: %s,"+
			" redirect_urls: [%q]%s, attributes: {bot_user: U0BOT, bot_id: B0BOT, app_id: \"4711\"}}", a.Name, name, a.ID, a.Secret, a.RedirectURL, may)
	}
	s := posterntest.New(t, posterntest.Set("dialects", mounts))
	s.Apply("scopes:" + scopes + "\naccounts: [{name: Acme, handle: acme}]\npartners:\n  - name: Partner Inc\n    apps:" + apps + "\n")
	return s
}

func otherApp(name string) posterntest.App {
	return posterntest.App{ID: name + "-app", Secret: name + "_secret_0123456789abcdef", Name: name + " app",
		RedirectURL: "https://partner.test/integrations/cb", Dialect: name}
}

func otherDialect(t *testing.T, name string) *dialect.Dialect {
	t.Helper()
	d, err := dialect.Library{}.Builtin(name)
	if err != nil {
		t.Fatal(err)
	}
	if slices.Contains(hosted, name) {
		return d
	}
	base := "/" + name
	if d, err = d.Mounted(&base, nil); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestTheGuidesOfOtherWiresMakeAConnectionAndEndIt(t *testing.T) {
	s := newOthers(t)
	api := s.Internal + "/check"
	for i, name := range others() {
		d, app := otherDialect(t, name), otherApp(name)
		guide := beforeWebhooks(d.Guide(dialect.English, s.URL))
		speaker := &dialect.Speaker{Dialect: d, Server: s.URL, ClientID: app.ID, ClientSecret: app.Secret, RedirectURL: app.RedirectURL, Tenant: wayTo(t, s, name).tenant, Scopes: []string{scopesOf[name]}}
		want := outcome{Called: 200, Refreshed: speaker.Refresh("x") != nil, Forged: true, Lost: true, Spent: true, After: 200}
		fresh := func(t *testing.T) *way {
			w := wayTo(t, s, name)
			if want.Refreshed && d.Terms().Refresh == nil {
				w.env = append(w.env, "REFRESH_TOKEN="+refreshTokenOf(t, s.For(t), speaker, w))
			}
			return w
		}
		if speaker.Revoke(dialect.Told{"access_token": "x", "refresh_token": "x", "account.id": "x"}) != nil {
			want.After = statusOf(t, speaker.Call("GET", api, "nobody's"))
		}
		if speaker.Whoami("x") != nil {
			want.Whoami = 200
		}
		t.Run(name+"/curl", func(t *testing.T) { curls(t, s.For(t), d, app, scopesOf[name], fresh(t)) })
		for language, r := range runners {
			if language == "go" && i%3 != 0 && !slices.Contains(hosted, name) {
				continue
			}
			t.Run(name+"/"+language, func(t *testing.T) {
				source := strings.Join(fenced(guide, r.fence), "\n\n")
				if source == "" {
					t.Fatal("the guide has no program")
				}
				needs.Program(t, "scripts/setup", r.program)
				cmd := r.build(t, t.TempDir(), source, filled(t, r.harness, source))
				cmd.Env = append(os.Environ(), "GO111MODULE=off", "GOFLAGS=", "CLIENT_ID="+app.ID, "CLIENT_SECRET="+app.Secret,
					"REDIRECT_URL="+app.RedirectURL, "SCOPES="+scopesOf[name], "API_URL="+api)
				if got := play(t, s.For(t), cmd, fresh(t)); got != want {
					t.Errorf("got %+v, want %+v\n%s", got, want, source)
				}
			})
		}
	}
}

// statusOf sends a request and gives what it is answered with.
func statusOf(t *testing.T, r *dialect.Request) int {
	t.Helper()
	req, err := http.NewRequest(r.Method, r.URL, strings.NewReader(r.Body))
	if err != nil {
		t.Fatal(err)
	}
	for _, h := range r.Header {
		req.Header.Add(h.Name, h.Value)
	}
	if r.Basic {
		req.SetBasicAuth(r.User, r.Password)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	return res.StatusCode
}
