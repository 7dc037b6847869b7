package web

import (
	"context"
	"net/http"
	"slices"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/ui"
)

// showConsent is the one page that knows the next step.
func (d *Door) showConsent(w http.ResponseWriter, r *http.Request) error {
	q, err := d.question(r, postern.Secret(r.PathValue("ticket")))
	if err != nil {
		return err
	}
	session, err := d.session(r)
	if err != nil {
		return err
	}
	switch {
	case !q.AnsweredAt.IsZero():
		return d.sayAnswered(w, r, http.StatusOK)
	case r.Method == http.MethodHead: // looks, and changes nothing
		return nil
	case q.Asks("none"):
		return d.answerSilently(w, r, q, session)
	case session == nil:
		return d.askWhoYouAre(w, r, http.StatusOK, q, &ui.SignInPage{})
	case q.stale(session):
		return d.askWhoYouAre(w, r, http.StatusOK, q, &ui.SignInPage{Email: session.User.Email, Again: true})
	}
	return d.showTo(w, r, q, session)
}

// showTo puts the question to a person, unless that person may not answer it or
// has answered it for good.
func (d *Door) showTo(w http.ResponseWriter, r *http.Request, q *question, s *postern.Session) error {
	if err := d.Engine.ShowTicket(r.Context(), q.Ticket, s.User.ID); err != nil {
		return err
	}
	memberships, err := d.People.Memberships(r.Context(), s.User.ID)
	if err != nil {
		return err
	}
	choices := q.choices(memberships)
	if len(choices) == 0 {
		return d.sayWhoMay(w, r, q, s, memberships)
	}
	if len(choices) == 1 {
		done, err := d.Engine.Remembered(r.Context(), q.wire.Terms(), q.Ticket, q.app, s.User.ID, choices[0].Account.ID)
		if err != nil {
			return err
		}
		if done {
			return d.decide(w, r, q, s, &choices[0])
		}
	}
	return d.askYesOrNo(w, r, q, s, choices, ui.Text{})
}

// answerSilently never shows anything (OpenID Connect Core §3.1.2.1,
// prompt=none): a stored consent answers, or the app is told what is missing.
func (d *Door) answerSilently(w http.ResponseWriter, r *http.Request, q *question, s *postern.Session) error {
	ctx := r.Context()
	if s == nil {
		return d.answered(w, r, q, nil, d.Engine.Refuse(ctx, q.Ticket, postern.LoginRequired))
	}
	memberships, err := d.People.Memberships(ctx, s.User.ID)
	if err != nil {
		return err
	}
	choices := q.choices(memberships)
	if len(choices) != 1 {
		return d.answered(w, r, q, nil, d.Engine.Refuse(ctx, q.Ticket, postern.ConsentRequired))
	}
	done, err := d.Engine.Remembered(ctx, q.wire.Terms(), q.Ticket, q.app, s.User.ID, choices[0].Account.ID)
	if err != nil {
		return err
	}
	if !done {
		return d.answered(w, r, q, nil, d.Engine.Refuse(ctx, q.Ticket, postern.ConsentRequired))
	}
	if err := d.Engine.ShowTicket(ctx, q.Ticket, s.User.ID); err != nil {
		return err
	}
	return d.decide(w, r, q, s, &choices[0])
}

// askYesOrNo shows the question, and which account where there are several.
func (d *Door) askYesOrNo(w http.ResponseWriter, r *http.Request, q *question, s *postern.Session, choices []postern.Membership, problem ui.Text) error {
	bound, err := d.bind(w, r)
	if err != nil {
		return err
	}
	page := &ui.ConsentPage{
		Token:        browser.FormToken(bound, toAnswer, q.about(s, choices)...),
		SignOutToken: browser.FormToken(bound, toSignOut, browser.HashText(s.Hash)),
		Ticket:       string(q.secret), App: q.app, User: s.User, Problem: problem,
		Site: ui.Host(q.app.URL), Goes: ui.Host(q.RedirectURI), Level: q.Level(q.app),
	}
	live, err := d.Rows.Connections(r.Context(), s.User.ID, q.app.ID)
	if err != nil {
		return err
	}
	if page.Changed, err = d.lookChanged(r.Context(), q, s, live); err != nil {
		return err
	}
	var have []string // scopes of the one connection there is
	for _, c := range choices {
		choice := ui.Choice{Account: c.Account}
		if l := liveIn(live, q, c.Account.ID); l != nil {
			choice.Live = &ui.Standing{Since: l.Connection.CreatedAt, By: l.Maker.Display(), Adds: missing(l.Connection.Scopes, q.firstScopes())}
			have = l.Connection.Scopes
		}
		page.Choices = append(page.Choices, choice)
	}
	if len(q.firstScopes()) > 0 {
		catalogue, err := d.Rows.ScopeCatalogue(r.Context())
		if err != nil {
			return err
		}
		page.Scopes, page.Own = scopeLines(catalogue, q.firstScopes()), scopeLines(catalogue, q.ownScopes())
	}
	if only := page.Only(); only != nil && only.Live != nil {
		for i, name := range q.firstScopes() {
			page.Scopes[i].New = !slices.Contains(have, name)
		}
	}
	q.mayLeadOn(w.Header())
	d.write(w, r, http.StatusOK, page)
	return nil
}

