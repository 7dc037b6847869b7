package server

import (
	"net/http"
	"net/netip"
	"strings"
)

// maxHops bounds how far a forwarded chain is followed; longer ones are made up.
const maxHops = 16

// proxies are the networks whose word about a client's address is taken.
type proxies []netip.Prefix

// clientAddress is where a request came from. The connection's own address
// counts unless it is a trusted proxy's; then the chain in X-Forwarded-For is
// walked from its near end, one trusted hop after the other, to the first
// address that nobody we trust answers for. What stands before that may be
// anything a stranger typed.
func (p proxies) clientAddress(r *http.Request) string {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return "" // no connection: a test's request
	}
	address := bare(peer.Addr())
	if !p.trust(address) {
		return address.String()
	}
	chain := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for hops := 0; len(chain) > 0 && hops < maxHops; hops++ {
		said, err := netip.ParseAddr(strings.TrimSpace(chain[len(chain)-1]))
		if err != nil {
			break // the nearest hop that we understood
		}
		address = bare(said)
		if !p.trust(address) {
			break
		}
		chain = chain[:len(chain)-1]
	}
	return address.String()
}

func (p proxies) trust(a netip.Addr) bool {
	for _, network := range p {
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// bare is an address without its zone and its IPv4-in-IPv6 clothes.
func bare(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
