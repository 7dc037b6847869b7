package registry

import (
	"postern.dev/postern/internal/yamlfile"
)

// A resources file, key by key (docs/resources.md). A nil pointer
// is a key that was not given: what it is about is then left as it is.

type document struct {
	Scopes    []*scopeDecl   `yaml:"scopes"`
	Accounts  []*accountDecl `yaml:"accounts"`
	Partners  []*partnerDecl `yaml:"partners"`
	APIs      []*apiDecl     `yaml:"apis"`
	Events    []*eventDecl   `yaml:"events"`
	Operators []*staffDecl   `yaml:"operators"`
}

type scopeDecl struct {
	where
	Node        *yamlfile.Node `yaml:",node"`
	Name        string         `yaml:"name,required"`
	Description *string        `yaml:"description"`
	Remove      *bool          `yaml:"remove"`
}

type eventDecl struct {
	where
	Node        *yamlfile.Node `yaml:",node"`
	Type        string         `yaml:"type,required"`
	Description *string        `yaml:"description"`
	Scope       *string        `yaml:"scope"`
	Remove      *bool          `yaml:"remove"`
}

type accountDecl struct {
	where
	Node       *yamlfile.Node            `yaml:",node"`
	ID         *yamlfile.Text            `yaml:"id"`
	Name       *string                   `yaml:"name"`
	Handle     *yamlfile.Text            `yaml:"handle"`
	Attributes *map[string]yamlfile.Text `yaml:"attributes"`
	Disabled   *bool                     `yaml:"disabled"`
	Remove     *bool                     `yaml:"remove"`
	Users      []*userDecl               `yaml:"users"`
}

// userDecl is a user as one account lists it. Role and Remove are about the
// membership, the rest is about the person.
type userDecl struct {
	where
	Node         *yamlfile.Node            `yaml:",node"`
	Email        string                    `yaml:"email,required"`
	ID           *yamlfile.Text            `yaml:"id"`
	Name         *string                   `yaml:"name"`
	Nickname     *yamlfile.Text            `yaml:"nickname"`
	Password     *yamlfile.Text            `yaml:"password"`
	PasswordHash *string                   `yaml:"password_hash"`
	Attributes   *map[string]yamlfile.Text `yaml:"attributes"`
	Disabled     *bool                     `yaml:"disabled"`
	Role         *string                   `yaml:"role" join:"no"`
	Remove       *bool                     `yaml:"remove" join:"no"`

	memberships []*membershipDecl
}

type partnerDecl struct {
	where
	Node     *yamlfile.Node `yaml:",node"`
	ID       *yamlfile.Text `yaml:"id"`
	Name     *string        `yaml:"name"`
	Disabled *bool          `yaml:"disabled"`
	Remove   *bool          `yaml:"remove"`
	Members  []*staffDecl   `yaml:"members"`
	Apps     []*appDecl     `yaml:"apps"`
}

// staffDecl is a partner's member or an operator.
type staffDecl struct {
	where
	Node         *yamlfile.Node `yaml:",node"`
	Email        string         `yaml:"email,required"`
	Name         *string        `yaml:"name"`
	Password     *yamlfile.Text `yaml:"password"`
	PasswordHash *string        `yaml:"password_hash"`
	Disabled     *bool          `yaml:"disabled"`
	Role         *string        `yaml:"role" join:"no"`
	Remove       *bool          `yaml:"remove" join:"no"`

	memberships []*membershipDecl // of partners
}

// membershipDecl is what a list of users or members says of one of them.
type membershipDecl struct {
	where
	account *accountDecl
	partner *partnerDecl
	Role    *string `yaml:"role"`
	Remove  *bool   `yaml:"remove"`
}

type appDecl struct {
	where
	Node             *yamlfile.Node            `yaml:",node"`
	ClientID         *yamlfile.Text            `yaml:"client_id"`
	Name             *string                   `yaml:"name"`
	Description      *string                   `yaml:"description"`
	URL              *string                   `yaml:"url"`
	LogoURL          *string                   `yaml:"logo_url"`
	Dialect          *string                   `yaml:"dialect"`
	Also             *[]string                 `yaml:"also"`
	Level            *string                   `yaml:"level"`
	Attributes       *map[string]yamlfile.Text `yaml:"attributes"`
	ClientSecret     *yamlfile.Text            `yaml:"client_secret"`
	ClientSecretHash *string                   `yaml:"client_secret_hash"`
	ClientSecrets    *[]secretDecl             `yaml:"client_secrets"`
	JWKS             *keySetDecl               `yaml:"jwks"`
	RedirectURLs     *[]string                 `yaml:"redirect_urls"`
	WebhookURL       *string                   `yaml:"webhook_url"`
	WebhookSecret    *string                   `yaml:"webhook_secret"`
	Scopes           *[]string                 `yaml:"scopes"`
	DefaultScopes    *[]string                 `yaml:"default_scopes"`
	ISS              *bool                     `yaml:"iss"`
	Grants           *[]string                 `yaml:"grants"`
	AccessToken      *string                   `yaml:"access_token_format"`
	ConnectRoles     *[]string                 `yaml:"connect_roles"`
	Public           *bool                     `yaml:"public"`
	Disabled         *bool                     `yaml:"disabled"`
	Remove           *bool                     `yaml:"remove"`

	partner *partnerDecl
}

type secretDecl struct {
	Node       *yamlfile.Node `yaml:",node" json:"-"`
	Name       *string        `yaml:"name"`
	Secret     *yamlfile.Text `yaml:"secret"`
	SecretHash *string        `yaml:"secret_hash"`
	ExpiresAt  *string        `yaml:"expires_at"`
}

type apiDecl struct {
	where
	Node     *yamlfile.Node `yaml:",node"`
	ID       *yamlfile.Text `yaml:"id"`
	Name     *string        `yaml:"name"`
	Secret   *yamlfile.Text `yaml:"secret"`
	Disabled *bool          `yaml:"disabled"`
	Remove   *bool          `yaml:"remove"`
}

// value is what was given, or the zero value.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// where is where an object is declared: in one place, or spread over several
// documents that add up.
type where struct{ nodes []*yamlfile.Node }

func (w *where) place() *where { return w }

// problem reports something about a key, where it is given; else about the
// object.
func (w *where) problem(key, format string, args ...any) yamlfile.Problem {
	return w.with(key).ProblemAt(key, format, args...)
}

// item reports something about one item of a list.
func (w *where) item(key string, i int, format string, args ...any) yamlfile.Problem {
	if list := w.with(key).Member(key); list != nil && i < len(list.Items) {
		return list.Items[i].Problem(format, args...)
	}
	return w.problem(key, format, args...)
}

// member reports something about a key of a mapping.
func (w *where) member(key, name, format string, args ...any) yamlfile.Problem {
	if m := w.with(key).Member(key); m != nil {
		return m.ProblemAt(name, format, args...)
	}
	return w.problem(key, format, args...)
}

// with is the place that gives the key, else the first one.
func (w *where) with(key string) *yamlfile.Node {
	for _, n := range w.nodes {
		if n.Member(key) != nil {
			return n
		}
	}
	return w.nodes[0]
}

// gives reports whether the key was given, well-formed or not.
func (w *where) gives(key string) bool { return w.with(key).Member(key) != nil }
