package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const acme = "language: 1\nname: acme\nextends: xref\n"

const asked = `@app client_id=x client_secret=short redirect_uri=https://p.test/cb
> POST /oauth/tokens
> Content-Type: application/json
>
> {}
< 400
<
< {"error":"invalid_request","error_description":"The member \"client_id\" is missing."}
`

func TestTranscriptsArePlayedAndCompared(t *testing.T) {
	p := newPlace(t)
	p.write("acme.yaml", acme)
	p.write("good.txt", asked)
	p.write("bad.txt", strings.Replace(asked, "client_id\\\"", "code\\\"", 1))
	p.write("mad.txt", "@alow\n> GET\n")
	if out := p.ok("dialect", "replay", "xref", "good.txt"); out != "good.txt: 1 request, all as written\n" {
		t.Errorf("got %s", out)
	}
	code, out, errOut := p.run("dialect", "replay", "acme.yaml", "good.txt", "bad.txt")
	if code != 1 || errOut != "" || !strings.Contains(out, "bad.txt:8: body differs at .error_description\n  want  {") || !strings.Contains(out, "bad.txt: 1 request, 1 difference\n") {
		t.Errorf("exit %d\n%s%s", code, out, errOut)
	}
	code, out, _ = p.run("dialect", "replay", "acme.yaml", "bad.txt", "--json")
	var reports []struct {
		File        string
		Exchanges   int
		Differences []struct {
			Line               int
			Message, Want, Got string
		}
	}
	if err := json.Unmarshal([]byte(out), &reports); err != nil || code != 1 || reports[0].Differences[0].Line != 8 || reports[0].Differences[0].Got == "" {
		t.Errorf("exit %d, %v\n%s", code, err, out)
	}
	if code, _, errOut := p.run("dialect", "replay", "xref", "mad.txt"); code != 1 || !strings.HasPrefix(errOut, "mad.txt:1: there is no @alow") || strings.Count(errOut, "\n") < 2 {
		t.Errorf("exit %d\n%s", code, errOut)
	}
}

func TestACheckPlaysTheTranscriptsBesideTheFile(t *testing.T) {
	p := newPlace(t)
	p.write("acme.yaml", acme)
	if err := os.Mkdir(filepath.Join(p.dir, "acme"), 0o700); err != nil {
		t.Fatal(err)
	}
	if code, _, errOut := p.run("dialect", "replay", "acme.yaml"); code != 1 || !strings.Contains(errOut, "there is no transcript in acme") {
		t.Errorf("exit %d\n%s", code, errOut)
	}
	p.write("acme/a.txt", asked)
	if out := p.ok("dialect", "check", "acme.yaml"); !strings.Contains(out, "1 transcript answered as written") {
		t.Errorf("got %s", out)
	}
	if out := p.ok("dialect", "replay", "acme.yaml"); !strings.HasPrefix(out, "acme/a.txt: 1 request") {
		t.Errorf("got %s", out)
	}
	p.write("acme/b.txt", strings.Replace(asked, "< 400", "< 401", 1))
	code, out, _ := p.run("dialect", "check", "acme.yaml")
	if code != 1 || !strings.HasPrefix(out, "acme/b.txt:6: status differs\n  want  401\n") {
		t.Errorf("exit %d\n%s", code, out)
	}
	code, out, _ = p.run("dialect", "check", "acme.yaml", "--json")
	var found []struct {
		File, Message, Want string
		Line                int
	}
	if err := json.Unmarshal([]byte(out), &found); err != nil || code != 1 || len(found) != 1 || found[0].Line != 6 || found[0].Want != "401" {
		t.Errorf("exit %d, %v\n%s", code, err, out)
	}
}

