package postern

import (
	"net/netip"
	"testing"
)

func TestOnlyAddressesOfThePublicInternetAreGlobalUnicast(t *testing.T) {
	for _, good := range []string{
		"8.8.8.8", "1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "198.17.0.1", "198.20.0.1",
		"223.255.255.255", "2606:4700:4700::1111", "2a00:1450:4001::1", "::ffff:8.8.8.8",
	} {
		if !GlobalUnicast(netip.MustParseAddr(good)) {
			t.Errorf("%s is refused", good)
		}
	}
	for _, bad := range []string{ // WH-01 to WH-04
		"127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "::1", "::", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:a9fe:a9fe",
		"10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "100.64.0.1", "100.127.255.255", "169.254.1.1",
		"192.0.0.1", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.1", "203.0.113.1",
		"224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
		"fc00::1", "fdff::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "2001:db8::1", "3fff::1",
		"64:ff9b::7f00:1", "64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::", "::127.0.0.1", "100::1", "5f00::1", "4000::1",
		"169.254.169.254", "100.100.100.200", "fd00:ec2::254", "168.63.129.16",
	} {
		if GlobalUnicast(netip.MustParseAddr(bad)) {
			t.Errorf("%s is accepted", bad)
		}
	}
	if GlobalUnicast(netip.Addr{}) {
		t.Error("no address at all is accepted")
	}
}
