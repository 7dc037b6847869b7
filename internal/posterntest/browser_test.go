package posterntest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"testing"
)

const twoApps = `<!doctype html><title>x</title><section><h1>Connections</h1><ul>
<li>First <form method=post action="/end"><input type=hidden name=id value=1><button>Disconnect</button></form></li>
<li>Second <form method=post action="/end"><input type=hidden name=id value=2><button>Disconnect</button></form></li>
</ul></section>`

const asking = `<!doctype html><title>x</title><form method=post action="">
<input type=hidden name=csrf value="a&amp;b"><input type=radio name=account value=1><input type=radio name=account value=2 checked>
<select name=role><option value=m>M<option value=a selected>A</select>
<button name=decision value=allow>Allow</button> <button name=decision value=deny>Deny</button></form>`

func TestTheBrowserSendsWhatThePageSays(t *testing.T) {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /ask", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, asking) })
	mux.HandleFunc("GET /list", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, twoApps) })
	mux.HandleFunc("POST /ask", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Sec-Fetch-Site") != "same-origin" {
			t.Error("the form came from nowhere")
		}
		r.ParseForm()
		http.Redirect(w, r, "https://partner.test/cb?"+r.PostForm.Encode(), http.StatusSeeOther)
	})
	mux.HandleFunc("POST /end", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.FormValue("id")) })
	server := httptest.NewServer(mux)
	defer server.Close()

	b := NewBrowser(t, server.URL)
	callback := b.Allow(b.Get("/ask"), "account", "1")
	if callback.Status != http.StatusSeeOther || callback.Query.Encode() != "account=1&csrf=a%26b&decision=allow&role=a" {
		t.Errorf("Allow sent %+v", callback)
	}
	if q := b.Deny(b.Get("/ask")).Query; q.Get("decision") != "deny" || q.Get("account") != "2" {
		t.Errorf("Deny sent %v", q)
	}
	if got := b.pressBeside(b.Get("/list"), "Second", "Disconnect").Body; got != "2" {
		t.Errorf("pressing beside Second ended connection %s", got)
	}
}
