// Package dialect is the door of partners' machines. It reads dialects – YAML
// files that say how an OAuth server looks on the wire – and serves them: a
// request in any dialect passes a reader, a rule of the engine and a writer.
//
// It owns the language (docs/dialects.md) and decides nothing: what is allowed is
// the engine's affair, whatever a file says.
package dialect

import (
	"fmt"
	"regexp"
	"slices"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/yamlfile"
)

// Dialect is one wire, compiled from its file.
type Dialect struct {
	name string
	file string
	base string
	node *yamlfile.Node // the file with its base laid under

	loginHost, apiHost []part

	terms    oauth.Terms
	scopes   scopeSyntax
	verifier int // longest PKCE verifier
	tenant   string
	grants   []grant
	imported *regexp.Regexp // tokens of another form that were moved in
	keep     []kept
	variants []variant
	texts    []member

	endpoints []*endpoint
	allowed   *object // the callback's parameters
	failed    *object
	sign      *signature // of the callback; nil: none
	api       presentation
	apiErrors *errorTable
	challenge *string // fixed by the file; nil: made of scheme, name and error
	eventData *object
	events    []legacyEvent
	insecure  []Insecurity
	apps      AppRules
}

// scopeSyntax says how scopes are written in requests and answers.
type scopeSyntax struct {
	split string // the separating characters
	join  string
}

// grant is a grant_type of the wire and what it means.
type grant struct {
	name    string
	meaning meaning
}

type meaning uint8

const (
	byCode meaning = iota + 1
	byRefresh
	byClient
	byRenewal
)

var meanings = map[string]meaning{"code": byCode, "refresh": byRefresh, "client": byClient, "renew": byRenewal}

// kept is a further parameter that is stored with the grant.
type kept struct {
	name   string
	places []place
}

// endpoint is one address of a dialect with its reader and its writer.
type endpoint struct {
	kind     endpointKind
	node     *yamlfile.Node // its block, or the whole file where it has none
	own      bool           // the file writes it
	routes   []*route
	accepts  []accepted
	inputs   [inputs]input
	known    map[string]bool // parameters that may not be given twice
	headers  []string        // that a request must have
	token    presentation    // holders' endpoints: where the token is
	answer   *answer
	errors   *errorTable
	byHolder bool
	refresh  bool // the holder shows a refresh token
	ends     bool // revocation ends the connection
	refuses  bool // an unknown token is refused
	cors     bool
}

type endpointKind uint8

const (
	authorizeEndpoint endpointKind = iota
	tokenEndpoint
	refreshEndpoint
	revokeEndpoint
	introspectEndpoint
	whoamiEndpoint
	metadataEndpoint
	jwksEndpoint
)

func (k endpointKind) String() string {
	return [...]string{"authorize", "token", "refresh", "revoke", "introspect", "whoami", "metadata", "jwks"}[k]
}

// Insecurity is an insecure_ key that a file sets, with its reason.
type Insecurity struct {
	Key     string
	Because string
}

// Name is the dialect's name.
func (d *Dialect) Name() string { return d.name }

// Base is the path under which the dialect is mounted.
func (d *Dialect) Base() string { return d.base }

// Terms are what the engine grants in this dialect.
func (d *Dialect) Terms() *oauth.Terms { return &d.terms }

// fits reports whether a text could be an access token of this dialect: of its
// form, or of one that was moved in. It is a filter before the look-up.
func (d *Dialect) fits(token postern.Secret) bool {
	for _, v := range d.variants {
		if v.terms.Access.Form.Matches(token) {
			return true
		}
	}
	if d.SignedTokens() && postern.LooksSigned(token) {
		return true
	}
	if s := d.terms.Second; s != nil && s.Form.Matches(token) {
		return true
	}
	return d.terms.Access.Form.Matches(token) || d.imported != nil && d.imported.MatchString(string(token))
}

