package browser

import (
	"fmt"
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

// ForPeople reports whether a browser asks for something to show.
func ForPeople(r *http.Request) bool { return strings.Contains(r.Header.Get("Accept"), "text/html") }

// TellMachine answers in the shape of RFC 6749 §5.2 where no dialect was reached
// that would have its own.
func TellMachine(w http.ResponseWriter, status int, word, words string) {
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"error":%q,"error_description":%q}`, word, words)
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
