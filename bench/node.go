package main

import (
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
	"strings"
	"sync"
	"syscall"
	"time"
)

// node is a running Postern with its people signed in.
type node struct {
	cmd       *exec.Cmd
	public    string
	internal  string
	client    *http.Client
	people    []*http.Client // each with the cookies of a signed-in person
	coldStart time.Duration
	binaryMB  float64

	postmaster int // of the database's server; 0: none
}

const (
	clientID = "bench"
	secret   = "s3cret-s3cret-s3cret-s3cret"
	callback = "https://partner.test/cb"
	password = "correct horse battery staple"
)

func startNode(program, dir, database string, people int) (*node, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	public, err := freeAddress()
	if err != nil {
		return nil, err
	}
	internal, err := freeAddress()
	if err != nil {
		return nil, err
	}
	n := &node{public: "http://" + public, internal: "http://" + internal, client: newClient(64)}
	config := filepath.Join(dir, "postern.yaml")
	err = writeJSON(config, map[string]any{
		"listen": public, "public_url": n.public, "internal_listen": internal, "database": database,
		"secret_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "log": map[string]any{"level": "error"},
	})
	if err == nil {
		err = writeJSON(filepath.Join(dir, "resources.yaml"), resources(people))
	}
	if err != nil {
		return nil, err
	}
	if out, err := exec.Command(program, "apply", "--config", config, filepath.Join(dir, "resources.yaml")).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("apply: %w\n%s", err, out)
	}
	info, err := os.Stat(program)
	if err != nil {
		return nil, err
	}
	n.binaryMB = float64(info.Size()) / 1e6
	n.cmd = exec.Command(program, "serve", "--config", config)
	n.cmd.Stderr = os.Stderr
	began := time.Now()
	if err := n.cmd.Start(); err != nil {
		return nil, err
	}
	if err := waitFor(n.public+"/healthz", 15*time.Second); err != nil {
		return nil, err
	}
	n.coldStart = time.Since(began)
	return n, nil
}

func (n *node) stop() {
	n.cmd.Process.Signal(syscall.SIGTERM)
	n.cmd.Wait()
}

func (n *node) residentMiB() float64 {
	time.Sleep(time.Second) // idle
	return residentMiB(n.cmd.Process.Pid)
}

func writeJSON(path string, v any) error { // YAML reads JSON
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return os.WriteFile(path, text, 0o600)
}

func resources(people int) map[string]any {
	type m = map[string]any
	var accounts []m
	for i := range people {
		accounts = append(accounts, m{"name": fmt.Sprintf("Account %d", i), "users": []m{{
			"email": email(i), "password": password, "nickname": fmt.Sprintf("person%d", i), "role": "admin",
		}}})
	}
	return m{
		"scopes":   []m{{"name": "read", "description": "See everything"}},
		"accounts": accounts,
		"partners": []m{{"name": "Partner", "apps": []m{{
			"name": "Bench", "dialect": "standard", "level": "account", "client_id": clientID, "client_secret": secret,
			"redirect_urls": []string{callback}, "scopes": []string{"read"}, "default_scopes": []string{"read"},
			"grants": []string{"authorization_code", "refresh_token", "client_credentials"},
		}}}},
		"apis": []m{{"name": "main", "id": "api-main", "secret": secret}},
	}
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
		"client_id": {clientID}, "response_type": {"code"}, "redirect_uri": {callback}, "state": {"s"}, "prompt": {"consent"},
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

type tokens struct {
	Access  string `json:"access_token"`
	Refresh string `json:"refresh_token"`
}

func (n *node) token(form url.Values, into *tokens) error {
	form.Set("client_id", clientID)
	form.Set("client_secret", secret)
	resp, err := n.client.PostForm(n.public+"/oauth/token", form)
	if err != nil {
		return err
	}
	if err := answered(resp, http.StatusOK, into); err != nil {
		return err
	}
	if into.Access == "" {
		return fmt.Errorf("an answer without an access token")
	}
	return nil
}

func (n *node) introspect(token string) error {
	resp, err := n.client.PostForm(n.public+"/oauth/introspect", url.Values{"client_id": {"api-main"}, "client_secret": {secret}, "token": {token}})
	if err != nil {
		return err
	}
	var got struct{ Active bool }
	if err := answered(resp, http.StatusOK, &got); err != nil {
		return err
	}
	if !got.Active {
		return fmt.Errorf("a live token is not active")
	}
	return nil
}

func (n *node) check(token string) error {
	req, err := http.NewRequest(http.MethodGet, n.internal+"/check", nil)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := n.client.Do(req)
	if err != nil {
		return err
	}
	return answered(resp, http.StatusOK, nil)
}

// measure runs every kind of operation, each on what the one before it made.
func (n *node) measure(o options) ([]*result, error) {
	m := meter{n.cmd.Process.Pid, n.postmaster}
	n.people = make([]*http.Client, o.people)
	signing, err := m.loop("sign-in (argon2id)", 2, o.people, func(i int) (err error) {
		n.people[i], err = n.signIn(i)
		return err
	})
	if err != nil {
		return nil, err
	}
	codes, all := make([]string, o.n), make([]tokens, o.n)
	var busy = make([]sync.Mutex, o.people) // a person answers one question at a time
	results := []*result{signing}
	for _, op := range []struct {
		name string
		n    int
		do   func(i int) error
	}{
		{"authorize, consent, code", o.n, func(i int) (err error) {
			p := i % o.people
			busy[p].Lock()
			defer busy[p].Unlock()
			codes[i], err = n.approve(n.people[p])
			return err
		}},
		{"exchange", o.n, func(i int) error {
			return n.token(url.Values{"grant_type": {"authorization_code"}, "code": {codes[i]}, "redirect_uri": {callback}}, &all[i])
		}},
		{"refresh, rotating", o.n, func(i int) error {
			return n.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {all[i].Refresh}}, &all[i])
		}},
		{"client credentials", o.n, func(i int) error {
			return n.token(url.Values{"grant_type": {"client_credentials"}}, new(tokens))
		}},
		{"introspection, one token", 3 * o.n, func(int) error { return n.introspect(all[0].Access) }},
		{"introspection, many tokens", 3 * o.n, func(i int) error { return n.introspect(all[i%o.n].Access) }},
		{"check, one token", 3 * o.n, func(int) error { return n.check(all[0].Access) }},
		{"check, many tokens", 3 * o.n, func(i int) error { return n.check(all[i%o.n].Access) }},
		{"metadata", 3 * o.n, func(int) error {
			resp, err := n.client.Get(n.public + "/.well-known/oauth-authorization-server")
			if err != nil {
				return err
			}
			return answered(resp, http.StatusOK, nil)
		}},
	} {
		r, err := m.loop(op.name, o.workers, op.n, op.do)
		if err != nil {
			return nil, err
		}
		results = append(results, r)
	}
	return results, nil
}
