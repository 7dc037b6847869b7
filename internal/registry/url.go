package registry

import (
	"fmt"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"postern.dev/postern"
)

// urlRule says what one kind of URL may be. All kinds are https, without
// anything that a browser, a library and we could read in different ways.
type urlRule struct {
	loopback bool // http and loopback hosts are allowed: insecure_loopback
	native   bool // http on a loopback host is: a public app's redirect (RFC 8252 §7.3)
	redirect bool // compared byte for byte, and parameters are added to it
	fetched  bool // we send requests there ourselves
}

const longestURL = 2048 // bytes

// notPublic is the one sentence for every host that policy refuses, so that an
// answer does not tell what is behind an address (WH-01).
const notPublic = "leads to a host that is not on the public internet; use a public host name"

// about says what is wrong with a URL, or "".
func (r urlRule) about(text string) string {
	if problem := aboutURLText(text); problem != "" {
		return problem
	}
	if r.redirect && strings.Contains(text, "*") {
		return "holds a *; redirect URLs are compared byte for byte, so register each one"
	}
	scheme, rest, ok := strings.Cut(text, "://")
	if !ok || scheme != "https" && scheme != "http" {
		if r.loopback || r.native {
			return "must begin with https://, or with http:// where it leads to one’s own machine"
		}
		return "must begin with https://"
	}
	end := strings.IndexAny(rest, "/?")
	if end < 0 {
		end = len(rest)
	}
	host, port, problem := parseAuthority(rest[:end])
	if problem != "" {
		return problem
	}
	return first(
		func() string { return r.aboutHost(scheme, host) },
		func() string { return r.aboutPort(port, host) },
		func() string { return aboutPath(rest[end:]) },
		func() string { return r.aboutRedirect(rest[end:]) },
	)
}

// first is the first problem of several.
func first(rules ...func() string) string {
	for _, about := range rules {
		if problem := about(); problem != "" {
			return problem
		}
	}
	return ""
}

var badEscape = regexp.MustCompile(`%($|[^0-9A-Fa-f]|.$|.[^0-9A-Fa-f])`)

// aboutURLText refuses the characters that RFC 3986 §2 does not allow, and a
// fragment, even an empty one: parsers disagree about them (AZ-07, AZ-10).
func aboutURLText(text string) string {
	if text == "" {
		return "is empty; write a URL, or leave the key out"
	}
	if len(text) > longestURL {
		return fmt.Sprintf("has %d bytes; at most %d are allowed", len(text), longestURL)
	}
	for _, c := range text {
		switch {
		case c <= ' ', c == 0x7f:
			return fmt.Sprintf("holds the control character or space U+%04X; remove it", c)
		case c > 0x7e:
			return fmt.Sprintf("holds the character U+%04X; write hosts in their xn-- form and the rest percent-encoded", c)
		case c == '\\':
			return `holds a backslash; use /`
		case c == '#':
			return "has a fragment (#); remove it"
		case strings.ContainsRune(`"<>^{|}`+"`", c):
			return fmt.Sprintf("holds the character %c, which no URL has; percent-encode it", c)
		}
	}
	if badEscape.MatchString(text) {
		return "holds a % without two hex digits; write it %25"
	}
	return ""
}

// parseAuthority parts HOST[:PORT]; port is 0 where none stands.
func parseAuthority(text string) (host string, port int, problem string) {
	if strings.Contains(text, "@") {
		return "", 0, "has a user name (the part before @); remove it"
	}
	host, digits, hasPort := text, "", false
	if strings.HasPrefix(text, "[") {
		bracket := strings.IndexByte(text, ']')
		if bracket < 0 {
			return "", 0, "has a host that is none"
		}
		host, digits = text[:bracket+1], text[bracket+1:]
		if digits != "" {
			if digits, hasPort = strings.CutPrefix(digits, ":"); !hasPort {
				return "", 0, "has a host that is none"
			}
		}
	} else {
		host, digits, hasPort = strings.Cut(text, ":")
	}
	if host == "" {
		return "", 0, "has no host"
	}
	if !hasPort {
		return host, 0, ""
	}
	port, err := strconv.Atoi(digits)
	if err != nil || port < 1 || port > 65535 || strconv.Itoa(port) != digits {
		return "", 0, "has a port that is none; write a number from 1 to 65535, or no colon"
	}
	return host, port, ""
}

// aboutHost decides by the host as it is written; where a name leads is decided
// again when we go there.
func (r urlRule) aboutHost(scheme, host string) string {
	kind, problem := kindOfHost(host)
	switch {
	case problem != "":
		return problem
	case kind == loopbackHost && r.loopback, kind == nativeHost && (r.loopback || r.native && scheme == "http"):
		return ""
	case kind == loopbackHost, kind == nativeHost, kind == privateHost:
		return notPublic
	case scheme == "http":
		return "must begin with https://"
	}
	return ""
}

type hostKind int

const (
	namedHost     hostKind = iota
	publicAddress          // a literal, global unicast
	privateHost            // a literal outside global unicast, or a name known to be like one
	loopbackHost           // another address of this machine
	nativeHost             // 127.0.0.1, [::1], localhost: what native apps use
)

