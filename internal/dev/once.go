package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"

	"postern.dev/postern/internal/markup"
	"postern.dev/postern/internal/wire"
)

// Once makes the connection of every built-in dialect in a Postern of its own,
// from the authorize link to the deauthorization, and prints what goes over the
// wire. The error says which step failed, and why.
func Once(ctx context.Context, o Options) (err error) {
	dir, err := os.MkdirTemp("", "postern-dev-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o.Dir, o.Ports, o.anyPort = dir, Ports{}, true
	d, err := start(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.stop()) }()
	names := d.partner.order
	for _, name := range names {
		s := &story{demo: d, out: o.Out}
		if err := s.tell(ctx, name); err != nil {
			return fmt.Errorf("dialect %s, step %d (%s): %w", name, s.steps, s.step, err)
		}
	}
	fmt.Fprintf(o.Out, "\nDone: %s. Each was connected, used and ended.\n", strings.Join(names, ", "))
	return nil
}

// story is the life of one connection.
type story struct {
	demo  *demo
	out   io.Writer
	steps int
	step  string
}

func (s *story) begin(format string, args ...any) {
	s.steps++
	s.step = fmt.Sprintf(format, args...)
	fmt.Fprintf(s.out, "\n%d. %s\n", s.steps, s.step)
}

// show prints an exchange as it was on the wire.
func (s *story) show(x *exchange) {
	fmt.Fprintf(s.out, "\n%s%s", prefixed("> ", x.Request), prefixed("< ", x.Answer))
}

func prefixed(mark, text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimRight(mark+line, " \n") + "\n")
	}
	return b.String()
}

func (s *story) tell(ctx context.Context, name string) error {
	p := s.demo.partner
	p.wire = s.show
	app := p.apps[name]
	fmt.Fprintf(s.out, "\n== %s: connections at %s level ==\n", name, app.Dialect.Level())
	b, err := newBrowser(s.show)
	if err != nil {
		return err
	}
	c, err := s.connect(ctx, b, name)
	if err != nil {
		return err
	}
	for _, part := range []func(context.Context, *wire.Browser, *connection) error{s.use, s.refresh, s.end, s.prove} {
		if err := part(ctx, b, c); err != nil {
			return err
		}
	}
	return nil
}

// connect is the browser's part, and the partner's when the browser is back.
func (s *story) connect(ctx context.Context, b *wire.Browser, name string) (*connection, error) {
	s.begin("Connect: the partner's site sends the browser to the authorize link")
	p, err := b.Visit(ctx, http.MethodGet, s.demo.at.partner+"/connect/"+name, nil)
	if err != nil {
		return nil, err
	}
	if !p.AsksPassword() {
		return nil, fmt.Errorf("no sign-in form at %s (status %d): %s", p.At, p.Status, markup.Text(p.Doc))
	}
	s.begin("Sign in as %s", inBoth.email)
	if p, err = b.Press(ctx, p, "Sign in", map[string]string{"email": inBoth.email, "password": password}); err != nil {
		return nil, err
	}
	if p.AsksPassword() {
		return nil, fmt.Errorf("the sign-in was refused: %s", markup.Text(p.Doc))
	}
	s.begin("Allow: the browser brings the code back, and the partner redeems it")
	if p, err = b.Press(ctx, p, "Allow", nil); err != nil {
		return nil, err
	}
	id, ok := strings.CutPrefix(p.At.Path, "/connections/")
	c := s.demo.partner.connection(id)
	if !ok || c == nil {
		return nil, fmt.Errorf("the partner has no connection after Allow, but shows (status %d): %s", p.Status, markup.Text(p.Doc))
	}
	return c, nil
}

// use calls the API, and asks the server what the token stands for.
func (s *story) use(ctx context.Context, _ *wire.Browser, c *connection) error {
	s.begin("Call the API with the token")
	if err := wants(http.StatusOK)(s.demo.partner.call(ctx, c, "/candidates")); err != nil {
		return err
	}
	if s.demo.partner.apps[c.Dialect].Whoami("") == nil {
		return nil
	}
	s.begin("Ask the server what the token stands for")
	return wants(http.StatusOK)(s.demo.partner.whoami(ctx, c))
}

func (s *story) refresh(ctx context.Context, _ *wire.Browser, c *connection) error {
	if s.demo.partner.told(c)["refresh_token"] == "" {
		return nil
	}
	s.begin("Refresh, and call the API with the new token")
	before := s.demo.partner.told(c)["access_token"]
	if _, err := s.demo.partner.refresh(ctx, c); err != nil {
		return err
	}
	if s.demo.partner.told(c)["access_token"] == before {
		return errors.New("the refresh gave the same access token again")
	}
	return wants(http.StatusOK)(s.demo.partner.call(ctx, c, "/candidates"))
}

// end disconnects in the dialect's own way; where it has none, a person does.
func (s *story) end(ctx context.Context, b *wire.Browser, c *connection) error {
	x, err := (*exchange)(nil), error(nil)
	if s.demo.partner.apps[c.Dialect].Revoke(s.demo.partner.told(c)) != nil {
		s.begin("Disconnect: the partner ends it at the server")
		if x, err = s.demo.partner.disconnect(ctx, c); err == nil && x.Status >= 300 {
			err = fmt.Errorf("status %d: %s", x.Status, x.Body)
		}
		return err
	}
	s.begin("Disconnect: this wire leaves that to the account's people")
	p, err := b.Visit(ctx, http.MethodGet, s.demo.at.public+"/connections", nil)
	if err == nil {
		_, err = b.Press(ctx, p, "Disconnect", nil)
	}
	return err
}

// prove shows that what was ended is dead.
func (s *story) prove(ctx context.Context, _ *wire.Browser, c *connection) error {
	s.begin("The tokens are dead")
	if err := wants(http.StatusUnauthorized)(s.demo.partner.call(ctx, c, "/candidates")); err != nil {
		return err
	}
	if s.demo.partner.told(c)["refresh_token"] == "" {
		return nil
	}
	if x, err := s.demo.partner.refresh(ctx, c); x == nil {
		return err
	} else if err == nil {
		return errors.New("the refresh token still works")
	}
	return nil
}

// wants turns an answer with another status into an error.
func wants(status int) func(*exchange, error) error {
	return func(x *exchange, err error) error {
		if err == nil && x.Status != status {
			err = fmt.Errorf("status %d, want %d: %s", x.Status, status, x.Body)
		}
		return err
	}
}
