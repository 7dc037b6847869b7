package oauth

import (
	"context"
	"time"

	"postern.dev/postern"
)

const codeRefused = "The code is not valid: it was used, has expired, or was not issued to this client."

// Redeem exchanges a code for tokens, once (RFC 6749 §4.1.3). Who may not have
// the code learns nothing and changes nothing; its owner's mistakes spend it.
func (r *Rules) Redeem(ctx context.Context, q *Redeem) (*Issued, error) {
	if err := r.name(ctx, &q.Client, q.Code); err != nil {
		return nil, err
	}
	if q.Client.ClientID == "" && q.Client.NamedBy == NamedByCode {
		return nil, badCode(postern.InvalidGrant)
	}
	app, code, err := r.Store.AppAndCode(ctx, q.Client.ClientID, q.Code.Hash())
	if app, err = r.proved(ctx, q.Terms, q.Client, app, err); err != nil {
		return nil, err
	}
	if !app.MayUse("authorization_code") {
		return nil, notGranted()
	}
	if code == nil || code.AppID != app.ID || code.Dialect != q.Terms.Dialect || !q.Tenant.Fits(&code.Account) {
		return nil, badCode(postern.InvalidGrant)
	}
	if q.Client.NamedBy == NamedByCode && code.Challenge == "" {
		return nil, badCode(postern.InvalidGrant) // nothing but the code would prove anything
	}
	if err := r.redeemable(ctx, q, app, code); err != nil {
		return nil, err
	}
	asked := len(code.Scopes) + len(code.SecondScopes)
	code.Scopes, code.SecondScopes = allowed(app, code.Scopes), allowed(app, code.SecondScopes)
	if asked > 0 && len(code.Scopes)+len(code.SecondScopes) == 0 {
		return nil, badCode(postern.InvalidGrant) // all that was approved was taken away since
	}
	q.Terms = q.Terms.For(code.Kept)
	return r.exchange(ctx, q, app, code)
}

func badCode(kind postern.Kind) error { return postern.Errorf(kind, codeRefused) }

func notGranted() error {
	return postern.Errorf(postern.UnauthorizedClient, "This app may not use this grant type.")
}

// redeemable holds the owner's presentation against the code. The order
// matters: a spent code is a replay whatever else is wrong with the request.
func (r *Rules) redeemable(ctx context.Context, q *Redeem, app *postern.App, code *postern.Code) error {
	now := r.Now()
	switch {
	case !code.SpentAt.IsZero():
		return r.replayed(ctx, code)
	case !now.Before(code.ExpiresAt):
		return badCode(postern.InvalidGrant)
	case !redirectHolds(q, code):
		return r.burn(ctx, code, postern.RedirectMismatch, "wrong redirect_uri", now)
	case !verifierHolds(q, code):
		return r.burn(ctx, code, postern.InvalidGrant, "wrong code_verifier", now)
	case code.Account.Disabled, code.User.Disabled, code.Role == "", !app.MayConnect(code.Role):
		return badCode(postern.InvalidGrant)
	case app.Public && code.Challenge == "": // it had a secret when it asked; now nothing would prove it
		return badCode(postern.InvalidGrant)
	}
	return nil
}

// replayed ends what a spent code gave (RFC 6749 §4.1.2): it may have been stolen.
func (r *Rules) replayed(ctx context.Context, code *postern.Code) error {
	if err := r.known(ctx, r.Store.ReplayedCode(ctx, code.Hash, r.Now())); err != nil {
		return err
	}
	return badCode(postern.CodeUsed)
}

// burn spends a code that its owner presented wrongly, so that nobody can go on
// guessing.
func (r *Rules) burn(ctx context.Context, code *postern.Code, kind postern.Kind, why string, now time.Time) error {
	if err := r.Store.BurnCode(ctx, code.Hash, why, now); err != nil {
		return err
	}
	return badCode(kind)
}

// redirectHolds: what the authorize request named must be named again, byte for
// byte (RFC 6749 §4.1.3); a dialect may let it be left out, never be different.
func redirectHolds(q *Redeem, code *postern.Code) bool {
	if q.SentURI {
		return q.RedirectURI == code.RedirectURI
	}
	return q.URISkippable || !code.SentURI
}

// verifierHolds: whether a challenge must be met was decided when the code was
// issued; no request can remove it (RFC 7636 §4.6), nor bring a verifier for none.
func verifierHolds(q *Redeem, code *postern.Code) bool {
	if code.Challenge == "" {
		return !q.SentVerifier
	}
	return verifierMeets(q.Verifier, code.Challenge, q.MaxVerifier)
}

