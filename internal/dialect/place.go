package dialect

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"postern.dev/postern/internal/oauth"
)

// inputID names what the engine needs to know from a request.
type inputID uint8

const (
	inClientID inputID = iota
	inClientSecret
	inAssertion
	inAssertionType
	inResponseType
	inResponseMode
	inRedirectURI
	inScope
	inUserScope
	inState
	inChallenge
	inChallengeMethod
	inPrompt
	inLoginHint
	inTenant
	inGrantType
	inCode
	inRefreshToken
	inVerifier
	inAccessToken
	inToken
	inTokenTypeHint
	inAccountID
	inputs // how many there are
)

var inputNames = [inputs]string{
	"client_id", "client_secret", "client_assertion", "client_assertion_type", "response_type", "response_mode", "redirect_uri", "scope", "user_scope", "state",
	"code_challenge", "code_challenge_method", "prompt", "login_hint", "tenant",
	"grant_type", "code", "refresh_token", "code_verifier", "access_token", "token", "token_type_hint",
	"account_id",
}

// The inputs that each endpoint reads, and those that some request cannot do without.
var (
	authorizeInputs = []inputID{inClientID, inResponseType, inResponseMode, inRedirectURI, inScope, inUserScope, inState,
		inChallenge, inChallengeMethod, inPrompt, inLoginHint, inTenant}
	tokenInputs      = []inputID{inClientID, inClientSecret, inAssertion, inAssertionType, inGrantType, inCode, inRefreshToken, inRedirectURI, inVerifier, inScope, inAccessToken}
	introspectInputs = []inputID{inClientID, inClientSecret, inAssertion, inAssertionType, inToken, inTokenTypeHint}
	revokeInputs     = []inputID{inClientID, inClientSecret, inAssertion, inAssertionType, inToken, inTokenTypeHint, inAccountID}
	requiredInputs   = []inputID{inClientID, inClientSecret, inGrantType, inCode, inRefreshToken, inAccessToken, inToken, inAccountID}
)

func inputNamed(name string) (inputID, bool) {
	i := slices.Index(inputNames[:], name)
	return inputID(max(i, 0)), i >= 0
}

// place is where an input travels.
type place struct {
	kind     placeKind
	name     string // of the parameter, header, variable or scheme
	encoding encoding
}

type placeKind uint8

const (
	inVariable placeKind = iota // path or host
	inQuery
	inBody
	inHeader
	inBasicUser
	inBasicPassword
	inScheme
)

type encoding uint8

const (
	asItIs encoding = iota
	asBase64
	asBase64URL
)

// parsePlace reads "scheme Bearer as base64".
func parsePlace(text string) (place, error) {
	words := strings.Fields(text)
	p := place{}
	if n := len(words); n > 2 && words[n-2] == "as" {
		switch words[n-1] {
		case "base64":
			p.encoding = asBase64
		case "base64url":
			p.encoding = asBase64URL
		default:
			return p, fmt.Errorf("%q: as base64 or as base64url", text)
		}
		words = words[:n-2]
	}
	if len(words) != 2 {
		return p, badPlace(text)
	}
	switch p.name = words[1]; words[0] {
	case "path", "host":
		p.kind = inVariable
	case "query":
		p.kind = inQuery
	case "body":
		p.kind = inBody
	case "header":
		p.kind, p.name = inHeader, http.CanonicalHeaderKey(p.name)
	case "scheme":
		p.kind = inScheme
	case "basic":
		switch p.name {
		case "user":
			p.kind = inBasicUser
		case "password":
			p.kind = inBasicPassword
		default:
			return p, badPlace(text)
		}
	default:
		return p, badPlace(text)
	}
	if brackets := p.kind == inQuery || p.kind == inBody; brackets && !isParameter(p.name) || !brackets && !isToken(p.name) {
		return p, badPlace(text)
	}
	if p.kind == inHeader && (p.name == "Authorization" || p.name == "Cookie") {
		return p, fmt.Errorf("%q: write scheme WORD for Authorization; cookies carry nothing of a partner's", text)
	}
	return p, nil
}

func badPlace(text string) error {
	return fmt.Errorf("%q is no place; write query NAME, body NAME, path NAME, host NAME, header NAME, basic user, basic password or scheme WORD, each optionally as base64", text)
}

// isToken reports whether a text is a token of HTTP (RFC 9110 §5.6.2).
func isToken(s string) bool {
	for i := range len(s) {
		if !letterOrDigit(s[i]) && strings.IndexByte("!#$%&'*+-.^_`|~", s[i]) < 0 {
			return false
		}
	}
	return s != ""
}

// isParameter reports whether a text can name a parameter: a token, or, as some
// frameworks nest them, user[email].
func isParameter(s string) bool {
	name, nested, ok := strings.Cut(s, "[")
	if !ok {
		return isToken(s)
	}
	nested, closed := strings.CutSuffix(nested, "]")
	return closed && isToken(name) && isToken(strings.ReplaceAll(nested, "][", ""))
}

func (p place) String() string {
	word := map[placeKind]string{inVariable: "path ", inQuery: "query ", inBody: "body ", inHeader: "header ",
		inBasicUser: "basic ", inBasicPassword: "basic ", inScheme: "scheme "}[p.kind]
	return word + p.name + map[encoding]string{asBase64: " as base64", asBase64URL: " as base64url"}[p.encoding]
}

// decode undoes the place's encoding, strictly: one text has one spelling.
func (p place) decode(s string) (string, bool) {
	var e *base64.Encoding
	switch p.encoding {
	case asItIs:
		return s, true
	case asBase64:
		e = base64.StdEncoding.Strict()
	default:
		e = base64.RawURLEncoding.Strict()
	}
	if strings.ContainsAny(s, "\r\n") { // which Go's decoder would skip
		return "", false
	}
	out, err := e.DecodeString(s)
	return string(out), err == nil
}

// input is how one input is read.
type input struct {
	places []place
	none   bool // the file takes the input away
	both   bool // two filled places may agree
	// missing is what an absent input means.
	missing absence
	literal string
	// named is what names the client where client_id is absent.
	named []oauth.NamedBy
	// is is the app's attribute that stands here in place of its client_id.
	is string
	// words translates what stands on the wire to what the engine knows.
	words map[string]string
}

type absence uint8

const (
	rfc        absence = iota // as the RFCs have it
	refused                   // the request is refused
	skipped                   // it need not be there
	isLiteral                 // it means the literal
	registered                // redirect_uri: the registered one
	byOther                   // client_id: something else names the client
)

// name is what the input is called where it is asked for.
func (in *input) name(id inputID) string {
	for _, p := range in.places {
		if p.kind == inQuery || p.kind == inBody || p.kind == inHeader {
			return p.name
		}
	}
	return inputNames[id]
}

// kindOfName is what the thing is that name names: a header, a member of a JSON
// body, or a parameter.
func (in *input) kindOfName(json bool) string {
	for _, p := range in.places {
		switch {
		case p.kind == inHeader:
			return "header"
		case p.kind == inQuery:
			return "parameter"
		case p.kind == inBody && json:
			return "member"
		case p.kind == inBody:
			return "parameter"
		}
	}
	if json {
		return "member"
	}
	return "parameter"
}
