package record

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
)

// longestBody is how much of a body is kept. All of it is passed on.
const longestBody = 64 << 10

// Proxy passes requests on to a server and tells seen what went by. Redirects
// and cookies of the server are made to stay with the proxy, so that a browser
// can be led through it.
func Proxy(upstream *url.URL, seen func(*Exchange)) http.Handler {
	p := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(upstream)
			r.Out.Host = upstream.Host
			r.Out.Header.Del("Accept-Encoding") // answers are to be read
			sameOrigin(r.Out.Header, "http://"+r.In.Host, upstream)
		},
		ModifyResponse: func(resp *http.Response) error {
			stay(resp.Header, upstream)
			x := resp.Request.Context().Value(exchangeKey{}).(*Exchange)
			x.Status, x.Said = resp.StatusCode, resp.Header.Clone()
			resp.Body = &keeper{ReadCloser: resp.Body, done: func(text string, cut bool) {
				x.Answer, x.Cut = text, x.Cut || cut
				seen(x)
			}}
			return nil
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, err error) {
			http.Error(w, "The recorder cannot reach "+upstream.String()+": "+err.Error(), http.StatusBadGateway)
		},
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		x := &Exchange{Host: upstream.Host, From: from(r), Method: r.Method, Target: r.URL.RequestURI(), Header: r.Header.Clone()}
		beginning, err := io.ReadAll(io.LimitReader(r.Body, longestBody+1))
		if err != nil {
			http.Error(w, "The request ended too early.", http.StatusBadRequest)
			return
		}
		x.Cut = len(beginning) > longestBody
		x.Body = string(beginning[:min(len(beginning), longestBody)])
		r.Body = both{io.MultiReader(bytes.NewReader(beginning), r.Body), r.Body}
		p.ServeHTTP(w, r.WithContext(withExchange(r.Context(), x)))
	})
}

// from tells senders apart, as well as an address and a program's name can.
func from(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		host = r.RemoteAddr
	}
	return host + " " + r.UserAgent()
}

// sameOrigin says the server's own origin where the browser says ours: servers
// compare it.
func sameOrigin(h http.Header, ours string, upstream *url.URL) {
	theirs := upstream.Scheme + "://" + upstream.Host
	for _, name := range []string{"Origin", "Referer"} {
		if rest, ok := strings.CutPrefix(h.Get(name), ours); ok {
			h.Set(name, theirs+rest)
		}
	}
}

// stay makes redirects to the server relative, and cookies ours.
func stay(h http.Header, upstream *url.URL) {
	if to, err := url.Parse(h.Get("Location")); err == nil && to.Host == upstream.Host {
		to.Scheme, to.Host = "", ""
		h.Set("Location", to.String())
	}
	for i, cookie := range h["Set-Cookie"] {
		parts := strings.Split(cookie, ";")
		kept := parts[:1]
		for _, part := range parts[1:] {
			name, _, _ := strings.Cut(strings.ToLower(strings.TrimSpace(part)), "=")
			if name != "domain" && name != "secure" {
				kept = append(kept, part)
			}
		}
		h["Set-Cookie"][i] = strings.Join(kept, ";")
	}
}

// both is a body of which some was read before.
type both struct {
	io.Reader
	io.Closer
}

// keeper keeps the beginning of a body that is read through it.
type keeper struct {
	io.ReadCloser
	kept bytes.Buffer
	cut  bool
	done func(text string, cut bool)
}

func (k *keeper) Read(p []byte) (int, error) {
	n, err := k.ReadCloser.Read(p)
	room := longestBody - k.kept.Len()
	k.cut = k.cut || n > room
	k.kept.Write(p[:min(n, room)])
	return n, err
}

// Close tells what was read: the whole body, unless the reader gave up.
func (k *keeper) Close() error {
	if k.done != nil {
		k.done(k.kept.String(), k.cut)
		k.done = nil
	}
	return k.ReadCloser.Close()
}

type exchangeKey struct{}

func withExchange(ctx context.Context, x *Exchange) context.Context {
	return context.WithValue(ctx, exchangeKey{}, x)
}
