package oauth

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/jwks"
)

const (
	// assertionSkew is how far an app's clock may be from ours.
	assertionSkew = 30 * time.Second
	// assertionLife bounds exp, and so for how long a jti is remembered.
	assertionLife = time.Hour
)

// assertionTypes are what typ may say. The last one tells these apart from all
// other signed texts of the app; most apps say JWT or nothing.
var assertionTypes = []string{"", "jwt", "client-authentication+jwt"}

// claims are what an assertion says (RFC 7523 §3).
type claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  oneOrAll `json:"aud"`
	ID        string   `json:"jti"`
	Expires   *float64 `json:"exp"`
	NotBefore *float64 `json:"nbf"`
	IssuedAt  *float64 `json:"iat"`
}

// oneOrAll is a text or a list of texts (RFC 7519 §4.1.3).
type oneOrAll []string

// UnmarshalJSON reads either.
func (l *oneOrAll) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*l = oneOrAll{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(l))
}

// AssertionAlgorithms are the ways to sign an assertion, for a server's metadata.
func AssertionAlgorithms() []string { return slices.Clone(jwks.Algorithms) }

// subject is whom an assertion speaks of, which names the app and proves nothing.
func subject(assertion postern.Secret) string {
	payload, ok := jwks.Unverified(string(assertion))
	var c claims
	if !ok || json.Unmarshal(payload, &c) != nil {
		return ""
	}
	return c.Subject
}

// asserted proves an app by a text that it signed: private_key_jwt (RFC 7523 §3,
// OpenID Connect Core §9). The signature comes first; only who has the key is
// told what else is wrong. Each assertion proves one request.
func (r *Rules) asserted(ctx context.Context, c ClientAuth, app *postern.App) error {
	unproved := func(rule postern.Rule) error {
		return r.failed(ctx, c, postern.InvalidClient, &postern.Why{Rule: rule, AppID: app.ID})
	}
	switch {
	case app.JWKS == "":
		return unproved("assertion_without_keys")
	case c.Secret != "":
		return unproved("client_auth_twice")
	}
	keys, problems := jwks.Read([]byte(app.JWKS))
	if problems != nil {
		return postern.Wrap(postern.ServerError, problems[0])
	}
	signed, err := keys.Verify(string(c.Assertion))
	if err != nil {
		return unproved("assertion_signature")
	}
	var said claims
	if err := json.Unmarshal(signed.Payload, &said); err != nil {
		return badAssertion("its claims are not as RFC 7523 has them")
	}
	if why := said.wrong(c, app, signed.Type, r.Now()); why != "" {
		return badAssertion(why)
	}
	once := postern.Secret(app.ID + "|" + said.ID).Hash()
	err = r.Store.UseAssertion(ctx, once, numericDate(*said.Expires).Add(assertionSkew))
	if postern.Is(err, postern.Conflict) {
		return badAssertion("its jti was used before; make a new assertion for each request")
	}
	return err
}

func badAssertion(why string) error {
	return postern.Because(postern.InvalidClient, "assertion_wrong", "The client assertion is not valid: %s.", why).With("problem", why)
}

// wrong is what an assertion with a good signature lacks; "": nothing.
func (said *claims) wrong(c ClientAuth, app *postern.App, typ string, now time.Time) string {
	name := app.ID
	if c.Alias.Attr != "" {
		name = c.Alias.Value
	}
	switch {
	case !slices.Contains(assertionTypes, strings.ToLower(typ)):
		return "its typ is that of another kind of token"
	case said.Issuer != name || said.Subject != name:
		return "iss and sub must both be the client_id"
	case !said.isFor(c.Audience):
		return "aud must be the issuer or the token endpoint, and nobody else"
	case said.ID == "":
		return "jti is missing"
	case said.Expires == nil:
		return "exp is missing"
	case !now.Add(-assertionSkew).Before(numericDate(*said.Expires)):
		return "it has expired"
	case numericDate(*said.Expires).After(now.Add(assertionLife + assertionSkew)):
		return "exp is more than an hour away"
	case said.NotBefore != nil && numericDate(*said.NotBefore).After(now.Add(assertionSkew)):
		return "nbf is in the future"
	case said.IssuedAt != nil && numericDate(*said.IssuedAt).After(now.Add(assertionSkew)):
		return "iat is in the future"
	}
	return ""
}

// isFor: an assertion that another server would take as well could be replayed
// there, or was made for it; so all that aud names must be ours.
func (said *claims) isFor(ours []string) bool {
	return len(said.Audience) > 0 && !slices.ContainsFunc(said.Audience, func(aud string) bool { return !slices.Contains(ours, aud) })
}

// numericDate reads seconds since 1970 (RFC 7519 §2), of any size.
func numericDate(seconds float64) time.Time {
	const farAway = 1 << 40
	return time.UnixMilli(int64(min(max(seconds, -farAway), farAway) * 1000))
}
