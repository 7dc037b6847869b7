package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/needs"
)

// gateway is a real one in front of a small API that tells what it was called
// with. Its configuration is the one in the docs, at addresses of the test's.
type gateway struct {
	t       *testing.T
	address string
	s       *posterntest.Postern
}

// heard is what the API was called with.
type heard struct {
	Method, Path string
	Header       http.Header
	Body         string
}

func (h *heard) says(name string) string { return strings.Join(h.Header.Values(name), "|") }

// echo is the API.
func echo(t *testing.T) (address string) {
	t.Helper()
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		json.NewEncoder(w).Encode(heard{r.Method, r.URL.RequestURI(), r.Header, string(body)})
	}))
	t.Cleanup(api.Close)
	return api.Listener.Addr().String()
}

// rules are those of the docs, and some for what the gateways' files show.
func rules(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../../docs/examples/routes.yaml")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "routes.yaml")
	more := "  - {route: \"/v1/billing/{path...}\", scopes: []}\n  - {route: \"/v1/accounts/{id}/{path...}\", scopes: []}\n"
	if err := os.WriteFile(file, append(text, more...), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// configured writes a file of the docs with the addresses of the test.
func configured(t *testing.T, file, postern, api, own string, more ...string) (path string) {
	t.Helper()
	text, err := os.ReadFile("../../../docs/examples/" + file)
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../../docs/checking.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(page), string(text)) {
		t.Errorf("docs/checking.md does not show docs/examples/%s as it is", file)
	}
	replaced := strings.NewReplacer(append([]string{"127.0.0.1:8600", postern, "127.0.0.1:9000", api}, more...)...).Replace(string(text))
	replaced = strings.ReplaceAll(replaced, "127.0.0.1:8080", own)
	path = filepath.Join(t.TempDir(), file)
	if err := os.WriteFile(path, []byte(replaced), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// run starts a gateway's program until the test ends, and waits until it listens.
func run(t *testing.T, address string, cmd *exec.Cmd) {
	t.Helper()
	said := &output{}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill() // an error is that it has ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("%s said:\n%s", cmd.Path, said)
		}
	})
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s does not listen: %v\n%s", cmd.Path, err, said)
		}
	}
}

type output struct {
	mu   sync.Mutex
	text strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.String()
}

func unused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func nginx(t *testing.T, s *posterntest.Postern, postern string) *gateway {
	t.Helper()
	program := needs.Program(t, "apt-get install nginx-light", "nginx", "/usr/sbin/nginx")
	own, dir := unused(t), t.TempDir()
	temporary := "http {\n  access_log off;\n"
	for _, what := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += fmt.Sprintf("  %s_temp_path %s;\n", what, filepath.Join(dir, what))
	}
	file := configured(t, "nginx.conf", postern, echo(t), own, "http {\n", temporary)
	run(t, own, exec.Command(program, "-p", dir, "-c", file, "-e", "stderr",
		"-g", "daemon off; master_process off; error_log stderr; pid "+filepath.Join(dir, "pid")+";"))
	return &gateway{t, own, s}
}

func caddy(t *testing.T, s *posterntest.Postern, postern string) *gateway {
	t.Helper()
	program := needs.Program(t, "apt-get install caddy", "caddy")
	own, dir := unused(t), t.TempDir()
	_, port, _ := net.SplitHostPort(own)
	file := configured(t, "Caddyfile", postern, echo(t), own, "{\n\tservers", "{\n\tadmin off\n\tservers", ":8080 {", "http://:"+port+" {\n\tbind 127.0.0.1")
	cmd := exec.Command(program, "run", "--adapter", "caddyfile", "--config", file)
	cmd.Env = []string{"HOME=" + dir, "XDG_CONFIG_HOME=" + dir, "XDG_DATA_HOME=" + dir, "PATH=" + os.Getenv("PATH")}
	run(t, own, cmd)
	return &gateway{t, own, s}
}

