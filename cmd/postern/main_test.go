package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
)

var program string

// TestMain builds the program once: what is tested is what an operator types.
func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "postern-cmd-")
	if err != nil {
		panic(err)
	}
	program = filepath.Join(dir, "postern")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		os.Exit(1)
	}
	code := m.Run()
	os.RemoveAll(dir)
	os.Exit(code)
}

// place is a directory in which commands are typed.
type place struct {
	t   *testing.T
	dir string
	env []string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	p := &place{t: t, dir: t.TempDir()}
	for _, e := range os.Environ() {
		if !strings.HasPrefix(e, "POSTERN_") {
			p.env = append(p.env, e)
		}
	}
	p.write("postern.yaml", fmt.Sprintf("listen: %s\npublic_url: http://localhost\ndatabase: sqlite:postern.db\n", free(t)))
	p.write("resources.yaml", resources)
	return p
}

const resources = `
scopes: [{name: candidates.read, description: See your candidates}]
accounts: [{name: Acme, users: [{email: ada@acme.test, password: correct horse battery staple, role: admin}]}]
partners: [{name: Partner Inc, apps: [{name: Partner X, client_id: partner-x, redirect_urls: ["https://partner.test/cb"], scopes: [candidates.read]}]}]
`

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (p *place) write(name, text string) {
	p.t.Helper()
	if err := os.WriteFile(filepath.Join(p.dir, name), []byte(text), 0o600); err != nil {
		p.t.Fatal(err)
	}
}

func (p *place) command(args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...)
	cmd.Dir, cmd.Env = p.dir, p.env
	return cmd
}

// run types a command line.
func (p *place) run(args ...string) (code int, out, errOut string) {
	p.t.Helper()
	var o, e bytes.Buffer
	cmd := p.command(args...)
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if _, exited := errors.AsType[*exec.ExitError](err); err != nil && !exited {
		p.t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), o.String(), e.String()
}

// ok wants a command to succeed, and gives its output.
func (p *place) ok(args ...string) string {
	p.t.Helper()
	code, out, errOut := p.run(args...)
	if code != 0 || errOut != "" {
		p.t.Fatalf("postern %s: exit %d\n%s%s", strings.Join(args, " "), code, out, errOut)
	}
	return out
}

