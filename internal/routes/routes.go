// Package routes is what each call of an API needs: rules from methods and
// paths to scopes, in the patterns of net/http. The gate and the guard hold
// calls against them, and partners' guides show them.
package routes

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"
)

// Rule says what the calls of a route need.
type Rule struct {
	// Route is a pattern as http.ServeMux has it: "GET /v1/jobs/{id}". Without a
	// method it holds for all of them, with a host for that host alone.
	Route string `json:"route"`
	// Scopes are needed all together; none: any live token will do.
	Scopes []string `json:"scopes"`
	// Public calls need no token.
	Public bool `json:"public,omitempty"`
}

// List is a whole set of rules, as GET /routes says it.
type List struct {
	// AnyToken: a call without a rule needs just a live token. Otherwise it is
	// refused.
	AnyToken bool `json:"any_token"`
	// Scopeless are dialects without scopes whose tokens pass all rules for scopes.
	Scopeless []string `json:"scopeless,omitempty"`
	Rules     []Rule   `json:"routes"`
}

// Mistake is what is wrong with one rule.
type Mistake struct {
	Rule int    // its place in the list
	Key  string // route, scopes or public
	Msg  string
}

// Table is a compiled list. Its methods may be called at once.
type Table struct {
	list List
	mux  *http.ServeMux
}

// Why no rule is found.
var (
	ErrUnclean = errors.New("the method or path can be read in more than one way")
	ErrNoRule  = errors.New("no rule is about this call")
)

// New compiles rules; all mistakes are told at once.
func New(l List) (*Table, []Mistake) {
	t := &Table{list: l, mux: http.NewServeMux()}
	var found []Mistake
	for i := range l.Rules {
		r := &l.Rules[i]
		for _, s := range r.Scopes {
			if !scopeToken(s) {
				found = append(found, Mistake{i, "scopes", fmt.Sprintf("%q is no scope: a scope has no spaces, quotes or backslashes (RFC 6749 §3.3)", s)})
			}
		}
		if r.Public && len(r.Scopes) > 0 {
			found = append(found, Mistake{i, "public", "a public call needs no scopes; write one of the two"})
		}
		if msg := unreachable(r.Route); msg != "" {
			found = append(found, Mistake{i, "route", msg})
		} else if msg := t.add(i); msg != "" {
			found = append(found, Mistake{i, "route", msg})
		}
	}
	return t, found
}

// ruled is a rule where the mux keeps handlers.
type ruled struct{ *Rule }

func (ruled) ServeHTTP(http.ResponseWriter, *http.Request) {}

func (t *Table) add(i int) string {
	r := &t.list.Rules[i]
	if try(t.mux, r) == nil {
		return ""
	}
	for j := range i {
		pair := http.NewServeMux()
		if try(pair, &t.list.Rules[j]) != nil {
			continue
		}
		if try(pair, r) != nil && try(http.NewServeMux(), r) == nil {
			return fmt.Sprintf("it and %q both match some calls, and neither is the more specific one; write them so that one contains the other", t.list.Rules[j].Route)
		}
	}
	why := try(http.NewServeMux(), r).Error()
	if _, after, ok := strings.Cut(why, `": `); ok { // what net/http says first is the pattern
		why = after
	}
	return fmt.Sprintf("%q is no pattern: %s; write it as in GET /v1/jobs/{id}", r.Route, why)
}

// try registers a rule; net/http tells what is wrong with it by a panic.
func try(mux *http.ServeMux, r *Rule) (err error) {
	defer func() {
		if why := recover(); why != nil {
			err = fmt.Errorf("%v", why)
		}
	}()
	mux.Handle(r.Route, ruled{r})
	return nil
}

// unreachable says why no call that Find takes could ever match a pattern.
func unreachable(pattern string) string {
	method, rest, ok := strings.Cut(pattern, " ")
	if !ok {
		method, rest = "", pattern
	}
	host, path, hasPath := strings.Cut(strings.TrimLeft(rest, " \t"), "/")
	switch {
	case ok && !cleanMethod(method):
		return fmt.Sprintf("%q is no method: write it in capital letters, as in GET /v1/jobs", method)
	case hasPath && host != strings.ToLower(host):
		return fmt.Sprintf("write the host %q in small letters", host)
	case strings.ContainsAny(path, `%\;?#`):
		return "write the path as it reads, without %, \\, ;, ? and #"
	}
	return ""
}

