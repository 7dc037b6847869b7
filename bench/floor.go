package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// serveFloor is the least that an answer over HTTP can cost: a bare net/http
// server that reads a small JSON body and writes one, or only writes one.
func serveFloor(address string) error {
	document := []byte(`{"document":"` + strings.Repeat("x", 1000) + `"}`)
	return http.ListenAndServe(address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodGet {
			_, _ = w.Write(document) // a caller who left is not missed
			return
		}
		var in struct {
			Code string `json:"code"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		fmt.Fprintf(w, `{"access_token":%q}`, in.Code)
	}))
}

const (
	floorPost = "JSON POST"
	floorGet  = "JSON GET"
)

func (b *bench) measureFloor() error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, "floor", address)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return err
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	if err := waitFor("http://"+address, 5*time.Second); err != nil {
		return err
	}
	s := b.report.subject("floor", "bare net/http")
	client, m, n := newClient(b.workers), meter{server: cmd.Process.Pid}, max(3*b.n, 12_000)
	post, err := m.loop(floorPost, b.workers, 500, n, func(int) error {
		resp, err := client.Post("http://"+address, "application/json", bytes.NewReader([]byte(`{"code":"c0de"}`)))
		if err != nil {
			return err
		}
		return answered(resp, http.StatusOK, nil)
	})
	if err != nil {
		return err
	}
	get, err := m.loop(floorGet, b.workers, 500, n, func(int) error {
		resp, err := client.Get("http://" + address)
		if err != nil {
			return err
		}
		return answered(resp, http.StatusOK, nil)
	})
	if err != nil {
		return err
	}
	s.Results = append(s.Results, post, get)
	return b.report.print(s)
}

var benchLine = regexp.MustCompile(`(?m)^Benchmark\w*Seen\S*\s+\d+\s+([\d.]+) ns/op.*?\s(\d+) allocs/op`)

// measureGuard takes the check in process from the guard's own benchmark.
func (b *bench) measureGuard() error {
	out, err := exec.Command("go", "test", "-run", "^$", "-bench", "Seen", "-benchmem", "./guard").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	found := benchLine.FindSubmatch(out)
	if found == nil {
		return fmt.Errorf("no benchmark of a token that was seen:\n%s", out)
	}
	ns, err := strconv.ParseFloat(string(found[1]), 64)
	allocations, err2 := strconv.ParseFloat(string(found[2]), 64)
	if err := errors.Join(err, err2); err != nil {
		return err
	}
	s := b.report.subject("guard", "in process (guard)")
	s.fact("check, seen before", ns/1000, "µs")
	s.fact("allocations", allocations, "")
	return b.report.print(s)
}

func newClient(workers int) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConns: 4 * workers, MaxIdleConnsPerHost: 4 * workers},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       60 * time.Second,
	}
}

// answered checks the status and reads the body into a value.
func answered(resp *http.Response, status int, into any) error {
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != status {
		return fmt.Errorf("%s %s: status %d, want %d: %.300s", resp.Request.Method, resp.Request.URL.Path, resp.StatusCode, status, body)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(body, into)
}

func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// waitFor waits until something answers over HTTP.
func waitFor(url string, most time.Duration) error {
	for end := time.Now().Add(most); ; time.Sleep(time.Millisecond) {
		resp, err := http.Get(url)
		if err == nil {
			resp.Body.Close()
			return nil
		}
		if time.Now().After(end) {
			return err
		}
	}
}
