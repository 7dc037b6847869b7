package main

import (
	"io"
	"mime/quotedprintable"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"postern.dev/postern/internal/posterntest/postbox"
)

var resetLink = regexp.MustCompile(`http://localhost(/reset/[A-Za-z0-9_]+)`)

func body(t *testing.T, m postbox.Mail) string {
	t.Helper()
	text, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAResetIsMailedAndNotPrinted(t *testing.T) {
	p := newPlace(t)
	box := postbox.New(t, postbox.Auth("postern", "pa55word"))
	p.env = append(p.env, "POSTERN_CONFIG=postern.yaml",
		"POSTERN_MAIL_SMTP=smtp://postern:pa55word@"+box.Addr, "POSTERN_MAIL_FROM=Acme <no-reply@acme.test>")
	p.ok("apply", "resources.yaml")
	const said = "The link is mailed to ada@acme.test by the running server. It works once and for a day.\n"
	if out := p.ok("user", "reset", "ADA@acme.test"); out != said {
		t.Errorf("said %s", out)
	}
	if out := p.ok("user", "reset", "ada@acme.test", "--json"); out != "{\n  \"email\": \"ada@acme.test\",\n  \"mailed\": true\n}\n" {
		t.Errorf("said %s", out)
	}
	if out := p.ok("user", "reset", "ada@acme.test", "--print"); !resetLink.MatchString(out) || strings.Count(out, "\n") != 1 {
		t.Errorf("said %s", out)
	}
	p.ok("user", "reset", "ada@acme.test") // the one that counts

	// The server takes the first mail, and ours dies before it hears so.
	box.Mute()
	cmd, _, _ := p.serving()
	first := box.Wait(1)[0]
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait()
	// What it had taken is sent again minutes later, the others by the next at once.
	cmd, log, address := p.serving()
	others := box.Wait(3)[1:]
	for _, m := range others {
		if m.To != "ada@acme.test" || m.Header.Get("Message-Id") == first.Header.Get("Message-Id") {
			t.Errorf("among the others came %s to %s", m.Header.Get("Message-Id"), m.To)
		}
	}
	// They are sent side by side and come in any order, the one that counts perhaps
	// first: the link that was made last works, and no other.
	var links []string
	for _, m := range append(others, first) {
		links = append(links, resetLink.FindStringSubmatch(body(t, m))[1])
	}
	working := 0
	for _, link := range links {
		resp, err := http.Get("http://" + address + link)
		if err != nil {
			t.Fatal(err)
		}
		page, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK && strings.Contains(string(page), "new-password") {
			working++
		}
	}
	if working != 1 {
		t.Errorf("of the links %q, %d work", links, working)
	}
	_ = cmd.Process.Signal(syscall.SIGTERM)
	_ = cmd.Wait()
	for _, never := range []string{"pa55word", "ada@acme.test", "/reset/p"} {
		if strings.Contains(log.String(), never) {
			t.Errorf("the log holds %q:\n%s", never, log)
		}
	}
}
