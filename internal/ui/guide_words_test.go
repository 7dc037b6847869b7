package ui

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"postern.dev/postern/internal/dialect"
)

// Guides are put together far from the templates, of every wire other sentences:
// a German one says none of the catalogue's in English.
func TestAGermanGuideSaysNothingInEnglish(t *testing.T) {
	say, _ := must(New(Brand{})).Sayer("de")
	german := dialect.Language{Tag: "de", Say: say}
	calls := []dialect.Call{{Route: "GET /a", Scopes: []string{"a", "b"}}, {Route: "GET /b"}, {Route: "GET /c", Public: true}, {Refused: true}}
	app := &dialect.GuideApp{ClientID: "c", RedirectURL: "https://partner.test/cb", Product: "Acme"}
	headings := slices.Collect(maps.Values(must(languages())[1].words))
	// What a sentence says between its parts, where it is more than a word.
	words := regexp.MustCompile(`\pL \pL`)
	var english []string
	for text, place := range said(t) {
		if strings.Contains(place, "dialect/") {
			for _, part := range verbs.Split(text, -1) {
				if part = strings.TrimSpace(part); words.MatchString(part) {
					english = append(english, part)
				}
			}
		}
	}
	if len(english) < 150 {
		t.Fatalf("guides say only %d sentences", len(english))
	}
	code := regexp.MustCompile("(?s)\n```.*?\n```\n")
	for _, name := range dialect.Builtin() {
		d := must(dialect.Library{}.Builtin(name))
		guide := code.ReplaceAllString(d.Guide(german, "https://connect.example", calls...), "\n")
		for _, s := range d.GuideParts(german, "https://connect.example", app).Sections {
			guide += " " + s.Title + " " + s.Text
			if s.ID != "" && !slices.Contains(headings, s.Title) {
				t.Errorf("%s: the heading %q is none of the catalogue", name, s.Title)
			}
		}
		for _, part := range english {
			if at := strings.Index(guide, part); at >= 0 {
				t.Errorf("%s: the German guide says %q: …%s…", name, part, guide[max(0, at-40):min(len(guide), at+len(part)+40)])
			}
		}
	}
}