// send sends a call as it is written, and reads the answer.
func (g *gateway) send(method, target string, lines ...string) (status int, header http.Header, body string) {
	g.t.Helper()
	conn, err := net.Dial("tcp", g.address)
	if err != nil {
		g.t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	text, closing := strings.Join(lines, "\r\n"), true
	for _, l := range lines {
		closing = closing && !strings.HasPrefix(l, "Connection:")
	}
	if closing {
		text = strings.Join(append(lines, "Connection: close"), "\r\n")
	}
	fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: api.example.com\r\n%s\r\n\r\n", method, target, text)
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		g.t.Fatalf("%s %s: %v", method, target, err)
	}
	defer resp.Body.Close()
	read, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, resp.Header, string(read)
}

// arrives demands that a call reaches the API, and gives what it heard.
func (g *gateway) arrives(method, target string, lines ...string) *heard {
	g.t.Helper()
	status, _, body := g.send(method, target, lines...)
	var h heard
	if err := json.Unmarshal([]byte(body), &h); status != 200 || err != nil || h.Method == "" {
		g.t.Errorf("%s %s %q does not arrive: %d %s", method, target, lines, status, body)
		return &heard{}
	}
	return &h
}

// refused demands that a call ends here with a status, in these words.
func (g *gateway) refused(want int, challenge, word, method, target string, lines ...string) {
	g.t.Helper()
	status, header, body := g.send(method, target, lines...)
	challenges := header.Values("WWW-Authenticate")
	if status != want || len(challenges) > 1 || !strings.HasPrefix(strings.Join(challenges, "|"), challenge) || !strings.Contains(body, word) {
		g.t.Errorf("%s %s %.200q: %d %q %.300s, want %d %q %s", method, target, lines, status, challenges, body, want, challenge, word)
	}
	if header.Get("X-Postern-App") != "" || strings.Contains(body, `"Method"`) {
		g.t.Errorf("%s %s: the refusal tells %v %s", method, target, header, body)
	}
}

// The whole of a gateway's work, with nginx and with Caddy as the docs have them.
func TestAGatewayDoesWhatTheDocsSay(t *testing.T) {
	for name, start := range map[string]func(*testing.T, *posterntest.Postern, string) *gateway{"nginx": nginx, "caddy": caddy} {
		t.Run(name, func(t *testing.T) {
			s := posterntest.New(t, posterntest.Set("routes", rules(t)))
			g := start(t, s, strings.TrimPrefix(s.Internal, "http://"))
			lets(g)
			refusesInTheDialect(g)
			holdsToRules(g)
			cannotBeFooled(g)
			if name == "nginx" {
				demands(g)
			}
			s.Stop()
			away(g)
			away(start(t, s, unused(t)))
		})
	}
}

// callers are a live token's header in each dialect.
func (g *gateway) callers() map[string]string {
	all := map[string]string{}
	for _, app := range posterntest.Apps {
		all[app.Dialect] = "Authorization: " + credential(app, connect(g.s, app, posterntest.Ada).Field("access_token"))
	}
	return all
}

// lets: three dialects on one API, each told to it in the same headers; a
// revoked token is refused from that moment.
func lets(g *gateway) {
	for _, app := range posterntest.Apps {
		token := connect(g.s, app, posterntest.Ada).Field("access_token")
		known := g.s.Introspect(token)
		header := "Authorization: " + credential(app, token)
		for range 2 {
			h := g.arrives("GET", "/v1/candidates?page=2", header, "X-Request: mine")
			for name, want := range map[string]string{
				"X-Postern-App": app.ID, "X-Postern-Account": known.Field("account_id"), "X-Postern-User": known.Field("user_id"), "X-Postern-Scopes": known.Field("scope"),
				"X-Postern-Connection": known.Field("connection_id"), "X-Postern-Dialect": app.Dialect, "X-Postern-Sandbox": "", "Authorization": "", "X-Request": "mine",
			} {
				if got := h.says(name); got != want {
					g.t.Errorf("%s: %s is %q, want %q", app.Dialect, name, got, want)
				}
			}
			if h.Path != "/v1/candidates?page=2" {
				g.t.Errorf("the API hears %s", h.Path)
			}
		}
		if status, _, _ := g.send("HEAD", "/v1/candidates", header); status != 200 {
			g.t.Errorf("%s: HEAD gives %d", app.Dialect, status)
		}
		g.s.Revoke(app, token).OK()
		g.refused(401, map[string]string{"xref": "Token ", "xeebo": "Bearer ", "standard": "Bearer "}[app.Dialect], "invalid_token", "GET", "/v1/candidates", header)
	}
}

