package ui

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

func TestPagesAreInTheReadersLanguage(t *testing.T) {
	p := mustNew(t, Brand{})
	for _, c := range []struct{ name, accept, query, cookie, want string }{
		{"nothing said", "", "", "", "en"},
		{"German first", "de-AT,de;q=0.9,en;q=0.5", "", "", "de"},
		{"neither", "fr, *;q=0.1", "", "", "en"},
		{"English before German", "en-GB, de;q=0.8", "", "", "en"},
		{"not a list", "\x00;;q=x", "", "", "en"},
		{"chosen", "en", "lang=de&x=1", "", "de"},
		{"chosen before", "en", "", "de", "de"},
		{"chosen anew", "de", "lang=en", "de", "en"},
		{"unknown", "de", "lang=fr", "<b>", "de"},
	} {
		r := httptest.NewRequest(http.MethodGet, "/login?"+c.query, nil)
		r.Header.Set("Accept-Language", c.accept)
		r.AddCookie(&http.Cookie{Name: "postern_language", Value: c.cookie})
		w := httptest.NewRecorder()
		if err := p.Write(w, r, http.StatusOK, &SignInPage{}); err != nil {
			t.Fatal(err)
		}
		if got := w.Header().Get("Content-Language"); got != c.want || !strings.Contains(w.Body.String(), `<html lang="`+c.want+`">`) {
			t.Errorf("%s: the page is in %q, not %q", c.name, got, c.want)
		}
		if kept := len(w.Result().Cookies()) == 1; kept != (c.query != "" && c.query != "lang=fr") {
			t.Errorf("%s: what was not chosen is kept, or what was chosen is not", c.name)
		}
	}
}

// The links keep the rest of the query; what a form answered has none.
func TestTheFooterOffersEachLanguage(t *testing.T) {
	p := mustNew(t, Brand{})
	p.HTTPS = true
	shown := func(method, target string) (string, *http.Cookie) {
		w := httptest.NewRecorder()
		if err := p.Write(w, httptest.NewRequest(method, target, nil), http.StatusOK, &SignInPage{}); err != nil {
			t.Fatal(err)
		}
		for _, c := range w.Result().Cookies() {
			return w.Body.String(), c
		}
		return w.Body.String(), nil
	}
	html, _ := shown(http.MethodGet, "/login?to=%2Fconnections%22")
	if !strings.Contains(html, `<a href="?lang=de&amp;to=%2Fconnections%22" lang="de" hreflang="de">Deutsch</a>`) || strings.Contains(html, ">English</a>") {
		t.Errorf("the footer: %s", html[strings.Index(html, "</main>"):])
	}
	if html, _ := shown(http.MethodPost, "/login"); strings.Contains(html, "Deutsch") {
		t.Error("the answer to a form can be asked for in another language")
	}
	if html, _ := shown(http.MethodGet, "/login?x="+strings.Repeat("x", longestQuery)); strings.Contains(html, "xxx") {
		t.Error("the page repeats what a stranger sent, however long")
	}
	_, kept := shown(http.MethodGet, "/login?lang=de")
	if kept == nil || kept.Name != "__Host-postern_language" || !kept.Secure || !kept.HttpOnly || kept.Path != "/" || kept.Domain != "" {
		t.Errorf("the cookie is %+v", kept)
	}
	for tag := range p.pages {
		if languageNames[tag] == "" {
			t.Errorf("the language %s has no name", tag)
		}
	}
}

// Every page exists in German, and says nothing in English but names and what
// others wrote.
func TestEveryPageRendersInGerman(t *testing.T) {
	p := mustNew(t, Brand{})
	for name, page := range allSamples() {
		html, err := p.Render("de", page)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		german := string(html)
		if !strings.Contains(german, `<html lang="de">`) || strings.Contains(german, "%!") {
			t.Errorf("%s: a sentence has too many or too few parts", name)
		}
		for _, word := range []string{" the ", " and ", " with ", " your ", " You ", ">Sign"} {
			if at := strings.Index(ours(german), word); at >= 0 {
				t.Errorf("%s says in English: …%s…", name, ours(german)[max(0, at-60):min(len(ours(german)), at+60)])
			}
		}
	}
}

// ours is a page without what others chose or wrote.
func ours(html string) string {
	for _, theirs := range others {
		html = theirs.ReplaceAllString(html, "")
	}
	return html
}

var others = func() (all []*regexp.Regexp) {
	for _, tag := range []string{"bdi", "code", "pre"} {
		all = append(all, regexp.MustCompile(`(?s)<`+tag+`[^>]*>.*?</`+tag+`>`))
	}
	return all
}()

// Guides are written by those who know no markup of ours.
func TestASentenceCanBeSaidAsPlainText(t *testing.T) {
	pages, err := New(Brand{})
	if err != nil {
		t.Fatal(err)
	}
	say, ok := pages.Sayer("de")
	if got := say("Connect %s", "<A & B>"); !ok || got != "<A & B> verbinden" {
		t.Errorf("got %q", got)
	}
	say, ok = pages.Sayer(English)
	if got := say("Connect %s", "A"); !ok || got != "Connect A" {
		t.Errorf("got %q", got)
	}
	if _, ok := pages.Sayer("xx"); ok {
		t.Error("a language that there is not has a voice")
	}
}
