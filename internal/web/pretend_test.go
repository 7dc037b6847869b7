package web

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/ui"
)

// world is the door with the real rules of consent behind it, over pretend rows
// and pretend people.
type world struct {
	*testing.T
	door   *Door
	rules  *oauth.Rules
	now    time.Time
	rows   *rows
	people *people
	terms  oauth.Terms
}

const (
	password = "correct horse"
	callback = "https://partner.test:8443/cb"
)

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, now: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)}
	w.terms = oauth.Terms{
		Dialect: "plain", PKCE: oauth.PKCEOptional, Consent: oauth.ConsentRemembered,
		Code: oauth.CodeTerms{Form: postern.Form{Alphabet: postern.Hex, Length: 64}, Life: time.Minute},
	}
	clock := func() time.Time { return w.now }
	w.people = &people{sessions: map[postern.Hash]*postern.Session{}, links: map[postern.Secret]string{}, now: clock}
	w.rows = &rows{
		people: w.people, now: clock, tickets: map[postern.Hash]*postern.Ticket{},
		remembered: map[string][]string{}, apps: map[string]*postern.App{},
	}
	w.rows.apps["x"] = &postern.App{
		ID: "x", Name: "Partner X", URL: "https://partner.test/about", Partner: postern.Partner{Name: "Partner Inc"},
		Description: "Does things.", Dialect: "plain", Level: postern.AccountLevel, Scopes: []string{"read", "write"},
		RedirectURLs: []string{callback}, Grants: []string{"authorization_code"},
		Secrets: []postern.AppSecret{{Hash: postern.Secret("s").Hash()}},
	}
	w.rules = &oauth.Rules{Store: w.rows, Now: clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler)}
	w.people.add("ada", "Acme", "admin")
	w.people.add("bob", "Acme", "member")
	w.people.add("eve", "Globex", "admin")
	pages, err := ui.New(ui.Brand{})
	if err != nil {
		t.Fatal(err)
	}
	w.door, err = New(Config{
		PublicURL: "https://auth.saas.test", Pages: pages, Engine: w.rules, People: w.people, Rows: w.rows,
		Wire: func(dialect string) (Wire, bool) { return wire{&w.terms}, dialect == "plain" },
		Now:  clock, Random: rand.Reader, Log: slog.New(slog.DiscardHandler),
		Address:   func(*http.Request) string { return "192.0.2.1" },
		RequestID: func(*http.Request) string { return "req_1" },
	})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// ask makes the question that an authorize request from this browser would.
func (w *world) ask(v *visitor, change ...func(*oauth.Ask)) string {
	w.Helper()
	recorder := httptest.NewRecorder()
	browser, err := w.door.Browser(recorder, v.request("GET", "/oauth/authorize", nil))
	if err != nil {
		w.Fatal(err)
	}
	v.keep(recorder)
	a := &oauth.Ask{
		Terms: &w.terms, Browser: browser, ClientID: "x", RedirectURI: callback, SentURI: true,
		ResponseType: "code", State: "S1", Scopes: []string{"read"},
	}
	for _, f := range change {
		f(a)
	}
	ticket, err := w.rules.Ask(context.Background(), a)
	if err != nil {
		w.Fatal(err)
	}
	return "/consent/" + string(ticket)
}

// visitor is a browser with its cookies.
type visitor struct {
	w       *world
	cookies map[string]string
	header  http.Header // laid over what it sends by itself
}

func (w *world) visitor() *visitor {
	return &visitor{w: w, cookies: map[string]string{}, header: http.Header{}}
}

// signedIn is a browser in which a person has signed in.
func (w *world) signedIn(name string) *visitor {
	w.Helper()
	v := w.visitor()
	page := v.get("/login")
	got := v.post("/login", page.form("/login", "email", name+"@test", "password", password))
	if got.Code != http.StatusSeeOther {
		w.Fatalf("signing in as %s: %d\n%s", name, got.Code, got.text())
	}
	return v
}

func (v *visitor) request(method, path string, form url.Values) *http.Request {
	r := httptest.NewRequest(method, "https://auth.saas.test"+path, strings.NewReader(form.Encode()))
	r.Header.Set("Accept", "text/html,application/xhtml+xml")
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		r.Header.Set("Sec-Fetch-Site", "same-origin")
	}
	for name, values := range v.header {
		r.Header[name] = values
	}
	for name, value := range v.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	return r
}

