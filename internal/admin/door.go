// Package admin is the operators' two doors. Door is that of their programs: the
// REST API under /api/v1, where an operator's token opens what its rights say, and
// an app may use a few routes with its own credentials, for its own things alone.
// Console is that of their browsers, under /operator: what waits for review,
// partners and their apps, and the log of what was done.
package admin

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/webhook"
)

// Prefix is where the API is.
const Prefix = "/api/v1/"

// Engine proves apps; *oauth.Rules satisfies it.
type Engine interface {
	Prove(ctx context.Context, c oauth.ClientAuth) (*postern.App, error)
}

// Rows finds operators' tokens; *store.DB satisfies it.
type Rows interface {
	// OperatorToken is NotFound for a token that does not exist or has ended.
	OperatorToken(ctx context.Context, token postern.Hash) (id string, rights []string, err error)
}

// Webhooks are the rules about telling; *webhook.Rules satisfies it.
type Webhooks interface {
	Publish(ctx context.Context, events []webhook.Published, actor string) ([]webhook.Receipt, error)
	Pull(ctx context.Context, appID string, after int64, limit int, wait time.Duration, stop func() bool) ([]webhook.Line, int64, error)
	Endpoint(ctx context.Context, appID string) (*webhook.Endpoint, error)
	PublicKey(e *webhook.Endpoint) (string, error)
	Deliveries(ctx context.Context, f webhook.Filter) ([]*webhook.Delivery, error)
	Delivery(ctx context.Context, appID, eventID string) (*webhook.Delivery, []webhook.Attempt, []byte, error)
	Replay(ctx context.Context, f webhook.Filter, actor string) (int, error)
	Test(ctx context.Context, appID, actor string) (string, error)
	RotateSecret(ctx context.Context, e *webhook.Endpoint, overlap time.Duration, actor string) (postern.Secret, error)
	SetEd25519(ctx context.Context, appID string, on bool, actor string) (string, error)
	Order(ctx context.Context, appID string, ordered bool, actor string) error
}

// Door answers under /api/v1.
type Door struct {
	engine   Engine
	rows     Rows
	webhooks Webhooks
	source   func(*http.Request) string // the caller's address
	ending   <-chan struct{}            // closed when the node begins to stop
	log      *slog.Logger
	waiting  chan struct{} // a place for each long poll
	mux      *http.ServeMux
	document []byte // what the API is, as OpenAPI
}

// Config is what a Door is made of.
type Config struct {
	Engine   Engine
	Rows     Rows
	Webhooks Webhooks
	Source   func(*http.Request) string
	Ending   <-chan struct{}
	Log      *slog.Logger
	// PublicURL is where the API is, for its document.
	PublicURL string
}

// mostWaiting is how many long polls wait at a time; more are answered at once.
const mostWaiting = 256

// New makes the door.
func New(c Config) *Door {
	d := &Door{engine: c.Engine, rows: c.Rows, webhooks: c.Webhooks, source: c.Source, ending: c.Ending, log: c.Log,
		waiting: make(chan struct{}, mostWaiting), mux: http.NewServeMux(), document: document(routes, c.PublicURL)}
	for _, r := range routes {
		d.mux.HandleFunc(r.pattern, func(w http.ResponseWriter, req *http.Request) { d.serve(w, req, r) })
	}
	return d
}

// ServeHTTP answers a request under Prefix, or for the document of the API.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if r.URL.Path == DocumentPath {
		d.serveDocument(w, r)
		return
	}
	w.Header().Set("Cache-Control", "no-store")
	if browser.Nowhere(r.URL.Path) { // the mux would redirect, with the body and the credential
		say(w, http.StatusNotFound, noAddress)
		return
	}
	handler, pattern := d.mux.Handler(r)
	if pattern != "" {
		d.mux.ServeHTTP(w, r)
		return
	}
	if allow := browser.Unrouted(r, handler); allow != "" {
		w.Header().Set("Allow", allow)
		say(w, http.StatusMethodNotAllowed, refusal{"invalid_request", "This address takes " + allow + "."})
		return
	}
	say(w, http.StatusNotFound, noAddress)
}

var noAddress = refusal{"not_found", "There is no such address."}

// call is a request whose caller is known.
type call struct {
	w     http.ResponseWriter
	r     *http.Request
	query url.Values
	actor string
	app   *postern.App // nil: an operator
	route route
}

