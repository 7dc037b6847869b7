package portal_test

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/requestlog"
	"postern.dev/postern/internal/server"
)

// forger is somebody who makes forms by hand. The key of a form's token is in
// their own browser's cookie, so they have any token that they want: it proves
// that no other site sent the form, and nothing else.
type forger struct {
	t *testing.T
	*posterntest.Browser
	staff string // who they are
}

func forge(t *testing.T, s *posterntest.Postern, b *posterntest.Browser, email string) forger {
	t.Helper()
	f := forger{t, b, ""}
	s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
		c, err := rooms.DB.StaffCredential(ctx, postern.PartnerRealm, email, postern.Hash{}, s.Clock.Now())
		if err == nil {
			f.staff = c.Staff.ID
		}
		return err
	})
	return f
}

func (f forger) send(path, purpose string, about []string, fields url.Values) *posterntest.Page {
	f.t.Helper()
	var bound postern.Secret
	for _, c := range f.Cookies() {
		if c.Name == "postern_browser" {
			bound = postern.Secret(c.Value)
		}
	}
	sent := url.Values{}
	maps.Copy(sent, fields)
	sent.Set(browser.TokenField, browser.FormToken(bound, browser.Purpose(purpose), append([]string{f.staff}, about...)...))
	return f.Post(path, sent)
}

// things are the ids of what a partner has, by their names in the table below.
type things map[string]string

// setUp gives a partner one of everything and says how each is named.
func setUp(t *testing.T, s *posterntest.Postern, b *posterntest.Browser, app posterntest.App) things {
	t.Helper()
	h := things{"app": app.ID}
	root := "/portal/apps/" + app.ID
	s.Redeem(app, s.Approve(app, posterntest.Ada)).OK()
	s.Clock.Advance(time.Second)
	page := b.Press(b.Get(root+"/try"), "Begin")
	for range 2 {
		page = b.Press(page, "Take this step", "client_secret", app.Secret).Wants(t, http.StatusOK)
	}
	b.Press(b.Get(root+"/settings"), "Save", "webhook_url", "http://127.0.0.1:1/hook", "url", app.RedirectURL,
		"reason:candidates.read", "a", "reason:candidates.write", "b", "reason:jobs.read", "c").Wants(t, 200, "Saved")
	b.Press(b.Get(root+"/webhooks"), "Send a test event").Wants(t, 200, "on its way")
	team := b.Get("/portal/team").Body
	named := func(text, pattern string) string {
		all := regexp.MustCompile(pattern).FindAllStringSubmatch(text, -1)
		if all == nil {
			t.Fatalf("no %s", pattern)
		}
		return all[len(all)-1][1] // the oldest
	}
	sandbox := b.Get(root + "/sandbox").Body
	h["partner"] = named(team, `/portal/team/([^/"]+)/invite"`)
	b.Press(b.Get("/portal/team/"+h["partner"]+"/invite"), "Invite", "email", "asked-by-"+app.ID+"@partner.test")
	h["secret"] = named(b.Get(root+"/keys").Body, `/keys/([^/"]+)/end"`)
	h["account"] = named(sandbox, `/sandbox/accounts/([^/"]+)/remove"`)
	h["user"] = named(sandbox, `/sandbox/people/([^/"]+)"`)
	h["connection"] = named(sandbox, `/sandbox/connections/([^/"]+)/`)
	h["real"] = named(b.Get(root+"/connections").Body, `/connections/([^/"]+)/end"`)
	h["event"] = named(b.Get(root+"/webhooks").Body, `/webhooks/(msg_[^/"]+|evt_[^/"]+)"`)
	h["member"] = named(team[:strings.Index(team, "</li>")], `/members/([^/"]+)"`)
	h["colleague"] = named(team, `/members/([^/"]+)"`)
	h["invitation"] = named(b.Get("/portal/team").Body, `/invitations/([^/"]+)/remove"`)
	return h
}

// handmade is a form of one route, for things that it names in its path. What its
// token is about are names, too, or words after "=".
type handmade struct {
	route, purpose string
	about          []string
	fields         url.Values
	fresh          bool // asks for a fresh sign-in
	owners         bool // for owners alone
}

