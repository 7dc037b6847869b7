package oauth

import (
	"context"
	"errors"
	"io"
	"strings"

	"postern.dev/postern"
)

const refreshRefused = "The refresh token is not valid: ask the user to connect again."

// Refresh gives new tokens for a refresh token (RFC 6749 §6). Where the token
// rotates, a lost answer breaks no connection and a stolen token ends one.
func (r *Rules) Refresh(ctx context.Context, q *Refresh) (*Issued, error) {
	if err := r.name(ctx, &q.Client, q.RefreshToken); err != nil {
		return nil, err
	}
	if q.Client.ClientID == "" && q.Client.NamedBy == NamedByToken {
		return nil, badRefresh(postern.InvalidGrant, "refresh_token_unknown")
	}
	app, t, err := r.Store.AppAndToken(ctx, q.Client.ClientID, q.RefreshToken.Hash())
	if app, err = r.provedToRefresh(ctx, q, app, err); err != nil {
		return nil, err
	}
	own := t != nil && t.AppID == app.ID
	if own {
		q.Terms = q.Terms.For(t.Kept)
	}
	issued, err := r.presented(ctx, q, app, t)
	if err != nil && own {
		return nil, about(err, app, t.Account.ID, t.Connection.ID)
	}
	return issued, about(err, app, "", "")
}

// presented is Refresh for an app that has proved who it is.
func (r *Rules) presented(ctx context.Context, q *Refresh, app *postern.App, t *postern.Token) (*Issued, error) {
	switch {
	case q.Terms.Refresh == nil:
		return nil, postern.Because(postern.UnauthorizedClient, "refresh_not_offered", "This app may not use this grant type.")
	case !app.MayUse("refresh_token"):
		return nil, notGranted(app, "refresh_token")
	}
	// A caller who loses a race looks again at what the winner made of the token.
	for range 5 {
		if err := holds(q, app, t); err != nil {
			return nil, err
		}
		issued, err := r.refresh(ctx, q, app, t)
		if !postern.Is(err, postern.Conflict) {
			return issued, err
		}
		if t, err = r.Store.Token(ctx, t.Hash); err != nil {
			return nil, err
		}
	}
	return nil, postern.Because(postern.Unavailable, "refresh_token_raced", "This refresh token is being used by many callers at once. Try again.")
}

// holds: what is no refresh token of this app on this wire is as unknown as any.
func holds(q *Refresh, app *postern.App, t *postern.Token) error {
	switch {
	case t == nil:
		return badRefresh(postern.InvalidGrant, "refresh_token_unknown").
			With("length", q.RefreshToken).With("usual", q.Terms.Refresh.Form.Len()).With("spaces", strings.TrimSpace(string(q.RefreshToken)) != string(q.RefreshToken))
	case t.AppID != app.ID:
		return badRefresh(postern.InvalidGrant, "other_apps_token")
	case t.Kind != postern.RefreshToken:
		return badRefresh(postern.InvalidGrant, "access_token_sent")
	case t.Dialect != q.Terms.Dialect:
		return badRefresh(postern.InvalidGrant, "token_of_other_dialect").With("here", q.Terms.Dialect).With("dialect", t.Dialect)
	case !q.Tenant.Fits(&t.Account):
		return badRefresh(postern.InvalidGrant, "token_of_other_account")
	}
	return nil
}

// provedToRefresh is proved, for wires whose apps may leave their secret out
// here: then the token alone is the proof, as of a public app, and rotates.
func (r *Rules) provedToRefresh(ctx context.Context, q *Refresh, app *postern.App, err error) (*postern.App, error) {
	if err == nil && q.bare() && !app.Public {
		bare := *app
		bare.Public = true
		app = &bare
	}
	return r.proved(ctx, q.Terms, q.Client, app, err)
}

// bare: the dialect lets a refresh do without the secret, and this one does.
func (q *Refresh) bare() bool {
	return q.Terms.RefreshWithoutSecret && q.Client.Secret == "" && q.Client.Assertion == "" && !q.Client.Basic
}

