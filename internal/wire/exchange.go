// Package wire is HTTP as people look at it: a request and its answer as text,
// with their secrets hidden; and a browser without a person, which keeps
// cookies, follows redirects one by one and fills in the forms that it finds.
package wire

import (
	"bytes"
	"encoding/base64"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Exchange is a request and its answer, as on the wire.
type Exchange struct {
	At      time.Time
	Title   string // what it was for
	Request string
	Answer  string
	Status  int

	MediaType string `json:"-"` // of the answer
	Body      string `json:"-"`
}

// longestAnswer is how much of an answer is read, in bytes.
const longestAnswer = 1 << 20

// Send makes a request and writes down what went over the wire. The body is
// given apart, since a request's can be read once only.
func Send(client *http.Client, title string, r *http.Request, body string) (*Exchange, error) {
	r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
	sent := asSent(r, body)
	answer, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, longestAnswer))
	if err != nil {
		return nil, err
	}
	return &Exchange{At: time.Now(), Title: title, Request: sent, Status: answer.StatusCode,
		Answer: asAnswered(answer, string(said)), MediaType: answer.Header.Get("Content-Type"), Body: string(said)}, nil
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

// Masked hides secrets wherever they stand, in whatever encoding: of each only
// the beginning is left, to tell one from another.
func Masked(text string, secrets ...string) string {
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

// MaskedBasic hides the credential of HTTP Basic, which encodes two secrets as one.
func MaskedBasic(request string) string {
	var out bytes.Buffer
	for line := range strings.Lines(request) {
		if before, after, ok := strings.Cut(line, "Authorization: Basic "); ok && before == "" {
			line = "Authorization: Basic " + beginning(strings.TrimSpace(after)) + "\n"
		}
		out.WriteString(line)
	}
	return out.String()
}
