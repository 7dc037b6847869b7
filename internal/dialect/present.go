package dialect

import (
	"encoding/base64"
	"net/http"
	"slices"
	"strings"

	"postern.dev/postern"
)

// presentation is how an access token is shown: its places, and what is said to
// those who show it otherwise.
type presentation struct {
	places []place
	fits   func(postern.Secret) bool
	hint   hint   // where to put it
	scheme string // the word of the challenge
}

// hint is a sentence, which guides say in their reader's language.
type hint struct {
	format string
	args   []any
}

func hinted(format string, args ...any) hint { return hint{format, args} }

func newPresentation(places []place, fits func(postern.Secret) bool) presentation {
	p := presentation{places: places, fits: fits, scheme: "Bearer", hint: hinted("Send the access token.")}
	if len(places) == 0 {
		return p
	}
	const token = "ACCESS_TOKEN"
	shown := map[encoding]string{asItIs: token, asBase64: "BASE64(" + token + ")", asBase64URL: "BASE64URL(" + token + ")"}[places[0].encoding]
	switch first := places[0]; first.kind {
	case inScheme:
		p.hint = hinted("Send the header Authorization: %s %s.", first.name, shown)
	case inHeader:
		p.hint = hinted("Send the header %s: %s.", first.name, shown)
	case inBasicUser:
		p.hint = hinted("Send the access token as the user name of HTTP Basic.")
	case inBasicPassword:
		p.hint = hinted("Send the access token as the password of HTTP Basic.")
	default:
		p.hint = hinted("Send the access token as the parameter \"%s\".", first.name)
	}
	for _, place := range places {
		switch place.kind {
		case inScheme:
			p.scheme = place.name
			return p
		case inBasicUser, inBasicPassword:
			p.scheme = "Basic"
			return p
		}
	}
	return p
}

const tokenInvalid = "The access token is not valid."

func invalidToken() *postern.Error {
	return postern.Because(postern.InvalidToken, "token_malformed", tokenInvalid)
}

// usualName is where RFC 6750 §2.2 and §2.3 put a token into forms and queries:
// a token there is noticed even where the dialect does not take it.
const usualName = "access_token"

// shown is a credential as it stood in one physical place.
type shown struct {
	place place
	raw   string
}

// read finds the token of a request, whose form (if it has one) is given.
// Nothing is trimmed, tried twice or guessed: one token has one spelling in one
// place.
func (p *presentation) read(r *http.Request, form fields, variable func(string) (string, bool)) (postern.Secret, *postern.Error) {
	query, err := parseQuery(r.URL.RawQuery, nil)
	found, bad := p.inHeaders(r)
	// In a query that cannot be read a token may hide all the same.
	elsewhere := err != nil && strings.Contains(r.URL.RawQuery, usualName)
	for _, f := range [...]struct {
		kind   placeKind
		fields fields
	}{{inQuery, query}, {inBody, form}} {
		for _, one := range f.fields {
			if one.value == "" { // absent (RFC 6749 §3.1), or no text
				continue
			}
			if i := p.at(f.kind, one.name); i >= 0 {
				found = append(found, shown{p.places[i], one.value})
			} else if one.name == usualName {
				elsewhere = true
			}
		}
	}
	for _, place := range p.places {
		if place.kind == inVariable {
			if value, ok := variable(place.name); ok {
				found = append(found, shown{place, value})
			}
		}
	}
	switch {
	case len(found) > 1, elsewhere && (len(found) > 0 || bad):
		return "", postern.Because(postern.InvalidRequest, "token_in_two_places", "Send the access token in one place only.")
	case bad:
		return "", invalidToken()
	case len(found) == 0:
		return "", postern.Because(postern.NoToken, "no_token", p.hint.format, p.hint.args...)
	}
	return p.decoded(found[0])
}

func (p *presentation) at(kind placeKind, name string) int {
	return slices.IndexFunc(p.places, func(pl place) bool { return pl.kind == kind && pl.name == name })
}

// inHeaders finds what stands in headers. bad: there is a credential that no
// place takes, or more than one.
func (p *presentation) inHeaders(r *http.Request) (found []shown, bad bool) {
	for _, place := range p.places {
		if place.kind != inHeader || slices.ContainsFunc(found, func(s shown) bool { return s.place.name == place.name }) {
			continue
		}
		switch values := r.Header[place.name]; {
		case len(values) > 1:
			return nil, true
		case len(values) == 1 && values[0] != "":
			found = append(found, shown{place, values[0]})
		}
	}
	switch values := r.Header["Authorization"]; {
	case len(values) == 0 || len(values) == 1 && values[0] == "":
		return found, false
	case len(values) > 1:
		return nil, true
	default:
		s, ok := p.authorization(values[0])
		if !ok {
			return found, true
		}
		return append(found, s), false
	}
}

// authorization parts "Token abc": a scheme in any case, spaces, one credential.
func (p *presentation) authorization(header string) (shown, bool) {
	scheme, rest, _ := strings.Cut(header, " ")
	credential := strings.TrimLeft(rest, " ")
	for _, place := range p.places {
		switch place.kind {
		case inScheme:
			if strings.EqualFold(scheme, place.name) && credential != "" {
				return shown{place, credential}, true
			}
		case inBasicUser, inBasicPassword:
			if strings.EqualFold(scheme, "Basic") {
				return basicToken(place, credential)
			}
		}
	}
	return shown{}, false
}

