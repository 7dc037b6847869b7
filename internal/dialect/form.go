package dialect

import (
	"strings"
	"unicode/utf8"
)

// maxFields is how many parameters a form or a query may have.
const maxFields = 512

// parseForm reads a form body (application/x-www-form-urlencoded). A semicolon
// separates for some parsers and not for others, so an unescaped one is refused;
// so are broken escapes, broken UTF-8 and NUL.
func parseForm(s string, into fields) (fields, error) {
	if strings.IndexByte(s, ';') >= 0 {
		return nil, errForm
	}
	out, err := parseQuery(s, into)
	if err != nil {
		return nil, err
	}
	for _, f := range out {
		if !plain(f.name) || !plain(f.value) {
			return nil, errForm
		}
	}
	return out, nil
}

func plain(s string) bool { return utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 }

// parseQuery reads a URL's query. Values may hold any bytes (state is the app's
// own affair); broken escapes are refused.
func parseQuery(s string, into fields) (fields, error) {
	for s != "" {
		var pair string
		pair, s, _ = strings.Cut(s, "&")
		if pair == "" {
			continue
		}
		if len(into) == maxFields {
			return nil, errForm
		}
		name, value, _ := strings.Cut(pair, "=")
		name, ok := unescapeForm(name)
		if !ok {
			return nil, errForm
		}
		value, ok = unescapeForm(value)
		if !ok {
			return nil, errForm
		}
		into = append(into, field{name: name, value: value})
	}
	return into, nil
}

// unescapeForm decodes %XX and +. A text without either is given as it is.
func unescapeForm(s string) (string, bool) {
	if strings.IndexByte(s, '%') < 0 && strings.IndexByte(s, '+') < 0 {
		return s, true
	}
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '+':
			out = append(out, ' ')
		case '%':
			if i+2 >= len(s) {
				return "", false
			}
			high, ok := fromHex(s[i+1])
			low, ok2 := fromHex(s[i+2])
			if !ok || !ok2 {
				return "", false
			}
			out = append(out, high<<4|low)
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return string(out), true
}

func fromHex(c byte) (byte, bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}

// appendEscaped writes a text into a query or a form: unreserved characters as
// they are (RFC 3986 §2.3), all else as %XX, so a space is %20.
func appendEscaped(b []byte, s string) []byte {
	const digits = "0123456789ABCDEF"
	for i := range len(s) {
		c := s[i]
		if letterOrDigit(c) || c == '-' || c == '.' || c == '_' || c == '~' {
			b = append(b, c)
			continue
		}
		b = append(b, '%', digits[c>>4], digits[c&15])
	}
	return b
}

// appendJSONString writes a JSON string: what must be escaped is (RFC 8259 §7),
// everything else stands as UTF-8, and what is not UTF-8 becomes U+FFFD.
func appendJSONString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c == '\n':
			b = append(b, `\n`...)
		case c == '\r':
			b = append(b, `\r`...)
		case c == '\t':
			b = append(b, `\t`...)
		case c < 0x20 || c == 0x7f:
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		case c < utf8.RuneSelf:
			b = append(b, c)
		default:
			r, size := utf8.DecodeRuneInString(s[i:])
			b = utf8.AppendRune(b, r)
			i += size
			continue
		}
		i++
	}
	return append(b, '"')
}
