package server

import (
	"net/netip"

	"postern.dev/postern"
	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
	"postern.dev/postern/internal/webhook"
)

func newWebhooks(cfg *config.Config, o Outside, db *store.DB, v *vault.Vault, mounted *dialect.Set) *webhook.Rules {
	var networks []netip.Prefix
	for _, n := range cfg.Webhooks.AllowNetworks {
		networks = append(networks, n.Prefix)
	}
	return &webhook.Rules{
		Store: db, Sealer: sealer{v}, Wires: wires{mounted}, Now: o.Now, Random: o.Random, Log: o.Log,
		InsecureLoopback: cfg.InsecureLoopback, Networks: networks, History: cfg.Webhooks.History,
	}
}

// wires are the mounted dialects as the webhooks speak of them. An app whose
// dialect is not mounted any more is told in the standard words.
type wires struct{ mounted *dialect.Set }

func (w wires) EventData(name string, m *webhook.Message) (members []webhook.Member) {
	d, ok := w.mounted.Get(name)
	if !ok || m.Account.ID == "" {
		return nil
	}
	var user *postern.User
	if m.UserNickname != "" {
		user = &postern.User{ID: m.UserID, WireNickname: m.UserNickname}
	}
	for _, own := range d.EventData(&m.Account, user, m.ConnectionID, m.ConnectionNumber) {
		members = append(members, webhook.Member{Name: own.Name, JSON: own.JSON})
	}
	return members
}

func (w wires) AccountIDs(name string) *postern.Form {
	if d, ok := w.mounted.Get(name); ok {
		return d.Terms().AccountIDs
	}
	return nil
}
