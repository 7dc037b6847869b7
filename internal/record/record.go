// Package record makes transcripts of what a live OAuth server says. It stands
// before that server as a proxy, or reads what a browser has saved (HAR), keeps
// what partners' machines say and where people are led, and writes it down with
// every secret masked.
//
// What it keeps in memory holds secrets; what it writes holds none: credentials
// become names, whatever may say who somebody is becomes a name too, people's
// pages, passwords and cookies are never kept.
package record

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Exchange is a request and its answer, as they went by.
type Exchange struct {
	Host   string // of the server
	From   string // who sent it, to tell browsers apart
	Method string
	Target string // path and query, as sent
	Header http.Header
	Body   string

	Status int
	Said   http.Header
	Answer string
	// Cut: a body was too long to be kept.
	Cut bool

	words Words
}

// Words are what a wire calls things, and what the RFCs call them: "ticket" is
// "code". A word may be a header's: "header X-App-Id".
type Words map[string]string

const headerWord = "header "

// Meanings are what a wire may call otherwise.
var Meanings = append([]string{"client_id", "client_secret", "client_assertion", "redirect_uri", "response_type", "scope", "state", "error"}, secretNames...)

// means is what the RFCs call a parameter or a member.
func (w Words) means(name string) string { return cmp.Or(w[name], name) }

// of finds what a callback's parameter of this meaning says.
func (w Words) of(query url.Values, meaning string) (value string, found bool) {
	for name, values := range query {
		if w.means(name) == meaning {
			return values[0], true
		}
	}
	return "", false
}

// path is the target without its query.
func (x *Exchange) path() string {
	path, _, _ := strings.Cut(x.Target, "?")
	return path
}

func (x *Exchange) query() string {
	_, query, _ := strings.Cut(x.Target, "?")
	return query
}

// parameter is the value of a parameter, wherever the request has it.
func (x *Exchange) parameter(name string) string {
	for _, p := range x.parameters() {
		if x.words.means(p.name) == name {
			return p.value
		}
	}
	for word, meaning := range x.words {
		if header, ok := strings.CutPrefix(word, headerWord); ok && meaning == name {
			return x.Header.Get(header)
		}
	}
	return ""
}

// parameters are those of the query and the body, in order.
func (x *Exchange) parameters() []scalar {
	return append(formScalars(x.query()), scalarsOf(mediaType(x.Header), x.Body)...)
}

func mediaType(h http.Header) string {
	media, _, _ := strings.Cut(h.Get("Content-Type"), ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// callback is the redirect to an app with what came of a question, or nil.
func (x *Exchange) callback() *url.URL {
	if x.Status < 300 || x.Status > 399 {
		return nil
	}
	to, err := url.Parse(x.Said.Get("Location"))
	if err != nil || to.Host == "" || to.Host == x.Host {
		return nil
	}
	for name := range to.Query() {
		if m := x.words.means(name); m == "code" || m == "error" {
			return to
		}
	}
	return nil
}

// passwords are parameters that only people send.
var passwords = []string{"password", "passwd", "pwd", "pass", "otp"}

// isMachine reports whether the request is a partner's machine's. Browsers send
// cookies and get pages.
func (x *Exchange) isMachine() bool {
	if x.Header.Get("Cookie") != "" || x.Said.Get("Set-Cookie") != "" && x.Status < 400 || x.Status >= 300 && x.Status < 400 {
		return false
	}
	if x.Method == http.MethodOptions || x.Method == http.MethodHead || x.Header.Get("Sec-Fetch-Dest") != "" && x.Header.Get("Sec-Fetch-Mode") != "cors" {
		return false
	}
	for _, p := range x.parameters() {
		if slices.Contains(passwords, strings.ToLower(p.name)) && x.parameter("grant_type") == "" {
			return false
		}
	}
	switch media := mediaType(x.Said); {
	case media == "text/html", media == "text/css", strings.HasPrefix(media, "image/"), strings.HasPrefix(media, "font/"),
		strings.Contains(media, "javascript"):
		return false
	}
	return true
}

// credentials are the client's id and secret, as the request has them.
func (x *Exchange) credentials() (id, secret string) {
	if user, password, ok := basicOf(x.Header); ok && password != "" {
		return user, password
	}
	return x.parameter("client_id"), x.parameter("client_secret")
}

// basicOf reads HTTP Basic as RFC 6749 §2.3.1 writes it.
func basicOf(h http.Header) (user, password string, ok bool) {
	r := http.Request{Header: h}
	if user, password, ok = r.BasicAuth(); !ok {
		return "", "", false
	}
	if u, err := url.QueryUnescape(user); err == nil {
		user = u
	}
	if p, err := url.QueryUnescape(password); err == nil {
		password = p
	}
	return user, password, true
}
