package e2e

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
)

// each runs a test against a fresh Postern on each engine.
func each(t *testing.T, test func(t *testing.T, s *posterntest.Postern)) {
	t.Helper()
	engines.Each(t, func(t *testing.T, database string) {
		test(t, posterntest.New(t, posterntest.On(database)))
	})
}

// eachApp runs a test for each engine and each built-in dialect.
func eachApp(t *testing.T, test func(t *testing.T, s *posterntest.Postern, app posterntest.App)) {
	t.Helper()
	for _, app := range posterntest.Apps {
		t.Run(app.Dialect, func(t *testing.T) {
			each(t, func(t *testing.T, s *posterntest.Postern) { test(t, s, app) })
		})
	}
}

// isPage complains unless this is an error page of ours that leads nowhere.
func isPage(t *testing.T, p *posterntest.Page, status int) {
	t.Helper()
	if p.Status != status || p.Location != "" {
		t.Errorf("got %d, Location %q, want a page with %d:\n%s", p.Status, p.Location, status, p.Text())
	}
	if !strings.HasPrefix(p.Header.Get("Content-Type"), "text/html") {
		t.Errorf("Content-Type is %q", p.Header.Get("Content-Type"))
	}
	if p.Header.Get("Refresh") != "" || strings.Contains(strings.ToLower(p.Body), "http-equiv") {
		t.Errorf("the page leads on by itself:\n%s", p.Body)
	}
}

// redirects complains unless the browser was sent to exactly this address.
func redirects(t *testing.T, p *posterntest.Page, status int, location string) {
	t.Helper()
	if p.Status != status || p.Location != location {
		t.Errorf("got  %d %q\nwant %d %q", p.Status, p.Location, status, location)
	}
}

// asks complains unless the person is asked something, to sign in or to answer.
func asks(t *testing.T, p *posterntest.Page) {
	t.Helper()
	if p.Status != 200 || len(p.Forms()) == 0 {
		t.Errorf("got %d, Location %q, want a question:\n%s", p.Status, p.Location, p.Text())
	}
}

// connect makes a connection and gives the first tokens.
func connect(s *posterntest.Postern, app posterntest.App, email string) *posterntest.Answer {
	return s.Redeem(app, s.Approve(app, email)).OK()
}

// soon complains unless something comes true within the bound of rule 7: what
// one node did holds for the token check on another within a second.
func soon(t *testing.T, holds func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Second); !holds(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Error("it is not so after a second")
			return
		}
	}
}

// rawState is the state in a callback as it was written, which must use no "+"
// for a space.
func rawState(t *testing.T, location string) (string, bool) {
	t.Helper()
	_, query, _ := strings.Cut(location, "?")
	for _, pair := range strings.Split(query, "&") {
		if raw, ok := strings.CutPrefix(pair, "state="); ok {
			state, err := url.PathUnescape(raw)
			if err != nil {
				t.Errorf("state %q: %v", raw, err)
			}
			return state, true
		}
	}
	return "", false
}

// challenge and verifier belong together (RFC 7636, appendix B).
const (
	verifier  = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
	challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
)

// is replaces one member's value, or adds the member, in a body of JSON as
// PostJSON writes it.
func is(r posterntest.Request, old, new string) posterntest.Request {
	if !strings.Contains(r.Body, old) {
		panic("no " + old + " in " + r.Body)
	}
	r.Body = strings.Replace(r.Body, old, new, 1)
	return r
}