func (v *visitor) keep(recorder *httptest.ResponseRecorder) {
	for _, c := range recorder.Result().Cookies() {
		if c.MaxAge < 0 {
			delete(v.cookies, c.Name)
			continue
		}
		v.cookies[c.Name] = c.Value
	}
}

func (v *visitor) do(method, path string, form url.Values) *shown {
	recorder := httptest.NewRecorder()
	v.w.door.ServeHTTP(recorder, v.request(method, path, form))
	v.keep(recorder)
	return &shown{recorder, v.w}
}

func (v *visitor) get(path string) *shown                   { return v.do("GET", path, nil) }
func (v *visitor) post(path string, form url.Values) *shown { return v.do("POST", path, form) }

// shown is an answer.
type shown struct {
	*httptest.ResponseRecorder
	w *world
}

func (s *shown) text() string { return s.Body.String() }
func (s *shown) to() string   { return s.Header().Get("Location") }

// form is the form of the page that posts to this address, with its hidden
// fields, and these filled in (name, value, name, value …).
func (s *shown) form(action string, fill ...string) url.Values {
	s.w.Helper()
	for _, form := range regexp.MustCompile(`(?s)<form.*?</form>`).FindAllString(s.text(), -1) {
		if !strings.Contains(form, `action="`+action+`"`) {
			continue
		}
		fields := url.Values{}
		for _, m := range regexp.MustCompile(`<input type="hidden" name="([^"]*)" value="([^"]*)">`).FindAllStringSubmatch(form, -1) {
			fields.Set(m[1], m[2])
		}
		for i := 0; i+1 < len(fill); i += 2 {
			fields.Set(fill[i], fill[i+1])
		}
		return fields
	}
	s.w.Fatalf("no form posts to %s:\n%s", action, s.text())
	return nil
}

func (s *shown) wants(status int, words ...string) *shown {
	s.w.Helper()
	if s.Code != status {
		s.w.Fatalf("got %d, want %d\n%s", s.Code, status, s.text())
	}
	for _, word := range words {
		if !strings.Contains(s.text(), word) {
			s.w.Fatalf("the page does not say %q:\n%s", word, s.text())
		}
	}
	return s
}

// leads complains unless the answer is a redirect that begins so.
func (s *shown) leads(status int, to string) *shown {
	s.w.Helper()
	if s.Code != status || !strings.HasPrefix(s.to(), to) {
		s.w.Fatalf("got %d to %q, want %d to %q…\n%s", s.Code, s.to(), status, to, s.text())
	}
	return s
}

// wire says answers as plainly as can be.
type wire struct{ terms *oauth.Terms }

func (w wire) Terms() *oauth.Terms { return w.terms }
func (wire) Allowed(g *oauth.Granted, issuer string) string {
	return g.To + "?code=" + string(g.Code) + "&state=" + g.State + "&iss=" + issuer
}
func (wire) Refused(r *oauth.Refusal, _ string) string {
	return r.To() + "?error=" + string(r.Err.Kind) + "&state=" + r.State
}

// people are users in memory; everybody's password is the same.
type people struct {
	users    []postern.User
	members  []member
	sessions map[postern.Hash]*postern.Session
	links    map[postern.Secret]string // e-mail by reset link
	now      func() time.Time
	away     error // trouble of every method
}

type member struct {
	user string
	postern.Membership
}

func (p *people) add(name, account, role string) {
	if !slices.ContainsFunc(p.users, func(u postern.User) bool { return u.ID == name }) {
		p.users = append(p.users, postern.User{ID: name, Email: name + "@test", Name: strings.ToUpper(name[:1]) + name[1:]})
	}
	p.members = append(p.members, member{name, postern.Membership{Account: postern.Account{ID: "acc_" + account, Name: account}, Role: role}})
}

func (p *people) byEmail(email string) *postern.User {
	i := slices.IndexFunc(p.users, func(u postern.User) bool { return u.Email == email })
	if i < 0 {
		return nil
	}
	return &p.users[i]
}

