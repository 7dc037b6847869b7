package replay

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

// request is a request with all names filled in.
type request struct {
	method string
	target string // a path with its query, or a whole address
	header [][2]string
	body   string
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	at     *url.URL
}

// String is the answer as a transcript would have it.
func (a *answer) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d", a.status)
	for _, name := range []string{"Location", "Content-Type", "Www-Authenticate"} {
		for _, v := range a.header[name] {
			b.WriteString("\n" + name + ": " + v)
		}
	}
	if body := a.shown(); body != "" {
		b.WriteString("\n\n" + body)
	}
	return b.String()
}

// wire carries HTTP between the ends of pipes: what is parsed and written is the
// real thing, and no port is open.
type wire struct {
	server http.Server
	client http.Client
	served chan error
}

const patience = 30 * time.Second

func newWire(h http.Handler) *wire {
	pipes := &pipes{waiting: make(chan net.Conn), closed: make(chan struct{})}
	w := &wire{server: http.Server{Handler: h}, served: make(chan error, 1)}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) { return pipes.dial(ctx) }
	w.client = http.Client{
		Timeout:       patience,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		// The address says https, as people's do; what is inside the process needs no TLS.
		Transport: &http.Transport{DialContext: dial, DialTLSContext: dial, DisableCompression: true, MaxIdleConnsPerHost: 64},
	}
	go func() { w.served <- w.server.Serve(pipes) }()
	return w
}

func (w *wire) close() error {
	w.client.CloseIdleConnections()
	err := w.server.Close()
	if served := <-w.served; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// longestAnswer is how much of an answer is read.
const longestAnswer = 4 << 20

func (w *wire) send(ctx context.Context, r *request, cookies http.CookieJar) (*answer, error) {
	q, err := r.http(ctx)
	if err != nil {
		return nil, err
	}
	client := w.client
	client.Jar = cookies
	resp, err := client.Do(q)
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.target, err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, longestAnswer))
	if err != nil {
		return nil, fmt.Errorf("%s %s: %w", r.method, r.target, err)
	}
	return &answer{resp.StatusCode, resp.Header, string(body), q.URL}, nil
}

// http is the request with its target as it was written: nothing is escaped,
// unescaped or tidied up.
func (r *request) http(ctx context.Context) (*http.Request, error) {
	address, err := url.Parse(origin)
	if err != nil {
		return nil, err
	}
	target := r.target
	if !strings.HasPrefix(target, "/") {
		scheme, rest, _ := strings.Cut(target, "://")
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		address.Scheme, address.Host, target = scheme, rest[:end], rest[end:]
	}
	target, _, _ = strings.Cut(target, "#")
	if !strings.HasPrefix(target, "/") {
		target = "/" + target
	}
	q, err := http.NewRequestWithContext(ctx, r.method, address.String(), strings.NewReader(r.body))
	if err != nil {
		return nil, err
	}
	path, query, asks := strings.Cut(target, "?")
	if q.URL.Path, err = url.PathUnescape(path); err != nil { // for cookies; what is sent is the opaque one
		q.URL.Path = "/"
	}
	q.URL.Opaque, q.URL.RawQuery, q.URL.ForceQuery = path, query, asks
	for _, h := range r.header {
		if strings.EqualFold(h[0], "Host") {
			q.Host = h[1]
			continue
		}
		q.Header.Add(h[0], h[1])
	}
	return q, nil
}

// basic is what HTTP Basic sends of an app (RFC 6749 §2.3.1).
func basic(id, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
}

// pipes is a listener whose callers are in the same process.
type pipes struct {
	waiting chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func (p *pipes) dial(ctx context.Context) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.waiting <- caller{there}:
		return here, nil
	case <-p.closed:
		return nil, net.ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.waiting:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener.
func (p *pipes) Close() error {
	p.once.Do(func() { close(p.closed) })
	return nil
}

// Addr implements net.Listener.
func (p *pipes) Addr() net.Addr { return address }

var address = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 443}

// caller is a connection that comes from an address, as all others do.
type caller struct{ net.Conn }

func (caller) RemoteAddr() net.Addr { return address }
