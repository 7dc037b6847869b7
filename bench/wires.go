package main

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// wire is a dialect as one of its apps speaks it.
type wire struct {
	name, app, level, scopes string
	sendsURI                 bool
	token                    string // where tokens are had
	json                     bool   // how it is asked for them
	credential               func(token string) string
	refreshes                bool
	byItself                 bool // may have tokens of its own, too (client credentials)
}

var wires = []wire{
	{name: "standard", app: "bench", level: "account", scopes: "read", sendsURI: true, token: "/oauth/token", refreshes: true, byItself: true,
		credential: func(token string) string { return "Bearer " + token }},
	{name: "xref", app: "bench-xref", level: "account", token: "/oauth/tokens", json: true,
		credential: func(token string) string { return "Token " + token }},
	{name: "xeebo", app: "bench-xeebo", level: "user", scopes: "read", token: "/xeebo/oauth/token", json: true, refreshes: true,
		credential: func(token string) string { return "Bearer " + base64.StdEncoding.EncodeToString([]byte(token)) }},
}

// ask is a request for tokens (name, value, name, value …) with the app's secret.
func (w *wire) ask(base string, fields ...string) (*http.Request, error) {
	body, kind := "", "application/json"
	if w.json {
		members := map[string]string{"client_id": w.app, "client_secret": secret}
		for i := 0; i < len(fields); i += 2 {
			members[fields[i]] = fields[i+1]
		}
		text, err := json.Marshal(members)
		if err != nil {
			return nil, err
		}
		body = string(text)
	} else {
		v := url.Values{"client_id": {w.app}, "client_secret": {secret}}
		for i := 0; i < len(fields); i += 2 {
			v.Set(fields[i], fields[i+1])
		}
		body, kind = v.Encode(), "application/x-www-form-urlencoded"
	}
	req, err := http.NewRequest(http.MethodPost, base+w.token, strings.NewReader(body))
	if err == nil {
		req.Header.Set("Content-Type", kind)
	}
	return req, err
}

func (w *wire) exchange(base, code string) (*http.Request, error) {
	if w.sendsURI {
		return w.ask(base, "grant_type", "authorization_code", "code", code, "redirect_uri", callback)
	}
	return w.ask(base, "grant_type", "authorization_code", "code", code)
}

func (w *wire) refresh(base, token string) (*http.Request, error) {
	return w.ask(base, "grant_type", "refresh_token", "refresh_token", token)
}
