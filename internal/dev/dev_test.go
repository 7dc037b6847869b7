package dev

import (
	"bytes"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/markup"
	"postern.dev/postern/internal/wire"
)

// running is a demo in a directory, stopped after the test.
func running(t *testing.T, dir string, fresh bool) *demo {
	t.Helper()
	return runningOn(t, "", Options{Dir: dir, Fresh: fresh})
}

// runningOn is running with a database of the test's; "": the demo's own.
func runningOn(t *testing.T, database string, o Options) *demo {
	t.Helper()
	var log bytes.Buffer
	o.Out, o.Err, o.anyPort, o.database = &log, &log, true, database
	d, err := start(t.Context(), o)
	if err != nil {
		t.Fatalf("%v\n%s", err, log.String())
	}
	t.Cleanup(func() { halt(t, d) })
	return d
}

// halt stops a demo, once.
func halt(t *testing.T, d *demo) {
	t.Helper()
	select {
	case <-d.ended:
	default:
		if err := d.stop(); err != nil {
			t.Error(err)
		}
	}
}

// visiting is a browser that a test drives; reading what it shows.
type (
	visiting struct{ *wire.Browser }
	reading  struct{ *wire.Page }
)

// visitor is somebody's browser.
func visitor(t *testing.T) visiting {
	t.Helper()
	b, err := newBrowser(func(*exchange) {})
	if err != nil {
		t.Fatal(err)
	}
	return visiting{b}
}

