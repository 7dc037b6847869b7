package admin

import (
	"encoding/json"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
)

// served is the document as a stranger reads it.
func served(t *testing.T) (*Door, []byte) {
	t.Helper()
	d := New(Config{Log: slog.New(slog.DiscardHandler), PublicURL: "https://connect.example.com"})
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest("GET", DocumentPath, nil))
	if w.Code != 200 || w.Header().Get("Content-Type") != "application/json; charset=utf-8" {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	return d, w.Body.Bytes()
}

// operation is what the tests look at.
type operation struct {
	OperationID string `json:"operationId"`
	Tags        []string
	Summary     string
	Parameters  []struct{ Name, In, Description string }
	Security    []map[string][]string
	Responses   map[string]struct {
		Ref string `json:"$ref"`
	}
}

func operations(t *testing.T, document []byte) map[string]operation {
	t.Helper()
	var doc struct {
		Paths map[string]map[string]operation
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		t.Fatal(err)
	}
	all := map[string]operation{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			all[strings.ToUpper(method)+" "+path] = op
		}
	}
	return all
}

func TestEveryRouteIsInTheDocumentAndNothingElse(t *testing.T) {
	_, document := served(t)
	told := operations(t, document)
	ids := map[string]bool{}
	for _, r := range routes {
		op, ok := told[r.pattern]
		delete(told, r.pattern)
		switch {
		case !ok:
			t.Errorf("%s is not told of", r.pattern)
			continue
		case op.OperationID == "" || ids[op.OperationID]:
			t.Errorf("%s: its operationId %q is none, or another's", r.pattern, op.OperationID)
		case op.Summary == "" || len(op.Tags) != 1 || !slices.ContainsFunc(groups, func(g struct{ name, text string }) bool { return g.name == op.Tags[0] }):
			t.Errorf("%s: says %q in the group %v", r.pattern, op.Summary, op.Tags)
		}
		ids[op.OperationID] = true
		for _, p := range op.Parameters {
			if p.Description == "" {
				t.Errorf("%s: nothing is said of %s", r.pattern, p.Name)
			}
		}
		for _, status := range []string{"400", "401", "503"} {
			if op.Responses[status].Ref == "" {
				t.Errorf("%s: nothing is said of %s", r.pattern, status)
			}
		}
		if ways := len(op.Security); ways == 0 || (r.right != "" && r.apps) != (ways == 2) {
			t.Errorf("%s: may be entered by %v", r.pattern, op.Security)
		}
	}
	for pattern := range told {
		t.Errorf("%s is told of and does not exist", pattern)
	}
}

// The document as another reads it: OpenAPI 3.1, whole, with examples that are
// what their schemas say.
func TestTheDocumentIsOpenAPIToOthers(t *testing.T) {
	_, text := served(t)
	doc, err := openapi3.NewLoader().LoadFromData(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context(), openapi3.EnableExamplesValidation(), openapi3.EnableSchemaFormatValidation()); err != nil {
		t.Error(err)
	}
	if doc.OpenAPI != "3.1.0" || doc.Servers[0].URL != "https://connect.example.com" {
		t.Errorf("it is %s of %s", doc.OpenAPI, doc.Servers[0].URL)
	}
	for path, item := range doc.Paths.Map() {
		for method, op := range item.Operations() {
			for status, answer := range op.Responses.Map() {
				if c := answer.Value.Content.Get("application/json"); c == nil || c.Example == nil && len(c.Examples) == 0 {
					t.Errorf("%s %s: the answer %s has no example", method, path, status)
				}
			}
		}
	}
	// A wrong example would be found.
	doc.Paths.Value("/api/v1/events").Post.Responses.Value("202").Value.Content.Get("application/json").Examples["form 1"].Value.Value = map[string]any{"id": 1}
	if doc.Validate(t.Context(), openapi3.EnableExamplesValidation()) == nil {
		t.Error("examples are not looked at")
	}
}

func TestTheDocumentIsForReadingOnly(t *testing.T) {
	d, _ := served(t)
	w := httptest.NewRecorder()
	d.ServeHTTP(w, httptest.NewRequest("POST", DocumentPath, nil))
	if w.Code != 405 || w.Header().Get("Allow") != "GET, HEAD" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
}
