package server

import (
	"sync/atomic"

	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/signing"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
)

func newSigning(cfg *config.Config, o Outside, db *store.DB, v *vault.Vault) *signing.Rules {
	return &signing.Rules{
		Store: db, Sealer: sealer{v}, Now: o.Now, Random: o.Random,
		Age: cfg.Lifetimes.SigningKey, TokenLife: oauth.LongestSigned,
	}
}

// signed is what signed access tokens take: keys, and the name under which each
// dialect's metadata is found.
func signed(cfg *config.Config, keys *signing.Rules, mounted *atomic.Pointer[dialect.Set]) *oauth.Signed {
	return &oauth.Signed{Keys: keys, Issuer: func(name string) string {
		if d, ok := mounted.Load().Get(name); ok {
			return d.Issuer(cfg.PublicURL)
		}
		return ""
	}}
}
