package dev

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"
)

// browser is a person's browser without a person: it keeps cookies, follows
// redirects one by one, and fills in the forms that it finds in pages.
type browser struct {
	client *http.Client
	wire   func(*exchange) // hears of every step
}

func newBrowser(wire func(*exchange)) (*browser, error) {
	jar, err := cookiejar.New(nil)
	return &browser{wire: wire, client: here(jar)}, err
}

// page is what a visit ended with.
type page struct {
	at     *url.URL
	status int
	doc    *html.Node
}

// visit goes to an address and on, as far as redirects lead.
func (b *browser) visit(ctx context.Context, method, address string, fields url.Values) (*page, error) {
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
		if err != nil || next == "" {
			return p, err
		}
		method, address, fields = http.MethodGet, next, nil
	}
	return nil, errors.New("the browser was sent on and on")
}

// step is one request; next is where its answer leads.
func (b *browser) step(r *http.Request, body string) (p *page, next string, err error) {
	shown := r.Clone(r.Context())
	for _, c := range b.client.Jar.Cookies(r.URL) { // the client adds them on its way out
		shown.AddCookie(c)
	}
	sent := asSent(shown, body)
	answer, err := b.client.Do(r)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(io.LimitReader(answer.Body, longestAnswer))
	if err != nil {
		return nil, "", err
	}
	p = &page{at: r.URL, status: answer.StatusCode}
	if p.doc, err = html.Parse(strings.NewReader(string(text))); err != nil {
		return nil, "", err
	}
	b.wire(&exchange{Request: sent, Answer: asAnswered(answer, p.outline(answer, string(text))), Status: answer.StatusCode})
	to, err := answer.Location()
	if errors.Is(err, http.ErrNoLocation) {
		return p, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	return p, to.String(), nil
}

// outline is a page in a line, and any other body whole.
func (p *page) outline(a *http.Response, body string) string {
	if !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		return body
	}
	for n := range elements(p.doc, "title") {
		return fmt.Sprintf("(the page %q, %d bytes of HTML)", text(n), len(body))
	}
	return fmt.Sprintf("(%d bytes of HTML)", len(body))
}

// form is a form of a page, with what the page has filled in.
type form struct {
	method, action string
	fields         url.Values
	offers         map[string][]string // of radio buttons
	buttons        []button
	types          map[string]string
}

type button struct{ text, name, value string }

// forms are all of the page.
func (p *page) forms() (all []*form) {
	for n := range elements(p.doc, "form") {
		f := &form{method: strings.ToUpper(attribute(n, "method")), action: attribute(n, "action"),
			fields: url.Values{}, offers: map[string][]string{}, types: map[string]string{}}
		for e := range elements(n, "input", "button") {
			f.read(e)
		}
		all = append(all, f)
	}
	return all
}

func (f *form) read(e *html.Node) {
	name, kind, value := attribute(e, "name"), attribute(e, "type"), attribute(e, "value")
	switch {
	case e.Data == "button":
		f.buttons = append(f.buttons, button{text(e), name, value})
	case kind == "radio":
		f.offers[name] = append(f.offers[name], value)
		if has(e, "checked") {
			f.fields.Set(name, value)
		}
	default:
		f.fields.Set(name, value)
		f.types[kind] = name
	}
}

// press fills in the form that has this button and submits it. A choice that
// the page leaves open is the first one. set is by type of field.
func (b *browser) press(ctx context.Context, p *page, word string, set map[string]string) (*page, error) {
	for _, f := range p.forms() {
		i := slices.IndexFunc(f.buttons, func(x button) bool { return x.text == word })
		if i < 0 {
			continue
		}
		for kind, value := range set {
			f.fields.Set(f.types[kind], value)
		}
		for name, offers := range f.offers {
			if !f.fields.Has(name) {
				f.fields.Set(name, offers[0])
			}
		}
		if pressed := f.buttons[i]; pressed.name != "" {
			f.fields.Set(pressed.name, pressed.value)
		}
		to, err := p.at.Parse(f.action)
		if err != nil {
			return nil, err
		}
		return b.visit(ctx, f.method, to.String(), f.fields)
	}
	return nil, fmt.Errorf("the page at %s (status %d) has no button %q; it says: %s", p.at, p.status, word, text(p.doc))
}

// asksPassword reports whether the page is one to sign in at.
func (p *page) asksPassword() bool {
	return slices.ContainsFunc(p.forms(), func(f *form) bool { return f.types["password"] != "" })
}

// elements walks over the elements of these names, in page order.
func elements(root *html.Node, names ...string) iter.Seq[*html.Node] {
	return func(yield func(*html.Node) bool) {
		for n := range root.Descendants() {
			if n.Type == html.ElementNode && slices.Contains(names, n.Data) && !yield(n) {
				return
			}
		}
	}
}

func attribute(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	return slices.ContainsFunc(n.Attr, func(a html.Attribute) bool { return a.Key == name })
}

// text is what a person reads below a node.
func text(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode {
			b.WriteString(n.Data)
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
