package dialect

import (
	"cmp"
	"errors"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"postern.dev/postern"
)

// Seen is a request that was answered, for partners' request logs and metrics.
// It holds no secret.
type Seen struct {
	Dialect  string
	Endpoint string
	Method   string
	AppID    string // as the request named it; not proved unless Proved
	Status   int
	Refused  *postern.Error // nil: it was granted
	Took     time.Duration

	At           time.Time
	RequestID    string
	Grant        string // grant_type, as the wire calls it
	Renews       bool   // it asked for new tokens in place of old ones
	AccountID    string
	ConnectionID string
	Proved       bool         // the app authenticated, or showed a token or a code of its own
	Noted        *postern.Why // of an answer that refuses nothing and did nothing
	// Sent are the parameters, a line each, with secrets as their length; bounded.
	Sent    string
	Address string // of the app's machine; empty where a person's browser asked
}

// The bounds of what is shown of a request.
const (
	mostShown      = 30   // parameters
	mostShownBytes = 2000 // all of them
	mostOfAName    = 100
	mostOfAValue   = 200
	mostOfAWord    = 64 // a method, a grant_type
	// mostOfAnUnknownName: a longer one that no file knows is not shown. It may be a
	// secret that was sent without a name, which a form reads as a name.
	mostOfAnUnknownName = 32
)

// tell lets whoever listens hear of the answered request.
func (c *call) tell() {
	if c.door.Seen == nil {
		return
	}
	s := Seen{
		Dialect: c.d.name, Endpoint: c.e.kind.String(), Method: clean(c.r.Method, mostOfAWord), Status: c.w.status, Refused: c.failed,
		Took: c.door.Now().Sub(c.started), At: c.started, RequestID: c.requestID(), Grant: clean(postern.HideSecrets(c.grant), mostOfAWord), Renews: c.renews,
		AccountID: c.account, ConnectionID: c.connection, Proved: c.proved, Noted: c.noted,
	}
	if s.Refused != nil && c.app == "" {
		c.app = c.named()
	}
	s.AppID = c.app
	if why := s.why(); why != nil {
		s.AppID, s.AccountID, s.ConnectionID = cmp.Or(why.AppID, c.app), cmp.Or(why.AccountID, c.account), cmp.Or(why.ConnectionID, c.connection)
		s.Proved = why.Proved
	}
	if isSecret(s.AppID) { // somebody mixed up the two
		s.AppID = ""
	}
	if s.AppID != "" && c.e.kind != metadataEndpoint {
		s.Sent = c.shown()
		if c.e.kind != authorizeEndpoint {
			s.Address = c.door.Source(c.r)
		}
	}
	c.door.Seen(c.r.Context(), s)
}

// named is the app that a request names which was refused before anybody read
// who asks: for one that is not well-formed.
func (c *call) named() string {
	id := ""
	if in := &c.e.inputs[inClientID]; c.m.route == nil || len(in.places) == 0 || in.is != "" {
		id = c.readBasicIfPlaced().user
	} else if value, err := c.value(inClientID); err == nil {
		id = value
	}
	if !validClientID(id) {
		return ""
	}
	return id
}

func (s *Seen) why() *postern.Why {
	if s.Refused != nil {
		return s.Refused.Why
	}
	return s.Noted
}

// concerns remembers whose token a request was about.
func (c *call) concerns(t *postern.Token) {
	c.app, c.account, c.connection, c.proved = t.AppID, t.Account.ID, t.Connection.ID, true
}

// note keeps why an answer that refuses nothing did nothing: a token to revoke
// that is not known (RFC 7009 §2.2), one that is not active (RFC 7662 §2.2).
func (c *call) note(err error) {
	if e, ok := errors.AsType[*postern.Error](err); ok {
		c.noted = e.Why
	}
}

// as says a refusal with another kind and other words; the rule stays.
func as(kind postern.Kind, msg string, err error) error {
	e := &postern.Error{Kind: kind, Msg: msg}
	if was, ok := errors.AsType[*postern.Error](err); ok {
		e.Why = was.Why
	}
	return e
}

// brokenBasic refuses an Authorization header that says Basic and is none, in the
// words for a wrong secret.
func (c *call) brokenBasic() *postern.Error {
	return postern.Because(postern.InvalidClient, "basic_malformed", "%s", sentences[postern.InvalidClient])
}

// secretInputs are told by their length, and by how they begin where that helps
// to find them elsewhere.
var secretInputs = map[inputID]bool{
	inCode: true, inToken: true, inAccessToken: true, inRefreshToken: true,
	inClientSecret: false, inVerifier: false, inAssertion: false,
}

