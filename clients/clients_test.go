// Package clients drives third-party OAuth clients, unmodified, against a
// running Postern on both engines. README.md has the table of what they did.
package clients

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/posterntest/needs"
)

// client is a third-party client with what a partner would set up for it.
type client struct {
	name, version string
	app           posterntest.App
	run           func(t *testing.T, s *posterntest.Postern, c client, did func(string))
}

func TestThirdPartyClients(t *testing.T) {
	own := append(goClients(t), curlClients(t)...)
	own = append(own, nodeClients(t)...)
	keyed := newKeyed(t)
	own = append(own, nodeClient(t, "private-key-jwt", "openid-client", keyed.app))
	others := providerClients(t)
	table := newTable()
	t.Run("the usual wires", func(t *testing.T) {
		engines.Each(t, func(t *testing.T, database string) {
			s := posterntest.New(t, posterntest.On(database))
			s.Apply(authJSResource)
			s.Apply(signedResource)
			s.Apply(keyed.resources)
			runAll(t, s, own, table)
		})
	})
	t.Run("the wires of other companies", func(t *testing.T) {
		engines.Each(t, func(t *testing.T, database string) {
			s := posterntest.New(t, posterntest.On(database), providersMounted())
			s.Apply(providerResources())
			runAll(t, s, others, table)
		})
	})
	if !t.Failed() {
		t.Run("the table in README.md", table.compare)
	}
}

func runAll(t *testing.T, s *posterntest.Postern, clients []client, table *table) {
	for _, c := range clients {
		t.Run(c.name+" "+c.app.Dialect, func(t *testing.T) {
			c.run(t, s.For(t), c, func(what string) { table.did(c, what) })
		})
	}
}

// authJS has the redirect URL that Auth.js insists on.
var authJS = posterntest.App{ID: "auth-js-app", Secret: "auth-js-secret-0123456789abcdef", Name: "Auth JS",
	RedirectURL: "https://partner.test/auth/callback/postern", Dialect: "standard"}

const authJSResource = `partners: [{name: Partner Inc, apps: [{name: Auth JS, description: For tests, url: "https://partner.test",
  dialect: standard, client_id: auth-js-app, client_secret: auth-js-secret-0123456789abcdef,
  redirect_urls: ["https://partner.test/auth/callback/postern"], scopes: [candidates.read, jobs.read]}]}]`

// signed has access tokens that APIs read themselves (RFC 9068).
var signed = posterntest.App{ID: "signed-app", Secret: "signed-secret-0123456789abcdefgh", Name: "Signed",
	RedirectURL: "https://partner.test/signed/callback", Dialect: "standard"}

const signedResource = `partners: [{name: Partner Inc, apps: [{name: Signed, description: For tests, url: "https://partner.test",
  dialect: standard, access_token_format: jwt, client_id: signed-app, client_secret: signed-secret-0123456789abcdefgh,
  redirect_urls: ["https://partner.test/signed/callback"], scopes: [candidates.read, jobs.read]}]}]`

// nodeClients are the scripts beside this file.
func nodeClients(t *testing.T) []client {
	t.Helper()
	var found []client
	for script, apps := range map[string][]posterntest.App{
		"arctic":          {posterntest.Standard},
		"auth-core":       {authJS},
		"grant":           {posterntest.Standard, posterntest.Xeebo},
		"oauth4webapi":    {signed},
		"openid-client":   {posterntest.Standard},
		"passport-oauth2": {posterntest.Standard, posterntest.Xref},
		"simple-oauth2":   {posterntest.Standard, posterntest.Xeebo, posterntest.Xref},
	} {
		name := script
		if script == "auth-core" {
			name = "@auth/core"
		}
		for _, app := range apps {
			found = append(found, nodeClient(t, script, name, app))
		}
	}
	return found
}

// nodeClient is a package that a script drives.
func nodeClient(t *testing.T, script, name string, app posterntest.App) client {
	t.Helper()
	return client{name, packageVersion(t, name), app, func(t *testing.T, s *posterntest.Postern, c client, did func(string)) {
		runScript(t, s, script, c.app, did, nil)
	}}
}