// Every way to hold it wrong, the exit code, and the line that tells.
func TestBadInputIsToldInALine(t *testing.T) {
	p := newPlace(t)
	p.write("bad.yaml", "public_url: https://x/y\ndatabase: sqlite:a\nlistne: b\n")
	p.write("notdb", "hello")
	p.write("foreign.yaml", "public_url: https://x\ndatabase: sqlite:notdb\n")
	p.write("wrong.yaml", "acounts: []\n")
	p.write("dialect.yaml", "language: 1\nname: acme\nextends: xref\ntoken: {acepts: [json]}\n")
	p.write("clash.yaml", "public_url: https://x\ndatabase: sqlite:a\ndialects: [{name: xref}, {name: xref}]\n")
	for line, want := range map[string]struct {
		code int
		says string
	}{
		"":                                    {2, "postern: no command given; `postern --help` lists them\n"},
		"sreve":                               {2, "postern: unexpected argument sreve, did you mean \"serve\"?; see `postern --help`\n"},
		"serve --lisen x":                     {2, "postern: unknown flag --lisen, did you mean \"--listen\"?; see `postern serve --help`\n"},
		"serve extra":                         {2, "postern: unexpected argument extra; see `postern serve --help`\n"},
		"serve --config":                      {2, "postern: --config needs a value; see `postern serve --help`\n"},
		"apply -c postern.yaml":               {2, "postern: expected \"<resources> ...\"; see `postern apply --help`\n"},
		"user":                                {2, "postern: expected \"reset\"; see `postern user --help`\n"},
		"user reset":                          {2, "postern: expected \"<email>\"; see `postern user reset --help`\n"},
		"token create":                        {2, "postern: missing flags: --name=N, --right=R,...; see `postern token create --help`\n"},
		"dialect check":                       {2, "postern: expected \"<file> ...\"; see `postern dialect check --help`\n"},
		"serve -c nope.yaml":                  {1, "postern: the configuration: open nope.yaml: no such file or directory; check the path in --config or POSTERN_CONFIG\n"},
		"serve -c bad.yaml":                   {1, "bad.yaml:1:13: public_url: \"https://x/y\" has a path; write the origin alone, as in https://connect.example.com\nbad.yaml:3:1: unknown key \"listne\"; did you mean \"listen\"?\n"},
		"serve -c postern.yaml --listen x":    {1, "--listen: listen: \"x\" is not host:port; write it as in 127.0.0.1:8080, or :8080 for all addresses\n"},
		"serve -c foreign.yaml":               {1, "postern: notdb is not an SQLite database: name another file, or restore it from a backup\n"},
		"serve -c clash.yaml":                 {1, "postern: dialects: two dialects are called xref; give one of them another name\n"},
		"migrate -c foreign.yaml":             {1, "postern: notdb is not an SQLite database: name another file, or restore it from a backup\n"},
		"apply -c postern.yaml nope.yaml":     {1, "postern: the resources: open nope.yaml: no such file or directory\n"},
		"apply -c postern.yaml wrong.yaml":    {1, "wrong.yaml:1:1: unknown key \"acounts\"; did you mean \"accounts\"?\n"},
		"user reset x@y.test -c postern.yaml": {1, "postern: There is no user with the e-mail \"x@y.test\"; users come from accounts: in a resources file (`postern apply`) or from /api/v1.\n"},
		"token create -c postern.yaml --name n --right x": {1, "postern: There is no right \"x\"; "},
		"dialect show xreff":                              {1, "postern: there is no built-in dialect \"xreff\"; did you mean \"xref\"?"},
		"dialect check nope.yaml":                         {1, "postern: open nope.yaml: no such file or directory\n"},
		"dialect check dialect.yaml":                      {1, "dialect.yaml:4:9: unknown key \"acepts\" in token; did you mean \"accepts\"?\n"},
	} {
		code, out, errOut := p.run(strings.Fields(line)...)
		said := errOut
		if strings.HasPrefix(line, "dialect check d") { // its findings are its output
			said = out
		}
		if code != want.code || (said != want.says && !(strings.HasPrefix(said, want.says) && !strings.HasSuffix(want.says, "\n"))) {
			t.Errorf("postern %s: exit %d, said\n%s\nwanted %d\n%s", line, code, said, want.code, want.says)
		}
	}
}

func TestEveryCommandHasHelpWithAnExample(t *testing.T) {
	p := newPlace(t)
	top := p.ok("--help")
	for _, command := range []string{"serve", "apply", "migrate", "doctor", "token create", "user reset",
		"dialect list", "dialect show", "dialect docs", "dialect check", "dialect schema", "version"} {
		if !strings.Contains(top, "\n  "+command+" ") {
			t.Errorf("--help does not list %s", command)
		}
		help := p.ok(append(strings.Fields(command), "--help")...)
		if !strings.Contains(help, "Example") || !strings.Contains(help, "    postern "+command) {
			t.Errorf("postern %s --help has no example:\n%s", command, help)
		}
	}
}

func TestTheFirstCommandMayBeApply(t *testing.T) {
	p := newPlace(t)
	if out := p.ok("apply", "-c", "postern.yaml", "resources.yaml", "--dry-run"); !strings.Contains(out, "nothing was written") {
		t.Errorf("a dry run says\n%s", out)
	}
	if _, err := os.Stat(filepath.Join(p.dir, "postern.db")); err == nil {
		t.Error("a dry run made the database")
	}
	if out := p.ok("apply", "-c", "postern.yaml", "resources.yaml"); !strings.Contains(out, "app partner-x  client_secret: pos_") {
		t.Errorf("the first apply says\n%s", out)
	}
	out := p.ok("apply", "-c", "postern.yaml", "resources.yaml", "--json")
	var result struct {
		Changes []struct {
			Did     string
			Secrets []any
		}
	}
	if err := json.Unmarshal([]byte(out), &result); err != nil || len(result.Changes) == 0 {
		t.Fatalf("%v:\n%s", err, out)
	}
	for _, c := range result.Changes {
		if c.Did != "unchanged" || len(c.Secrets) > 0 {
			t.Errorf("again: %+v", c)
		}
	}
}