// shown lists what the request brought, for the people who make the app.
func (c *call) shown() string {
	query := c.query
	if query == nil && c.r.URL.RawQuery != "" && len(c.r.URL.RawQuery) <= maxQuery {
		query, _ = parseQuery(c.r.URL.RawQuery, nil) // brought to where this endpoint takes nothing
	}
	var b strings.Builder
	b.Grow(256) // enough for what is usual
	if c.basic.tried {
		line(&b, "Authorization", "Basic "+clean(c.basic.user, mostOfAName)+":"+lengthOf(c.basic.password))
	} else if header := c.r.Header.Get("Authorization"); header != "" {
		line(&b, "Authorization", shownHeader(header))
	}
	n := 0
	for _, in := range [...]fields{query, c.body} {
		for _, f := range in {
			if n++; n > mostShown || b.Len() > mostShownBytes {
				line(&b, "…", "and more")
				return b.String()
			}
			line(&b, c.shownName(f.name), c.shownValue(f))
		}
	}
	return b.String()
}

// shownHeader is an Authorization header by its scheme; one without a scheme is
// all credential.
func shownHeader(header string) string {
	scheme, credential, ok := strings.Cut(header, " ")
	if !ok {
		return lengthOf(header)
	}
	return clean(scheme, 20) + " " + lengthOf(credential)
}

func (c *call) shownName(name string) string {
	if _, known := c.inputAt(name); !known && len(name) > mostOfAnUnknownName {
		return "(a name of " + lengthOf(name) + ")"
	}
	return clean(name, mostOfAName)
}

func line(b *strings.Builder, name, value string) {
	b.WriteString(name)
	b.WriteByte('=')
	b.WriteString(value)
	b.WriteByte('\n')
}

func (c *call) shownValue(f field) string {
	switch {
	case f.kind == null:
		return "null"
	case f.kind == other:
		return "(not a text)"
	case f.value == "":
		return ""
	}
	if id, ok := c.inputAt(f.name); ok {
		if begins, secret := secretInputs[id]; secret {
			return masked(f.value, begins)
		}
	}
	if looksSecret(f.name) || isSecret(f.value) {
		return masked(f.value, false)
	}
	return clean(f.value, mostOfAValue)
}

// inputAt is the input that a name stands for: at this endpoint, or at another of
// the dialect, for which the request may have been meant.
func (c *call) inputAt(name string) (inputID, bool) {
	if id, ok := c.e.inputAt(name); ok {
		return id, true
	}
	for _, e := range c.d.endpoints {
		if id, ok := e.inputAt(name); ok {
			return id, true
		}
	}
	return 0, false
}

// inputAt is the input that a name stands for at this endpoint.
func (e *endpoint) inputAt(name string) (inputID, bool) {
	for id := range e.inputs {
		for _, p := range e.inputs[id].places {
			if (p.kind == inBody || p.kind == inQuery) && p.name == name {
				return inputID(id), true
			}
		}
	}
	return 0, false
}

// looksSecret: a name of which no file says anything may still hold a secret.
func looksSecret(name string) bool {
	name = strings.ToLower(name)
	if name == "code" || name == "key" || name == "pin" || name == "otp" {
		return true
	}
	return slices.ContainsFunc([]string{"secret", "token", "passw", "verifier", "assertion", "authorization", "credential", "api_key", "apikey",
		"pwd", "jwt", "bearer", "session", "cookie", "private_key", "signature"},
		func(word string) bool { return strings.Contains(name, word) }) && !strings.HasSuffix(name, "_type") && !strings.HasSuffix(name, "_hint")
}

// isSecret: the product's own secrets are known by their form, whatever the name
// that they are sent under and whatever stands around them.
func isSecret(value string) bool { return postern.HideSecrets(value) != value }

// masked is a secret's length, and how a long one begins: enough to find it
// elsewhere, and far too little to guess the rest.
func masked(secret string, begins bool) string {
	const long, shown = 40, 8
	if begins && len(secret) >= long {
		return clean(secret[:shown], shown) + "… (" + lengthOf(secret) + ")"
	}
	return lengthOf(secret)
}

func lengthOf(s string) string {
	if len(s) == 1 {
		return "1 character"
	}
	return strconv.Itoa(len(s)) + " characters"
}

// clean makes a stranger's text one that can stand in a line.
func clean(s string, most int) string {
	cut := ""
	if len(s) > most {
		s, cut = s[:most], "…"
	}
	s = strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, strings.ToValidUTF8(s, "\uFFFD"))
	return s + cut
}

// elsewhere reports whether a parameter that is missing from the body stood in the
// address.
func (c *call) elsewhere(name string) bool {
	if c.r.URL.RawQuery == "" || c.takesQuery() {
		return false
	}
	found, err := parseQuery(c.r.URL.RawQuery, nil)
	return err == nil && found.find(name) != nil
}