func (p *people) begin(u postern.User) (*identity.SignedIn, error) {
	secret, err := postern.SessionForm.Mint(rand.Reader)
	if err != nil {
		return nil, err
	}
	p.sessions[secret.Hash()] = &postern.Session{Hash: secret.Hash(), User: u, SignedIn: p.now()}
	return &identity.SignedIn{Session: secret, Device: "device", User: u, ExpiresAt: p.now().Add(time.Hour)}, nil
}

func (p *people) SignIn(_ context.Context, q identity.SignIn) (*identity.SignedIn, error) {
	switch u := p.byEmail(q.Email); {
	case p.away != nil:
		return nil, p.away
	case q.Password == "throttled":
		return nil, &postern.Error{Kind: postern.RateLimited, RetryAfter: 5 * time.Minute}
	case u == nil, q.Password != password:
		return nil, postern.Errorf(postern.AccessDenied, "no")
	default:
		return p.begin(*u)
	}
}

func (p *people) Session(_ context.Context, s postern.Secret) (*postern.Session, error) {
	if p.away != nil {
		return nil, p.away
	}
	if found, ok := p.sessions[s.Hash()]; ok {
		return found, nil
	}
	return nil, postern.Errorf(postern.NotFound, "no session")
}

func (p *people) SignOut(_ context.Context, s postern.Secret) error {
	delete(p.sessions, s.Hash())
	return nil
}

func (p *people) Memberships(_ context.Context, userID string) (list []postern.Membership, _ error) {
	for _, m := range p.members {
		if m.user == userID {
			list = append(list, m.Membership)
		}
	}
	return list, nil
}

func (p *people) ChangePassword(_ context.Context, s *postern.Session, old, new, _ postern.Secret, _ string) (*identity.SignedIn, error) {
	switch {
	case old == "throttled":
		return nil, &postern.Error{Kind: postern.RateLimited, RetryAfter: time.Hour}
	case old != password:
		return nil, postern.Errorf(postern.AccessDenied, "no")
	case len(new) < 8:
		return nil, postern.Errorf(postern.InvalidRequest, "The new password is too short.")
	}
	clear(p.sessions)
	return p.begin(s.User)
}

func (p *people) ResetUser(_ context.Context, link postern.Secret) (*postern.User, error) {
	if email, ok := p.links[link]; ok {
		return p.byEmail(email), nil
	}
	return nil, postern.Errorf(postern.NotFound, "no such link")
}

func (p *people) Reset(ctx context.Context, link, new postern.Secret, _ string) error {
	if _, err := p.ResetUser(ctx, link); err != nil {
		return err
	}
	if len(new) < 8 {
		return postern.Errorf(postern.InvalidRequest, "The new password is too short.")
	}
	delete(p.links, link)
	clear(p.sessions)
	return nil
}

// rows are what the rules and the door ask of the store, in memory. What these
// tests don't reach is left to the nil interface, which would panic.
type rows struct {
	oauth.Store
	people     *people
	now        func() time.Time
	tickets    map[postern.Hash]*postern.Ticket
	apps       map[string]*postern.App
	remembered map[string][]string // scopes by app and user
	logos      map[string]string   // hashes by app
	live       []postern.Listing
	changed    time.Time
	approved   time.Time
	answers    []oauth.Answer
}

func (s *rows) App(_ context.Context, id string) (*postern.App, error) {
	if app, ok := s.apps[id]; ok {
		copied := *app
		return &copied, nil
	}
	return nil, postern.Errorf(postern.NotFound, "no such app")
}

func (s *rows) SaveTicket(_ context.Context, t *postern.Ticket) error {
	s.tickets[t.Hash] = t
	return nil
}

func (s *rows) Ticket(ctx context.Context, h postern.Hash) (*postern.Ticket, *postern.App, error) {
	t, ok := s.tickets[h]
	if !ok {
		return nil, nil, postern.Errorf(postern.NotFound, "no such ticket")
	}
	copied := *t
	app, _ := s.App(ctx, t.AppID)
	if app != nil {
		app.LogoHash = s.logos[app.ID]
	}
	return &copied, app, nil
}

func (s *rows) BindTicket(_ context.Context, h postern.Hash, userID string) error {
	s.tickets[h].UserID = userID
	return nil
}

