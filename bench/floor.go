package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"time"
)

// serveFloor is the least that an answer over HTTP can cost: a bare net/http
// server that reads a small JSON body and writes one.
func serveFloor(address string) error {
	return http.ListenAndServe(address, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var in struct {
			Code string `json:"code"`
		}
		if err := json.NewDecoder(r.Body).Decode(&in); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":%q}`, in.Code)
	}))
}

func measureFloor(o options) (*result, error) {
	address, err := freeAddress()
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, "floor", address)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	if err := waitFor("http://"+address, 5*time.Second); err != nil {
		return nil, err
	}
	client := newClient(o.workers)
	return meter{server: cmd.Process.Pid}.loop("floor: bare net/http, JSON POST", o.workers, max(o.n, 20000), func(int) error {
		resp, err := client.Post("http://"+address, "application/json", bytes.NewReader([]byte(`{"code":"c0de"}`)))
		if err != nil {
			return err
		}
		return answered(resp, http.StatusOK, nil)
	})
}

func newClient(workers int) *http.Client {
	return &http.Client{
		Transport:     &http.Transport{MaxIdleConns: 4 * workers, MaxIdleConnsPerHost: 4 * workers},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Timeout:       30 * time.Second,
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