// refusesInTheDialect: challenge and body are the wire's own (RS-01, RS-17).
func refusesInTheDialect(g *gateway) {
	g.refused(401, `Bearer realm="standard"`, "invalid_token", "GET", "/v1/candidates")
	g.refused(401, `Bearer realm="standard"`, "invalid_token", "GET", "/v1/candidates", "Authorization: Mystery x")
	g.refused(401, `Token realm="xref", error="invalid_token"`, xrefNotValid, "GET", "/v1/candidates", "Authorization: Token "+strings.Repeat("0", 40))
	all := g.callers()
	for _, app := range posterntest.Apps { // near misses
		g.refused(401, "", "invalid_token", "GET", "/v1/candidates", all[app.Dialect]+"x")
		g.refused(401, "", "invalid_token", "GET", "/v1/candidates", all[app.Dialect][:len(all[app.Dialect])-1])
	}
}

// holdsToRules: what docs/examples/routes.yaml says.
func holdsToRules(g *gateway) {
	all := g.callers()
	robot := g.s.Send(posterntest.PostForm("/oauth/token", "grant_type", "client_credentials", "scope", "jobs.read").
		Authorized(posterntest.Basic(posterntest.Robot.ID, posterntest.Robot.Secret))).OK()
	jobs := "Authorization: Bearer " + robot.Field("access_token")
	g.arrives("GET", "/v1/jobs/a/b", jobs)
	g.arrives("GET", "/v1/me", jobs)
	g.refused(403, "Bearer ", "insufficient_scope", "GET", "/v1/candidates", jobs)
	g.refused(403, "Bearer ", "insufficient_scope", "POST", "/v1/candidates", all["standard"], "Content-Length: 0") // reads, and may not write
	if h := g.arrives("POST", "/v1/candidates", all["xref"], "Content-Length: 0"); h.Method != "POST" {
		g.t.Errorf("a wire without scopes: %+v", h)
	}
	g.refused(403, "", "access_denied", "GET", "/v1/secrets", all["standard"])
	g.refused(403, "", "access_denied", "DELETE", "/v1/candidates", all["standard"])
	g.refused(401, "", "invalid_token", "GET", "/v1/secrets")
	if h := g.arrives("GET", "/v1/status", "X-Postern-App: forged", "Authorization: Bearer garbage"); h.says("X-Postern-App") != "" {
		g.t.Errorf("a public call is %s's", h.says("X-Postern-App"))
	}
}