// basicToken takes a token that travels as one half of Basic; the other half
// must be empty.
func basicToken(place place, credential string) (shown, bool) {
	pair, err := base64.StdEncoding.Strict().DecodeString(credential)
	user, password, ok := strings.Cut(string(pair), ":")
	if place.kind == inBasicPassword {
		user, password = password, user
	}
	if err != nil || !ok || password != "" || user == "" {
		return shown{}, false
	}
	return shown{place, user}, true
}

// decoded undoes the encoding of the place, and tells those who forgot it.
func (p *presentation) decoded(s shown) (postern.Secret, *postern.Error) {
	forgotten := false
	for _, place := range p.places {
		if place.kind != s.place.kind || !strings.EqualFold(place.name, s.place.name) {
			continue
		}
		if plain, ok := place.decode(s.raw); ok && p.fits(postern.Secret(plain)) {
			return postern.Secret(plain), nil
		}
		forgotten = forgotten || place.encoding != asItIs
	}
	if forgotten && p.fits(postern.Secret(s.raw)) {
		return "", postern.Because(postern.InvalidToken, "token_not_base64", "The access token must be base64-encoded.")
	}
	return "", invalidToken()
}

// ReadToken finds the access token of a call to the API, presented as this
// dialect has it (RFC 6750 §2; xref.md §4, xeebo.md §5). The error is a NoToken,
// an InvalidToken, or an InvalidRequest for a token in two places.
func (d *Dialect) ReadToken(r *http.Request) (postern.Secret, *postern.Error) {
	form, err := formOf(r)
	if err != nil {
		return "", err
	}
	return d.api.read(r, form, func(string) (string, bool) { return "", false })
}

// Astray finds a token of this dialect's form in the Authorization header of a call
// that ReadToken refused: under another scheme, or in another encoding. It opens
// nothing; whose it is is for that app's request log.
func (d *Dialect) Astray(r *http.Request) (token postern.Secret, found bool) {
	values := r.Header["Authorization"]
	if len(values) != 1 {
		return "", false
	}
	_, credential, _ := strings.Cut(values[0], " ")
	credential = strings.TrimSpace(credential)
	for _, encoding := range []encoding{asItIs, asBase64, asBase64URL} {
		if plain, ok := (place{encoding: encoding}).decode(credential); ok && d.fits(postern.Secret(plain)) {
			return postern.Secret(plain), true
		}
	}
	return "", false
}

// Challenge is the WWW-Authenticate header of a refusal (RFC 9110 §11.6.1, RFC
// 6750 §3), empty where the refusal has none. Who showed no token is told no
// error. scopes are those that would be enough.
func (d *Dialect) Challenge(err *postern.Error, scopes []string) string {
	return d.challengeFor(&d.api, err, scopes)
}

func (d *Dialect) challengeFor(p *presentation, err *postern.Error, scopes []string) string {
	if !postern.Is(err, postern.InvalidToken) && err.Kind != postern.InsufficientScope {
		return ""
	}
	if d.challenge != nil {
		if *d.challenge == "none" {
			return ""
		}
		return *d.challenge
	}
	b := p.scheme + ` realm="` + d.name + `"`
	if err.Kind == postern.NoToken {
		return b
	}
	b += `, error="` + string(err.Kind.Parent()) + `"`
	if strings.EqualFold(p.scheme, "Bearer") { // RFC 6750 §3; other schemes know the error alone
		b += `, error_description="` + quotable(err.Msg) + `"`
	}
	if err.Kind == postern.InsufficientScope && len(scopes) > 0 {
		b += `, scope="` + quotable(strings.Join(scopes, d.scopes.join)) + `"`
	}
	return b
}

// quotable leaves out what RFC 6750 §3 does not allow inside the quotes.
func quotable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '"' || r == '\\' || r < 0x20 || r > 0x7e {
			return -1
		}
		return r
	}, s)
}

// Refusal is a refused call of the API, in the dialect's own words.
type Refusal struct {
	Status      int
	Challenge   string // WWW-Authenticate; empty: none
	ContentType string
	Body        []byte
	RetryAfter  string // empty: none
}

// Refuse says a refused call as this dialect's API errors have it; scopes are
// those that would be enough.
func (d *Dialect) Refuse(err error, scopes []string) Refusal {
	e := told(err)
	t := d.apiErrors
	v := &values{dialect: d, word: t.wordOf(e.Kind), message: e.Msg, status: t.statusOf(e.Kind)}
	body, _ := t.body.appendJSON(nil, v)
	return Refusal{v.status, d.Challenge(e, scopes), jsonType[0], body, retryAfter(e)}
}

// Write sends the refusal.
func (r Refusal) Write(w http.ResponseWriter) {
	h := w.Header()
	h["Cache-Control"] = noStore
	h.Set("Content-Type", r.ContentType)
	if r.Challenge != "" {
		h.Set("WWW-Authenticate", r.Challenge)
	}
	if r.RetryAfter != "" {
		h.Set("Retry-After", r.RetryAfter)
	}
	w.WriteHeader(r.Status)
	w.Write(r.Body)
}

// Takes reports whether the call's credential stands where this dialect has
// its tokens, whatever it is worth: so a malformed one is refused in the words
// of the wire that it was meant for.
func (d *Dialect) Takes(r *http.Request) bool {
	found, bad := d.api.inHeaders(r)
	return len(found) > 0 && !bad
}

// TakesQuery reports whether a query parameter of this name matters to the
// token check: a place for tokens, or the usual name of one, which is refused
// where no place takes it.
func (d *Dialect) TakesQuery(name string) bool {
	return name == usualName || d.api.at(inQuery, name) >= 0
}
