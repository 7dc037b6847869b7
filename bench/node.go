package main

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"postern.dev/postern/internal/posterntest/pg"
)

const (
	secret   = "s3cret-s3cret-s3cret-s3cret"
	callback = "https://partner.test/cb"
	password = "correct horse battery staple"
	apiID    = "api-main"
)

// place is a database, with the server that it lives in if it needs one.
type place struct {
	database   string
	postmaster int // process id; 0: none
	server     *pg.Server
	fill       *filler // nil: nothing was filled in yet
}

// newPlace makes an empty database of an engine.
func (b *bench) newPlace(engine, name string) (*place, error) {
	if engine != "postgres" {
		dir := filepath.Join(b.dir, engine+"-"+name)
		return &place{database: "sqlite:" + filepath.Join(dir, "postern.db")}, os.MkdirAll(dir, 0o700)
	}
	server, err := pg.Start("fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on",
		"shared_buffers=256MB", "max_connections=100", "max_wal_size=4GB")
	if err != nil {
		return nil, err
	}
	p := &place{server: server}
	if p.database, p.postmaster, err = benchDatabase(server); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

func (p *place) close() {
	if p.fill != nil {
		_ = p.fill.close() // it goes with its database
	}
	if p.server != nil {
		_ = p.server.Stop() // its directory is temporary
		return
	}
	_ = os.RemoveAll(filepath.Dir(strings.TrimPrefix(p.database, "sqlite:")))
}

// benchDatabase makes a database and finds the server's first process.
func benchDatabase(server *pg.Server) (address string, postmaster int, err error) {
	db, err := sql.Open("pgx", server.URL)
	if err != nil {
		return "", 0, err
	}
	defer db.Close()
	if _, err := db.Exec("CREATE DATABASE bench"); err != nil {
		return "", 0, err
	}
	u, err := url.Parse(server.URL)
	if err != nil {
		return "", 0, err
	}
	u.Path = "/bench"
	text, err := os.ReadFile(filepath.Join(server.Data, "postmaster.pid"))
	if err != nil {
		return "", 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	postmaster, err = strconv.Atoi(first)
	return u.String(), postmaster, err
}

// node is a running Postern.
type node struct {
	cmd       *exec.Cmd
	program   string
	config    string
	public    string
	internal  string
	client    *http.Client
	coldStart time.Duration
	meter     meter
}

// prepare writes a node's configuration and brings the database to the resources.
func (b *bench) prepare(p *place, resources any) (*node, error) {
	public, err := freeAddress()
	if err != nil {
		return nil, err
	}
	internal, err := freeAddress()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp(b.dir, "node-")
	if err != nil {
		return nil, err
	}
	n := &node{
		program: b.program, config: filepath.Join(dir, "postern.yaml"),
		public: "http://" + public, internal: "http://" + internal, client: newClient(64),
	}
	n.meter = meter{postmaster: p.postmaster, profiles: n.internal, profileDir: b.profile}
	err = writeJSON(n.config, map[string]any{
		"listen": public, "public_url": n.public, "internal_listen": internal, "database": p.database,
		"secret_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "log": map[string]any{"level": "error"},
		"insecure_loopback": true, "webhooks": map[string]any{"allow_networks": []string{"127.0.0.0/8"}},
	})
	file := filepath.Join(dir, "resources.yaml")
	if err == nil {
		err = writeJSON(file, resources)
	}
	if err == nil {
		_, err = n.command("apply", file)
	}
	return n, err
}

// command runs one of the program's commands with the node's configuration.
func (n *node) command(name string, args ...string) (string, error) {
	words := append(append(strings.Fields(name), "--config", n.config), args...)
	out, err := exec.Command(n.program, words...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w\n%s", name, err, out)
	}
	return string(out), err
}

func (n *node) start() error {
	n.cmd = exec.Command(n.program, "serve", "--config", n.config)
	n.cmd.Stderr = os.Stderr
	began := time.Now()
	if err := n.cmd.Start(); err != nil {
		return err
	}
	if err := waitFor(n.public+"/healthz", 30*time.Second); err != nil {
		return err
	}
	n.coldStart, n.meter.server = time.Since(began), n.cmd.Process.Pid
	return nil
}

func (n *node) stop() {
	if n.cmd == nil || n.cmd.Process == nil {
		return
	}
	_ = n.cmd.Process.Signal(syscall.SIGTERM)
	_ = n.cmd.Wait() // what it says of its end changes no figure
}

func (n *node) residentMiB() float64 { return residentMiB(n.cmd.Process.Pid) }

// startFacts tells what a start costs.
func (n *node) startFacts(s *subject) {
	time.Sleep(time.Second) // idle
	s.fact("start to the first 200", ms(n.coldStart), "ms")
	s.fact("resident when idle", n.residentMiB(), "MiB")
	s.fact("of it the program's own, not pages of its file", memoryMiB(n.cmd.Process.Pid, "RssAnon"), "MiB")
}

func writeJSON(path string, v any) error { // YAML reads JSON
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

type object = map[string]any

// resources are an app for each wire, an API, and people who sign in.
func resources(people int) object {
	var accounts, apps []object
	for i := range people {
		accounts = append(accounts, object{"name": fmt.Sprintf("Account %d", i), "users": []object{{
			"email": email(i), "password": password, "nickname": fmt.Sprintf("person%d", i), "role": "admin",
		}}})
	}
	for _, w := range wires {
		app := object{
			"name": "Bench " + w.name, "description": "Measures", "url": "https://partner.test", "dialect": w.name, "client_id": w.app, "client_secret": secret, "redirect_urls": []string{callback},
		}
		if w.scopes != "" {
			app["scopes"], app["default_scopes"] = []string{w.scopes}, []string{w.scopes}
		}
		app["level"] = w.level
		if w.byItself {
			app["grants"] = []string{"authorization_code", "refresh_token", "client_credentials"}
		}
		apps = append(apps, app)
	}
	all := object{
		"scopes":   []object{{"name": "read", "description": "See everything"}},
		"partners": []object{{"name": "Partner", "apps": apps}},
		"apis":     []object{{"name": "main", "id": apiID, "secret": secret}},
	}
	if people > 0 {
		all["accounts"] = accounts
	}
	return all
}

func email(i int) string { return fmt.Sprintf("person%d@bench.test", i) }

var formToken = regexp.MustCompile(`name="form_token" value="([^"]+)"`)

// signIn gives a client whose cookies are a signed-in person's.
func (n *node) signIn(i int) (*http.Client, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	c := *n.client
	c.Jar = jar
	page, _, err := fetch(c.Get(n.public + "/login"))
	if err != nil {
		return nil, err
	}
	token := formToken.FindStringSubmatch(page)
	if token == nil {
		return nil, fmt.Errorf("the sign-in page has no form")
	}
	_, to, err := fetch(c.PostForm(n.public+"/login", url.Values{"form_token": {token[1]}, "email": {email(i)}, "password": {password}}))
	if err == nil && to == "" {
		err = fmt.Errorf("%s was not signed in", email(i))
	}
	return &c, err
}

// approve is the browser's part of a flow: authorize, consent, Allow.
func (n *node) approve(person *http.Client) (code string, err error) {
	_, to, err := fetch(person.Get(n.public + "/oauth/authorize?" + url.Values{
		"client_id": {wires[0].app}, "response_type": {"code"}, "redirect_uri": {callback}, "state": {"s"}, "prompt": {"consent"},
	}.Encode()))
	if err != nil {
		return "", err
	}
	page, _, err := fetch(person.Get(n.absolute(to)))
	if err != nil {
		return "", err
	}
	token := formToken.FindStringSubmatch(page)
	if token == nil {
		return "", fmt.Errorf("no consent page: %.200s", page)
	}
	_, to, err = fetch(person.PostForm(n.absolute(to), url.Values{"form_token": {token[1]}, "decision": {"allow"}}))
	if err != nil {
		return "", err
	}
	u, err := url.Parse(to)
	if err != nil || u.Query().Get("code") == "" {
		return "", fmt.Errorf("no code in %q (%v)", to, err)
	}
	return u.Query().Get("code"), nil
}

func (n *node) absolute(to string) string {
	if strings.HasPrefix(to, "/") {
		return n.public + to
	}
	return to
}

func fetch(resp *http.Response, err error) (page, location string, _ error) {
	if err != nil {
		return "", "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if resp.StatusCode >= 400 {
		return "", "", fmt.Errorf("%s: status %d: %.300s", resp.Request.URL.Path, resp.StatusCode, body)
	}
	return string(body), resp.Header.Get("Location"), err
}
