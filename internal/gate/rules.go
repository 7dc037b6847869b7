package gate

import (
	"encoding/json"
	"net/http"

	"postern.dev/postern/internal/routes"
)

// Rules tells APIs the rules for routes, so that they may hold calls against
// them themselves: GET /routes, for an API's credentials (docs/checking.md).
type Rules struct {
	// Routes is nil where there are none.
	Routes *routes.Table
	API    Prove
}

// ServeHTTP tells the rules, or 404 where there are none.
func (s *Rules) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		http.Error(w, "Ask with GET.", http.StatusMethodNotAllowed)
		return
	}
	if !proved(w, r, s.API) {
		return
	}
	if s.Routes == nil {
		http.Error(w, "There are no rules for routes: the key routes of the configuration names their file.", http.StatusNotFound)
		return
	}
	text, err := json.Marshal(s.Routes.List())
	if err != nil {
		http.Error(w, "The rules cannot be written.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.Write(text)
}