func badRefresh(kind postern.Kind, rule postern.Rule) *postern.Error {
	return postern.Because(kind, rule, refreshRefused)
}

// dead refuses a token for the reason that its verdict has.
func dead(verdict error, msg string) error {
	e := &postern.Error{Kind: postern.RefreshDead, Msg: msg}
	if v, ok := errors.AsType[*postern.Error](verdict); ok {
		e.Why = v.Why
	}
	return e
}

func (r *Rules) refresh(ctx context.Context, q *Refresh, app *postern.App, t *postern.Token) (*Issued, error) {
	if verdict := t.Verdict(r.Now()); verdict != nil {
		return nil, dead(verdict, refreshRefused)
	}
	scopes, problem := narrowed(app, t.Scopes, q.Scopes, q.ScopeProblem)
	if problem != nil {
		return nil, problem
	}
	f := &refreshing{
		minting: minting{r: r, terms: q.Terms, app: app, now: r.Now(), started: t.FamilyStartedAt, stands: bearingOf(t)},
		q:       q, token: t, scopes: scopes,
	}
	if !q.Terms.Refresh.Rotate && !app.Public && t.RotatedAt.IsZero() {
		return f.renew(ctx)
	}
	return f.rotate(ctx)
}

// refreshing is one refresh under way.
type refreshing struct {
	minting
	q      *Refresh
	token  *postern.Token // the presented one
	scopes []string       // of the new access token
}

// rotate is DESIGN §4 rule 6: exactly one live successor, and four ways to be
// presented.
func (f *refreshing) rotate(ctx context.Context) (*Issued, error) {
	t, window := f.token, f.terms.Refresh.Window
	switch {
	case t.RotatedAt.IsZero():
		return f.first(ctx)
	case t.SuccessorUsed:
		return f.theft(ctx)
	case f.now.Before(t.RotatedAt.Add(window)):
		return f.again(ctx)
	case f.app.Public:
		return f.theft(ctx)
	}
	return f.replace(ctx)
}

// first: the token is current; it gives way to a successor.
func (f *refreshing) first(ctx context.Context) (*Issued, error) {
	return f.succeed(ctx, func(rot Rotation) error { return f.r.Store.Rotate(ctx, rot) })
}

// replace: the answer was lost, since the successor was never used and the
// window is over. The unused successor ends, and another is given.
func (f *refreshing) replace(ctx context.Context) (*Issued, error) {
	return f.succeed(ctx, func(rot Rotation) error { return f.r.Store.ReplaceSuccessor(ctx, f.token.Hash, rot) })
}

func (f *refreshing) succeed(ctx context.Context, save func(Rotation) error) (*Issued, error) {
	salt := make([]byte, 32)
	if _, err := io.ReadFull(f.r.Random, salt); err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	access, successor, err := f.derive(ctx, salt, f.scopes)
	if err != nil {
		return nil, err
	}
	err = save(Rotation{
		Presented: f.token.Hash, Family: f.token.Family, Salt: salt, OldSalt: f.token.Salt,
		Access: access.row, Successor: successor.row, Said: access.said, Now: f.now,
		LiveUntil: later(access.row.ExpiresAt, successor.row.ExpiresAt),
	})
	if err != nil {
		return nil, err
	}
	return f.answer(access, successor), nil
}

// again: a retry within the window, while the successor is unused, gets the
// same answer as the first time.
func (f *refreshing) again(ctx context.Context) (*Issued, error) {
	if f.token.Said != "" {
		return f.againSigned(ctx)
	}
	f.now = f.token.RotatedAt // when the answer was first given
	f.terms = f.terms.opaque()
	access, successor, err := f.derive(ctx, f.token.Salt, f.scopes)
	if err != nil {
		return nil, err
	}
	// The scopes and the end of life are those of the first answer, not of this request.
	first, err := f.r.Store.Token(ctx, access.row.Hash)
	if err != nil && !postern.Is(err, postern.NotFound) {
		return nil, err
	}
	if err == nil {
		access.row.Scopes, access.row.ExpiresAt, f.scopes = first.Scopes, first.ExpiresAt, first.Scopes
	}
	return f.answer(access, successor), nil
}

