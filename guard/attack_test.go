package guard_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern.dev/postern/guard"
	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/pg"
)

// between stands between a guard and Postern: it counts what is asked, and may
// hold an answer back.
type between struct {
	*httptest.Server
	asked atomic.Int64

	mu   sync.Mutex
	hold func() // called with each answer of a check, before it is passed on
}

func stand(t *testing.T, s *posterntest.Postern) *between {
	t.Helper()
	to, err := url.Parse(s.Internal)
	if err != nil {
		t.Fatal(err)
	}
	b := &between{}
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.FlushInterval = -1
	proxy.ModifyResponse = func(r *http.Response) error {
		if r.Request.URL.Path == "/check" {
			b.asked.Add(1)
			b.mu.Lock()
			hold := b.hold
			b.mu.Unlock()
			if hold != nil {
				hold()
			}
		}
		return nil
	}
	b.Server = httptest.NewServer(proxy)
	t.Cleanup(b.CloseClientConnections)
	return b
}

// guarded is a guard that asks by way of b, and an API behind it.
func guarded(t *testing.T, b *between, o guard.Options) *httptest.Server {
	t.Helper()
	o.URL, o.ID, o.Secret = b.URL, posterntest.APIID, posterntest.APISecret
	g, err := guard.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(g.Close)
	server := httptest.NewServer(g.Middleware(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, ok := guard.From(r.Context())
		if !ok {
			fmt.Fprint(w, "nobody")
			return
		}
		fmt.Fprint(w, c.App, " ", c.Account, " ", c.User, " ", c.Scopes, " ", c.Connection, " ", c.Dialect, " ", c.Sandbox)
	})))
	t.Cleanup(server.Close)
	return server
}

// remembered makes the same call until it costs no request.
func remembered(t *testing.T, b *between, address, header string) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		before := b.asked.Load()
		status, body, _ := call(t, address, header)
		wants(t, 200, status, body)
		if b.asked.Load() == before {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the token is asked about every time")
		}
	}
}

func TestRS18_AFloodOfUnknownTokensLeavesTheGuardsMemory(t *testing.T) {
	s := posterntest.New(t)
	b := stand(t, s)
	server := guarded(t, b, guard.Options{Most: 4})
	_, header := token(s, posterntest.Standard)
	remembered(t, b, server.URL, header)
	before := b.asked.Load()
	for i := range 500 {
		status, body, _ := call(t, server.URL, fmt.Sprintf("Token %040x", i))
		wants(t, 401, status, body)
	}
	if asked := b.asked.Load() - before; asked != 500 {
		t.Errorf("%d of 500 unknown tokens were asked about: a no is never remembered", asked)
	}
	remembered(t, b, server.URL, header)
}

// Whoever says anything else beside a token is the same caller, cold and warm,
// and nobody's answer is another's (I-18).
func TestRS07_TheGuardsMemoryCannotBePoisoned(t *testing.T) {
	s := posterntest.New(t)
	b := stand(t, s)
	server := guarded(t, b, guard.Options{})
	say := func(header string, more ...string) string {
		req, err := http.NewRequest("GET", server.URL+"/who?scope=billing.read&account=x&dialect=xref&rests", nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Authorization", header)
		for _, name := range more {
			req.Header.Set(name, "forged")
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(resp.StatusCode, " ", string(body))
	}
	tricks := []string{"X-Postern-App", "X-Postern-Account", "X-Postern-Sandbox", "X-Postern-Seq", "X-Postern-Rests-On", "X-Original-Url", "X-Original-Method", "X-Forwarded-Uri", "Cookie"}
	seen := map[string]string{}
	for _, app := range posterntest.Apps {
		_, header := token(s, app)
		cold := say(header, tricks...)
		if !strings.HasPrefix(cold, "200 "+app.ID+" acc_") || strings.Contains(cold, "forged") || !strings.HasSuffix(cold, app.Dialect+" false") {
			t.Errorf("%s: %s", app.Dialect, cold)
		}
		remembered(t, b, server.URL, header)
		if warm := say(header); warm != cold {
			t.Errorf("%s: cold %s\nwarm %s", app.Dialect, cold, warm)
		}
		seen[header] = cold
	}
	for header, want := range seen {
		if got := say(header, tricks...); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
		for _, bad := range []string{header + "x", header + ", " + header, strings.Replace(header, " ", "\t", 1), header[:len(header)-1]} {
			if got := say(bad); !strings.HasPrefix(got, "401") {
				t.Errorf("%q: %s", bad, got)
			}
		}
	}
}

// A yes that was on its way when the token was revoked is not remembered.
func TestRS12_AnAnswerThatARevocationOvertookIsNotHeld(t *testing.T) {
	s := posterntest.New(t)
	b := stand(t, s)
	server := guarded(t, b, guard.Options{})
	warm, warmHeader := token(s, posterntest.Xeebo)
	remembered(t, b, server.URL, warmHeader)

	access, header := token(s, posterntest.Standard)
	var once sync.Once
	b.mu.Lock()
	b.hold = func() {
		once.Do(func() {
			s.Revoke(posterntest.Standard, access)
			s.Revoke(posterntest.Xeebo, warm)
			time.Sleep(600 * time.Millisecond) // the stream, which is not held back, tells of it meanwhile
		})
	}
	b.mu.Unlock()
	if status, _, _ := call(t, server.URL, header); status != 200 {
		t.Fatalf("the call that came first: %d", status)
	}
	for _, h := range []string{header, warmHeader} {
		for deadline := time.Now().Add(time.Second); ; time.Sleep(5 * time.Millisecond) {
			status, body, _ := call(t, server.URL, h)
			if status == 401 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("a second after its revocation a token is let through: %d %s", status, body)
			}
		}
	}
}

const rules = `
scopeless: [xref]
routes:
  - {route: "GET /jobs", scopes: [jobs.read]}
  - {route: "GET /invoices/{id}", scopes: [candidates.read, billing.read]}
  - {route: "GET /me", scopes: []}
  - {route: "GET /status", public: true}
`

func ruled(t *testing.T) *posterntest.Postern {
	t.Helper()
	file := filepath.Join(t.TempDir(), "routes.yaml")
	if err := os.WriteFile(file, []byte(rules), 0o600); err != nil {
		t.Fatal(err)
	}
	return posterntest.New(t, posterntest.Set("routes", file))
}

func TestTheGuardHoldsCallsAgainstTheRulesForRoutes(t *testing.T) {
	s := ruled(t)
	b := stand(t, s)
	server := guarded(t, b, guard.Options{Routes: true})
	_, standard := token(s, posterntest.Standard)
	_, xref := token(s, posterntest.Xref)
	until(t, server.URL+"/status", 200) // the rules are known
	for range 2 {
		for path, want := range map[string][3]int{ // without a token, with standard's, with xref's
			"/status": {200, 200, 200}, "/me": {401, 200, 200}, "/jobs": {401, 200, 200}, "/jobs?page=2": {401, 200, 200}, "/invoices/7": {401, 403, 200},
			"/nothing": {401, 403, 403}, "//status": {401, 403, 403}, "/%73tatus": {401, 403, 403}, "/me/../status": {401, 403, 403}, "/status;x": {401, 403, 403}, "/Status": {401, 403, 403},
		} {
			for i, header := range []string{"", standard, xref} {
				var values []string
				if header != "" {
					values = []string{header}
				}
				status, body, h := call(t, server.URL+path, values...)
				if status != want[i] || status == 401 && h.Get("WWW-Authenticate") == "" || status == 403 && !strings.Contains(body, `"error"`) {
					t.Errorf("%s with %.9q: %d %s, want %d", path, header, status, body, want[i])
				}
			}
		}
	}
	if status, body, h := call(t, server.URL+"/invoices/7", standard); status != 403 || !strings.Contains(body, "insufficient_scope") || !strings.Contains(h.Get("WWW-Authenticate"), "billing.read") {
		t.Errorf("a scope that is missing: %d %s %v", status, body, h)
	}
	if _, body, _ := call(t, server.URL+"/status", standard); body != "nobody" {
		t.Errorf("a public call is %s's", body)
	}
}

// until makes a call until it has this status.
func until(t *testing.T, address string, want int) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		status, body, _ := call(t, address)
		if status == want {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s: %d %s", address, status, body)
		}
	}
}

