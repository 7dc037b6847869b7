package gate

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/routes"
)

// asked is what a gateway asks: about which call, and what it demands of it.
// All of it is the gateway's own word. Nothing that the caller can choose is
// read as a demand.
type asked struct {
	scopes  []string
	account string
	dialect string
	rests   bool // say what the answer rests on
	refusal bool // the answer goes to the caller: it is never a yes
	unruled bool // the rules for routes do not count

	call *call // nil: the gateway has not told it
}

// call is the call that a gateway asks about, as it came.
type call struct{ method, host, path, query string }

const (
	path      = "/check"
	envoyPath = "/check/envoy/"
	// withPath goes before what Envoy demands: /check/with/scope=a+b/envoy/…. The
	// caller's own path comes after it, whatever it is.
	withPath = "/check/with/"
)

// ask reads what a gateway asks. A status other than 0 is the answer, with a
// word about what is wrong.
func (g *Gate) ask(r *http.Request) (a *asked, status int, problem string) {
	at := routes.PathOf(r.URL)
	switch {
	case at == path:
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			return nil, http.StatusMethodNotAllowed, "Ask with GET."
		}
		a, problem = g.askPlain(r)
	case strings.HasPrefix(at, envoyPath):
		a = &asked{call: behind(r, strings.TrimPrefix(at, strings.TrimSuffix(envoyPath, "/")))}
	case strings.HasPrefix(at, withPath):
		demands, rest, ok := strings.Cut(strings.TrimPrefix(at, withPath), "/envoy/")
		if !ok || strings.Contains(demands, "/") {
			return nil, http.StatusNotFound, "There is nothing here."
		}
		a, problem = g.askEnvoy(demands)
		a.call = behind(r, "/"+rest)
	default:
		return nil, http.StatusNotFound, "There is nothing here."
	}
	if problem != "" {
		return nil, http.StatusBadRequest, problem
	}
	return a, 0, ""
}

// behind is the call as Envoy tells it: the request to us has its method, host
// and query, and its path after the prefix.
func behind(r *http.Request, path string) *call {
	return &call{r.Method, r.Host, path, r.URL.RawQuery}
}

// askEnvoy reads the demands in Envoy's prefix.
func (g *Gate) askEnvoy(demands string) (*asked, string) {
	q, err := url.ParseQuery(demands)
	if err != nil {
		return &asked{}, "The demands in the prefix cannot be read; write them as in /check/with/scope=a+b/envoy."
	}
	for name := range q {
		if name != "scope" && name != "account" && name != "dialect" {
			return &asked{}, fmt.Sprintf("The demand %.64q is not known here; there are scope, account and dialect.", name)
		}
	}
	return g.demands(q)
}

// askPlain reads the parameters of /check. One that is misspelt is a mistake to
// be told: a typo for scope must not open an API.
func (g *Gate) askPlain(r *http.Request) (*asked, string) {
	q := r.URL.Query()
	for name := range q {
		switch name {
		case "scope", "account", "dialect", "rests", "refusal", "call", "routes":
		default:
			if !slices.ContainsFunc(g.Dialects.List(), func(d *dialect.Dialect) bool { return d.TakesQuery(name) }) {
				return nil, fmt.Sprintf("The parameter %.64q is not known here; there are scope, account, dialect, call and routes.", name)
			}
		}
	}
	a, problem := g.demands(q)
	if problem != "" {
		return nil, problem
	}
	a.rests, a.refusal, a.unruled = q.Has("rests"), q.Has("refusal"), q.Has("routes")
	switch {
	case a.unruled && q.Get("routes") != "off":
		return nil, "The parameter routes has the one value off: then the rules for routes do not count."
	case q.Has("call"):
		if a.call, problem = told(r.Header, q.Get("call")); problem != "" {
			return nil, problem
		}
	case g.Routes != nil && !a.unruled:
		return nil, "There are rules for routes, so say in which headers the call is told: call=original or call=forwarded. routes=off asks without the rules."
	}
	return a, ""
}

// demands are those that all gateways may have.
func (g *Gate) demands(q url.Values) (*asked, string) {
	for name, values := range q {
		if len(values) > 1 {
			return &asked{}, fmt.Sprintf("The parameter %.64q is given twice.", name)
		}
	}
	a := &asked{scopes: strings.Fields(q.Get("scope")), account: q.Get("account"), dialect: q.Get("dialect")}
	if a.dialect != "" {
		if _, ok := g.Dialects.Get(a.dialect); !ok {
			return a, fmt.Sprintf("No dialect is called %.64q here.", a.dialect)
		}
	}
	return a, ""
}

// told reads the call from the headers that this gateway sets, and no others: a
// caller may send any that it does not.
//
//   - forwarded: X-Forwarded-Method, -Host and -Uri, as Traefik and Caddy set them
//   - original: X-Original-Method and X-Original-URL, as nginx is told to and
//     ingress-nginx does
func told(h http.Header, how string) (*call, string) {
	one := func(name string) string {
		if values := h.Values(name); len(values) == 1 {
			return values[0]
		}
		return ""
	}
	c, target := &call{}, ""
	switch how {
	case "forwarded":
		c.method, c.host, target = one("X-Forwarded-Method"), one("X-Forwarded-Host"), one("X-Forwarded-Uri")
	case "original":
		c.method = one("X-Original-Method")
		_, address, _ := strings.Cut(one("X-Original-Url"), "://")
		if i := strings.IndexByte(address, '/'); i >= 0 {
			c.host, target = address[:i], address[i:]
		}
	default:
		return nil, fmt.Sprintf("The parameter call is original or forwarded, not %.64q.", how)
	}
	if c.method == "" || c.host == "" || target == "" {
		return nil, fmt.Sprintf("The gateway does not tell the call: with call=%s it sets %s, each once.", how,
			map[string]string{"forwarded": "X-Forwarded-Method, X-Forwarded-Host and X-Forwarded-Uri", "original": "X-Original-Method and X-Original-URL"}[how])
	}
	c.path, c.query, _ = strings.Cut(target, "?")
	return c, ""
}
