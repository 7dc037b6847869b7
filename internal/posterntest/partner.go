package posterntest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"
)

// Partner is a pretend partner's site. It takes whatever it is called with and
// keeps it: callbacks of browsers at /cb, webhooks at /hook.
type Partner struct {
	t      testing.TB
	server *httptest.Server

	mu       sync.Mutex
	received []Received
	more     chan struct{} // closed and replaced at each arrival
}

// Received is a request to a partner.
type Received struct {
	Method, Path, Query string // as sent
	Header              http.Header
	Body                string
}

// NewPartner starts a partner's site on loopback, so an app that names it needs
// insecure_loopback. It is stopped after the test.
func NewPartner(t testing.TB) *Partner {
	t.Helper()
	p := &Partner{t: t, more: make(chan struct{})}
	p.server = httptest.NewServer(p)
	t.Cleanup(p.server.Close)
	return p
}

// URL is the address of a path of the partner's.
func (p *Partner) URL(path string) string { return p.server.URL + path }

func (p *Partner) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	p.mu.Lock()
	p.received = append(p.received, Received{r.Method, r.URL.Path, r.URL.RawQuery, r.Header, string(text)})
	close(p.more)
	p.more = make(chan struct{})
	p.mu.Unlock()
	_, _ = io.WriteString(w, "Received.") // a page, so that a browser stays here
}

// Received is all that came to a path until now.
func (p *Partner) Received(path string) []Received {
	p.mu.Lock()
	defer p.mu.Unlock()
	var found []Received
	for _, r := range p.received {
		if r.Path == path {
			found = append(found, r)
		}
	}
	return found
}

// Wait waits until n requests came to a path, and gives them.
func (p *Partner) Wait(path string, n int, atMost time.Duration) []Received {
	p.t.Helper()
	deadline := time.After(atMost)
	for {
		p.mu.Lock()
		more := p.more
		p.mu.Unlock()
		if got := p.Received(path); len(got) >= n {
			return got
		}
		select {
		case <-more:
		case <-deadline:
			p.t.Fatalf("%d requests came to %s within %s, want %d", len(p.Received(path)), path, atMost, n)
		}
	}
}
