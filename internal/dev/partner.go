package dev

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/wire"
)

// partner is the sample partner: what a company does that integrates. It knows
// each wire from its dialect, and nothing of the server but its addresses.
type partner struct {
	apps   map[string]*dialect.Speaker // by dialect
	order  []string
	api    string
	client *http.Client
	now    func() time.Time
	file   string // where connections are kept

	// wire, if set, hears of every exchange with the server and the API.
	wire func(*exchange)

	mu          sync.Mutex
	pending     map[string]pending // by state
	connections map[string]*connection
	exchanges   []*exchange // the last ones, newest first, secrets masked
}

// pending is a person who was sent away to allow.
type pending struct {
	dialect, visitor, verifier string
	since                      time.Time
}

// patience is how long a person may take.
const patience = time.Hour

// connection is what the partner keeps of a connected customer.
type connection struct {
	ID      string       `json:"id"`
	Dialect string       `json:"dialect"`
	Told    dialect.Told `json:"told"`
	Since   time.Time    `json:"since"`
	Ended   bool         `json:"ended"`

	exchanges []*exchange // newest first, secrets masked
}

// kept is how many exchanges are shown.
const kept = 12

// random is a text that nobody guesses.
func random() string { return rand.Text() + rand.Text() }

// newPartner reads what an earlier run kept.
func newPartner(set *dialect.Set, at places, file string) (*partner, error) {
	p := &partner{
		apps: map[string]*dialect.Speaker{}, api: at.api, now: time.Now, file: file,
		client:  here(nil),
		pending: map[string]pending{}, connections: map[string]*connection{},
	}
	for _, d := range set.List() {
		app := appOf(d, at)
		p.apps[d.Name()], p.order = &app, append(p.order, d.Name())
	}
	data, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	if err == nil {
		err = json.Unmarshal(data, &p.connections)
	}
	if err != nil {
		return nil, fmt.Errorf("what the partner's site kept: %w; remove the file, or begin anew with --fresh", err)
	}
	maps.DeleteFunc(p.connections, func(_ string, c *connection) bool { return c == nil || p.apps[c.Dialect] == nil })
	return p, nil
}

// save keeps the connections; the caller holds the lock.
func (p *partner) save() error {
	data, err := json.MarshalIndent(p.connections, "", "  ")
	if err == nil {
		err = os.WriteFile(p.file+".new", data, 0o600)
	}
	if err == nil {
		err = os.Rename(p.file+".new", p.file)
	}
	return err
}

