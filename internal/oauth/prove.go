package oauth

import (
	"context"

	"postern.dev/postern"
)

// Prove is Authenticate outside of any dialect: for an app that uses its own
// credentials at the product's API. A public app has none to prove itself with.
func (r *Rules) Prove(ctx context.Context, c ClientAuth) (*postern.App, error) {
	app, err := r.Store.App(ctx, c.ClientID)
	terms := &Terms{}
	if err == nil {
		if terms.Dialect = app.Dialect; app.Public {
			return nil, r.failed(ctx, c, postern.InvalidClient, &postern.Why{Rule: "public_app_sent_secret", AppID: app.ID})
		}
	}
	return r.proved(ctx, terms, c, app, err)
}
