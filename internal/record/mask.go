package record

import (
	"encoding/base64"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"postern.dev/postern/internal/transcript"
)

// masks turns values into names, the same value always into the same name.
type masks struct {
	app, secret string
	names       map[string]string // of values that an answer has told
	taken       map[string]bool
	made        map[string]string // stand-ins for values that none has told
	strangers   int               // that the request now being written has shown
	words       Words
}

func newMasks(app, secret string) *masks {
	m := &masks{app: app, secret: secret, names: map[string]string{}, taken: map[string]bool{}, made: map[string]string{}}
	for _, name := range transcript.Given {
		m.taken[name] = true
	}
	return m
}

// edit puts other text into the place of some.
type edit struct {
	start, end int
	text       transcript.Text
}

// edited is a text with its edits, and without any secret that is known.
func (m *masks) edited(s string, edits []edit) (out transcript.Text) {
	at := 0
	for _, e := range edits {
		if e.start < at {
			continue
		}
		out = append(out, m.masked(s[at:e.start])...)
		out = append(out, e.text...)
		at = e.end
	}
	return append(out, m.masked(s[at:])...)
}

const (
	shortestSecret = 8 // shorter ones would be found everywhere
)

// masked finds secrets wherever they stand, in whatever spelling.
func (m *masks) masked(s string) (out transcript.Text) {
	type found struct {
		at    int
		as    string
		piece transcript.Piece
	}
	for s != "" {
		best := found{at: -1}
		look := func(spelling string, p transcript.Piece) {
			if i := strings.Index(s, spelling); i >= 0 && (best.at < 0 || i < best.at || i == best.at && len(spelling) > len(best.as)) {
				best = found{i, spelling, p}
			}
		}
		if len(m.secret) >= shortestSecret {
			look(m.secret, transcript.Piece{Name: "client_secret"})
			look(url.QueryEscape(m.secret), transcript.Piece{Name: "client_secret"})
		}
		for value, name := range m.names {
			if len(value) < shortestSecret {
				continue
			}
			look(value, transcript.Piece{Name: name})
			look(url.QueryEscape(value), transcript.Piece{Name: name})
			look(base64.StdEncoding.EncodeToString([]byte(value)), transcript.Piece{Name: name, As: "base64"})
		}
		if best.at < 0 {
			return append(out, transcript.Literal(s)...)
		}
		out = append(out, transcript.Literal(s[:best.at])...)
		out = append(out, best.piece)
		s = s[best.at+len(best.as):]
	}
	return out
}

// hidden is a text for a comment.
func (m *masks) hidden(s string) string { return m.masked(s).String() }

func (m *masks) knows(value string) bool { return m.names[value] != "" }

// presented is a credential that a request shows. One that no answer has told
// is replaced by another of its form.
func (m *masks) presented(value string) transcript.Text {
	if name := m.names[value]; name != "" {
		return transcript.Text{{Name: name}}
	}
	m.strangers++
	return transcript.Literal(m.standIn(value))
}

func (m *masks) clientSecret(value string) transcript.Text {
	if value == m.secret {
		return transcript.Text{{Name: "client_secret"}}
	}
	return transcript.Literal(m.wrong(value))
}

// wrong is a stand-in for a secret that did not work.
func (m *masks) wrong(value string) string {
	if m.made[value] == "" {
		m.made[value] = fmt.Sprintf("wrong-secret-%d", len(m.made)+1)
	}
	return m.made[value]
}

// standIn is a value of the same length and the same characters that says
// nothing.
func (m *masks) standIn(value string) string {
	if m.made[value] == "" {
		digits := strconv.Itoa(len(m.made) + 1)
		m.made[value] = digits + strings.Repeat("0", max(0, len(value)-len(digits)))
	}
	return m.made[value]
}

// spellings are what a credential of a header may mean: itself, or what its
// base64 says.
func spellings(credential string) []string {
	all := []string{credential}
	for _, e := range []*base64.Encoding{base64.StdEncoding, base64.RawURLEncoding} {
		if plain, err := e.DecodeString(credential); err == nil {
			all = append(all, string(plain), strings.TrimSuffix(string(plain), ":"))
		}
	}
	return all
}

