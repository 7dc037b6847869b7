package record

import (
	"encoding/json"
	"net/url"
	"strings"
)

// scalar is a value in a text, with where it stands as it is written.
type scalar struct {
	name       string // the member or parameter that it is of
	value      string
	start, end int  // of the raw text, without the quotes of a string
	text       bool // a string or a form's value
}

// scalarsOf are the values of a body: JSON or a form.
func scalarsOf(media, body string) []scalar {
	if json.Valid([]byte(body)) {
		return jsonScalars(body)
	}
	if media == "application/x-www-form-urlencoded" {
		return formScalars(body)
	}
	return nil
}

func formScalars(text string) (all []scalar) {
	at := 0
	for pair := range strings.SplitSeq(text, "&") {
		rawName, raw, _ := strings.Cut(pair, "=")
		name, errName := url.QueryUnescape(rawName)
		value, errValue := url.QueryUnescape(raw)
		if errName == nil && errValue == nil && name != "" {
			start := min(at+len(rawName)+1, at+len(pair))
			all = append(all, scalar{name, value, start, at + len(pair), true})
		}
		at += len(pair) + 1
	}
	return all
}

// jsonScalars walks over a text that is valid JSON.
func jsonScalars(text string) (all []scalar) {
	name := ""
	for i := 0; i < len(text); {
		switch c := text[i]; {
		case c == '"':
			end := endOfString(text, i)
			var value string
			_ = json.Unmarshal([]byte(text[i:end]), &value) // valid, as all of the text
			if rest := strings.TrimLeft(text[end:], " \t\r\n"); strings.HasPrefix(rest, ":") {
				name = value
			} else {
				all = append(all, scalar{name, value, i + 1, end - 1, true})
			}
			i = end
		case strings.IndexByte("{}[]:, \t\r\n", c) >= 0:
			i++
		default:
			end := i
			for end < len(text) && strings.IndexByte("{}[]:, \t\r\n", text[end]) < 0 {
				end++
			}
			all = append(all, scalar{name, text[i:end], i, end, false})
			i = end
		}
	}
	return all
}

func endOfString(text string, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(text))
}
