package admin

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// DocumentPath is where the document of the API is. It says nothing that its
// readers may not know, so it needs no credential.
const DocumentPath = "/api/openapi.json"

func (d *Door) serveDocument(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		say(w, http.StatusMethodNotAllowed, refusal{"invalid_request", "This address takes GET, HEAD."})
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.Header().Set("Cache-Control", "public, max-age=300")
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(d.document))
}

// The names of the two kinds of credentials in the document.
const (
	operatorToken = "operator_token"
	appSecret     = "app_credentials"
)

// document is the OpenAPI 3.1 document of a table of routes.
func document(table []route, publicURL string) []byte {
	w := &writer{schemas: huma.NewMapRegistry("#/components/schemas/", schemaName)}
	doc := &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{Title: "Postern", Version: "1", Description: "The REST API of this Postern. " +
			"An operator's token, made by `postern token create`, opens what its rights say; some routes an app may use with its own client credentials, for itself alone. " +
			"A parameter or member that is not told of here is refused with 400. Times are RFC 3339, in UTC."},
		Servers: []*huma.Server{{URL: cmp.Or(publicURL, "/")}},
		Paths:   map[string]*huma.PathItem{},
		Components: &huma.Components{
			Schemas:   w.schemas,
			Responses: w.refusals(),
			SecuritySchemes: map[string]*huma.SecurityScheme{
				operatorToken: {Type: "http", Scheme: "bearer", Description: "An operator's token. What it may do are its rights."},
				appSecret:     {Type: "http", Scheme: "basic", Description: "An app's client_id and client secret."},
			},
		},
	}
	for _, g := range groups {
		doc.Tags = append(doc.Tags, &huma.Tag{Name: g.name, Description: g.text})
	}
	for _, r := range table {
		method, path, _ := strings.Cut(r.pattern, " ")
		if doc.Paths[path] == nil {
			doc.Paths[path] = &huma.PathItem{}
		}
		setOperation(doc.Paths[path], method, w.operation(r))
	}
	loosen(w.schemas)
	text, err := json.Marshal(doc)
	if err != nil {
		panic(fmt.Sprintf("admin: the document of the API: %v", err)) // the table is wrong, always
	}
	return text
}

func setOperation(at *huma.PathItem, method string, op *huma.Operation) {
	switch method {
	case http.MethodGet:
		at.Get = op
	case http.MethodPost:
		at.Post = op
	case http.MethodPut:
		at.Put = op
	case http.MethodPatch:
		at.Patch = op
	case http.MethodDelete:
		at.Delete = op
	default:
		panic("admin: a route with the method " + method)
	}
}

// schemaName is the type's name without what only our code has to tell apart.
func schemaName(t reflect.Type, hint string) string {
	return strings.TrimSuffix(huma.DefaultSchemaNamer(t, hint), "View")
}

// loosen says of lists that they are never null, which is true of all of ours.
func loosen(all huma.Registry) {
	for _, s := range all.Map() {
		for _, p := range s.Properties {
			if p.Type == huma.TypeArray {
				p.Nullable = false
			}
		}
	}
}

// writer writes operations, and gathers the schemas that they speak of.
type writer struct{ schemas huma.Registry }

func (w *writer) operation(r route) *huma.Operation {
	a := r.about
	op := &huma.Operation{
		OperationID: a.id, Tags: []string{a.group}, Summary: a.title, Description: a.text,
		Parameters: parametersOf(r), Security: r.security(), Responses: map[string]*huma.Response{},
	}
	if len(a.takes) > 0 {
		op.RequestBody = &huma.RequestBody{Required: !a.optional, Content: w.content(a.takes)}
	}
	op.Responses[strconv.Itoa(a.status)] = &huma.Response{Description: http.StatusText(a.status), Content: w.content(a.gives)}
	for _, status := range r.refusals() {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Ref: "#/components/responses/" + refusals[status].name}
	}
	if a.conflict != "" {
		op.Responses["409"] = w.refused(a.conflict, refusal{"conflict", a.conflict})
	}
	return op
}