// authorization masks the header in which credentials travel.
func (m *masks) authorization(value string) transcript.Text {
	scheme, credential, ok := strings.Cut(value, " ")
	credential = strings.TrimSpace(credential)
	if !ok {
		return m.presented(value)
	}
	head := transcript.Literal(scheme + " ")
	if name := m.names[credential]; name != "" {
		return append(head, transcript.Piece{Name: name})
	}
	std, errStd := base64.StdEncoding.DecodeString(credential)
	raw, errURL := base64.RawURLEncoding.DecodeString(credential)
	switch {
	case errStd == nil && m.names[string(std)] != "":
		return append(head, transcript.Piece{Name: m.names[string(std)], As: "base64"})
	case errURL == nil && m.names[string(raw)] != "":
		return append(head, transcript.Piece{Name: m.names[string(raw)], As: "base64url"})
	}
	if !strings.EqualFold(scheme, "Basic") || errStd != nil {
		return append(head, m.presented(credential)...)
	}
	return append(head, m.basic(string(std))...)
}

// basic masks a user and a password: a token as either, or the app's own.
func (m *masks) basic(pair string) transcript.Text {
	user, password, _ := strings.Cut(pair, ":")
	if name := m.names[user]; name != "" && password == "" {
		return transcript.Text{{Name: name, As: "basic"}}
	}
	plain := func(s string) string {
		if u, err := url.QueryUnescape(s); err == nil {
			return u
		}
		return s
	}
	if plain(user) == m.app && plain(password) == m.secret {
		return transcript.Text{{Name: "basic"}}
	}
	if password == "" { // a token from before
		m.strangers++
		user = m.standIn(user)
	} else {
		password = m.wrong(password)
	}
	return transcript.Literal(base64.StdEncoding.EncodeToString([]byte(user + ":" + password)))
}

// constants are members whose values belong to the wire, not to somebody.
var constants = []string{"token_type", "scope", "scopes", "type", "error", "error_description", "error_uri", "error_code", "state", "ok", "status",
	"expires_in", "active", "message"}

// told gives names to what an answer tells: credentials always; of a success
// everything that may say who somebody is, and what is another each time.
func (m *masks) told(all []scalar, success bool) (edits []edit) {
	for _, p := range all {
		secret := slices.Contains(secretNames, m.words.means(p.name))
		if p.value == "" || !secret && (!success || slices.Contains(constants, m.words.means(p.name)) || !p.text && !m.varies(p.value)) {
			continue
		}
		edits = append(edits, edit{p.start, p.end, transcript.Text{m.named(p)}})
	}
	return edits
}

// varies: large numbers are ids and times; the others are lengths and counts.
func (m *masks) varies(number string) bool {
	n, err := strconv.ParseFloat(number, 64)
	return err == nil && n >= 1e8
}

var nameCharacters = regexp.MustCompile(`[^A-Za-z0-9_]+`)

// named is the name of a value, with its form where it is new and has one.
func (m *masks) named(p scalar) transcript.Piece {
	if name := m.names[p.value]; name != "" {
		return transcript.Piece{Name: name}
	}
	stem := strings.Trim(nameCharacters.ReplaceAllString(p.name, "_"), "_")
	if stem == "" || stem[0] >= '0' && stem[0] <= '9' {
		stem = "value"
	}
	name := stem
	for n := 2; m.taken[name]; n++ {
		name = fmt.Sprintf("%s_%d", stem, n)
	}
	m.taken[name], m.names[p.value] = true, name
	piece, err := transcript.Named(name, formOfValue(p.value), "")
	if err != nil { // the forms are ours
		return transcript.Piece{Name: name}
	}
	return piece
}

var valueForms = []struct {
	is   *regexp.Regexp
	form string
}{
	{regexp.MustCompile(`^[0-9]{9,}$`), `[0-9]{%d}`},
	{regexp.MustCompile(`^[0-9a-f]{16,}$`), `[0-9a-f]{%d}`},
	{regexp.MustCompile(`^[0-9A-Za-z]{20,}$`), `[0-9A-Za-z]{%d}`},
	{regexp.MustCompile(`^[0-9A-Za-z_-]{20,}$`), `[0-9A-Za-z_-]{%d}`},
}

// formOfValue is what values like this one look like; empty: cannot be told.
func formOfValue(value string) string {
	for _, f := range valueForms {
		if f.is.MatchString(value) {
			return fmt.Sprintf(f.form, len(value))
		}
	}
	return ""
}
