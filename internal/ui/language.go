package ui

import (
	"cmp"
	"embed"
	"encoding/json"
	"fmt"
	"html"
	"html/template"
	"io"
	"strconv"
	"strings"
	"time"

	"postern.dev/postern"
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
	plain  bool // the sentence holds no markup: all of it is escaped
	filled bool // Format is that of a postern.Sentence, the only one of Args
}

// Say makes a Text. Verbs are those of package fmt.
func Say(format string, args ...any) Text { return Text{Format: format, Args: args} }

// SayPlain is Say for a sentence that is no markup, whatever is in it.
func SayPlain(format string, args ...any) Text { return Text{Format: format, Args: args, plain: true} }

// SayError is an error's sentence for whoever asked.
func SayError(e *postern.Error) Text {
	if e.Format == "" {
		return SayWritten(e.Msg)
	}
	return SayPlain(e.Format, e.Args...)
}

// SayWritten is a sentence of ours that was kept as it is in English; none, if
// it is empty.
func SayWritten(text string) Text {
	if text == "" {
		return Text{}
	}
	return SayPlain(strings.ReplaceAll(text, "%", "%%"))
}

// SayFilled is a sentence whose parts have names. Its strings are others'.
func SayFilled(s postern.Sentence) Text {
	return Text{Format: s.Text, Args: []any{s}, plain: true, filled: true}
}

// SayTheirs is what somebody else wrote, as a text of its own.
func SayTheirs(text string) Text { return SayPlain("%s", theirs(text)) }

// theirs is what somebody else chose or wrote, as a part of a sentence.
type theirs string

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
		return l.sentence(what)
	case string:
		return l.sentence(Text{Format: what, Args: args})
	}
	return "", fmt.Errorf("ui: %T cannot be said", what)
}

func (l pageLanguage) sentence(t Text) (template.HTML, error) {
	what, args := t.Format, t.Args
	if said, ok := l.words[what]; ok {
		what = said
	}
	if t.plain {
		what = html.EscapeString(what)
	}
	if t.filled {
		return l.fill(what, args[0].(postern.Sentence))
	}
	if len(args) == 0 && !t.plain {
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

// fill puts the parts into a sentence that is markup already.
func (l pageLanguage) fill(what string, s postern.Sentence) (said template.HTML, err error) {
	return template.HTML(s.Fill(what, func(part any) string {
		if text, ok := part.(string); ok {
			part = theirs(text)
		}
		safe, wrong := l.argument(part)
		err = cmp.Or(err, wrong)
		return fmt.Sprint(safe)
	})), err
}

// Plain is a text that holds no markup as it is read in a language, for those who
// search it.
func (p *Pages) Plain(language string, t Text) string {
	l := p.spoken[language]
	if t.filled {
		return l.filled(t.Args[0].(postern.Sentence))
	}
	return l.text(t.Format, t.Args...)
}

func (l pageLanguage) filled(s postern.Sentence) string {
	said, ok := l.words[s.Text]
	if !ok {
		said = s.Text
	}
	return s.Fill(said, func(part any) string {
		if inner, ok := part.(postern.Sentence); ok {
			return l.filled(inner)
		}
		return fmt.Sprint(part)
	})
}

// Sayer gives what says sentences in a language as text that is no markup: for
// those who write it down themselves. Of a language that we lack there is none.
func (p *Pages) Sayer(language string) (say func(format string, args ...any) string, ok bool) {
	l, ok := p.spoken[language]
	return l.text, ok
}

// text is a sentence of ours that is no markup, and neither are its arguments.
func (l pageLanguage) text(format string, args ...any) string {
	if said, ok := l.words[format]; ok {
		format = said
	}
	return fmt.Sprintf(format, args...)
}

// anyOf joins words as a sentence does: "a", "a or b", "a, b or c".
func (l pageLanguage) anyOf(words []string) (template.HTML, error) {
	safe := make([]string, len(words))
	for i, w := range words {
		safe[i] = html.EscapeString(w)
	}
	if len(safe) < 2 {
		return template.HTML(strings.Join(safe, "")), nil
	}
	n := len(safe) - 1
	return l.say("%s or %s", template.HTML(strings.Join(safe[:n], ", ")), template.HTML(safe[n]))
}

// number is a count as a part of a sentence, or alone.
func (l pageLanguage) number(n int64) (number, error) {
	sample, err := l.say("10,000")
	groups := strings.TrimSuffix(strings.TrimPrefix(string(sample), "10"), "000")
	return number{n, groups}, err
}

// number reads as its language writes it: in groups from five digits on, for a
// year has four.
type number struct {
	n      int64
	groups string // what parts them
}

// Format is that of the integer, which has no groups where it is to have a width.
func (n number) Format(f fmt.State, verb rune) {
	if _, wide := f.Width(); wide || n.n < 10_000 {
		fmt.Fprintf(f, fmt.FormatString(f, verb), n.n)
		return
	}
	digits := strconv.FormatInt(n.n, 10)
	for i := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			io.WriteString(f, n.groups)
		}
		io.WriteString(f, digits[i:i+1])
	}
}

// day is a date as people write it, in UTC: "24 November 2026".
func (l pageLanguage) day(t time.Time) (template.HTML, error) {
	t = t.UTC()
	return l.say("%d %s %d", t.Day(), Say(t.Month().String()), t.Year())
}

// date is a day that machines can read too.
func (l pageLanguage) date(t time.Time) (template.HTML, error) {
	day, err := l.day(t)
	return `<time datetime="` + template.HTML(machineTime(t)) + `">` + day + `</time>`, err
}

// moment is a point in time to the second, in UTC, that machines can read too.
func (l pageLanguage) moment(t time.Time) (template.HTML, error) {
	day, err := l.day(t)
	if err != nil {
		return "", err
	}
	text, err := l.say("%s, %s UTC", day, t.UTC().Format("15:04:05"))
	return `<time datetime="` + template.HTML(machineTime(t)) + `">` + text + `</time>`, err
}

// argument is safe to stand in markup.
func (l pageLanguage) argument(a any) (any, error) {
	switch a := a.(type) {
	case Text:
		return l.say(a)
	case postern.Sentence:
		return l.say(SayFilled(a))
	case theirs:
		return named(string(a)), nil
	case int:
		return l.number(int64(a))
	case int64:
		return l.number(a)
	case template.HTML, float64:
		return a, nil
	case postern.Role: // ours; roles in accounts are the operator's words
		return l.say(string(a))
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