func (r *Rules) exchange(ctx context.Context, q *Redeem, app *postern.App, code *postern.Code) (*Issued, error) {
	now := r.Now()
	red, issued, err := r.mint(ctx, &minting{r: r, terms: q.Terms, app: app, now: now, started: now, stands: bearingFor(code)}, code)
	if err != nil {
		return nil, err
	}
	issued.App, issued.Account, issued.User, issued.Kept = app, &code.Account, &code.User, code.Kept
	if red.NewConnectionID, red.EventID, red.NewNumber, err = r.newConnection(); err != nil {
		return nil, err
	}
	if q.Terms.AtOnce > 0 {
		if _, err := r.SaveUses(ctx); err != nil { // the one unused longest must be known
			return nil, err
		}
	}
	issued.ConnectionID, issued.ConnectionNumber, err = r.Store.RedeemCode(ctx, red)
	if postern.Is(err, postern.InvalidGrant) {
		return nil, r.lostRace(ctx, code)
	}
	if err != nil {
		return nil, err
	}
	joined := issued.ConnectionID != red.NewConnectionID || red.Second != nil
	if q.Terms.AtOnce > 0 && joined { // another family may have had to end
		_ = r.known(ctx, nil)
	}
	return issued, nil
}

// mint makes the tokens of a code: what goes into the rows, and what the app is
// told.
func (r *Rules) mint(ctx context.Context, m *minting, code *postern.Code) (Redemption, *Issued, error) {
	if len(code.SecondScopes) > 0 && m.terms.Second == nil { // the dialect's file changed meanwhile
		return Redemption{}, nil, badCode(postern.InvalidGrant, "scope_without_second_token")
	}
	if code.OnlySecond() {
		return r.onlySecond(m, code)
	}
	red := Redemption{Code: code, AtOnce: m.terms.AtOnce, Now: m.now}
	issued := &Issued{IssuedAt: m.now, Scopes: code.Scopes}
	if err := r.firstAccess(ctx, m, &red, issued); err != nil {
		return red, nil, err
	}
	var err error
	if m.terms.Refresh != nil && m.app.MayUse("refresh_token") {
		refresh, err := m.refresh(r.Random, code.Scopes)
		if err != nil {
			return red, nil, err
		}
		red.Refresh = &refresh.row
		red.LiveUntil = later(red.LiveUntil, refresh.row.ExpiresAt)
		issued.RefreshToken, issued.RefreshExpiresAt = refresh.secret, refresh.row.ExpiresAt
	}
	if len(code.SecondScopes) > 0 {
		err = r.second(m, &red, issued)
	}
	return red, issued, err
}

// firstAccess makes the access token of a code. A signed one says which connection
// it is of, which only the rows can tell.
func (r *Rules) firstAccess(ctx context.Context, m *minting, red *Redemption, issued *Issued) error {
	var access minted
	var err error
	if m.signs() {
		var d *draft
		if d, err = m.draft(ctx, r.Random, issued.Scopes); err == nil {
			access.row, red.Sign = d.row, d.signLater(issued)
		}
	} else {
		access, err = m.access(ctx, r.Random, issued.Scopes)
	}
	red.Access, red.LiveUntil = access.row, access.row.ExpiresAt
	issued.AccessToken, issued.ExpiresAt = access.secret, access.row.ExpiresAt
	return err
}

// lostRace: another caller spent the code while we looked at it, which makes
// this presentation a replay; or it ended in another way, and nothing is left
// to end.
func (r *Rules) lostRace(ctx context.Context, code *postern.Code) error {
	if err := r.known(ctx, r.Store.ReplayedCode(ctx, code.Hash, r.Now())); err != nil {
		return err
	}
	return badCode(postern.InvalidGrant)
}

// newConnection names a connection and the event that tells of it, in case they
// come to be.
func (r *Rules) newConnection() (id, event string, number int64, err error) {
	if id, err = postern.NewID(r.Random, "con_"); err == nil {
		event, err = postern.NewID(r.Random, "evt_")
	}
	if err == nil {
		number, err = postern.NewNumber(r.Random)
	}
	if err != nil {
		err = postern.Wrap(postern.ServerError, err)
	}
	return id, event, number, err
}

// later is the later of two ends of life, where the zero time is never.
func later(a, b time.Time) time.Time {
	if a.IsZero() || b.IsZero() {
		return time.Time{}
	}
	if a.After(b) {
		return a
	}
	return b
}
