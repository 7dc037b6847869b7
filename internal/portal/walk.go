package portal

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"maps"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/sandbox"
	"postern.dev/postern/internal/wire"
)

// walk is a connection's life, step by step, with this program in both parts:
// the person's browser, and the partner's server. What it sends is what the
// app's dialect says (dialect.Speaker), and goes to the same doors as everybody
// else's requests. Between two steps it is in a field of the page's form, sealed.
type walk struct {
	Dialect     string
	PersonID    string
	RedirectURL string
	Scopes      []string
	Secret      string // the app's, as the partner gave it for this walk

	State    string
	Verifier string
	Question string                    // where the browser is
	Cookies  map[string][]*http.Cookie // by origin
	Code     string
	Told     dialect.Told
	Dead     bool // it was disconnected

	Done []*walked
	Next step
}

// walked is a step that was taken.
type walked struct {
	Step      step
	Exchanges []*wire.Exchange
	Failed    string // why the step did not do what it should; empty: it did
}

// step is one of a walk.
type step string

const (
	connecting    step = "connect"
	allowing      step = "allow"
	exchanging    step = "exchange"
	calling       step = "call"
	refreshing    step = "refresh"
	disconnecting step = "disconnect"
	proving       step = "prove"
	atTheEnd      step = ""
)

// walker is who takes the steps.
type walker struct {
	*walk
	door    *Door
	speaker *dialect.Speaker
	app     *postern.App
	person  *sandbox.Person
	account *sandbox.Account
	from    string // the address that the requests come from
	now     *walked
}

// errRefused: what was answered is no yes. The exchange shows it.
var errRefused = errors.New("refused")

// take takes the next step. A step that fails may be taken again.
func (w *walker) take(ctx context.Context) error {
	w.now = &walked{Step: w.Next}
	steps := map[step]func(context.Context) (step, error){
		connecting: w.connect, allowing: w.allow, exchanging: w.exchange, calling: w.call,
		refreshing: w.refresh, disconnecting: w.disconnect, proving: w.prove,
	}
	take, ok := steps[w.Next]
	if !ok {
		return postern.Errorf(postern.InvalidRequest, "This walk is at its end. Start again.")
	}
	next, err := take(ctx)
	if err != nil && len(w.now.Exchanges) == 0 {
		return err
	}
	if err != nil {
		w.now.Failed = err.Error()
	} else {
		w.Next = next
	}
	w.Done = append(w.Done, w.now)
	return nil
}

// mostOfAnAnswer is what is shown of one, in bytes: the walk is brought along from
// step to step, and an API may answer at any length.
const mostOfAnAnswer = 16 << 10

func (w *walker) heard(x *wire.Exchange) {
	if len(x.Answer) > mostOfAnAnswer {
		x.Answer = strings.ToValidUTF8(x.Answer[:mostOfAnAnswer], "") + "…\n"
	}
	w.now.Exchanges = append(w.now.Exchanges, x)
}

// connect opens the Connect link in the person's browser.
func (w *walker) connect(ctx context.Context) (step, error) {
	challenge := ""
	if w.speaker.UsesPKCE() {
		sum := sha256.Sum256([]byte(w.Verifier))
		challenge = base64.RawURLEncoding.EncodeToString(sum[:])
	}
	p, err := w.browse(ctx, w.speaker.Authorize(w.State, challenge), w.heard, nil)
	switch {
	case err != nil:
		return "", err
	case p.Leaves != nil:
		return "", w.calledBack(p.Leaves)
	case p.Status >= 400:
		return "", errRefused
	}
	w.Question = p.At.String()
	return allowing, nil
}

// allow signs the person in and presses the button.
func (w *walker) allow(ctx context.Context) (step, error) {
	p, err := w.browse(ctx, w.Question, func(*wire.Exchange) {}, func(b *wire.Browser, p *wire.Page) (*wire.Page, error) {
		b.Wire = w.heard
		if p.AsksPassword() {
			var err error
			if p, err = b.SignIn(ctx, p, w.person.Email, string(w.person.Password)); err != nil || p.Leaves != nil {
				return p, err
			}
		}
		return b.Press(ctx, p, "decision=allow", nil, w.account.ID)
	})
	if err != nil && len(w.now.Exchanges) == 0 {
		return "", postern.Errorf(postern.InvalidRequest, "The question is not open any more: it was answered, or waited too long. Start again.")
	}
	if err != nil {
		return "", err
	}
	if p.Leaves == nil {
		return "", errRefused
	}
	return exchanging, w.calledBack(p.Leaves)
}

// calledBack reads what the browser takes to the partner's server. Nothing is
// sent there: this walk is the server.
func (w *walker) calledBack(to *url.URL) error {
	w.heard(&wire.Exchange{At: w.door.Now(), Title: "callback", Request: "GET " + to.RequestURI() + " HTTP/1.1\nHost: " + to.Host + "\n"})
	back := w.speaker.Callback(to.Query())
	if back.Code == "" {
		return errRefused
	}
	if back.State != w.State {
		return errors.New("the state is not the one that was sent")
	}
	w.Code = back.Code
	return nil
}

