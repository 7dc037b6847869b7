package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/dialect"
)

// framed serves a handler as the public listener would, with its log.
func framed(t *testing.T, next http.HandlerFunc) (*httptest.Server, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	f := &frame{
		next: next, now: time.Now, https: true,
		mint: func() (string, error) { return "req_1", nil },
		log:  slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		oops: func(w http.ResponseWriter, r *http.Request, status int, err *postern.Error) {
			http.Error(w, err.Msg+" "+requestID(r), status)
		},
	}
	s := httptest.NewServer(f)
	t.Cleanup(s.Close)
	return s, &log
}

func TestOP19APanicEndsOneRequestOnly(t *testing.T) {
	const marker = "s3cret-marker"
	s, log := framed(t, func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/text":
			panic("with " + marker)
		case "/error":
			panic(errors.New(marker))
		case "/runtime":
			var none []int
			_ = none[len(r.URL.Path)]
		case "/half":
			io.WriteString(w, "half an ans")
			panic(marker)
		}
	})
	for _, path := range []string{"/text", "/error", "/runtime"} {
		resp, err := http.Get(s.URL + path + "?code=" + marker)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if !strings.HasPrefix(string(body), `{"error":"server_error","error_description":"This`) || resp.Header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("a machine is told %q", body)
		}
		if resp.StatusCode != 500 || resp.Header.Get("X-Request-Id") != "req_1" || !strings.Contains(string(body), "fault of ours") || !strings.Contains(string(body), "req_1") {
			t.Errorf("%s: %d %v %q", path, resp.StatusCode, resp.Header, body)
		}
	}
	browser, err := http.NewRequest("GET", s.URL+"/text", nil)
	if err != nil {
		t.Fatal(err)
	}
	browser.Header.Set("Accept", "text/html,application/xhtml+xml")
	if resp, err := http.DefaultClient.Do(browser); err != nil {
		t.Error(err)
	} else if body, _ := io.ReadAll(resp.Body); string(body) != "This is a fault of ours; we have written it down. req_1\n" {
		t.Errorf("a person is told %q", body)
	}
	once := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // else it would try again
	if resp, err := once.Get(s.URL + "/half"); err == nil {
		if _, err := io.ReadAll(resp.Body); err == nil {
			t.Error("half an answer looks like a whole one")
		}
		resp.Body.Close()
	}
	resp, err := http.Get(s.URL + "/fine")
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("the next request: %v, %v", resp, err)
	}
	resp.Body.Close()
	s.Close() // so that all is logged
	if strings.Contains(log.String(), marker) || strings.Count(log.String(), "msg=panic") != 5 || !strings.Contains(log.String(), "index out of range") {
		t.Errorf("the log:\n%s", log)
	}
}

func TestST02TheLogHoldsNoPathQueryHeaderOrBody(t *testing.T) {
	const marker = "s3cret-marker"
	s, log := framed(t, func(w http.ResponseWriter, r *http.Request) {
		recordOf(r.Context()).seen(dialect.Seen{Dialect: "xref", Endpoint: "token", AppID: "partner-x", Refused: postern.Errorf(postern.InvalidGrant, marker)})
		w.WriteHeader(400)
	})
	r, err := http.NewRequest("POST", s.URL+"/"+marker+"?code="+marker, strings.NewReader("client_secret="+marker))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+marker)
	r.Header.Set("Cookie", "session="+marker)
	r.Header.Set("User-Agent", marker)
	r.Header.Set("Referer", "https://x/"+marker)
	r.Header.Set("X-Request-Id", marker)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	s.Close()
	line := regexp.MustCompile(`level=INFO msg=request request_id=req_1 method=POST dialect=xref endpoint=token status=400 took=\S+ address=127.0.0.1 app=partner-x refused=invalid_grant\n`)
	if strings.Contains(log.String(), marker) || !line.MatchString(log.String()) {
		t.Errorf("the log:\n%s", log)
	}
	if resp.Header.Get("X-Request-Id") != "req_1" || resp.Header.Get("Strict-Transport-Security") == "" {
		t.Errorf("headers: %v", resp.Header)
	}
}

// Who takes the secret for the client_id has it in no log.
func TestTheLogDoesNotNameAnAppThatThereIsNot(t *testing.T) {
	const marker = "s3cret-marker"
	s, log := framed(t, func(w http.ResponseWriter, r *http.Request) {
		refused := postern.Because(postern.InvalidClient, "unknown_client", "no")
		if r.URL.Path == "/kind" {
			refused = postern.Errorf(postern.UnknownClient, "no")
		}
		recordOf(r.Context()).seen(dialect.Seen{Dialect: "xref", Endpoint: "token", AppID: marker, Refused: refused})
		w.WriteHeader(401)
	})
	for _, path := range []string{"/rule", "/kind"} {
		resp, err := http.Get(s.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
	}
	s.Close()
	if strings.Contains(log.String(), marker) || strings.Count(log.String(), "refused=") != 2 {
		t.Errorf("the log:\n%s", log)
	}
}

func TestARequestIsNotWorkedOnForEver(t *testing.T) {
	s, _ := framed(t, func(w http.ResponseWriter, r *http.Request) {
		if end, ok := r.Context().Deadline(); !ok || time.Until(end) > handlerTime {
			t.Error("no deadline")
		}
		w.WriteHeader(204)
	})
	resp, err := http.Get(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func TestI75TooManyAtOnceAreToldSoAtOnce(t *testing.T) {
	served := 0
	f := &frame{now: time.Now, log: slog.New(slog.DiscardHandler), mint: func() (string, error) { return "req_1", nil },
		next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { served++ })}
	for _, c := range []struct {
		running int64
		want    int
	}{{mostRunning - 1, 200}, {mostRunning, 503}, {0, 200}} {
		f.running.Store(c.running)
		w := httptest.NewRecorder()
		f.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
		if w.Code != c.want || (c.want == 503) != (w.Header().Get("Retry-After") != "") || f.running.Load() != c.running {
			t.Errorf("with %d running: %d, %v, then %d", c.running, w.Code, w.Header(), f.running.Load())
		}
	}
	if served != 2 {
		t.Errorf("%d were served", served)
	}
}

func TestI63WithoutRandomnessNothingIsServed(t *testing.T) {
	f := &frame{now: time.Now, log: slog.New(slog.DiscardHandler), mint: func() (string, error) { return "", io.ErrUnexpectedEOF },
		next: http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("served") })}
	w := httptest.NewRecorder()
	f.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	if w.Code != 503 {
		t.Errorf("status %d", w.Code)
	}
}

