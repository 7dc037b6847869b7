package replay

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"postern.dev/postern/internal/transcript"
)

// object is a JSON object with its members in order.
type object []member

type member struct {
	name  string
	value any
}

func (o object) get(name string) (any, bool) {
	for _, m := range o {
		if m.name == name {
			return m.value, true
		}
	}
	return nil, false
}

// readJSON reads one JSON value: object, []any, string, json.Number, bool, nil.
func readJSON(text string) (any, error) {
	if !json.Valid([]byte(text)) { // it also bounds the depth
		return nil, errors.New("no JSON")
	}
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	v, err := readValue(d)
	if err == nil {
		if _, more := d.Token(); !errors.Is(more, io.EOF) {
			err = errors.New("more than one value")
		}
	}
	return v, err
}

func readValue(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, err
	}
	switch token {
	case json.Delim('{'):
		o := object{}
		for d.More() {
			name, err := d.Token()
			if err != nil {
				return nil, err
			}
			value, err := readValue(d)
			if err != nil {
				return nil, err
			}
			text, _ := name.(string) // a member's name always is
			o = append(o, member{text, value})
		}
		_, err = d.Token()
		return o, err
	case json.Delim('['):
		list := []any{}
		for d.More() {
			value, err := readValue(d)
			if err != nil {
				return nil, err
			}
			list = append(list, value)
		}
		_, err = d.Token()
		return list, err
	}
	return token, nil
}

// marked is a listed body as JSON. Where a name stands, within a string or as a
// whole value, there is a mark instead: characters that no text has.
type marked struct {
	*comparison
	text  transcript.Text
	value any
}

const (
	markOpen  = "\ue000"
	markWhole = "\ue001" // a name in the place of a whole value
	markClose = "\ue002"
)

var markForm = regexp.MustCompile("[\ue000\ue001]([0-9]+)\ue002")

// newMarked reads a listed body as JSON, if it is JSON once its names are
// values.
func newMarked(t transcript.Text) (*marked, bool) {
	var b strings.Builder
	inString := false
	for i, p := range t {
		if p.Name != "" && inString {
			b.WriteString(markOpen + strconv.Itoa(i) + markClose)
			continue
		}
		if p.Name != "" {
			b.WriteString(`"` + markWhole + strconv.Itoa(i) + markClose + `"`)
			continue
		}
		b.WriteString(p.Literal)
		inString = endsInString(p.Literal, inString)
	}
	value, err := readJSON(b.String())
	return &marked{text: t, value: value}, err == nil
}

func endsInString(literal string, inString bool) bool {
	for i := 0; i < len(literal); i++ {
		switch {
		case literal[i] == '"':
			inString = !inString
		case literal[i] == '\\' && inString:
			i++
		}
	}
	return inString
}

// compare finds the first member that differs, in the order of the listed body.
func (m *marked) compare(path string, want, got any) (string, bool) {
	switch want := want.(type) {
	case object:
		return m.compareObject(path, want, got)
	case []any:
		return m.compareList(path, want, got)
	case string:
		return named(path), m.compareText(want, got)
	case json.Number:
		n, ok := got.(json.Number)
		return named(path), ok && sameNumber(want, n)
	}
	return named(path), want == got
}

func (m *marked) compareObject(path string, want object, got any) (string, bool) {
	o, ok := got.(object)
	if !ok {
		return named(path), false
	}
	for _, w := range want {
		at := path + step(w.name)
		value, there := o.get(w.name)
		if !there {
			return at + ", which is missing", false
		}
		if where, same := m.compare(at, w.value, value); !same {
			return where, false
		}
	}
	for _, g := range o {
		if _, listed := want.get(g.name); !listed {
			return path + step(g.name) + ", which is not listed", false
		}
	}
	return "", len(o) == len(want) // else a member comes twice
}

func (m *marked) compareList(path string, want []any, got any) (string, bool) {
	list, ok := got.([]any)
	if !ok {
		return named(path), false
	}
	for i := range max(len(want), len(list)) {
		at := fmt.Sprintf("%s[%d]", path, i)
		switch {
		case i >= len(list):
			return at + ", which is missing", false
		case i >= len(want):
			return at + ", which is not listed", false
		}
		if where, same := m.compare(at, want[i], list[i]); !same {
			return where, false
		}
	}
	return "", true
}

// compareText: a name alone stands for any value, within a string for text.
func (m *marked) compareText(want string, got any) bool {
	text, isText := got.(string)
	if strings.HasPrefix(want, markWhole) && !isText {
		whole, err := json.Marshal(plain(got))
		text, isText = string(whole), err == nil
	}
	if !isText {
		return false
	}
	t := m.unmark(want)
	if m.match(t, text) {
		return true
	}
	if len(t) == 1 && t[0].As == "" && m.names()[t[0].Name] == "" { // it is of another form; the conversation goes on with it
		m.despite[t[0].Name] = text
	}
	return false
}

// unmark is a listed string with its names.
func (m *marked) unmark(s string) (t transcript.Text) {
	for s != "" {
		at := markForm.FindStringSubmatchIndex(s)
		if at == nil {
			return append(t, transcript.Literal(s)...)
		}
		t = append(t, transcript.Literal(s[:at[0]])...)
		if i, err := strconv.Atoi(s[at[2]:at[3]]); err == nil && i < len(m.text) {
			t = append(t, m.text[i])
		}
		s = s[at[1]:]
	}
	return t
}

// plain is a value as package json writes it.
func plain(v any) any {
	switch v := v.(type) {
	case object:
		members := map[string]any{}
		for _, m := range v {
			members[m.name] = plain(m.value)
		}
		return members
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = plain(v[i])
		}
		return list
	}
	return v
}

func sameNumber(a, b json.Number) bool {
	x, errX := a.Float64()
	y, errY := b.Float64()
	return a == b || errX == nil && errY == nil && x == y
}

var simpleName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

func step(name string) string {
	if simpleName.MatchString(name) {
		return "." + name
	}
	return fmt.Sprintf("[%q]", name)
}

// named is a path; the whole body is its top.
func named(path string) string {
	if path == "" {
		return "its top"
	}
	return path
}
