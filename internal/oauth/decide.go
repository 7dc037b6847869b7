package oauth

import (
	"context"
	"slices"

	"postern.dev/postern"
)

// Decide takes a person's answer to a ticket, once. Yes makes a code, bound to
// all that was asked; no makes a *Refusal. The connection comes with the code's
// redemption.
func (r *Rules) Decide(ctx context.Context, d *Decision) (*Granted, error) {
	app, err := r.Store.App(ctx, d.Ticket.AppID)
	if err != nil && !postern.Is(err, postern.NotFound) {
		return nil, err
	}
	if err != nil || app.Disabled || !app.Speaks(d.Ticket.Dialect) {
		return nil, postern.Because(postern.UnknownClient, "app_disabled", "The app is no longer active here.")
	}
	if err := r.canSign(d.Terms, app); err != nil {
		return nil, err
	}
	if err := r.leadsNowhere(ctx, d.Ticket, app); err != nil {
		return nil, err
	}
	if !d.Allow {
		return nil, r.deny(ctx, d, app)
	}
	if err := mayAllow(d, app); err != nil {
		return nil, err
	}
	if problem := stillAsks(d.Terms, d.Ticket, app); problem != nil {
		return nil, r.withdraw(ctx, d.Ticket, app, problem)
	}
	return r.allow(ctx, d, app)
}

// leadsNowhere closes a ticket whose redirect URL is no longer registered: what
// was proved when the app asked is not true any more, so nothing is redirected.
func (r *Rules) leadsNowhere(ctx context.Context, t *postern.Ticket, app *postern.App) error {
	if slices.Contains(app.RedirectURLs, t.RegisteredURI) {
		return nil
	}
	if err := r.Store.CloseTicket(ctx, t.Hash, r.Now()); err != nil {
		return err
	}
	return postern.Because(postern.RedirectMismatch, "redirect_uri_changed", "The app has changed its redirect URL since it asked. Start again at the app.").
		With("asked", t.RegisteredURI)
}

// stillAsks: what the app may ask for may have changed while the question
// waited.
func stillAsks(terms *Terms, t *postern.Ticket, app *postern.App) *postern.Error {
	switch {
	case !app.MayUse("authorization_code"):
		return postern.Because(postern.UnauthorizedClient, "grant_not_allowed", "This app may not use the authorization code flow any more.").
			With("grant", "authorization_code").With("allowed", app.Grants)
	case app.Public && t.Challenge == "":
		return postern.Because(postern.InvalidRequest, "pkce_missing", "PKCE is required: send code_challenge and code_challenge_method=S256.")
	case terms.NoScopes:
		return nil
	case len(allowed(app, t.Scopes)) < len(t.Scopes), len(allowed(app, t.SecondScopes)) < len(t.SecondScopes):
		return postern.Because(postern.InvalidScope, "scope_taken_away", "This app may not ask for one of these scopes any more.").With("granted", t.Scopes)
	}
	return nil
}

// withdraw closes a ticket and tells the app why.
func (r *Rules) withdraw(ctx context.Context, t *postern.Ticket, app *postern.App, problem *postern.Error) error {
	if err := r.Store.CloseTicket(ctx, t.Hash, r.Now()); err != nil {
		return err
	}
	return r.refused(t, app, problem)
}

func (r *Rules) deny(ctx context.Context, d *Decision, app *postern.App) error {
	err := r.Store.Answer(ctx, Answer{Ticket: d.Ticket.Hash, UserID: d.User.ID, AppID: app.ID, Address: d.Address, Now: r.Now()})
	if err != nil {
		return err
	}
	return r.refused(d.Ticket, app, postern.Because(postern.AccessDenied, "denied_by_person", "The person did not allow it."))
}

const notLive = "This app has not been approved for real accounts yet. Until then it can be connected to its own sandbox only."

// mayAllow: the person's own account, active, the one that was asked for, and a
// role that the app's rule lets connect.
func mayAllow(d *Decision, app *postern.App) error {
	m := d.Account
	switch {
	case m == nil:
		return postern.Because(postern.Forbidden, "account_not_chosen", "Choose one of your accounts.")
	case m.Account.Disabled:
		return postern.Because(postern.Forbidden, "account_disabled", "This account is switched off.")
	case m.Account.SandboxOf == "" && !app.Live():
		return postern.Because(postern.Forbidden, "app_not_live", notLive)
	case !m.Account.OpenTo(app):
		return postern.Because(postern.Forbidden, "other_partners_sandbox", "This is another partner’s sandbox: only that partner’s apps can be connected to it.")
	case !FitsTenant(d.Ticket, &m.Account):
		return postern.Because(postern.Forbidden, "account_not_asked_for", "The app asked for another account.")
	case !app.MayConnect(m.Role):
		return postern.Because(postern.Forbidden, "role_not_allowed", "Your role in this account may not connect this app.").
			With("role", m.Role).With("allowed", app.ConnectRoles)
	}
	return nil
}

