package dialect

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"postern.dev/postern/internal/oauth"
)

// rendered is the metadata as bytes, made once and now and then again.
type rendered struct {
	body  []byte
	until time.Time
}

// metadataLife is how long rendered metadata is served before the scopes in it
// are read again.
const metadataLife = 5 * time.Second

var (
	anyOrigin = []string{"*"}
	reusable  = []string{"max-age=60"}
)

// describe serves the metadata of the dialect (RFC 8414).
func (c *call) describe() error {
	m, err := c.door.described(c.r.Context(), c.d, c.started)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h["Content-Type"] = jsonType
	h["Cache-Control"] = reusable
	h["Access-Control-Allow-Origin"] = anyOrigin
	c.w.WriteHeader(http.StatusOK)
	c.w.Write(m.body)
	return nil
}

// described is the rendered metadata of a dialect. While the database is away
// the last one serves: what it says of the wire is still true.
func (d *Door) described(ctx context.Context, of *Dialect, now time.Time) (*rendered, error) {
	last, ok := d.metadata.Load(of)
	if ok && now.Before(last.(*rendered).until) {
		return last.(*rendered), nil
	}
	scopes, err := d.Scopes(ctx, of.name)
	switch {
	case err != nil && !ok:
		return nil, err
	case err != nil:
		return last.(*rendered), nil
	}
	m := &rendered{of.Metadata(d.Issuer, scopes), now.Add(metadataLife)}
	d.metadata.Store(of, m)
	return m, nil
}

// Metadata is RFC 8414's description of the dialect, true of what is mounted.
func (d *Dialect) Metadata(public string, scopes []string) []byte {
	issuer := issuerOf(public, d)
	b := append([]byte(`{"issuer":`), appendJSONString(nil, issuer)...)
	text := func(key, value string) { b = appendJSONString(append(b, `,"`+key+`":`...), value) }
	list := func(key string, values ...string) {
		b = append(b, `,"`+key+`":`...)
		b = datum{kind: isList, list: values}.appendJSON(b, "")
	}
	auth := func(where string, e *endpoint, more ...string) {
		methods := []string{"client_secret_basic", "client_secret_post"}
		signs := len(e.inputs[inAssertion].places) > 0
		if signs {
			methods = append(methods, "private_key_jwt")
		}
		list(where+"_endpoint_auth_methods_supported", append(methods, more...)...)
		if signs { // RFC 8414 §2 wants these beside private_key_jwt
			list(where+"_endpoint_auth_signing_alg_values_supported", oauth.AssertionAlgorithms()...)
		}
	}
	for _, e := range d.endpoints {
		if e.kind == metadataEndpoint || len(e.routes) == 0 || !e.routes[0].fixed() || e.byHolder {
			continue
		}
		address := d.address(public, e)
		switch e.kind {
		case authorizeEndpoint:
			text("authorization_endpoint", address)
		case tokenEndpoint:
			text("token_endpoint", address)
			auth("token", e, "none")
		case revokeEndpoint:
			text("revocation_endpoint", address)
			auth("revocation", e, "none")
		case jwksEndpoint:
			text("jwks_uri", address)
		case introspectEndpoint:
			text("introspection_endpoint", address)
			auth("introspection", e)
		}
	}
	list("response_types_supported", "code")
	list("response_modes_supported", "query")
	list("grant_types_supported", d.grantTypes()...)
	list("code_challenge_methods_supported", "S256")
	if d.saysISS() {
		b = append(b, `,"authorization_response_iss_parameter_supported":true`...)
	}
	if len(scopes) > 0 && !d.terms.NoScopes {
		list("scopes_supported", scopes...)
	}
	return append(b, '}')
}

// grantTypes are the grants by their names on this wire.
func (d *Dialect) grantTypes() []string {
	var names []string
	for _, g := range d.grants {
		names = append(names, g.name)
	}
	return names
}

// saysISS reports whether callbacks carry iss (RFC 9207).
func (d *Dialect) saysISS() bool {
	return slices.ContainsFunc(d.allowed.members, func(m member) bool { return m.name == "iss" })
}

// address is where an endpoint is, as a URL on the dialect's own host or on the
// public one.
func (d *Dialect) address(public string, e *endpoint) string {
	return addressOf(public, d.mountedRoutes(e)[0])
}

func addressOf(public string, r *route) string {
	if len(r.host) > 0 {
		scheme, _, _ := strings.Cut(public, "://")
		return scheme + "://" + r.address()
	}
	return strings.TrimSuffix(public, "/") + r.address()
}
