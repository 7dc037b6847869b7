package dialect

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/oauth"
)

// What is written past a guide's language is English in all of them. In one that
// has no words nothing is left but code, names, and what a wire's file says.
func TestAGuideSaysNothingPastItsLanguage(t *testing.T) {
	spared := regexp.MustCompile("`[^`]*`|%[a-z]")
	wordless := Language{"xx", func(format string, args ...any) string {
		return fmt.Sprintf(strings.Join(spared.FindAllString(format, -1), " "), args...)
	}}
	markup := regexp.MustCompile(`(?s)<style>.*?</style>|<pre.*?</pre>|<code>.*?</code>|<[^>]*>`)
	word := regexp.MustCompile(`\p{L}[\p{L}\p{N}_]+`)
	app := &GuideApp{ClientID: "c", RedirectURL: "https://partner.test/cb", Product: "Acme"}
	calls := []Call{{Route: "GET /a", Scopes: []string{"a", "b"}}, {Route: "GET /b"}, {Route: "GET /c", Public: true}, {Refused: true}}
	for name, d := range everyWire(t) {
		names := append(oauth.AssertionAlgorithms(), name, "curl", "Node", "Python", "Go", "PHP", "SHA256", "hex", "base64", "BASE64", "ACCESS_TOKEN",
			d.api.scheme, find(d.failed, "error").path[0])
		for _, p := range d.api.places {
			names = append(names, strings.Split(p.name, "-")...)
		}
		page := d.guideFor(wordless, someOrigin, app, calls).html(Look{})
		if !strings.Contains(page, `<html lang="xx">`) {
			t.Errorf("%s: the page is marked as of another language", name)
		}
		for _, w := range word.FindAllString(markup.ReplaceAllString(page, " "), -1) {
			if !slices.Contains(names, w) {
				t.Errorf("%s: the guide says %q in every language", name, w)
			}
		}
	}
}

// everyWire are the built-in ones, and odd ones of tests.
func everyWire(t *testing.T) map[string]*Dialect {
	t.Helper()
	all := map[string]*Dialect{}
	for _, name := range Builtin() {
		d, err := Library{}.Builtin(name)
		if err != nil {
			t.Fatal(err)
		}
		all[name] = d
	}
	for name, text := range map[string]string{"home": homeWire, "basic": "language: 1\nname: basic\napi: {read: {access_token: [basic password, body key]}}\n"} {
		d, err := Library{}.Compile(name+".yaml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		all[name] = d
	}
	return all
}

func TestDurationsAreSpokenInTheirLargestWholeUnit(t *testing.T) {
	p := &page{in: English}
	for d, want := range map[time.Duration]string{
		time.Second: "1 second", 90 * time.Second: "90 seconds", time.Minute: "1 minute", 5 * time.Minute: "5 minutes",
		time.Hour: "1 hour", 24 * time.Hour: "24 hours", 36 * time.Hour: "36 hours", 48 * time.Hour: "2 days",
	} {
		if got := p.spoken(d); got != want {
			t.Errorf("%s is said as %q, not as %q", d, got, want)
		}
	}
}