func (d *Door) serve(w http.ResponseWriter, r *http.Request, to route) {
	c := &call{w: w, r: r, route: to}
	err := d.caller(c)
	if err == nil {
		err = c.readQuery()
	}
	if err == nil && c.app != nil && r.PathValue("app") != "" && r.PathValue("app") != c.app.ID {
		err = postern.Errorf(postern.NotFound, "There is no such app.")
	}
	if err == nil {
		err = to.serve(d, c)
	}
	if err != nil {
		d.refuse(c, err)
	}
}

// caller proves who asks: an operator's token as Bearer, or an app by Basic.
func (d *Door) caller(c *call) error {
	headers := c.r.Header["Authorization"]
	if len(headers) != 1 {
		return postern.Errorf(postern.NoToken, "Send the header Authorization once: %s.", c.route.accepts())
	}
	scheme, credential, _ := strings.Cut(headers[0], " ")
	credential = strings.TrimLeft(credential, " ")
	switch {
	case strings.EqualFold(scheme, "Bearer"):
		return d.operator(c, postern.Secret(credential))
	case strings.EqualFold(scheme, "Basic") && c.route.apps:
		return d.appItself(c, credential)
	}
	return postern.Errorf(postern.NoToken, "Send the header Authorization: %s.", c.route.accepts())
}

func (r route) accepts() string {
	var all []string
	if r.right != "" {
		all = append(all, "Bearer and an operator's token")
	}
	if r.apps {
		all = append(all, "Basic and the app's credentials")
	}
	return strings.Join(all, ", or ")
}

func (d *Door) operator(c *call, token postern.Secret) error {
	if !postern.OperatorForm.Matches(token) {
		return postern.Errorf(postern.InvalidToken, "This is no operator's token.")
	}
	id, rights, err := d.rows.OperatorToken(c.r.Context(), token.Hash())
	switch {
	case postern.Is(err, postern.NotFound):
		return postern.Errorf(postern.InvalidToken, "This operator's token does not exist, or has ended.")
	case err != nil:
		return err
	case c.route.right == "":
		return postern.Errorf(postern.Forbidden, "This is for apps, by their own credentials.")
	case !slices.Contains(rights, c.route.right):
		return postern.Errorf(postern.InsufficientScope, "The token lacks the right %s.", c.route.right)
	}
	c.actor = "operator_token:" + id
	return nil
}

func (d *Door) appItself(c *call, credential string) error {
	pair, err := base64.StdEncoding.Strict().DecodeString(credential)
	id, secret, ok := strings.Cut(string(pair), ":")
	if err != nil || !ok {
		return postern.Errorf(postern.InvalidClient, "The credentials are not Basic.")
	}
	auth := oauth.ClientAuth{ClientID: id, Secret: postern.Secret(secret), Basic: true, Source: d.source(c.r)}
	// RFC 6749 §2.3.1 has both encoded as in a form; many leave that out.
	if plain, err := url.QueryUnescape(id); err == nil {
		auth.ClientID = plain
	}
	if plain, err := url.QueryUnescape(secret); err == nil && plain != secret {
		auth.Secret, auth.Raw = postern.Secret(plain), postern.Secret(secret)
	}
	if c.app, err = d.engine.Prove(c.r.Context(), auth); err != nil {
		return err
	}
	c.actor = "app:" + c.app.ID
	return nil
}

// readQuery refuses parameters that are unknown or given twice.
func (c *call) readQuery() (err error) {
	if c.query, err = url.ParseQuery(c.r.URL.RawQuery); err != nil {
		return postern.Errorf(postern.InvalidRequest, "The query is not well-formed.")
	}
	for name, values := range c.query {
		if !slices.Contains(c.route.query, name) {
			return postern.Errorf(postern.InvalidRequest, "%s: there is no such parameter.", short(name))
		}
		if len(values) > 1 {
			return postern.Errorf(postern.InvalidRequest, "%s: it is given twice.", name)
		}
	}
	return nil
}

// number reads a parameter between two numbers.
func (c *call) number(name string, least, otherwise, most int64) (int64, error) {
	if !c.query.Has(name) {
		return otherwise, nil
	}
	n, err := strconv.ParseInt(c.query.Get(name), 10, 64)
	if err != nil || n < least || n > most {
		return 0, postern.Errorf(postern.InvalidRequest, "%s: write a number from %d to %d.", name, least, most)
	}
	return n, nil
}

