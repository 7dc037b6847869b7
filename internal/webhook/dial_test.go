package webhook

import (
	"errors"
	"net"
	"net/netip"
	"testing"
)

func TestWH01to04_OnlyThePublicInternetIsDialled(t *testing.T) {
	g := newGuard(false, nil)
	for _, address := range []string{
		"127.0.0.1", "127.1.2.3", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1",
		"169.254.1.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "239.1.1.1",
		"240.0.0.1", "255.255.255.255", "169.254.169.254", "100.100.100.200", "168.63.129.16",
		"::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:8.8.8.8", "fc00::1", "fd00:ec2::254", "fe80::1", "ff02::1",
		"2001:db8::1", "2002:7f00:1::", "64:ff9b::7f00:1", "2001::1", "::7f00:1",
	} {
		if err := dialled(g, address, "443"); !errors.Is(err, errPolicy) {
			t.Errorf("%s: %v", address, err)
		}
	}
	for _, address := range []string{"8.8.8.8", "1.1.1.1", "2606:4700:4700::1111"} {
		if err := dialled(g, address, "443"); err != nil {
			t.Errorf("%s: %v", address, err)
		}
		for _, port := range []string{"22", "25", "6379", "5432", "0"} { // WH-09
			if dialled(g, address, port) == nil {
				t.Errorf("%s:%s is dialled", address, port)
			}
		}
	}
}

func TestInsecureLoopbackOpensLoopbackOnly(t *testing.T) {
	g := newGuard(true, nil)
	for address, open := range map[string]bool{
		"127.0.0.1": true, "::1": true, "10.0.0.1": false, "192.168.0.1": false, "169.254.169.254": false, "fe80::1": false, "0.0.0.0": false,
	} {
		if err := dialled(g, address, "8080"); (err == nil) != open {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// WH-04: a wide range does not open a cloud's metadata; its exact address does.
func TestAnAllowedNetworkOpensItselfButNoMetadata(t *testing.T) {
	wide := newGuard(false, []netip.Prefix{netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("10.1.0.0/16"), netip.MustParsePrefix("fd00::/8")})
	for address, open := range map[string]bool{
		"10.1.2.3": true, "10.2.0.1": false, "169.254.1.1": true, "169.254.169.254": false, "fd12::1": true, "fd00:ec2::254": false,
	} {
		if err := dialled(wide, address, "443"); (err == nil) != open {
			t.Errorf("%s: %v", address, err)
		}
	}
	if err := dialled(newGuard(false, []netip.Prefix{netip.MustParsePrefix("169.254.169.254/32")}), "169.254.169.254", "443"); err != nil {
		t.Errorf("named exactly: %v", err)
	}
}

// dialled asks the guard as the dialer does, after resolving.
func dialled(g *guard, address, port string) error {
	network := "tcp4"
	if a := netip.MustParseAddr(address); a.Is6() {
		network = "tcp6"
	}
	return g.control(network, net.JoinHostPort(address, port), nil)
}

func TestOtherNetworksThanTCPAreNotDialled(t *testing.T) {
	for _, network := range []string{"udp4", "unix", "tcp"} {
		if newGuard(true, nil).control(network, "8.8.8.8:443", nil) == nil {
			t.Errorf("%s is dialled", network)
		}
	}
}
