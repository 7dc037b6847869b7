// Package receiver is a partner's webhook endpoint for tests: it keeps what it
// gets, answers as it is told, and verifies signatures with the Standard
// Webhooks' own library, which is not ours.
package receiver

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	standard "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Receiver is an endpoint. Its URL is on loopback.
type Receiver struct {
	*httptest.Server
	mu     sync.Mutex
	got    []Message
	answer http.HandlerFunc
}

// Message is a request that was received.
type Message struct {
	Header http.Header
	Body   []byte
	At     time.Time
}

// New opens an endpoint that answers 200, or as it is told.
func New(t testing.TB, answer http.HandlerFunc) *Receiver {
	r := &Receiver{answer: answer}
	r.Server = httptest.NewServer(r)
	t.Cleanup(func() { r.CloseClientConnections(); r.Close() })
	return r
}

// ServeHTTP receives a message.
func (r *Receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, _ := io.ReadAll(req.Body) // a broken body fails its verification
	r.mu.Lock()
	r.got = append(r.got, Message{req.Header.Clone(), body, time.Now()})
	answer := r.answer
	r.mu.Unlock()
	if answer != nil {
		answer(w, req)
	}
}

// Says changes the answer; nil is 200.
func (r *Receiver) Says(answer http.HandlerFunc) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.answer = answer
}

// All is what was received so far, in order.
func (r *Receiver) All() []Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Message(nil), r.got...)
}

// IDs are the ids of all messages.
func (r *Receiver) IDs() (ids []string) {
	for _, m := range r.All() {
		ids = append(ids, m.ID())
	}
	return ids
}

// Wait waits until so many messages have come, and gives them.
func (r *Receiver) Wait(t testing.TB, n int) []Message {
	t.Helper()
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		if got := r.All(); len(got) >= n {
			return got
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d messages after 15 s, not %d: %v", len(r.All()), n, r.IDs())
		}
	}
}

// ID is the webhook-id.
func (m *Message) ID() string { return m.Header.Get("Webhook-Id") }

// Data is the body's data, and its type.
func (m *Message) Data() (kind string, data map[string]any) {
	var b struct {
		Type string
		Data map[string]any
	}
	if json.Unmarshal(m.Body, &b) != nil {
		return "", nil
	}
	return b.Type, b.Data
}

// Verified checks the signature. The library compares the timestamp with the
// true time.
func (m *Message) Verified(t testing.TB, secret string) bool {
	t.Helper()
	wh, err := standard.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return wh.Verify(m.Body, m.Header) == nil
}

// Status is an answer with this status and nothing else.
func Status(code int) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
}