// cursor reads a parameter that an earlier answer has given; 0: there is none.
func (c *call) cursor(name string) (int64, error) {
	if !c.query.Has(name) {
		return 0, nil
	}
	n, err := strconv.ParseInt(c.query.Get(name), 10, 64)
	if err != nil || n < 0 || n > 1<<62 {
		return 0, postern.Errorf(postern.InvalidRequest, "%s: write the cursor of an earlier answer, or leave it out.", name)
	}
	return n, nil
}

func (c *call) time(name string) (time.Time, error) {
	if !c.query.Has(name) {
		return time.Time{}, nil
	}
	return parseTime(name, c.query.Get(name))
}

func parseTime(name, text string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, postern.Errorf(postern.InvalidRequest, "%s: write a time such as 2027-01-31T12:00:00Z.", name)
	}
	return t, nil
}

// body reads the whole body, which must be JSON, into v. Empty is nothing where
// that is allowed.
func (c *call) body(v any, optional bool) error {
	b, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, c.route.most))
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return &postern.Error{Kind: postern.InvalidRequest, Msg: fmt.Sprintf("The body is larger than %d bytes.", c.route.most), Err: errTooLarge}
	}
	if err != nil {
		return postern.Errorf(postern.InvalidRequest, "The body could not be read.")
	}
	if len(b) == 0 && optional {
		return nil
	}
	media, _, _ := strings.Cut(c.r.Header.Get("Content-Type"), ";")
	if !strings.EqualFold(strings.TrimSpace(media), "application/json") {
		return postern.Errorf(postern.InvalidRequest, "Send the body as application/json.")
	}
	return decode(b, v)
}

var errTooLarge = errors.New("too large")

// refusal is an error's words.
type refusal struct {
	Error       string `json:"error" doc:"What is wrong, for programs."`
	Description string `json:"error_description" doc:"What is wrong and what to do, for people."`
}

// statuses is this door's table of errors.
var statuses = map[postern.Kind]int{
	postern.InvalidRequest: 400, postern.MissingParameter: 400,
	postern.NoToken: 401, postern.InvalidToken: 401, postern.InvalidClient: 401, postern.UnknownClient: 401,
	postern.InsufficientScope: 403, postern.Forbidden: 403,
	postern.NotFound: 404, postern.Conflict: 409, postern.RateLimited: 429, postern.Unavailable: 503,
}

func (d *Door) refuse(c *call, err error) {
	kind := postern.KindOf(err)
	status, known := statuses[kind]
	e, _ := errors.AsType[*postern.Error](err)
	said := refusal{string(kind.Parent()), ""}
	if e != nil {
		said.Description = e.Msg
	}
	switch {
	case !known:
		d.log.Error("the API failed", "route", c.route.pattern, "error", err)
		status, said = http.StatusInternalServerError, refusal{string(postern.ServerError), "This is a fault of ours; we have written it down."}
	case errors.Is(err, errTooLarge):
		status = http.StatusRequestEntityTooLarge
	case status == http.StatusUnauthorized:
		c.challenge(kind)
	case status == http.StatusServiceUnavailable:
		said.Description = "The database does not answer. Try again in a moment."
		c.w.Header().Set("Retry-After", "5")
	case status == http.StatusTooManyRequests:
		c.w.Header().Set("Retry-After", strconv.Itoa(max(1, int(e.RetryAfter/time.Second))))
	}
	say(c.w, status, said)
}

// challenge says how to authenticate here (RFC 9110 §11.6.1).
func (c *call) challenge(kind postern.Kind) {
	if c.route.right != "" {
		challenge := `Bearer realm="postern"`
		if kind == postern.InvalidToken {
			challenge += `, error="invalid_token"`
		}
		c.w.Header().Add("WWW-Authenticate", challenge)
	}
	if c.route.apps {
		c.w.Header().Add("WWW-Authenticate", `Basic realm="postern"`)
	}
}

// say writes JSON.
func say(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // the caller has left
}

// short bounds what is repeated of a request.
func short(s string) string {
	const most = 64
	return s[:min(len(s), most)]
}
