package transcript

import (
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
)

// Text is text with names in it: {{code}} stands for anything the first time and
// for the same again later; {{code ~ /[0-9a-f]{64}/}} for what looks like this;
// {{token as base64}} for the name's value in base64, and {{token as basic}} as
// HTTP Basic sends it for a user without a password. {{{{ is two braces.
type Text []Piece

// Piece is literal text, or a name.
type Piece struct {
	Literal string
	Name    string
	Pattern string // of what the name stands for; empty: anything
	As      string // "", "base64", "base64url" or "basic"

	pattern string         // Pattern without groups and anchors
	whole   *regexp.Regexp // matches what is nothing but the pattern
}

// Anonymous is the name that stands for anything every time.
const Anonymous = "_"

var (
	nameStart = regexp.MustCompile(`^\{\{\s*[A-Za-z_]`)
	nameForm  = regexp.MustCompile(`^\{\{\s*([A-Za-z_][A-Za-z0-9_.-]*)\s*(?:as\s+([a-z0-9]+)\s*)?`)
)

// longestPattern bounds what a file can make us compile.
const longestPattern = 1000

// ParseText reads text with names.
func ParseText(s string) (Text, error) {
	var t Text
	for s != "" {
		i := strings.Index(s, "{{")
		if i < 0 {
			return t.with(s), nil
		}
		t = t.with(s[:i])
		s = s[i:]
		switch {
		case strings.HasPrefix(s, "{{{{"):
			t = t.with("{{")
			s = s[4:]
		case nameStart.MatchString(s):
			p, rest, err := parseName(s)
			if err != nil {
				return nil, err
			}
			t = append(t, p)
			s = rest
		default: // a brace that begins no name
			t = t.with(s[:1])
			s = s[1:]
		}
	}
	return t, nil
}

// with adds literal text; neighbours become one piece.
func (t Text) with(literal string) Text {
	switch {
	case literal == "":
		return t
	case len(t) > 0 && t[len(t)-1].Name == "":
		t[len(t)-1].Literal += literal
		return t
	}
	return append(t, Piece{Literal: literal})
}

// parseName reads {{name}}, {{name as base64}} or {{name ~ /re/}}.
func parseName(s string) (p Piece, rest string, err error) {
	m := nameForm.FindStringSubmatch(s)
	p.Name, p.As = m[1], m[2]
	if p.As != "" && p.As != "base64" && p.As != "base64url" && p.As != "basic" {
		return p, "", fmt.Errorf("{{%s as %s}}: there is base64, base64url and basic", p.Name, p.As)
	}
	rest = s[len(m[0]):]
	if after, ok := strings.CutPrefix(rest, "}}"); ok {
		return p, after, nil
	}
	after, ok := strings.CutPrefix(rest, "~")
	if !ok {
		return p, "", fmt.Errorf("{{%s is not closed; write {{%s}} or {{%s ~ /re/}}, and {{{{ for two braces", p.Name, p.Name, p.Name)
	}
	after, ok = strings.CutPrefix(strings.TrimLeft(after, " "), "/")
	if !ok {
		return p, "", fmt.Errorf("{{%s ~ …: the expression stands between slashes, as in {{%s ~ /[0-9a-f]{40}/}}", p.Name, p.Name)
	}
	end := patternEnd.FindStringIndex(after)
	if end == nil {
		return p, "", fmt.Errorf("{{%s ~ /…: the expression does not end; write /}} after it", p.Name)
	}
	p.Pattern = after[:end[0]]
	return p, after[end[1]:], p.compile()
}

var patternEnd = regexp.MustCompile(`/ *\}\}`)

func (p *Piece) compile() error {
	if p.Pattern == "" {
		return fmt.Errorf("{{%s ~ //}}: the expression is empty", p.Name)
	}
	if len(p.Pattern) > longestPattern {
		return fmt.Errorf("{{%s ~ …: the expression is longer than %d characters", p.Name, longestPattern)
	}
	// It always stands for the whole value, so anchors say nothing.
	whole := strings.TrimPrefix(p.Pattern, "^")
	if strings.HasSuffix(whole, "$") && !strings.HasSuffix(whole, `\$`) {
		whole = strings.TrimSuffix(whole, "$")
	}
	e, err := syntax.Parse(whole, syntax.Perl)
	if err == nil {
		p.pattern = withoutGroups(e).String()
		p.whole, err = regexp.Compile(`\A(?:` + p.pattern + `)\z`)
	}
	if err != nil {
		return fmt.Errorf("{{%s ~ /%s/}}: %w", p.Name, p.Pattern, err)
	}
	return nil
}

// Named is a name as a piece of text.
func Named(name, pattern, as string) (Piece, error) {
	p := Piece{Name: name, Pattern: pattern, As: as}
	if pattern == "" {
		return p, nil
	}
	return p, p.compile()
}

// Literal is text without names.
func Literal(s string) Text { return Text(nil).with(s) }

// String is the text as it is written in a file.
func (t Text) String() string {
	var b strings.Builder
	for _, p := range t {
		if p.Name == "" {
			b.WriteString(strings.ReplaceAll(p.Literal, "{{", "{{{{"))
			continue
		}
		b.WriteString("{{" + p.Name)
		if p.As != "" {
			b.WriteString(" as " + p.As)
		}
		if p.Pattern != "" {
			b.WriteString(" ~ /" + p.Pattern + "/")
		}
		b.WriteString("}}")
	}
	return b.String()
}

// Names are what a conversation has learned so far.
type Names map[string]string