// begin remembers who is sent away, and gives the address to send them to. The
// state ties what comes back to this visitor's browser (RFC 6749 §10.12).
func (p *partner) begin(name, visitor string) string {
	app := p.apps[name]
	state, verifier, challenge := random(), "", ""
	if app.UsesPKCE() {
		verifier = random()
		challenge = challengeOf(verifier)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	maps.DeleteFunc(p.pending, func(_ string, w pending) bool { return p.now().Sub(w.since) > patience })
	p.pending[state] = pending{name, visitor, verifier, p.now()}
	return app.Authorize(state, challenge)
}

// challengeOf is S256 (RFC 7636 §4.2).
func challengeOf(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// errNotOurs is a callback that this visitor did not begin: a real partner goes
// no further, since the code may be somebody else's.
var errNotOurs = errors.New("this connection was not begun on this site, in this browser")

// refusal is what the server or the person answered instead of a yes.
type refusal struct{ word string }

func (r *refusal) Error() string { return r.word }

// finish takes what the browser brought back, and redeems the code.
func (p *partner) finish(ctx context.Context, name, visitor string, query url.Values) (*connection, error) {
	app := p.apps[name]
	back := app.Callback(query)
	p.mu.Lock()
	waiting, ours := p.pending[back.State]
	ours = ours && waiting.dialect == name && waiting.visitor == visitor
	if ours {
		delete(p.pending, back.State)
	}
	p.mu.Unlock()
	switch {
	case !ours:
		return nil, errNotOurs
	case back.Code == "":
		return nil, &refusal{back.Error}
	}
	c := &connection{ID: random()[:12], Dialect: name, Since: p.now()}
	_, told, err := p.ask(ctx, c, "Redeem the code for a token", app.Redeem(back.Code, waiting.verifier), back.Code, waiting.verifier)
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c.Told = told
	p.connections[c.ID] = c
	return c, p.save()
}

// ask sends a request that is answered with tokens.
func (p *partner) ask(ctx context.Context, c *connection, title string, m *dialect.Request, secrets ...string) (*exchange, dialect.Told, error) {
	app := p.apps[c.Dialect]
	x, err := send(ctx, p.client, title, m)
	if err != nil {
		return nil, nil, err
	}
	told := app.Answer(x.MediaType, x.Body)
	p.note(c, x, append(secrets, secretsOf(told)...)...)
	if told["access_token"] == "" {
		return x, nil, fmt.Errorf("%s: no token but status %d: %s", title, x.Status, x.Body)
	}
	return x, told, nil
}

// note writes an exchange down, without its secrets.
func (p *partner) note(c *connection, x *exchange, secrets ...string) {
	if p.wire != nil {
		p.wire(x)
	}
	secrets = append(append(secrets, p.apps[c.Dialect].ClientSecret), secretsOf(p.told(c))...)
	clean := *x
	clean.Request = wire.Masked(wire.MaskedBasic(x.Request), secrets...)
	clean.Answer = wire.Masked(x.Answer, secrets...)
	clean.Body = ""
	p.mu.Lock()
	defer p.mu.Unlock()
	c.exchanges = newest(&clean, c.exchanges)
	p.exchanges = newest(&clean, p.exchanges)
}

// isSecret tells tokens, also second ones, from what may be shown.
func isSecret(name string) bool { return strings.HasSuffix(name, "_token") }

func secretsOf(told dialect.Told) (secrets []string) {
	for name, value := range told {
		if isSecret(name) {
			secrets = append(secrets, value)
		}
	}
	return secrets
}

func newest(x *exchange, before []*exchange) []*exchange {
	all := append([]*exchange{x}, before...)
	return all[:min(len(all), kept)]
}

// call calls the sample API with the connection's token.
func (p *partner) call(ctx context.Context, c *connection, path string) (*exchange, error) {
	return p.tell(ctx, c, "Call the API: "+path, p.apps[c.Dialect].Call(http.MethodGet, p.api+path, p.told(c)["access_token"]))
}

// whoami makes the wire's test call, if it has one.
func (p *partner) whoami(ctx context.Context, c *connection) (*exchange, error) {
	return p.tell(ctx, c, "Ask what the token stands for", p.apps[c.Dialect].Whoami(p.told(c)["access_token"]))
}

// tell sends a request that is answered without tokens; nil: there is none to send.
func (p *partner) tell(ctx context.Context, c *connection, title string, m *dialect.Request) (*exchange, error) {
	if m == nil {
		return nil, errNoSuchRequest
	}
	x, err := send(ctx, p.client, title, m)
	if err == nil {
		p.note(c, x)
	}
	return x, err
}

// errNoSuchRequest: the wire has none of the kind.
var errNoSuchRequest = errors.New("this wire has no such request")

// refresh gets another access token.
func (p *partner) refresh(ctx context.Context, c *connection) (*exchange, error) {
	token := p.told(c)["refresh_token"]
	if token == "" {
		return nil, errNoSuchRequest
	}
	m := p.apps[c.Dialect].Refresh(token)
	x, told, err := p.ask(ctx, c, "Refresh the token", m)
	if err != nil {
		return x, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	now := maps.Clone(c.Told)
	maps.Copy(now, told) // what is not told again stays: RFC 6749 §6 lets the refresh token be left out
	c.Told = now
	return x, p.save()
}

// disconnect ends the connection at the server. The tokens are kept, so that
// everybody can see that they are dead.
func (p *partner) disconnect(ctx context.Context, c *connection) (*exchange, error) {
	x, err := p.tell(ctx, c, "Disconnect", p.apps[c.Dialect].Revoke(p.told(c)))
	if err != nil || x.Status >= 300 {
		return x, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	c.Ended = true
	return x, p.save()
}

// forget removes what the partner keeps of a connection.
func (p *partner) forget(c *connection) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.connections, c.ID)
	return p.save()
}

// told is what the server said of a connection so far. It is never changed, only
// replaced.
func (p *partner) told(c *connection) dialect.Told {
	p.mu.Lock()
	defer p.mu.Unlock()
	return c.Told
}

// connection finds one; nil: unknown.
func (p *partner) connection(id string) *connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.connections[id]
}

// all are the connections, newest first.
func (p *partner) all() []*connection {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.SortedFunc(maps.Values(p.connections), func(a, b *connection) int { return b.Since.Compare(a.Since) })
}

// last are the exchanges of a connection, or of all, newest first.
func (p *partner) last(c *connection) []*exchange {
	p.mu.Lock()
	defer p.mu.Unlock()
	if c != nil {
		return slices.Clone(c.exchanges)
	}
	return slices.Clone(p.exchanges)
}
