package registry

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"postern.dev/postern"
)

var (
	webhookRule  = urlRule{fetched: true}
	redirectRule = urlRule{redirect: true}
)

func TestURLsThatAreGood(t *testing.T) {
	for _, u := range []string{
		"https://partner.test", "https://partner.test/", "https://partner.test/integrations/cb", "https://partner.test:8443/cb",
		"https://partner.test:443/cb", "https://a.b-c.partner.test/cb?a=b&c=d%20e", "https://xn--mnchen-3ya.test/", "https://PARTNER.test/Cb",
		"https://partner.test/a/@b/c:d", "https://partner.test?x=/../y", "https://partner.test/" + strings.Repeat("a", 2048-21),
	} {
		for name, rule := range map[string]urlRule{"page": {}, "webhook": webhookRule, "redirect": redirectRule} {
			if problem := rule.about(u); problem != "" {
				t.Errorf("%s %.60s %s", name, u, problem)
			}
		}
	}
	for _, u := range []string{"https://8.8.8.8/hook", "https://[2606:4700:4700::1111]:8443/hook"} {
		for name, rule := range map[string]urlRule{"webhook": webhookRule, "redirect": redirectRule} {
			if problem := rule.about(u); problem != "" {
				t.Errorf("%s %s %s", name, u, problem)
			}
		}
	}
}

func TestURLsThatAreRefusedAndWhy(t *testing.T) {
	for u, want := range map[string]string{
		"":                                               "is empty",
		"partner.test/cb":                                "must begin with https://",
		"//partner.test/cb":                              "must begin with https://",
		"http://partner.test/cb":                         "must begin with https://",
		"HTTPS://partner.test/cb":                        "must begin with https://",
		"https:/partner.test":                            "must begin with https://",
		"ftp://partner.test":                             "must begin with https://", // WH-09
		"file:///etc/passwd":                             "must begin with https://",
		"gopher://partner.test":                          "must begin with https://",
		"unix:/run/x":                                    "must begin with https://",
		"com.partner.app:/cb":                            "must begin with https://", // PA-08
		"javascript:alert(1)":                            "must begin with https://", // LC-11
		"JaVaScRiPt:alert(1)":                            "must begin with https://",
		"javascript://x.test/%0aa()":                     "must begin with https://",
		"data:text/html,x":                               "must begin with https://",
		"vbscript:x":                                     "must begin with https://",
		"%6aavascript:alert(1)":                          "must begin with https://",
		" javascript:alert(1)":                           "control character or space U+0020",
		"\x01javascript:alert(1)":                        "control character or space U+0001",
		"https://partner.test/a b":                       "control character or space U+0020",
		"https://partner.test/\r\nX":                     "control character or space U+000D",
		"https://partner.test/\x00":                      "control character or space U+0000",
		"https://partner.test/\x7f":                      "control character or space U+007F",
		"https://partner.test/\tx":                       "control character or space U+0009",
		"https://pärtner.test/":                          "U+00E4",
		"https://partner.test/ü":                         "U+00FC",
		"https://ⓟartner.test/":                          "U+24DF",
		"https://partner.test/cb#":                       "has a fragment",
		"https://partner.test/#a":                        "has a fragment",
		`https://evil.test\@a.test/`:                     "holds a backslash",
		`https:\\evil.test/cb`:                           "holds a backslash",
		"https:///partner.test":                          "has no host",
		"https://":                                       "has no host",
		"https://?a":                                     "has no host",
		"https://:443/":                                  "has no host",
		"https://a.test@evil.test/":                      "has a user name",
		"https://a:b@evil.test/":                         "has a user name",
		"https://@evil.test/":                            "has a user name",
		"https://a.test:/cb":                             "has a port that is none", // AZ-09
		"https://a.test:0/cb":                            "has a port that is none",
		"https://a.test:65536/cb":                        "has a port that is none",
		"https://a.test:0443/cb":                         "has a port that is none",
		"https://a.test:+443/cb":                         "has a port that is none",
		"https://a.test:4a/cb":                           "has a port that is none",
		"https://a.test:1:2/cb":                          "has a port that is none",
		"https://a..test/":                               "has a host that is none",
		"https://a.test./":                               "has a host that is none",
		"https://127.0.0.1./":                            "has a host that is none",
		"https://-a.test/":                               "has a host that is none",
		"https://a,b.test/":                              "has a host that is none",
		"https://%6cocalhost/":                           "has a host that is none",
		"https://[::1/":                                  "has a host that is none",
		"https://[::1]x/":                                "has a host that is none",
		"https://[fe80::1%25eth0]/":                      "has a host that is none",
		"https://[1.2.3.4]/":                             "has a host that is none",
		"https://" + strings.Repeat("a.", 127) + "test/": "has a host that is none",
		"https://partner.test/../x":                      "has . or ..",
		"https://partner.test/a/./x":                     "has . or ..",
		"https://partner.test/%2e%2E/x":                  "has . or ..",
		"https://partner.test/.%2e":                      "has . or ..",
		"https://partner.test/%":                         "a % without two hex digits",
		"https://partner.test/%zz":                       "a % without two hex digits",
		"https://partner.test/%2":                        "a % without two hex digits",
		"https://partner.test/<x>":                       "the character <",
		"https://partner.test/`":                         "the character `",
		"https://partner.test/" + strings.Repeat("a", 2048-20): "has 2049 bytes",
	} {
		for name, rule := range map[string]urlRule{"page": {}, "webhook": webhookRule, "redirect": redirectRule, "loopback": {loopback: true}} {
			if got := rule.about(u); !strings.Contains(got, want) || got == "" {
				t.Errorf("%s %.80q %q, want %q", name, u, got, want)
			}
		}
	}
}

