package dialect

import (
	"slices"

	"postern.dev/postern/internal/yamlfile"
)

// appsSpec is what a wire demands of an app that is registered for it: a wire
// without a redirect_uri parameter needs exactly one redirect URL.
type appsSpec struct {
	Node         *yamlfile.Node `yaml:",node"`
	RedirectURLs string         `yaml:"redirect_urls"`
	Required     []string       `yaml:"required"`
	Native       *bool          `yaml:"native"`
}

// AppRules are what a dialect's file demands of an app at registration.
type AppRules struct {
	// OneRedirectURL: exactly one; SomeRedirectURL: one at least.
	OneRedirectURL, SomeRedirectURL bool
	// Required are the keys of an app that may not be empty.
	Required []string
	// NativeApps: public apps may have an http redirect URL on a loopback host
	// (RFC 8252 §7.3).
	NativeApps bool
	// WeakSecrets: declared secrets may be shorter than is safe.
	WeakSecrets bool
	// RecoverableSecrets: the wire signs with the client secret.
	RecoverableSecrets bool
}

// Apps are the rules for registering an app in this dialect.
func (d *Dialect) Apps() AppRules { return d.apps }

// requirable are the keys of an app that a file may demand.
var requirable = []string{"description", "url", "logo_url", "webhook_url"}

func (c *compiler) appRules() {
	s := c.spec.Apps
	c.d.apps = AppRules{WeakSecrets: c.spec.WeakImported != nil, RecoverableSecrets: c.spec.Recoverable != nil, Required: s.Required, NativeApps: s.Native == nil || *s.Native}
	switch s.RedirectURLs {
	case "", "any":
	case "one":
		c.d.apps.OneRedirectURL = true
	case "some":
		c.d.apps.SomeRedirectURL = true
	default:
		c.reportKey(s.Node, "redirect_urls", "unknown value %q; known: any, some, one", s.RedirectURLs)
	}
	for _, key := range s.Required {
		if !slices.Contains(requirable, key) {
			c.reportKey(s.Node, "required", "unknown key %q%s", key, yamlfile.Suggest(key, requirable))
		}
	}
}
