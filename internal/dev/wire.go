package dev

import (
	"bytes"
	"context"
	"encoding/base64"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"postern.dev/postern/internal/dialect"
)

// exchange is a request and its answer, as on the wire.
type exchange struct {
	At      time.Time
	Title   string // what it was for
	Request string
	Answer  string
	Status  int

	mediaType, body string // of the answer
}

// here is a client for which every name leads to this machine, since all
// servers of the demo are on it. It follows no redirects and keeps no proxy.
func here(jar http.CookieJar) *http.Client {
	dial := func(ctx context.Context, network, address string) (net.Conn, error) {
		_, port, err := net.SplitHostPort(address)
		if err != nil {
			return nil, err
		}
		return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort("127.0.0.1", port))
	}
	return &http.Client{
		Transport: &http.Transport{DialContext: dial}, Jar: jar, Timeout: 10 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// hand passes an answer on as it is.
func hand(w http.ResponseWriter, answer *http.Response) {
	for _, h := range []string{"Content-Type", "Www-Authenticate", "Cache-Control", "Retry-After"} {
		if v := answer.Header.Values(h); len(v) > 0 {
			w.Header()[h] = v
		}
	}
	w.WriteHeader(answer.StatusCode)
	_, _ = io.Copy(w, io.LimitReader(answer.Body, longestAnswer)) // the caller went away: nothing to tell it
}

// longestAnswer is how much of an answer is read.
const longestAnswer = 1 << 20

// send makes a request of the partner's and writes down what went over the wire.
func send(ctx context.Context, client *http.Client, title string, m *dialect.Request) (*exchange, error) {
	r, err := http.NewRequestWithContext(ctx, m.Method, m.URL, strings.NewReader(m.Body))
	if err != nil {
		return nil, err
	}
	for _, h := range m.Header {
		r.Header.Set(h.Name, h.Value)
	}
	if m.Basic {
		r.SetBasicAuth(url.QueryEscape(m.User), url.QueryEscape(m.Password)) // RFC 6749 §2.3.1
	}
	sent := asSent(r, m.Body)
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(io.LimitReader(answer.Body, longestAnswer))
	if err != nil {
		return nil, err
	}
	return &exchange{At: time.Now(), Title: title, Request: sent, Status: answer.StatusCode,
		Answer: asAnswered(answer, string(body)), mediaType: answer.Header.Get("Content-Type"), body: string(body)}, nil
}

// asSent is a request as text.
func asSent(r *http.Request, body string) string {
	var b strings.Builder
	b.WriteString(r.Method + " " + r.URL.RequestURI() + " HTTP/1.1\nHost: " + r.URL.Host + "\n")
	writeHeader(&b, r.Header)
	writeBody(&b, body)
	return b.String()
}

// asAnswered is an answer as text.
func asAnswered(a *http.Response, body string) string {
	var b strings.Builder
	b.WriteString(a.Proto + " " + a.Status + "\n")
	writeHeader(&b, a.Header)
	writeBody(&b, body)
	return b.String()
}

func writeHeader(b *strings.Builder, h http.Header) {
	for _, name := range slices.Sorted(maps.Keys(h)) {
		for _, value := range h[name] {
			b.WriteString(name + ": " + value + "\n")
		}
	}
}

func writeBody(b *strings.Builder, body string) {
	if body != "" {
		b.WriteString("\n" + strings.TrimRight(body, "\n") + "\n")
	}
}

// masked hides secrets wherever they stand, in whatever encoding: of each only
// the beginning is left, to tell one from another.
func masked(text string, secrets []string) string {
	secrets = slices.DeleteFunc(slices.Clone(secrets), func(s string) bool { return s == "" })
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	for _, s := range secrets {
		for _, form := range []string{s, url.QueryEscape(s), base64.StdEncoding.EncodeToString([]byte(s))} {
			text = strings.ReplaceAll(text, form, beginning(form))
		}
	}
	return text
}

func beginning(secret string) string {
	return secret[:min(6, len(secret)/4)] + "…"
}

// maskedBasic hides the credential of HTTP Basic, which encodes two secrets as one.
func maskedBasic(request string) string {
	var out bytes.Buffer
	for line := range strings.Lines(request) {
		if before, after, ok := strings.Cut(line, "Authorization: Basic "); ok && before == "" {
			line = "Authorization: Basic " + beginning(strings.TrimSpace(after)) + "\n"
		}
		out.WriteString(line)
	}
	return out.String()
}
