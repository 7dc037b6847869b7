package oauth

import (
	"context"
	"encoding/hex"
	"time"

	"postern.dev/postern"
)

const (
	// failuresAMinute is how many wrong authentications of one app from one source
	// are answered as such; more are told to wait. Right ones always get through.
	failuresAMinute = 30
	failureWindow   = time.Minute
)

var errClient = postern.Errorf(postern.InvalidClient, "Unknown client_id or wrong client_secret.")

// Authenticate proves who the app is (RFC 6749 §2.3): by its secret, or, for a
// public app, by nothing but its name. The code or token of the request plays
// no part, so a failure here cannot touch one.
func (r *Rules) Authenticate(ctx context.Context, terms *Terms, c ClientAuth) (*postern.App, error) {
	if err := r.name(ctx, &c, ""); err != nil {
		return nil, err
	}
	app, err := r.Store.App(ctx, c.ClientID)
	return r.proved(ctx, terms, c, app, err)
}

// name finds the app of a request that does not say it. What nobody has leaves
// the name empty, which is an unknown app's.
func (r *Rules) name(ctx context.Context, c *ClientAuth, presented postern.Secret) error {
	if c.NamedBy == "" || c.ClientID != "" {
		return nil
	}
	if c.NamedBy == NamedByAlias {
		return r.alias(ctx, c.Alias, &c.ClientID)
	}
	if c.NamedBy == NamedBySecret {
		presented = c.Secret
	}
	if presented == "" {
		return nil
	}
	id, err := r.Store.ClientOf(ctx, c.NamedBy, presented.Hash())
	if err != nil && !postern.Is(err, postern.NotFound) {
		return err
	}
	c.ClientID = id
	return nil
}

// alias finds the app by another of its ids; nobody's leaves the name empty.
func (r *Rules) alias(ctx context.Context, a Alias, id *string) (err error) {
	if *id, err = r.Store.ClientByAlias(ctx, a); postern.Is(err, postern.NotFound) {
		return nil
	}
	return err
}

// proved is Authenticate for an app that was read together with something else.
func (r *Rules) proved(ctx context.Context, terms *Terms, c ClientAuth, app *postern.App, err error) (*postern.App, error) {
	switch {
	case postern.Is(err, postern.NotFound):
		return nil, r.failed(ctx, c, postern.UnknownClient)
	case err != nil:
		return nil, err
	case app.Disabled, !app.Speaks(terms.Dialect):
		return nil, r.failed(ctx, c, postern.UnknownClient)
	case app.Public && c.Secret != "", !app.Public && !provedBy(app, c, r.Now()):
		return nil, r.failed(ctx, c, postern.InvalidClient)
	}
	return app, nil
}

// provedBy compares the secret both as RFC 6749 §2.3.1 decodes it and as it stood
// in the header, since many clients leave the encoding out.
func provedBy(app *postern.App, c ClientAuth, now time.Time) bool {
	asSent := app.HasSecret(c.Raw, now)
	return app.HasSecret(c.Secret, now) || asSent
}

// failed counts a wrong authentication per source and app. Names that no app
// has are counted as one, so that a stranger cannot fill the table with them.
func (r *Rules) failed(ctx context.Context, c ClientAuth, kind postern.Kind) error {
	name := c.ClientID
	if kind == postern.UnknownClient {
		name = ""
	}
	key := postern.Secret("client|" + c.Source + "|" + name).Hash()
	n, err := r.Store.CountFailure(ctx, "client:"+hex.EncodeToString(key[:]), failureWindow, r.Now())
	if err != nil {
		return err
	}
	if n > failuresAMinute {
		e := postern.Errorf(postern.RateLimited, "Too many failed attempts. Try again later.")
		e.RetryAfter = failureWindow
		return e
	}
	return postern.Errorf(kind, "%s", errClient.Msg)
}
