package webhook

import (
	"compress/gzip"
	"context"
	"crypto/ed25519"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func sent(t *testing.T, url string) reply {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), attemptTime)
	defer cancel()
	client := newClient(newGuard(true, nil))
	t.Cleanup(client.CloseIdleConnections)
	return send(ctx, client, url, "evt_1", time.Now(), "v1,x", []byte(`{}`), nil)
}

func TestWH08_RedirectsAreNotFollowed(t *testing.T) {
	var followed atomic.Int32
	inner := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { followed.Add(1) }))
	defer inner.Close()
	for _, code := range []int{301, 302, 303, 307, 308} {
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", inner.URL+"/secret")
			w.WriteHeader(code)
		}))
		if r := sent(t, s.URL); r.status != code || strings.Contains(r.text, "secret") {
			t.Errorf("%d: %+v", code, r)
		}
		s.Close()
	}
	if followed.Load() != 0 {
		t.Errorf("%d redirects were followed", followed.Load())
	}
}

func TestWH11_ProxiesOfTheEnvironmentAreIgnored(t *testing.T) {
	var proxied atomic.Int32
	proxy := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { proxied.Add(1) }))
	defer proxy.Close()
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy.URL)
	}
	sent(t, "http://endpoint.invalid/")
	s := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	if r := sent(t, s.URL); r.status != 200 || proxied.Load() != 0 {
		t.Errorf("%+v, %d through the proxy", r, proxied.Load())
	}
}

// WH-13, WH-21: large, compressed and odd answers.
func TestAnAnswerIsReadToAnEndAndKeptInPart(t *testing.T) {
	var wrote atomic.Int64
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/endless":
			for range 1 << 14 {
				n, err := io.WriteString(w, strings.Repeat("<script>\x00\x1b", 100))
				wrote.Add(int64(n))
				if err != nil {
					return
				}
			}
		case "/gzip":
			if r.Header.Get("Accept-Encoding") != "" {
				t.Error("compression was asked for")
			}
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			io.WriteString(z, strings.Repeat("a", 1<<20))
			z.Close()
		case "/headers":
			for i := range 10_000 {
				w.Header().Set(fmt.Sprintf("X-%d", i), strings.Repeat("h", 100))
			}
		}
	}))
	defer s.Close()
	r := sent(t, s.URL+"/endless")
	if r.status != 200 || len(r.text) > mostKept || strings.ContainsAny(r.text, "\x00\x1b") || wrote.Load() > 8<<20 {
		t.Errorf("status %d, kept %d bytes, %d were written", r.status, len(r.text), wrote.Load())
	}
	if r := sent(t, s.URL+"/gzip"); r.status != 200 || strings.Contains(r.text, "aaaa") {
		t.Errorf("%+v", r)
	}
	if r := sent(t, s.URL+"/headers"); r.err == nil {
		t.Error("a megabyte of headers was read")
	}
}

func TestWH13_EndlessInterimAnswersEnd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		for range 100_000 {
			if _, err := io.WriteString(c, "HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"); err != nil {
				return
			}
		}
	}()
	began := time.Now()
	if r := sent(t, "http://"+l.Addr().String()); r.err == nil || time.Since(began) > 5*time.Second {
		t.Errorf("%+v after %s", r, time.Since(began))
	}
}

func TestWH14_CertificatesAreVerified(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer s.Close()
	s.Config.ErrorLog = nil
	if r := sent(t, s.URL); r.err == nil || !strings.Contains(inWords(r.err), "certificate") {
		t.Errorf("%v", r.err)
	}
	old := httptest.NewUnstartedServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	old.TLS = &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10}
	old.StartTLS()
	defer old.Close()
	if r := sent(t, old.URL); r.err == nil || !strings.Contains(inWords(r.err), "TLS") {
		t.Errorf("%v: %s", r.err, inWords(r.err))
	}
}

