package admin

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"
)

// I-43: every route needs a credential, and nothing beside the table answers.
func TestI43_NothingIsOpen(t *testing.T) {
	d := New(Config{Log: slog.New(slog.DiscardHandler)})
	for _, r := range routes {
		method, path, _ := strings.Cut(r.pattern, " ")
		if r.right == "" && !r.apps {
			t.Errorf("%s is for nobody", r.pattern)
		}
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(method, strings.NewReplacer("{app}", "x", "{event}", "e").Replace(path), nil))
		if w.Code != 401 || w.Header().Get("WWW-Authenticate") == "" || w.Header().Get("Cache-Control") != "no-store" {
			t.Errorf("%s without a credential: %d %v", r.pattern, w.Code, w.Header())
		}
	}
	for target, want := range map[string]int{
		"GET /api/v1/": 404, "GET /api/v1/apps": 404, "DELETE /api/v1/events": 405, "GET /api/v1/events/../events": 404, "GET /api/v1//events": 404,
	} {
		method, path, _ := strings.Cut(target, " ")
		w := httptest.NewRecorder()
		d.ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Code != want || !json.Valid(w.Body.Bytes()) || w.Header().Get("Location") != "" {
			t.Errorf("%s: %d, not %d: %s", target, w.Code, want, w.Body)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, text := range []string{`{"type":"a.b","account_id":"x","data":{"a":[1,{"b":null}]}}`, `{"type":1}`, `{"a":1,"a":2}`, `[`, "\xff", `{}{}`, strings.Repeat("[", 100)} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var p publication
		if decode(b, &p) == nil && !json.Valid(b) {
			t.Errorf("%q was read", b)
		}
	})
}
