package webhook

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"syscall"
	"time"

	"code.dny.dev/ssrf"

	"postern.dev/postern"
)

// guard decides about every address at the moment it is dialled, after all
// resolving is done: an answer that changes between check and use, or that mixes
// public and private addresses, gets nothing past it (WH-05 … WH-07). Two
// readings of the special-purpose registries must agree, ours and package ssrf's.
type guard struct {
	loopback bool
	networks []netip.Prefix
	library  *ssrf.Guardian
}

// errPolicy is the one reason that is told for every refused address, so that
// nobody learns what is behind it (WH-01).
var errPolicy = errors.New("the host is not on the public internet")

var loopback4, loopback6 = netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")

// hosts of clouds that answer their guests with secrets: open only where the
// operator names exactly that address (WH-04).
var metadata = []netip.Addr{
	netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("100.100.100.200"),
	netip.MustParseAddr("168.63.129.16"), netip.MustParseAddr("fd00:ec2::254"),
}

func newGuard(insecureLoopback bool, networks []netip.Prefix) *guard {
	g := &guard{loopback: insecureLoopback, networks: slices.Clone(networks)}
	if insecureLoopback {
		g.networks = append(g.networks, loopback4, loopback6)
	}
	var v4, v6 []netip.Prefix
	for _, n := range g.networks {
		if n.Addr().Is4() {
			v4 = append(v4, n)
		} else {
			v6 = append(v6, n)
		}
	}
	g.library = ssrf.New(ssrf.WithAnyPort(), ssrf.WithAllowedV4Prefixes(v4...), ssrf.WithAllowedV6Prefixes(v6...))
	return g
}

// control is a net.Dialer's: it sees the very address that will be dialled.
func (g *guard) control(network, address string, c syscall.RawConn) error {
	at, err := netip.ParseAddrPort(address)
	if err != nil || network != "tcp4" && network != "tcp6" {
		return errPolicy
	}
	if !g.opens(at) {
		return errPolicy
	}
	if err := g.library.Safe(network, address, c); err != nil {
		return fmt.Errorf("%w: %w", errPolicy, err)
	}
	return nil
}

func (g *guard) opens(at netip.AddrPort) bool {
	a := at.Addr()
	if a.Is4In6() || a.Zone() != "" { // another name for an IPv4 address; nobody resolves to it honestly
		return false
	}
	if slices.Contains(metadata, a) {
		return slices.Contains(g.networks, netip.PrefixFrom(a, a.BitLen()))
	}
	if g.loopback && a.IsLoopback() {
		return true
	}
	if forbiddenPorts[at.Port()] {
		return false
	}
	within := func(n netip.Prefix) bool { return n.Contains(a) }
	return postern.GlobalUnicast(a) || slices.ContainsFunc(g.networks, within)
}

func (g *guard) dialer() *net.Dialer {
	return &net.Dialer{Timeout: attemptTime, KeepAlive: 30 * time.Second, Control: g.control}
}

// forbiddenPorts are where mail, shells and databases listen (WH-09). They are
// refused at registration too; a row may be older than that rule.
var forbiddenPorts = func() map[uint16]bool {
	m := map[uint16]bool{}
	for _, port := range []uint16{
		0, 1, 7, 9, 11, 13, 15, 17, 19, 20, 21, 22, 23, 25, 37, 42, 43, 53, 69, 77, 79, 87, 95, 101, 102, 103, 104, 109,
		110, 111, 113, 115, 117, 119, 123, 135, 137, 139, 143, 161, 179, 389, 427, 445, 465, 512, 513, 514, 515, 526,
		530, 531, 532, 540, 548, 554, 556, 563, 587, 601, 636, 989, 990, 993, 995, 1433, 1521, 1719, 1720, 1723, 2049,
		2375, 2379, 2380, 3306, 3389, 3659, 4045, 5060, 5061, 5432, 5984, 6000, 6379, 6566, 6665, 6666, 6667, 6668,
		6669, 6697, 9042, 9200, 9300, 10080, 11211, 27017,
	} {
		m[port] = true
	}
	return m
}()
