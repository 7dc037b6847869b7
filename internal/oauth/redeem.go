package oauth

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
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
		return nil, badCode(postern.InvalidGrant, "code_unknown")
	}
	app, code, err := r.Store.AppAndCode(ctx, q.Client.ClientID, q.Code.Hash())
	if app, err = r.proved(ctx, q.Terms, q.Client, app, err); err != nil {
		return nil, err
	}
	issued, err := r.redeem(ctx, q, app, code)
	if err != nil && code != nil && code.AppID == app.ID {
		return nil, about(err, app, code.Account.ID, "")
	}
	return issued, about(err, app, "", "")
}

// redeem is Redeem for an app that has proved who it is.
func (r *Rules) redeem(ctx context.Context, q *Redeem, app *postern.App, code *postern.Code) (*Issued, error) {
	if !app.MayUse("authorization_code") {
		return nil, notGranted(app, "authorization_code")
	}
	if err := owns(q, app, code); err != nil {
		return nil, err
	}
	if err := r.redeemable(ctx, q, app, code); err != nil {
		return nil, err
	}
	first, second := code.Scopes, code.SecondScopes
	code.Scopes, code.SecondScopes = allowed(app, first), allowed(app, second)
	if len(first)+len(second) > 0 && len(code.Scopes)+len(code.SecondScopes) == 0 { // all that was approved was taken away since
		return nil, badCode(postern.InvalidGrant, "scope_taken_away").With("granted", slices.Concat(first, second))
	}
	q.Terms = q.Terms.For(code.Kept)
	return r.exchange(ctx, q, app, code)
}

// owns: whose code is not here, or not for this app on this wire, is told the
// same as if there were none.
func owns(q *Redeem, app *postern.App, code *postern.Code) error {
	switch {
	case code == nil:
		return badCode(postern.InvalidGrant, "code_unknown").
			With("length", q.Code).With("usual", q.Terms.Code.Form.Len()).With("spaces", strings.TrimSpace(string(q.Code)) != string(q.Code))
	case code.AppID != app.ID:
		return badCode(postern.InvalidGrant, "other_apps_code")
	case code.Dialect != q.Terms.Dialect:
		return badCode(postern.InvalidGrant, "code_of_other_dialect").With("here", q.Terms.Dialect).With("dialect", code.Dialect)
	case !q.Tenant.Fits(&code.Account):
		return badCode(postern.InvalidGrant, "code_of_other_account")
	case q.Client.NamedBy == NamedByCode && code.Challenge == "": // nothing but the code would prove anything
		return badCode(postern.InvalidGrant, "code_without_pkce")
	}
	return nil
}

func badCode(kind postern.Kind, rule postern.Rule) *postern.Error {
	return postern.Because(kind, rule, codeRefused)
}

func notGranted(app *postern.App, grant string) error {
	return postern.Because(postern.UnauthorizedClient, "grant_not_allowed", "This app may not use this grant type.").
		With("grant", grant).With("allowed", app.Grants)
}

// about says whom a refusal concerns, now that the app has proved who it is.
func about(err error, app *postern.App, accountID, connectionID string) error {
	if e, ok := errors.AsType[*postern.Error](err); ok {
		e.About(app.ID, accountID, connectionID)
		if e.Why != nil && app.Public && accountID == "" { // anybody can say that it is this app
			e.Why.Proved = false
		}
	}
	return err
}

// redeemable holds the owner's presentation against the code. The order
// matters: a spent code is a replay whatever else is wrong with the request.
func (r *Rules) redeemable(ctx context.Context, q *Redeem, app *postern.App, code *postern.Code) error {
	now := r.Now()
	switch {
	case !code.SpentAt.IsZero():
		return r.replayed(ctx, code)
	case !now.Before(code.ExpiresAt):
		return badCode(postern.InvalidGrant, "code_expired").With("at", code.ExpiresAt).With("life", code.ExpiresAt.Sub(code.CreatedAt))
	case !redirectHolds(q, code):
		return r.burn(ctx, code, wrongRedirect(q, code), "wrong redirect_uri", now)
	case !verifierHolds(q, code):
		return r.burn(ctx, code, wrongVerifier(q, code), "wrong code_verifier", now)
	case app.Public && code.Challenge == "": // it had a secret when it asked; now nothing would prove it
		return badCode(postern.InvalidGrant, "code_without_pkce")
	}
	return mayStill(app, code)
}

