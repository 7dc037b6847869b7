package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver "pgx"

	"postern.dev/postern/guard"
	"postern.dev/postern/internal/posterntest/pg"
)

const (
	revocations = 300 // of each kind
	loadRate    = 500 // checks a second on each node, while revocations are measured
	nodeCount   = 3
)

// measureRevocation measures how long after a revocation was acknowledged by
// one node a token is let through elsewhere: on two other nodes, and in a
// guard. Once as it is, and once with every notification lost, when only the
// polling of the change sequence is left.
func measureRevocation() error {
	dir, err := os.MkdirTemp("", "postern-revocation-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "postern")
	if out, err := exec.Command("go", "build", "-o", program, "./cmd/postern").CombinedOutput(); err != nil {
		return fmt.Errorf("build (run this from the project's root): %w\n%s", err, out)
	}
	server, err := pg.Start("fsync=on", "synchronous_commit=on", "full_page_writes=on")
	if err != nil {
		return err
	}
	defer server.Stop()
	f, err := startFleet(dir, program, server.URL)
	if f != nil {
		defer f.stop()
	}
	if err != nil {
		return err
	}
	fmt.Printf("%d nodes on one PostgreSQL, %d checks a second on each of two; %d revocations of each kind\n\n", nodeCount, loadRate, revocations)
	fmt.Println("| revoked on node A | until refused | p50 ms | p99 ms | max ms |")
	fmt.Println("| --- | --- | --- | --- | --- |")
	if err := f.measure("as it is"); err != nil {
		return err
	}
	silence, hush := context.WithCancel(context.Background())
	silent := make(chan error, 1)
	go func() { silent <- killListeners(silence, f.database) }()
	err = f.measure("notifications lost")
	hush()
	return errors.Join(err, <-silent)
}

// fleet is some nodes and a guard that follows the last of them.
type fleet struct {
	database  string
	public    []string
	internal  []string
	processes []*exec.Cmd
	guard     *guard.Guard
	client    *http.Client
}

func startFleet(dir, program, server string) (*fleet, error) {
	f := &fleet{client: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	admin, err := sql.Open("pgx", server)
	if err != nil {
		return f, err
	}
	defer admin.Close()
	if _, err := admin.Exec("CREATE DATABASE revocation"); err != nil {
		return f, err
	}
	u, err := url.Parse(server)
	if err != nil {
		return f, err
	}
	u.Path = "/revocation"
	f.database = u.String()
	for i := range nodeCount {
		if err := f.startNode(dir, program, i); err != nil {
			return f, err
		}
	}
	f.guard, err = guard.New(guard.Options{URL: f.internal[nodeCount-1], ID: "api-main", Secret: secret})
	return f, err
}

func (f *fleet) startNode(dir, program string, i int) error {
	public, err := freeAddress()
	if err != nil {
		return err
	}
	internal, err := freeAddress()
	if err != nil {
		return err
	}
	f.public, f.internal = append(f.public, "http://"+public), append(f.internal, "http://"+internal)
	config := filepath.Join(dir, fmt.Sprintf("node-%d.yaml", i))
	text, err := json.Marshal(map[string]any{
		"listen": public, "public_url": f.public[0], "internal_listen": internal, "database": f.database,
		"secret_key": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "log": map[string]any{"level": "error"},
	})
	if err == nil {
		err = os.WriteFile(config, text, 0o600) // YAML reads JSON
	}
	if err != nil {
		return err
	}
	if i == 0 {
		declared := filepath.Join(dir, "declared.yaml")
		if err := os.WriteFile(declared, []byte(revocationApps), 0o600); err != nil {
			return err
		}
		if out, err := exec.Command(program, "apply", "--config", config, declared).CombinedOutput(); err != nil {
			return fmt.Errorf("apply: %w\n%s", err, out)
		}
	}
	cmd := exec.Command(program, "serve", "--config", config)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	f.processes = append(f.processes, cmd)
	return waitFor(f.public[i]+"/healthz", 15*time.Second)
}

const revocationApps = `
scopes: [{name: read, description: See everything}]
partners: [{name: Partner, apps: [{name: Revoking, description: Measures, url: "https://partner.test", dialect: standard, client_id: revoking,
  client_secret: ` + secret + `, redirect_urls: ["https://partner.test/cb"], scopes: [read], default_scopes: [read], grants: [client_credentials]}]}]
apis: [{name: main, id: api-main, secret: ` + secret + `}]
`

func (f *fleet) stop() {
	if f.guard != nil {
		f.guard.Close()
	}
	for _, p := range f.processes {
		_ = p.Process.Signal(syscall.SIGTERM) // an error is that it has ended
	}
	for _, p := range f.processes {
		_ = p.Wait() // how it ended changes no figure
	}
}

// killListeners breaks each connection that waits for notifications, as soon as
// it is there again.
func killListeners(ctx context.Context, database string) error {
	db, err := sql.Open("pgx", database)
	if err != nil {
		return err
	}
	defer db.Close()
	for ctx.Err() == nil {
		const kill = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE 'LISTEN %'`
		if _, err := db.Exec(kill); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
	return nil
}

// measure revokes one token after the other, each known everywhere before.
func (f *fleet) measure(how string) error {
	tokens := make([]string, revocations+100)
	for i := range tokens {
		var err error
		if tokens[i], err = f.token(); err != nil {
			return err
		}
	}
	loading, rest := context.WithCancel(context.Background())
	var load sync.WaitGroup
	defer load.Wait()
	defer rest()
	for _, node := range f.internal[1:] {
		for range 4 {
			load.Go(func() { f.load(loading, node, tokens[revocations:]) })
		}
	}
	took := make([][]time.Duration, nodeCount)
	for _, token := range tokens[:revocations] {
		each, err := f.revoke(token)
		if err != nil {
			return err
		}
		for i, d := range each {
			took[i] = append(took[i], d)
		}
	}
	for i, name := range []string{"by node B", "by node C", "by a guard that follows C"} {
		slices.Sort(took[i])
		at := func(q float64) float64 {
			return float64(took[i][min(revocations-1, int(q*revocations))].Microseconds()) / 1000
		}
		fmt.Printf("| %s | %s | %.1f | %.1f | %.1f |\n", how, name, at(0.5), at(0.99), at(1))
	}
	return nil
}

// load checks live tokens at a steady rate.
func (f *fleet) load(ctx context.Context, node string, tokens []string) {
	tick := time.NewTicker(4 * time.Second / loadRate)
	defer tick.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			_, _ = f.check(node, tokens[i%len(tokens)]) // what is measured are the revocations
		}
	}
}

// revoke revokes a token that all know, and waits until nobody lets it through.
func (f *fleet) revoke(token string) ([]time.Duration, error) {
	watchers := []func() (bool, error){
		func() (bool, error) { return f.check(f.internal[1], token) },
		func() (bool, error) { return f.check(f.internal[2], token) },
		func() (bool, error) { return f.guarded(token) },
	}
	for _, alive := range watchers {
		if ok, err := alive(); err != nil || !ok {
			return nil, fmt.Errorf("a token that was just made is not good (%v)", err)
		}
	}
	if err := f.post("/oauth/revoke", url.Values{"token": {token}}, nil); err != nil {
		return nil, err
	}
	acknowledged := time.Now()
	if ok, err := f.check(f.internal[0], token); err != nil || ok {
		return nil, fmt.Errorf("the node that revoked a token lets it through (%v)", err)
	}
	took, errs := make([]time.Duration, len(watchers)), make([]error, len(watchers))
	var waiting sync.WaitGroup
	for i, alive := range watchers {
		waiting.Go(func() {
			for {
				ok, err := alive()
				took[i], errs[i] = time.Since(acknowledged), err
				if err != nil || !ok {
					return
				}
				if took[i] > 10*time.Second {
					errs[i] = errors.New("a token is let through ten seconds after its revocation")
					return
				}
				time.Sleep(time.Millisecond)
			}
		})
	}
	waiting.Wait()
	return took, errors.Join(errs...)
}

func (f *fleet) token() (string, error) {
	var got struct {
		Access string `json:"access_token"`
	}
	err := f.post("/oauth/token", url.Values{"grant_type": {"client_credentials"}}, &got)
	if err == nil && got.Access == "" {
		err = errors.New("an answer without an access token")
	}
	return got.Access, err
}

// post asks node A as the app.
func (f *fleet) post(path string, form url.Values, into any) error {
	req, err := http.NewRequest(http.MethodPost, f.public[0]+path, strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.SetBasicAuth("revoking", secret)
	resp, err := f.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s %s (%v)", path, resp.Status, body, err)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

// check asks a node, as a gateway does.
func (f *fleet) check(node, token string) (alive bool, err error) {
	req, err := http.NewRequest(http.MethodGet, node+"/check", nil)
	if err != nil {
		return false, err
	}
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := f.client.Do(req)
	if err != nil {
		return false, err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return false, err
	}
	switch resp.StatusCode {
	case http.StatusOK:
		return true, nil
	case http.StatusUnauthorized:
		return false, nil
	}
	return false, fmt.Errorf("a check is answered %s", resp.Status)
}

// guarded asks the guard.
func (f *fleet) guarded(token string) (alive bool, err error) {
	r := httptest.NewRequest(http.MethodGet, "/", nil)
	r.Header.Set("Authorization", "Bearer "+token)
	_, err = f.guard.Check(r)
	if refusal, ok := errors.AsType[*guard.Refusal](err); ok && refusal.Status == http.StatusUnauthorized {
		return false, nil
	}
	return err == nil, err
}