func (s *rows) ReleaseTicket(_ context.Context, h postern.Hash, userID string) error {
	if t := s.tickets[h]; t.UserID == userID {
		t.UserID = ""
	}
	return nil
}

func (s *rows) CloseTicket(_ context.Context, h postern.Hash, now time.Time) error {
	s.tickets[h].AnsweredAt = now
	return nil
}

func (s *rows) Answer(_ context.Context, a oauth.Answer) error {
	t := s.tickets[a.Ticket]
	if !t.AnsweredAt.IsZero() || t.UserID != a.UserID {
		return postern.Errorf(postern.Conflict, "answered")
	}
	t.AnsweredAt = a.Now
	if a.Allow && !slices.Contains(s.apps[t.AppID].RedirectURLs, t.RedirectURI) {
		return postern.Errorf(postern.RedirectMismatch, "The app has changed its redirect URL since it asked.")
	}
	if a.Remember {
		s.remembered[a.AppID+a.UserID] = a.Scopes
	}
	s.answers = append(s.answers, a)
	return nil
}

// codes are the codes that were made.
func (s *rows) codes() (n int) {
	for _, a := range s.answers {
		if a.Allow {
			n++
		}
	}
	return n
}

func (s *rows) RememberedScopes(_ context.Context, appID, _, userID string) (scopes, second []string, err error) {
	if scopes, ok := s.remembered[appID+userID]; ok {
		return scopes, nil, nil
	}
	return nil, nil, postern.Errorf(postern.NotFound, "no consent")
}

func (s *rows) Memberships(ctx context.Context, userID string) ([]postern.Membership, error) {
	return s.people.Memberships(ctx, userID)
}

func (s *rows) Connection(_ context.Context, id string) (*postern.Connection, error) {
	for _, l := range s.live {
		if l.Connection.ID == id {
			return &l.Connection, nil
		}
	}
	return nil, postern.Errorf(postern.NotFound, "no connection")
}

func (s *rows) Disconnect(_ context.Context, id string, _ postern.EndReason, _ string, _ time.Time) (bool, error) {
	n := len(s.live)
	s.live = slices.DeleteFunc(s.live, func(l postern.Listing) bool { return l.Connection.ID == id })
	return len(s.live) < n, nil
}

func (s *rows) ScopeCatalogue(context.Context) ([]postern.Scope, error) {
	return []postern.Scope{{Name: "read", Description: "See your candidates"}, {Name: "write"}}, nil
}

func (s *rows) Connections(_ context.Context, userID, appID string) (list []postern.Listing, _ error) {
	for _, l := range s.live {
		for _, m := range s.people.members {
			mine := m.user == userID && m.Account.ID == l.Account.ID
			if mine && (appID == "" || l.App.ID == appID) && (l.Connection.UserID == "" || l.Connection.UserID == userID) {
				l.Role, l.App.LogoHash = m.Role, s.logos[l.App.ID]
				list = append(list, l)
			}
		}
	}
	return list, nil
}

func (s *rows) Logo(_ context.Context, appID, hash string) ([]byte, error) {
	if hash == "" || s.logos[appID] != hash {
		return nil, postern.Errorf(postern.NotFound, "no logo")
	}
	return []byte("\x89PNG"), nil
}

func (s *rows) LookChanged(context.Context, string, string) (changed, approved time.Time, err error) {
	return s.changed, s.approved, nil
}

func (s *rows) MembersWithRoles(_ context.Context, accountID string, roles []string, limit int) (list []postern.User, _ error) {
	for _, m := range s.people.members {
		if m.Account.ID == accountID && slices.Contains(roles, m.Role) && len(list) < limit {
			list = append(list, *s.people.byEmail(m.user + "@test"))
		}
	}
	return list, nil
}

// connect makes a connection of the app with an account; of one user's own, if
// named.
func (w *world) connect(id, account, userID string, scopes ...string) {
	w.rows.live = append(w.rows.live, postern.Listing{
		Connection: postern.Connection{
			ID: id, AppID: "x", AccountID: "acc_" + account, UserID: userID, Scopes: scopes,
			CreatedAt: w.now.Add(-24 * time.Hour),
		},
		App: *w.rows.apps["x"], Account: postern.Account{ID: "acc_" + account, Name: account},
		Maker: postern.User{ID: "ada", Name: "Ada"},
	})
}
