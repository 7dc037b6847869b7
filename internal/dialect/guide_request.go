package dialect

import (
	"encoding/base64"
	"regexp"
	"slices"
	"strings"
)

// A guide's examples are the requests of a Speaker whose every value is a blank:
// a word that stands for what only the partner knows, and that a snippet writes
// as a variable of its language. So a snippet sends what the wire's file says.

// blank is the word that stands for NAME. It survives every encoding of a wire.
func blank(name string) string { return "Zq" + name + "qZ" }

var blankPattern = regexp.MustCompile(`Zq([A-Z0-9_]+?)qZ`)

// The names of blanks, and which of them a program knows from the start.
const (
	clientIDBlank   = "CLIENT_ID"
	secretBlank     = "CLIENT_SECRET"
	redirectBlank   = "REDIRECT_URL"
	tenantBlank     = "TENANT"
	scopesBlank     = "SCOPES"
	stateBlank      = "STATE"
	challengeBlank  = "CODE_CHALLENGE"
	verifierBlank   = "CODE_VERIFIER"
	codeBlank       = "CODE"
	urlBlank        = "API_URL"
	accessBlank     = "ACCESS_TOKEN"
	refreshBlank    = "REFRESH_TOKEN"
	accountBlank    = "ACCOUNT_ID"
	attributePrefix = "APP_"
)

// argumentOrder is how the parameters of a snippet's functions follow one another.
var argumentOrder = []string{tenantBlank, scopesBlank, stateBlank, challengeBlank, codeBlank, verifierBlank, urlBlank, accessBlank, refreshBlank, accountBlank}

// fromEnvironment reports whether a program knows the blank from its environment.
func fromEnvironment(name string) bool {
	return name == clientIDBlank || name == secretBlank || name == redirectBlank || strings.HasPrefix(name, attributePrefix)
}

// piece is a part of a text: words that stand as they are, or a blank.
type piece struct {
	text     string
	blank    string // its name; empty: text
	encoding encoding
}

// pieces parts a text at its blanks.
func pieces(text string) []piece {
	text = base64Blanks(text)
	var out []piece
	for text != "" {
		at := blankPattern.FindStringSubmatchIndex(text)
		if at == nil {
			return append(out, piece{text: text})
		}
		if at[0] > 0 {
			out = append(out, piece{text: text[:at[0]]})
		}
		name, form := text[at[2]:at[3]], asItIs
		if plain, ok := strings.CutPrefix(name, base64Mark); ok {
			name, form = plain, asBase64
		} else if plain, ok := strings.CutPrefix(name, base64URLMark); ok {
			name, form = plain, asBase64URL
		}
		out = append(out, piece{blank: name, encoding: form})
		text = text[at[1]:]
	}
	return out
}

// Marks of blanks that stand encoded.
const (
	base64Mark    = "64_"
	base64URLMark = "64U_"
)

// encodedRun is a run of characters that may be a blank in base64: "Zq" begins it.
var encodedRun = regexp.MustCompile(`WnF[A-Za-z0-9+/_-]+={0,2}`)

// base64Blanks turns blanks that a place has encoded into marked ones.
func base64Blanks(text string) string {
	return encodedRun.ReplaceAllStringFunc(text, func(run string) string {
		mark := base64Mark
		plain, err := base64.StdEncoding.DecodeString(run)
		if err != nil {
			mark = base64URLMark
			if plain, err = base64.RawURLEncoding.DecodeString(run); err != nil {
				return run
			}
		}
		if m := blankPattern.FindStringSubmatch(string(plain)); m != nil && m[0] == string(plain) {
			return blank(mark + m[1])
		}
		return run
	})
}

// pair is a name and what it is given.
type pair struct {
	name  string
	value []piece
}

// message is a Request with its blanks found and its parts apart.
type message struct {
	method  string
	address []piece // without the query
	query   []pair
	headers []pair // Basic among them as user and password, joined by a colon
	basic   bool   // the value of Authorization is that pair, to be encoded
	json    bool
	body    []pair
}

func newMessage(r *Request) *message {
	if r == nil {
		return nil
	}
	address, query, _ := strings.Cut(r.URL, "?")
	m := &message{method: r.Method, address: pieces(address), basic: r.Basic}
	m.query = pairsOf(parseForm(query, nil))
	if r.Basic {
		m.headers = append(m.headers, pair{"Authorization", pieces(r.User + ":" + r.Password)})
	}
	for _, h := range r.Header {
		m.headers = append(m.headers, pair{h.Name, pieces(h.Value)})
		m.json = m.json || h.Name == "Content-Type" && strings.Contains(h.Value, "json")
	}
	if m.json {
		m.body = pairsOf(parseJSON(r.Body, nil))
	} else {
		m.body = pairsOf(parseForm(r.Body, nil))
	}
	return m
}

// pairsOf are fields that the Speaker has written; they are well-formed.
func pairsOf(all fields, err error) []pair {
	if err != nil {
		return nil
	}
	var out []pair
	for _, f := range all {
		out = append(out, pair{f.name, pieces(f.value)})
	}
	return out
}

// blanks are the names of all blanks in the message.
func (m *message) blanks() []string {
	var out []string
	add := func(all []piece) {
		for _, p := range all {
			if p.blank != "" && !slices.Contains(out, p.blank) {
				out = append(out, p.blank)
			}
		}
	}
	add(m.address)
	for _, part := range [][]pair{m.query, m.headers, m.body} {
		for _, p := range part {
			add(p.value)
		}
	}
	return out
}

// arguments are the blanks that a function has as parameters, in their order:
// those of kept variables first.
func (m *message) arguments() []string {
	var known, others []string
	for _, name := range m.blanks() {
		if !fromEnvironment(name) && !slices.Contains(argumentOrder, name) {
			others = append(others, name)
		}
	}
	for _, name := range argumentOrder {
		if slices.Contains(m.blanks(), name) {
			known = append(known, name)
		}
	}
	return append(others, known...)
}

// where is the way to a value in an answer: the names of the members that lead
// to it. Nil: the answer does not have it.
type where struct {
	path     []string
	encoding encoding
}

// find is where a tree has a value.
func find(t tree, base string) *where {
	switch t := t.(type) {
	case *object:
		for _, m := range t.members {
			if w := find(m.tree, base); w != nil {
				return &where{append([]string{m.name}, w.path...), w.encoding}
			}
		}
	case *value:
		if t.base != base {
			return nil
		}
		w := &where{}
		for _, form := range strings.Split(strings.TrimPrefix(t.name, t.base), ".") {
			switch form {
			case "base64":
				w.encoding = asBase64
			case "base64url":
				w.encoding = asBase64URL
			}
		}
		return w
	}
	return nil
}
