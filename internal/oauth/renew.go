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
		return nil, badRenewal("token_unknown")
	}
	app, t, err := r.Store.AppAndToken(ctx, q.Client.ClientID, q.AccessToken.Hash())
	if app, err = r.proved(ctx, q.Terms, q.Client, app, err); err != nil {
		return nil, err
	}
	issued, err := r.renew(ctx, q, app, t)
	if err != nil && t != nil && t.AppID == app.ID {
		return nil, about(err, app, t.Account.ID, t.Connection.ID)
	}
	return issued, about(err, app, "", "")
}

// renew is Renew for an app that has proved who it is.
func (r *Rules) renew(ctx context.Context, q *Renew, app *postern.App, t *postern.Token) (*Issued, error) {
	if !app.MayUse("refresh_token") { // renewing is this wire's refreshing
		return nil, notGranted(app, "refresh_token")
	}
	if err := r.renewable(q, app, t); err != nil {
		return nil, err
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
		return nil, badRenewal("token_ended").With("at", m.now)
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

// renewable: a live access token of this app on this wire, with a connection.
func (r *Rules) renewable(q *Renew, app *postern.App, t *postern.Token) error {
	switch {
	case t == nil:
		return badRenewal("token_unknown")
	case t.AppID != app.ID:
		return badRenewal("other_apps_token")
	case t.Kind != postern.AccessToken:
		return badRenewal("refresh_token_sent")
	case t.Dialect != q.Terms.Dialect:
		return badRenewal("token_of_other_dialect").With("here", q.Terms.Dialect).With("dialect", t.Dialect)
	case t.Family.IsZero():
		return badRenewal("token_without_connection")
	}
	if verdict := t.Verdict(r.Now()); verdict != nil {
		return dead(verdict, renewalRefused)
	}
	return nil
}

func badRenewal(rule postern.Rule) *postern.Error {
	return postern.Because(postern.RefreshDead, rule, renewalRefused)
}
