package oauth

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"postern.dev/postern"
)

const (
	// ticketLife is how long a person may take to sign in and decide.
	ticketLife = 30 * time.Minute
	// maxState is how much state an app may have carried, in bytes.
	maxState = 2048
)

// Ask takes an authorize request and keeps it as a ticket, to which the browser
// is sent. Nothing is redirected before app and redirect URL are proved: such
// errors are plain (for a page); later ones are a *Refusal (RFC 6749 §4.1.2.1).
func (r *Rules) Ask(ctx context.Context, a *Ask) (postern.Secret, error) {
	app, err := r.askingApp(ctx, a)
	if err != nil {
		return "", err
	}
	to, registered, err := redirectOf(app, a)
	if err != nil {
		return "", err
	}
	if len(a.State) > maxState {
		return "", postern.Because(postern.InvalidRequest, "state_too_long", "The state parameter is longer than %d bytes.", maxState).
			With("length", len(a.State)).With("most", maxState)
	}
	if err := r.canSign(a.Terms, app); err != nil {
		return "", err
	}
	scopes, problem := asked(app, a)
	if problem != nil {
		return "", r.refusal(&Refusal{to: to, State: a.State, Err: problem, App: app, ViaPost: a.ViaPost, Dialect: a.Terms.Dialect, Tenant: a.Tenant})
	}
	if a.Probe {
		return "", nil
	}
	return r.saveTicket(ctx, a, app, to, registered, scopes)
}

// askingApp: nothing is said to strangers, and unknown, suspended and foreign
// apps look alike.
func (r *Rules) askingApp(ctx context.Context, a *Ask) (*postern.App, error) {
	if a.ClientID == "" && a.Alias.Attr != "" {
		if err := r.alias(ctx, a.Alias, &a.ClientID); err != nil {
			return nil, err
		}
	}
	app, err := r.Store.App(ctx, a.ClientID)
	if err != nil && !postern.Is(err, postern.NotFound) {
		return nil, err
	}
	if err != nil {
		return nil, postern.Because(postern.UnknownClient, "unknown_client", noApp)
	}
	if unfit := unfit(app, a.Terms.Dialect); unfit != nil {
		return nil, &postern.Error{Kind: postern.UnknownClient, Msg: noApp, Why: unfit}
	}
	return app, nil
}

const noApp = "No app is registered here under this client_id."

// unfit is why an app that exists is none here; nil: it is one. The caller is
// told the same as of an unknown app.
func unfit(app *postern.App, dialect string) *postern.Why {
	switch {
	case app.Disabled:
		return &postern.Why{Rule: "app_disabled", AppID: app.ID}
	case !app.Speaks(dialect):
		return (&postern.Why{Rule: "dialect_mismatch", AppID: app.ID}).
			With("here", dialect).With("speaks", append([]string{app.Dialect}, app.Also...))
	}
	return nil
}

func redirectOf(app *postern.App, a *Ask) (to, registered string, err error) {
	if !a.SentURI {
		if a.URIOptional && len(app.RedirectURLs) == 1 {
			return app.RedirectURLs[0], app.RedirectURLs[0], nil
		}
		return "", "", postern.Because(postern.RedirectMismatch, "redirect_uri_missing", "The request names no redirect_uri, and one is needed.").
			With("registered", app.RedirectURLs)
	}
	registered, ok := registeredURI(app, a.RedirectURI)
	if !ok {
		return "", "", postern.Because(postern.RedirectMismatch, "redirect_uri_mismatch", "The redirect_uri is not one that the app has registered, byte for byte.").
			With("sent", a.RedirectURI).With("registered", nearest(app.RedirectURLs, a.RedirectURI))
	}
	return a.RedirectURI, registered, nil
}

// asked checks what may be answered by redirect, in the order of the wire's
// tables (xref.md §1, xeebo.md §1).
func asked(app *postern.App, a *Ask) ([]string, *postern.Error) {
	switch {
	case a.Request:
		return nil, postern.Because(postern.RequestNotSupported, "request_object", "Request objects are not supported: send plain parameters.")
	case a.RequestURI:
		return nil, postern.Because(postern.RequestURINotSupported, "request_object", "Request objects are not supported: send plain parameters.")
	case a.ResponseType == "":
		return nil, postern.Because(postern.InvalidRequest, "parameter_missing", "The parameter response_type is missing.").With("name", "response_type")
	case a.ResponseType != "code":
		return nil, postern.Because(postern.UnsupportedResponseType, "response_type_wrong", "Only response_type=code is supported.").With("sent", a.ResponseType)
	case a.ResponseMode != "" && a.ResponseMode != "query":
		return nil, postern.Because(postern.InvalidRequest, "response_mode_wrong", "Only response_mode=query is supported.").With("sent", a.ResponseMode)
	case !app.MayUse("authorization_code"):
		return nil, postern.Because(postern.UnauthorizedClient, "grant_not_allowed", "This app may not use the authorization code flow.").
			With("grant", "authorization_code").With("allowed", app.Grants)
	}
	if err := challengeOf(app, a); err != nil {
		return nil, err
	}
	if a.Terms.Consent != ConsentAlways && a.Prompt != "none" && slices.Contains(strings.Fields(a.Prompt), "none") {
		return nil, postern.Because(postern.InvalidRequest, "prompt_contradicts", "prompt=none goes with no other value.").With("sent", a.Prompt)
	}
	if err := grantableSecond(a.Terms, app, a.SecondScopes); err != nil {
		return nil, err
	}
	if len(a.Scopes) == 0 && len(a.SecondScopes) > 0 && !a.ScopeProblem {
		return nil, nil // the app named what it wants: the second token alone
	}
	return grantable(a.Terms, app, a.Scopes, a.ScopeProblem)
}

