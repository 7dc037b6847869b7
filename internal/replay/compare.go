package replay

import (
	"fmt"
	"net/http"
	"strings"
	"unicode"
	"unicode/utf8"

	"postern.dev/postern/internal/transcript"
)

// Difference is one place where an answer is otherwise than written down.
type Difference struct {
	File string `json:"file"`
	Line int    `json:"line"`
	What string `json:"message"`
	Want string `json:"want,omitempty"`
	Got  string `json:"got,omitempty"`
}

// String is a difference for people: its place, and both sides with the first
// byte that differs.
func (d Difference) String() string {
	head := fmt.Sprintf("%s:%d: %s", d.File, d.Line, d.What)
	if d.Want == "" && d.Got == "" {
		return head
	}
	want, got := d.Want, d.Got
	at := common(want, got)
	from := max(0, at-before)
	from -= from % 10 // near differences begin at one place
	head += "\n  want  " + window(want, from) + "\n  got   " + window(got, from)
	if want != "" {
		head += "\n        " + strings.Repeat(" ", shift(got, from, at)) + "^ byte " + fmt.Sprint(at+1)
	}
	return head
}

const (
	before = 60  // bytes shown before a difference
	around = 400 // bytes shown of a side
)

// common is how many bytes two texts begin with alike, up to a whole character.
func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	for n > 0 && n < len(b) && !utf8.RuneStart(b[n]) {
		n--
	}
	return n
}

// window is a part of a text with what cannot be seen made visible.
func window(s string, from int) string {
	lead, end := "", ""
	if from > 0 && from < len(s) {
		lead = "…"
	}
	s = s[min(from, len(s)):]
	if len(s) > around {
		s, end = s[:around], "…"
	}
	if s == "" {
		return lead + "(nothing)"
	}
	return lead + visible(s) + end
}

func visible(s string) string {
	var b strings.Builder
	for i, r := range s {
		if r == utf8.RuneError || r != ' ' && !unicode.IsGraphic(r) {
			_, size := utf8.DecodeRuneInString(s[i:])
			b.WriteString(strings.Trim(fmt.Sprintf("%q", s[i:i+size]), `"`))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

// shift is how far from the left the byte stands in its window.
func shift(s string, from, at int) int {
	from = min(from, len(s))
	n := utf8.RuneCountInString(visible(s[from:max(from, min(at, len(s)))]))
	if from > 0 && from < len(s) {
		n++ // the dots
	}
	return n
}

// beside lays an answer beside a listed one: status, then headers, then the
// body. The names are what it taught, also where something differs.
func (p *play) beside(want *transcript.Answer, got *answer) (transcript.Names, []Difference) {
	c := newComparison(p.report.File, p.names, p.loose)
	if want.Status != got.status {
		c.differ(want.Line, "status differs", fmt.Sprint(want.Status), got.String())
		return c.learned, c.found
	}
	c.headers(want.Header, got.header)
	if want.Body != nil {
		c.body(want.Body, got.body)
	}
	for name, value := range c.despite {
		c.learned[name] = value
	}
	return c.learned, c.found
}

// comparison is one answer beside a listed one.
type comparison struct {
	file    string
	known   transcript.Names
	learned transcript.Names
	despite transcript.Names // learned from what differs, so that the conversation can go on
	loose   bool
	found   []Difference
}

func newComparison(file string, known transcript.Names, loose bool) *comparison {
	return &comparison{file: file, known: known, learned: transcript.Names{}, despite: transcript.Names{}, loose: loose}
}

func (c *comparison) differ(line transcript.Line, what, want, got string) {
	c.found = append(c.found, Difference{c.file, int(line), what, want, got})
}

// names are all that is known by now.
func (c *comparison) names() transcript.Names {
	all := transcript.Names{}
	for _, some := range []transcript.Names{c.known, c.learned} {
		for name, value := range some {
			all[name] = value
		}
	}
	return all
}

// match compares a text and remembers what it taught.
func (c *comparison) match(want transcript.Text, got string) bool {
	learned, err := want.Match(got, c.names())
	for name, value := range learned {
		c.learned[name] = value
	}
	return err == nil
}

// headers: the lines of a name that is listed are all that the answer has of it.
// A name without a value is one that the answer does not have.
func (c *comparison) headers(want []transcript.Header, got http.Header) {
	nth := map[string]int{}
	for _, h := range want {
		name := http.CanonicalHeaderKey(h.Name)
		values := got[name]
		i := nth[name]
		nth[name]++
		switch {
		case len(h.Value) == 0:
			nth[name] = len(values)
			if all := strings.Join(values, "\n"); all != "" {
				c.differ(h.Line, "header "+h.Name+" is to be absent", "", all)
			}
		case i >= len(values):
			c.differ(h.Line, "header "+h.Name+" is missing", h.Value.Shown(c.names()), "")
		case !c.match(h.Value, values[i]):
			c.differ(h.Line, "header "+h.Name+" differs", h.Value.Shown(c.names()), values[i])
		}
	}
	for _, h := range want {
		name := http.CanonicalHeaderKey(h.Name)
		if more := len(got[name]) - nth[name]; more > 0 {
			nth[name] = len(got[name])
			c.differ(h.Line, fmt.Sprintf("header %s comes %d times more than listed", h.Name, more), "", strings.Join(got[name], "\n"))
		}
	}
}

// body compares byte for byte, or as JSON. Where bytes differ and both sides are
// JSON, the member is named.
func (c *comparison) body(want *transcript.Body, got string) {
	if !c.loose && c.match(want.Text, got) {
		return
	}
	m, isJSON := newMarked(want.Text)
	value, err := readJSON(got)
	if !isJSON || err != nil {
		if !c.loose || !c.match(want.Text, got) {
			c.bodyDiffers(want, "", got)
		}
		return
	}
	m.comparison = c
	if path, same := m.compare("", m.value, value); !same {
		c.bodyDiffers(want, " at "+path, got)
	} else if !c.loose {
		c.bodyDiffers(want, " in its bytes (order, white space or escapes), not in its values", got)
	}
}

// bodyDiffers names the line of the file in which the difference is.
func (c *comparison) bodyDiffers(want *transcript.Body, where, got string) {
	shown := want.Text.Shown(c.names())
	at := common(shown, got)
	line := want.Line + transcript.Line(strings.Count(shown[:at], "\n"))
	c.differ(line, "body differs"+where, shown, got)
}