var (
	labelForm   = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$`)
	numericForm = regexp.MustCompile(`^([0-9]+|0[xX][0-9A-Fa-f]*)$`)
)

func kindOfHost(host string) (hostKind, string) {
	if strings.HasPrefix(host, "[") {
		return kindOfIPv6(strings.Trim(host, "[]"))
	}
	name := strings.ToLower(host)
	labels := strings.Split(name, ".")
	for _, label := range labels {
		if !labelForm.MatchString(label) {
			return 0, "has a host that is none"
		}
	}
	last := labels[len(labels)-1]
	switch {
	case len(name) > 253:
		return 0, "has a host that is none"
	case numericForm.MatchString(last):
		return kindOfIPv4(name)
	case name == "localhost":
		return nativeHost, ""
	case last == "localhost": // RFC 6761 §6.3
		return loopbackHost, ""
	case name == "metadata.google.internal", name == "metadata.goog":
		return privateHost, "" // WH-04
	}
	return namedHost, ""
}

// kindOfIPv4 takes a host that browsers read as IPv4 address because its last
// part is a number (WHATWG URL, "ends in a number"). Only four plain decimal
// numbers mean the same to all: 127.1, 0177.0.0.1 and 2130706433 do not.
func kindOfIPv4(text string) (hostKind, string) {
	a, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return 0, "has a number as its host, which not all programs read alike; use a name"
	case text == "127.0.0.1":
		return nativeHost, ""
	case a.IsLoopback():
		return loopbackHost, ""
	case postern.GlobalUnicast(a):
		return publicAddress, ""
	}
	return privateHost, ""
}

func kindOfIPv6(text string) (hostKind, string) {
	a, err := netip.ParseAddr(text)
	switch {
	case err != nil || !a.Is6() || a.Zone() != "":
		return 0, "has a host that is none"
	case text == "::1":
		return nativeHost, ""
	case a.Is4In6() && postern.GlobalUnicast(a):
		return 0, "has an IPv4 address written as IPv6; use a name"
	case a.Is4In6():
		return privateHost, ""
	case a.IsLoopback():
		return loopbackHost, ""
	case postern.GlobalUnicast(a):
		return publicAddress, ""
	}
	return privateHost, ""
}

// forbidden are ports where something else than a web server listens: those
// that browsers refuse (WHATWG Fetch, "port blocking"), and databases (WH-09).
var forbidden = map[int]bool{
	1: true, 7: true, 9: true, 11: true, 13: true, 15: true, 17: true, 19: true, 20: true, 21: true, 22: true,
	23: true, 25: true, 37: true, 42: true, 43: true, 53: true, 69: true, 77: true, 79: true, 87: true, 95: true,
	101: true, 102: true, 103: true, 104: true, 109: true, 110: true, 111: true, 113: true, 115: true, 117: true,
	119: true, 123: true, 135: true, 137: true, 139: true, 143: true, 161: true, 179: true, 389: true, 427: true,
	445: true, 465: true, 512: true, 513: true, 514: true, 515: true, 526: true, 530: true, 531: true, 532: true,
	540: true, 548: true, 554: true, 556: true, 563: true, 587: true, 601: true, 636: true, 989: true, 990: true,
	993: true, 995: true, 1433: true, 1521: true, 1719: true, 1720: true, 1723: true, 2049: true, 2375: true,
	2379: true, 2380: true, 3306: true, 3389: true, 3659: true, 4045: true, 5060: true, 5061: true, 5432: true,
	5984: true, 6000: true, 6379: true, 6566: true, 6665: true, 6666: true, 6667: true, 6668: true, 6669: true,
	6697: true, 9042: true, 9200: true, 9300: true, 10080: true, 11211: true, 27017: true,
}

func (r urlRule) aboutPort(port int, host string) string {
	kind, _ := kindOfHost(host)
	if r.fetched && forbidden[port] && kind != nativeHost && kind != loopbackHost {
		return fmt.Sprintf("has the port %d, where no web server belongs; use another", port)
	}
	return ""
}

// aboutPath refuses what browsers resolve before they send it: the address that
// they go to would not be the one that is written (AZ-04).
func aboutPath(text string) string {
	path, _, _ := strings.Cut(text, "?")
	for _, segment := range strings.Split(path, "/") {
		switch strings.ReplaceAll(strings.ToLower(segment), "%2e", ".") {
		case ".", "..":
			return "has . or .. in its path; write the path that is meant"
		}
	}
	return ""
}

// added are the parameters that callbacks carry. A registered URL that has them
// already would carry them twice (R25).
var added = []string{"code", "state", "error", "error_description", "iss"}

func (r urlRule) aboutRedirect(rest string) string {
	if !r.redirect {
		return ""
	}
	_, query, _ := strings.Cut(rest, "?")
	for _, parameter := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(parameter, "=")
		for _, one := range added {
			if name == one {
				return fmt.Sprintf("has the parameter %q, which every callback adds; remove it", one)
			}
		}
	}
	return ""
}
