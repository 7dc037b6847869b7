package registry

import (
	"maps"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/yamlfile"
)

// checker looks at each value by itself. What depends on the rows, or on other
// keys, is looked at when the plan is made.
type checker struct {
	loopback bool
	problems yamlfile.Problems
}

func (c *checker) all(r *Resources) {
	for _, d := range r.scopes {
		c.text(&d.where, "name", &d.Name, aboutScope)
		c.text(&d.where, "description", d.Description, aboutDescription)
	}
	for _, d := range r.events {
		c.text(&d.where, "type", &d.Type, aboutEventType)
		c.text(&d.where, "description", d.Description, aboutDescription)
	}
	for _, d := range r.accounts {
		c.account(d)
	}
	for _, d := range r.users {
		c.user(d)
	}
	for _, d := range r.partners {
		c.text(&d.where, "id", (*string)(d.ID), aboutID)
		c.text(&d.where, "name", d.Name, aboutName)
		c.named(&d.where, d.ID, d.Name)
	}
	for _, d := range r.apps {
		c.app(d)
	}
	for _, d := range r.apis {
		c.text(&d.where, "id", (*string)(d.ID), aboutID)
		c.text(&d.where, "name", d.Name, aboutName)
		c.named(&d.where, d.ID, d.Name)
		c.text(&d.where, "secret", (*string)(d.Secret), func(s string) string { return aboutSecret(s, shortestSecret) })
	}
	for _, d := range slices.Concat(r.members, r.operators) {
		c.staff(d)
	}
}

// text checks a value, if it is given.
func (c *checker) text(w *where, key string, given *string, about func(string) string) {
	if given == nil || !w.gives(key) {
		return
	}
	if problem := about(*given); problem != "" {
		c.problems = append(c.problems, w.problem(key, "%s", problem))
	}
}

func (c *checker) list(w *where, key string, given *[]string, about func(string) string) {
	seen := map[string]bool{}
	for i, item := range value(given) {
		problem := about(item)
		if problem == "" && seen[item] {
			problem = "stands in this list twice; remove one"
		}
		if problem != "" {
			c.problems = append(c.problems, w.item(key, i, "%s", problem))
		}
		seen[item] = true
	}
}

func (c *checker) attributes(w *where, given *map[string]yamlfile.Text) {
	for _, name := range slices.Sorted(maps.Keys(value(given))) {
		if problem := aboutAttribute(name, string((*given)[name])); problem != "" {
			c.problems = append(c.problems, w.member("attributes", name, "%s", problem))
		}
	}
}

// named demands what the object can be matched by.
func (c *checker) named(w *where, id *yamlfile.Text, name *string) {
	if id == nil && name == nil && !w.gives("id") && !w.gives("name") {
		c.problems = append(c.problems, w.problem("name", "is missing; give a name, or the id of what is there already"))
	}
}

func (c *checker) account(d *accountDecl) {
	c.text(&d.where, "id", (*string)(d.ID), aboutID)
	c.text(&d.where, "name", d.Name, aboutName)
	c.named(&d.where, d.ID, d.Name)
	c.text(&d.where, "handle", (*string)(d.Handle), aboutHandle)
	c.attributes(&d.where, d.Attributes)
}

func (c *checker) user(d *userDecl) {
	c.text(&d.where, "email", &d.Email, aboutEmail)
	c.text(&d.where, "id", (*string)(d.ID), aboutID)
	c.text(&d.where, "name", d.Name, aboutName)
	c.text(&d.where, "nickname", (*string)(d.Nickname), aboutNickname)
	c.attributes(&d.where, d.Attributes)
	c.onePassword(&d.where, d.Password, d.PasswordHash)
	for _, m := range d.memberships {
		c.text(&m.where, "role", m.Role, aboutRole)
	}
}

func (c *checker) staff(d *staffDecl) {
	c.text(&d.where, "email", &d.Email, aboutEmail)
	c.text(&d.where, "name", d.Name, aboutName)
	c.onePassword(&d.where, d.Password, d.PasswordHash)
	for _, m := range d.memberships {
		c.text(&m.where, "role", m.Role, aboutPartnerRole)
	}
	if len(d.memberships) == 0 && d.Role != nil {
		c.problems = append(c.problems, d.problem("role", "operators have no roles; remove the key"))
	}
}

// partnerRoles are what a partner's members can be.
var partnerRoles = []string{"owner", "developer", "viewer"}

func aboutPartnerRole(role string) string {
	if !slices.Contains(partnerRoles, role) {
		return "must be one of " + strings.Join(partnerRoles, ", ")
	}
	return ""
}

func (c *checker) onePassword(w *where, password *yamlfile.Text, hash *string) {
	if password != nil && hash != nil {
		c.problems = append(c.problems, w.problem("password_hash", "stands beside password; give one of the two"))
	}
}

func (c *checker) app(d *appDecl) {
	c.text(&d.where, "client_id", (*string)(d.ClientID), aboutID)
	c.text(&d.where, "name", d.Name, aboutName)
	if d.ClientID == nil && d.Name == nil && !d.gives("client_id") && !d.gives("name") {
		c.problems = append(c.problems, d.problem("name", "is missing; give a name, or the client_id of an app that is there already"))
	}
	c.text(&d.where, "description", d.Description, aboutDescription)
	c.url(&d.where, "url", d.URL, urlRule{loopback: c.loopback})
	c.url(&d.where, "logo_url", d.LogoURL, urlRule{loopback: c.loopback, fetched: true})
	c.url(&d.where, "webhook_url", d.WebhookURL, urlRule{loopback: c.loopback, fetched: true})
	c.text(&d.where, "webhook_secret", d.WebhookSecret, aboutWebhookSecret)
	c.text(&d.where, "level", d.Level, aboutLevel)
	c.text(&d.where, "access_token_format", d.AccessToken, aboutFormat)
	c.attributes(&d.where, d.Attributes)
	c.list(&d.where, "also", d.Also, func(string) string { return "" })
	c.list(&d.where, "scopes", d.Scopes, aboutScope)
	c.list(&d.where, "default_scopes", d.DefaultScopes, aboutScope)
	c.list(&d.where, "grants", d.Grants, aboutGrant)
	c.list(&d.where, "connect_roles", d.ConnectRoles, aboutRole)
}

// url checks a URL. An empty one takes away what was there.
func (c *checker) url(w *where, key string, given *string, rule urlRule) {
	if value(given) != "" {
		c.text(w, key, given, rule.about)
	}
}

func aboutLevel(level string) string {
	if level != string(postern.AccountLevel) && level != string(postern.UserLevel) {
		return "must be account or user"
	}
	return ""
}

// grants are the grant types that an app can be given (RFC 6749 §1.3); those of
// a new app are the first two.
var grants = []string{"authorization_code", "refresh_token", clientCredentials}

const clientCredentials = "client_credentials"

func aboutGrant(grant string) string {
	if !slices.Contains(grants, grant) {
		return "must be one of " + strings.Join(grants, ", ")
	}
	return ""
}
