package server

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"runtime/debug"
	"sync/atomic"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/dialect"
)

// record is what is known of a request while it runs; the access log's line is
// made of it. It never holds a path, a query, a header or a body: any of them
// may carry a secret. The route says enough.
type record struct {
	id       string
	address  string
	dialect  string
	endpoint string
	app      string
	refused  postern.Kind
	quiet    bool // asked all the time, and says nothing: not in the log
}

type recordKey struct{}

func recordOf(ctx context.Context) *record {
	rec, _ := ctx.Value(recordKey{}).(*record)
	return rec
}

func requestID(r *http.Request) string {
	if rec := recordOf(r.Context()); rec != nil {
		return rec.id
	}
	return ""
}

// seen hears of every request in a dialect.
func (s *Server) seen(ctx context.Context, what dialect.Seen) {
	s.metrics.seen(what)
	recordOf(ctx).seen(what)
	s.logged(what)
}

func (rec *record) seen(what dialect.Seen) {
	if rec == nil {
		return
	}
	rec.dialect, rec.endpoint, rec.app = what.Dialect, what.Endpoint, shortened(what.AppID)
	if what.Refused != nil {
		rec.refused = what.Refused.Kind
	}
	if isNobody(what.Refused) { // often a secret, by somebody who mixed up the two
		rec.app = ""
	}
}

// isNobody reports whether a request was refused since no app has the name that
// it gave.
func isNobody(e *postern.Error) bool {
	return e != nil && (e.Kind == postern.UnknownClient || e.Why != nil && e.Why.Rule == "unknown_client")
}

// shortened bounds what a stranger can write into the log.
func shortened(s string) string { return s[:min(len(s), 128)] }

// answer watches what is written.
type answer struct {
	http.ResponseWriter
	status int
	bytes  int
}

func (a *answer) WriteHeader(status int) {
	if a.status == 0 && status >= 200 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

func (a *answer) Write(b []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(b)
	a.bytes += n
	return n, err
}

// Unwrap lets http.ResponseController reach the connection.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// frame is what surrounds every request on the public listener: its name, its
// deadline, a net under it, and its line in the log.
type frame struct {
	next    http.Handler
	proxies proxies
	mint    func() (string, error)
	now     func() time.Time
	log     *slog.Logger
	https   bool
	oops    func(http.ResponseWriter, *http.Request, int, *postern.Error)

	running atomic.Int64
}

// mostRunning is how many requests are worked on at once. More would only wait
// for each other: they are told to come again, at once.
const mostRunning = 1024

// handlerTime is how long a request may be worked on, so that a stuck database
// never holds a caller for longer.
const handlerTime = 20 * time.Second

func (f *frame) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	began := f.now()
	id, err := f.mint()
	if err != nil {
		f.log.Error("no randomness: nothing can be served", "error", err)
		http.Error(w, "This is a fault of ours; please try again in a moment.", http.StatusServiceUnavailable)
		return
	}
	rec := &record{id: id, address: f.proxies.clientAddress(r)}
	ctx, cancel := context.WithTimeout(context.WithValue(r.Context(), recordKey{}, rec), handlerTime)
	defer cancel()
	r = r.WithContext(ctx)
	w.Header().Set("X-Request-Id", id)
	if f.https {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
	}
	a := &answer{ResponseWriter: w}
	defer func() { f.note(r, rec, a, f.now().Sub(began)) }()
	defer f.catch(a, r, rec)
	f.arrive(w, r)
	defer f.running.Add(-1)
	if f.running.Add(1) > mostRunning && r.URL.Path != healthPath {
		tooBusy(a, r)
		return
	}
	f.next.ServeHTTP(a, r)
}

// healthPath is answered however busy the node is.
const healthPath = "/healthz"

// mostBody is how much is waited for before a request is worked on, and all that
// most readers take. The rest is left to its reader.
const mostBody = 64 << 10