// mayStill: what the approval rested on may have changed since.
func mayStill(app *postern.App, code *postern.Code) error {
	switch {
	case code.Account.Disabled:
		return badCode(postern.InvalidGrant, "account_disabled")
	case code.User.Disabled:
		return badCode(postern.InvalidGrant, "person_disabled")
	case code.Role == "":
		return badCode(postern.InvalidGrant, "person_left_account")
	case !app.MayConnect(code.Role):
		return badCode(postern.InvalidGrant, "role_not_allowed").With("role", code.Role).With("allowed", app.ConnectRoles)
	}
	return nil
}

// wrongRedirect is how a redirect URL differs from the one that was asked with.
func wrongRedirect(q *Redeem, code *postern.Code) *postern.Error {
	if !q.SentURI {
		return badCode(postern.RedirectMismatch, "code_redirect_uri_missing").With("asked", code.RedirectURI)
	}
	return badCode(postern.RedirectMismatch, "code_redirect_uri_mismatch").With("sent", q.RedirectURI).With("asked", code.RedirectURI)
}

// wrongVerifier is what is wrong with a PKCE verifier.
func wrongVerifier(q *Redeem, code *postern.Code) *postern.Error {
	longest := cmp.Or(q.MaxVerifier, maxVerifier)
	rule := postern.Rule("pkce_verifier_wrong")
	switch {
	case code.Challenge == "":
		rule = "pkce_verifier_unexpected"
	case q.Verifier == "":
		rule = "pkce_verifier_missing"
	case q.Verifier == code.Challenge:
		rule = "pkce_challenge_sent_as_verifier"
	case len(q.Verifier) < minVerifier, len(q.Verifier) > longest, strings.ContainsFunc(q.Verifier, func(c rune) bool { return c > 0x7f || !unreserved(byte(c)) }):
		rule = "pkce_verifier_malformed"
	}
	return badCode(postern.InvalidGrant, rule).With("length", len(q.Verifier)).With("most", longest)
}

// replayed ends what a spent code gave (RFC 6749 §4.1.2): it may have been stolen.
func (r *Rules) replayed(ctx context.Context, code *postern.Code) error {
	if err := r.known(ctx, r.Store.ReplayedCode(ctx, code.Hash, r.Now())); err != nil {
		return err
	}
	return spent(postern.CodeUsed, code.SpentAt, code.Redeemed)
}

// spent refuses a code that was presented before.
func spent(kind postern.Kind, at time.Time, redeemed bool) error {
	if redeemed {
		return badCode(kind, "code_redeemed_before").With("at", at)
	}
	return badCode(kind, "code_void").With("at", at)
}

// burn spends a code that its owner presented wrongly, so that nobody can go on
// guessing.
func (r *Rules) burn(ctx context.Context, code *postern.Code, refused *postern.Error, why string, now time.Time) error {
	if err := r.Store.BurnCode(ctx, code.Hash, why, now); err != nil {
		return err
	}
	return refused
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
	if red.NewConnectionID, red.EventID, red.NewNumber, err = r.newConnection(now); err != nil {
		return nil, err
	}
	if q.Terms.AtOnce > 0 {
		if err := r.saveUsesOf(ctx, app.ID, code.Account.ID); err != nil { // the one unused longest must be known
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
	red := Redemption{Code: code, Version: m.app.Version, AtOnce: m.terms.AtOnce, Now: m.now}
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
	now := r.Now()
	if err := r.known(ctx, r.Store.ReplayedCode(ctx, code.Hash, now)); err != nil {
		return err
	}
	return spent(postern.InvalidGrant, now, true)
}

// newConnection names a connection and the event that tells of it, in case they
// come to be.
func (r *Rules) newConnection(now time.Time) (id, event string, number int64, err error) {
	if id, err = postern.NewIDAt(r.Random, now, "con_"); err == nil {
		event, err = postern.NewIDAt(r.Random, now, "evt_")
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
