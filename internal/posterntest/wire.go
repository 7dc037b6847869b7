package posterntest

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// App is a partner's app as its developer knows it.
type App struct {
	ID, Secret  string
	Name        string
	RedirectURL string
	Dialect     string // in which it talks; empty: none of those below
}

// In is the same app speaking another dialect.
func (a App) In(dialect string) App {
	a.Dialect = dialect
	return a
}

// wire is what a partner's own code knows of a dialect: the requests of its
// guide, and no more.
type wire struct {
	authorize func(a App) (path string, query url.Values)
	redeem    func(a App, code string) Request
	refresh   func(a App, refreshToken string) Request
	// call is a call of the API with an access token: the dialect's test call.
	call func(token string) Request
	// revoke ends a token; in xref all that it stands for.
	revoke func(a App, token string) Request
}

var wires = map[string]wire{
	"xref": {
		authorize: func(a App) (string, url.Values) {
			return "/oauth/open-api/" + url.PathEscape(a.ID), url.Values{}
		},
		redeem: func(a App, code string) Request {
			return PostJSON("/oauth/tokens", "client_id", a.ID, "client_secret", a.Secret, "code", code)
		},
		call: func(token string) Request {
			return Request{Path: "/auth"}.Authorized("Token " + token)
		},
		revoke: func(_ App, token string) Request {
			return Request{Path: "/oauth/deauthorize"}.Authorized("Token " + token)
		},
	},
	"xeebo": {
		authorize: func(a App) (string, url.Values) {
			return "/xeebo/oauth/authorize", url.Values{"client_id": {a.ID}, "redirect_uri": {a.RedirectURL},
				"response_type": {"code"}, "scope": {"candidates.read,jobs.read"}, "display": {"page"}}
		},
		redeem: func(a App, code string) Request {
			return PostJSON("/xeebo/oauth/token", "client_id", a.ID, "client_secret", a.Secret,
				"grant_type", "authorization_code", "code", code)
		},
		refresh: func(a App, token string) Request {
			return PostJSON("/xeebo/oauth/token", "client_id", a.ID, "client_secret", a.Secret,
				"grant_type", "refresh_token", "refresh_token", token)
		},
		call: func(token string) Request {
			return Request{Method: http.MethodGet, Path: "/xeebo/oauth/me"}.Authorized("Bearer " + Base64(token))
		},
		revoke: func(a App, token string) Request {
			return PostJSON("/xeebo/oauth/revoke", "client_id", a.ID, "client_secret", a.Secret, "token", token)
		},
	},
	"standard": {
		authorize: func(a App) (string, url.Values) {
			return "/oauth/authorize", url.Values{"client_id": {a.ID}, "redirect_uri": {a.RedirectURL},
				"response_type": {"code"}, "scope": {"candidates.read jobs.read"}}
		},
		redeem: func(a App, code string) Request {
			return a.authenticate(PostForm("/oauth/token", "grant_type", "authorization_code", "code", code,
				"redirect_uri", a.RedirectURL))
		},
		refresh: func(a App, token string) Request {
			return a.authenticate(PostForm("/oauth/token", "grant_type", "refresh_token", "refresh_token", token))
		},
		revoke: func(a App, token string) Request {
			return a.authenticate(PostForm("/oauth/revoke", "token", token))
		},
	},
}

// authenticate is HTTP Basic (RFC 6749 §2.3.1) for apps with a secret, and the
// client_id in the body for those without.
func (a App) authenticate(r Request) Request {
	if a.Secret == "" {
		r.Body += "&client_id=" + url.QueryEscape(a.ID)
		return r
	}
	return r.Authorized(Basic(a.ID, a.Secret))
}

// Basic is a value of the Authorization header.
func Basic(id, secret string) string {
	return "Basic " + Base64(url.QueryEscape(id)+":"+url.QueryEscape(secret))
}

// Base64 is RFC 4648 §4.
func Base64(text string) string { return base64.StdEncoding.EncodeToString([]byte(text)) }

// PostJSON is a request with these members, in order (name, value, name, value …).
func PostJSON(path string, members ...string) Request {
	var b strings.Builder
	for i := 0; i+1 < len(members); i += 2 {
		sep := ","
		if i == 0 {
			sep = "{"
		}
		fmt.Fprintf(&b, "%s%s:%s", sep, quoted(members[i]), quoted(members[i+1]))
	}
	b.WriteByte('}')
	return PostRaw(path, "application/json", b.String())
}

func quoted(text string) string {
	q, err := json.Marshal(text)
	if err != nil { // a string always can
		panic(err)
	}
	return string(q)
}

// PostRaw is a request with this body as this media type; "" for none.
func PostRaw(path, mediaType, body string) Request {
	r := Request{Path: path, Body: body}
	if mediaType == "" {
		return r
	}
	return r.With("Content-Type", mediaType)
}

// PostForm is a request with these fields (name, value, name, value …).
func PostForm(path string, fields ...string) Request {
	v := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		v.Add(fields[i], fields[i+1])
	}
	return PostRaw(path, "application/x-www-form-urlencoded", v.Encode())
}
