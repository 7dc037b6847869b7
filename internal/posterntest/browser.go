package posterntest

import (
	"bytes"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"postern.dev/postern/internal/markup"
)

// Browser is a person's browser, without JavaScript: it keeps cookies, follows
// redirects as long as they stay with Postern, and fills in forms as they are
// written in the page. Like a real one it tells where a request comes from.
type Browser struct {
	t      testing.TB
	origin *url.URL // Postern's
	email  string   // of the person who signed in
	client *http.Client
}

// NewBrowser opens a browser without any cookie, for a Postern at this origin.
func NewBrowser(t testing.TB, origin string) *Browser {
	t.Helper()
	o, err := url.Parse(origin)
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &Browser{t: t, origin: o, client: &http.Client{Jar: jar}}
	b.client.CheckRedirect = func(r *http.Request, via []*http.Request) error {
		if r.URL.Host != b.origin.Host || len(via) > 10 {
			return http.ErrUseLastResponse
		}
		return nil
	}
	return b
}

// Page is what a request ended with: a page of Postern's, or the redirect away
// from it.
type Page struct {
	Status int
	URL    *url.URL // after redirects
	Header http.Header
	Body   string
	// Location is where a redirect leads that the browser did not follow.
	Location string

	doc *html.Node
}

// Get visits an address: a full URL, or a path at Postern.
func (b *Browser) Get(address string) *Page {
	b.t.Helper()
	return b.Do(http.MethodGet, address, nil, nil)
}

// Post sends a form, as from a page of Postern's.
func (b *Browser) Post(address string, fields url.Values) *Page {
	b.t.Helper()
	return b.Do(http.MethodPost, address, fields, nil)
}

// Do makes any request; header is laid over what a browser sends by itself.
func (b *Browser) Do(method, address string, fields url.Values, header http.Header) *Page {
	b.t.Helper()
	r, err := http.NewRequest(method, b.absolute(address), body(method, fields))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html,application/xhtml+xml")
	r.Header.Set("Sec-Fetch-Mode", "navigate")
	r.Header.Set("Sec-Fetch-Dest", "document")
	r.Header.Set("Sec-Fetch-Site", "none")
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
		r.Header.Set("Origin", b.origin.Scheme+"://"+b.origin.Host)
	}
	for name, values := range header {
		r.Header[name] = values
	}
	resp, err := b.client.Do(r)
	if err != nil {
		b.t.Fatalf("%s %s: %v", method, address, err)
	}
	return readPage(b.t, resp)
}

func body(method string, fields url.Values) io.Reader {
	if method != http.MethodPost {
		return nil
	}
	return strings.NewReader(fields.Encode())
}

func readPage(t testing.TB, resp *http.Response) *Page {
	t.Helper()
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := html.Parse(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return &Page{Status: resp.StatusCode, URL: resp.Request.URL, Header: resp.Header,
		Body: string(text), Location: resp.Header.Get("Location"), doc: doc}
}

func (b *Browser) absolute(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	if u.IsAbs() {
		return address
	}
	return b.origin.Scheme + "://" + b.origin.Host + address
}

// Cookies are what the browser would send to Postern.
func (b *Browser) Cookies() []*http.Cookie { return b.client.Jar.Cookies(b.origin) }

// asksPassword reports whether the page is one to sign in at.
func (p *Page) asksPassword() bool {
	return slices.ContainsFunc(p.Forms(), func(f *Form) bool { return f.fieldOfType("password") != "" })
}

// SignIn fills in the page's sign-in form.
func (b *Browser) SignIn(p *Page, email, password string) *Page {
	b.t.Helper()
	for _, f := range p.Forms() {
		mail, pass := f.fieldOfType("email"), f.fieldOfType("password")
		if mail != "" && pass != "" {
			f.Fields.Set(mail, email)
			f.Fields.Set(pass, password)
			return b.send(p, f, nil)
		}
	}
	b.t.Fatalf("no sign-in form in the page at %s (%d):\n%s", p.URL, p.Status, p.Text())
	return nil
}

// Press submits the form that has a button of this name, with these fields set
// first (name, value, name, value …).
func (b *Browser) Press(p *Page, button string, set ...string) *Page {
	b.t.Helper()
	for _, f := range p.Forms() {
		i := slices.IndexFunc(f.Buttons, func(x Button) bool { return x.Text == button })
		if i < 0 {
			continue
		}
		for j := 0; j+1 < len(set); j += 2 {
			f.Fields.Set(set[j], set[j+1])
		}
		return b.send(p, f, &f.Buttons[i])
	}
	b.t.Fatalf("no button %q in the page at %s (%d):\n%s", button, p.URL, p.Status, p.Text())
	return nil
}

// pressBeside submits the form with this button in the list item, row, article
// or section that shows a text.
func (b *Browser) pressBeside(p *Page, words, button string) *Page {
	b.t.Helper()
	// The innermost that has both: an outer one shows other apps too.
	var found *Form
	var pressed Button
	least := len(p.Body) + 1
	for n := range markup.Elements(p.doc, "li", "tr", "article", "section") {
		if shown := markup.Text(n); !strings.Contains(shown, words) || len(shown) >= least {
			continue
		}
		for form := range markup.Elements(n, "form") {
			f := readForm(form)
			if i := slices.IndexFunc(f.Buttons, func(x Button) bool { return x.Text == button }); i >= 0 {
				found, pressed, least = f, f.Buttons[i], len(markup.Text(n))
			}
		}
	}
	if found != nil {
		return b.send(p, found, &pressed)
	}
	b.t.Fatalf("no button %q beside %q in the page at %s:\n%s", button, words, p.URL, p.Text())
	return nil
}

func (b *Browser) send(p *Page, f *Form, pressed *Button) *Page {
	b.t.Helper()
	fields, action := f.Fields, f.Action
	if pressed == nil && len(f.Buttons) > 0 {
		pressed = &f.Buttons[0] // Enter presses the first one
	}
	if pressed != nil {
		if pressed.Name != "" {
			fields.Set(pressed.Name, pressed.Value)
		}
		if pressed.Action != "" {
			action = pressed.Action
		}
	}
	to, err := p.URL.Parse(action)
	if err != nil {
		b.t.Fatal(err)
	}
	if f.Method == "POST" {
		return b.Post(to.String(), fields)
	}
	to.RawQuery = fields.Encode()
	return b.Get(to.String())
}
