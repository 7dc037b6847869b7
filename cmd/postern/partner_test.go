package main

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"postern.dev/postern/internal/posterntest/postbox"
)

var staffLink = regexp.MustCompile(`^http://localhost(/(?:portal|operator)/(?:invite|reset)/[A-Za-z0-9]{43})\n$`)

// printed wants that a command prints a link and nothing else.
func printed(t *testing.T, out string) (path string) {
	t.Helper()
	found := staffLink.FindStringSubmatch(out)
	if found == nil {
		t.Fatalf("said %q", out)
	}
	return found[1]
}

func TestSomebodyIsInvitedWhileTheServerRuns(t *testing.T) {
	p := newPlace(t)
	p.env = append(p.env, "POSTERN_CONFIG=postern.yaml")
	p.write("more.yaml", `{operators: [{email: op@saas.test, password: correct horse battery staple}]}`)
	p.ok("apply", "resources.yaml", "more.yaml")
	cmd, _, address := p.serving()
	shows := func(path string, status int, words ...string) {
		t.Helper()
		resp, err := http.Get("http://" + address + path)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		page, _ := io.ReadAll(resp.Body)
		if resp.StatusCode != status {
			t.Errorf("%s: %d, wanted %d", path, resp.StatusCode, status)
		}
		for _, w := range words {
			if !strings.Contains(string(page), w) {
				t.Errorf("%s does not say %q:\n%s", path, w, page)
			}
		}
	}
	first := printed(t, p.ok("partner", "invite", "dev@partner.test", "--partner", "Partner Inc"))
	shows(first, 200, "Partner Inc", "You will be an owner")
	second := printed(t, p.ok("partner", "link", "DEV@partner.test"))
	shows(first, 404)
	shows(second, 200, "Partner Inc")

	code, out, errOut := p.run("partner", "invite", "new@hire.test", "--partner", "Newhire", "--role", "viewer", "--json")
	var made struct {
		Email, Partner, Role, Link string
		NewPartner                 bool `json:"new_partner"`
		Mailed                     bool
	}
	if err := json.Unmarshal([]byte(out), &made); err != nil || code != 0 || errOut != "" || !made.NewPartner || made.Mailed ||
		made.Email != "new@hire.test" || made.Partner != "Newhire" || made.Role != "viewer" {
		t.Errorf("exit %d: %s%s", code, out, errOut)
	}
	shows(strings.TrimPrefix(made.Link, "http://localhost"), 200, "Newhire", "You will be a viewer")
	if code, _, errOut := p.run("partner", "invite", "two@hire.test", "--partner", "Otherhire"); code != 0 || errOut != "postern: there was no partner \"Otherhire\" yet; it is made\n" {
		t.Errorf("exit %d: %s", code, errOut)
	}
	shows(printed(t, p.ok("operator", "reset", "OP@saas.test")), 200, "op@saas.test")
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()

	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"partner", "invite", "dev", "--partner", "X"}, 2, "This is not an e-mail address"},
		{[]string{"partner", "invite", "dev@partner.test", "--partner", "X\u202e"}, 2, "U+202E, which a reader cannot see"},
		{[]string{"partner", "invite", "dev@partner.test"}, 2, "missing flags: --partner"},
		{[]string{"partner", "invite", "dev@partner.test", "--partner", "X", "--role", "emperor"}, 2, "--role must be one of"},
		{[]string{"partner", "link", "nobody@partner.test"}, 1, "Nothing waits for"},
		{[]string{"partner", "reset", "dev@partner.test"}, 1, "invite with `postern partner invite`"},
		{[]string{"operator", "reset", "dev@partner.test"}, 1, "declare operators: in a resources file, and `postern apply` it"},
	} {
		code, out, errOut := p.run(c.args...)
		if code != c.code || out != "" || !strings.Contains(errOut, c.says) || strings.Count(errOut, "\n") != 1 {
			t.Errorf("%v: exit %d, %q, %q", c.args, code, out, errOut)
		}
	}
}

func TestWhereMailIsConfiguredAnInvitationIsMailedAndNotPrinted(t *testing.T) {
	p := newPlace(t)
	box := postbox.New(t)
	p.env = append(p.env, "POSTERN_CONFIG=postern.yaml", "POSTERN_MAIL_SMTP=smtp://"+box.Addr, "POSTERN_MAIL_FROM=Acme <no-reply@acme.test>")
	p.write("more.yaml", `{partners: [{name: "100% Partner"}]}`)
	p.ok("apply", "resources.yaml", "more.yaml")
	const said = "The link is mailed to dev@partner.test by the running server. It works once and for seven days.\n"
	if out := p.ok("partner", "invite", "dev@partner.test", "--partner", "100% Partner"); out != said {
		t.Errorf("said %s", out)
	}
	printed(t, p.ok("partner", "invite", "two@partner.test", "--partner", "100% Partner", "--print"))
	cmd, _, _ := p.serving()
	mails := box.Wait(1)
	if text := body(t, mails[0]); !strings.Contains(text, "you are invited to our partner portal, as owner of 100% Partner") || !strings.Contains(text, "http://localhost/portal/invite/") {
		t.Errorf("the mail says\n%s", text)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
}
