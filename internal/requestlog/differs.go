package requestlog

import (
	"fmt"
	"net/url"
	"strings"
	"unicode/utf8"
)

// differs says how a redirect URL differs from the one that it should be. They
// are compared byte for byte, and a person's eye easily misses a byte.
func differs(sent, right string) string {
	switch {
	case sent == "" && right == "": // of no request in particular
		return "somewhere; the entry in the log shows where."
	case sent == right:
		return "nowhere that can be shown here: both are longer."
	case strings.TrimSpace(sent) == right:
		return "by a space or line break around it"
	}
	if where := atTheEnd(sent, right); where != "" {
		return where
	}
	if unescaped(sent) == unescaped(right) {
		return "in its percent-encoding: " + firstPlace(sent, right)
	}
	if where := inOnePart(sent, right); where != "" {
		return where
	}
	if strings.EqualFold(sent, right) {
		return "in upper and lower case: " + firstPlace(sent, right)
	}
	return "from its " + firstPlace(sent, right)
}

// atTheEnd tells of one character that is too much, missing or another.
func atTheEnd(sent, right string) string {
	a, sizeA := utf8.DecodeLastRuneInString(sent)
	b, sizeB := utf8.DecodeLastRuneInString(right)
	switch {
	case sent[:len(sent)-sizeA] == right:
		return fmt.Sprintf("in its last character: %c", a)
	case sent == right[:len(right)-sizeB]:
		return fmt.Sprintf("in its last character: %c is missing", b)
	case sent[:len(sent)-sizeA] == right[:len(right)-sizeB]:
		return fmt.Sprintf("in its last character: %c instead of %c", a, b)
	}
	return ""
}

func unescaped(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// inOnePart tells of a part of the URL, if only one differs.
func inOnePart(sent, right string) string {
	a, errA := url.Parse(sent)
	b, errB := url.Parse(right)
	if errA != nil || errB != nil {
		return ""
	}
	found, several := "", false
	for _, part := range []struct{ name, a, b string }{
		{"scheme", a.Scheme, b.Scheme}, {"host", a.Hostname(), b.Hostname()}, {"port", a.Port(), b.Port()},
		{"path", a.EscapedPath(), b.EscapedPath()}, {"query", a.RawQuery, b.RawQuery}, {"fragment", a.EscapedFragment(), b.EscapedFragment()},
	} {
		if part.a == part.b {
			continue
		}
		several = several || found != ""
		found = fmt.Sprintf("in its %s: %s instead of %s", part.name, orNone(part.a), orNone(part.b))
		if part.name == "path" && strings.EqualFold(part.a, part.b) {
			found = "in upper and lower case: " + firstPlace(sent, right)
		}
	}
	if several {
		return ""
	}
	return found
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return cut(s)
}

// firstPlace is the first character that differs, counted from one as people do.
func firstPlace(sent, right string) string {
	a, b := []rune(sent), []rune(right)
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return fmt.Sprintf("character %d on: %s instead of %s", i+1, orNone(string(a[i:])), orNone(string(b[i:])))
}

func cut(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
