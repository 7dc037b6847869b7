package postern

import "net/netip"

// GlobalUnicast reports whether an address is one of the public internet. What
// Postern is told by partners (webhook and logo URLs) may lead nowhere else:
// not to this machine, its network, a cloud's metadata service, or an address
// that stands for another one. An IPv4 address in IPv6 clothes counts as itself.
//
// The ranges are those that the IANA special-purpose registries (RFC 6890) do
// not mark as globally reachable, multicast, what tunnels IPv4, and the one
// public address at which a cloud answers its guests.
func GlobalUnicast(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" || !a.IsGlobalUnicast() {
		return false
	}
	if a.Is6() && !allocated6.Contains(a) {
		return false
	}
	for _, p := range special {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// allocated6 is all of IPv6 that IANA has given out as global unicast.
var allocated6 = netip.MustParsePrefix("2000::/3")

var special = func() (list []netip.Prefix) {
	for _, p := range []string{
		"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
		"192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
		"224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
		"2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
	} {
		list = append(list, netip.MustParsePrefix(p))
	}
	return list
}()
