package ui

import (
	"bytes"
	"html/template"
	"maps"
	"net/http"
	"net/http/httptest"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
)

var day = time.Date(2026, 11, 24, 19, 52, 32, 0, time.UTC)

// samples are pages with everything on them, by name, and some with little.
func samples() map[string]Page {
	app := postern.App{
		ID: "partner-x", Name: "Partner X", Description: "Brings candidates from your careers page into your reviews, every night.",
		Partner: postern.Partner{Name: "Partner Inc"}, Level: postern.AccountLevel, ConnectRoles: []string{"admin", "owner"},
	}
	own := app
	own.Name, own.Level, own.ID = "Calendar Sync", postern.UserLevel, "cal"
	ada := postern.User{ID: "usr_1", Name: "Ada Lovelace", Email: "ada@acme.test"}
	acme, globex := postern.Account{ID: "acc_1", Name: "Acme"}, postern.Account{ID: "acc_2", Name: "Globex Corporation"}
	scopes := []ScopeLine{{Text: "See your candidates"}, {Text: "Add notes to your candidates", New: true}}
	live := &Standing{Since: day, By: "Grace Hopper", Adds: 1}
	card := ConnectionCard{
		Listing: postern.Listing{
			Connection: postern.Connection{ID: "con_1", CreatedAt: day, LastUsedAt: day},
			App:        app, Account: acme, Maker: ada, Role: "admin",
		},
		Scopes: scopes, Token: "t", MayEnd: true,
	}
	locked := card
	locked.MayEnd, locked.Connection.LastUsedAt, locked.Connection.ID, locked.Scopes = false, time.Time{}, "con_2", nil
	mine := card
	mine.App, mine.Connection.UserID, mine.Connection.ID = own, ada.ID, "con_3"
	return map[string]Page{
		"design":         Design(),
		"signin":         &SignInPage{Token: "t"},
		"signin-app":     &SignInPage{Token: "t", Ticket: "T", App: &app, Email: "ada@acme.test", Problem: Say("The e-mail or the password is not right. Please try again.")},
		"signin-again":   &SignInPage{Token: "t", Ticket: "T", App: &app, Email: "ada@acme.test", Again: true},
		"signout":        &SignOutPage{Token: "t", User: &ada},
		"signout-nobody": &SignOutPage{},
		"consent": &ConsentPage{
			Token: "t", Ticket: "T", App: &app, Site: "partner.test", Goes: "partner.test:8443", User: ada,
			Choices: []Choice{{Account: acme}}, Scopes: scopes[:1],
		},
		"consent-live": &ConsentPage{
			Token: "t", Ticket: "T", App: &app, Goes: "partner.test", User: ada, Changed: true,
			Choices: []Choice{{Account: acme, Live: live}}, Scopes: scopes,
		},
		"consent-several": &ConsentPage{
			Token: "t", Ticket: "T", App: &app, Site: "partner.test", Goes: "partner.test", User: ada, Problem: Say("Choose which account you want to connect."),
			Choices: []Choice{{Account: acme, Live: live}, {Account: globex}},
		},
		"consent-user": &ConsentPage{
			Token: "t", Ticket: "T", App: &own, Level: postern.UserLevel, Goes: "localhost:3000", User: ada, Choices: []Choice{{Account: acme}},
		},
		"consent-both": &ConsentPage{
			Token: "t", Ticket: "T", App: &app, Goes: "partner.test", User: ada, Choices: []Choice{{Account: acme}},
			Scopes: scopes[:1], Own: scopes[1:],
		},
		"whomay": &WhoMayPage{
			Ticket: "T", App: &app, User: ada, Reason: Say("Your role does not let you connect this app."),
			Accounts: []Approvers{{"Acme", []string{"admin", "owner"}, []postern.User{{Name: "Grace Hopper", Email: "grace@acme.test"}, {Email: "bob@acme.test"}}}, {"Globex", []string{"owner"}, nil}},
		},
		"connections": &ConnectionsPage{
			User: ada, Done: Say("Disconnected. The app lost its access at once. To use it again, connect it again from the app."),
			Accounts: []AccountConnections{{acme, []ConnectionCard{card, locked, mine}}, {globex, nil}},
		},
		"connections-none":  &ConnectionsPage{User: ada},
		"disconnect":        &DisconnectPage{ConnectionCard: card, User: ada},
		"disconnect-locked": &DisconnectPage{ConnectionCard: locked, User: ada},
		"password":          &PasswordPage{User: ada, Problem: Say("The current password is not right. Please try again.")},
		"reset":             &ResetPage{Link: "/reset/abc", Email: "ada@acme.test"},
		"message": &MessagePage{
			Heading: Say("This link does not work"), What: Say("No app is registered here under this client_id."),
			Do: Say("Go back to the app."), RequestID: "req_1", Link: "/connections", LinkText: Say("Your connections"),
		},
	}
}

