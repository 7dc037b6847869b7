package requestlog

import (
	"net/url"
	"strings"
	"unicode/utf8"

	"postern.dev/postern"
)

// differs says how a redirect URL differs from the one that it should be. They
// are compared byte for byte, and a person's eye easily misses a byte.
func differs(sent, right string) postern.Sentence {
	switch {
	case sent == right:
		return postern.Sentence{Text: "nowhere that can be shown here: both are longer."}
	case strings.TrimSpace(sent) == right:
		return postern.Sentence{Text: "by a space or line break around it"}
	}
	if where, found := atTheEnd(sent, right); found {
		return where
	}
	if unescaped(sent) == unescaped(right) {
		return firstPlace("in its percent-encoding: character {n} on: {how}", sent, right)
	}
	if where, found := inOnePart(sent, right); found {
		return where
	}
	if strings.EqualFold(sent, right) {
		return firstPlace(inCase, sent, right)
	}
	return firstPlace("from its character {n} on: {how}", sent, right)
}

const inCase = "in upper and lower case: character {n} on: {how}"

// atTheEnd tells of one character that is too much, missing or another.
func atTheEnd(sent, right string) (where postern.Sentence, found bool) {
	a, sizeA := utf8.DecodeLastRuneInString(sent)
	b, sizeB := utf8.DecodeLastRuneInString(right)
	text := ""
	switch {
	case sent[:len(sent)-sizeA] == right:
		text = "in its last character: {sent}"
	case sent == right[:len(right)-sizeB]:
		text = "in its last character: {right} is missing"
	case sent[:len(sent)-sizeA] == right[:len(right)-sizeB]:
		text = "in its last character: {sent} instead of {right}"
	}
	return postern.Sentence{Text: text, Parts: map[string]any{"sent": string(a), "right": string(b)}}, text != ""
}

func unescaped(s string) string {
	if plain, err := url.PathUnescape(s); err == nil {
		return plain
	}
	return s
}

// inOnePart tells of a part of the URL, if only one differs.
func inOnePart(sent, right string) (where postern.Sentence, found bool) {
	a, errA := url.Parse(sent)
	b, errB := url.Parse(right)
	if errA != nil || errB != nil {
		return where, false
	}
	for _, part := range []struct{ text, a, b string }{
		{"in its scheme: {how}", a.Scheme, b.Scheme}, {"in its host: {how}", a.Hostname(), b.Hostname()},
		{"in its port: {how}", a.Port(), b.Port()}, {inItsPath, a.EscapedPath(), b.EscapedPath()},
		{"in its query: {how}", a.RawQuery, b.RawQuery}, {"in its fragment: {how}", a.EscapedFragment(), b.EscapedFragment()},
	} {
		switch {
		case part.a == part.b:
			continue
		case found: // in several
			return where, false
		case part.text == inItsPath && strings.EqualFold(part.a, part.b):
			where = firstPlace(inCase, sent, right)
		default:
			where = postern.Sentence{Text: part.text, Parts: map[string]any{"how": insteadOf(part.a, part.b)}}
		}
		found = true
	}
	return where, found
}

const inItsPath = "in its path: {how}"

// firstPlace is the first character that differs, counted from one as people do.
func firstPlace(text, sent, right string) postern.Sentence {
	a, b := []rune(sent), []rune(right)
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	return postern.Sentence{Text: text, Parts: map[string]any{"n": i + 1, "how": insteadOf(string(a[i:]), string(b[i:]))}}
}

func insteadOf(sent, right string) postern.Sentence {
	text := "{sent} instead of {right}"
	switch {
	case sent == "":
		text = "none instead of {right}"
	case right == "":
		text = "{sent} instead of none"
	}
	return postern.Sentence{Text: text, Parts: map[string]any{"sent": cut(sent), "right": cut(right)}}
}

func cut(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}
