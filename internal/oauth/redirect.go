package oauth

import (
	"net/url"
	"strconv"
	"strings"

	"postern.dev/postern"
)

// registeredURI finds the registered redirect URL that the asked one stands
// for, comparing byte for byte (RFC 9700 §2.1). Only a loopback port may
// differ, and only for public apps (RFC 8252 §7.3).
func registeredURI(app *postern.App, asked string) (registered string, ok bool) {
	for _, r := range app.RedirectURLs {
		if r == asked {
			return r, true
		}
	}
	if !app.Public {
		return "", false
	}
	for _, r := range app.RedirectURLs {
		if sameButLoopbackPort(r, asked) {
			return r, true
		}
	}
	return "", false
}

// nearest is the registered URL that the asked one was most likely meant to be:
// the one with which it begins, or ends, alike for longest. It is for the request
// log alone, and decides nothing.
func nearest(registered []string, asked string) string {
	best, most := "", -1
	for _, r := range registered {
		if n := alike(r, asked); n > most {
			best, most = r, n
		}
	}
	return best
}

// alike counts how much two texts begin and end alike.
func alike(a, b string) int {
	shorter := min(len(a), len(b))
	begin, end := 0, 0
	for begin < shorter && a[begin] == b[begin] {
		begin++
	}
	for end < shorter-begin && a[len(a)-1-end] == b[len(b)-1-end] {
		end++
	}
	return begin + end
}

// sameButLoopbackPort compares everything but the port, byte for byte, and
// only where both hosts are loopback.
func sameButLoopbackPort(registered, asked string) bool {
	a, rest, ok := cutLoopbackPort(registered)
	if !ok {
		return false
	}
	b, askedRest, ok := cutLoopbackPort(asked)
	return ok && a == b && rest == askedRest
}

// cutLoopbackPort parts "http://127.0.0.1:8080/cb" into "http://127.0.0.1" and
// "/cb". It works on the text itself, so nothing is normalised on the way.
func cutLoopbackPort(text string) (origin, rest string, ok bool) {
	u, err := url.Parse(text)
	if err != nil || u.User != nil || u.Scheme != "http" {
		return "", "", false
	}
	for _, host := range []string{"http://127.0.0.1", "http://[::1]", "http://localhost"} {
		rest, found := strings.CutPrefix(text, host)
		if !found {
			continue
		}
		if port, has := strings.CutPrefix(rest, ":"); has {
			digits := len(port) - len(strings.TrimLeft(port, "0123456789"))
			n, err := strconv.Atoi(port[:digits])
			if err != nil || n < 1 || n > 65535 || port[0] == '0' {
				return "", "", false
			}
			rest = port[digits:]
		}
		if rest == "" || rest[0] == '/' || rest[0] == '?' {
			return host, rest, true
		}
	}
	return "", "", false
}
