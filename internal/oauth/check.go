package oauth

import (
	"context"

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
		return nil, badToken()
	}
	r.uses.note(t, r.Now())
	return t, nil
}

func badToken() error { return postern.Errorf(postern.InvalidToken, "The access token is not valid.") }

// live reads a good access token of any dialect.
func (r *Rules) live(ctx context.Context, token postern.Secret) (*postern.Token, error) {
	t, err := r.read(ctx, token.Hash())
	switch {
	case postern.Is(err, postern.NotFound):
		return nil, badToken()
	case err != nil:
		return nil, err
	case t.Kind != postern.AccessToken:
		return nil, badToken()
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
// it; nil is "not active", whatever the reason (RFC 7662 §2.2). An API knows the
// tokens of every dialect, an app its own.
func (r *Rules) Introspect(ctx context.Context, q *Introspect) (*postern.Token, error) {
	ownOnly, err := r.asker(ctx, q)
	if err != nil {
		return nil, err
	}
	t, err := r.live(ctx, q.Token)
	switch {
	case postern.Is(err, postern.InvalidToken):
		return nil, nil
	case err != nil:
		return nil, err
	case ownOnly != "" && t.AppID != ownOnly:
		return nil, nil
	}
	return t, nil
}

// AuthenticateAPI proves an API's credentials.
func (r *Rules) AuthenticateAPI(ctx context.Context, c ClientAuth) error {
	api, err := r.Store.API(ctx, c.ClientID)
	if postern.Is(err, postern.NotFound) {
		return r.failed(ctx, c, postern.UnknownClient)
	}
	if err != nil {
		return err
	}
	return r.provedAPI(ctx, c, api)
}

func (r *Rules) provedAPI(ctx context.Context, c ClientAuth, api *postern.API) error {
	switch {
	case api.Disabled:
		return r.failed(ctx, c, postern.UnknownClient)
	case c.Secret == "" || !c.Secret.Hash().Equal(api.SecretHash):
		return r.failed(ctx, c, postern.InvalidClient)
	}
	return nil
}

// asker authenticates an API, or else an app, whose tokens are then the only
// ones it is told of.
func (r *Rules) asker(ctx context.Context, q *Introspect) (ownOnly string, err error) {
	api, err := r.Store.API(ctx, q.Client.ClientID)
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