// challengeOf: S256 only, never half of it, always for public apps (RFC 7636
// §4.3, RFC 9700 §2.1.1).
func challengeOf(app *postern.App, a *Ask) *postern.Error {
	if a.Challenge == "" && a.ChallengeMethod == "" {
		if app.Public || a.Terms.PKCE != PKCEOptional {
			return postern.Because(postern.InvalidRequest, "pkce_missing", "PKCE is required: send code_challenge and code_challenge_method=S256.")
		}
		return nil
	}
	if a.ChallengeMethod != "S256" || !validChallenge(a.Challenge) {
		return postern.Because(postern.InvalidRequest, "pkce_challenge_malformed", "Send a code_challenge of 43 base64url characters with code_challenge_method=S256.").
			With("method", a.ChallengeMethod).With("length", len(a.Challenge))
	}
	return nil
}

func (r *Rules) saveTicket(ctx context.Context, a *Ask, app *postern.App, to, registered string, scopes []string) (postern.Secret, error) {
	secret, err := postern.TicketForm.Mint(r.Random)
	if err != nil {
		return "", postern.Wrap(postern.ServerError, err)
	}
	now := r.Now()
	err = r.Store.SaveTicket(ctx, &postern.Ticket{
		Hash: secret.Hash(), Browser: a.Browser, AppID: app.ID, Dialect: a.Terms.Dialect,
		RedirectURI: to, RegisteredURI: registered, SentURI: a.SentURI, ViaPost: a.ViaPost,
		State: a.State, Scopes: scopes, SecondScopes: a.SecondScopes, Challenge: a.Challenge,
		Prompt: promptOf(a), LoginHint: hintOf(a.LoginHint),
		Tenant: a.Tenant, TenantKey: a.TenantKey, Kept: a.Kept,
		CreatedAt: now, ExpiresAt: now.Add(ticketLife),
	})
	return secret, err
}

// hintOf keeps a hint only if it could be an e-mail address (RFC 5321 §4.5.3.1).
func hintOf(hint string) string {
	const longest = 320
	if len(hint) > longest {
		return ""
	}
	return hint
}

// promptOf: where consent is asked every time, prompt can only ask for another
// sign-in (xref.md §1); it skips nothing anywhere.
func promptOf(a *Ask) string {
	var kept []string
	for _, word := range strings.Fields(a.Prompt) {
		if word == "login" || a.Terms.Consent != ConsentAlways && (word == "consent" || word == "none") {
			kept = append(kept, word)
		}
	}
	return strings.Join(kept, " ")
}

// Ticket reads a pending consent with the app that asks; nil: it was removed. One
// that has expired or never was is NotFound.
func (r *Rules) Ticket(ctx context.Context, secret postern.Secret) (*postern.Ticket, *postern.App, error) {
	if !postern.TicketForm.Matches(secret) {
		return nil, nil, postern.Errorf(postern.NotFound, "This question is not known here.")
	}
	t, app, err := r.Store.Ticket(ctx, secret.Hash())
	if err != nil {
		return nil, nil, err
	}
	if !r.Now().Before(t.ExpiresAt) {
		return nil, nil, postern.Errorf(postern.NotFound, "This question has waited too long for its answer.")
	}
	return t, app, nil
}

// ShowTicket gives the ticket to the person it is shown to first; nobody else
// may see or answer it then.
func (r *Rules) ShowTicket(ctx context.Context, t *postern.Ticket, userID string) error {
	if t.UserID == userID {
		return nil
	}
	if t.UserID != "" {
		return postern.Errorf(postern.Forbidden, "This question was put to somebody else.")
	}
	if err := r.Store.BindTicket(ctx, t.Hash, userID); err != nil {
		return err
	}
	t.UserID = userID
	return nil
}

// FitsTenant reports whether an account is the one that the request's host or
// path named; without such a name every account fits.
func FitsTenant(t *postern.Ticket, a *postern.Account) bool {
	return Tenant{t.TenantKey, t.Tenant}.Fits(a)
}

// Tenant is an account as a request's host or path names it.
type Tenant struct {
	Key  string // what it is named by: "id", "handle", "name", "number" or "attr.X"; empty: the request names none
	Name string
}

// Fits reports whether an account is the one that is named; where none is,
// every account is.
func (t Tenant) Fits(a *postern.Account) bool {
	switch t.Key {
	case "":
		return true
	case "id":
		return t.Name == a.ID || t.Name == a.WireID
	case "handle":
		return a.Handle != "" && t.Name == a.Handle
	case "name":
		return t.Name == a.Name
	case "number":
		return t.Name == strconv.FormatInt(a.Number, 10)
	}
	value, ok := a.Attributes[strings.TrimPrefix(t.Key, "attr.")]
	return ok && t.Name == value
}
