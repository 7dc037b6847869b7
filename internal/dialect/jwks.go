package dialect

import (
	"net/http"
	"strconv"
	"time"

	"postern.dev/postern/internal/oauth"
)

// keySetAge is how long a key set may be kept (RFC 9111 §5.2.2.1): shorter than a
// new key is published before it signs.
const keySetAge = 5 * time.Minute

var keptShortly = []string{"public, max-age=" + strconv.Itoa(int(keySetAge/time.Second))}

// publish serves the public keys of signed tokens (RFC 7517 §5), which the
// metadata names as jwks_uri.
func (c *call) publish() error {
	set, err := c.door.Keys(c.r.Context())
	if err != nil {
		return err
	}
	h := c.w.Header()
	h["Content-Type"] = []string{"application/jwk-set+json"} // RFC 7517 §8.5.2
	h["Cache-Control"] = keptShortly
	h["Access-Control-Allow-Origin"] = anyOrigin
	c.w.WriteHeader(http.StatusOK)
	c.w.Write(set)
	return nil
}

// publishesKeys: a key set comes with the RFC's own endpoints, as the metadata
// does, or where the file says its address.
func (c *compiler) publishesKeys() bool {
	b := c.spec.JWKS
	return b.Given && !b.None || !b.Given && c.spec.Token == nil && c.spec.Authorize == nil
}

func (c *compiler) keySet() {
	if !c.publishesKeys() {
		return
	}
	var s *endpointSpec
	if c.spec.JWKS.Given {
		s = &c.spec.JWKS.Of
	}
	e := c.endpoint(jwksEndpoint, s, "GET /oauth/jwks")
	e.cors = true
	c.d.endpoints = append(c.d.endpoints, e)
}

// What tokens.access.format says.
const (
	neverSigned = "opaque"
	signedByApp = "by app" // an app may have its tokens signed (RFC 9068)
)

// signed reads whether apps may have signed tokens. Where the file is silent they
// may, unless it gives its tokens a form, or a life that no signed one has.
func (c *compiler) signed(s accessSpec, t oauth.AccessTerms) bool {
	switch s.Format {
	case "":
		lasting := s.Expires != nil && (t.Life == 0 || t.Life > oauth.LongestSigned)
		return t.Signed && s.Form == "" && s.Node.Member("prefix") == nil && s.Checksum == nil && !lasting
	case neverSigned:
		return false
	case signedByApp:
	default:
		c.reportKey(s.Node, "format", "unknown value %q; known: %s, %s", s.Format, neverSigned, signedByApp)
		return false
	}
	if !c.publishesKeys() {
		c.reportKey(s.Node, "format", "signed tokens need a place for their keys; write jwks: {at: GET /oauth/jwks}")
	}
	return true
}

// formatText is the format as a file says it.
func formatText(t oauth.AccessTerms) string {
	if t.Signed {
		return "format: " + signedByApp
	}
	return "format: " + neverSigned
}

// SignedTokens reports whether apps of this dialect may have signed tokens.
func (d *Dialect) SignedTokens() bool { return d.terms.Access.Signed }

// Issuer is what the dialect's metadata and its signed tokens say it is (RFC 8414
// §2), where it is served at this public URL.
func (d *Dialect) Issuer(public string) string { return issuerOf(public, d) }
