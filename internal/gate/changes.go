package gate

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// Sequence is this node's knowledge of the change sequence; *oauth.Memory has it.
type Sequence interface {
	Seq() int64
	Age() time.Duration
	// Holds reports whether an answer may be kept at all.
	Holds() bool
	News() <-chan struct{}
}

// Rows reads the sequence itself; the store has it.
type Rows interface {
	Changes(ctx context.Context, after int64, limit int) ([]oauth.Change, error)
}

// Prove proves an API's credentials.
type Prove func(ctx context.Context, id string, secret postern.Secret, source string) error

// Stream tells APIs what has changed, so that they may hold tokens that they
// have seen: GET /changes, for an API's credentials (docs/checking.md).
//
// It is a stream of server-sent events. Each says the number of the last change
// that this node knows, how old that knowledge is, and the changes since the
// event before. With no news one comes every beat all the same: silence means
// that nobody knows.
type Stream struct {
	Sequence Sequence
	Rows     Rows
	// API proves an API's credentials.
	API Prove
	Log func(msg string, args ...any)
	// Ending is closed when the node stops: streams end then, and APIs go elsewhere.
	Ending <-chan struct{}
}

const (
	beat = 250 * time.Millisecond
	// mostTold is how many changes one event carries; more come in the next.
	mostTold = 500
)

// moment is one event of the stream.
type moment struct {
	Seq     int64    `json:"seq"`
	AgeMS   int64    `json:"age_ms"`
	Changes []change `json:"changes,omitempty"`
	// Lost: changes are missing before these; forget everything.
	Lost bool `json:"lost,omitempty"`
}

type change struct {
	Seq  int64  `json:"seq"`
	Kind string `json:"kind"`
	Key  string `json:"key"`
}

// ServeHTTP streams until the caller leaves. ?after=N goes on from a number,
// else the stream begins now.
func (s *Stream) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET")
		http.Error(w, "Ask with GET.", http.StatusMethodNotAllowed)
		return
	}
	if !proved(w, r, s.API) {
		return
	}
	after, lost := s.Sequence.Seq(), !s.Sequence.Holds()
	if text := r.URL.Query().Get("after"); text != "" {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil || n < 0 {
			http.Error(w, "after: write the number of a change.", http.StatusBadRequest)
			return
		}
		after = n
	}
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	s.stream(w, r, after, lost)
}

// proved answers whoever is no API; trouble of ours is 503, never a no.
func proved(w http.ResponseWriter, r *http.Request, api Prove) bool {
	source, _, _ := net.SplitHostPort(r.RemoteAddr)
	id, secret, ok := r.BasicAuth()
	err := error(postern.Errorf(postern.InvalidClient, "no credentials"))
	if ok {
		err = api(r.Context(), id, postern.Secret(secret), source)
	}
	switch {
	case err == nil:
		return true
	case postern.Is(err, postern.InvalidClient):
		w.Header().Set("WWW-Authenticate", `Basic realm="postern"`)
		http.Error(w, "Send an API's id and secret by Basic authentication.", http.StatusUnauthorized)
	case postern.Is(err, postern.RateLimited):
		w.Header().Set("Retry-After", "60")
		http.Error(w, "Too many failed attempts. Try again later.", http.StatusTooManyRequests)
	default:
		w.Header().Set("Retry-After", "1")
		http.Error(w, "The credentials cannot be checked right now. Try again.", http.StatusServiceUnavailable)
	}
	return false
}

// stream begins by telling what was held until now that it is lost, where so.
func (s *Stream) stream(w http.ResponseWriter, r *http.Request, after int64, lost bool) {
	out := http.NewResponseController(w)
	tick := time.NewTicker(beat)
	defer tick.Stop()
	for {
		news := s.Sequence.News() // before reading, so that nothing slips between
		m, err := s.since(r.Context(), after)
		if err != nil {
			s.Log("the change stream cannot be read", "error", err)
			return // the API notices the silence and asks anew
		}
		m.Lost, lost = m.Lost || lost, false
		text, err := json.Marshal(m)
		if err != nil {
			return
		}
		_ = out.SetWriteDeadline(time.Now().Add(5 * time.Second))
		if _, err := fmt.Fprintf(w, "id: %d\ndata: %s\n\n", m.Seq, text); err != nil || out.Flush() != nil {
			return
		}
		after = m.Seq
		if len(m.Changes) == mostTold {
			continue
		}
		select {
		case <-r.Context().Done():
			return
		case <-s.Ending:
			return
		case <-news:
		case <-tick.C:
		}
	}
}

// since is what this node knows after a number. It asks the rows only if there
// is something to read.
func (s *Stream) since(ctx context.Context, after int64) (moment, error) {
	age, known := s.Sequence.Age(), s.Sequence.Seq()
	m := moment{Seq: after, AgeMS: age.Milliseconds()}
	if after > known { // of another database, or of a restored one
		return moment{Seq: known, AgeMS: m.AgeMS, Lost: true}, nil
	}
	if after == known {
		return m, nil
	}
	list, err := s.Rows.Changes(ctx, after, mostTold)
	if err != nil {
		return m, err
	}
	if len(list) == 0 { // older ones are gone
		return moment{Seq: known, AgeMS: m.AgeMS, Lost: true}, nil
	}
	m.Lost = list[0].Seq != after+1
	for _, c := range list {
		m.Changes = append(m.Changes, change{c.Seq, c.Kind, c.Key})
		m.Seq = c.Seq
	}
	return m, nil
}