func scopeToken(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' || r == '"' || r == '\\' })
}

// List is what the table was made of.
func (t *Table) List() List { return t.list }

// Needs are the scopes that a token of a dialect must have for a rule's calls.
func (t *Table) Needs(r Rule, dialect string) []string {
	if slices.Contains(t.list.Scopeless, dialect) {
		return nil
	}
	return r.Scopes
}

// Find is the rule for a call: its method, host and path as they came, the path
// percent-encoded and without the query. The error is ErrUnclean for what two
// programs may read differently – it is refused, never matched loosely – or
// ErrNoRule where a call without a rule is refused.
func (t *Table) Find(method, host, path string) (Rule, error) {
	if !cleanMethod(method) || !Clean(path) {
		return Rule{}, ErrUnclean
	}
	plain, err := url.PathUnescape(path)
	if err != nil {
		return Rule{}, ErrUnclean
	}
	h, _ := t.mux.Handler(&http.Request{
		Method: method, Host: plainHost(host), URL: &url.URL{Path: plain, RawPath: path},
	})
	if r, ok := h.(ruled); ok { // else a redirect or a refusal of the mux's own
		return *r.Rule, nil
	}
	if t.list.AnyToken {
		return Rule{}, nil
	}
	return Rule{}, ErrNoRule
}

// PathOf is the path of a request as it came. URL.EscapedPath is it only where
// every character stands as it must: else it is another path, written anew, in
// which an encoded slash has become a slash.
func PathOf(u *url.URL) string {
	if u.RawPath != "" {
		return u.RawPath
	}
	return u.EscapedPath()
}

// plainHost is a host as rules have it: hosts know no case, and one may end in a
// dot.
func plainHost(host string) string {
	name, port := host, ""
	if i := strings.LastIndexByte(host, ':'); i > strings.LastIndexByte(host, ']') {
		name, port = host[:i], host[i:]
	}
	return strings.ToLower(strings.TrimSuffix(name, ".")) + port
}

// cleanMethod: RFC 9110 §9.1 has methods differ by case, some servers do not.
func cleanMethod(method string) bool {
	const longest = 32
	return method != "" && method != http.MethodConnect && len(method) <= longest &&
		!strings.ContainsFunc(method, func(r rune) bool { return (r < 'A' || r > 'Z') && r != '-' })
}

// Clean reports whether every program reads a path, as it came, in the same
// way: no empty and no dot segments, no path parameters, no backslashes, and
// nothing percent-encoded that need not be or that would divide it.
func Clean(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c <= ' ' || c >= 0x7f, strings.IndexByte(`\;?#`, c) >= 0:
			return false
		case c == '%':
			if i+2 >= len(path) || !harmless(path[i+1], path[i+2]) {
				return false
			}
			i += 2
		}
	}
	segments := strings.Split(path[1:], "/")
	for i, s := range segments {
		if s == "." || s == ".." || s == "" && i != len(segments)-1 {
			return false
		}
	}
	// What is no UTF-8 once decoded, such as a slash in two bytes, is read
	// differently by different programs.
	plain, err := url.PathUnescape(path)
	return err == nil && utf8.ValidString(plain)
}

// harmless reports whether two hexadecimal digits encode something that stays
// inside its segment however often it is decoded: no letters and digits, which
// nobody needs to encode, no dot, slash, backslash, semicolon, percent sign or
// control character.
func harmless(hi, lo byte) bool {
	h, ok := unhex(hi)
	l, ok2 := unhex(lo)
	c := h<<4 | l
	switch {
	case !ok || !ok2, c < ' ' || c == 0x7f, strings.IndexByte(`./\;%`, c) >= 0:
		return false
	case '0' <= c && c <= '9', 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z':
		return false
	}
	return true
}

func unhex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
