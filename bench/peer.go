package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

const peerDir = "bench/peer"

// measurePeer measures node-oidc-provider with everything in memory. Where there
// is no Node it says so and goes on.
func (b *bench) measurePeer() error {
	if _, err := exec.LookPath("npm"); err != nil {
		fmt.Println("no Node here: node-oidc-provider is left out")
		return nil
	}
	if _, err := os.Stat(filepath.Join(peerDir, "node_modules")); errors.Is(err, os.ErrNotExist) {
		install := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
		install.Dir = peerDir
		if out, err := install.CombinedOutput(); err != nil {
			return fmt.Errorf("npm ci: %w\n%s", err, out)
		}
	}
	address, err := freeAddress()
	if err != nil {
		return err
	}
	_, port, _ := strings.Cut(address, ":")
	cmd := exec.Command("node", filepath.Join(peerDir, "server.mjs"), port, wires[0].app, secret, callback)
	cmd.Env = append(os.Environ(), "NODE_ENV=production")
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	base := "http://" + address
	if err := waitFor(base, 20*time.Second); err != nil {
		return err
	}
	started := time.Since(began)
	p := &peer{bench: b, base: base, client: newClient(b.workers), meter: meter{server: cmd.Process.Pid}}
	p.s = b.report.subject("peer", "node-oidc-provider, memory")
	time.Sleep(time.Second)
	p.s.fact("start to the first answer", ms(started), "ms")
	p.s.fact("resident when idle", residentMiB(cmd.Process.Pid), "MiB")
	if err := p.measure(); err != nil {
		return err
	}
	return b.report.print(p.s)
}

type peer struct {
	*bench
	base   string
	client *http.Client
	meter  meter
	s      *subject
}

func (p *peer) token(form url.Values) (t tokens, err error) {
	form.Set("client_id", wires[0].app)
	form.Set("client_secret", secret)
	req, err := http.NewRequest(http.MethodPost, p.base+"/token", strings.NewReader(form.Encode()))
	if err != nil {
		return t, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return issued(p.client, req, nil)
}

func (p *peer) measure() error {
	n, warm := p.n, p.n/4
	var codes []string
	resp, err := p.client.Get(fmt.Sprintf("%s/make?n=%d", p.base, n+warm))
	if err == nil {
		err = answered(resp, http.StatusOK, &codes)
	}
	if err != nil {
		return err
	}
	all := make([]tokens, n+warm)
	for _, op := range []struct {
		name    string
		warm, n int
		do      func(i int) error
	}{
		{"exchange", warm, n, func(i int) (err error) {
			all[i], err = p.token(url.Values{"grant_type": {"authorization_code"}, "code": {codes[i]}, "redirect_uri": {callback}})
			return err
		}},
		{"refresh, rotating", warm, n, func(i int) (err error) {
			all[i], err = p.token(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {all[i].Refresh}})
			return err
		}},
		{"client credentials", warm, n, func(int) error {
			_, err := p.token(url.Values{"grant_type": {"client_credentials"}})
			return err
		}},
		{"introspection, one token", warm, 3 * n, func(int) error {
			return introspect(p.client, p.base+"/token/introspection", wires[0].app, all[0].Access)
		}},
		{"introspection, many tokens", warm, 3 * n, func(i int) error {
			return introspect(p.client, p.base+"/token/introspection", wires[0].app, all[i%n].Access)
		}},
		{"metadata", warm, 3 * n, func(int) error {
			resp, err := p.client.Get(p.base + "/.well-known/openid-configuration")
			if err != nil {
				return err
			}
			var any json.RawMessage
			return answered(resp, http.StatusOK, &any)
		}},
	} {
		r, err := p.meter.loop(op.name, p.workers, op.warm, op.n, op.do)
		if err != nil {
			return err
		}
		p.s.Results = append(p.s.Results, r)
	}
	return nil
}
