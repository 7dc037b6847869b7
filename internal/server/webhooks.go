package server

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"sync/atomic"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/mail"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
	"postern.dev/postern/internal/webhook"
)

func newWebhooks(cfg *config.Config, o Outside, db *store.DB, v *vault.Vault, mounted *atomic.Pointer[dialect.Set], out *mail.Outbox) *webhook.Rules {
	var networks []netip.Prefix
	for _, n := range cfg.Webhooks.AllowNetworks {
		networks = append(networks, n.Prefix)
	}
	return &webhook.Rules{
		Store: db, Sealer: sealer{v}, Wires: wires{mounted, db, sealer{v}, o.Now}, Now: o.Now, Random: o.Random, Log: o.Log,
		InsecureLoopback: cfg.InsecureLoopback, Networks: networks, History: cfg.Webhooks.History,
		Mail: mailer{out}, PublicURL: cfg.PublicURL,
	}
}

// mailer is the outbox as rules speak of it.
type mailer struct{ *mail.Outbox }

func (m mailer) Seal(to, subject, text string) (postern.SealedMail, error) {
	return m.Outbox.Seal(mail.Message{To: to, Subject: subject, Text: text})
}

// wires are the mounted dialects as the webhooks speak of them. An app whose
// dialect is not mounted any more is told in the standard words.
type wires struct {
	mounted *atomic.Pointer[dialect.Set]
	db      *store.DB
	sealed  sealer
	now     func() time.Time
}

func (w wires) EventData(name string, m *webhook.Message) (members []webhook.Member) {
	d, ok := w.mounted.Load().Get(name)
	if !ok || m.Account.ID == "" {
		return nil
	}
	for _, own := range d.EventData(&m.Account, owner(m), m.ConnectionID, m.ConnectionNumber) {
		members = append(members, webhook.Member{Name: own.Name, JSON: own.JSON})
	}
	return members
}

// owner is the user of a user-level connection.
func owner(m *webhook.Message) *postern.User {
	if m.UserNickname == "" {
		return nil
	}
	return &postern.User{ID: m.UserID, WireNickname: m.UserNickname}
}

func (w wires) Legacy(ctx context.Context, name string, m *webhook.Message, secret postern.Secret) (*webhook.Legacy, error) {
	d, ok := w.mounted.Load().Get(name)
	if !ok || m.Own {
		return nil, nil
	}
	old, err := d.LegacyEvent(&dialect.Happening{
		ID: m.ID, Type: postern.EventType(m.Type), At: m.At, Reason: m.Reason, Scopes: m.Changes, AppID: m.App.ID, AppAttrs: m.App.Attributes,
		Account: &m.Account, User: owner(m), ConnectionID: m.ConnectionID, ConnectionNumber: m.ConnectionNumber,
	}, func(key string) (postern.Secret, error) {
		if key == "webhook secret" { // as files write it
			return secret, nil
		}
		return w.clientSecret(ctx, m.App.ID)
	})
	if err != nil || old == nil {
		return nil, err
	}
	out := &webhook.Legacy{Header: http.Header{}, Body: old.Body}
	for _, h := range old.Header {
		out.Header[http.CanonicalHeaderKey(h.Name)] = []string{h.Value}
	}
	return out, nil
}

// clientSecret is the one that an app's wire signs with
// (insecure_recoverable_client_secret).
func (w wires) clientSecret(ctx context.Context, appID string) (postern.Secret, error) {
	app, err := w.db.App(ctx, appID)
	if err != nil {
		return "", err
	}
	s := app.SigningSecret(w.now())
	if s == nil {
		return "", fmt.Errorf("the app %s has no client secret that its wire could sign with", appID)
	}
	plain, err := w.sealed.Open("app_secrets", s.ID, "sealed", s.Sealed)
	return postern.Secret(plain), err
}

func (w wires) AccountIDs(name string) *postern.Form {
	if d, ok := w.mounted.Load().Get(name); ok {
		return d.Terms().AccountIDs
	}
	return nil
}