// fitsRefresh is fits for refresh tokens.
func (d *Dialect) fitsRefresh(token postern.Secret) bool {
	for _, v := range d.variants {
		if r := v.terms.Refresh; r != nil && r.Form.Matches(token) {
			return true
		}
	}
	return d.terms.Refresh != nil && d.terms.Refresh.Form.Matches(token)
}

// Level is whom a connection belongs to, of apps that do not say.
func (d *Dialect) Level() postern.Level { return d.terms.Level }

// Insecure are the weakenings that the file asks for.
func (d *Dialect) Insecure() []Insecurity { return slices.Clone(d.insecure) }

// Set is all dialects that are mounted, by name and by route.
type Set struct {
	dialects []*Dialect
	router   *router
}

// NewSet mounts dialects side by side. Two that claim one route, or one name,
// are an error that names both.
func NewSet(dialects ...*Dialect) (*Set, error) {
	s := &Set{}
	var routes []*route
	for _, d := range dialects {
		if _, twice := s.Get(d.name); twice {
			return nil, fmt.Errorf("two dialects are called %s; give one of them another name", d.name)
		}
		s.dialects = append(s.dialects, d)
		for _, e := range d.endpoints {
			routes = append(routes, d.mountedRoutes(e)...)
		}
	}
	var err error
	s.router, err = newRouter(routes)
	return s, err
}

// mountedRoutes are an endpoint's routes under the dialect's base and host.
func (d *Dialect) mountedRoutes(e *endpoint) []*route {
	base, _ := parseBase(d.base)
	host := d.apiHost
	if e.kind == authorizeEndpoint {
		host = d.loginHost
	}
	var out []*route
	for _, r := range e.routes {
		m := r.mounted(base, host)
		if e.kind == metadataEndpoint { // RFC 8414 §3.1: the issuer's path follows the well-known one
			m = r.mounted(nil, host)
			m.path = slices.Concat(m.path, base)
		}
		m.dialect, m.endpoint = d, e
		out = append(out, m)
	}
	return out
}

// parseBase reads a base path: "" or "/xeebo".
func parseBase(base string) ([]part, error) {
	if base == "" {
		return nil, nil
	}
	if base[0] != '/' {
		return nil, fmt.Errorf("base %q must begin with /", base)
	}
	parts, err := parseParts(base[1:], "/", pathCharacter)
	if err == nil && slices.ContainsFunc(parts, func(p part) bool { return p.variable }) {
		err = fmt.Errorf("base %q: variables belong into routes", base)
	}
	return parts, err
}

// Mounted is the dialect under another base and on other hosts than its file
// says; nil leaves the base, and what hosts does not name stays.
func (d *Dialect) Mounted(base *string, hosts map[string]string) (*Dialect, error) {
	m := *d
	if base != nil {
		if _, err := parseBase(*base); err != nil {
			return nil, fmt.Errorf("dialect %s: %w", d.name, err)
		}
		m.base = *base
	}
	for which, host := range hosts {
		labels, err := parseHost(host)
		if err != nil {
			return nil, fmt.Errorf("dialect %s: hosts.%s: %w", d.name, which, err)
		}
		switch which {
		case "login":
			m.loginHost = labels
		case "api":
			m.apiHost = labels
		default:
			return nil, fmt.Errorf("dialect %s: hosts.%s: a dialect has the hosts login and api", d.name, which)
		}
	}
	return &m, nil
}

// Get finds a mounted dialect.
func (s *Set) Get(name string) (*Dialect, bool) {
	for _, d := range s.dialects {
		if d.name == name {
			return d, true
		}
	}
	return nil, false
}

// List is the mounted dialects in the order of mounting.
func (s *Set) List() []*Dialect { return slices.Clone(s.dialects) }

// Routes are the dialect's routes as they are mounted, each with the endpoint
// that answers there.
func (d *Dialect) Routes() []Route {
	var out []Route
	for _, e := range d.endpoints {
		for _, r := range d.mountedRoutes(e) {
			out = append(out, Route{e.kind.String(), r.method, r.address()})
		}
	}
	return out
}

// Route is a mounted route: POST /oauth/tokens.
type Route struct{ Endpoint, Method, Address string }
