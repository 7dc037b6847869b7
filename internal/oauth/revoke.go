package oauth

import (
	"context"
	"errors"

	"postern.dev/postern"
)

// Revoke ends a token for the app that holds it (RFC 7009). A token that is
// unknown or another app's is NotFound and no change; whether that is said is
// for the dialect to choose (§2.2: it is not). A refresh token takes its family
// along; an access token dies alone where a refresh token could give another. It
// gives the token that ended.
func (r *Rules) Revoke(ctx context.Context, q *Revoke) (*postern.Token, error) {
	if err := r.name(ctx, &q.Client, ""); err != nil {
		return nil, err
	}
	app, t, err := r.Store.AppAndToken(ctx, q.Client.ClientID, q.Token.Hash())
	if app, err = r.proved(ctx, q.Terms, q.Client, app, err); err != nil {
		return nil, err
	}
	switch {
	case t == nil:
		return nil, about(unknownToken("token_unknown"), app, "", "")
	case t.AppID != app.ID: // attacks.md RV-01: it changes nothing, and is noted
		if err := r.Store.Note(ctx, "app:"+app.ID, "token.revoke_refused", "app:"+t.AppID, r.Now()); err != nil {
			return nil, err
		}
		return nil, about(unknownToken("other_apps_token"), app, "", "")
	}
	return t, about(r.revoke(ctx, q, t), app, t.Account.ID, t.Connection.ID)
}

// revoke is Revoke for the app whose token it is.
func (r *Rules) revoke(ctx context.Context, q *Revoke, t *postern.Token) error {
	if t.Dialect != q.Terms.Dialect {
		return unknownToken("token_of_other_dialect").With("here", q.Terms.Dialect).With("dialect", t.Dialect)
	}
	verdict, _ := errors.AsType[*postern.Error](t.Verdict(r.Now()))
	if q.OnlyLive && verdict != nil {
		return &postern.Error{Kind: postern.NotFound, Msg: tokenUnknown, Why: verdict.Why}
	}
	return r.end(ctx, t, q.EndsConnection)
}

const tokenUnknown = "The token is not known."

func unknownToken(rule postern.Rule) *postern.Error {
	return postern.Because(postern.NotFound, rule, tokenUnknown)
}

// RevokeAccount ends an app's connection to an account that it names by the id
// that this wire has for it, and gives the connection; NotFound when there is none.
func (r *Rules) RevokeAccount(ctx context.Context, q *RevokeAccount) (connectionID string, err error) {
	app, err := r.Authenticate(ctx, q.Terms, q.Client)
	if err != nil {
		return "", err
	}
	id, err := r.Store.AccountConnection(ctx, app.ID, q.Terms.Dialect, q.Account)
	if postern.Is(err, postern.NotFound) {
		err = postern.Because(postern.NotFound, "connection_unknown", "There is no connection to this account.").With("account", q.Account)
	}
	if err != nil {
		return "", about(err, app, "", "")
	}
	_, err = r.Store.Disconnect(ctx, id, postern.EndedByApp, "app:"+app.ID, r.Now())
	return id, r.known(ctx, err)
}

// RevokeHeld ends what a presented token stands for; who holds a live one may
// do so without more proof (xref.md §5).
func (r *Rules) RevokeHeld(ctx context.Context, dialect string, token postern.Secret, endsConnection bool) (*postern.Token, error) {
	t, err := r.live(ctx, token)
	if err != nil {
		return nil, err
	}
	if t.Dialect != dialect {
		return nil, otherDialect(t, dialect)
	}
	return t, r.end(ctx, t, endsConnection)
}

// RevokeHeldRefresh is RevokeHeld for a wire whose address of ending takes a
// refresh token.
func (r *Rules) RevokeHeldRefresh(ctx context.Context, dialect string, token postern.Secret, endsConnection bool) (*postern.Token, error) {
	t, err := r.heldRefresh(ctx, dialect, token)
	if err != nil {
		return nil, err
	}
	return t, r.end(ctx, t, endsConnection)
}

