package webhook

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
)

const (
	// attemptTime bounds an attempt as a whole: resolving, dialling, the TLS
	// handshake, the answer and its body.
	attemptTime = 15 * time.Second
	// mostRead is what is read of an answer, so that its connection can be used
	// again; mostKept is what the history shows of it.
	mostRead = 64 << 10
	mostKept = 1 << 10
)

// newClient makes the only thing in Postern that sends requests of its own. It
// takes no proxy from the environment, follows no redirect, asks for no
// compression and undoes none.
func newClient(g *guard) *http.Transport {
	return &http.Transport{
		Proxy:                  nil,
		DialContext:            g.dialer().DialContext,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		TLSHandshakeTimeout:    attemptTime,
		DisableCompression:     true,
		MaxResponseHeaderBytes: mostRead,
		MaxIdleConns:           512,
		MaxIdleConnsPerHost:    mostAtOnce,
		IdleConnTimeout:        time.Minute,
	}
}

// reply is what an endpoint said.
type reply struct {
	status     int
	retryAfter string
	text       string
	err        error
}

// send makes one attempt. A RoundTripper, not a Client: it follows nothing.
func send(ctx context.Context, via http.RoundTripper, target, id string, at time.Time, signature string, body []byte, more http.Header) reply {
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(body))
	if err != nil {
		return reply{err: err}
	}
	req.Header = http.Header{"Content-Type": {"application/json"}, "User-Agent": {"Postern-Webhooks"}}
	maps.Copy(req.Header, more)
	maps.Copy(req.Header, http.Header{
		"Webhook-Id": {id}, "Webhook-Timestamp": {strconv.FormatInt(at.Unix(), 10)}, "Webhook-Signature": {signature},
	})
	resp, err := via.RoundTrip(req)
	if err != nil {
		return reply{err: err}
	}
	defer resp.Body.Close()
	r := reply{status: resp.StatusCode, retryAfter: resp.Header.Get("Retry-After")}
	// The status decides; a body that breaks off changes nothing.
	kept, _ := io.ReadAll(io.LimitReader(resp.Body, mostKept))
	_, _ = io.CopyN(io.Discard, resp.Body, mostRead-mostKept)
	r.text = readable(kept)
	return r
}

// readable is the beginning of an answer as text: what is no text is left out.
// Pages escape it like all that is not ours (WH-21).
func readable(b []byte) string {
	return strings.Map(func(c rune) rune {
		if c == unicode.ReplacementChar || c != '\n' && c != '\t' && !unicode.IsPrint(c) {
			return -1
		}
		return c
	}, strings.ToValidUTF8(string(b), ""))
}

// inWords says why there was no answer, for the partner: enough to mend it, and
// nothing of our network.
func inWords(err error) string {
	var dns *net.DNSError
	var name x509.HostnameError
	var unknown x509.UnknownAuthorityError
	var invalid x509.CertificateInvalidError
	var record tls.RecordHeaderError
	var alert tls.AlertError
	var timeout net.Error
	var place *url.Error
	switch {
	case errors.Is(err, errPolicy):
		return "The endpoint's host is not on the public internet."
	case errors.As(err, &dns) && dns.IsNotFound:
		return "The endpoint's host has no address."
	case errors.As(err, &name):
		return "The endpoint's certificate is for another name."
	case errors.As(err, &unknown):
		return "The endpoint's certificate is not signed by an authority that we trust."
	case errors.As(err, &invalid) && invalid.Reason == x509.Expired:
		return "The endpoint's certificate is not valid at this time."
	case errors.As(err, &invalid):
		return "The endpoint's certificate is not valid."
	case errors.As(err, &record), errors.As(err, &alert), strings.Contains(err.Error(), "tls: "):
		return "The TLS handshake failed; TLS 1.2 or 1.3 is needed."
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "There was no answer within 15 seconds."
	case strings.Contains(err.Error(), "connection refused"):
		return "The endpoint refused the connection."
	case errors.As(err, &dns):
		return "The endpoint's host could not be resolved."
	case errors.As(err, &place):
		return "The endpoint's URL is none."
	}
	return "The connection broke before there was an answer."
}