// arrive waits for the body, so that slow callers hold no place among the
// requests that are worked on. What goes wrong is told to whoever reads it.
func (f *frame) arrive(w http.ResponseWriter, r *http.Request) {
	if r.Body == nil || r.Body == http.NoBody {
		return
	}
	if r.ContentLength > mostBody {
		r.Body = arrived{slow{r.Body, &f.running}, r.Body}
		return
	}
	_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(bodyTime))
	body, err := io.ReadAll(io.LimitReader(r.Body, mostBody+1))
	rest := io.Reader(slow{r.Body, &f.running})
	if err != nil {
		rest = brokenBody{err}
	}
	r.Body = arrived{io.MultiReader(bytes.NewReader(body), rest), r.Body}
}

// arrived is a body of which the beginning was read already.
type arrived struct {
	io.Reader
	io.Closer
}

// slow is a body that is read while its request is worked on: waiting for the
// caller's bytes is no work, and leaves the place to others.
type slow struct {
	io.Reader
	running *atomic.Int64
}

func (s slow) Read(b []byte) (int, error) {
	s.running.Add(-1)
	defer s.running.Add(1)
	return s.Reader.Read(b)
}

// brokenBody gives the error that reading ended with.
type brokenBody struct{ err error }

func (b brokenBody) Read([]byte) (int, error) { return 0, b.err }

// tooBusy answers at once, in words for people or for machines.
func tooBusy(w http.ResponseWriter, r *http.Request) {
	const words = "Too much is going on at once. Try again in a moment."
	w.Header().Set("Retry-After", "1")
	if browser.ForPeople(r) {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, words, http.StatusServiceUnavailable)
		return
	}
	browser.TellMachine(w, http.StatusServiceUnavailable, "temporarily_unavailable", words)
}

// catch makes a panic the end of one request only. What panicked is logged by
// its type: its text might hold a secret.
func (f *frame) catch(a *answer, r *http.Request, rec *record) {
	p := recover()
	if p == nil {
		return
	}
	if p == http.ErrAbortHandler {
		panic(p)
	}
	f.log.Error("panic", "request_id", rec.id, "what", describePanic(p), "stack", string(bytes.TrimSpace(debug.Stack())))
	if a.status != 0 { // half an answer is none: the connection breaks
		panic(http.ErrAbortHandler)
	}
	const words = "This is a fault of ours; we have written it down."
	if browser.ForPeople(r) {
		f.oops(a, r, http.StatusInternalServerError, postern.Errorf(postern.ServerError, words))
		return
	}
	browser.TellMachine(a, http.StatusInternalServerError, "server_error", words+" If you ask for help, name the request "+rec.id+".")
}

func describePanic(p any) string {
	if e, ok := p.(runtime.Error); ok {
		return e.Error()
	}
	return fmt.Sprintf("%T", p)
}

// note writes the access log's line.
func (f *frame) note(r *http.Request, rec *record, a *answer, took time.Duration) {
	if rec.quiet || !f.log.Enabled(r.Context(), slog.LevelInfo) {
		return
	}
	attrs := make([]slog.Attr, 0, 10)
	attrs = append(attrs, slog.String("request_id", rec.id), slog.String("method", shortened(r.Method)))
	switch {
	case rec.dialect != "":
		attrs = append(attrs, slog.String("dialect", rec.dialect), slog.String("endpoint", rec.endpoint))
	case r.Pattern != "":
		attrs = append(attrs, slog.String("route", r.Pattern))
	}
	attrs = append(attrs, slog.Int("status", cmp.Or(a.status, http.StatusOK)), slog.Duration("took", took), slog.String("address", rec.address))
	if rec.app != "" {
		attrs = append(attrs, slog.String("app", rec.app))
	}
	if rec.refused != "" {
		attrs = append(attrs, slog.String("refused", string(rec.refused)))
	}
	f.log.LogAttrs(r.Context(), slog.LevelInfo, "request", attrs...)
}
