package guard_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"postern.dev/postern/guard"
	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
)

// api is a small API behind a guard: what it says is who calls.
func api(t *testing.T, s *posterntest.Postern, o guard.Options) (*guard.Guard, *httptest.Server) {
	t.Helper()
	o.URL, o.ID, o.Secret = s.Internal, posterntest.APIID, posterntest.APISecret
	g, err := guard.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	mux := http.NewServeMux()
	mux.HandleFunc("GET /who", func(w http.ResponseWriter, r *http.Request) {
		c, _ := guard.From(r.Context())
		io.WriteString(w, c.App+" "+c.Account+" "+c.User)
	})
	mux.Handle("GET /candidates", g.Require("candidates.read")(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "Rosalind")
	})))
	mux.Handle("GET /admin", g.Require("no.such.scope")(mux))
	server := httptest.NewServer(g.Middleware(mux))
	t.Cleanup(server.Close)
	return g, server
}

func call(t *testing.T, address string, authorization ...string) (int, string, http.Header) {
	t.Helper()
	req, err := http.NewRequest("GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header["Authorization"] = authorization
	req.Header.Set("X-Postern-Account", "forged")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), resp.Header
}

func wants(t *testing.T, status int, got int, body string) {
	t.Helper()
	if got != status {
		t.Fatalf("status %d, want %d: %s", got, status, body)
	}
}

// token connects an app and gives its call's Authorization header.
func token(s *posterntest.Postern, app posterntest.App) (access, header string) {
	access = s.Redeem(app, s.Approve(app, posterntest.Ada)).OK().Field("access_token")
	switch app.Dialect {
	case "xref":
		return access, "Token " + access
	case "xeebo":
		return access, "Bearer " + posterntest.Base64(access)
	}
	return access, "Bearer " + access
}

func TestACallIsLetThroughInEveryDialectAndHearsOfItsEnd(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		s := posterntest.New(t, posterntest.On(database))
		_, server := api(t, s, guard.Options{})
		for _, app := range posterntest.Apps {
			access, header := token(s, app)
			for range 3 {
				status, body, _ := call(t, server.URL+"/who", header)
				wants(t, 200, status, body)
			}
			s.Revoke(app, access)
			for end := time.Now().Add(time.Second); ; time.Sleep(5 * time.Millisecond) {
				status, body, h := call(t, server.URL+"/who", header)
				if status == 401 {
					if h.Get("WWW-Authenticate") == "" {
						t.Error("a refusal without a challenge")
					}
					break
				}
				if time.Now().After(end) {
					t.Fatalf("%s: a second after the revocation: %d %s", app.Dialect, status, body)
				}
			}
		}
	})
}

func TestRS01_WhatIsNotATokenIsRefusedInTheWordsOfItsDialect(t *testing.T) {
	s := posterntest.New(t)
	_, server := api(t, s, guard.Options{})
	_, header := token(s, posterntest.Standard)
	for name, authorization := range map[string][]string{
		"none": nil, "garbage": {"Bearer garbage"}, "another scheme": {"Token garbage"}, "two": {header, header},
		"a list": {header + ", " + header}, "a tab": {"Bearer\t" + header[7:]}, "one character more": {header + "x"},
	} {
		status, body, _ := call(t, server.URL+"/who", authorization...)
		if status != 401 {
			t.Errorf("%s: %d %s", name, status, body)
		}
	}
}

func TestAScopeThatIsMissingIsARefusalOfItsOwn(t *testing.T) {
	s := posterntest.New(t)
	_, server := api(t, s, guard.Options{})
	_, header := token(s, posterntest.Standard)
	status, body, _ := call(t, server.URL+"/candidates", header)
	wants(t, 200, status, body)
	status, body, h := call(t, server.URL+"/admin", header)
	wants(t, 403, status, body)
	if h.Get("WWW-Authenticate") == "" {
		t.Fatal("no challenge")
	}
}

func TestASeenTokenCostsNoAllocation(t *testing.T) {
	s := posterntest.New(t)
	g, _ := api(t, s, guard.Options{})
	_, header := token(s, posterntest.Standard)
	r := httptest.NewRequest("GET", "/who", nil)
	r.Header.Set("Authorization", header)
	for end := time.Now().Add(5 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if _, err := g.Check(r); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(100, func() { g.Check(r) }); n == 0 {
			return
		} else if time.Now().After(end) {
			t.Fatalf("%v allocations a check", n)
		}
	}
}

func TestWithoutPosternNobodyIsLetThroughForLong(t *testing.T) {
	s := posterntest.New(t)
	_, server := api(t, s, guard.Options{})
	_, header := token(s, posterntest.Standard)
	status, body, _ := call(t, server.URL+"/who", header)
	wants(t, 200, status, body)
	s.Stop()
	time.Sleep(1100 * time.Millisecond)
	status, body, h := call(t, server.URL+"/who", header)
	wants(t, 503, status, body)
	if h.Get("Retry-After") == "" {
		t.Fatal("no Retry-After")
	}
}

func TestASandboxIsTold(t *testing.T) {
	for said, want := range map[string]bool{"true": true, "": false, "false": false} {
		postern := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("X-Postern-App", "an-app")
			w.Header().Set("X-Postern-Sandbox", said)
		}))
		g, err := guard.New(guard.Options{URL: postern.URL, ID: "a", Secret: "b"})
		if err != nil {
			t.Fatal(err)
		}
		c, err := g.Check(httptest.NewRequest("GET", "/", nil))
		if err != nil || c.App != "an-app" || c.Sandbox != want {
			t.Errorf("%q: %+v %v", said, c, err)
		}
		g.Close()
		postern.Close()
	}
}

func BenchmarkCheckSeen(b *testing.B) {
	s := posterntest.New(b)
	g, err := guard.New(guard.Options{URL: s.Internal, ID: posterntest.APIID, Secret: posterntest.APISecret})
	if err != nil {
		b.Fatal(err)
	}
	defer g.Close()
	r := httptest.NewRequest("GET", "/who", nil)
	r.Header.Set("Authorization", "Bearer "+s.Redeem(posterntest.Standard, s.Approve(posterntest.Standard, posterntest.Ada)).OK().Field("access_token"))
	time.Sleep(300 * time.Millisecond) // for the stream
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Check(r); err != nil {
			b.Fatal(err)
		}
	}
}
