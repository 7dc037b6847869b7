package webhook

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// names is a DNS server whose answers a test makes up, in the order asked.
func names(t *testing.T, answer func(n int) []string) *net.Resolver {
	t.Helper()
	c, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	go func() {
		buf := make([]byte, 512)
		for n := 0; ; {
			size, from, err := c.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:size]) != nil {
				continue
			}
			q := m.Questions[0]
			m.Response, m.RecursionAvailable, m.Additionals = true, true, nil
			for _, text := range answer(n) {
				a := netip.MustParseAddr(text)
				h := dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class}
				switch {
				case a.Is4() && q.Type == dnsmessage.TypeA:
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AResource{A: a.As4()}})
				case a.Is6() && q.Type == dnsmessage.TypeAAAA:
					m.Answers = append(m.Answers, dnsmessage.Resource{Header: h, Body: &dnsmessage.AAAAResource{AAAA: a.As16()}})
				}
			}
			if q.Type == dnsmessage.TypeA {
				n++
			}
			if out, err := m.Pack(); err == nil {
				c.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp", c.LocalAddr().String())
	}}
}

// inside counts the connections that reach a listener on loopback.
func inside(t *testing.T) (port string, seen *atomic.Int32) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	seen = &atomic.Int32{}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			seen.Add(1)
			c.Close()
		}
	}()
	_, port, _ = net.SplitHostPort(l.Addr().String())
	return port, seen
}

// WH-05, WH-06, WH-07 and I-54: whatever a name resolves to, and whenever it
// changes its mind, the listener inside sees no connection.
func TestI54_NoNameLeadsInside(t *testing.T) {
	port, seen := inside(t)
	const public = "203.0.114.7" // answers nobody here
	for what, answer := range map[string]func(n int) []string{
		"a private address":          func(int) []string { return []string{"10.0.0.5"} },
		"loopback":                   func(int) []string { return []string{"127.0.0.1"} },
		"loopback in IPv6":           func(int) []string { return []string{"::1"} },
		"loopback in IPv6's clothes": func(int) []string { return []string{"::ffff:127.0.0.1"} },
		"private beside loopback":    func(int) []string { return []string{"10.0.0.5", "127.0.0.1", "::1"} },
		"public, then loopback": func(n int) []string {
			if n%2 == 0 {
				return []string{public}
			}
			return []string{"127.0.0.1"}
		},
		"public beside loopback":       func(int) []string { return []string{public, "127.0.0.1"} },
		"loopback beside public":       func(int) []string { return []string{"127.0.0.1", public} },
		"loopback beside public, IPv6": func(int) []string { return []string{"::1", public} },
	} {
		dialer := newGuard(false, nil).dialer()
		dialer.Resolver = names(t, answer)
		client := newClient(newGuard(false, nil))
		client.DialContext = dialer.DialContext
		for range 6 {
			ctx, cancel := context.WithTimeout(context.Background(), 60*time.Millisecond)
			r := send(ctx, http.RoundTripper(client), "http://endpoint.example:"+port+"/", "e", time.Now(), "", nil, nil)
			cancel()
			if r.err == nil {
				t.Errorf("%s: answered %d", what, r.status)
			}
		}
	}
	if n := seen.Load(); n != 0 {
		t.Errorf("%d connections came inside", n)
	}
}

func TestWH05_ARefusedAddressIsToldAsPolicy(t *testing.T) {
	dialer := newGuard(false, nil).dialer()
	dialer.Resolver = names(t, func(int) []string { return []string{"10.0.0.5"} })
	_, err := dialer.DialContext(context.Background(), "tcp", "endpoint.example:443")
	if !errors.Is(err, errPolicy) {
		t.Errorf("%v", err)
	}
}