// allSamples are those of every door.
func allSamples() map[string]Page {
	all := samples()
	for _, more := range []map[string]Page{staffSamples(), sandboxSamples(), appSamples(), logSamples()} {
		maps.Copy(all, more)
	}
	return all
}

func mustNew(t *testing.T, brand Brand) *Pages {
	t.Helper()
	p, err := New(brand, File{Name: "guide.css", Content: []byte("main{}"), MediaType: "text/css; charset=utf-8"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func render(t *testing.T, p *Pages, page Page) string {
	t.Helper()
	html, err := p.Render(English, page)
	if err != nil {
		t.Fatal(err)
	}
	return string(html)
}

// Who has a page's links read out alone hears of one that is a time what happened
// then: a list of them is a list of nothing else.
func TestALinkThatIsATimeIsDescribed(t *testing.T) {
	p, found := mustNew(t, Brand{}), 0
	links := regexp.MustCompile(`<a ([^>]*)><time`)
	for name, page := range allSamples() {
		html := render(t, p, page)
		for _, link := range links.FindAllStringSubmatch(html, -1) {
			found++
			_, by, _ := strings.Cut(link[1], `aria-describedby="`)
			by, _, _ = strings.Cut(by, `"`)
			if by == "" {
				t.Errorf("%s: nothing describes <a %s>", name, link[1])
			}
			for _, id := range strings.Fields(by) {
				if strings.Count(html, ` id="`+id+`"`) != 1 {
					t.Errorf("%s: %q is not the id of one thing", name, id)
				}
			}
		}
	}
	if found == 0 {
		t.Error("no page has such a link")
	}
}

func TestEveryPageRendersWithNothingInlineOrForeign(t *testing.T) {
	p := mustNew(t, Brand{})
	rendered := map[string]bool{}
	foreign := regexp.MustCompile(`(?i)(src|href|action)="(https?:|//)`)
	inline := regexp.MustCompile(`(?i)<script|<style|\sstyle="|\son[a-z]+="|<iframe|javascript:`)
	for name, page := range allSamples() {
		html := render(t, p, page)
		rendered[page.Name()] = true
		own := regexp.MustCompile(`<script src="/assets/[a-z]+\.[0-9a-f]{12}\.js" defer></script>`)
		if m := foreign.FindString(html) + inline.FindString(own.ReplaceAllString(html, "")); m != "" {
			t.Errorf("%s has %q", name, m)
		}
		for _, once := range []string{"<h1>", "<main ", `<html lang="en">`, "<title>", `rel="icon"`} {
			if strings.Count(html, once) != 1 {
				t.Errorf("%s has %d of %s", name, strings.Count(html, once), once)
			}
		}
		if strings.Contains(html, "<no value>") || strings.Contains(html, "ZgotmplZ") {
			t.Errorf("%s: a value is missing or was filtered", name)
		}
		for _, id := range regexp.MustCompile(`aria-(?:labelledby|describedby)="([^"]+)"`).FindAllStringSubmatch(html, -1) {
			for _, one := range strings.Fields(id[1]) {
				if strings.Count(html, ` id="`+one+`"`) != 1 {
					t.Errorf("%s: nothing, or more than one thing, has the id %q", name, one)
				}
			}
		}
	}
	for name := range p.pages[English] {
		if !rendered[name] {
			t.Errorf("no sample renders the template %s", name)
		}
	}
}

// Every page is at most 100 kB with all that it names. The samples are short, so
// they have to leave room for what is in real ones; a guide is weighed where
// guides are made.
func TestAPageWeighsLittle(t *testing.T) {
	p := mustNew(t, Brand{})
	named := regexp.MustCompile(`"(/assets/[^"]+)"`)
	for name, page := range allSamples() {
		html := render(t, p, page)
		total := len(html)
		assets := map[string]bool{}
		for _, m := range named.FindAllStringSubmatch(html, -1) {
			assets[m[1]] = true
		}
		for path := range assets {
			total += len(p.Assets.files[path].content)
		}
		if len(assets) < 2 || total > 60_000 {
			t.Errorf("%s weighs %d bytes with its %d assets", name, total, len(assets))
		}
	}
}

func TestTheSignInFormHasOneEmailAndOnePassword(t *testing.T) {
	p := mustNew(t, Brand{})
	for _, name := range []string{"signin", "signin-app", "signin-again"} {
		html := render(t, p, samples()[name])
		inputs := regexp.MustCompile(`<input[^>]*>`).FindAllString(html, -1)
		emails, passwords := 0, 0
		for _, in := range inputs {
			switch {
			case strings.Contains(in, `type="email"`):
				emails++
			case strings.Contains(in, `type="password"`):
				passwords++
			default:
				if regexp.MustCompile(`name="[^"]*(user|mail|login)`).MatchString(in) {
					t.Errorf("%s: another input is named like the e-mail: %s", name, in)
				}
			}
		}
		if emails != 1 || passwords != 1 {
			t.Errorf("%s: %d e-mail and %d password inputs", name, emails, passwords)
		}
		if n := strings.Count(html, `type="submit"`); n != 1 {
			t.Errorf("%s: %d submit buttons", name, n)
		}
	}
}

func TestNamesShowAsTextWhateverTheyAre(t *testing.T) {
	p := mustNew(t, Brand{})
	for _, evil := range []string{
		`<img src=x onerror=alert(1)>`, `"><script>alert(1)</script>`, `' onmouseover='alert(1)`, `{{.Token}}`,
		`</title><script>alert(1)</script>`, `</bdi><form action=//evil.test>`, "\u202egnp.exe", `javascript:alert(1)`,
		`<svg/onload=alert(1)>`, `&lt;script&gt;`, `<!--`, `]]>`, strings.Repeat("W", 500), "\x00\n\t", `<a href="//evil.test">`,
	} {
		app := postern.App{ID: evil, Name: evil, Description: evil, Partner: postern.Partner{Name: evil}, ConnectRoles: []string{evil}}
		user := postern.User{ID: evil, Name: evil, Email: evil}
		account := postern.Account{ID: evil, Name: evil}
		card := ConnectionCard{Listing: postern.Listing{
			Connection: postern.Connection{ID: "c", CreatedAt: day}, App: app, Account: account, Maker: user,
		}, Scopes: []ScopeLine{{Text: evil}}}
		pages := []Page{
			&ConsentPage{App: &app, User: user, Goes: evil, Site: evil, Choices: []Choice{{Account: account}, {Account: account}}, Scopes: []ScopeLine{{Text: evil}}},
			&ConsentPage{App: &app, User: user, Choices: []Choice{{Account: account, Live: &Standing{Since: day, By: evil}}}},
			&WhoMayPage{App: &app, User: user, Reason: Say("%s", evil), Accounts: []Approvers{{evil, []string{evil}, []postern.User{user}}}},
			&ConnectionsPage{User: user, Done: Say("%s", evil), Accounts: []AccountConnections{{account, []ConnectionCard{card}}}},
			&DisconnectPage{ConnectionCard: card, User: user},
			&SignInPage{App: &app, Email: evil, Problem: Say("%s", evil), Ticket: evil, Token: evil},
			&MessagePage{Heading: Say("%s", evil), What: Say("%s", evil), Do: Say("%s", evil), RequestID: evil},
		}
		for _, page := range pages {
			if got, want := tags(render(t, p, page)), tags(render(t, p, calm(page))); got != want {
				t.Errorf("%s with %q has other elements:\n%s\nthan\n%s", page.Name(), evil, got, want)
			}
		}
	}
}

// tags lists the elements of a page, in order, with the names of their attributes.
func tags(html string) string {
	var out strings.Builder
	for _, tag := range regexp.MustCompile(`<[/!a-zA-Z](?:[^>"']|"[^"]*"|'[^']*')*>`).FindAllString(html, -1) {
		out.WriteString(regexp.MustCompile(`="[^"]*"`).ReplaceAllString(tag, "") + "\n")
	}
	return out.String()
}

// calm is the same page with every text replaced by a harmless one.
func calm(page Page) Page {
	v := reflect.New(reflect.TypeOf(page).Elem())
	v.Elem().Set(reflect.ValueOf(page).Elem())
	soothe(v.Elem())
	return v.Interface().(Page)
}

func soothe(v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if v.CanSet() && v.Len() > 0 {
			v.SetString("calm")
		}
	case reflect.Pointer:
		if !v.IsNil() && v.CanSet() {
			fresh := reflect.New(v.Type().Elem())
			fresh.Elem().Set(v.Elem())
			soothe(fresh.Elem())
			v.Set(fresh)
		}
	case reflect.Slice:
		if v.IsNil() || !v.CanSet() {
			return
		}
		fresh := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		reflect.Copy(fresh, v)
		for i := range fresh.Len() {
			soothe(fresh.Index(i))
		}
		v.Set(fresh)
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return
		}
		for i := range v.NumField() {
			soothe(v.Field(i))
		}
	}
}

func TestAnyBrandColourStaysLegible(t *testing.T) {
	night := colour{0x15, 0x1a, 0x21}.scaled(1. / 255)
	onAccent := colour{0x0b, 0x0e, 0x12}.scaled(1. / 255)
	for _, hex := range []string{"#000000", "#ffffff", "#ffff00", "#0000ff", "#ff0000", "#0b5d6b", "#808080", "#00ff88"} {
		c, err := parseColour(hex)
		if err != nil {
			t.Fatal(err)
		}
		light, dark := c.legible(white, black, 5.5), c.vivid().legible(night, white, 7)
		if contrast(light, white) < 4.5 || contrast(dark, night) < 4.5 || contrast(onAccent, dark) < 4.5 {
			t.Errorf("%s: light %s, dark %s cannot be read", hex, light, dark)
		}
	}
	for _, bad := range []string{"", "red", "#fff", "#gggggg", "0b5d6b0", "#0b5d6b;}", "#+b5d6b"} {
		if _, err := parseColour(bad); err == nil {
			t.Errorf("%q passes as a colour", bad)
		}
	}
}

func TestTheStyleSheetsColoursContrast(t *testing.T) {
	css, err := assetFiles.ReadFile("assets/style.css")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := bytes.Cut(css, []byte(":root {"))
	light, dark, _ := bytes.Cut(rest, []byte("@media (prefers-color-scheme: dark)"))
	dark, _, _ = bytes.Cut(dark, []byte("*, *::before"))
	for scheme, text := range map[string][]byte{"light": light, "dark": dark} {
		colours := map[string]colour{}
		for _, m := range regexp.MustCompile(`--([a-z-]+): (#[0-9a-f]{6});`).FindAllSubmatch(text, -1) {
			c, err := parseColour(string(m[2]))
			if err != nil {
				t.Fatal(err)
			}
			colours[string(m[1])] = c
		}
		for _, pair := range []struct {
			text, ground string
			ratio        float64
		}{
			{"text", "ground", 7}, {"text", "surface", 7}, {"text", "sunken", 7},
			{"soft", "ground", 4.5}, {"soft", "surface", 4.5}, {"soft", "sunken", 4.5},
			{"bad", "surface", 4.5}, {"bad", "bad-ground", 4.5}, {"good", "good-ground", 4.5}, {"note", "note-ground", 4.5},
			{"edge", "surface", 3},
		} {
			if r := contrast(colours[pair.text], colours[pair.ground]); r < pair.ratio {
				t.Errorf("%s: %s on %s is %.2f:1, not %.1f:1", scheme, pair.text, pair.ground, r, pair.ratio)
			}
		}
	}
	for _, m := range regexp.MustCompile(`tint-\d \{ background: (#[0-9a-f]{6})`).FindAllSubmatch(css, -1) {
		if c, err := parseColour(string(m[1])); err != nil || contrast(c, white) < 4.5 {
			t.Errorf("white on the tint %s cannot be read", m[1])
		}
	}
}

func TestAssetsAreNamedByTheirContent(t *testing.T) {
	p, other := mustNew(t, Brand{}), mustNew(t, Brand{Colour: "#aa0000"})
	path, err := p.Assets.Path("style.css")
	if err != nil {
		t.Fatal(err)
	}
	if again, err := other.Assets.Path("style.css"); err != nil || again == path {
		t.Errorf("another brand's style sheet has the same name %s", path)
	}
	for _, path := range []string{path, "/favicon.ico"} {
		w := httptest.NewRecorder()
		if !p.Assets.Serve(w, httptest.NewRequest("GET", path, nil)) || w.Code != 200 || w.Body.Len() == 0 {
			t.Errorf("%s is not served", path)
		}
		if !strings.HasPrefix(w.Header().Get("Cache-Control"), "public") {
			t.Errorf("%s may not be kept", path)
		}
	}
	for _, path := range []string{"/assets/style.css", "/assets/", "/assets/../ui.go", "/assets/style.000000000000.css"} {
		if p.Assets.Serve(httptest.NewRecorder(), httptest.NewRequest("GET", path, nil)) {
			t.Errorf("%s is served", path)
		}
	}
}

func TestALogoReplacesTheDoor(t *testing.T) {
	p := mustNew(t, Brand{Name: "Saas", Logo: []byte("<svg/>"), LogoType: "image/svg+xml"})
	html := render(t, p, &SignOutPage{})
	if !strings.Contains(html, `src="/assets/logo.`) || !strings.Contains(html, "Sign out · Saas") {
		t.Error("the operator's name and logo are missing")
	}
	if _, err := New(Brand{Logo: []byte("x"), LogoType: "text/html"}); err == nil {
		t.Error("a page passes as a logo")
	}
}

func TestHeadersRuleOutWhatIsDangerous(t *testing.T) {
	wrapped := Headers{HTTPS: true}.Wrap(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		AllowFormTo(w.Header(), "https://partner.test:8443/cb?x=1", "", "https://partner.test:8443/", "https://partner.test")
	}))
	w := httptest.NewRecorder()
	wrapped.ServeHTTP(w, httptest.NewRequest("GET", "/", nil))
	want := map[string]string{
		"Content-Security-Policy":    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self' https://partner.test:8443 https://partner.test; frame-ancestors 'none'; base-uri 'none'",
		"X-Frame-Options":            "DENY",
		"X-Content-Type-Options":     "nosniff",
		"Referrer-Policy":            "no-referrer",
		"Cross-Origin-Opener-Policy": "same-origin",
		"Cache-Control":              "no-store",
		"Strict-Transport-Security":  "max-age=31536000",
	}
	for name, value := range want {
		if got := w.Header().Get(name); got != value {
			t.Errorf("%s: %q, not %q", name, got, value)
		}
	}
	plain := http.Header{}
	Headers{}.Set(plain)
	if plain.Get("Strict-Transport-Security") != "" {
		t.Error("HSTS is said over http")
	}
}

