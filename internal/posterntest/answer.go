package posterntest

import (
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
)

// Request is what a partner's machine sends.
type Request struct {
	Method string // "": POST
	Path   string // at Postern, with its query; or a full URL
	Header http.Header
	Body   string
}

// With gives the request another header value.
func (r Request) With(name, value string) Request {
	header := r.Header.Clone()
	if header == nil {
		header = http.Header{}
	}
	header.Set(name, value)
	r.Header = header
	return r
}

// Authorized gives the request an Authorization header.
func (r Request) Authorized(credential string) Request { return r.With("Authorization", credential) }

// Answer is what the machine got.
type Answer struct {
	t      testing.TB
	Status int
	Header http.Header
	Body   string
}

// machines follow no redirect and keep no cookies.
var machines = &http.Client{
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	Transport:     &http.Transport{MaxIdleConnsPerHost: 128},
}

// send may be called from any goroutine: what goes wrong is an answer without
// a status and an error of the test.
func send(t testing.TB, origin string, r Request) *Answer {
	t.Helper()
	a := &Answer{t: t, Header: http.Header{}}
	address, method := r.Path, r.Method
	if strings.HasPrefix(address, "/") {
		address = origin + address
	}
	if method == "" {
		method = http.MethodPost
	}
	q, err := http.NewRequest(method, address, strings.NewReader(r.Body))
	if err != nil {
		t.Errorf("%s %s: %v", method, address, err)
		return a
	}
	for name, values := range r.Header {
		q.Header[name] = values
	}
	resp, err := machines.Do(q)
	if err != nil {
		t.Errorf("%s %s: %v", method, address, err)
		return a
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Errorf("%s %s: %v", method, address, err)
		return a
	}
	a.Status, a.Header, a.Body = resp.StatusCode, resp.Header, string(text)
	return a
}

// Field is a string member of a JSON answer, or "".
func (a *Answer) Field(name string) string {
	text, _ := a.members()[name].(string)
	return text
}

// Number is a number of a JSON answer as it was written, or "".
func (a *Answer) Number(name string) string {
	number, _ := a.members()[name].(json.Number)
	return string(number)
}

// Flag is a boolean of a JSON answer.
func (a *Answer) Flag(name string) bool {
	flag, _ := a.members()[name].(bool)
	return flag
}

// Has reports whether a JSON answer has a member.
func (a *Answer) Has(name string) bool {
	_, ok := a.members()[name]
	return ok
}

func (a *Answer) members() map[string]any {
	var m map[string]any
	d := json.NewDecoder(strings.NewReader(a.Body))
	d.UseNumber()
	if d.Decode(&m) != nil {
		return nil
	}
	return m
}

// OK ends the test unless the answer is 200.
func (a *Answer) OK() *Answer {
	a.t.Helper()
	if a.Status != http.StatusOK {
		a.t.Fatalf("got %d %s, want 200", a.Status, a.Body)
	}
	return a
}

// Wants complains unless the answer has this status and says this error in the
// shape of RFC 6749 §5.2, with a description that is a sentence.
func (a *Answer) Wants(status int, errorWord string) *Answer {
	a.t.Helper()
	if a.Status != status || a.Field("error") != errorWord {
		a.t.Errorf("got %d %s, want %d with error %s", a.Status, a.Body, status, errorWord)
	}
	if d := a.Field("error_description"); !strings.HasSuffix(d, ".") {
		a.t.Errorf("error_description %q is no sentence: %s", d, a.Body)
	}
	if got := a.Header.Get("Cache-Control"); got != "no-store" {
		a.t.Errorf("Cache-Control is %q, want no-store", got)
	}
	return a
}

// Says complains unless the answer is this, byte for byte.
func (a *Answer) Says(status int, body string) *Answer {
	a.t.Helper()
	if a.Status != status || a.Body != body {
		a.t.Errorf("got  %d %s\nwant %d %s", a.Status, a.Body, status, body)
	}
	return a
}

// Challenges complains unless the answer carries this WWW-Authenticate; "" for none.
func (a *Answer) Challenges(want string) *Answer {
	a.t.Helper()
	if got := strings.Join(a.Header.Values("WWW-Authenticate"), " | "); got != want {
		a.t.Errorf("WWW-Authenticate is %q, want %q", got, want)
	}
	return a
}

// Reading is a body that came some other way, to be read like an answer's.
func Reading(t testing.TB, body string) *Answer {
	return &Answer{t: t, Status: http.StatusOK, Header: http.Header{}, Body: body}
}