// browse opens an address in the person's browser, with the cookies that it has,
// and does there what is to be done.
func (w *walker) browse(ctx context.Context, address string, hears func(*wire.Exchange), do func(*wire.Browser, *wire.Page) (*wire.Page, error)) (*wire.Page, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	origins := map[string]*url.URL{}
	for _, text := range []string{address, w.door.PublicURL} {
		u, err := url.Parse(text)
		if err != nil {
			return nil, err
		}
		u.Path, u.RawPath, u.RawQuery = "/", "", ""
		origins[u.String()] = u
		jar.SetCookies(u, w.Cookies[u.String()])
	}
	b := &wire.Browser{Wire: hears, Client: w.client(), Within: func(u *url.URL) bool {
		return origins[u.Scheme+"://"+u.Host+"/"] != nil
	}}
	b.Client.Jar = jar
	p, err := b.Visit(ctx, http.MethodGet, address, nil)
	if err == nil && do != nil && p.Leaves == nil {
		p, err = do(b, p)
	}
	w.Cookies = map[string][]*http.Cookie{}
	for name, u := range origins {
		for _, c := range jar.Cookies(u) {
			w.Cookies[name] = append(w.Cookies[name], &http.Cookie{Name: c.Name, Value: c.Value, Path: "/", Secure: u.Scheme == "https"})
		}
	}
	return p, err
}

// client leads to our own public doors, without a network.
func (w *walker) client() *http.Client { return inside(w.door.Public(), w.from) }

func inside(h http.Handler, from string) *http.Client {
	return &http.Client{Transport: wire.Inside{Handler: h, From: net.JoinHostPort(from, "0")}, CheckRedirect: asItIs}
}

func asItIs(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// exchange redeems the code.
func (w *walker) exchange(ctx context.Context) (step, error) {
	return calling, w.askForTokens(ctx, w.speaker.Redeem(w.Code, w.verifier()))
}

func (w *walker) verifier() string {
	if w.speaker.UsesPKCE() {
		return w.Verifier
	}
	return ""
}

func (w *walker) askForTokens(ctx context.Context, m *dialect.Request) error {
	x, err := w.send(ctx, w.client(), m)
	if err != nil {
		return err
	}
	told := w.speaker.Answer(x.MediaType, x.Body)
	if told["access_token"] == "" {
		return errRefused
	}
	now := maps.Clone(w.Told)
	if now == nil {
		now = dialect.Told{}
	}
	maps.Copy(now, told) // what is not told again stays: RFC 6749 §6
	w.Told = now
	return nil
}

func (w *walker) send(ctx context.Context, client *http.Client, m *dialect.Request) (*wire.Exchange, error) {
	r, err := m.HTTP(ctx)
	if err != nil {
		return nil, err
	}
	x, err := wire.Send(client, "", r, m.Body)
	if err == nil {
		w.heard(x)
	}
	return x, err
}

// call calls the API.
func (w *walker) call(ctx context.Context) (step, error) {
	status, err := w.tryCall(ctx)
	if err == nil && status >= 300 {
		err = errRefused
	}
	return w.after(), err
}

// after is the step after the first call.
func (w *walker) after() step {
	switch {
	case w.Told["refresh_token"] != "" && w.speaker.Refresh("x") != nil:
		return refreshing
	case w.speaker.Revoke(w.Told) != nil:
		return disconnecting
	}
	return atTheEnd
}

// tryCall calls the address that the operator names for it; without one, the
// token check answers as it would answer the API.
func (w *walker) tryCall(ctx context.Context) (status int, err error) {
	address, client := w.door.SampleCall, &http.Client{Timeout: 10 * time.Second, CheckRedirect: asItIs}
	if address == "" {
		address, client = w.door.PublicURL+"/check", inside(w.door.Check, w.from)
	}
	x, err := w.send(ctx, client, w.speaker.Call(http.MethodGet, address, w.Told["access_token"]))
	if err != nil {
		return 0, postern.Wrap(postern.Unavailable, err)
	}
	return x.Status, nil
}

func (w *walker) refresh(ctx context.Context) (step, error) {
	next := atTheEnd
	if w.speaker.Revoke(w.Told) != nil {
		next = disconnecting
	}
	return next, w.askForTokens(ctx, w.speaker.Refresh(w.Told["refresh_token"]))
}

func (w *walker) disconnect(ctx context.Context) (step, error) {
	x, err := w.send(ctx, w.client(), w.speaker.Revoke(w.Told))
	if err == nil && x.Status >= 300 {
		err = errRefused
	}
	w.Dead = err == nil
	return proving, err
}

// prove calls the API once more: the token must be dead.
func (w *walker) prove(ctx context.Context) (step, error) {
	status, err := w.tryCall(ctx)
	if err == nil && status < 300 {
		err = errors.New("the token still works")
	}
	return atTheEnd, err
}
