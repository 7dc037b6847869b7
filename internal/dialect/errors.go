package dialect

import (
	"cmp"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/yamlfile"
)

// errorTable says how each kind of refusal looks on the wire.
type errorTable struct {
	status map[postern.Kind]int
	one    int // the status of all kinds that status does not name; 0: the RFC's
	names  map[postern.Kind]string
	body   tree
	types  []answerType
}

// wireKinds are the kinds that a file can name.
var wireKinds = []postern.Kind{
	postern.InvalidRequest, postern.MissingParameter, postern.InvalidClient, postern.UnknownClient,
	postern.InvalidGrant, postern.CodeUsed, postern.RedirectMismatch, postern.RefreshDead,
	postern.UnsupportedGrantType, postern.UnauthorizedClient, postern.InvalidScope,
	postern.UnsupportedResponseType, postern.AccessDenied, postern.InvalidToken, postern.NoToken,
	postern.TokenExpired, postern.InsufficientScope, postern.RateLimited, postern.Unavailable, postern.ServerError,
}

// rfcStatus are the statuses of RFC 6749 §5.2, RFC 6750 §3.1 and RFC 9110; kinds
// that are not here are 400.
var rfcStatus = map[postern.Kind]int{
	postern.InvalidClient:     http.StatusUnauthorized,
	postern.AccessDenied:      http.StatusForbidden,
	postern.InvalidToken:      http.StatusUnauthorized,
	postern.InsufficientScope: http.StatusForbidden,
	postern.RateLimited:       http.StatusTooManyRequests,
	postern.Unavailable:       http.StatusServiceUnavailable,
	postern.ServerError:       http.StatusInternalServerError,
}

// rfcNames are the words of kinds that are no words of the RFCs.
var rfcNames = map[postern.Kind]string{postern.RateLimited: "temporarily_unavailable", postern.Unavailable: "temporarily_unavailable"}

// rfcErrors is the table under every file's own.
var rfcErrors = &errorTable{
	status: rfcStatus,
	names:  rfcNames,
	body: &object{[]member{
		{"error", []byte(`"error":`), mustValue("error")},
		{"error_description", []byte(`"error_description":`), mustValue("error_description")},
	}},
	types: []answerType{{}},
}

// pageErrors is the table of pages: who cannot be redirected reads 400, whatever
// is wrong (xeebo.md §1).
var pageErrors = func() *errorTable {
	t := *rfcErrors
	t.status = map[postern.Kind]int{
		postern.RateLimited: http.StatusTooManyRequests,
		postern.Unavailable: http.StatusServiceUnavailable,
		postern.ServerError: http.StatusInternalServerError,
	}
	return &t
}()

func mustValue(name string) *value {
	src := named[name]
	return &value{name: name, base: name, kind: src.kind, get: src.get}
}

// errorTable lays the tables of a file over a base, key by key.
func (c *compiler) errorTable(base *errorTable, layers ...errorsSpec) *errorTable {
	t := &errorTable{one: base.one, body: base.body, types: base.types,
		status: map[postern.Kind]int{}, names: map[postern.Kind]string{}}
	for k, v := range base.status {
		t.status[k] = v
	}
	for k, v := range base.names {
		t.names[k] = v
	}
	for _, s := range layers {
		c.layStatus(t, s.Status)
		for _, n := range s.Names {
			if k, ok := c.kind(n.Key, n.Node); ok {
				t.names[k] = string(n.Value)
			}
		}
		if s.Body != nil {
			t.body = c.mappingTree(s.Body)
		}
	}
	return t
}

// layStatus: one status for all is for what the caller did wrong; that we are
// busy, away or broken keeps its status unless the file names the kind.
func (c *compiler) layStatus(t *errorTable, s statusSpec) {
	if s.Node == nil {
		return
	}
	valid := func(n *yamlfile.Node, status int) {
		if status != http.StatusOK && (status < 400 || status > 599) {
			c.report(n, "a refusal has a status of 400 to 599, or 200")
		}
	}
	if s.Node.Kind != yamlfile.Mapping {
		valid(s.Node, s.One)
		t.one = s.One
		for k := range t.status {
			if !ours(k) {
				delete(t.status, k)
			}
		}
		return
	}
	for _, by := range s.By {
		valid(by.Node, by.Value)
		if k, ok := c.kind(by.Key, by.Node); ok {
			t.status[k] = by.Value
		}
	}
}

// ours are the kinds that no caller can help.
func ours(k postern.Kind) bool {
	return k == postern.RateLimited || k == postern.Unavailable || k == postern.ServerError
}

func (c *compiler) kind(name string, n *yamlfile.Node) (postern.Kind, bool) {
	k := postern.Kind(name)
	if !slices.Contains(wireKinds, k) {
		known := make([]string, len(wireKinds))
		for i, k := range wireKinds {
			known[i] = string(k)
		}
		c.report(n, "unknown kind of error %q%s", name, yamlfile.Suggest(name, known))
		return "", false
	}
	return k, true
}

// statusOf is the status of a kind: its own, its parent's, the one for all, 400.
func (t *errorTable) statusOf(k postern.Kind) int {
	return cmp.Or(t.status[k], t.status[k.Parent()], t.one, http.StatusBadRequest)
}

// wordOf is what a kind is called: its own name, its parent's, the RFC's word.
func (t *errorTable) wordOf(k postern.Kind) string {
	return cmp.Or(t.names[k], t.names[k.Parent()], string(k.Parent()))
}

// sentences are said where a rule says none, above all where the detail is for
// the log only.
var sentences = map[postern.Kind]string{
	postern.InvalidClient: "Unknown client_id or wrong client_secret.",
	postern.InvalidGrant:  "The code is not valid: it was used, has expired, or was not issued to this client.",
	postern.InvalidToken:  "The access token is not valid.",
	postern.RateLimited:   "Too many failed attempts. Try again later.",
	postern.Unavailable:   "The server cannot answer right now. Try again in a few seconds.",
	postern.ServerError:   "Something went wrong on the server's side. Nothing was changed.",
}

// told makes any error into one that may be said: what nobody classified, and
// the kinds that only pages know, are a fault of ours here.
func told(err error) *postern.Error {
	e, ok := errors.AsType[*postern.Error](err)
	if !ok || e.Kind == postern.NotFound || e.Kind == postern.Conflict || e.Kind == postern.Forbidden {
		e = postern.Wrap(postern.ServerError, err)
	}
	if e.Msg == "" {
		said := *e
		said.Msg = cmp.Or(sentences[e.Kind], sentences[e.Kind.Parent()], "The request cannot be answered.")
		e = &said
	}
	return e
}

// retryAfter is the header for those who should come back (RFC 9110 §10.2.3).
func retryAfter(e *postern.Error) string {
	if e.Kind != postern.RateLimited && e.Kind != postern.Unavailable {
		return ""
	}
	wait := cmp.Or(e.RetryAfter, 5*time.Second)
	return strconv.Itoa(max(1, int(wait/time.Second)))
}
