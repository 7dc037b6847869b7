package web

import (
	"net/http"
	"slices"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/ui"
)

// question is a ticket with the app that asks and the wire it asks in.
type question struct {
	*postern.Ticket
	secret postern.Secret
	app    *postern.App
	wire   Wire
}

// question reads the ticket that a path names, for the browser that it is bound
// to and no other.
func (d *Door) question(r *http.Request, secret postern.Secret) (*question, error) {
	t, app, err := d.Engine.Ticket(r.Context(), secret)
	if postern.Is(err, postern.NotFound) {
		return nil, &postern.Error{Kind: expiredQuestion}
	}
	if err != nil {
		return nil, err
	}
	if bound := d.cookies.Bound(r); bound.IsZero() || !bound.Equal(t.Browser) {
		return nil, &postern.Error{Kind: otherBrowser}
	}
	wire, mounted := d.Wire(t.Dialect)
	if app == nil || app.Disabled || !mounted || !app.Speaks(t.Dialect) {
		return nil, postern.Errorf(postern.UnknownClient, "The app is no longer active here.")
	}
	return &question{t, secret, app, wire}, nil
}

// firstScopes are those of the connection that the page is about; where the app
// asks for nothing but the second token, its scopes are.
func (q *question) firstScopes() []string {
	if len(q.Scopes) == 0 && len(q.SecondScopes) > 0 {
		return q.SecondScopes
	}
	return q.Scopes
}

// ownScopes are what the app may do as the person, beside what it may do for the
// account.
func (q *question) ownScopes() []string {
	if len(q.Scopes) == 0 {
		return nil
	}
	return q.SecondScopes
}

// waiting is the question that a form came from, if there still is one.
func (d *Door) waiting(r *http.Request, ticket string) *question {
	if ticket == "" {
		return nil
	}
	q, err := d.question(r, postern.Secret(ticket))
	if err != nil {
		return nil
	}
	return q
}

// mayLeadOn lets the page's form be answered by a redirect to the app. Browsers
// also stop where the app's address sends them on, so its site and its other
// addresses, which are registered too, are named beside it.
func (q *question) mayLeadOn(header http.Header) {
	ui.AllowFormTo(header, append([]string{q.RedirectURI, q.app.URL}, q.app.RedirectURLs...)...)
}

// choices are the accounts that a person may answer for.
func (q *question) choices(memberships []postern.Membership) []postern.Membership {
	return slices.DeleteFunc(slices.Clone(memberships), func(m postern.Membership) bool {
		return m.Account.Disabled || !m.Account.OpenTo(q.app) || !q.app.MayConnect(m.Role) || !oauth.FitsTenant(q.Ticket, &m.Account)
	})
}

// about is what the answer's form is bound to: the ticket, the session, and the
// accounts as they were shown.
func (q *question) about(s *postern.Session, choices []postern.Membership) []string {
	parts := []string{browser.HashText(q.Hash), browser.HashText(s.Hash)}
	for _, c := range choices {
		parts = append(parts, c.Account.ID)
	}
	return parts
}

// stale: the app wants a sign-in that is newer than its request (OpenID Connect
// Core §3.1.2.1, prompt=login). Who signed in for the question has it already.
func (q *question) stale(s *postern.Session) bool {
	return q.Asks("login") && q.UserID != s.User.ID && !s.SignedIn.After(q.CreatedAt)
}
