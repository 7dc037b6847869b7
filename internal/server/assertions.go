package server

import (
	"postern.dev/postern/internal/admin"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/mail"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/portal"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/requestlog"
	"postern.dev/postern/internal/signing"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
	"postern.dev/postern/internal/web"
	"postern.dev/postern/internal/webhook"
)

// The rows have every verb that a room asks for.
var (
	_ oauth.Store     = (*store.DB)(nil)
	_ identity.Store  = (*store.DB)(nil)
	_ registry.Store  = (*store.DB)(nil)
	_ web.Rows        = (*store.DB)(nil)
	_ vault.Rows      = (*store.DB)(nil)
	_ signing.Store   = (*store.DB)(nil)
	_ mail.Rows       = (*store.DB)(nil)
	_ webhook.Store   = (*store.DB)(nil)
	_ portal.Rows     = (*store.DB)(nil)
	_ portal.TeamRows = (*store.DB)(nil)

	_ requestlog.Store = (*store.DB)(nil)
	_ portal.Standing  = (*store.DB)(nil)
)

// The rules have every method that a door calls.
var (
	_ dialect.Engine = (*oauth.Rules)(nil)
	_ oauth.Keys     = (*signing.Rules)(nil)
	_ web.Engine     = (*oauth.Rules)(nil)
	_ web.People     = (*identity.Rules)(nil)

	_ entry.People  = (*identity.Rules)(nil)
	_ portal.People = (*identity.Rules)(nil)

	_ portal.Requests = (*requestlog.Log)(nil)
	_ portal.Ender    = (*oauth.Rules)(nil)
	_ portal.Hooks    = (*webhook.Rules)(nil)

	_ admin.Engine   = (*oauth.Rules)(nil)
	_ admin.Rows     = (*store.DB)(nil)
	_ admin.Webhooks = (*webhook.Rules)(nil)

	_ registry.Passwords = (*identity.Rules)(nil)
	_ dialect.Pages      = (*web.Door)(nil)
	_ web.Wire           = (*dialect.Dialect)(nil)
)