func (b visiting) get(t *testing.T, address string) reading {
	t.Helper()
	p, err := b.Visit(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	return reading{p}
}

func (b visiting) click(t *testing.T, p reading, word string) reading {
	t.Helper()
	next, err := b.Press(t.Context(), p.Page, word, map[string]string{})
	if err != nil {
		t.Fatal(err)
	}
	return reading{next}
}

// allow connects, signing in first where the page asks.
func (b visiting) allow(t *testing.T, address string) reading {
	t.Helper()
	p := b.get(t, address)
	if p.AsksPassword() {
		var err error
		if p.Page, err = b.Press(t.Context(), p.Page, "Sign in", map[string]string{"email": inBoth.email, "password": password}); err != nil {
			t.Fatal(err)
		}
	}
	return b.click(t, p, "Allow")
}

func (p reading) wants(t *testing.T, status int, words ...string) {
	t.Helper()
	shown := markup.Text(p.Doc)
	if p.Status != status {
		t.Errorf("%s: status %d, want %d: %s", p.At, p.Status, status, shown)
	}
	for _, w := range words {
		if !strings.Contains(shown, w) {
			t.Errorf("%s does not say %q: %s", p.At, w, shown)
		}
	}
}

func TestEveryConnectionCanBeUsedAndEndedOnThePartnersSite(t *testing.T) {
	d := running(t, t.TempDir(), false)
	b := visitor(t)
	b.get(t, d.at.partner).wants(t, 200, "None yet")
	for _, name := range d.partner.order {
		p := b.allow(t, d.at.partner+"/connect/"+name)
		p.wants(t, 200, "Connected by "+name, "Redeem the code for a token")
		id := strings.TrimPrefix(p.At.Path, "/connections/")
		p = b.click(t, p, "Call the API")
		p.wants(t, 200, "Rosalind Fry", "demo-"+name)
		p = b.click(t, p, "Call what it may not")
		p.wants(t, 200, "403", "insufficient_scope")
		if d.partner.told(d.partner.connection(id))["refresh_token"] != "" {
			p = b.click(t, p, "Refresh")
			p.wants(t, 200, "Refresh the token")
		}
		if told := d.partner.told(d.partner.connection(id)); d.partner.apps[name].Revoke(told) != nil {
			p = b.click(t, p, "Disconnect")
			p.wants(t, 200, "Disconnected: "+name)
		} else { // the wire leaves it to people
			b.click(t, b.get(t, d.at.public+"/connections"), "Disconnect")
			p = b.get(t, d.at.partner+"/connections/"+id)
		}
		p = b.click(t, p, "Call the API")
		p.wants(t, 200, "401")
		home := b.get(t, d.at.partner)
		home.wants(t, 200, name, "ended", "Last requests")
		for _, secret := range append(secretsOf(d.partner.told(d.partner.connection(id))), d.partner.apps[name].ClientSecret) {
			if strings.Contains(markup.Text(home.Doc), secret) {
				t.Errorf("%s: the list of requests shows the secret %s", name, secret)
			}
		}
		b.click(t, p, "Forget").wants(t, 200, "None yet")
	}
}

func TestASecondConnectionIsAskedForAgainOrRemembered(t *testing.T) {
	d := running(t, t.TempDir(), false)
	b := visitor(t)
	for range 2 {
		b.allow(t, d.at.partner+"/connect/xref").wants(t, 200, "Connected by xref")
	}
	b.get(t, d.at.public+"/connections").wants(t, 200, "Hirewell (xref)", "Acme")
	if n := len(d.partner.all()); n != 2 {
		t.Errorf("the partner keeps %d connections, want 2", n)
	}
}

func TestANoIsSaid(t *testing.T) {
	d := running(t, t.TempDir(), false)
	b := visitor(t)
	p := b.get(t, d.at.partner+"/connect/xeebo")
	var err error
	p.Page, err = b.Press(t.Context(), p.Page, "Sign in", map[string]string{"email": inBoth.email, "password": password})
	if err != nil {
		t.Fatal(err)
	}
	b.click(t, p, "Deny").wants(t, 200, "Not connected", "access_denied")
	if n := len(d.partner.all()); n != 0 {
		t.Errorf("the partner keeps %d connections, want none", n)
	}
}

func TestACallbackThatThisBrowserDidNotBeginIsRefused(t *testing.T) {
	d := running(t, t.TempDir(), false)
	victim, attacker := visitor(t), visitor(t)
	link := d.partner.begin("xref", "the attacker's browser")
	p := victim.allow(t, link) // the attacker made the victim open the attacker's link
	p.wants(t, 400, "Nobody here asked for this")
	again := attacker.get(t, p.At.String()) // a browser without the cookie
	again.wants(t, 400, "Nobody here asked for this")
	attacker.get(t, d.at.partner+"/callback/xref?state=unknown&code=x").wants(t, 400, "Nobody here asked for this")
	if n := len(d.partner.all()); n != 0 {
		t.Errorf("the partner keeps %d connections, want none", n)
	}
}

func TestACodeOfALinkOpenedByHandIsLeftToWhoOpenedIt(t *testing.T) {
	d := running(t, t.TempDir(), false)
	for _, name := range d.partner.order {
		app := d.partner.apps[name]
		p := visitor(t).allow(t, handLink(app))
		p.wants(t, 200, "A code for you", "curl -X POST", d.at.api+"/candidates")
		back := app.Callback(p.At.Query())
		c := &connection{Dialect: name}
		if _, _, err := d.partner.ask(t.Context(), c, "by hand", app.Redeem(back.Code, handVerifierOf(app))); err != nil {
			t.Error(err)
		}
	}
}

func TestTheSiteIsNobodyElses(t *testing.T) {
	d := running(t, t.TempDir(), false)
	h := newSite(d.partner, d.at)
	for _, row := range []struct {
		method, path, host, from string
		want                     int
	}{
		{"GET", "/", "rebound.test", "", http.StatusMisdirectedRequest},
		{"POST", "/connections/x/disconnect", h.host, "cross-site", http.StatusForbidden},
		{"POST", "/connections/x/disconnect", h.host, "same-origin", http.StatusNotFound},
		{"GET", "/connections/x", h.host, "", http.StatusNotFound},
		{"GET", "/connect/unknown", h.host, "", http.StatusNotFound},
		{"GET", "/callback/unknown", h.host, "", http.StatusNotFound},
		{"GET", "/partner.css", h.host, "", http.StatusOK},
		{"GET", "/favicon.ico", h.host, "", http.StatusOK},
	} {
		r := httptest.NewRequest(row.method, row.path, nil)
		r.Host = row.host
		r.Header.Set("Sec-Fetch-Site", row.from)
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != row.want {
			t.Errorf("%s %s at %s from %q: status %d, want %d", row.method, row.path, row.host, row.from, w.Code, row.want)
		}
		if !strings.Contains(w.Header().Get("Content-Security-Policy"), "default-src 'none'") {
			t.Errorf("%s %s has no policy", row.method, row.path)
		}
	}
}

func TestTheAPIBelievesTheGatewayAlone(t *testing.T) {
	d := running(t, t.TempDir(), false)
	b := visitor(t)
	p := b.allow(t, d.at.partner+"/connect/xref")
	c := d.partner.connection(strings.TrimPrefix(p.At.Path, "/connections/"))
	m := d.partner.apps["xref"].Call("GET", d.at.api+"/candidates", d.partner.told(c)["access_token"])
	for _, h := range posternHeaders {
		m.Header = append(m.Header, dialect.Header{Name: h, Value: "forged"})
	}
	x, err := send(t.Context(), d.partner.client, "", m)
	if err != nil {
		t.Fatal(err)
	}
	if x.Status != 200 || strings.Contains(x.Body, "forged") || !strings.Contains(x.Body, "demo-xref") {
		t.Errorf("the API answered %d: %s", x.Status, x.Body)
	}
}

func TestWithoutTheCheckNoCallIsServed(t *testing.T) {
	gone := httptest.NewServer(nil)
	gone.Close()
	w := httptest.NewRecorder()
	newAPI(&gateway{check: gone.URL + "/check", client: gone.Client()}).ServeHTTP(w, httptest.NewRequest("GET", "/candidates", nil))
	if w.Code != http.StatusServiceUnavailable {
		t.Errorf("status %d, want 503", w.Code)
	}
}

func TestARunGoesOnWhereTheLastOneEnded(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "demo")
	d := running(t, dir, false)
	p := visitor(t).allow(t, d.at.partner+"/connect/xref")
	id := strings.TrimPrefix(p.At.Path, "/connections/")
	halt(t, d)

	d = running(t, dir, false)
	c := d.partner.connection(id)
	if c == nil {
		t.Fatal("the partner forgot its connection")
	}
	if err := wants(200)(d.partner.call(t.Context(), c, "/candidates")); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the directory is %v, %v; want 0700", info.Mode(), err)
	}
	halt(t, d)

	d = running(t, dir, true)
	if n := len(d.partner.all()); n != 0 {
		t.Errorf("begun anew, the partner keeps %d connections", n)
	}
	if err := wants(401)(d.partner.call(t.Context(), c, "/candidates")); err != nil {
		t.Error(err)
	}
}

func TestWhatIsNoDemosIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	precious := filepath.Join(dir, databaseFile)
	if err := os.WriteFile(precious, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := Run(t.Context(), Options{Dir: dir, Fresh: true, anyPort: true})
	if err == nil || !strings.Contains(err.Error(), "--dir") {
		t.Errorf("the error is %v, want one that names --dir", err)
	}
	if data, _ := os.ReadFile(precious); string(data) != "precious" {
		t.Error("the file was touched")
	}
}

func TestATakenPortGivesWayUnlessItWasNamed(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	var notes []string
	note := func(n string) { notes = append(notes, n) }
	l, err := port{"the sample API", "--api-port", 0, portOf(taken)}.open(note)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if portOf(l) == portOf(taken) || len(notes) != 1 || !strings.Contains(notes[0], "the sample API") {
		t.Errorf("port %d, notes %q", portOf(l), notes)
	}
	_, err = port{"the sample API", "--api-port", portOf(taken), 8082}.open(note)
	if err == nil || !strings.Contains(err.Error(), "--api-port") {
		t.Errorf("the error is %v, want one that names --api-port", err)
	}
}

func TestTheDemoBeginsWithAWelcomeAndEndsWhenItIsTold(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	out := &welcomed{seen: make(chan struct{})}
	ended := make(chan error, 1)
	go func() { ended <- Run(ctx, Options{Dir: t.TempDir(), Out: out, Err: out, anyPort: true}) }()
	select {
	case <-out.seen:
	case err := <-ended:
		t.Fatal(err)
	case <-time.After(30 * time.Second):
		t.Fatal("no welcome after 30 s")
	}
	cancel()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if !strings.HasPrefix(out.text.String(), "Postern is running") {
		t.Errorf("a newcomer reads something else first:\n%.300s", out.text.String())
	}
	for _, words := range []string{inBoth.email, password, "curl -X POST", "oauth/introspect", "Stopping."} {
		if !strings.Contains(out.text.String(), words) {
			t.Errorf("the welcome does not say %q:\n%s", words, out.text.String())
		}
	}
	for _, line := range strings.Split(out.text.String(), "\n") {
		for _, blank := range []string{accessBlank, refreshBlank} {
			if strings.Contains(strings.ReplaceAll(line, "$"+blank, ""), blank) {
				t.Errorf("a shell would send the word %s itself:\n%s", blank, line)
			}
		}
	}
}

// welcomed closes seen when the welcome is complete.
type welcomed struct {
	text bytes.Buffer
	seen chan struct{}
}

func (w *welcomed) Write(b []byte) (int, error) {
	if strings.Contains(string(b), "Ctrl-C") {
		defer close(w.seen)
	}
	return w.text.Write(b)
}