var settings = url.Values{"name": {"Taken over"}, "redirect_urls": {"https://evil.test/cb"}, "scope": {"candidates.read"}, "reason:candidates.read": {"x"}}

var handmades = []handmade{
	{route: "/apps/{app}/settings", purpose: "app", about: []string{"app"}, fields: settings},
	{route: "/apps/{app}/preview", purpose: "app", about: []string{"app"}, fields: settings},
	{route: "/apps/{app}/logo", purpose: "logo", about: []string{"app"}, fields: url.Values{"do": {"remove"}}},
	{route: "/apps/{app}/proposal", purpose: "app", about: []string{"app"}, fields: url.Values{"do": {"withdraw"}}},
	{route: "/apps/{app}/off", purpose: "app", about: []string{"app"}},
	{route: "/apps/{app}/on", purpose: "app", about: []string{"app"}},
	{route: "/apps/{app}/remove", purpose: "app", about: []string{"app", "=remove"}, fresh: true},
	{route: "/partners/{partner}/apps/new", purpose: "app", about: []string{"=new", "partner"}, fields: settings},
	{route: "/partners/{partner}/apps/preview", purpose: "app", about: []string{"=new", "partner"}, fields: settings},
	{route: "/apps/{app}/keys", purpose: "keys", about: []string{"app", "=sec_0123456789abcdef"}, fields: url.Values{"id": {"sec_0123456789abcdef"}, "name": {"x"}, "overlap": {"0s"}}, fresh: true},
	{route: "/apps/{app}/keys/{secret}/end", purpose: "keys", about: []string{"app", "secret", "=end"}},
	{route: "/apps/{app}/keys/webhook", purpose: "webhook key", about: []string{"app"}, fields: url.Values{"overlap": {"0s"}}},
	{route: "/apps/{app}/keys/set", purpose: "key set", about: []string{"app"}, fields: url.Values{"jwks": {"{}"}}, fresh: true},
	{route: "/apps/{app}/keys/set/remove", purpose: "key set", about: []string{"app", "=remove"}},
	{route: "/apps/{app}/try", purpose: "try", about: []string{"app"}},
	{route: "/apps/{app}/connections/{real}/end", purpose: "end a connection", about: []string{"real"}},
	{route: "/apps/{app}/webhooks/test", purpose: "send webhooks", about: []string{"app"}},
	{route: "/apps/{app}/webhooks/again", purpose: "send webhooks", about: []string{"app"}, fields: url.Values{"state": {"delivered"}}},
	{route: "/apps/{app}/webhooks/{event}/again", purpose: "send webhooks", about: []string{"app", "event"}},
	{route: "/apps/{app}/sandbox/accounts", purpose: "sandbox", about: []string{"app"}},
	{route: "/apps/{app}/sandbox/accounts/{account}/remove", purpose: "sandbox", about: []string{"app"}},
	{route: "/apps/{app}/sandbox/accounts/{account}/clock", purpose: "sandbox", about: []string{"app"}, fields: url.Values{"by": {"1h"}}},
	{route: "/apps/{app}/sandbox/people/{user}", purpose: "sandbox", about: []string{"app"}, fields: url.Values{"off": {"true"}}},
	{route: "/apps/{app}/sandbox/connections/{connection}/expire", purpose: "sandbox", about: []string{"app"}},
	{route: "/apps/{app}/sandbox/connections/{connection}/end", purpose: "sandbox", about: []string{"app"}},
	{route: "/apps/{app}/sandbox/fail", purpose: "sandbox", about: []string{"app"}, fields: url.Values{"attempts": {"3"}}},
	{route: "/team/{partner}/invite", purpose: "team", about: []string{"partner", "=", "="}, fields: url.Values{"email": {"evil@evil.test"}, "role": {"owner"}}, fresh: true, owners: true},
	{route: "/team/{partner}/members/{member}", purpose: "team", about: []string{"partner", "member", "="}, fields: url.Values{"role": {"viewer"}}, fresh: true, owners: true},
	{route: "/team/{partner}/members/{member}/remove", purpose: "team", about: []string{"partner", "member", "="}, fresh: true, owners: true},
	{route: "/team/{partner}/invitations/{invitation}/remove", purpose: "team", about: []string{"partner", "=", "invitation"}, owners: true},
}