func TestSmallCommands(t *testing.T) {
	p := newPlace(t)
	p.env = append(p.env, "POSTERN_CONFIG=postern.yaml")
	p.ok("apply", "resources.yaml")
	if out := p.ok("migrate"); !strings.Contains(out, "is up to date (version ") {
		t.Errorf("migrate: %s", out)
	}
	if out := p.ok("migrate", "--json"); !strings.Contains(out, `"now": `) {
		t.Errorf("migrate --json: %s", out)
	}
	if out := p.ok("doctor"); !strings.Contains(out, "ok       secret key") || strings.Contains(out, "broken") || strings.Contains(out, "warning") {
		t.Errorf("doctor: %s", out)
	}
	if out := p.ok("user", "reset", "ada@acme.test"); !strings.HasPrefix(out, "http://localhost/reset/") || strings.Count(out, "\n") != 1 {
		t.Errorf("user reset: %s", out)
	}
	if out := p.ok("token", "create", "--name", "n", "--right", "apps.read,audit.read"); !strings.HasPrefix(out, "poo_") || strings.Count(out, "\n") != 1 {
		t.Errorf("token create: %s", out)
	}
	if out := p.ok("dialect", "list"); !strings.Contains(out, "mounted at /xeebo/") {
		t.Errorf("dialect list: %s", out)
	}
	if out := p.ok("dialect", "docs", "xref"); !strings.Contains(out, "http://localhost/oauth/tokens") {
		t.Errorf("dialect docs: %s", out)
	}
	if out := p.ok("dialect", "schema"); !json.Valid([]byte(out)) || !strings.Contains(out, `"Postern dialect"`) {
		t.Errorf("dialect schema: %s", out)
	}
	if out := p.ok("dialect", "show", "standard", "--full"); !strings.Contains(out, "/oauth/token") {
		t.Errorf("dialect show --full: %s", out)
	}
	for _, line := range []string{"doctor --json", "version --json", "dialect list --json", "dialect check --json"} {
		args := strings.Fields(line)
		if args[1] == "check" {
			p.write("x.yaml", p.ok("dialect", "show", "xref"))
			args = append(args, "x.yaml")
		}
		if out := p.ok(args...); !json.Valid([]byte(out)) {
			t.Errorf("postern %s is no JSON:\n%s", line, out)
		}
	}
	if err := os.Chmod(filepath.Join(p.dir, "postern.db.key"), 0o644); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := p.run("doctor"); code != 0 || !strings.Contains(out, "warning  files") || !strings.Contains(out, "; chmod 600 ") {
		t.Errorf("doctor with an open key: exit %d\n%s", code, out)
	}
	p.env = append(p.env, "POSTERN_INSECURE_LOOPBACK=true")
	if code, out, _ := p.run("doctor"); code != 0 || !strings.Contains(out, "warning  insecure_loopback") {
		t.Errorf("doctor with insecure_loopback: exit %d\n%s", code, out)
	}
	if err := os.Remove(filepath.Join(p.dir, "postern.db.key")); err != nil {
		t.Fatal(err)
	}
	if code, out, _ := p.run("doctor"); code != 1 || !strings.Contains(out, "broken   secret key") {
		t.Errorf("doctor without the key: exit %d\n%s", code, out)
	}
}

// Every command that reads a configuration tells what is doubtful about it.
func TestEveryCommandTellsTheWarnings(t *testing.T) {
	p := newPlace(t)
	p.env = append(p.env, "POSTERN_LISTN=x")
	text := "public_url: http://localhost\ndatabase: sqlite:postern.db\nsecret_key: MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=\n"
	p.write("postern.yaml", text)
	if err := os.Chmod(filepath.Join(p.dir, "postern.yaml"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"apply -c postern.yaml resources.yaml", "migrate -c postern.yaml", "dialect list -c postern.yaml",
		"doctor -c postern.yaml", "user reset ada@acme.test -c postern.yaml", "token create -c postern.yaml --name n --right apps.read"} {
		code, out, errOut := p.run(strings.Fields(line)...)
		said := out + errOut
		if code != 0 || !strings.Contains(said, "POSTERN_LISTN names no key") || !strings.Contains(said, "postern.yaml holds a secret and everybody on this machine can read it: chmod 600") {
			t.Errorf("postern %s: exit %d\n%s", line, code, said)
		}
		if strings.Contains(said, "MDEyMzQ1") {
			t.Errorf("postern %s tells the secret", line)
		}
	}
}

// serving starts the server and waits until it is ready.
func (p *place) serving(args ...string) (cmd *exec.Cmd, log *posterntest.Log, address string) {
	p.t.Helper()
	address = free(p.t)
	cmd = p.command(append([]string{"serve", "-c", "postern.yaml", "--listen", address}, args...)...)
	log = &posterntest.Log{}
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if resp, err := http.Get("http://" + address + "/healthz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return cmd, log, address
			}
		}
	}
	p.t.Fatalf("never ready")
	return nil, nil, ""
}

