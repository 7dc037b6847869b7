package registry

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// The rules of this file say what is wrong with a text, in words that go on
// after the key's name and a colon; nothing wrong is "".

const (
	longestName = 64   // characters
	longestText = 1000 // characters, of descriptions
)

// hidden finds the first character that a reader does not see, or that makes
// the text beside it read otherwise: controls, line breaks, bidirectional
// overrides, zero-width joiners and fillers (UTS #55 §2, LC-09). Variation
// selectors stay: they only choose the look of an emoji.
func hidden(text string) (rune, bool) {
	for i, c := range text {
		if c == utf8.RuneError {
			if _, size := utf8.DecodeRuneInString(text[i:]); size == 1 {
				return c, true
			}
		}
		if unicode.In(c, unicode.Cc, unicode.Cf, unicode.Cs, unicode.Co, unicode.Zl, unicode.Zp,
			unicode.Other_Default_Ignorable_Code_Point, unicode.Noncharacter_Code_Point) || c == '\u2800' {
			return c, true
		}
	}
	return 0, false
}

// mostMarks is what a letter of any language in use carries (UTS #39 §5.4).
const mostMarks = 4

// heaped finds more marks on a letter than any language has, or marks without a
// letter: they are drawn over the lines around them, and a line of them cannot be
// broken.
func heaped(text string) bool {
	marks := mostMarks
	for _, c := range text {
		if !unicode.In(c, unicode.Mn, unicode.Me) {
			marks = 0
		} else if marks++; marks > mostMarks {
			return true
		}
	}
	return false
}

func aboutText(text string, longest int) string {
	if c, found := hidden(text); found {
		if c == '\n' || c == '\r' {
			return "holds a line break; write it in one line (in YAML, >- folds lines without one at the end)"
		}
		return fmt.Sprintf("holds the character U+%04X, which a reader cannot see; remove it", c)
	}
	if heaped(text) {
		return fmt.Sprintf("holds more than %d accents on one letter, or one without a letter; remove them", mostMarks)
	}
	if n := utf8.RuneCountInString(text); n > longest {
		return fmt.Sprintf("has %d characters; at most %d are allowed", n, longest)
	}
	if text != strings.TrimSpace(text) {
		return "begins or ends with a space; remove it"
	}
	return ""
}

// aboutName is the rule for names that people read: of accounts, users,
// partners, apps, APIs, secrets.
func aboutName(text string) string {
	if strings.TrimSpace(text) == "" {
		return "is empty; write a name"
	}
	return aboutText(text, longestName)
}

func aboutDescription(text string) string { return aboutText(text, longestText) }

// aboutNickname is aboutName; what is left of it when it is compared may not be
// empty either.
func aboutNickname(text string) string {
	if norm.NFKC.String(text) == "" {
		return "is empty; write a name, or leave the key out"
	}
	return aboutName(text)
}

var (
	idForm    = regexp.MustCompile(`^[A-Za-z0-9._~-]{1,128}$`)
	scopeForm = regexp.MustCompile(`^[A-Za-z0-9._:/-]{1,64}$`)
	eventForm = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)+$`)
	keyForm   = regexp.MustCompile(`^[A-Za-z0-9_]{1,64}$`)
	handle    = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$`)
)

// aboutID is the rule for ids: one segment of a path on every wire.
func aboutID(text string) string {
	if !idForm.MatchString(text) {
		return "must be 1 to 128 of the characters A-Z a-z 0-9 . _ ~ -"
	}
	return ""
}

func aboutScope(text string) string {
	if !scopeForm.MatchString(text) {
		return "must be 1 to 64 of the characters A-Z a-z 0-9 . _ : / -"
	}
	return ""
}

// ownEvents is where the product's own event types begin.
const ownEvents = "connection."

func aboutEventType(text string) string {
	switch {
	case len(text) > longestName || !eventForm.MatchString(text):
		return "must be words of a-z 0-9 _ with dots between, such as candidate.updated, and at most 64 characters"
	case strings.HasPrefix(text, ownEvents):
		return "begins with connection., as only the events of connections do; choose another word"
	}
	return ""
}

func aboutHandle(text string) string {
	if text != "" && !handle.MatchString(text) {
		return "must be 1 to 64 of the characters A-Z a-z 0-9 . _ -, with a letter or digit at both ends"
	}
	return ""
}

func aboutRole(text string) string {
	switch problem := aboutName(text); {
	case problem != "":
		return problem
	case strings.ContainsFunc(text, unicode.IsSpace):
		return "holds a space; a role is one word"
	}
	return ""
}

func aboutAttribute(key, value string) string {
	switch {
	case !keyForm.MatchString(key):
		return "is no name of an attribute: use 1 to 64 of the characters A-Z a-z 0-9 _"
	}
	return aboutText(value, longestText)
}

// aboutEmail is no proof that mail arrives; it keeps out what cannot be an
// address and what could pass for another (RFC 5321 §4.5.3.1 for the lengths).
func aboutEmail(text string) string {
	local, domain, _ := cutLast(text, "@")
	switch {
	case local == "" || domain == "":
		return "is not an e-mail address; write NAME@HOST"
	case len(text) > 254 || len(local) > 64:
		return "is longer than an e-mail address can be"
	case strings.ContainsFunc(text, unicode.IsSpace), strings.ContainsAny(text, `"<>()[]\,;:`), strings.Contains(local, "@"):
		return "holds a character that no plain e-mail address has"
	case strings.HasPrefix(domain, ".") || strings.HasSuffix(domain, ".") || strings.Contains(domain, ".."):
		return "has a host that is none"
	}
	return aboutText(text, 254)
}

func cutLast(text, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(text, separator); i >= 0 {
		return text[:i], text[i+len(separator):], true
	}
	return text, "", false
}
