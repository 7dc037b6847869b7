package posterntest

import (
	"net/http"
	"net/url"
	"testing"
)

// Send sends what a partner's machine sends.
func (s *Postern) Send(r Request) *Answer {
	s.t.Helper()
	return send(s.t, s.URL, r)
}

// AuthorizeURL is where an app sends a person to connect, with further or other
// parameters (name, value, name, value …); an empty value leaves one out.
func (s *Postern) AuthorizeURL(app App, params ...string) string {
	s.t.Helper()
	path, query := wires[app.Dialect].authorize(app)
	for i := 0; i+1 < len(params); i += 2 {
		query.Set(params[i], params[i+1])
		if params[i+1] == "" {
			query.Del(params[i])
		}
	}
	if len(query) == 0 {
		return s.URL + path
	}
	return s.URL + path + "?" + query.Encode()
}

// Browser opens a browser in which nobody has signed in.
func (s *Postern) Browser() *Browser {
	s.t.Helper()
	return NewBrowser(s.t, s.URL)
}

// SignedIn opens a browser in which a person has signed in.
func (s *Postern) SignedIn(email string) *Browser {
	s.t.Helper()
	return s.Browser().signedIn(email)
}

// SignedInAt is SignedIn at another origin that leads to this Postern through a
// transport: a host on which a dialect is spoken.
func (s *Postern) SignedInAt(email, origin string, through http.RoundTripper) *Browser {
	s.t.Helper()
	b := NewBrowser(s.t, origin)
	b.client.Transport = through
	return b.signedIn(email)
}

func (b *Browser) signedIn(email string) *Browser {
	b.t.Helper()
	if p := b.SignIn(b.Get("/login"), email, Password); p.Status >= 400 || p.asksPassword() {
		b.t.Fatalf("signing in as %s ended with %d:\n%s", email, p.Status, p.Text())
	}
	b.email = email
	return b
}

// Ask sends a person to connect an app and gives the consent page.
func (b *Browser) Ask(authorizeURL string) *Page {
	b.t.Helper()
	p := b.Get(authorizeURL)
	if p.Status != 200 || p.Location != "" {
		b.t.Fatalf("asking at %s ended with %d, Location %q:\n%s", authorizeURL, p.Status, p.Location, p.Text())
	}
	return p
}

// Callback is what an app's redirect URL is called with.
type Callback struct {
	Status   int    // of the redirect
	Location string // as sent
	Query    url.Values
}

// Allow presses Allow; fields are set first, such as account.
func (b *Browser) Allow(p *Page, fields ...string) *Callback {
	b.t.Helper()
	return b.Press(p, "Allow", fields...).Callback(b.t)
}

// Deny presses Deny.
func (b *Browser) Deny(p *Page) *Callback {
	b.t.Helper()
	return b.Press(p, "Deny").Callback(b.t)
}

// Callback reads the redirect that a page ended with.
func (p *Page) Callback(t testing.TB) *Callback {
	t.Helper()
	u, err := url.Parse(p.Location)
	if err != nil || p.Location == "" {
		t.Fatalf("no redirect to the app, but %d with Location %q:\n%s", p.Status, p.Location, p.Text())
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		t.Fatalf("callback %q: %v", p.Location, err)
	}
	return &Callback{Status: p.Status, Location: p.Location, Query: query}
}

// Approve has a person, signed in in a browser of their own, allow an app, and
// gives the code.
func (s *Postern) Approve(app App, email string, params ...string) string {
	s.t.Helper()
	return s.ApproveIn(s.person(email), app, params...)
}

// ApproveIn is Approve in a browser at hand. Where consent is remembered the
// person may not be asked.
func (s *Postern) ApproveIn(b *Browser, app App, params ...string) string {
	s.t.Helper()
	c := b.AllowAt(s.AuthorizeURL(app, params...))
	code := c.Query.Get("code")
	if code == "" {
		s.t.Fatalf("the callback has no code: %q", c.Location)
	}
	return code
}

// AllowAt visits an authorize URL, signs in again if the session has ended, and
// allows, if asked.
func (b *Browser) AllowAt(authorizeURL string) *Callback {
	b.t.Helper()
	p := b.Get(authorizeURL)
	if p.asksPassword() && b.email != "" {
		p = b.SignIn(p, b.email, Password)
	}
	if p.Location == "" {
		p = b.Press(p, "Allow")
	}
	return p.Callback(b.t)
}

// person is the browser of somebody who signed in before.
func (s *Postern) person(email string) *Browser {
	s.t.Helper()
	if s.people[email] == nil {
		s.people[email] = s.SignedIn(email)
	}
	return s.people[email]
}

// Redeem exchanges a code as the dialect's guide says.
func (s *Postern) Redeem(app App, code string) *Answer {
	s.t.Helper()
	return s.Send(RedeemRequest(app, code))
}

// Refresh asks for a new access token.
func (s *Postern) Refresh(app App, refreshToken string) *Answer {
	s.t.Helper()
	return s.Send(RefreshRequest(app, refreshToken))
}

// Call calls the API with an access token: the dialect's test call.
func (s *Postern) Call(app App, token string) *Answer {
	s.t.Helper()
	return s.Send(wires[app.Dialect].call(token))
}

// Revoke ends a token for the app (in xref: as its holder).
func (s *Postern) Revoke(app App, token string) *Answer {
	s.t.Helper()
	return s.Send(RevokeRequest(app, token))
}

// RedeemRequest, RefreshRequest and RevokeRequest are what an app's own code
// sends, to be changed before it is sent.
func RedeemRequest(app App, code string) Request   { return wires[app.Dialect].redeem(app, code) }
func RefreshRequest(app App, token string) Request { return wires[app.Dialect].refresh(app, token) }
func RevokeRequest(app App, token string) Request  { return wires[app.Dialect].revoke(app, token) }

// Introspect asks as the API of the fixtures about any dialect's token.
func (s *Postern) Introspect(token string) *Answer {
	s.t.Helper()
	return s.Send(PostForm("/oauth/introspect", "token", token).Authorized(Basic(APIID, APISecret))).OK()
}

// Alive reports whether an access token works, as an API sees it.
func (s *Postern) Alive(token string) bool {
	s.t.Helper()
	return s.Introspect(token).Flag("active")
}

// Disconnect ends an app's connection on the person's page.
func (s *Postern) Disconnect(email string, app App) {
	s.t.Helper()
	b := s.person(email)
	p := b.Get("/connections")
	if !p.Has(app.Name) {
		s.t.Fatalf("%s is not among the connections of %s:\n%s", app.Name, email, p.Text())
	}
	if p = b.pressBeside(p, app.Name, "Disconnect"); p.Status >= 400 {
		s.t.Fatalf("disconnecting ended with %d:\n%s", p.Status, p.Text())
	}
}