func TestMisuseOfTheDialectCommandsIsToldInALine(t *testing.T) {
	p := newPlace(t)
	p.write("no.har", "{}")
	for line, want := range map[string]struct {
		code int
		says string
	}{
		"dialect replay":                                           {2, `expected "<file>"`},
		"dialect replay xreff a.txt":                               {1, `there is no built-in dialect "xreff"; did you mean "xref"?`},
		"dialect replay no.yaml a.txt":                             {1, "the dialect: stat no.yaml"},
		"dialect replay xref":                                      {1, "name a transcript to play"},
		"dialect replay xref no.txt":                               {1, "the transcript: stat no.txt"},
		"dialect replay xref .":                                    {1, "there is no transcript (*.txt) in ."},
		"dialect record":                                           {2, "say where to listen and what to record"},
		"dialect record --listen :0":                               {2, "say where to listen and what to record"},
		"dialect record --listen :0 --upstream x":                  {2, `--upstream "x" is no server's address`},
		"dialect record --listen nowhere --upstream http://x.test": {1, "--listen: listen tcp: address nowhere: missing port"},
		"dialect record --har no.har":                              {1, "no.har: this is no HAR file"},
		"dialect record --har no.har --listen :0":                  {2, "--har reads a file"},
		"dialect record --har no.har --call cod=ticket":            {2, `--call takes MEANING=WORD, as in --call code=ticket; "cod" is nothing that the recorder looks for; did you mean "code"?`},
		"dialect new --name a":                                     {2, "missing: --authorize, --token"},
		"dialect new --name A --authorize /a --token /t":           {2, `name "A": a dialect's name has lower-case letters`},
		"dialect new --from no.yaml":                               {1, "open no.yaml"},
	} {
		code, out, errOut := p.run(strings.Fields(line)...)
		if code != want.code || out != "" || !strings.HasPrefix(errOut, "postern: "+want.says) || strings.Count(errOut, "\n") != 1 {
			t.Errorf("%s: exit %d\n%s%s\nwant %d\n%s", line, code, out, errOut, want.code, want.says)
		}
	}
}

func TestANewDialectPassesItsCheck(t *testing.T) {
	p := newPlace(t)
	p.write("entry.json", `{"acme": {"authorization_url": "https://login.acme.test/a", "token_url": "https://api.acme.test/t", "scope_separator": ","}}`)
	p.ok("dialect", "new", "--from", "entry.json", "--member", "team=$account.id")
	p.ok("dialect", "check", "acme.yaml", "--strict")
	if code, _, errOut := p.run("dialect", "new", "--from", "entry.json"); code != 1 || !strings.Contains(errOut, "acme.yaml is there already") {
		t.Errorf("exit %d\n%s", code, errOut)
	}
	cmd := p.command("dialect", "new", "-o", "-")
	cmd.Stdin = strings.NewReader("old\n/a\n/t\n" + strings.Repeat("\n", 9))
	out, err := cmd.Output()
	if err != nil || !strings.Contains(string(out), "name: old\n") {
		t.Errorf("%v\n%s", err, out)
	}
	if code, _, errOut := p.run("dialect", "new"); code != 2 || !strings.Contains(errOut, "the questions were not answered to the end") {
		t.Errorf("exit %d\n%s", code, errOut)
	}
}

func TestARecordingIsWrittenWhenTheProgramEnds(t *testing.T) {
	old := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprint(w, `{"access_token":"0123456789abcdef0123456789abcdef01234567"}`)
	}))
	defer old.Close()
	p := newPlace(t)
	p.write("x.txt", "mine")
	address := free(t)
	cmd := p.command("dialect", "record", "--listen", address, "--upstream", old.URL)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Process.Kill()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		resp, err := http.Post("http://"+address+"/token", "application/json", strings.NewReader(`{"client_id":"x","client_secret":"hush-hush-hush","code":"c0dec0dec0de"}`))
		if err == nil {
			body, _ := io.ReadAll(resp.Body)
			resp.Body.Close()
			if !strings.Contains(string(body), "0123456789abcdef") {
				t.Fatalf("the answer is not passed on: %s", body)
			}
			break
		}
		if time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v\n%s", err, said.String())
	}
	text, err := os.ReadFile(filepath.Join(p.dir, "x-2.txt"))
	if err != nil || !strings.Contains(string(text), "# Left out here: POST /token answered 200, to a credential from before the recording.") && !strings.Contains(string(text), "> POST /token") {
		t.Fatalf("%v\n%s", err, text)
	}
	if strings.Contains(string(text), "hush") || strings.Contains(string(text), "c0de") {
		t.Errorf("secrets are kept:\n%s", text)
	}
	if mine, _ := os.ReadFile(filepath.Join(p.dir, "x.txt")); string(mine) != "mine" {
		t.Errorf("a file that was there is now %q", mine)
	}
}
