package server

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

func TestOP21TheClientsAddressComesThroughTrustedHopsOnly(t *testing.T) {
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for _, c := range []struct {
		about, peer string
		forwarded   []string
		want        string
	}{
		{"no proxy", "203.0.113.7:1", nil, "203.0.113.7"},
		{"a stranger says he is another", "203.0.113.7:1", []string{"198.51.100.1"}, "203.0.113.7"},
		{"one proxy", "10.0.0.1:1", []string{"198.51.100.1"}, "198.51.100.1"},
		{"what the client itself sent stands further left", "10.0.0.1:1", []string{"1.1.1.1, 198.51.100.1"}, "198.51.100.1"},
		{"two proxies", "10.0.0.1:1", []string{"198.51.100.1, 10.0.0.2"}, "198.51.100.1"},
		{"two headers are one list", "10.0.0.1:1", []string{"1.1.1.1", "198.51.100.1,10.0.0.2"}, "198.51.100.1"},
		{"a proxy without a word", "10.0.0.1:1", nil, "10.0.0.1"},
		{"garbage", "10.0.0.1:1", []string{"1.1.1.1, unknown"}, "10.0.0.1"},
		{"garbage behind a trusted hop", "10.0.0.1:1", []string{"<script>, 10.0.0.2"}, "10.0.0.2"},
		{"a port is garbage", "10.0.0.1:1", []string{"198.51.100.1:99"}, "10.0.0.1"},
		{"only trusted hops", "10.0.0.1:1", []string{"10.0.0.3, 10.0.0.2"}, "10.0.0.3"},
		{"a chain that is too long", "10.0.0.1:1", []string{strings.Repeat("10.9.9.9,", 50) + "10.0.0.2"}, "10.9.9.9"},
		{"IPv6", "[fd00::1]:1", []string{"2001:db8::5"}, "2001:db8::5"},
		{"IPv4 in IPv6", "[::ffff:10.0.0.1]:1", []string{"::ffff:198.51.100.1"}, "198.51.100.1"},
		{"a zone", "[fe80::1%eth0]:1", nil, "fe80::1"},
		{"no connection", "", []string{"198.51.100.1"}, ""},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = c.peer
		for _, f := range c.forwarded {
			r.Header.Add("X-Forwarded-For", f)
		}
		if got := trusted.clientAddress(r); got != c.want {
			t.Errorf("%s: %q, wanted %q", c.about, got, c.want)
		}
	}
}

func FuzzClientAddress(f *testing.F) {
	f.Add("10.0.0.1:1", "1.1.1.1, 10.0.0.2")
	f.Add("", ",,,")
	f.Add("[::1%x]:9", "::ffff:1.2.3.4%y")
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/8")}
	f.Fuzz(func(t *testing.T, peer, forwarded string) {
		r := &http.Request{RemoteAddr: peer, Header: http.Header{"X-Forwarded-For": {forwarded}}}
		if got := trusted.clientAddress(r); got != "" {
			if _, err := netip.ParseAddr(got); err != nil {
				t.Errorf("%q is no address", got)
			}
		}
	})
}
