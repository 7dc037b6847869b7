package oauth

import (
	"context"

	"postern.dev/postern"
)

const renewalRefused = "The access token cannot be renewed: ask the user to connect again."

// Renew gives a new access token for a live one (the grant "renew" of a
// dialect's file). The new one stands for the same: never for more scopes,
// another account, or a longer absolute life.
//
// The old one lives on to its own end, so that a lost answer breaks nothing.
// Where that would leave live tokens without number, or where nothing but the
// token proves the app, it gives way to the new one.
func (r *Rules) Renew(ctx context.Context, q *Renew) (*Issued, error) {
	if err := r.name(ctx, &q.Client, q.AccessToken); err != nil {
		return nil, err
	}
	if q.Client.ClientID == "" && q.Client.NamedBy == NamedByToken {
		return nil, badRenewal()
	}
	app, t, err := r.Store.AppAndToken(ctx, q.Client.ClientID, q.AccessToken.Hash())
	if app, err = r.proved(ctx, q.Terms, q.Client, app, err); err != nil {
		return nil, err
	}
	if !app.MayUse("refresh_token") { // renewing is this wire's refreshing
		return nil, notGranted()
	}
	switch {
	case t == nil, t.Kind != postern.AccessToken, t.AppID != app.ID, t.Dialect != q.Terms.Dialect, t.Family.IsZero():
		return nil, badRenewal()
	case t.Verdict(r.Now()) != nil:
		return nil, badRenewal()
	}
	scopes, problem := narrowed(app, t.Scopes, q.Scopes, q.ScopeProblem)
	if problem != nil {
		return nil, problem
	}
	terms := q.Terms.For(t.Kept)
	m := minting{r: r, terms: terms, app: app, now: r.Now(), started: t.FamilyStartedAt, stands: bearingOf(t)}
	access, err := m.access(ctx, r.Random, scopes)
	if err != nil {
		return nil, err
	}
	if terms.Refresh != nil && terms.Refresh.Absolute > 0 {
		access.row.ExpiresAt = earlier(access.row.ExpiresAt, m.started.Add(terms.Refresh.Absolute))
	}
	swap := Swap{Presented: t.Hash, Family: t.Family, Access: access.row, Now: m.now,
		Ends: app.Public || terms.Access.Life == 0 || terms.AtOnce > 0}
	err = r.Store.SwapAccess(ctx, swap)
	switch {
	case postern.Is(err, postern.Conflict):
		return nil, badRenewal()
	case err != nil:
		return nil, err
	}
	if swap.Ends {
		_ = r.known(ctx, nil)
	}
	return &Issued{
		AccessToken: access.secret, IssuedAt: m.now, ExpiresAt: access.row.ExpiresAt, Scopes: scopes,
		App: app, Account: &t.Account, User: &t.User, Kept: t.Kept,
		ConnectionID: t.Connection.ID, ConnectionNumber: t.Connection.Number,
	}, nil
}

func badRenewal() error { return postern.Errorf(postern.RefreshDead, renewalRefused) }
