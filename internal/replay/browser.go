package replay

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/net/html"

	"postern.dev/postern/internal/markup"
	"postern.dev/postern/internal/transcript"
)

// password is everybody's: nobody but these few people knows the database.
const password = "correct horse battery staple"

// person is somebody at a browser: it keeps cookies, follows redirects as long
// as they stay with Postern, and fills in forms as they are written in the page.
type person struct {
	stage   *stage
	email   string
	cookies http.CookieJar
}

func newPerson(s *stage, u *transcript.User) *person {
	jar, _ := cookiejar.New(nil) // without options it never fails
	return &person{s, email(u.Name), jar}
}

// mostSteps is how far a person is led before giving up.
const mostSteps = 12

// answer opens the address that a request leads to, signs in where the page asks
// for it, presses the button, and gives what comes of it: the redirect to the
// app, or the page that there is instead.
func (p *person) answer(ctx context.Context, r *request, x *transcript.Exchange) (*answer, error) {
	r.header = append(r.header, [2]string{"Accept", "text/html"}, [2]string{"Sec-Fetch-Mode", "navigate"},
		[2]string{"Sec-Fetch-Dest", "document"}, [2]string{"Sec-Fetch-Site", "cross-site"})
	got, err := p.visit(ctx, r)
	pressed := false
	for range mostSteps {
		if err != nil || got.header.Get("Location") != "" {
			return got, err
		}
		form := p.next(got, x, pressed)
		if form == nil {
			return got, nil
		}
		pressed = pressed || form.pressed != ""
		got, err = p.submit(ctx, got, form)
	}
	return nil, errors.New("a person was led on and on: " + got.shown())
}

// next is the form to submit: the sign-in, or the one with the button.
func (p *person) next(page *answer, x *transcript.Exchange, pressed bool) *form {
	for _, f := range page.forms() {
		if name := f.ofType("password"); name != "" && !pressed {
			f.fields.Set(f.ofType("email"), p.email)
			f.fields.Set(name, password)
			return f
		}
		if !pressed && f.press(string(x.Asked)) {
			f.choose(x.Account)
			return f
		}
	}
	return nil
}

// visit goes to an address and on, as far as redirects lead within Postern: its
// own origin, or the host on which a dialect is spoken.
func (p *person) visit(ctx context.Context, r *request) (*answer, error) {
	for range mostSteps {
		got, err := p.stage.send(ctx, r, p.cookies)
		if err != nil {
			return nil, err
		}
		to, err := got.at.Parse(got.header.Get("Location"))
		if err != nil || got.header.Get("Location") == "" || originOf(to) != origin && originOf(to) != originOf(got.at) {
			return got, nil
		}
		r = &request{method: http.MethodGet, target: originOf(to) + to.RequestURI(), header: [][2]string{{"Accept", "text/html"}}}
	}
	return nil, fmt.Errorf("%s: redirected on and on", r.target)
}

func originOf(u *url.URL) string { return u.Scheme + "://" + u.Host }

func (p *person) submit(ctx context.Context, page *answer, f *form) (*answer, error) {
	to, err := page.at.Parse(f.action)
	if err != nil {
		return nil, err
	}
	return p.visit(ctx, &request{method: http.MethodPost, target: originOf(to) + to.RequestURI(), body: f.fields.Encode(), header: [][2]string{
		{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "text/html"}, {"Origin", originOf(page.at)},
		{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Mode", "navigate"}, {"Sec-Fetch-Dest", "document"}}})
}

// form is a form of a page, with what the page has filled in.
type form struct {
	action  string
	fields  url.Values
	types   map[string]string // of inputs, by name
	choices []choice
	buttons []*html.Node
	pressed string
}

// choice is a value to choose, and the words beside it.
type choice struct{ name, value, label string }

func (a *answer) forms() (all []*form) {
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		return nil
	}
	for n := range markup.Elements(doc, "form") {
		f := &form{action: markup.Attribute(n, "action"), fields: url.Values{}, types: map[string]string{}}
		for e := range markup.Elements(n, "input", "button", "option") {
			f.read(e)
		}
		all = append(all, f)
	}
	return all
}

func (f *form) read(e *html.Node) {
	name, kind, value := markup.Attribute(e, "name"), markup.Attribute(e, "type"), markup.Attribute(e, "value")
	switch {
	case e.Data == "button":
		f.buttons = append(f.buttons, e)
	case e.Data == "option":
		f.choices = append(f.choices, choice{markup.Attribute(e.Parent, "name"), value, markup.Text(e)})
	case kind == "radio":
		f.choices = append(f.choices, choice{name, value, markup.Text(e.Parent)})
		if markup.Has(e, "checked") {
			f.fields.Set(name, value)
		}
	default:
		f.fields.Set(name, value)
		f.types[name] = kind
	}
}

func (f *form) ofType(kind string) string {
	for name, k := range f.types {
		if k == kind {
			return name
		}
	}
	return ""
}

// press reports whether the form has this button, and presses it.
func (f *form) press(words string) bool {
	i := slices.IndexFunc(f.buttons, func(b *html.Node) bool { return markup.Text(b) == words })
	if i < 0 {
		return false
	}
	f.pressed = words
	if name := markup.Attribute(f.buttons[i], "name"); name != "" {
		f.fields.Set(name, markup.Attribute(f.buttons[i], "value"))
	}
	return true
}

// choose takes the account that was named, by its id or its name; where none
// was, the first one.
func (f *form) choose(account string) {
	for _, c := range f.choices {
		if c.name == "account" && (account == "" || c.value == account || strings.HasPrefix(c.label, account)) {
			f.fields.Set(c.name, c.value)
			return
		}
	}
}

// shown is a body as a reader sees it: of a page its words.
func (a *answer) shown() string {
	if !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") {
		return a.body
	}
	doc, err := html.Parse(strings.NewReader(a.body))
	if err != nil {
		return a.body
	}
	return "(a page) " + markup.Text(doc)
}