func (h things) named(name string) string {
	if fixed, is := strings.CutPrefix(name, "="); is {
		return fixed
	}
	return h[name]
}

var placeholder = regexp.MustCompile(`\{(\w+)\}`)

// passing is what pages say of use, which is written beside the traffic, and of the
// reader's own sign-in.
var passing = regexp.MustCompile(`Last used (not yet|[0-9]+ [A-Z][a-z]+ [0-9]+)|You are asked for your password first\. `)

// path and about are a form's, of somebody's things.
func (m handmade) path(h things) string {
	return "/portal" + placeholder.ReplaceAllStringFunc(m.route, func(p string) string { return h.named(p[1 : len(p)-1]) })
}

func (m handmade) of(h things) (about []string) {
	for _, name := range m.about {
		about = append(about, h.named(name))
	}
	return about
}

// No route that changes something is missing from the table.
func TestPA01_EveryFormOfThePortalIsTried(t *testing.T) {
	open := map[string]bool{"/invite/{token}": true, "/register": true}
	tried := map[string]bool{}
	for _, m := range handmades {
		tried[strings.ReplaceAll(m.route, "{real}", "{id}")] = true
	}
	for _, route := range inSource(t, "POST") {
		if !tried[route] && !open[route] {
			t.Errorf("nobody tries to forge %s", route)
		}
	}
}

// inSource are the routes of a method that this room's own files have.
func inSource(t *testing.T, method string) (routes []string) {
	t.Helper()
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	route := regexp.MustCompile(`"` + method + ` (/[^"]+)"`)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range route.FindAllStringSubmatch(string(text), -1) {
			routes = append(routes, m[1])
		}
	}
	return routes
}

// What another partner's owner sees of a thing is what they see of one that never
// was; and there is a page for its own people, or the test proves nothing.
func TestPA01_NoPageOfAnotherPartnersIsThere(t *testing.T) {
	s := posterntest.New(t)
	dev, other := s.Portal(posterntest.Dev), s.Portal(posterntest.OtherDev)
	theirs := setUp(t, s, dev, posterntest.Standard)
	theirs["entry"] = strconv.FormatInt(s.Logged(posterntest.Standard, requestlog.Filter{})[0].ID, 10)
	never := maps.Clone(theirs)
	for name := range never {
		never[name] = "0"
	}
	said := func(p *posterntest.Page) string {
		text, _, _ := strings.Cut(p.Text(), "name this request")
		return text
	}
	for _, route := range inSource(t, "GET") {
		names := placeholder.FindAllStringSubmatch(route, -1)
		if len(names) == 0 || strings.Contains(route, "{token}") || strings.Contains(route, "{dialect}") {
			continue
		}
		route = strings.ReplaceAll(strings.ReplaceAll(route, "/log/{id}", "/log/{entry}"), "{id}", "{real}")
		page := handmade{route: route}
		nowhere := said(other.Get(page.path(never)))
		if p := other.Get(page.path(theirs)); p.Status != 404 || said(p) != nowhere {
			t.Errorf("another partner's owner, %s: %d %s\nof nothing: %s", route, p.Status, said(p), nowhere)
		}
		if p := dev.Get(page.path(theirs)); p.Status != 200 && !absent[route] {
			t.Errorf("its owner, %s: %d %s", route, p.Status, p.Text())
		}
	}
}

// absent are pages of what setUp makes none of.
var absent = map[string]bool{"/apps/{app}/proposed.png": true, "/apps/{app}/proposal/withdraw": true, "/apps/{app}/keys/set/remove": true}

// The password that is asked for once more counts with those of the sign-in.
func TestPA11_APasswordThatIsAskedForAgainIsGuessedAsRarely(t *testing.T) {
	s := posterntest.New(t)
	thief := s.Portal(posterntest.Dev) // with a session that lay about
	s.Clock.Advance(11 * time.Minute)
	keys := thief.Get("/portal/apps/" + posterntest.Standard.ID + "/keys")
	asked := thief.Press(keys, "Make the secret", "name", "x").Wants(t, 200, "Your password, once more")
	guess := func(password string) *posterntest.Page {
		return thief.Press(asked, "Go on", "password", password)
	}
	for range 10 {
		guess("wrong").Wants(t, 200, "is not right")
	}
	guess("wrong").Wants(t, 429, "too many attempts")
	guess(posterntest.Password).Wants(t, 429, "too many attempts")
}