func TestHealthAsksTheDatabaseOnceASecond(t *testing.T) {
	now, pings := time.Unix(1e9, 0), 0
	var down error
	h := &health{now: func() time.Time { return now }, ping: func(context.Context) error { pings++; return down }}
	status := func() int {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
		if w.Body.Len() > 0 {
			t.Errorf("it says %q", w.Body)
		}
		return w.Code
	}
	if status() != 503 || pings != 0 {
		t.Error("ready before the start")
	}
	h.started.Store(true)
	if status() != 200 || status() != 200 || pings != 1 {
		t.Errorf("not ready, or %d pings", pings)
	}
	down, now = io.EOF, now.Add(2*time.Second)
	if status() != 503 {
		t.Error("ready without a database")
	}
	down, now = nil, now.Add(2*time.Second)
	if status() != 200 {
		t.Error("not ready again")
	}
	h.draining.Store(true)
	if status() != 503 {
		t.Error("ready while stopping")
	}
}

func TestASweepGoesOnUntilABatchIsNotFull(t *testing.T) {
	left, runs := 1050, 0
	done := make(chan struct{})
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go sweeper(ctx, []sweep{
		{"broken", 500, func(context.Context) (int, error) { return 0, io.EOF }},
		{"rows", 500, func(context.Context) (int, error) {
			runs++
			n := min(left, 500)
			if left -= n; left == 0 {
				stop()
				close(done)
			}
			return n, nil
		}},
	}, time.Millisecond, slog.New(slog.DiscardHandler))
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("never done")
	}
	if runs != 3 {
		t.Errorf("%d batches", runs)
	}
}

func TestTK22ASlowBodyHoldsNoPlace(t *testing.T) {
	served := make(chan int, 2)
	f := &frame{now: time.Now, log: slog.New(slog.DiscardHandler), mint: func() (string, error) { return "req_1", nil },
		next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			served <- len(body)
		})}
	s := httptest.NewServer(f)
	defer s.Close()
	conn, err := net.Dial("tcp", s.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\n\r\nabc")
	time.Sleep(100 * time.Millisecond) // it has arrived, and waits
	if n := f.running.Load(); n != 0 {
		t.Fatalf("%d are worked on while the body is on its way", n)
	}
	io.WriteString(conn, "def")
	if n := <-served; n != 6 {
		t.Fatalf("the handler read %d bytes", n)
	}
	// A long one reaches its reader whole, too.
	if _, err := http.Post(s.URL, "text/plain", strings.NewReader(strings.Repeat("x", 100_000))); err != nil {
		t.Fatal(err)
	}
	if n := <-served; n != 100_000 {
		t.Fatalf("the handler read %d bytes of a long body", n)
	}
}

// So does one that is too long to be waited for, however its length is told.
func TestTK22ALongBodyThatIsSlowHoldsNoPlace(t *testing.T) {
	began, served := make(chan bool, 2), make(chan int, 2)
	f := &frame{now: time.Now, log: slog.New(slog.DiscardHandler), mint: func() (string, error) { return "req_1", nil },
		next: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			began <- true
			body, _ := io.ReadAll(r.Body)
			served <- len(body)
		})}
	s := httptest.NewServer(f)
	defer s.Close()
	half := strings.Repeat("x", mostBody+1)
	for how, c := range map[string]struct{ head, first, rest string }{
		"told":     {fmt.Sprintf("Content-Length: %d", len(half)+3), half, "end"},
		"in parts": {"Transfer-Encoding: chunked", fmt.Sprintf("%x\r\n%s\r\n", len(half), half), "3\r\nend\r\n0\r\n\r\n"},
	} {
		conn, err := net.Dial("tcp", s.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\n"+c.head+"\r\n\r\n"+c.first)
		<-began
		for deadline := time.Now().Add(10 * time.Second); f.running.Load() != 0; time.Sleep(time.Millisecond) {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %d are worked on while the body is on its way", how, f.running.Load())
			}
		}
		io.WriteString(conn, c.rest)
		if n := <-served; n != len(half)+3 {
			t.Fatalf("%s: the handler read %d bytes", how, n)
		}
	}
}