// A guard that is to hold calls against rules, and cannot have any, lets nobody
// through, and says why.
func TestWithoutItsRulesTheGuardLetsNobodyThrough(t *testing.T) {
	s := posterntest.New(t)
	b := stand(t, s)
	told := &said{}
	server := guarded(t, b, guard.Options{Routes: true, Log: told.log()})
	_, header := token(s, posterntest.Standard)
	for deadline := time.Now().Add(10 * time.Second); !strings.Contains(told.String(), "There are no rules for routes"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("it says %q", told.String())
		}
		status, body, _ := call(t, server.URL+"/status", header)
		wants(t, 503, status, body)
	}
	if strings.Contains(told.String(), posterntest.APISecret) {
		t.Error("it tells its secret")
	}
}

// While Postern's database is away the guard trusts its memory no longer than
// Postern knows, and never says that a good token is bad.
func TestRS13_WithTheDatabaseAwayTheGuardGuessesNothing(t *testing.T) {
	line := pg.Proxy(t, pg.URL(t))
	s := posterntest.New(t, posterntest.On(line.URL))
	b := stand(t, s)
	server := guarded(t, b, guard.Options{})
	_, header := token(s, posterntest.Standard)
	remembered(t, b, server.URL, header)
	line.Cut()
	s.Clock.Advance(6 * time.Second)
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		status, body, _ := call(t, server.URL, header)
		if status == 503 {
			break
		}
		if status != 200 || time.Now().After(deadline) {
			t.Fatalf("six seconds after the cut: %d %s", status, body)
		}
	}
	line.Mend()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		status, body, _ := call(t, server.URL, header)
		if status == 200 {
			return
		}
		if status != 503 || time.Now().After(deadline) {
			t.Fatalf("once the database is back: %d %s", status, body)
		}
	}
}

// Where Postern holds nothing no guard does.
func TestRS13_WithABoundOfNothingTheGuardHoldsNothing(t *testing.T) {
	line := pg.Proxy(t, pg.URL(t))
	s := posterntest.New(t, posterntest.On(line.URL), posterntest.Set("check", map[string]any{"away": "0s"}))
	b := stand(t, s)
	server := guarded(t, b, guard.Options{})
	_, header := token(s, posterntest.Standard)
	for range 20 {
		status, body, _ := call(t, server.URL, header)
		wants(t, 200, status, body)
	}
	if asked := b.asked.Load(); asked != 20 {
		t.Errorf("of 20 calls %d were asked about", asked)
	}
	line.Cut()
	status, body, head := call(t, server.URL, header)
	wants(t, 503, status, body)
	if head.Get("Retry-After") == "" {
		t.Error("it does not say when to come again")
	}
	line.Mend()
	for good, deadline := 0, time.Now().Add(10*time.Second); good < 10; time.Sleep(20 * time.Millisecond) { // over every broken connection
		status, body, _ := call(t, server.URL, header)
		if good++; status != 200 {
			good = 0
		}
		if status != 200 && status != 503 || time.Now().After(deadline) {
			t.Fatalf("once the database is back: %d %s", status, body)
		}
	}
}
