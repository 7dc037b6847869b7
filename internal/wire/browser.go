package wire

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"postern.dev/postern/internal/markup"
)

// Browser is a person's browser without a person.
type Browser struct {
	Client *http.Client // with a cookie jar, and following no redirects
	// Within says which addresses are gone to; nil: all. A redirect elsewhere ends
	// the visit.
	Within func(*url.URL) bool
	// Hears of every step.
	Wire func(*Exchange)
}

// Page is what a visit ended with.
type Page struct {
	At     *url.URL
	Status int
	Doc    *html.Node
	Leaves *url.URL // where a redirect leads that was not followed
}

// Visit goes to an address and on, as far as redirects lead.
func (b *Browser) Visit(ctx context.Context, method, address string, fields url.Values) (*Page, error) {
	for range 12 {
		body := ""
		if method == http.MethodPost {
			body = fields.Encode()
		}
		r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Accept", "text/html")
		if body != "" {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			r.Header.Set("Sec-Fetch-Site", "same-origin") // the form stood on a page of the same site
		}
		p, next, err := b.step(r, body)
		if err != nil || next == nil {
			return p, err
		}
		if b.Within != nil && !b.Within(next) {
			p.Leaves = next
			return p, nil
		}
		method, address, fields = http.MethodGet, next.String(), nil
	}
	return nil, errors.New("the browser was sent on and on")
}

// step is one request; next is where its answer leads.
func (b *Browser) step(r *http.Request, body string) (p *Page, next *url.URL, err error) {
	shown := r.Clone(r.Context())
	for _, c := range b.Client.Jar.Cookies(r.URL) { // the client adds them on its way out
		shown.AddCookie(c)
	}
	sent := asSent(shown, body)
	answer, err := b.Client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	said, err := io.ReadAll(io.LimitReader(answer.Body, longestAnswer))
	if err != nil {
		return nil, nil, err
	}
	p = &Page{At: r.URL, Status: answer.StatusCode}
	if p.Doc, err = html.Parse(strings.NewReader(string(said))); err != nil {
		return nil, nil, err
	}
	b.Wire(&Exchange{Request: sent, Answer: asAnswered(answer, p.outline(answer, string(said))), Status: answer.StatusCode})
	next, err = answer.Location()
	if errors.Is(err, http.ErrNoLocation) {
		return p, nil, nil
	}
	return p, next, err
}

// outline is a page in a line, and any other body whole.
func (p *Page) outline(a *http.Response, body string) string {
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		return body
	}
	for n := range markup.Elements(p.Doc, "title") {
		return fmt.Sprintf("(the page %q, %d bytes of HTML)", markup.Text(n), len(body))
	}
	return fmt.Sprintf("(%d bytes of HTML)", len(body))
}

// Form is a form of a page, with what the page has filled in.
type Form struct {
	method, action string
	fields         url.Values
	offers         map[string][]string // of radio buttons
	buttons        []formButton
	types          map[string]string
}

type formButton struct{ text, name, value string }

// Forms are all of the page.
func (p *Page) Forms() (all []*Form) {
	for n := range markup.Elements(p.Doc, "form") {
		f := &Form{method: strings.ToUpper(markup.Attribute(n, "method")), action: markup.Attribute(n, "action"),
			fields: url.Values{}, offers: map[string][]string{}, types: map[string]string{}}
		for e := range markup.Elements(n, "input", "button") {
			f.read(e)
		}
		all = append(all, f)
	}
	return all
}

func (f *Form) read(e *html.Node) {
	name, kind, value := markup.Attribute(e, "name"), markup.Attribute(e, "type"), markup.Attribute(e, "value")
	switch {
	case e.Data == "button":
		f.buttons = append(f.buttons, formButton{markup.Text(e), name, value})
	case kind == "radio":
		f.offers[name] = append(f.offers[name], value)
		if markup.Has(e, "checked") {
			f.fields.Set(name, value)
		}
	default:
		f.fields.Set(name, value)
		f.types[kind] = name
	}
}

// with is the form that has a button with this value of a name, or with this
// text; nil: none has.
func (p *Page) with(button string) (*Form, *formButton) {
	for _, f := range p.Forms() {
		for i, b := range f.buttons {
			if b.text == button || b.name != "" && b.name+"="+b.value == button {
				return f, &f.buttons[i]
			}
		}
	}
	return nil, nil
}

// Press fills in the form that has this button and submits it. A button is
// known by its text, or by NAME=VALUE, which is the same in every language. A
// choice that the page leaves open is the first one, unless chosen names
// another; set is by type of field.
func (b *Browser) Press(ctx context.Context, p *Page, button string, set map[string]string, chosen ...string) (*Page, error) {
	f, pressed := p.with(button)
	if f == nil {
		return nil, fmt.Errorf("the page at %s (status %d) has no button %q; it says: %s", p.At, p.Status, button, markup.Text(p.Doc))
	}
	f.fill(set, chosen)
	if pressed.name != "" {
		f.fields.Set(pressed.name, pressed.value)
	}
	return b.submit(ctx, p, f)
}

func (f *Form) fill(set map[string]string, chosen []string) {
	for kind, value := range set {
		f.fields.Set(f.types[kind], value)
	}
	for name, offers := range f.offers {
		for _, wanted := range chosen {
			if slices.Contains(offers, wanted) {
				f.fields.Set(name, wanted)
			}
		}
		if !f.fields.Has(name) {
			f.fields.Set(name, offers[0])
		}
	}
}

// SignIn submits the form with a password on it, whatever its button says.
func (b *Browser) SignIn(ctx context.Context, p *Page, email, password string) (*Page, error) {
	for _, f := range p.Forms() {
		if f.types["password"] != "" {
			f.fill(map[string]string{"email": email, "password": password}, nil)
			return b.submit(ctx, p, f)
		}
	}
	return nil, fmt.Errorf("the page at %s (status %d) has no sign-in form; it says: %s", p.At, p.Status, markup.Text(p.Doc))
}

func (b *Browser) submit(ctx context.Context, p *Page, f *Form) (*Page, error) {
	to, err := p.At.Parse(f.action)
	if err != nil {
		return nil, err
	}
	return b.Visit(ctx, f.method, to.String(), f.fields)
}

// AsksPassword reports whether the page is one to sign in at.
func (p *Page) AsksPassword() bool {
	return slices.ContainsFunc(p.Forms(), func(f *Form) bool { return f.types["password"] != "" })
}