func TestPA01_PA18_AForgedFormDoesNothing(t *testing.T) {
	engines.Each(t, forgedForms)
}

func forgedForms(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	dev, other := s.Portal(posterntest.Dev), s.Portal(posterntest.OtherDev)
	asDev, asOther := forge(t, s, dev, posterntest.Dev), forge(t, s, other, posterntest.OtherDev)
	theirs := setUp(t, s, dev, posterntest.Standard)
	own := setUp(t, s, other, posterntest.OtherStandard)
	state := func() string {
		var all strings.Builder
		for _, path := range []string{"", "/keys", "/settings", "/connections", "/sandbox"} {
			all.WriteString(dev.Get("/portal/apps/"+theirs["app"]+path).Wants(t, 200).Text() + "\n")
		}
		all.WriteString(dev.Get("/portal").Text() + dev.Get("/portal/team").Text())
		return passing.ReplaceAllString(all.String(), "")
	}
	flushed(s, posterntest.Standard) // what was done until now
	before := state()
	check := func(who, path string, p *posterntest.Page, want int) {
		t.Helper()
		// A token that the test got wrong is refused with 403, too.
		if p.Status != want || p.Has("out of date") {
			t.Errorf("%s, %s: %d %s", who, path, p.Status, p.Text())
		}
	}
	for _, m := range handmades {
		path, about := m.path(theirs), m.of(theirs)
		check("another partner's owner", path, asOther.send(path, m.purpose, about, m.fields), 404)
		check("a viewer", path, forge(t, s, s.Portal(posterntest.Viewer), posterntest.Viewer).send(path, m.purpose, about, m.fields), 403)
		if m.owners {
			check("a developer", path, forge(t, s, s.Portal(posterntest.Coder), posterntest.Coder).send(path, m.purpose, about, m.fields), 403)
		}
		// Their own app or team in the path, and one thing of the other's beside it.
		for _, mixed := range placeholder.FindAllStringSubmatch(m.route, -1)[1:] {
			h := maps.Clone(own)
			h[mixed[1]] = theirs[mixed[1]]
			path := m.path(h)
			check("by way of their own app", path, asOther.send(path, m.purpose, m.of(h), m.fields), 404)
		}
	}
	same := func(when string) {
		t.Helper()
		was, is := strings.Split(before, "\n"), strings.Split(state(), "\n")
		for i := range was {
			if was[i] != is[i] {
				t.Errorf("something happened %s:\n%s\n\n%s", when, was[i], is[i])
			}
		}
	}
	same("by forged forms")
	// Real connections are none of the sandbox's, not even their own app's.
	for _, end := range []string{"/expire", "/end"} {
		path := "/portal/apps/" + theirs["app"] + "/sandbox/connections/" + theirs["real"] + end
		check("a real connection in the sandbox", path, asDev.send(path, "sandbox", []string{theirs["app"]}, nil), 404)
	}
	// While the operator has them switched off, not even they change anything.
	op := s.Console(posterntest.Operator)
	console := "/operator/partners/" + theirs["partner"]
	op.Press(op.Get(console+"/off"), "Switch off").Wants(t, 200, "Switched off")
	for _, m := range handmades {
		h := maps.Clone(theirs)
		h["member"] = theirs["colleague"]
		check("switched off", m.path(h), asDev.send(m.path(h), m.purpose, m.of(h), m.fields), 403)
	}
	op.Press(op.Get(console), "Switch on").Wants(t, 200, "Switched on")
	same("while they were switched off")
	s.Clock.Advance(11 * time.Minute)
	for _, m := range handmades {
		if m.fresh {
			path := m.path(theirs)
			p := asDev.send(path, m.purpose, m.of(theirs), m.fields)
			if p.Status != 200 || !p.Has("Password") {
				t.Errorf("an old sign-in, %s: %d %s", path, p.Status, p.Text())
			}
		}
	}
	same("with an old sign-in")
}
