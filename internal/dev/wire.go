package dev

import (
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/wire"
)

type exchange = wire.Exchange

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
	r, err := m.HTTP(ctx)
	if err != nil {
		return nil, err
	}
	return wire.Send(client, title, r, m.Body)
}