func TestAFormSourceIsTheOriginOrTheScheme(t *testing.T) {
	for url, want := range map[string]string{
		"https://partner.test/cb":                "https://partner.test",
		"http://127.0.0.1:3000/cb":               "http://127.0.0.1:3000",
		"http://[::1]:3000/cb":                   "http:",
		"com.example.app:/cb":                    "com.example.app:",
		"https://münchen.test/cb":                "https:",
		"https://a;script-src * 'unsafe-inline'": "",
		"https://a,b/cb":                         "https:",
		"https://*/cb":                           "https:",
		"/cb":                                    "",
		"":                                       "",
	} {
		if got := formSource(url); got != want {
			t.Errorf("%s: %q, not %q", url, got, want)
		}
	}
}

func FuzzFormSource(f *testing.F) {
	for _, seed := range []string{"https://a.test/cb", "http://[::1]:1/", "x:y", "https://a;b", "https://a b", "https://'self'"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, url string) {
		if source := formSource(url); strings.ContainsAny(source, " ;,'\"*\r\n\t") {
			t.Errorf("%q adds %q to the policy", url, source)
		}
	})
}

func TestWordsForPeople(t *testing.T) {
	english, german := pageLanguage{tag: English}, pageLanguage{tag: "de", words: map[string]string{"%s or %s": "%s oder %s", "%d %s %d": "%d. %s %d"}}
	said := func(text template.HTML, err error) string {
		if err != nil {
			t.Error(err)
		}
		return string(text)
	}
	for d, want := range map[time.Duration]string{
		0: "a moment", 20 * time.Second: "a moment", 45 * time.Second: "a minute", 61 * time.Second: "2 minutes",
		15 * time.Minute: "15 minutes", 100 * time.Minute: "2 hours",
	} {
		if got := said(english.say(Wait(d))); got != want {
			t.Errorf("%v: %q, not %q", d, got, want)
		}
	}
	for _, c := range []struct {
		words []string
		want  string
	}{{nil, ""}, {[]string{"a"}, "a"}, {[]string{"a", "b"}, "a or b"}, {[]string{"a", "<b>", "c"}, "a, &lt;b&gt; or c"}} {
		if got := said(english.anyOf(c.words)); got != c.want {
			t.Errorf("%v: %q, not %q", c.words, got, c.want)
		}
	}
	if got := said(german.anyOf([]string{"a", "b"})); got != "a oder b" {
		t.Errorf("in German: %q", got)
	}
	for name, want := range map[string]string{"partner": "P", "  <x>": "X", "🙂": "•", "": "•", "étoile": "É", "42": "4"} {
		if got := letter(name); got != want {
			t.Errorf("%q: %q, not %q", name, got, want)
		}
	}
	grouped := pageLanguage{tag: "de", words: map[string]string{"10,000": "10.000", "Refused: %d.": "Abgelehnt: %d."}}
	for n, want := range map[int]string{0: "0", 9999: "9999", 10000: "10,000", 123456: "123,456", 1234567: "1,234,567", -12345: "-12345"} {
		if got := said(english.say("%d", n)); got != want {
			t.Errorf("%d: %q, not %q", n, got, want)
		}
	}
	if got := said(grouped.say("Refused: %d.", 10234)); got != "Abgelehnt: 10.234." {
		t.Errorf("in German: %q", got)
	}
	if got := said(english.say("%03d", 7)); got != "007" {
		t.Errorf("padded: %q", got)
	}
	other := day.In(time.FixedZone("", 3600*12))
	if got := said(english.day(other)); got != "24 November 2026" {
		t.Errorf("a day in UTC is %q", got)
	}
	if got := said(german.moment(other)); got != `<time datetime="2026-11-24T19:52:32Z">24. November 2026, 19:52:32 UTC</time>` {
		t.Errorf("a moment in German is %q", got)
	}
}

func TestHostShowsThePort(t *testing.T) {
	for url, want := range map[string]string{
		"https://partner.test:8443/cb?x=1": "partner.test:8443", "https://partner.test/cb": "partner.test",
		"http://[::1]:3000/cb": "[::1]:3000", "com.example.app:/cb": "com.example.app", "": "", "%": "",
	} {
		if got := Host(url); got != want {
			t.Errorf("%q: %q, not %q", url, got, want)
		}
	}
}
