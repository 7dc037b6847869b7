package ui

import (
	"embed"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"net/http"
	"strings"

	"golang.org/x/text/language"
)

// English is what pages are written in: its sentences stand in the templates
// and are the keys of the other languages' catalogues, words/LANGUAGE.json.
const English = "en"

//go:embed words/*.json
var catalogues embed.FS

// Text is a sentence that a page says in the reader's language. Format is one
// of our own, a key of the catalogues; it may hold markup. What came from
// outside goes into Args, which are escaped.
type Text struct {
	Format string
	Args   []any
}

// Say makes a Text. Verbs are those of package fmt.
func Say(format string, args ...any) Text { return Text{format, args} }

// pageLanguage is one in which pages are said.
type pageLanguage struct {
	tag   string // "en", "de"
	words map[string]string
}

// languages are English, and each that has a catalogue.
func languages() ([]pageLanguage, error) {
	all := []pageLanguage{{tag: English}}
	files, err := catalogues.ReadDir("words")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		l := pageLanguage{tag: strings.TrimSuffix(f.Name(), ".json")}
		data, err := catalogues.ReadFile("words/" + f.Name())
		if err == nil {
			err = json.Unmarshal(data, &l.words)
		}
		if err != nil {
			return nil, fmt.Errorf("ui: words/%s: %w", f.Name(), err)
		}
		all = append(all, l)
	}
	return all, nil
}

// say is the sentence in this language, or in English where it has none.
func (l pageLanguage) say(what any, args ...any) (template.HTML, error) {
	switch what := what.(type) {
	case Text:
		return l.say(what.Format, what.Args...)
	case string:
		if said, ok := l.words[what]; ok {
			what = said
		}
		if len(args) == 0 {
			return template.HTML(what), nil
		}
		safe := make([]any, len(args))
		for i, a := range args {
			var err error
			if safe[i], err = l.argument(a); err != nil {
				return "", err
			}
		}
		return template.HTML(fmt.Sprintf(what, safe...)), nil
	}
	return "", fmt.Errorf("ui: %T cannot be said", what)
}

// argument is safe to stand in markup.
func (l pageLanguage) argument(a any) (any, error) {
	switch a := a.(type) {
	case Text:
		return l.say(a)
	case template.HTML, int, int64, float64:
		return a, nil
	case string:
		return template.HTML(html.EscapeString(a)), nil
	}
	return template.HTML(html.EscapeString(fmt.Sprint(a))), nil
}

// counted chooses between the singular and the plural of a sentence: {{say
// (counted .N "%d app" "%d apps") .N}}.
func counted(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return many
}

// named puts what somebody else chose into a sentence: escaped, and isolated
// from the direction of the text around it.
func named(text string) template.HTML {
	return template.HTML("<bdi>" + html.EscapeString(text) + "</bdi>")
}

// link is a link to one of our own paths, as a part of a sentence.
func link(path string, text template.HTML) template.HTML {
	return template.HTML(`<a href="`+html.EscapeString(path)+`">`) + text + "</a>"
}

// reader picks the language of a request: the best that we have of those that
// the browser asks for (RFC 9110 §12.5.4).
func (p *Pages) reader(r *http.Request) string {
	asked, _, err := language.ParseAcceptLanguage(r.Header.Get("Accept-Language"))
	if err != nil || len(asked) == 0 {
		return p.tags[0].String()
	}
	_, i, confidence := p.matcher.Match(asked...)
	if confidence == language.No {
		i = 0
	}
	return p.tags[i].String()
}