func TestOP03TheServerStopsWithExitZero(t *testing.T) {
	p := newPlace(t)
	cmd, log, _ := p.serving()
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v\n%s", err, log)
	}
}

func TestOP03ASecondSignalEndsAtOnce(t *testing.T) {
	p := newPlace(t)
	cmd, log, address := p.serving()
	conn, err := net.Dial("tcp", address) // a request that never ends
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 99\r\n\r\nx")
	time.Sleep(100 * time.Millisecond) // until it is being read
	began := time.Now()
	for range 2 {
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		time.Sleep(500 * time.Millisecond)
	}
	if err := cmd.Wait(); err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("after %s: %v\n%s", time.Since(began), err, log)
	}
}

func TestTheStartWarnsOfWhatIsInsecure(t *testing.T) {
	p := newPlace(t)
	p.env = append(p.env, "POSTERN_INSECURE_LOOPBACK=true", "POSTERN_LISTN=x")
	p.write("acme.yaml", "language: 1\nname: acme\nextends: xeebo\nbase: /acme\ninsecure_weak_imported_secrets: {because: the old server made short ones}\n")
	p.env = append(p.env, "POSTERN_DIALECTS=[{name: standard}, {file: acme.yaml}]")
	cmd, log, _ := p.serving()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	for _, want := range []string{"level=WARN msg=\"insecure_loopback is on", "POSTERN_LISTN names no key", "insecure_weak_imported_secrets because: the old server made short ones"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, log)
		}
	}
}

// OP-16: a hang-up has the server read its configuration again; what is wrong is
// told with file, line and key, and nothing changes.
func TestAHangUpReadsTheConfigurationAgain(t *testing.T) {
	p := newPlace(t)
	cmd, log, address := p.serving()
	text, err := os.ReadFile(filepath.Join(p.dir, "postern.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	hangUp := func(more string) {
		t.Helper()
		p.write("postern.yaml", string(text)+more)
		if err := cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
	}
	says := func(want string) {
		t.Helper()
		for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			resp, err := http.Get("http://" + address + "/login")
			if err != nil {
				t.Fatal(err)
			}
			page, err := io.ReadAll(resp.Body)
			resp.Body.Close()
			if err != nil || resp.StatusCode != http.StatusOK {
				t.Fatalf("%d %v", resp.StatusCode, err)
			}
			if strings.Contains(string(page), want) {
				return
			}
			if time.Now().After(deadline) {
				t.Fatalf("never said %q", want)
			}
		}
	}
	hangUp("branding: {name: First Gate}\n")
	says("First Gate")
	hangUp("branding: {name: Wrong Gate}\nroutse: x\n")
	for deadline := time.Now().Add(20 * time.Second); !strings.Contains(log.String(), "goes on with the configuration that it had"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("nothing is told\n%s", log)
		}
	}
	says("First Gate")
	hangUp("branding: {name: Second Gate}\ninternal_listen: 127.0.0.1:1\n")
	says("Second Gate")
	_ = cmd.Process.Signal(syscall.SIGTERM)
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`postern.yaml:5:1: unknown key \"routse\"; did you mean \"routes\"?`, "key=internal_listen"} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s\n%s", want, log)
		}
	}
	if strings.Contains(log.String(), "key=listen") {
		t.Errorf("a flag that stays is told as changed\n%s", log)
	}
}
