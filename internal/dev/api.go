package dev

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// gateway does what a gateway in front of an API does: it asks the server's
// /check about every call, passes on who is calling, and hands the refusal back
// otherwise. The API behind it never sees a token that is not good.
type gateway struct {
	check  string // the internal listener's /check
	client *http.Client
}

// posternHeaders say who is calling. What a caller sends under these names is
// dropped.
var posternHeaders = []string{"X-Postern-App", "X-Postern-Account", "X-Postern-User", "X-Postern-Scopes", "X-Postern-Connection"}

// demand lets a call pass whose token is good and has the scope; empty: any.
func (g *gateway) demand(scope string, next http.HandlerFunc) http.HandlerFunc {
	address := g.check
	if scope != "" {
		address += "?scope=" + url.QueryEscape(scope)
	}
	return func(w http.ResponseWriter, r *http.Request) {
		ask, err := http.NewRequestWithContext(r.Context(), http.MethodGet, address, nil)
		if err != nil {
			http.Error(w, "The gateway is set up wrongly.", http.StatusInternalServerError)
			return
		}
		ask.Header = r.Header.Clone()
		for _, h := range []string{"Connection", "Content-Length", "Content-Type", "Transfer-Encoding", "Upgrade"} {
			ask.Header.Del(h)
		}
		answer, err := g.client.Do(ask)
		if err != nil { // no answer is a no
			w.Header().Set("Retry-After", "1")
			http.Error(w, "The token check does not answer.", http.StatusServiceUnavailable)
			return
		}
		defer answer.Body.Close()
		if answer.StatusCode != http.StatusOK {
			hand(w, answer)
			return
		}
		for _, h := range posternHeaders {
			r.Header.Set(h, answer.Header.Get(h))
		}
		next(w, r)
	}
}

// newAPI is the company's API, as small as can be.
func newAPI(g *gateway) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /candidates", g.demand("", list("candidates", "Rosalind Fry", "Tomasz Nowak", "Yuki Mori")))
	mux.HandleFunc("GET /invoices", g.demand("invoices.read", list("invoices", "2026-001", "2026-002")))
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = w.Write([]byte("The sample API: GET /candidates with an access token; GET /invoices also wants the scope invoices.read.\n"))
	})
	return mux
}

// list answers with some things, and with who the API was told is calling.
func list(name string, things ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		w.Header().Set("Cache-Control", "no-store")
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		_ = e.Encode(map[string]any{ // the caller went away: nothing to tell it
			name: things,
			"caller": map[string]any{
				"app": r.Header.Get("X-Postern-App"), "account": r.Header.Get("X-Postern-Account"), "user": r.Header.Get("X-Postern-User"),
				"scopes": strings.Fields(r.Header.Get("X-Postern-Scopes")), "connection": r.Header.Get("X-Postern-Connection"),
			},
		})
	}
}