// liveIn is the connection that Allow would add to.
func liveIn(live []postern.Listing, q *question, accountID string) *postern.Listing {
	for i, l := range live {
		own := l.Connection.UserID != ""
		if l.Account.ID == accountID && own == (q.Level(q.app) == postern.UserLevel) {
			return &live[i]
		}
	}
	return nil
}

func missing(have, want []string) (n int) {
	for _, scope := range want {
		if !slices.Contains(have, scope) {
			n++
		}
	}
	return n
}

// lookChanged: what people see of the app is not what they approved
// (attacks.md LC-08).
func (d *Door) lookChanged(ctx context.Context, q *question, s *postern.Session, live []postern.Listing) (bool, error) {
	changed, approved, err := d.Rows.LookChanged(ctx, q.app.ID, s.User.ID)
	if err != nil {
		return false, err
	}
	for _, l := range live {
		if l.Connection.CreatedAt.After(approved) {
			approved = l.Connection.CreatedAt
		}
	}
	return !approved.IsZero() && approved.Before(changed), nil
}

// scopeLines says scopes in the operator's words.
func scopeLines(catalogue []postern.Scope, names []string) []ui.ScopeLine {
	lines := make([]ui.ScopeLine, len(names))
	for i, name := range names {
		lines[i] = ui.ScopeLine{Text: postern.ScopeText(catalogue, name)}
	}
	return lines
}

// somePeople is how many approvers a page names.
const somePeople = 5

// sayWhoMay tells a person who may not connect the app who can. It is a step of
// the way, not an error.
func (d *Door) sayWhoMay(w http.ResponseWriter, r *http.Request, q *question, s *postern.Session, memberships []postern.Membership) error {
	bound, err := d.bind(w, r)
	if err != nil {
		return err
	}
	page := &ui.WhoMayPage{
		Token:        browser.FormToken(bound, toAnswer, q.about(s, nil)...),
		SignOutToken: browser.FormToken(bound, toSignOut, browser.HashText(s.Hash)),
		Ticket:       string(q.secret), App: q.app, User: s.User,
		Reason: ui.Say("You are not a member of an account that this app can be connected to."),
	}
	if !q.app.Live() {
		page.Reason = ui.Say("This app has not been approved for real accounts yet. Until then it can be connected to its own sandbox only; its makers sign in here as somebody of that sandbox.")
		d.Log.InfoContext(r.Context(), "a real account was not offered", "rule", "app_not_live", "app", q.app.ID, "user", s.User.ID)
	}
	for _, m := range memberships {
		if m.Account.Disabled || !m.Account.OpenTo(q.app) || !oauth.FitsTenant(q.Ticket, &m.Account) {
			continue
		}
		page.Reason = ui.Say("Your role does not let you connect this app.")
		people, err := d.Rows.MembersWithRoles(r.Context(), m.Account.ID, q.app.ConnectRoles, somePeople)
		if err != nil {
			return err
		}
		page.Accounts = append(page.Accounts, ui.Approvers{Account: m.Account.Name, Roles: q.app.ConnectRoles, People: people})
	}
	q.mayLeadOn(w.Header())
	d.write(w, r, http.StatusOK, page)
	return nil
}

// sayAnswered is the neutral end of a question.
func (d *Door) sayAnswered(w http.ResponseWriter, r *http.Request, status int) error {
	d.write(w, r, status, &ui.MessagePage{
		Heading: ui.Say("Already answered"),
		What:    ui.Say("This question was answered before, and an answer counts once."),
		Do:      ui.Say("Go back to the app. If it is not connected, start again from there."),
		Link:    "/connections", LinkText: ui.Say("Your connections"),
	})
	return nil
}