func (r *Rules) allow(ctx context.Context, d *Decision, app *postern.App) (*Granted, error) {
	t, account, now := d.Ticket, &d.Account.Account, r.Now()
	code, err := d.Terms.Code.Form.Mint(r.Random)
	if err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	a := Answer{
		Ticket: t.Hash, UserID: d.User.ID, Allow: true, Address: d.Address, Now: now,
		AppID: app.ID, Dialect: t.Dialect, AccountID: account.ID, Role: d.Account.Role, Level: t.Level(app),
		Code: code.Hash(), CodeExpires: now.Add(d.Terms.Code.Life),
		RedirectURI: t.RedirectURI, RegisteredURI: t.RegisteredURI, SentURI: t.SentURI,
		Challenge: t.Challenge, Scopes: t.Scopes, SecondScopes: t.SecondScopes, Kept: t.Kept,
		Remember: d.Terms.Consent == ConsentRemembered && !app.Public,
	}
	if a.WireID, err = r.wireID(d.Terms, account); err != nil {
		return nil, err
	}
	key, err := r.signingKey(app)
	if err != nil {
		return nil, err
	}
	if err := r.Store.Answer(ctx, a); err != nil {
		return nil, err
	}
	return &Granted{To: t.RedirectURI, Code: code, State: t.State, App: app, Account: *account, ViaPost: t.ViaPost, Dialect: t.Dialect,
		Tenant: t.Tenant, User: d.User, Scopes: t.Scopes, Kept: t.Kept, At: now, Key: key}, nil
}

// wireID proposes the account's id on a wire that has ids of its own. An
// account whose product id has that form keeps it (imports); a stored one wins
// over a proposal.
func (r *Rules) wireID(terms *Terms, account *postern.Account) (string, error) {
	form := terms.AccountIDs
	switch {
	case form == nil:
		return "", nil
	case form.Matches(postern.Secret(account.ID)):
		return account.ID, nil
	}
	id, err := form.Mint(r.Random)
	if err != nil {
		return "", postern.Wrap(postern.ServerError, err)
	}
	return string(id), nil
}

// Refuse closes a ticket that cannot be answered by a person (prompt=none) and
// makes the refusal that tells the app so.
func (r *Rules) Refuse(ctx context.Context, t *postern.Ticket, kind postern.Kind) error {
	app, err := r.Store.App(ctx, t.AppID)
	if err != nil {
		return err
	}
	if err := r.leadsNowhere(ctx, t, app); err != nil {
		return err
	}
	return r.withdraw(ctx, t, app, postern.Because(kind, postern.Rule(kind), "The request cannot be answered without asking the person."))
}

func (r *Rules) refused(t *postern.Ticket, app *postern.App, err *postern.Error) error {
	return r.refusal(&Refusal{to: t.RedirectURI, State: t.State, Err: err, App: app, ViaPost: t.ViaPost, Dialect: t.Dialect, Tenant: t.Tenant})
}

// refusal is one that is ready to be said.
func (r *Rules) refusal(f *Refusal) error {
	f.At = r.Now()
	var err error
	if f.Key, err = r.signingKey(f.App); err != nil {
		return err
	}
	return f
}

// Remembered reports whether a stored consent of this person for this account
// covers all that is asked. Consents to public apps are never remembered, since
// anybody can claim to be one; a changed name, logo, site or redirect URL asks
// again.
func (r *Rules) Remembered(ctx context.Context, terms *Terms, t *postern.Ticket, app *postern.App, userID, accountID string) (bool, error) {
	if terms.Consent != ConsentRemembered || app.Public || t.Asks("consent") {
		return false, nil
	}
	scopes, second, err := r.Store.RememberedScopes(ctx, app.ID, accountID, userID)
	if postern.Is(err, postern.NotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	return covers(scopes, t.Scopes) && covers(second, t.SecondScopes), nil
}

func covers(have, want []string) bool {
	return !slices.ContainsFunc(want, func(s string) bool { return !slices.Contains(have, s) })
}