// Told reasons hold nothing of our network.
func TestReasonsAreWordsWithoutAddresses(t *testing.T) {
	client := newClient(newGuard(false, nil))
	for url, want := range map[string]string{
		"http://127.0.0.1:1/":      "public internet",
		"http://endpoint.invalid/": "host",
	} {
		r := send(context.Background(), client, url, "e", time.Now(), "", nil, nil)
		if words := inWords(r.err); !strings.Contains(words, want) || strings.Contains(words, "127.0.0.1") {
			t.Errorf("%s: %s", url, words)
		}
	}
}

// The signature of RFC-like vectors: the Standard Webhooks' own example.
func TestSigningIsTheStandardOne(t *testing.T) {
	key, err := decodeKey("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", secretPrefix)
	if err != nil {
		t.Fatal(err)
	}
	s := &signer{secrets: [][]byte{key}}
	got := s.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), []byte(`{"test": 2432232314}`))
	if want := "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("%s, not %s", got, want)
	}
	public, private, _ := ed25519.GenerateKey(nil)
	s.private = private
	_, v1a, _ := strings.Cut(s.sign("m", time.Unix(1, 0), []byte("b")), " v1a,")
	signature, err := base64.StdEncoding.DecodeString(v1a)
	if err != nil || !ed25519.Verify(public, []byte("m.1.b"), signature) {
		t.Errorf("v1a %q does not verify", v1a)
	}
}

func TestTheScheduleHoldsItsPromise(t *testing.T) {
	now := time.Now()
	for _, chance := range []float64{0, 0.5, 0.999} {
		var whole, last time.Duration
		n := 1
		for ; ; n++ {
			due, again := nextTry(n, now, 0, chance)
			if !again {
				break
			}
			gap := due.Sub(now)
			if n == 1 && gap > 30*time.Second || gap <= last {
				t.Errorf("gap %d is %s after %s", n, gap, last)
			}
			whole, last = whole+gap, gap
		}
		if n < 8 || whole < 72*time.Hour {
			t.Errorf("%d attempts in %s", n, whole)
		}
	}
}

func FuzzRetryAfter(f *testing.F) {
	for _, text := range []string{"", "1", "99999999999999999999", "-1", "Fri, 31 Dec 1999 23:59:59 GMT", "1.5", "0x10"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if d := retryAfter(text, time.Now()); d < 0 || d > longestRetryAfter {
			t.Errorf("%q gives %s", text, d)
		}
	})
}

func FuzzReadable(f *testing.F) {
	f.Add([]byte("<b>\x00\xff"))
	f.Fuzz(func(t *testing.T, b []byte) {
		text := readable(b)
		if strings.ContainsAny(text, "\x00\x1b\r") || len(text) > len(b) {
			t.Errorf("%q gives %q", b, text)
		}
	})
}

// WH-12: an attempt ends when its time is up, wherever the endpoint stalls.
func TestWH12_AStalledAttemptEnds(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	drip := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for range 100 {
			if _, err := io.WriteString(w, "x"); err != nil {
				return
			}
			http.NewResponseController(w).Flush()
			select {
			case <-r.Context().Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
		}
	}))
	defer drip.Close()
	client := newClient(newGuard(true, nil))
	for url, status := range map[string]int{
		"http://" + silent.Addr().String():  0, // takes the connection and says nothing
		"https://" + silent.Addr().String(): 0, // stops in the handshake
		drip.URL:                            200,
	} {
		ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
		began := time.Now()
		r := send(ctx, client, url, "e", time.Now(), "", nil, nil)
		cancel()
		if r.status != status || time.Since(began) > 3*time.Second {
			t.Errorf("%s: %+v after %s", url, r, time.Since(began))
		}
		if status == 0 && !strings.Contains(inWords(r.err), "15 seconds") {
			t.Errorf("%s: %s", url, inWords(r.err))
		}
	}
	if attemptTime > 15*time.Second {
		t.Errorf("an attempt may take %s", attemptTime)
	}
}
