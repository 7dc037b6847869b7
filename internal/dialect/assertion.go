package dialect

import (
	"slices"

	"postern.dev/postern"
)

// assertionType is what client_assertion_type says of an assertion (RFC 7523 §2.2).
const assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"

// clientInputs are who asks, and by what they prove it.
var clientInputs = []inputID{inClientID, inClientSecret, inAssertion, inAssertionType}

// TakesAssertions reports whether an app can prove itself at the token endpoint by
// what it signed (private_key_jwt).
func (d *Dialect) TakesAssertions() bool {
	return len(d.first(tokenEndpoint).inputs[inAssertion].places) > 0
}

// ServesAppsThemselves reports whether an app gets tokens for itself in this dialect.
func (d *Dialect) ServesAppsThemselves() bool {
	return slices.ContainsFunc(d.grants, func(g grant) bool { return g.meaning == byClient })
}

// assertion reads the signed text of a client that authenticates by one. It
// stands alone: a secret beside it would leave open which of the two counts.
func (c *call) assertion(secret string, b *basicAuth) (string, *postern.Error) {
	if len(c.e.inputs[inAssertion].places) == 0 {
		return "", nil
	}
	text, err := c.value(inAssertion)
	if err != nil {
		return "", err
	}
	kind, err := c.value(inAssertionType)
	switch {
	case err != nil:
		return "", err
	case text == "" && kind != "" && c.sent(inAssertionType):
		return "", c.missing(inAssertion)
	case text == "":
		return "", nil
	case secret != "" || b.tried:
		return "", invalid("client_auth_twice", "Authenticate the client in one place only.")
	case kind == "" && c.e.inputs[inAssertionType].missing != skipped && !c.e.inputs[inAssertionType].none:
		return "", c.missing(inAssertionType)
	case kind != "" && kind != assertionType:
		return "", postern.Because(postern.InvalidClient, "assertion_type_wrong", "The client_assertion_type must be %s.", assertionType).With("sent", kind)
	}
	return text, nil
}

// audience is whom an assertion may be for: the dialect's issuer, and its token
// endpoint by each of its addresses that is known without a request.
func (c *call) audience() []string {
	ours := []string{issuerOf(c.door.Issuer, c.d)}
	for _, e := range c.d.endpoints {
		if e.kind != tokenEndpoint && e.kind != refreshEndpoint {
			continue
		}
		for _, r := range c.d.mountedRoutes(e) {
			if r.fixed() && !slices.Contains(ours, addressOf(c.door.Issuer, r)) {
				ours = append(ours, addressOf(c.door.Issuer, r))
			}
		}
	}
	return ours
}
