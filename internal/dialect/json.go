package dialect

import (
	"errors"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// field is one parameter as it came. JSON members may be something else than
// text; what they are then does not matter, since no input takes it.
type field struct {
	name  string
	value string
	kind  fieldKind
}

type fieldKind uint8

const (
	text  fieldKind = iota
	null            // JSON null: as if it were not there
	other           // a JSON number, truth value, list or object
)

// fields are the parameters of one body or query, in their order.
type fields []field

// find gives the field of this name. Duplicates were refused before.
func (f fields) find(name string) *field {
	for i := range f {
		if f[i].name == name {
			return &f[i]
		}
	}
	return nil
}

// repeated is the first of the known names that stands twice.
func (f fields) repeated(known func(string) bool) (string, bool) {
	for i := range f {
		if !known(f[i].name) {
			continue
		}
		for j := range i {
			if f[j].name == f[i].name {
				return f[i].name, true
			}
		}
	}
	return "", false
}

var (
	errJSON = errors.New("not one well-formed JSON object")
	errForm = errors.New("not a well-formed form")
)

// maxDepth is how deep JSON may nest, the document itself counted.
const maxDepth = 16

// parseJSON reads one JSON object (RFC 8259) and gives its members in order. It
// is strict where parsers differ and attackers live: UTF-8 only, no byte order
// mark, no NUL, no lone surrogates, no member twice at any depth, nothing after
// the document.
func parseJSON(s string, into fields) (fields, error) {
	if !utf8.ValidString(s) {
		return nil, errJSON
	}
	p := jsonReader{s: s}
	p.space()
	if !p.take('{') {
		return nil, errJSON
	}
	out, ok := p.object(1, into)
	p.space()
	if !ok || p.at != len(s) {
		return nil, errJSON
	}
	return out, nil
}

type jsonReader struct {
	s  string
	at int
}

func (p *jsonReader) space() {
	for p.at < len(p.s) {
		switch p.s[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

func (p *jsonReader) take(c byte) bool {
	if p.at < len(p.s) && p.s[p.at] == c {
		p.at++
		return true
	}
	return false
}

// object reads the members after the brace. Only the outermost ones are kept.
func (p *jsonReader) object(depth int, into fields) (fields, bool) {
	seen := names{}
	p.space()
	if p.take('}') {
		return into, true
	}
	for {
		p.space()
		name, ok := p.str()
		if !ok || !seen.add(name) {
			return nil, false
		}
		p.space()
		if !p.take(':') {
			return nil, false
		}
		value, kind, ok := p.value(depth)
		if !ok {
			return nil, false
		}
		if depth == 1 {
			into = append(into, field{name, value, kind})
		}
		p.space()
		if p.take('}') {
			return into, true
		}
		if !p.take(',') {
			return nil, false
		}
	}
}

func (p *jsonReader) value(depth int) (string, fieldKind, bool) {
	p.space()
	if p.at >= len(p.s) {
		return "", other, false
	}
	switch c := p.s[p.at]; {
	case c == '"':
		v, ok := p.str()
		return v, text, ok
	case c == '{' && depth < maxDepth:
		p.at++
		_, ok := p.object(depth+1, nil)
		return "", other, ok
	case c == '[' && depth < maxDepth:
		p.at++
		return "", other, p.list(depth + 1)
	case c == 'n':
		return "", null, p.word("null")
	case c == 't':
		return "", other, p.word("true")
	case c == 'f':
		return "", other, p.word("false")
	}
	return "", other, p.number()
}

func (p *jsonReader) list(depth int) bool {
	p.space()
	if p.take(']') {
		return true
	}
	for {
		if _, _, ok := p.value(depth); !ok {
			return false
		}
		p.space()
		if p.take(']') {
			return true
		}
		if !p.take(',') {
			return false
		}
	}
}

func (p *jsonReader) word(w string) bool {
	if strings.HasPrefix(p.s[p.at:], w) {
		p.at += len(w)
		return true
	}
	return false
}

// number reads -? int frac? exp? (RFC 8259 §6).
func (p *jsonReader) number() bool {
	p.take('-')
	if !p.take('0') && !p.digits() {
		return false
	}
	if p.take('.') && !p.digits() {
		return false
	}
	if p.take('e') || p.take('E') {
		_ = p.take('+') || p.take('-')
		return p.digits()
	}
	return true
}

func (p *jsonReader) digits() bool {
	from := p.at
	for p.at < len(p.s) && '0' <= p.s[p.at] && p.s[p.at] <= '9' {
		p.at++
	}
	return p.at > from
}

// str reads a string. Most have no escapes and are given as part of the input.
func (p *jsonReader) str() (string, bool) {
	if !p.take('"') {
		return "", false
	}
	from := p.at
	for p.at < len(p.s) {
		switch c := p.s[p.at]; {
		case c == '"':
			p.at++
			return p.s[from : p.at-1], true
		case c == '\\':
			return p.escaped(from)
		case c < 0x20:
			return "", false
		}
		p.at++
	}
	return "", false
}

func (p *jsonReader) escaped(from int) (string, bool) {
	out := []byte(p.s[from:p.at])
	for p.at < len(p.s) {
		c := p.s[p.at]
		p.at++
		switch {
		case c == '"':
			return string(out), true
		case c < 0x20:
			return "", false
		case c != '\\':
			out = append(out, c)
			continue
		}
		r, ok := p.escape()
		if !ok {
			return "", false
		}
		out = utf8.AppendRune(out, r)
	}
	return "", false
}

// escape reads what follows a backslash. NUL is refused: databases and C
// libraries end a text there.
func (p *jsonReader) escape() (rune, bool) {
	if p.at >= len(p.s) {
		return 0, false
	}
	c := p.s[p.at]
	p.at++
	switch c {
	case '"', '\\', '/':
		return rune(c), true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'u':
		r, ok := p.hex4()
		if !utf16.IsSurrogate(r) {
			return r, ok && r != 0
		}
		if !ok || !p.word(`\u`) {
			return 0, false
		}
		low, ok := p.hex4()
		r = utf16.DecodeRune(r, low)
		return r, ok && r != utf8.RuneError
	}
	return 0, false
}

func (p *jsonReader) hex4() (rune, bool) {
	if p.at+4 > len(p.s) {
		return 0, false
	}
	var r rune
	for _, c := range []byte(p.s[p.at : p.at+4]) {
		digit, ok := fromHex(c)
		if !ok {
			return 0, false
		}
		r = r<<4 | rune(digit)
	}
	p.at += 4
	return r, true
}

// names is a set that stays on the stack while it is small, as it almost
// always is, and stays fast when somebody sends ten thousand members.
type names struct {
	few  [8]string
	n    int
	many map[string]struct{}
}

// add reports whether the name was new.
func (s *names) add(name string) bool {
	for _, have := range s.few[:s.n] {
		if have == name {
			return false
		}
	}
	if s.n < len(s.few) {
		s.few[s.n] = name
		s.n++
		return true
	}
	if _, ok := s.many[name]; ok {
		return false
	}
	if s.many == nil {
		s.many = map[string]struct{}{}
	}
	s.many[name] = struct{}{}
	return true
}