// WH-01 to WH-04: whatever the reason, the sentence is the same.
func TestHostsOutsideThePublicInternetAreRefused(t *testing.T) {
	for _, host := range []string{
		"127.0.0.1", "127.0.0.2", "0.0.0.0", "localhost", "LOCALHOST", "app.localhost", "[::1]", "[::]",
		"[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:10.0.0.1]", "[0:0:0:0:0:0:0:1]",
		"10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1", "169.254.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1",
		"198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255", "[fc00::1]", "[fe80::1]", "[ff00::1]", "[2001:db8::1]",
		"169.254.169.254", "metadata.google.internal", "100.100.100.200", "[fd00:ec2::254]", "168.63.129.16",
	} {
		for name, rule := range map[string]urlRule{"page": {}, "webhook": webhookRule, "redirect": redirectRule} {
			if got := rule.about("https://" + host + ":8443/x"); got != notPublic {
				t.Errorf("%s %s %q", name, host, got)
			}
		}
	}
	for _, host := range []string{
		"127.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.0.0.0x1", "0x7f.1", "1.2.3.4.5", "a.0", "a.0x", "256.1.1.1", "08.8.8.8",
	} {
		for _, loopback := range []bool{false, true} {
			if got := (urlRule{loopback: loopback}).about("https://" + host + "/"); !strings.Contains(got, "a number as its host") {
				t.Errorf("%s (loopback %v) %q", host, loopback, got)
			}
		}
	}
	if got := webhookRule.about("https://[::ffff:8.8.8.8]/"); !strings.Contains(got, "IPv4 address written as IPv6") {
		t.Errorf("a mapped address %q", got)
	}
}

