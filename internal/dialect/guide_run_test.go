package dialect_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/needs"
)

// The guide's programs are cut out of it, run against a Postern from the link to
// the end of the connection, and must all come to the same.

// outcome is what a program tells of a connection's life.
type outcome struct {
	Called    int  `json:"called"`    // status of a call with the token
	Whoami    int  `json:"whoami"`    // of the wire's test call; 0: it has none
	Refreshed bool `json:"refreshed"` // another access token came, and works
	After     int  `json:"after"`     // status of a call when all has ended
	Forged    bool `json:"forged"`    // a callback of another state was refused
	Lost      bool `json:"lost"`      // so was one without a state, when the session has none
	Spent     bool `json:"spent"`     // the code was refused when it came again
}

// runner turns a guide's snippets of one language into a program.
type runner struct {
	fence, program string
	build          func(t *testing.T, dir, source, harness string) *exec.Cmd
	harness        string
}

// scripted is a program that needs no building.
func scripted(file, program string) func(*testing.T, string, string, string) *exec.Cmd {
	return func(t *testing.T, dir, source, harness string) *exec.Cmd {
		path := filepath.Join(dir, file)
		write(t, path, source+"\n"+harness)
		return exec.Command(program, path)
	}
}

var runners = map[string]runner{
	"node": {"javascript", "node", scripted("partner.mjs", "node"), `
import { createInterface } from "node:readline";
const state = newState(), scopes = process.env.SCOPES, apiURL = process.env.API_URL, tenant = process.env.TENANT;
const codeVerifier = typeof newVerifier === "function" ? newVerifier() : "", codeChallenge = codeVerifier && challengeOf(codeVerifier);
console.log(connectURL(ARGS:connectURL));
for await (const line of createInterface({ input: process.stdin })) {
  const query = new URLSearchParams(line), out = {};
  try { callback(query, state + "x") } catch { out.forged = true }
  try { callback(new URLSearchParams("code=x"), "") } catch { out.lost = true }
  const code = callback(query, state);
  const first = await exchange(ARGS:exchange);
  let { accessToken, refreshToken, accountID } = first;
  out.called = (await call(ARGS:call)).status;
  IF:whoami out.whoami = (await whoami(ARGS:whoami)).status;
  refreshToken ??= process.env.REFRESH_TOKEN;
  IF:refresh const next = await refresh(ARGS:refresh);
  IF:refresh accessToken = next.accessToken; refreshToken = next.refreshToken ?? refreshToken;
  IF:refresh out.refreshed = accessToken !== first.accessToken && (await call(ARGS:call)).status < 300;
  IF:disconnect await disconnect(ARGS:disconnect);
  out.after = (await call(ARGS:call)).status;
  try { await exchange(ARGS:exchange) } catch { out.spent = true }
  console.log(JSON.stringify(out));
  process.exit(0);
}`},
	"python": {"python", "python3", scripted("partner.py", "python3"), `
import sys
state, scopes, api_url, tenant = new_state(), os.environ["SCOPES"], os.environ["API_URL"], os.environ.get("TENANT")
code_verifier = new_verifier() if "new_verifier" in globals() else ""
code_challenge = challenge_of(code_verifier) if code_verifier else ""
print(connect_url(ARGS:connect_url), flush=True)
query, out = sys.stdin.readline().strip(), {}
try:
    callback(query, state + "x")
except RuntimeError:
    out["forged"] = True
try:
    callback("code=x", "")
except RuntimeError:
    out["lost"] = True
code = callback(query, state)
first = exchange(ARGS:exchange)
access_token, refresh_token, account_id = first["access_token"], first.get("refresh_token") or os.environ.get("REFRESH_TOKEN"), first.get("account_id")
out["called"] = call(ARGS:call)["status"]
IF:whoami out["whoami"] = whoami(ARGS:whoami)["status"]
IF:refresh again = refresh(ARGS:refresh)
IF:refresh access_token, refresh_token = again["access_token"], again.get("refresh_token") or refresh_token
IF:refresh out["refreshed"] = access_token != first["access_token"] and call(ARGS:call)["status"] < 300
IF:disconnect disconnect(ARGS:disconnect)
out["after"] = call(ARGS:call)["status"]
try:
    exchange(ARGS:exchange)
except RuntimeError:
    out["spent"] = True
print(json.dumps(out))`},
	"go": {"go", "go", func(t *testing.T, dir, source, harness string) *exec.Cmd {
		write(t, filepath.Join(dir, "partner.go"), source)
		write(t, filepath.Join(dir, "main.go"), harness)
		return exec.Command("go", "run", filepath.Join(dir, "partner.go"), filepath.Join(dir, "main.go"))
	}, `package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
)

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func main() {
	state, scopes, apiURL, tenant, codeVerifier, codeChallenge := newSecret(), os.Getenv("SCOPES"), os.Getenv("API_URL"), os.Getenv("TENANT"), "", ""
	IF:challengeOf codeVerifier = newSecret()
	IF:challengeOf codeChallenge = challengeOf(codeVerifier)
	_, _, _, _ = scopes, tenant, codeVerifier, codeChallenge
	fmt.Println(connectURL(ARGS:connectURL))
	line := must(bufio.NewReader(os.Stdin).ReadString('\n'))
	query, out := must(url.ParseQuery(strings.TrimSpace(line))), map[string]any{}
	if _, err := callback(query, state+"x"); err != nil {
		out["forged"] = true
	}
	if _, err := callback(url.Values{"code": {"x"}}, ""); err != nil {
		out["lost"] = true
	}
	code := must(callback(query, state))
	first := must(exchange(ARGS:exchange))
	accessToken, refreshToken, accountID := first.AccessToken, first.RefreshToken, first.AccountID
	if _ = accountID; refreshToken == "" {
		refreshToken = os.Getenv("REFRESH_TOKEN")
	}
	out["called"] = must(call(ARGS:call)).Status
	IF:whoami out["whoami"] = must(whoami(ARGS:whoami)).Status
	IF:refresh next := must(refresh(ARGS:refresh))
	IF:refresh accessToken = next.AccessToken
	IF:refresh if next.RefreshToken != "" { refreshToken = next.RefreshToken }
	IF:refresh out["refreshed"] = accessToken != first.AccessToken && must(call(ARGS:call)).Status < 300
	IF:disconnect if err := disconnect(ARGS:disconnect); err != nil { panic(err) }
	out["after"] = must(call(ARGS:call)).Status
	if _, err := exchange(ARGS:exchange); err != nil {
		out["spent"] = true
	}
	fmt.Println(string(must(json.Marshal(out))))
}
`},
	"php": {"php", "php", scripted("partner.php", "php"), `
$state = newSecret(); $scopes = getenv('SCOPES'); $apiURL = getenv('API_URL'); $tenant = getenv('TENANT');
$codeVerifier = newSecret();
IF:challengeOf $codeChallenge = challengeOf($codeVerifier);
echo connectURL(ARGS:connectURL), "\n";
parse_str(trim(fgets(STDIN)), $query);
$out = [];
try { callback($query, $state . 'x'); } catch (RuntimeException) { $out['forged'] = true; }
try { callback(['code' => 'x'], ''); } catch (RuntimeException) { $out['lost'] = true; }
$code = callback($query, $state);
$first = exchange(ARGS:exchange);
$accessToken = $first['accessToken']; $refreshToken = $first['refreshToken'] ?? getenv('REFRESH_TOKEN'); $accountID = $first['accountID'] ?? '';
$out['called'] = call(ARGS:call)['status'];
IF:whoami $out['whoami'] = whoami(ARGS:whoami)['status'];
IF:refresh $next = refresh(ARGS:refresh);
IF:refresh $accessToken = $next['accessToken']; $refreshToken = $next['refreshToken'] ?? $refreshToken;
IF:refresh $out['refreshed'] = $accessToken !== $first['accessToken'] && call(ARGS:call)['status'] < 300;
IF:disconnect disconnect(ARGS:disconnect);
$out['after'] = call(ARGS:call)['status'];
try { exchange(ARGS:exchange); } catch (RuntimeException) { $out['spent'] = true; }
echo json_encode($out), "\n";`},
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTheGuidesProgramsMakeAConnectionAndEndIt(t *testing.T) {
	s := posterntest.New(t)
	api := s.Internal + "/check" // the token check is API enough
	for _, app := range posterntest.Apps {
		d, err := dialect.Library{}.Builtin(app.Dialect)
		if err != nil {
			t.Fatal(err)
		}
		guide := beforeWebhooks(d.Guide(dialect.English, s.URL))
		want := outcome{Called: 200, Refreshed: d.Terms().Refresh != nil, After: 401, Forged: true, Lost: true, Spent: true}
		if strings.Contains(guide, "what a token stands for") {
			want.Whoami = 200
		}
		for name, r := range runners {
			t.Run(app.Dialect+"/"+name, func(t *testing.T) {
				source := strings.Join(fenced(guide, r.fence), "\n\n")
				if source == "" {
					t.Fatal("the guide has no program")
				}
				needs.Program(t, "scripts/setup", r.program)
				cmd := r.build(t, t.TempDir(), source, filled(t, r.harness, source))
				cmd.Env = append(os.Environ(), "GO111MODULE=off", "GOFLAGS=", "CLIENT_ID="+app.ID, "CLIENT_SECRET="+app.Secret,
					"REDIRECT_URL="+app.RedirectURL, "SCOPES=candidates.read", "API_URL="+api)
				if got := play(t, s.For(t), cmd, &way{}); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
			})
		}
	}
}

// beforeWebhooks: what verifies webhooks is another program.
func beforeWebhooks(guide string) string {
	before, after, _ := strings.Cut(guide, "\n## Webhooks\n")
	_, after, _ = strings.Cut(after, "\n## Errors\n")
	return before + after
}

// fenced are all code blocks of a language, in order.
func fenced(text, language string) (out []string) {
	for _, after := range strings.Split(text, "\n```"+language+"\n")[1:] {
		code, _, _ := strings.Cut(after, "\n```\n")
		out = append(out, code)
	}
	return out
}

var (
	argument  = regexp.MustCompile(`ARGS:(\w+)`)
	condition = regexp.MustCompile(`(?m)^(\s*)IF:(\w+) (.*)\n`)
)

// filled writes into a harness the arguments that the program's functions take,
// and leaves out the calls of functions that it does not have.
func filled(t *testing.T, harness, source string) string {
	t.Helper()
	signature := func(name string) (string, bool) {
		m := regexp.MustCompile(`(?:function|def|func) ` + name + `\((.*?)\)|const ` + name + ` = \((.*?)\)`).FindStringSubmatch(source)
		if m == nil {
			return "", false
		}
		return regexp.MustCompile(`\bstring\b ?`).ReplaceAllString(m[1], ""), true
	}
	harness = condition.ReplaceAllStringFunc(harness, func(line string) string {
		m := condition.FindStringSubmatch(line)
		if _, there := signature(m[2]); !there {
			return ""
		}
		return m[1] + m[3] + "\n"
	})
	return argument.ReplaceAllStringFunc(harness, func(word string) string {
		arguments, there := signature(word[len("ARGS:"):])
		if !there {
			t.Fatalf("the program has no %s:\n%s", word, source)
		}
		return strings.TrimSpace(arguments)
	})
}

// play starts the program, takes its link through a browser, and hands it what
// the browser brings back.
func play(t *testing.T, s *posterntest.Postern, cmd *exec.Cmd, w *way) (got outcome) {
	t.Helper()
	cmd.Env = append(cmd.Env, w.env...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var trouble strings.Builder
	cmd.Stderr = &trouble
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	link, err := lines.ReadString('\n')
	if err == nil {
		link = strings.TrimSpace(link)
		back := s.SignedInAt(posterntest.Ada, link, w.through).AllowAt(link)
		_, query, _ := strings.Cut(back.Location, "?")
		fmt.Fprintln(in, query)
	}
	told, _ := io.ReadAll(lines)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s%s%s", err, link, told, trouble.String())
	}
	if err := json.Unmarshal(told, &got); err != nil {
		t.Fatalf("%v: %s\n%s", err, told, trouble.String())
	}
	return got
}

// The curl lines, each as it stands in the guide, run by a shell.
func TestTheGuidesCurlLinesMakeAConnectionAndEndIt(t *testing.T) {
	s := posterntest.New(t)
	for _, app := range posterntest.Apps {
		t.Run(app.Dialect, func(t *testing.T) {
			d, err := dialect.Library{}.Builtin(app.Dialect)
			if err != nil {
				t.Fatal(err)
			}
			curls(t, s.For(t), d, app, "candidates.read", &way{})
		})
	}
}

func curls(t *testing.T, s *posterntest.Postern, d *dialect.Dialect, app posterntest.App, scope string, w *way) {
	speaker := &dialect.Speaker{Dialect: d, Server: s.URL, ClientID: app.ID, ClientSecret: app.Secret, RedirectURL: app.RedirectURL, Scopes: []string{scope}, Tenant: w.tenant}
	const verifier, challenge = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM" // RFC 7636, appendix B
	sent := ""
	if speaker.UsesPKCE() {
		sent = challenge
	}
	link := speaker.Authorize("S", sent)
	back := s.SignedInAt(posterntest.Ada, link, w.through).AllowAt(link)
	query, err := url.ParseQuery(back.Location[strings.IndexByte(back.Location, '?')+1:])
	if err != nil {
		t.Fatal(err)
	}
	env := map[string]string{"CLIENT_ID": app.ID, "CLIENT_SECRET": app.Secret, "REDIRECT_URL": app.RedirectURL, "API_URL": s.Internal + "/check",
		"CODE": speaker.Callback(query).Code, "CODE_VERIFIER": verifier}
	for _, step := range []string{"3. Exchange the code", "4. Call the API", "5. Refresh", "Look a token up", "6. Disconnect"} {
		for _, line := range fenced(section(d.Guide(dialect.English, s.URL), step), "sh") {
			status, media, body := shell(t, line, env, w)
			if status >= 300 {
				t.Fatalf("%s: %d %s\n%s", step, status, body, line)
			}
			told := speaker.Answer(media, body)
			for name, variable := range map[string]string{"access_token": "ACCESS_TOKEN", "refresh_token": "REFRESH_TOKEN", "account.id": "ACCOUNT_ID"} {
				if told[name] != "" && step != "6. Disconnect" {
					env[variable] = told[name]
				}
			}
		}
	}
	dead := http.StatusOK
	if speaker.Revoke(dialect.Told{"access_token": "x", "refresh_token": "x", "account.id": "x"}) != nil {
		dead = statusOf(t, speaker.Call("GET", s.Internal+"/check", "nobody's"))
	}
	call := fenced(section(d.Guide(dialect.English, s.URL), "4. Call the API"), "sh")[0]
	if status, _, body := shell(t, call, env, w); status != dead {
		t.Errorf("after the end a call is answered %d %s", status, body)
	}
}

func section(guide, title string) string {
	_, after, _ := strings.Cut(guide, "\n## "+title+"\n")
	text, _, _ := strings.Cut(after, "\n## ")
	return text
}

// shell runs a curl line and gives its answer.
func shell(t *testing.T, line string, env map[string]string, w *way) (status int, media, body string) {
	t.Helper()
	line = strings.Replace(line, "curl ", `curl -s -w '\n%{http_code} %{content_type}' `, 1)
	cmd := exec.Command("sh", "-c", line)
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	cmd.Env = append(append(cmd.Env, "PATH="+os.Getenv("PATH")), w.env...)
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s\n%s", err, out, line)
	}
	at := strings.LastIndexByte(string(out), '\n')
	if _, err := fmt.Sscan(string(out[at+1:]), &status, &media); err != nil && status == 0 {
		t.Fatalf("%v: %s", err, out)
	}
	return status, media, string(out[:at])
}