var inPath = regexp.MustCompile(`\{([a-z_]+)\}`)

func parametersOf(r route) (list []*huma.Param) {
	for _, found := range inPath.FindAllStringSubmatch(r.pattern, -1) {
		list = append(list, describe(found[1], "path"))
	}
	for _, name := range r.query {
		list = append(list, describe(name, "query"))
	}
	return list
}

func describe(name, in string) *huma.Param {
	p, ok := parameters[name]
	if !ok {
		panic("admin: nothing is told of the parameter " + name)
	}
	s := &huma.Schema{Type: p.kind}
	switch p.kind {
	case "time":
		s.Type, s.Format = huma.TypeString, "date-time"
	case huma.TypeInteger:
		s.Format, s.Minimum = "int64", new(0.0)
		if name == "limit" {
			s.Minimum = new(1.0)
		}
	}
	return &huma.Param{Name: name, In: in, Required: in == "path", Description: p.text, Schema: s, Example: p.example}
}

// security are the ways in, with the rights that a token needs.
func (r route) security() (list []map[string][]string) {
	if r.right != "" {
		list = append(list, map[string][]string{operatorToken: {r.right}})
	}
	if r.apps {
		list = append(list, map[string][]string{appSecret: {}})
	}
	return list
}

// content is JSON of one of these forms.
func (w *writer) content(forms []any) map[string]*huma.MediaType {
	if len(forms) == 1 {
		return map[string]*huma.MediaType{"application/json": {Schema: w.schema(forms[0]), Example: forms[0]}}
	}
	m := &huma.MediaType{Schema: &huma.Schema{}, Examples: map[string]*huma.Example{}}
	for i, form := range forms {
		m.Schema.OneOf = append(m.Schema.OneOf, w.schema(form))
		m.Examples[fmt.Sprintf("form %d", i+1)] = &huma.Example{Value: form}
	}
	return map[string]*huma.MediaType{"application/json": m}
}

func (w *writer) schema(form any) *huma.Schema {
	s := w.schemas.Schema(reflect.TypeOf(form), true, "")
	if s.Type == huma.TypeArray {
		s.Nullable = false
	}
	return s
}

// refusals are the errors that many routes have in common.
var refusals = map[int]struct{ name, text, word, example string }{
	400: {"BadRequest", "Something in the request is wrong; the description names it.", "invalid_request", "limit: write a number from 1 to 200."},
	401: {"Unauthorized", "There is no credential, or it is not valid.", "invalid_token", "This operator's token does not exist, or has ended."},
	403: {"Forbidden", "The credential does not allow it.", "insufficient_scope", "The token lacks the right webhooks.read."},
	404: {"NotFound", "There is no such thing, or it is another app's.", "not_found", "There is no such app."},
	413: {"TooLarge", "The body is larger than this route takes.", "invalid_request", "The body is larger than 65536 bytes."},
	429: {"TooMany", "Too many wrong credentials; wait as long as Retry-After says.", "rate_limited", "Too many failed attempts."},
	500: {"Fault", "A fault of ours; it is in the log.", "server_error", "This is a fault of ours; we have written it down."},
	503: {"Unavailable", "The database does not answer; try again when Retry-After says.", "unavailable", "The database does not answer. Try again in a moment."},
}

func (w *writer) refusals() map[string]*huma.Response {
	all := map[string]*huma.Response{}
	for _, r := range refusals {
		all[r.name] = w.refused(r.text, refusal{r.word, r.example})
	}
	return all
}

func (w *writer) refused(text string, said refusal) *huma.Response {
	return &huma.Response{Description: text, Content: w.content([]any{said})}
}

// refusals are the statuses that this route may answer beside its own.
func (r route) refusals() []int {
	list := []int{400, 401, 403, 500, 503}
	if strings.Contains(r.pattern, "{") {
		list = append(list, 404)
	}
	if r.most > 0 && len(r.about.takes) > 0 {
		list = append(list, 413)
	}
	if r.apps {
		list = append(list, 429)
	}
	return list
}
