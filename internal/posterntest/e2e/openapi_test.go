package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/receiver"
)

// reader is somebody who knows of the API what its document says.
type reader struct {
	t      *testing.T
	url    string
	router routers.Router
	seen   map[string]bool // operation and status
}

func newReader(t *testing.T, s *posterntest.Postern) *reader {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromData([]byte(s.Send(posterntest.Request{Method: http.MethodGet, Path: "/api/openapi.json"}).OK().Body))
	if err != nil {
		t.Fatal(err)
	}
	router, err := legacy.NewRouter(doc)
	if err != nil {
		t.Fatal(err)
	}
	return &reader{t, s.URL, router, map[string]bool{}}
}

// ask sends a request and wants this status. Request and answer must be what the
// document says; a refused request need not.
func (r *reader) ask(status int, authorization, method, path, body string) string {
	r.t.Helper()
	req, err := http.NewRequestWithContext(r.t.Context(), method, r.url+path, strings.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", authorization)
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	route, params, err := r.router.FindRoute(req)
	if err != nil {
		r.t.Fatalf("%s %s is not in the document: %v", method, path, err)
	}
	asked := &openapi3filter.RequestValidationInput{Request: req, PathParams: params, Route: route,
		Options: &openapi3filter.Options{AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true}}
	if err := openapi3filter.ValidateRequest(r.t.Context(), asked); err != nil && status < 400 {
		r.t.Errorf("%s %s: the request is not what the document says: %v", method, path, err)
	}
	req.Body = io.NopCloser(strings.NewReader(body))
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer resp.Body.Close()
	said, err := io.ReadAll(resp.Body)
	if err != nil {
		r.t.Fatal(err)
	}
	if resp.StatusCode != status {
		r.t.Errorf("%s %s: %d, not %d: %s", method, path, resp.StatusCode, status, said)
	}
	err = openapi3filter.ValidateResponse(r.t.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: asked, Status: resp.StatusCode, Header: resp.Header, Body: io.NopCloser(bytes.NewReader(said)), Options: asked.Options})
	if err != nil {
		r.t.Errorf("%s %s: the answer is not what the document says: %v\n%s", method, path, err, said)
	}
	if status < 400 {
		r.seen[route.Operation.OperationID] = true
	}
	return string(said)
}

// Another's reading of the document agrees with what is really asked and
// answered, refusals among it.
func TestTheAPIIsWhatItsDocumentSays(t *testing.T) {
	s := posterntest.New(t)
	hook := receiver.New(t, nil)
	s.Apply(candidateEvents)
	hooked(s, posterntest.Standard, hook.URL)
	operator := "Bearer " + s.OperatorToken("events.publish", "webhooks.read", "webhooks.write")
	app := asApp(posterntest.Standard, "").Header.Get("Authorization")
	s.Redeem(posterntest.Standard, s.Approve(posterntest.Standard, posterntest.Ada)).OK()
	_, about := hook.Wait(t, 1)[0].Data()
	publication := func(id string) string {
		return `{"id":"` + id + `","type":"candidate.updated","account_id":"` + about["account_id"].(string) + `","data":{"candidate":"17"}}`
	}
	r := newReader(t, s)
	r.ask(202, operator, "POST", "/api/v1/events", publication("e-1"))
	r.ask(202, operator, "POST", "/api/v1/events", "["+publication("e-1")+","+publication("e-2")+"]")
	r.ask(409, operator, "POST", "/api/v1/events", strings.Replace(publication("e-1"), "17", "18", 1))
	r.ask(400, operator, "POST", "/api/v1/events", `{"type":"nonsense"}`)
	r.ask(403, operator, "GET", "/api/v1/events", "")
	r.ask(401, "Bearer nonsense", "POST", "/api/v1/events", publication("e-3"))
	hook.Wait(t, 3)
	pulled := r.ask(200, app, "GET", "/api/v1/events?limit=2", "")
	var page struct{ Cursor string }
	if err := json.Unmarshal([]byte(pulled), &page); err != nil {
		t.Fatal(err)
	}
	r.ask(200, app, "GET", "/api/v1/events?wait=0&after="+page.Cursor, "")
	r.ask(400, app, "GET", "/api/v1/events?limit=201", "")
	for deadline := time.Now().Add(15 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		over := r.ask(200, app, "GET", "/api/v1/apps/standard-app/deliveries?state=delivered", "")
		if strings.Contains(over, `"e-1"`) && strings.Contains(over, `"e-2"`) {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("only these were delivered: %s", over)
		}
	}
	for event, who := range map[string]string{"e-1": operator, "e-2": app} {
		const at = "/api/v1/apps/standard-app"
		r.ask(200, who, "GET", at+"/webhook", "")
		r.ask(202, who, "POST", at+"/webhook/test", "")
		r.ask(200, who, "PUT", at+"/webhook/order", `{"ordered":false}`)
		r.ask(400, who, "PUT", at+"/webhook/order", `{}`)
		r.ask(200, who, "PUT", at+"/webhook/ed25519", `{"enabled":true}`)
		r.ask(200, who, "POST", at+"/webhook/rotate", "")
		r.ask(200, who, "POST", at+"/webhook/rotate", `{"overlap_seconds":0}`)
		r.ask(200, who, "GET", at+"/webhook", "")
		r.ask(200, who, "GET", at+"/deliveries?state=delivered&since=2020-01-01T00:00:00Z&limit=1", "")
		r.ask(200, who, "GET", at+"/deliveries/"+event, "")
		r.ask(202, who, "POST", at+"/deliveries/replay", `{"id":"`+event+`"}`)
		r.ask(404, who, "GET", at+"/deliveries/nonsense", "")
	}
	r.ask(404, app, "GET", "/api/v1/apps/other/webhook", "")
	r.ask(413, app, "PUT", "/api/v1/apps/standard-app/webhook/order", `{"ordered":false`+strings.Repeat(" ", 65<<10)+`}`)
	if len(r.seen) < 10 {
		t.Errorf("only these were answered well: %v", r.seen)
	}
}
