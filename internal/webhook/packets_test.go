package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"postern.dev/postern/internal/logo"
)

// blocked is all that is not the public internet: nobody there gets a packet
// because a stranger named him (WH-01 … WH-04).
var blocked = []string{
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
	"169.254.169.254/32", "100.100.100.200/32", "168.63.129.16/32", "fd00:ec2::254/128",
	"::/128", "::1/128", "::7f00:0/104", "::ffff:127.0.0.0/104", "::ffff:10.0.0.0/104", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64",
	"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
}

// insiders are addresses from both ends of each blocked range.
var insiders = func() (all []string) {
	for _, text := range blocked {
		p := netip.MustParsePrefix(text)
		first, last := p.Addr(), p.Addr().AsSlice()
		for i := p.Bits(); i < 8*len(last); i++ {
			last[i/8] |= 1 << (7 - i%8)
		}
		end, _ := netip.AddrFromSlice(last)
		for _, a := range []netip.Addr{first, first.Next(), end.Prev(), end} {
			if p.Contains(a) && !slices.Contains(all, a.String()) {
				all = append(all, a.String())
			}
		}
	}
	return all
}()

// outsiders may get packets. The first and the last refuse the connection here,
// so that a client which would rather be inside could go there instead.
var outsiders = []string{"8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"}

const (
	hookPort = 8443
	// proxy is what the environment names, and nobody is to ask (WH-11).
	proxy = "http://10.9.9.9:3128"
)

// ground is what a client stands on.
type ground interface {
	// client sends webhooks and fetches logos. Its names resolve as in the zone.
	client(t *testing.T, g *guard, z *zone) *http.Transport
	// reached is where it sent packets since this was asked last.
	reached(t *testing.T) map[netip.AddrPort]bool
}

// zone is what names resolve to, in turn.
type zone struct {
	names map[string][][]string
}

func (z *zone) resolve(name string, n int) []string {
	turns := z.names[name]
	if turns == nil { // localhost, 127.1, 0x7f000001 and the like
		return []string{"127.0.0.1", "::1"}
	}
	return turns[n%len(turns)]
}

// name gives one that resolves so.
func (z *zone) name(turns ...[]string) string {
	name := fmt.Sprintf("n%d.endpoint.test", len(z.names))
	z.names[name] = turns
	return name
}

// trap is everything that a stranger may name to be led inside.
func (z *zone) trap() (hosts []string) {
	for _, inside := range insiders {
		literal := inside
		if strings.Contains(inside, ":") {
			literal = "[" + inside + "]"
		}
		outside, outside6 := outsiders[0], outsiders[2]
		hosts = append(hosts, literal, z.name([]string{inside}), z.name([]string{inside, outside}), z.name([]string{outside, inside}),
			z.name([]string{inside, outside6}), z.name([]string{outside6, outside, inside}), z.name([]string{outside}, []string{inside}))
	}
	return append(hosts, "127.1", "2130706433", "0x7f000001", "0177.0.0.1", "localhost", "LOCALHOST.", "metadata.google.internal", "[fe80::1%25lo]")
}

// nothingGoesInside names all of it as an endpoint and as a logo, and looks at
// where packets went: to outsiders and what the operator allowed. That some went
// there shows that one would have been seen.
func nothingGoesInside(t *testing.T, on ground) {
	for what, c := range map[string]struct {
		guard *guard
		opens []string // what the operator allowed
		gets  []string // get a packet
	}{
		"as it comes": {newGuard(false, nil), nil, outsiders},
		"where networks are allowed": {
			newGuard(false, []netip.Prefix{netip.MustParsePrefix("10.20.0.0/16"), netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fd00::/8")}),
			[]string{"10.20.0.0/16", "169.254.0.0/16", "fd00::/8"}, append([]string{"10.20.0.1", "169.254.0.1", "fd00::1"}, outsiders...),
		},
		"where loopback is open": {newGuard(true, nil), []string{"127.0.0.0/8", "::1/128"}, append([]string{"127.0.0.1", "::1"}, outsiders...)},
	} {
		t.Run(what, func(t *testing.T) {
			z := &zone{map[string][][]string{}}
			hosts := z.trap()
			for _, host := range c.gets {
				hosts = append(hosts, z.name([]string{host}))
			}
			var urls []string
			for _, host := range hosts {
				urls = append(urls, fmt.Sprintf("http://%s:%d/hook", host, hookPort))
			}
			for port := range forbiddenPorts { // WH-09
				urls = append(urls, fmt.Sprintf("http://%s:%d/hook", outsiders[0], port))
			}
			client := on.client(t, c.guard, z)
			defer client.CloseIdleConnections()
			got := map[netip.AddrPort]bool{}
			for some := range slices.Chunk(urls, 16) {
				for _, url := range some {
					for range 2 { // resolved and dialled anew
						send(t.Context(), client, url, "evt_1", time.Now(), "", []byte("{}"), nil)
						client.CloseIdleConnections()
					}
				}
				logos := &logo.Fetcher{Store: wanted(some), Transport: client, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
				if n, err := logos.Sweep(t.Context()); err != nil || n != len(some) {
					t.Errorf("%d logos of %d, %v", n, len(some), err)
				}
				maps.Copy(got, on.reached(t))
			}
			t.Logf("%d places were named; packets went to %v", len(urls), slices.Collect(maps.Keys(got)))
			for at := range got {
				allowed := func(network string) bool { return netip.MustParsePrefix(network).Contains(at.Addr()) }
				inside := !slices.ContainsFunc(c.opens, allowed) || slices.Contains(metadata, at.Addr())
				if inside && !slices.Contains(outsiders, at.Addr().String()) || at.Port() != hookPort {
					t.Errorf("a packet went to %s", at)
				}
			}
			for _, host := range c.gets {
				if !got[netip.AddrPortFrom(netip.MustParseAddr(host), hookPort)] {
					t.Errorf("no packet went to %s, which is open", host)
				}
			}
		})
	}
}

// wanted are logos to fetch.
type wanted []string

func (w wanted) WantedLogos(context.Context, time.Time, int) (all []logo.Wanted, _ error) {
	for _, url := range w {
		all = append(all, logo.Wanted{AppID: "app", URL: url})
	}
	return all, nil
}

func (w wanted) SaveLogo(context.Context, logo.Fetched) error { return nil }

// dialler is the ground where no packet is sent: what the guard lets pass has
// reached its aim.
type dialler struct {
	mu   sync.Mutex
	past map[netip.AddrPort]bool
}

func (d *dialler) client(t *testing.T, g *guard, z *zone) *http.Transport {
	dialer := g.dialer()
	dialer.Resolver = names(t, z.resolve)
	dialer.Control = func(network, address string, c syscall.RawConn) error {
		if err := g.control(network, address, c); err != nil {
			return err
		}
		d.mu.Lock()
		defer d.mu.Unlock()
		d.past[netip.MustParseAddrPort(address)] = true
		return errWouldDial
	}
	client := newClient(g)
	client.DialContext = dialer.DialContext
	return client
}

func (d *dialler) reached(*testing.T) map[netip.AddrPort]bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	past := d.past
	d.past = map[netip.AddrPort]bool{}
	return past
}

// I-54 as the dialler sees it, on every machine. That no packet comes past it is
// looked at in a network of our own: TestI54_NoPacketReachesABlockedAddress.
func TestI54_NothingThatIsNamedIsDialledInside(t *testing.T) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"} {
		t.Setenv(name, proxy)
	}
	nothingGoesInside(t, &dialler{past: map[netip.AddrPort]bool{}})
}
