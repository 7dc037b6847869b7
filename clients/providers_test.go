package clients

import (
	"fmt"
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest"
)

// The wires of other companies, spoken by their own clients. Each has one app,
// and is mounted under its name but where a client knows no path.

const redirectURL = "https://partner.test/integrations/cb"

func provider(dialect string) posterntest.App {
	return posterntest.App{ID: dialect + "-app", Secret: dialect + "_secret_0123456789abcdef", Name: dialect + " app",
		RedirectURL: redirectURL, Dialect: dialect}
}

// providers are the scopes that each wire's app may ask for, in the words of
// that wire.
var providers = map[string]string{
	"checkr":   "",
	"figma":    "file_content:read current_user:read",
	"github":   "repo read:user",
	"hubspot":  "oauth crm.objects.contacts.read",
	"intercom": "",
	"notion":   "",
	"shopify":  "read_products write_orders",
	"slack":    "chat:write channels:read search:read",
	"stripe":   "read_write read_only",
}

// providersMounted are the mounts for all of them, beside the usual ones.
func providersMounted() posterntest.Option {
	mounts := []any{
		map[string]any{"name": "xref", "base": "/xref"}, map[string]any{"name": "xeebo"}, map[string]any{"name": "standard", "base": "/standard"},
		map[string]any{"name": "stripe"}, map[string]any{"name": "shopify"},
		map[string]any{"name": "intercom", "hosts": map[string]string{"login": "app.intercom.io", "api": "api.intercom.io"}},
	}
	for _, name := range []string{"checkr", "figma", "github", "hubspot", "notion", "slack"} {
		mounts = append(mounts, map[string]any{"name": name, "base": "/" + name})
	}
	return posterntest.Set("dialects", mounts)
}

// providerResources declares the apps and their scopes.
func providerResources() string {
	scopes, apps := "", ""
	for name, may := range providers {
		a := provider(name)
		var quoted []string
		for _, scope := range strings.Fields(may) {
			scopes += fmt.Sprintf("\n  - {name: %q, description: For tests}", scope)
			quoted = append(quoted, fmt.Sprintf("%q", scope))
		}
		apps += fmt.Sprintf("\n      - {name: %q, description: For tests, url: \"https://partner.test\", dialect: %s, client_id: %s, client_secret: %s,"+
			" redirect_urls: [%q], scopes: [%s], attributes: {bot_user: U0BOT, bot_id: B0BOT, app_id: \"4711\"}}",
			a.Name, name, a.ID, a.Secret, a.RedirectURL, strings.Join(quoted, ", "))
	}
	return "scopes:" + scopes + "\naccounts: [{name: Acme, handle: acme}]\npartners:\n  - name: Partner Inc\n    apps:" + apps + "\n"
}

// providerClients are the clients that speak them.
func providerClients(t *testing.T) []client {
	t.Helper()
	found := []client{
		{"curl", "as installed", provider("checkr"), runCurl},
		{"golang.org/x/oauth2", moduleVersion(t, "golang.org/x/oauth2"), provider("github"), runOAuth2},
		{"github.com/markbates/goth", moduleVersion(t, "github.com/markbates/goth"), provider("intercom"), runGoth},
		{"@shopify/shopify-api", packageVersion(t, "@shopify/shopify-api"), provider("shopify"), runShopify},
	}
	for _, one := range []struct{ script, name, dialect string }{
		{"grant", "grant", "figma"},
		{"hubspot", "@hubspot/api-client", "hubspot"},
		{"notion", "@notionhq/client", "notion"},
		{"octokit", "@octokit/oauth-methods", "github"},
		{"passport-figma", "passport-figma", "figma"},
		{"slack", "@slack/oauth", "slack"},
		{"stripe", "stripe", "stripe"},
	} {
		found = append(found, nodeClient(t, one.script, one.name, provider(one.dialect)))
	}
	return found
}

// runShopify: the client goes to the shop's own host, whose name it checks.
func runShopify(t *testing.T, s *posterntest.Postern, c client, did func(string)) {
	runScript(t, s, "shopify", c.app, did, newHosts(t, s, "*.myshopify.com"))
}
