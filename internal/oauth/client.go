package oauth

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"postern.dev/postern"
)

const (
	// failuresAMinute is how many wrong authentications of one app from one source
	// are answered as such; more are told to wait. Right ones always get through.
	failuresAMinute = 30
	failureWindow   = time.Minute
)

const clientRefused = "Unknown client_id or wrong client_secret."

// Authenticate proves who the app is (RFC 6749 §2.3): by its secret, by what it
// signed with its key, or, for a public app, by nothing but its name. The code or token of the request plays
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
	if c.Assertion != "" && c.ClientID == "" && c.NamedBy == "" { // RFC 7521 §4.2: client_id is optional beside it
		c.ClientID = subject(c.Assertion)
		return nil
	}
	if c.NamedBy == "" || c.ClientID != "" {
		return nil
	}
	if c.NamedBy == NamedByAlias && c.Alias.Value == "" {
		c.Alias.Value = subject(c.Assertion)
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
		return nil, r.failed(ctx, c, postern.UnknownClient, &postern.Why{Rule: "unknown_client"})
	case err != nil:
		return nil, err
	}
	if unfit := unfit(app, terms.Dialect); unfit != nil {
		return nil, r.failed(ctx, c, postern.UnknownClient, unfit)
	}
	switch {
	case app.Public && (c.Secret != "" || c.Assertion != ""):
		return nil, r.failed(ctx, c, postern.InvalidClient, &postern.Why{Rule: "public_app_sent_secret", AppID: app.ID})
	case c.Assertion != "":
		if err := r.asserted(ctx, c, app); err != nil {
			return nil, err
		}
	case !app.Public:
		secret := provedBy(app, c, r.Now())
		if secret == nil {
			return nil, r.failed(ctx, c, postern.InvalidClient, wrongSecret(app, c, r.Now()))
		}
		r.uses.noteSecret(secret.ID, r.Now())
	}
	return app, nil
}

// provedBy compares the secret both as RFC 6749 §2.3.1 decodes it and as it stood
// in the header, since many clients leave the encoding out.
func provedBy(app *postern.App, c ClientAuth, now time.Time) *postern.AppSecret {
	asSent := app.SecretOf(c.Raw, now)
	if decoded := app.SecretOf(c.Secret, now); decoded != nil {
		return decoded
	}
	return asSent
}

// wrongSecret is why a secret does not prove the app, for the request log.
func wrongSecret(app *postern.App, c ClientAuth, now time.Time) *postern.Why {
	why := &postern.Why{Rule: "wrong_client_secret", AppID: app.ID}
	if c.Secret == "" {
		why.Rule = "client_secret_missing"
		return why
	}
	valid := make([]string, 0, len(app.Secrets))
	trimmed := postern.Secret(strings.TrimSpace(string(c.Secret)))
	for _, s := range app.Secrets {
		if over := !s.ExpiresAt.IsZero() && !now.Before(s.ExpiresAt); over {
			if s.Hash.Equal(c.Secret.Hash()) || c.Raw != "" && s.Hash.Equal(c.Raw.Hash()) {
				why.Rule = "secret_expired"
				why.With("secret", s.Name+" (…"+s.Hint+")").With("at", s.ExpiresAt)
			}
			continue
		}
		valid = append(valid, s.Name+" (…"+s.Hint+")")
		if trimmed != c.Secret && s.Hash.Equal(trimmed.Hash()) {
			why.With("spaces", true)
		}
	}
	return why.With("length", c.Secret).With("valid", strings.Join(valid, ", "))
}

// failed counts a wrong authentication per source and app. Names that no app
// has are counted as one, so that a stranger cannot fill the table with them.
func (r *Rules) failed(ctx context.Context, c ClientAuth, kind postern.Kind, why *postern.Why) error {
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
		e := postern.Because(postern.RateLimited, "rate_limited", "Too many failed attempts. Try again later.").With("most", failuresAMinute)
		e.Why.AppID, e.RetryAfter = why.AppID, failureWindow
		return e
	}
	if c.Assertion != "" {
		return &postern.Error{Kind: kind, Msg: "Unknown client, or its client_assertion is not signed with a key that is registered for it.", Why: why}
	}
	return &postern.Error{Kind: kind, Msg: clientRefused, Why: why}
}
