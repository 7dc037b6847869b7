package oauth

import (
	"slices"

	"postern.dev/postern"
)

// maxScopes bounds the work that one request can ask for.
const maxScopes = 200

// grantable decides what an app is asking for: what it named, or its defaults.
// Nothing that it may not ask for gets through (RFC 6749 §3.3).
func grantable(terms *Terms, app *postern.App, asked []string, problem bool) ([]string, *postern.Error) {
	switch {
	case terms.NoScopes:
		return nil, nil
	case problem, len(asked) > maxScopes:
		return nil, postern.Because(postern.InvalidRequest, "scope_malformed", "The scope parameter is not a list of scope names.")
	case len(asked) == 0:
		return defaultScopes(terms, app)
	}
	for _, s := range asked {
		if !slices.Contains(app.Scopes, s) {
			return nil, postern.Because(postern.InvalidScope, "scope_not_allowed", "This app may not ask for one of the scopes that it named.").
				With("scope", s).With("allowed", app.Scopes)
		}
	}
	return asked, nil
}

func defaultScopes(terms *Terms, app *postern.App) ([]string, *postern.Error) {
	switch {
	case len(app.DefaultScopes) > 0:
		return app.DefaultScopes, nil
	case !terms.ScopesRequired:
		return nil, nil
	case len(app.Scopes) == 0 && app.Dialect != terms.Dialect:
		// An app whose own wire has no scopes, asking through a further dialect:
		// the connection means the same in both.
		return nil, nil
	}
	return nil, postern.Because(postern.InvalidScope, "scope_missing", "Name the scopes that the app asks for: it has no default ones.").With("allowed", app.Scopes)
}

// grantableSecond is grantable for the second token: it is given to who asks for
// it, and has no defaults.
func grantableSecond(terms *Terms, app *postern.App, asked []string) *postern.Error {
	if len(asked) == 0 {
		return nil
	}
	if terms.Second == nil {
		return postern.Because(postern.InvalidScope, "scope_without_second_token", "There is no second scope set here.")
	}
	_, err := grantable(terms, app, asked, false)
	return err
}

// narrowed is the scope of a refreshed access token: all of what was granted,
// or the named part of it (RFC 6749 §6). It never widens.
func narrowed(app *postern.App, granted, asked []string, problem bool) ([]string, *postern.Error) {
	if problem || len(asked) > maxScopes {
		return nil, postern.Because(postern.InvalidRequest, "scope_malformed", "The scope parameter is not a list of scope names.")
	}
	left := allowed(app, granted)
	if len(left) == 0 && len(granted) > 0 {
		return nil, postern.Because(postern.InvalidScope, "scope_taken_away", "This app may not have any of the scopes that were granted any more.").With("granted", granted)
	}
	if len(asked) == 0 {
		return left, nil
	}
	for _, s := range asked {
		if !slices.Contains(left, s) {
			return nil, postern.Because(postern.InvalidScope, "scope_widened", "A refresh cannot widen the scope.").With("scope", s).With("granted", left)
		}
	}
	return asked, nil
}

// allowed are those of the granted scopes that the app may still have: what an
// operator took away holds for the next token.
func allowed(app *postern.App, granted []string) []string {
	if len(granted) == 0 {
		return granted
	}
	kept := make([]string, 0, len(granted))
	for _, s := range granted {
		if slices.Contains(app.Scopes, s) {
			kept = append(kept, s)
		}
	}
	return kept
}
