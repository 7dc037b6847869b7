package browser

import (
	"net/http"
	"net/url"

	"postern.dev/postern"
)

// Mux finds the page of a request, and lets no form of another site through.
type Mux struct {
	*http.ServeMux
	refuse  Refuse
	forgery *http.CrossOriginProtection
}

// Refuse answers where no page does: there is none at the address (404), none for
// the method (405, with Allow set), or another site sent the form (403).
type Refuse func(w http.ResponseWriter, r *http.Request, status int, err *postern.Error)

// NewMux makes one for pages that people see at an origin.
func NewMux(origin *url.URL, refuse Refuse) (*Mux, error) {
	m := &Mux{http.NewServeMux(), refuse, http.NewCrossOriginProtection()}
	// A proxy may have changed Host; the origin that people see is this one.
	return m, m.forgery.AddTrustedOrigin(origin.Scheme + "://" + origin.Host)
}

var errNoPage = postern.Errorf(postern.NotFound, "There is no page at this address.")

func (m *Mux) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if Nowhere(r.URL.Path) {
		m.refuse(w, r, http.StatusNotFound, errNoPage)
		return
	}
	handler, pattern := m.Handler(r)
	if pattern == "" {
		m.unrouted(w, r, handler)
		return
	}
	if err := m.forgery.Check(r); err != nil {
		m.refuse(w, r, http.StatusForbidden, postern.Errorf(postern.Forbidden, "This form was sent from another site."))
		return
	}
	m.ServeMux.ServeHTTP(w, r)
}

// unrouted answers as the mux would.
func (m *Mux) unrouted(w http.ResponseWriter, r *http.Request, mux http.Handler) {
	allow := Unrouted(r, mux)
	if allow == "" {
		m.refuse(w, r, http.StatusNotFound, errNoPage)
		return
	}
	w.Header().Set("Allow", allow)
	m.refuse(w, r, http.StatusMethodNotAllowed, postern.Errorf(postern.InvalidRequest, "This address does not take %s requests.", r.Method))
}