// cannotBeFooled: RS-02, RS-04, RS-06, RS-07, RS-08, RS-09 through a gateway.
func cannotBeFooled(g *gateway) {
	all := g.callers()
	token := all["standard"]
	h := g.arrives("GET", "/v1/candidates", token, "X-Postern-App: forged", "x-postern-account: forged", "X-Postern-Account: forged2",
		"X-Postern-User: forged", "X-Postern-Scopes: everything", "X-Postern-Connection: forged", "X-Postern-Dialect: forged", "X-Postern-Sandbox: true",
		"X_Postern_Account: forged", "X-Postern_Account: forged", "X-Original-URL: http://api.example.com/v1/status", "X-Original-Method: OPTIONS",
		"X-Forwarded-Uri: /v1/status", "X-Forwarded-Method: OPTIONS", "X-Forwarded-Host: admin.example.com", "X-Rewrite-URL: /v1/status")
	for name, values := range h.Header {
		if strings.HasPrefix(strings.ToLower(strings.ReplaceAll(name, "_", "-")), "x-postern") && (len(values) != 1 || strings.Contains(values[0], "forged")) {
			g.t.Errorf("the API hears %s: %q", name, values)
		}
	}
	if h.says("X-Postern-App") != posterntest.Standard.ID || h.says("X-Postern-Sandbox") != "" || h.says("X-Postern-Scopes") == "everything" {
		g.t.Errorf("the API hears of %v", h.Header)
	}
	// Telling another route than one's own helps nobody.
	g.refused(403, "", "access_denied", "GET", "/v1/secrets", token, "X-Original-URL: http://api.example.com/v1/status", "X-Original-Method: GET",
		"X-Forwarded-Uri: /v1/status", "X-Forwarded-Method: GET", "X-Forwarded-Host: api.example.com")
	for _, dropped := range []string{"X-Postern-Account", "Authorization, X-Postern-App", "close, X-Postern-App, X-Original-URL, X-Forwarded-Uri"} {
		status, _, body := g.send("GET", "/v1/candidates", token, "Connection: "+dropped)
		var h heard
		if status == 200 && (json.Unmarshal([]byte(body), &h) != nil || h.says("X-Postern-App") == "" || h.says("X-Postern-Account") == "") {
			g.t.Errorf("Connection: %s takes who calls away: %s", dropped, body)
		}
	}
	for _, two := range [][]string{{token, token}, {token, "Authorization: Bearer garbage"}, {"Authorization: Bearer garbage", token}, {all["xref"], token}} {
		if status, _, body := g.send("GET", "/v1/candidates", two...); status != 400 && status != 401 {
			g.t.Errorf("two Authorization headers: %d %s", status, body)
		}
	}
	bare := strings.TrimPrefix(token, "Authorization: Bearer ")
	g.refused(401, "", "", "GET", "/v1/candidates?access_token="+bare)
	g.refused(401, "", "", "GET", "/v1/candidates?access_token="+bare, token)
	for _, long := range []int{9 << 10, 16 << 10, 64 << 10} {
		if status, _, _ := g.send("GET", "/v1/candidates", "Authorization: Bearer "+strings.Repeat("a", long)); status != 400 && status != 401 && status != 431 {
			g.t.Errorf("a header of %d bytes: %d", long, status)
		}
	}
	for _, path := range []string{"//v1/status", "/v1/./status", "/v1/x/../status", "/v1//status", "/v1/status/", "/v1/status;x", "/v1%2Fstatus", "/v1/%73tatus", "/v1/status%00", "/v1/x%2f..%2fstatus", "/V1/status"} {
		if status, _, body := g.send("GET", path, token); status == 200 || status >= 500 {
			g.t.Errorf("%s: %d %s", path, status, body)
		}
	}
}

// demands: those that nginx's file itself has.
func demands(g *gateway) {
	token := connect(g.s, posterntest.Standard, posterntest.Ada).Field("access_token")
	header, known := "Authorization: Bearer "+token, g.s.Introspect(token)
	g.refused(403, "Bearer ", "insufficient_scope", "GET", "/v1/billing/invoices", header)
	g.arrives("GET", "/v1/accounts/"+known.Field("account_id")+"/jobs", header)
	g.refused(403, "Bearer ", "insufficient_scope", "GET", "/v1/accounts/another/jobs", header)
	for _, path := range []string{"/_postern/", "/_postern/billing.read", "/_postern/account", "/check"} {
		if status, _, body := g.send("GET", path, header); status != 404 && status != 403 {
			g.t.Errorf("%s from outside: %d %s", path, status, body)
		}
	}
}

// away: without Postern nobody is let through, and nobody is told that a token
// is bad.
func away(g *gateway) {
	for range 3 {
		status, header, body := g.send("GET", "/v1/candidates", "Authorization: Bearer whatever")
		if status < 500 || strings.Contains(body, `"Method"`) || header.Get("WWW-Authenticate") != "" {
			g.t.Errorf("Postern is away: %d %s", status, body)
		}
		if _, served := header["Server"]; served && strings.HasPrefix(header.Get("Server"), "nginx") && (status != 503 || header.Get("Retry-After") == "") {
			g.t.Errorf("Postern is away: %d, Retry-After %q", status, header.Get("Retry-After"))
		}
	}
}
