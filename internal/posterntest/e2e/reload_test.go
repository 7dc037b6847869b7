package e2e

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
)

var styleOf = regexp.MustCompile(`/assets/style\.[0-9a-f]+\.css`)

// OP-17: a hundred times the configuration changes under load. No request fails,
// and none is of two configurations at once.
func TestOP17EachRequestSeesOneConfiguration(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		dir := t.TempDir()
		file := func(name, text string) string {
			path := filepath.Join(dir, name)
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			return path
		}
		both := [2][]posterntest.Option{}
		for i, of := range [2]struct{ name, color, access, rule string }{
			{"Blue Gate", "#1f5eff", "1h", `{route: "GET /v1/candidates", scopes: [candidates.read]}`},
			{"Green Gate", "#0a7d33", "2h", `{route: "GET /v1/{all...}", scopes: [candidates.read]}`},
		} {
			both[i] = []posterntest.Option{
				posterntest.Set("branding", map[string]any{"name": of.name, "color": of.color}),
				posterntest.Set("lifetimes", map[string]any{"access": of.access}),
				posterntest.Set("routes", file(of.name+".yaml", "routes:\n  - "+of.rule+"\n")),
				posterntest.Set("dialects", []any{map[string]any{"name": "xref"}, map[string]any{"name": "xeebo"}, map[string]any{"name": "standard"},
					map[string]any{"file": file(of.access+"-acme.yaml", "language: 1\nname: acme"+of.access+"\nextends: standard\nbase: /acme\n")}}),
			}
		}
		s := posterntest.New(t, append([]posterntest.Option{posterntest.On(database)}, both[0]...)...)
		page := func() (name, style string) {
			a := s.Send(posterntest.Request{Method: http.MethodGet, Path: "/login"})
			for _, n := range []string{"Blue Gate", "Green Gate"} {
				if strings.Contains(a.Body, n) {
					name += n
				}
			}
			if a.Status != 200 {
				t.Errorf("a page is %d", a.Status)
			}
			return name, styleOf.FindString(a.Body)
		}
		take := func(i int) {
			if left, err := s.Reload(both[i]...); err != nil || len(left) > 0 {
				t.Fatalf("left %v, %v", left, err)
			}
		}
		looks := map[string]string{}
		for i := range both {
			take(i)
			name, style := page()
			looks[name] = style
		}
		if len(looks) != 2 || looks["Blue Gate"] == looks["Green Gate"] {
			t.Fatalf("the two look like %v", looks)
		}

		var lives sync.Map
		defer func() {
			_, short := lives.Load("3600")
			_, long := lives.Load("7200")
			if !short || !long {
				t.Error("the load saw one of the two only")
			}
		}()
		var load sync.WaitGroup
		done := make(chan struct{})
		defer load.Wait()
		defer close(done)
		under := func(f func()) {
			load.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
						f()
					}
				}
			})
		}
		under(func() {
			if name, style := page(); looks[name] != style || style == "" {
				t.Errorf("the page of %q has the style %q", name, style)
			}
		})
		for _, email := range []string{posterntest.Ada, posterntest.Alan} {
			tokens := connect(s, standard, email)
			under(func() {
				next := s.Send(posterntest.RefreshRequest(standard, tokens.Field("refresh_token")))
				if next.Status != 200 {
					t.Errorf("a refresh is %d %s", next.Status, next.Body)
					return
				}
				tokens = next
				lives.Store(next.Number("expires_in"), true)
				a := ask(s, "/check/envoy/v1/candidates", "Bearer "+next.Field("access_token"))
				if a.Status != 200 {
					t.Errorf("a check is %d %s", a.Status, a.Body)
				}
			})
		}
		for i := range 100 {
			take(i % 2)
		}
	})
}

// OP-16: what is wrong is told by file, line and key, and nothing changes.
func TestOP16AWrongConfigurationIsNotTakenOver(t *testing.T) {
	s := posterntest.New(t)
	file := filepath.Join(t.TempDir(), "acme.yaml")
	mount := posterntest.Dialects(file)
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const good = "language: 1\nname: acme\nextends: standard\nbase: /acme\n"
	write(good)
	if left, err := s.Reload(mount); err != nil || left != nil {
		t.Fatalf("left %v, %v", left, err)
	}
	speaks := func(want int) {
		t.Helper()
		if a := s.Send(posterntest.Request{Method: http.MethodGet, Path: "/.well-known/oauth-authorization-server/acme"}); a.Status != want {
			t.Errorf("the dialect's metadata is %d %s, want %d", a.Status, a.Body, want)
		}
	}
	speaks(200)
	for text, want := range map[string]string{
		good + "pkec: optional\n":                `acme.yaml:5:1: unknown key "pkec"`,
		good + "name: other\n":                   "acme.yaml:5:1: ",
		good + "pkce: [1]\n":                     "acme.yaml:5:7: ",
		strings.Replace(good, "acme", "xref", 1): "two dialects are called xref",
	} {
		write(text)
		if _, err := s.Reload(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q is said to be %v", text, err)
		}
		speaks(200)
	}
	write(good)
	for key, value := range map[string]any{"lifetimes": map[string]any{"access": "1s"}, "chekc": 1, "apps": map[string]any{"dialects": []string{"nonesuch"}}} {
		if _, err := s.Reload(posterntest.Set(key, value)); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%s: %v", key, err)
		}
		s.Reload(func(settings map[string]any) { delete(settings, key) })
		speaks(200)
	}
	left, err := s.Reload(posterntest.Dialects(), posterntest.Set("listen", "127.0.0.1:1"), posterntest.Set("check", map[string]any{"away": "0s"}),
		posterntest.Set("sign_in", map[string]any{"attempts": 7, "partners": "open"}))
	if err != nil || strings.Join(left, " ") != "listen check.away sign_in.attempts" {
		t.Errorf("left %v, %v", left, err)
	}
	speaks(404)
	if a := s.Send(posterntest.Request{Method: http.MethodGet, Path: "/portal/register"}); a.Status != 200 {
		t.Errorf("registering is %d", a.Status)
	}
}

// Introspection, /check and guard say the same of a token: one whose wire is
// mounted no more is of no use anywhere, until the wire comes back.
func TestATokenOfAWireThatIsNotMountedIsActiveNowhere(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		mounts := func(names ...string) []posterntest.Option {
			var list []any
			for _, name := range names {
				list = append(list, map[string]any{"name": name})
			}
			return []posterntest.Option{posterntest.Set("dialects", list)}
		}
		all, without := mounts("xref", "xeebo", "standard"), mounts("xref", "standard")
		s := posterntest.New(t, append([]posterntest.Option{posterntest.On(database)}, all...)...)
		token := s.Redeem(posterntest.Xeebo, s.Approve(posterntest.Xeebo, posterntest.Ada)).OK().Field("access_token")
		for i, mounted := range [][]posterntest.Option{all, without, all} {
			if _, err := s.Reload(mounted...); err != nil {
				t.Fatal(err)
			}
			if alive, want := s.Alive(token), i != 1; alive != want {
				t.Errorf("reading %d: active is %v", i, alive)
			}
		}
	})
}
