package web

import (
	"errors"
	"net/http"
	"slices"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/oauth"
	"postern.dev/postern/internal/ui"
)

// answerConsent takes Allow or Deny. The form must be the one that was shown, in
// this browser, to this person; then the engine decides, once.
func (d *Door) answerConsent(w http.ResponseWriter, r *http.Request) error {
	q, err := d.question(r, postern.Secret(r.PathValue("ticket")))
	if err != nil {
		return err
	}
	s, err := d.session(r)
	if err != nil {
		return err
	}
	if s == nil || q.UserID != s.User.ID {
		return postern.Errorf(postern.Forbidden, "This question was not put to you in this browser. Go back to the app and start again from there.")
	}
	memberships, err := d.People.Memberships(r.Context(), s.User.ID)
	if err != nil {
		return err
	}
	choices := q.choices(memberships)
	if err := d.cookies.Proved(r, toAnswer, q.about(s, choices)...); err != nil {
		return err
	}
	if !ownAccounts(r, memberships) {
		return postern.Errorf(postern.Forbidden, "The account in this form is not one of yours.")
	}
	form, err := browser.Fields(r, "decision", "account")
	if err != nil {
		return err
	}
	switch decision, account := form[0], form[1]; {
	case !q.AnsweredAt.IsZero():
		return d.sayAnswered(w, r, http.StatusConflict)
	case decision == "deny":
		return d.decide(w, r, q, s, nil)
	case decision != "allow":
		return postern.Errorf(postern.InvalidRequest, "The form says neither Allow nor Deny.")
	case q.stale(s):
		return redirect(w, r, "/consent/"+string(q.secret))
	default:
		return d.allow(w, r, q, s, memberships, choices, account)
	}
}

// ownAccounts: an account in a form must be the person's, also where none was
// asked (DESIGN §3, "On pages").
func ownAccounts(r *http.Request, memberships []postern.Membership) bool {
	for _, id := range r.PostForm["account"] {
		if find(memberships, id) == nil {
			return false
		}
	}
	return true
}

func find(memberships []postern.Membership, accountID string) *postern.Membership {
	i := slices.IndexFunc(memberships, func(m postern.Membership) bool { return m.Account.ID == accountID })
	if i < 0 {
		return nil
	}
	return &memberships[i]
}

func (d *Door) allow(w http.ResponseWriter, r *http.Request, q *question, s *postern.Session, memberships, choices []postern.Membership, account string) error {
	switch {
	case account != "":
		return d.decide(w, r, q, s, find(memberships, account)) // whether the role may is the engine's to say
	case len(choices) == 1:
		return d.decide(w, r, q, s, &choices[0])
	case len(choices) == 0:
		return postern.Errorf(postern.Forbidden, "You may not connect this app.")
	}
	return d.askYesOrNo(w, r, q, s, choices, ui.Say("Choose which account you want to connect."))
}

// decide hands the answer to the engine; without an account it is no.
func (d *Door) decide(w http.ResponseWriter, r *http.Request, q *question, s *postern.Session, account *postern.Membership) error {
	granted, err := d.Engine.Decide(r.Context(), &oauth.Decision{
		Terms: q.wire.Terms(), Ticket: q.Ticket, User: s.User, Allow: account != nil, Account: account, Address: d.Address(r),
	})
	return d.answered(w, r, q, granted, err)
}

// answered sends the browser back to the app, with the engine's yes or no. The
// address was proved when the question was asked; only the engine can make
// these two values.
func (d *Door) answered(w http.ResponseWriter, r *http.Request, q *question, granted *oauth.Granted, err error) error {
	var to string
	status := http.StatusFound
	refusal, refused := errors.AsType[*oauth.Refusal](err)
	d.tell(r, q, granted, err)
	switch {
	case refused:
		to = q.wire.Refused(refusal, d.PublicURL)
	case postern.Is(err, postern.Conflict):
		return d.sayAnswered(w, r, http.StatusConflict)
	case err == nil:
		to = q.wire.Allowed(granted, d.PublicURL)
	default:
		return err
	}
	if q.ViaPost { // the app's request came by POST (xref.md §2)
		status = http.StatusSeeOther
	}
	// Not http.Redirect: it would write the code into a body, and rewrite the URL.
	w.Header().Set("Location", to)
	w.WriteHeader(status)
	return nil
}
