package server

import (
	"cmp"
	"fmt"
	"net/url"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/mail"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
)

// defaultDialect is the one of apps that name none, where it is mounted; else it
// is the only one that is.
const defaultDialect = "standard"

func newRegistry(cfg *config.Config, o Outside, db *store.DB, people *identity.Rules, v *vault.Vault, mounted *dialect.Set, out *mail.Outbox) *registry.Rules {
	r := &registry.Rules{
		Store: db, Now: o.Now, Random: o.Random, Passwords: people, Sealer: sealer{v},
		Dialects: map[string]registry.DialectFacts{}, InsecureLoopback: cfg.InsecureLoopback,
	}
	r.LongestSigned = oauth.LongestSigned
	r.Own, _ = url.Parse(cfg.PublicURL) // the configuration was checked
	r.Review, r.Choice, r.ForItself = cfg.Apps.Reviewed(), cfg.Apps.Dialects, cfg.Apps.ClientCredentials
	r.Reserved, r.Mailer = []string{cmp.Or(cfg.Branding.Name, "Postern")}, mailer{out}
	for _, d := range mounted.List() {
		apps := d.Apps()
		r.Dialects[d.Name()] = registry.DialectFacts{
			SignedTokens: d.SignedTokens(), AccessLife: d.Terms().Access.Life,
			Level: d.Level(), OneRedirectURL: apps.OneRedirectURL, SomeRedirectURL: apps.SomeRedirectURL,
			Required: apps.Required, NativeApps: apps.NativeApps, WeakSecrets: apps.WeakSecrets, RecoverableSecrets: apps.RecoverableSecrets,
			Assertions: d.TakesAssertions(), ForItself: d.ServesAppsThemselves(), NoScopes: d.Terms().NoScopes,
		}
	}
	if _, ok := mounted.Get(defaultDialect); ok {
		r.DefaultDialect = defaultDialect
	} else if all := mounted.List(); len(all) == 1 {
		r.DefaultDialect = all[0].Name()
	}
	return r
}

// choosable holds what partners may choose against what is mounted.
func choosable(cfg *config.Config, mounted *dialect.Set) error {
	for _, name := range cfg.Apps.Dialects {
		if _, ok := mounted.Get(name); !ok {
			return fmt.Errorf("apps.dialects: no dialect named %q is mounted; partners could not choose it", name)
		}
	}
	return nil
}

// sealer is a vault as the registry speaks of it.
type sealer struct{ vault *vault.Vault }

func (s sealer) Seal(table, row, column string, plain []byte) ([]byte, error) {
	return s.vault.Seal(plain, vault.Place{Table: table, Row: row, Column: column})
}

func (s sealer) Open(table, row, column string, sealed []byte) ([]byte, error) {
	return s.vault.Open(sealed, vault.Place{Table: table, Row: row, Column: column})
}