// CheckRefresh is Check for a refresh token. One that gave way to its successor
// stands for nothing any more.
func (r *Rules) CheckRefresh(ctx context.Context, dialect string, token postern.Secret) (*postern.Token, error) {
	t, err := r.heldRefresh(ctx, dialect, token)
	if err == nil && !t.RotatedAt.IsZero() {
		return nil, badToken(t, "token_ended")
	}
	return t, err
}

func (r *Rules) heldRefresh(ctx context.Context, dialect string, token postern.Secret) (*postern.Token, error) {
	t, err := r.Store.Token(ctx, token.Hash())
	if postern.Is(err, postern.NotFound) {
		return nil, badToken(nil, "token_unknown")
	}
	if err != nil {
		return nil, err
	}
	switch verdict, _ := errors.AsType[*postern.Error](t.Verdict(r.Now())); {
	case t.Kind != postern.RefreshToken:
		return nil, badToken(t, "access_token_sent")
	case t.Dialect != dialect:
		return nil, otherDialect(t, dialect)
	case verdict != nil:
		return nil, &postern.Error{Kind: postern.InvalidToken, Msg: tokenRefused, Why: verdict.Why}
	}
	return t, nil
}

func (r *Rules) end(ctx context.Context, t *postern.Token, connection bool) error {
	actor, now := "app:"+t.AppID, r.Now()
	switch {
	case connection && t.Connection.ID != "":
		_, err := r.Store.Disconnect(ctx, t.Connection.ID, postern.EndedByApp, actor, now)
		return r.known(ctx, err)
	case t.Kind == postern.RefreshToken, t.Alone:
		return r.known(ctx, r.Store.EndFamily(ctx, t.Family, postern.EndedByApp, actor, now))
	}
	return r.known(ctx, r.Store.EndToken(ctx, t.Hash, actor, now))
}

// Disconnect ends a connection for a person: an account's for a member whose
// role may, a user's own for that user. Whoever has nothing to do with it is
// told that there is none.
func (r *Rules) Disconnect(ctx context.Context, user postern.User, connectionID, address string) error {
	c, err := r.Store.Connection(ctx, connectionID)
	if err != nil {
		return err
	}
	gone := postern.Errorf(postern.NotFound, "There is no such connection.")
	if !c.EndedAt.IsZero() {
		return gone
	}
	member, err := r.membership(ctx, user.ID, c.AccountID)
	if err != nil {
		return err
	}
	if member == nil || c.UserID != "" && c.UserID != user.ID {
		return gone
	}
	reason := postern.EndedByUser
	if c.UserID == "" {
		reason = postern.EndedByAccount
		app, err := r.Store.App(ctx, c.AppID)
		if err != nil {
			return err
		}
		if !app.MayConnect(member.Role) {
			return postern.Errorf(postern.Forbidden, "Your role in this account may not disconnect this app.")
		}
	}
	ended, err := r.Store.Disconnect(ctx, c.ID, reason, "user:"+user.ID, r.Now())
	if err == nil && !ended {
		return gone
	}
	return r.known(ctx, err)
}

func (r *Rules) membership(ctx context.Context, userID, accountID string) (*postern.Membership, error) {
	all, err := r.Store.Memberships(ctx, userID)
	if err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Account.ID == accountID {
			return &all[i], nil
		}
	}
	return nil, nil
}

// EndForApp ends a connection of an app for the people who make it, as the app
// itself could by revoking; NotFound: it has none of this id that lives.
func (r *Rules) EndForApp(ctx context.Context, appID, connectionID, actor string) error {
	gone := postern.Errorf(postern.NotFound, "There is no such connection.")
	c, err := r.Store.Connection(ctx, connectionID)
	if err != nil {
		return err
	}
	if c.AppID != appID || !c.EndedAt.IsZero() {
		return gone
	}
	ended, err := r.Store.Disconnect(ctx, c.ID, postern.EndedByApp, actor, r.Now())
	if err == nil && !ended {
		return gone
	}
	return r.known(ctx, err)
}
