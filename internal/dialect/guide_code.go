package dialect

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// steps are what a partner's program does on this wire.
type steps struct {
	connect, exchange, call, whoami, refresh, disconnect *message

	pkce               bool
	code, state, error *where // in the callback
	exchanged          tokenPlaces
	refreshed          tokenPlaces
}

// tokenPlaces are where a token answer has what a program keeps.
type tokenPlaces struct{ access, refresh, account *where }

// tongue is how a programming language says a request. Its functions turn
// expressions into expressions.
type tongue struct {
	id, title, fence string

	name      func(blank string) string // of a variable
	quote     func(string) string
	join      string
	base64    string // %s is an expression
	base64URL string
	escape    string                              // for an address
	fields    func(names, values []string) string // a mapping
	form      string                              // of a mapping
	json      string                              // of a mapping
	nothing   string                              // no body
	at        func(of string, w *where) string    // a value of an answer
	write     func(l *tongue, s *steps) []snippet // the program
}

// snippet is a part of a program that belongs to a step of the guide.
type snippet struct{ step, text string }

var tongues = []*tongue{nodeTongue, pythonTongue, goTongue, phpTongue}

// text is an expression for a text with blanks.
func (l *tongue) text(all []piece, address bool) string {
	var parts []string
	for _, p := range all {
		if p.blank == "" {
			parts = append(parts, l.quote(p.text))
			continue
		}
		said := l.encoded(p.encoding, l.name(p.blank))
		if address && p.blank != urlBlank {
			said = fmt.Sprintf(l.escape, said)
		}
		parts = append(parts, said)
	}
	if len(parts) == 0 {
		return l.quote("")
	}
	return strings.Join(parts, l.join)
}

func (l *tongue) encoded(e encoding, said string) string {
	switch e {
	case asBase64:
		return fmt.Sprintf(l.base64, said)
	case asBase64URL:
		return fmt.Sprintf(l.base64URL, said)
	}
	return said
}

// mapping is an expression for names and values.
func (l *tongue) mapping(all []pair) string {
	var names, values []string
	for _, p := range all {
		names, values = append(names, p.name), append(values, l.text(p.value, false))
	}
	return l.fields(names, values)
}

// address is an expression for an address with its query.
func (l *tongue) address(m *message) string {
	said := l.text(m.address, true)
	if len(m.query) == 0 {
		return said
	}
	return said + l.join + l.quote("?") + l.join + fmt.Sprintf(l.form, l.mapping(m.query))
}

// headers is an expression for all headers.
func (l *tongue) headers(m *message) string {
	var names, values []string
	for _, h := range m.headers {
		said := l.text(h.value, false)
		if m.basic && h.name == "Authorization" {
			said = l.quote("Basic ") + l.join + fmt.Sprintf(l.base64, said)
		}
		names, values = append(names, h.name), append(values, said)
	}
	return l.fields(names, values)
}

func (l *tongue) body(m *message) string {
	switch {
	case len(m.body) == 0:
		return l.nothing
	case m.json:
		return fmt.Sprintf(l.json, l.mapping(m.body))
	}
	return fmt.Sprintf(l.form, l.mapping(m.body))
}

// send is a call of the program's own send.
func (l *tongue) send(m *message) string {
	return fmt.Sprintf("send(%s, %s, %s, %s)", l.quote(m.method), l.address(m), l.headers(m), l.body(m))
}

// parameters are a function's, from the message that it sends.
func (l *tongue) parameters(m *message) string {
	var names []string
	for _, blank := range m.arguments() {
		names = append(names, l.name(blank))
	}
	return strings.Join(names, ", ")
}

// environment are the constants that a program reads from its environment.
func (s *steps) environment() []string {
	var out []string
	for _, m := range []*message{s.connect, s.exchange, s.refresh, s.disconnect} {
		if m == nil {
			continue
		}
		for _, name := range m.blanks() {
			if fromEnvironment(name) && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	slices.Sort(out)
	return out
}

// heard are what a program is told on the way, and curl lines read from variables.
func (s *steps) heard() []string {
	var all []string
	for _, m := range []*message{s.exchange, s.call, s.refresh, s.disconnect} {
		if m != nil {
			all = append(all, m.blanks()...)
		}
	}
	return slices.DeleteFunc([]string{codeBlank, accessBlank, refreshBlank, accountBlank}, func(name string) bool { return !slices.Contains(all, name) })
}

// camel is codeVerifier, snake code_verifier.
func camel(blank string) string {
	var b strings.Builder
	for i, word := range strings.Split(strings.ToLower(blank), "_") {
		switch {
		case i > 0 && word == "id":
			word = "ID"
		case i > 0 && word == "url":
			word = "URL"
		case i > 0 && word != "":
			word = strings.ToUpper(word[:1]) + word[1:]
		}
		b.WriteString(word)
	}
	return b.String()
}

func constantOr(variable func(string) string) func(string) string {
	return func(blank string) string {
		if fromEnvironment(blank) {
			return blank
		}
		return variable(blank)
	}
}

// laid writes members on one line, or on lines of their own where they are many.
func laid(open, shut, indent string, members []string) string {
	if line := open + strings.Join(members, ", ") + shut; len(members) <= 2 && len(line) < 90 {
		return line
	}
	outer := indent[len(indent)/2:]
	return strings.TrimRight(open, " ") + "\n" + indent + strings.Join(members, ",\n"+indent) + ",\n" + outer + strings.TrimLeft(shut, " ")
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// doubleQuoted is a text as most tongues write it.
func doubleQuoted(s string) string { return string(appendJSONString(nil, s)) }

// paragraphs joins the parts of a snippet, those that are there.
func paragraphs(parts ...string) string {
	parts = slices.DeleteFunc(parts, func(p string) bool { return p == "" })
	return strings.Join(parts, "\n\n")
}

func when(condition bool, text string) string {
	if condition {
		return text
	}
	return ""
}