func TestLoopbackHostsWhereTheyAreAllowed(t *testing.T) {
	all := []string{"http://127.0.0.1:8080/cb", "http://[::1]/cb", "http://localhost:1/cb", "https://localhost/cb", "http://app.localhost/cb", "http://127.9.9.9:6379/cb"}
	for _, u := range all {
		if got := (urlRule{loopback: true, fetched: true, redirect: true}).about(u); got != "" {
			t.Errorf("insecure_loopback: %s %s", u, got)
		}
	}
	native := urlRule{redirect: true, native: true}
	for i, u := range all {
		if got := native.about(u); (got == "") != (i < 3) {
			t.Errorf("native: %s %q", u, got)
		}
	}
	for _, u := range []string{"http://partner.test/cb", "http://8.8.8.8/cb", "http://10.0.0.1/cb", "https://10.0.0.1/cb", "http://0.0.0.0/cb", "http://localhost.evil.test/"} {
		if (urlRule{loopback: true, native: true}).about(u) == "" {
			t.Errorf("%s is accepted as loopback", u)
		}
	}
}

func TestPortsWhereNoWebServerBelongs(t *testing.T) {
	for _, port := range []string{"22", "25", "5432", "6379", "6000", "11211"} { // WH-09
		u := "https://partner.test:" + port + "/hook"
		if got := webhookRule.about(u); !strings.Contains(got, "has the port "+port) {
			t.Errorf("webhook %s %q", u, got)
		}
		if got := redirectRule.about(u); got != "" {
			t.Errorf("redirect %s %q: we send nothing there ourselves", u, got)
		}
	}
}

func TestRedirectURLsThatCouldNotWork(t *testing.T) {
	for u, want := range map[string]string{
		"https://partner.test/*":           "holds a *",
		"https://*.partner.test/cb":        "holds a *",
		"https://partner.test/cb?code=1":   `the parameter "code"`,
		"https://partner.test/cb?a&state=": `the parameter "state"`,
		"https://partner.test?iss":         `the parameter "iss"`,
	} {
		if got := redirectRule.about(u); !strings.Contains(got, want) {
			t.Errorf("%s %q, want %q", u, got, want)
		}
		if got := (urlRule{}).about(u); got != "" && !strings.Contains(u, "//*") {
			t.Errorf("as a page, %s %q", u, got)
		}
	}
}

// What is accepted must be read by Go's parser as we read it, and lead to no
// address outside the public internet.
func FuzzURLRules(f *testing.F) {
	for _, u := range []string{
		"https://partner.test/cb?a=b", "http://127.0.0.1:80/", "https://[::1]:443/x", "https://a@b/", `https:/\x`, "https://0x7f.1/",
		"https://[::ffff:1.2.3.4]/", "https://a.test:99999/", "https://a/%2e%2e/", "https://ab.c?d#e", "https://a.test/\x00",
	} {
		f.Add(u, true, false)
		f.Add(u, false, true)
	}
	f.Fuzz(func(t *testing.T, text string, native, redirect bool) {
		rule := urlRule{native: native, redirect: redirect, fetched: !redirect}
		if rule.about(text) != "" {
			return
		}
		u, err := url.Parse(text)
		if err != nil {
			t.Fatalf("%q is accepted, but net/url says %v", text, err)
		}
		host := u.Hostname()
		if u.User != nil || u.Fragment != "" || host == "" || u.Opaque != "" || len(text) > longestURL {
			t.Errorf("%q is accepted", text)
		}
		if u.Scheme != "https" && !(native && (host == "127.0.0.1" || host == "::1" || strings.EqualFold(host, "localhost"))) {
			t.Errorf("%q is accepted with its scheme", text)
		}
		if a, err := netip.ParseAddr(host); err == nil && !postern.GlobalUnicast(a) && !(native && a.IsLoopback()) {
			t.Errorf("%q is accepted, which leads to %s", text, a)
		}
	})
}

func TestWhereTheOwnMachineIsAllowedAnAddressWithoutASchemeIsToldBoth(t *testing.T) {
	for name, rule := range map[string]urlRule{"insecure_loopback": {loopback: true, redirect: true}, "a public app": {native: true, redirect: true}} {
		if got := rule.about("localhost:3000/cb"); !strings.Contains(got, "http://") {
			t.Errorf("%s: %q", name, got)
		}
	}
}
