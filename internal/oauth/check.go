package oauth

import (
	"context"
	"errors"

	"postern.dev/postern"
)

// Check finds what a presented access token stands for: one indexed read. A
// token of another dialect, a refresh token and a stranger's text are all the
// same unknown.
func (r *Rules) Check(ctx context.Context, dialect string, token postern.Secret) (*postern.Token, error) {
	t, err := r.live(ctx, token)
	if err != nil {
		return nil, err
	}
	if t.Dialect != dialect {
		return nil, otherDialect(t, dialect)
	}
	r.uses.note(t, r.Now())
	return t, nil
}

// Astray says of a token that was not shown as its dialect has it what is wrong: an
// InvalidToken, for a good token too, or Unavailable.
func (r *Rules) Astray(ctx context.Context, token postern.Secret) error {
	t, err := r.live(ctx, token)
	if err != nil {
		return err
	}
	return t.Because(postern.InvalidToken, "token_misplaced", tokenRefused).With("dialect", t.Dialect)
}

const tokenRefused = "The access token is not valid."

// badToken is what the presenter of any bad token is told; the rule is for the
// request log of whose token it is.
func badToken(t *postern.Token, rule postern.Rule) error {
	if t == nil {
		return postern.Because(postern.InvalidToken, rule, tokenRefused)
	}
	return t.Because(postern.InvalidToken, rule, tokenRefused)
}

// otherDialect refuses a token in the words of a wire that is not its own.
func otherDialect(t *postern.Token, here string) error {
	return t.Because(postern.InvalidToken, "token_of_other_dialect", tokenRefused).With("here", here).With("dialect", t.Dialect)
}

// live reads a good access token of any dialect.
func (r *Rules) live(ctx context.Context, token postern.Secret) (*postern.Token, error) {
	t, err := r.read(ctx, token.Hash())
	switch {
	case postern.Is(err, postern.NotFound):
		return nil, badToken(nil, "token_unknown")
	case err != nil:
		return nil, err
	case t.Kind != postern.AccessToken:
		return nil, badToken(t, "refresh_token_sent")
	}
	if err := t.Verdict(r.Now()); err != nil {
		return nil, err
	}
	return t, nil
}

// read finds a token in memory, or in its row.
func (r *Rules) read(ctx context.Context, hash postern.Hash) (*postern.Token, error) {
	if r.Memory == nil {
		return r.Store.Token(ctx, hash)
	}
	return r.Memory.Token(ctx, hash, r.Store.Token)
}

// known has this node's memory take in what was just ended, so that the answer
// which tells of it is already true here. Should that fail, the memory is not
// trusted before it has read the change sequence.
func (r *Rules) known(ctx context.Context, err error) error {
	if err == nil && r.Memory != nil {
		r.Memory.Learn(context.WithoutCancel(ctx))
	}
	return err
}

// Introspect says what a token stands for, to an API or to the app that holds
// it. "Not active", whatever the reason, is an InvalidToken, whose reason no
// asker may be told (RFC 7662 §2.2). An API knows the tokens of every dialect, an
// app its own.
func (r *Rules) Introspect(ctx context.Context, q *Introspect) (*postern.Token, error) {
	ownOnly, err := r.asker(ctx, q)
	if err != nil {
		return nil, err
	}
	t, err := r.live(ctx, q.Token)
	switch {
	case err == nil && ownOnly != "" && t.AppID != ownOnly:
		return nil, badToken(nil, "other_apps_token")
	case err != nil:
		return nil, notOthers(err, ownOnly)
	}
	return t, nil
}

// notOthers keeps from an app why another app's token is not active.
func notOthers(err error, ownOnly string) error {
	e, ok := errors.AsType[*postern.Error](err)
	if ok && ownOnly != "" && e.Why != nil && e.Why.AppID != "" && e.Why.AppID != ownOnly {
		return badToken(nil, "other_apps_token")
	}
	return err
}

// AuthenticateAPI proves an API's credentials.
func (r *Rules) AuthenticateAPI(ctx context.Context, c ClientAuth) error {
	api, err := r.api(ctx, c)
	if postern.Is(err, postern.NotFound) {
		return r.failed(ctx, c, postern.UnknownClient, &postern.Why{Rule: "unknown_client"})
	}
	if err != nil {
		return err
	}
	return r.provedAPI(ctx, c, api)
}

func (r *Rules) provedAPI(ctx context.Context, c ClientAuth, api *postern.API) error {
	if kind := refusedAPI(c, api); kind != "" {
		return r.failed(ctx, c, kind, &postern.Why{Rule: "api_refused"})
	}
	return nil
}

// asker authenticates an API, or else an app, whose tokens are then the only
// ones it is told of.
func (r *Rules) asker(ctx context.Context, q *Introspect) (ownOnly string, err error) {
	api, err := r.api(ctx, q.Client)
	switch {
	case err == nil:
		return "", r.provedAPI(ctx, q.Client, api)
	case !postern.Is(err, postern.NotFound):
		return "", err
	}
	app, err := r.Authenticate(ctx, q.Terms, q.Client)
	if err != nil {
		return "", err
	}
	if app.Public { // RFC 7662 §2.1: a name alone proves nobody
		e := postern.Because(postern.InvalidClient, "public_app_introspects", "A public app has no secret to prove who it is, so it cannot look tokens up.")
		e.Why.AppID = app.ID
		return "", e
	}
	return app.ID, nil
}