// Fill puts the names' values in. The error names what is not known.
func (t Text) Fill(known Names) (string, error) {
	var b strings.Builder
	for _, p := range t {
		if p.Name == "" {
			b.WriteString(p.Literal)
			continue
		}
		value, ok := known[p.Name]
		if !ok {
			return "", &Unknown{p.Name}
		}
		b.WriteString(p.encode(value))
	}
	return b.String(), nil
}

// Unknown is a name that nothing has given a value yet.
type Unknown struct{ Name string }

func (e *Unknown) Error() string { return "{{" + e.Name + "}} is not known" }

// Shown is the text as a reader sees it: known names as their values, the others
// as they are written.
func (t Text) Shown(known Names) string {
	var b strings.Builder
	for _, p := range t {
		value, ok := known[p.Name]
		switch {
		case p.Name == "":
			b.WriteString(p.Literal)
		case ok:
			b.WriteString(p.encode(value))
		default:
			b.WriteString(Text{p}.String())
		}
	}
	return b.String()
}

func (p *Piece) encode(value string) string {
	switch p.As {
	case "base64":
		return base64.StdEncoding.EncodeToString([]byte(value))
	case "base64url":
		return base64.RawURLEncoding.EncodeToString([]byte(value))
	case "basic":
		return base64.StdEncoding.EncodeToString([]byte(value + ":"))
	}
	return value
}

func (p *Piece) decode(text string) (string, bool) {
	encoding := base64.StdEncoding
	switch p.As {
	case "":
		return text, true
	case "base64url":
		encoding = base64.RawURLEncoding
	}
	plain, err := encoding.Strict().DecodeString(text)
	if p.As == "basic" {
		user, whole := strings.CutSuffix(string(plain), ":")
		return user, whole && err == nil
	}
	return string(plain), err == nil
}

// errNoMatch is all that Match says; who compares finds out where.
var errNoMatch = errors.New("the text differs")

// Match compares a text byte for byte and gives the names that it taught; known
// stays as it is.
func (t Text) Match(got string, known Names) (Names, error) {
	e, order, err := t.expression(known)
	if err != nil {
		return nil, err
	}
	found := e.FindStringSubmatch(got)
	if found == nil {
		return nil, errNoMatch
	}
	learned := Names{}
	for i, p := range order {
		value, ok := p.decode(found[i+1])
		if !ok || !p.fits(value) {
			return nil, errNoMatch
		}
		if before, twice := learned[p.Name]; twice && before != value {
			return nil, errNoMatch
		}
		if p.Name != Anonymous {
			learned[p.Name] = value
		}
	}
	if !t.isExactly(got, found[1:], known) {
		return nil, errNoMatch
	}
	return learned, nil
}

// isExactly puts the text together again from what the names stood for.
// Expressions know characters and take every byte that is none for the same one.
func (t Text) isExactly(got string, stood []string, known Names) bool {
	for _, p := range t {
		value, bound := known[p.Name]
		switch {
		case p.Name == "":
			value = p.Literal
		case bound:
			value = p.encode(value)
		default:
			value, stood = stood[0], stood[1:]
		}
		if !strings.HasPrefix(got, value) {
			return false
		}
		got = got[len(value):]
	}
	return got == ""
}

// fits reports whether the whole value is what the pattern says.
func (p *Piece) fits(value string) bool { return p.whole == nil || p.whole.MatchString(value) }

// expression is the text as a regular expression, and the pieces whose names
// its groups teach, in order.
func (t Text) expression(known Names) (*regexp.Regexp, []*Piece, error) {
	var b strings.Builder
	var order []*Piece
	b.WriteString(`\A`)
	before := byte(0)
	for i := range t {
		p := &t[i]
		value, bound := known[p.Name]
		switch {
		case p.Name == "":
			b.WriteString(quoted(p.Literal))
			before = p.Literal[len(p.Literal)-1]
			continue
		case bound:
			b.WriteString(quoted(p.encode(value)))
		default:
			b.WriteString("(" + p.stands(before) + ")")
			order = append(order, p)
		}
		before = 0
	}
	b.WriteString(`\z`)
	e, err := regexp.Compile(b.String())
	return e, order, err
}

// stands is what a name may stand for at its place.
func (p *Piece) stands(before byte) string {
	if p.whole != nil && p.As == "" {
		return "(?:" + p.pattern + ")"
	}
	return anything(before)
}

// anything is limited by what stands before it: within quotes it is one string,
// after = one parameter, after a JSON member's colon one plain value. So a name
// never swallows what an answer has too much.
func anything(before byte) string {
	switch before {
	case '"':
		return `(?:[^"\\]|\\.)+`
	case '=':
		return `[^&#\s"]+`
	case ':', ',', '[':
		return `[^\s",\]}]+?`
	}
	return `(?s:.+?)`
}

// quoted is a literal in an expression, which takes bytes that are no UTF-8 for
// U+FFFD, each.
func quoted(s string) string { return regexp.QuoteMeta(string([]rune(s))) }

// withoutGroups makes the groups of an expression plain ones: ours are counted.
func withoutGroups(e *syntax.Regexp) *syntax.Regexp {
	for i, sub := range e.Sub {
		e.Sub[i] = withoutGroups(sub)
	}
	if e.Op == syntax.OpCapture {
		return e.Sub[0]
	}
	return e
}

// Uses are the names in a text, in order.
func (t Text) Uses() (names []string) {
	for _, p := range t {
		if p.Name != "" && !slices.Contains(names, p.Name) {
			names = append(names, p.Name)
		}
	}
	return names
}
