package e2e_test

import (
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
)

// odd are inputs that a row, a query or a page may stumble over.
var odd = []string{"\x00", "\xff\xfe", "9223372036854775808", strings.Repeat("'", 5000)}

// crawler looks at all pages that links lead to, one of each kind.
type crawler struct {
	t     *testing.T
	b     *posterntest.Browser
	seen  map[string]bool // paths, with ids taken out
	pages []*posterntest.Page
}

var (
	links = regexp.MustCompile(`(?:href|src)="(/[^"#]*)`)
	ids   = regexp.MustCompile(`[a-z]+_[A-Za-z0-9]{10,}|[a-z]+-app\b|other-[a-z]+\b`)
)

func (c *crawler) crawl(prefix, path string) {
	path = strings.ReplaceAll(path, "&amp;", "&")
	shape := ids.ReplaceAllString(path, "*")
	if !strings.HasPrefix(path, prefix) || c.seen[shape] || strings.Contains(path, "/assets/") || strings.HasSuffix(path, "/logout") {
		return
	}
	c.seen[shape] = true
	p := c.b.Get(path)
	if p.Status >= 500 {
		c.t.Errorf("GET %s: %d %s", path, p.Status, p.Text())
	}
	c.pages = append(c.pages, p)
	for _, m := range links.FindAllStringSubmatch(p.Body, -1) {
		c.crawl(prefix, m[1])
	}
}

// Every name in a path and every field of every form, one at a time, and all that
// pages read of a query.
func TestST04_NoPageStumblesOverWhatIsSent(t *testing.T) {
	engines.Each(t, noPageStumbles)
}

func noPageStumbles(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database), posterntest.Set("apps", "review"), posterntest.Set("sign_in", map[string]any{"partners": "open"}))
	s.Redeem(posterntest.Moving, s.Approve(posterntest.Moving, posterntest.Ada)).OK()
	s.Invite("new@partner.test", "Partner Inc", "viewer")
	dev := s.Portal(posterntest.Dev)
	app := "/portal/apps/" + posterntest.Moving.ID
	dev.Press(dev.Get(app+"/sandbox"), "Make a sandbox account")
	dev.Press(dev.Get(app+"/settings"), "Save", "description", "Other words", "webhook_url", "http://127.0.0.1:1/hook", "reason:candidates.read", "a", "reason:candidates.write", "b", "reason:jobs.read", "c").Wants(t, 200, "Handed in")
	dev.Press(dev.Get(app+"/webhooks"), "Send a test event").Wants(t, 200, "on its way")
	for _, d := range []struct {
		b      *posterntest.Browser
		prefix string
		from   []string
	}{
		{dev, "/portal", []string{"/portal", app, "/portal/register", "/portal/forgot"}},
		{s.Console(posterntest.Operator), "/operator", []string{"/operator", "/operator/apps/" + posterntest.Moving.ID, "/operator/forgot"}},
		{s.SignedIn(posterntest.Ada), "/connections", []string{"/connections"}},
	} {
		c := &crawler{t: t, b: d.b, seen: map[string]bool{}}
		for _, from := range d.from {
			c.crawl(d.prefix, from)
		}
		for _, p := range c.pages {
			c.oddPath(http.MethodGet, p.URL.Path, nil)
			c.oddQuery(p.URL.Path)
			for _, f := range p.Forms() {
				c.oddForm(p, f)
			}
		}
	}
}

func (c *crawler) ask(method, path string, fields url.Values) {
	if p := c.b.Do(method, path, fields, nil); p.Status >= 500 {
		c.t.Errorf("%s %q %.200q: %d %.100s", method, path, fields, p.Status, p.Text())
	}
}

func (c *crawler) oddPath(method, path string, fields url.Values) {
	parts := strings.Split(path, "/")
	for i, part := range parts {
		if ids.MatchString(part) || i > 0 && parts[i-1] == "log" {
			for _, bad := range odd {
				changed := slices.Clone(parts)
				changed[i] = url.PathEscape(bad)
				c.ask(method, strings.Join(changed, "/"), fields)
			}
		}
	}
}

func (c *crawler) oddQuery(path string) {
	for _, bad := range odd {
		q := url.Values{}
		for _, name := range []string{"before", "id", "to", "sent", "state", "outcome", "origin", "endpoint", "account", "connection", "request", "actor", "object", "q", "dialect"} {
			q.Set(name, bad)
		}
		c.ask(http.MethodGet, path+"?"+q.Encode(), nil)
	}
}

func (c *crawler) oddForm(p *posterntest.Page, f *posterntest.Form) {
	if f.Method != http.MethodPost || strings.HasSuffix(f.Action, "/logout") {
		return
	}
	to, err := p.URL.Parse(f.Action)
	if err != nil {
		c.t.Fatal(err)
	}
	c.oddPath(http.MethodPost, to.Path, f.Fields)
	names := map[string]bool{}
	for name := range f.Fields {
		names[name] = true
	}
	for name := range f.Choices {
		names[name] = true
	}
	for _, b := range f.Buttons {
		names[b.Name] = true
	}
	for name := range names {
		if name == "" || name == "form_token" {
			continue
		}
		for _, bad := range odd {
			fields := maps.Clone(f.Fields)
			fields.Set(name, bad)
			c.ask(http.MethodPost, to.Path, fields)
		}
	}
}
