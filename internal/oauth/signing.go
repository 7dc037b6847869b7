package oauth

import (
	"errors"

	"postern.dev/postern"
)

// Some wires sign what the browser carries to the app with the app's own client
// secret (callback.sign in a dialect's file). Then, and only then, the secret is
// kept in a form that can be opened again.

// canSign reports whether redirects to the app can be signed as its wire wants.
// It is asked before anything else, so that nobody signs in for nothing.
func (r *Rules) canSign(terms *Terms, app *postern.App) error {
	if !terms.SignsCallbacks || r.Sealed != nil && app.SigningSecret(r.Now()) != nil {
		return nil
	}
	return postern.Because(postern.UnauthorizedClient, "secret_not_recoverable",
		"This wire signs its answers with the app's secret, and this app's secret is not kept in a form to sign with: declare it again.")
}

var errNoSealer = errors.New("a secret is sealed, and nothing here opens it")

// signingKey is the secret that redirects to the app are signed with; "" for the
// many apps that need none.
func (r *Rules) signingKey(app *postern.App) (postern.Secret, error) {
	s := app.SigningSecret(r.Now())
	if s == nil {
		return "", nil
	}
	if r.Sealed == nil {
		return "", postern.Wrap(postern.ServerError, errNoSealer)
	}
	plain, err := r.Sealed.Open("app_secrets", s.ID, "sealed", s.Sealed)
	if err != nil {
		return "", postern.Wrap(postern.ServerError, err)
	}
	return postern.Secret(plain), nil
}