// theft: two parties hold the token's line. The family ends for both, and an
// event says so (RFC 9700 §4.14.2).
func (f *refreshing) theft(ctx context.Context) (*Issued, error) {
	err := f.r.known(ctx, f.r.Store.EndFamily(ctx, f.token.Family, postern.TokenReuse, "app:"+f.app.ID, f.now))
	if err != nil {
		return nil, err
	}
	return nil, badRefresh(postern.RefreshDead, "refresh_rotated_before").With("at", f.token.RotatedAt).With("used", f.token.SuccessorUsed)
}

// renew: the refresh token stays as it is and its life begins anew; earlier
// access tokens live on to their own end.
func (f *refreshing) renew(ctx context.Context) (*Issued, error) {
	access, err := f.access(ctx, f.r.Random, f.scopes)
	if err != nil {
		return nil, err
	}
	stays := minted{secret: f.q.RefreshToken, row: NewToken{ExpiresAt: f.refreshEnds()}}
	err = f.r.Store.Renew(ctx, Renewal{
		Presented: f.token.Hash, Family: f.token.Family, RefreshExpires: stays.row.ExpiresAt,
		Access: access.row, Now: f.now, LiveUntil: later(access.row.ExpiresAt, stays.row.ExpiresAt),
	})
	if err != nil {
		return nil, err
	}
	return f.answer(access, stays), nil
}

// derive makes the access token and the successor that belong to a salt.
func (f *refreshing) derive(ctx context.Context, salt []byte, scopes []string) (access, successor minted, err error) {
	source, err := derived(f.q.RefreshToken, salt, "access")
	if err == nil {
		access, err = f.access(ctx, source, scopes)
	}
	if err == nil {
		successor, err = f.successor(salt)
	}
	return access, successor, err
}

func (f *refreshing) successor(salt []byte) (minted, error) {
	source, err := derived(f.q.RefreshToken, salt, "successor")
	if err != nil {
		return minted{}, err
	}
	return f.minting.refresh(source, f.token.Scopes)
}

func (f *refreshing) answer(access, refresh minted) *Issued {
	t := f.token
	return &Issued{
		AccessToken: access.secret, RefreshToken: refresh.secret,
		IssuedAt: f.now, ExpiresAt: access.row.ExpiresAt, RefreshExpiresAt: refresh.row.ExpiresAt,
		Scopes: f.scopes, App: f.app, Account: &t.Account, User: &t.User, Kept: t.Kept,
		ConnectionID: t.Connection.ID, ConnectionNumber: t.Connection.Number,
	}
}

// ClientCredentials gives an app a token for itself, without account and
// without a refresh token (RFC 6749 §4.4.3).
func (r *Rules) ClientCredentials(ctx context.Context, q *ClientCredentials) (*Issued, error) {
	app, err := r.Authenticate(ctx, q.Terms, q.Client)
	if err != nil {
		return nil, err
	}
	switch {
	case !app.ForItself():
		return nil, about(notGranted(app, "client_credentials"), app, "", "")
	case !app.Live(): // its tokens would be of no account, and so of no sandbox either
		return nil, about(postern.Because(postern.UnauthorizedClient, "itself_not_live", "This app has not been approved yet. Until then it gets no tokens for itself."), app, "", "")
	}
	scopes, problem := grantable(q.Terms, app, q.Scopes, q.ScopeProblem)
	if problem != nil {
		return nil, about(problem, app, "", "")
	}
	now := r.Now()
	m := minting{r: r, terms: q.Terms, app: app, now: now, started: now}
	access, err := m.access(ctx, r.Random, scopes)
	if err != nil {
		return nil, err
	}
	if err := r.Store.SaveAccess(ctx, access.row); err != nil {
		return nil, err
	}
	return &Issued{AccessToken: access.secret, IssuedAt: now, ExpiresAt: access.row.ExpiresAt, Scopes: scopes, App: app}, nil
}
