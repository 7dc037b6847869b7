package browser

import (
	"net/http"
	"path"
	"strings"
	"unicode/utf8"
)

// Nowhere reports whether no address of ours has such a path: a mux would
// redirect it, or would find a name in it (behind %2F or %2E) that is more than
// one segment, or one that no row can hold (NUL, broken UTF-8).
func Nowhere(p string) bool {
	return p == "" || p[0] != '/' || path.Clean(p) != p || strings.ContainsRune(p, 0) || !utf8.ValidString(p)
}

// Unrouted asks a mux's own handler for a request that no route takes what is
// wrong with it: the methods that the address does take, or "" where there is no
// such address. The mux's words are sent to nobody.
func Unrouted(r *http.Request, mux http.Handler) (allow string) {
	said := &unsent{header: http.Header{}}
	mux.ServeHTTP(said, r)
	if said.status != http.StatusMethodNotAllowed {
		return ""
	}
	return said.header.Get("Allow")
}

// unsent keeps the status and headers of an answer.
type unsent struct {
	header http.Header
	status int
}

func (u *unsent) Header() http.Header         { return u.header }
func (u *unsent) WriteHeader(status int)      { u.status = status }
func (u *unsent) Write(b []byte) (int, error) { return len(b), nil }