func packageVersion(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("node_modules", name, "package.json"))
	if os.IsNotExist(err) {
		needs.Lacking(t, "the JavaScript clients are not installed: cd clients && npm ci")
	}
	if err != nil {
		t.Fatal(err)
	}
	var p struct{ Version string }
	if err := json.Unmarshal(text, &p); err != nil {
		t.Fatal(err)
	}
	return p.Version
}

// message is what a script says; see browser.js.
type message struct{ Allow, Deny, Did string }

// runScript runs a partner's site in node and plays the person for it. Hosts are
// those that the client insists on; nil: none.
func runScript(t *testing.T, s *posterntest.Postern, script string, app posterntest.App, did func(string), h *hosts) {
	node := needs.Program(t, "apt-get install nodejs", "node")
	cmd := exec.Command(node, script+".js")
	cmd.Env = append(os.Environ(), "POSTERN_URL="+s.URL, "DIALECT="+app.Dialect,
		"CLIENT_ID="+app.ID, "CLIENT_SECRET="+app.Secret, "REDIRECT_URL="+app.RedirectURL,
		"API_ID="+posterntest.APIID, "API_SECRET="+posterntest.APISecret)
	cmd.Env = append(cmd.Env, h.environment()...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	answers, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	messages, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	keepTime(s)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	tooLong := time.AfterFunc(time.Minute, func() { _ = cmd.Process.Kill() }) // ends the reading below
	defer tooLong.Stop()
	play(t, newPeople(s, h), messages, answers, did)
	if err := cmd.Wait(); err != nil {
		t.Errorf("node %s.js: %v\n%s", script, err, complaints.String())
	}
}

// keepTime brings the server's clock, which stands still, to what the scripts'
// says: some sign what they send with the time.
func keepTime(s *posterntest.Postern) {
	if behind := time.Since(s.Clock.Now()); behind > 0 {
		s.Clock.Advance(behind)
	}
}

// people are those who sit at browsers, each signed in where a script sends them.
type people struct {
	s        *posterntest.Postern
	hosts    *hosts
	browsers map[string]*posterntest.Browser
}

func newPeople(s *posterntest.Postern, h *hosts) *people {
	return &people{s, h, map[string]*posterntest.Browser{}}
}

// at is a person's browser for an address: at Postern's own origin, or at a host
// that leads to it.
func (p *people) at(address, email string) *posterntest.Browser {
	if p.hosts != nil && !strings.HasPrefix(address, p.s.URL+"/") {
		scheme, rest, _ := strings.Cut(address, "://")
		host, _, _ := strings.Cut(rest, "/")
		address = scheme + "://" + host
		if key := email + " " + address; p.browsers[key] == nil {
			p.browsers[key] = p.s.SignedInAt(email, address, p.hosts.transport)
		}
		return p.browsers[email+" "+address]
	}
	if p.browsers[email] == nil {
		p.browsers[email] = p.s.SignedIn(email)
	}
	return p.browsers[email]
}

// play answers a script until it ends. Who denies is another one than who
// allows, so that no remembered consent answers.
func play(t *testing.T, p *people, messages io.Reader, answers io.Writer, did func(string)) {
	t.Helper()
	denies := posterntest.Grace
	if p.hosts != nil {
		denies = posterntest.Alan // a host may belong to the one account
	}
	lines := bufio.NewScanner(messages)
	for lines.Scan() {
		var m message
		if err := json.Unmarshal(lines.Bytes(), &m); err != nil {
			t.Errorf("the script said %q: %v", lines.Text(), err)
			continue
		}
		keepTime(p.s)
		switch {
		case m.Did != "":
			did(m.Did)
		case m.Allow != "":
			reply(t, answers, p.at(m.Allow, posterntest.Ada).AllowAt(m.Allow).Location)
		case m.Deny != "":
			b := p.at(m.Deny, denies)
			reply(t, answers, b.Deny(b.Ask(m.Deny)).Location)
		}
	}
	if err := lines.Err(); err != nil {
		t.Error(err)
	}
}

func reply(t *testing.T, answers io.Writer, location string) {
	t.Helper()
	text, err := json.Marshal(location)
	if err != nil {
		t.Fatal(err)
	}
	// A script that died cannot be told; its exit code tells us.
	_, _ = answers.Write(append(text, '\n'))
}
