package server

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// listening runs a node on a free port and gives its address and how to stop it.
func listening(t *testing.T, s *Server) (address string, stop context.CancelFunc, ended chan error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	t.Cleanup(stop)
	s.cfg.Listen = free(t)
	ended = make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(time.Millisecond) {
		if resp, err := http.Get("http://" + s.cfg.Listen + "/healthz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == 200 {
				return s.cfg.Listen, stop, ended
			}
		}
	}
	t.Fatal("never ready")
	return "", nil, nil
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func TestOP03WhatRunsIsFinishedBeforeTheEnd(t *testing.T) {
	s := start(t, onFile(t, filepath.Join(t.TempDir(), "postern.db")))
	begun, release := make(chan bool), make(chan bool)
	next := s.public
	s.public = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-release
			io.WriteString(w, "finished")
			return
		}
		next.ServeHTTP(w, r)
	})
	address, stop, ended := listening(t, s)
	answered := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + address + "/slow")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		answered <- string(body) + " " + errText(err)
	}()
	<-begun
	stop()
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			break // no new connections
		}
		conn.Close()
		if time.Now().After(deadline) {
			t.Fatal("it still takes connections")
		}
	}
	if s.health.ready(t.Context()) {
		t.Error("it says that it is ready")
	}
	select {
	case err := <-ended:
		t.Fatalf("it ended before its request: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	if got := <-answered; got != "finished " {
		t.Errorf("the running request got %q", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("the end: %v", err)
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAnAddressInUseIsToldWithItsKey(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	s := start(t, onFile(t, filepath.Join(t.TempDir(), "postern.db")))
	s.cfg.InternalListen = taken.Addr().String()
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "internal_listen: ") || !strings.Contains(err.Error(), "another program") {
		t.Errorf("said %v", err)
	}
}

func TestI71OversizeHeadersAreRefusedUnread(t *testing.T) {
	s := start(t, onFile(t, filepath.Join(t.TempDir(), "postern.db")))
	address, _, _ := listening(t, s)
	for size, want := range map[int]int{15 << 10: 200, 17 << 10: 431} {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		const frame = "GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: \r\n\r\n"
		io.WriteString(conn, strings.Replace(frame, "X-Long: ", "X-Long: "+strings.Repeat("a", size-len(frame)), 1))
		resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != want {
			t.Errorf("%d bytes of headers: %d, wanted %d", size, resp.StatusCode, want)
		}
	}
}

func TestEveryDeadlineIsSet(t *testing.T) {
	s := start(t, onFile(t, filepath.Join(t.TempDir(), "postern.db")))
	s.cfg.InternalListen = "127.0.0.1:0"
	listeners, err := s.listen()
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range listeners {
		defer l.Close()
		if l.http.ReadHeaderTimeout != 10*time.Second || l.http.IdleTimeout == 0 {
			t.Errorf("%s: %+v", l.name, l.http)
		}
	}
	if h := listeners[0].http; h.ReadTimeout != 20*time.Second || h.WriteTimeout != 30*time.Second {
		t.Errorf("a slow body or a slow reader holds a connection: %s, %s", h.ReadTimeout, h.WriteTimeout)
	}
}

func TestTheInternalListenerIsApart(t *testing.T) {
	s := start(t, onFile(t, filepath.Join(t.TempDir(), "postern.db")))
	for path, want := range map[string][2]int{ // public, internal
		"/healthz": {200, 404}, "/livez": {404, 200}, "/readyz": {404, 200}, "/debug/pprof/": {404, 200}, "/debug/pprof/cmdline": {404, 200},
	} {
		for i, door := range []http.Handler{s.Handler(), s.Internal()} {
			if got := ask(door, path); got != want[i] {
				t.Errorf("%s at door %d: %d, wanted %d", path, i, got, want[i])
			}
		}
	}
}

func ask(door http.Handler, path string) int {
	w := &status{header: http.Header{}}
	r, err := http.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		return 0
	}
	door.ServeHTTP(w, r)
	return w.code
}

// status is an answer of which only the status counts.
type status struct {
	header http.Header
	code   int
}

func (s *status) Header() http.Header         { return s.header }
func (s *status) Write(b []byte) (int, error) { s.WriteHeader(200); return len(b), nil }
func (s *status) WriteHeader(code int) {
	if s.code == 0 {
		s.code = code
	}
}

func TestTwoDialectsThatClaimOneRouteAreAnErrorAtStart(t *testing.T) {
	cfg := onFile(t, filepath.Join(t.TempDir(), "postern.db"))
	root := ""
	cfg.Dialects = append(cfg.Dialects, usual...)
	cfg.Dialects[1].Base = &root // xeebo at /, where standard is
	_, err := New(t.Context(), cfg, Outside{Log: slog.New(slog.DiscardHandler)})
	if err == nil || !strings.Contains(err.Error(), "xeebo") || !strings.Contains(err.Error(), "standard") {
		t.Errorf("said %v", errors.Unwrap(err))
	}
}

func TestMetricsCountWhatWasAskedAndNameNobody(t *testing.T) {
	s := start(t, onFile(t, filepath.Join(t.TempDir(), "postern.db")))
	const marker = "m4rker"
	for range 2 {
		r := httptest.NewRequest("POST", "/oauth/tokens", strings.NewReader(`{"client_id":"`+marker+`","client_secret":"x","code":"y"}`))
		r.Header.Set("Content-Type", "application/json")
		s.Handler().ServeHTTP(httptest.NewRecorder(), r)
	}
	w := httptest.NewRecorder()
	s.Internal().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if !strings.Contains(w.Body.String(), `postern_requests_total{dialect="xref",endpoint="token",refused="unknown_client"} 2`) || strings.Contains(w.Body.String(), marker) {
		t.Errorf("%d:\n%s", w.Code, w.Body.String())
	}
	w = httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 404 {
		t.Errorf("the public listener answers /metrics with %d", w.Code)
	}
}
