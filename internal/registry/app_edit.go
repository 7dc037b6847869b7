package registry

import (
	"context"
	"slices"
	"strings"
	"time"

	"postern.dev/postern"
)

// By is who changes something in the portal, in the console or at the terminal.
type By struct {
	Actor    string // for the audit log: "staff:ID", "operator"
	Staff    string // the person's id; empty: none
	Operator bool   // not one of the partner's own people
	Address  string
}

// Edited is what became of a form.
type Edited struct {
	App      *App
	Proposed bool // what people see of the app waits for the operator
}

// CreateApp registers an app of a partner. It is live at once, unless the
// operator asks for reviews: then it works in its partner's sandbox until it is
// approved. Where the form has to be looked at again, the error is of type
// Findings and nothing was written.
func (r *Rules) CreateApp(ctx context.Context, by By, partnerID string, f *AppForm) (*App, error) {
	id, err := postern.NewID(r.Random, "app_")
	if err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	var made *App
	err = r.Store.ApplyRegistry(ctx, &Mentions{Partners: []string{partnerID}, Names: true, Staff: by.Staff}, r.Now(), func(s *State) (*Writes, error) {
		if err := by.may(s, partnerID); err != nil {
			return nil, err
		}
		if err := r.roomFor(s, partnerID); err != nil {
			return nil, err
		}
		d := r.drafted(s, nil, partnerID, f)
		if err := d.findings.err(f.Sure); err != nil {
			return nil, err
		}
		d.next.ID = id
		wear(&d.next, d.looks)
		if r.Review {
			d.next.Review, d.next.ReviewedAt = postern.Waiting, r.Now()
		}
		if err := r.keyFor(&d.next); err != nil {
			return nil, err
		}
		made = &d.next
		return by.writes(&Writes{
			Apps:  []Put[App]{{Row: d.next, New: true}},
			Audit: []Audit{{"app.created", "app:" + id, d.next.Name}},
		}), nil
	})
	return made, err
}

// roomFor finds the partner, and whether it may have another app.
func (r *Rules) roomFor(s *State, partnerID string) error {
	at := slices.IndexFunc(s.Partners, func(p Partner) bool { return p.ID == partnerID && !p.Removed })
	if at < 0 {
		return postern.Errorf(postern.NotFound, "There is no such partner.")
	}
	apps, today, yesterday := 0, 0, r.Now().Add(-24*time.Hour)
	for _, a := range s.Apps {
		if a.Partner.ID != partnerID {
			continue
		}
		if !a.Removed {
			apps++
		}
		if a.CreatedAt.After(yesterday) {
			today++
		}
	}
	switch {
	case s.Partners[at].Disabled:
		return postern.Errorf(postern.Forbidden, "%s is switched off, so it cannot register apps.", s.Partners[at].Name)
	case apps >= mostApps:
		return postern.Errorf(postern.Conflict, "%s has %d apps, which is as many as a partner can register. Remove one first.", s.Partners[at].Name, apps)
	case today >= mostAppsADay:
		e := postern.Errorf(postern.RateLimited, "Very many apps were registered today. Try again tomorrow.")
		e.RetryAfter = 24 * time.Hour
		return e
	}
	return nil
}

// TryApp says what CreateApp (of an app "") or EditApp would make of a form, and
// writes nothing.
func (r *Rules) TryApp(ctx context.Context, partnerID, appID string, f *AppForm) (*App, Findings, error) {
	m := &Mentions{Names: true}
	if appID != "" {
		m.Apps = []string{appID}
	}
	s, err := r.Store.Registry(ctx, m)
	if err != nil {
		return nil, nil, err
	}
	var old *App
	if appID != "" {
		if old, err = found(s, appID); err != nil {
			return nil, nil, err
		}
		partnerID = old.Partner.ID
	}
	d := r.drafted(s, old, partnerID, f)
	wear(&d.next, d.looks)
	return &d.next, d.findings, nil
}

func found(s *State, appID string) (*App, error) {
	for i := range s.Apps {
		if s.Apps[i].ID == appID && !s.Apps[i].Removed {
			return &s.Apps[i], nil
		}
	}
	return nil, postern.Errorf(postern.NotFound, "There is no such app.")
}

// EditApp brings an app to what its partner says of it. Where the operator asks
// for reviews, what people see of a live app is proposed, and stays as it is
// meanwhile; all else changes at once. Findings are as with CreateApp.
func (r *Rules) EditApp(ctx context.Context, by By, appID string, f *AppForm) (*Edited, error) {
	var done *Edited
	err := r.change(ctx, by, appID, true, func(s *State, old *App) (*Writes, error) {
		d := r.drafted(s, old, old.Partner.ID, f)
		if err := d.findings.err(f.Sure); err != nil {
			return nil, err
		}
		if err := r.keyFor(&d.next); err != nil {
			return nil, err
		}
		if d.next.Public {
			d.next.Secrets, d.next.DeclaredSecrets, d.next.JWKS = nil, "", ""
		}
		w := &Writes{}
		done = &Edited{App: &d.next}
		if done.Proposed = r.propose(w, by, old, &d.next, d.looks, nil); !done.Proposed {
			wear(&d.next, d.looks)
		}
		keys := changedKeys(old, &d.next)
		switch {
		case len(keys) > 0:
			d.askAnew()
			w.Apps = []Put[App]{{Row: d.next, Looks: otherFace(old.Looks(), d.next.Looks())}}
			w.Audit = append(w.Audit, Audit{"app.changed", "app:" + appID, strings.Join(keys, ", ")})
		case len(w.Proposals) == 0:
			return &Writes{}, nil
		}
		return w, nil
	})
	return done, err
}

// askAnew has the operator look again at what was rejected.
func (d *draft) askAnew() {
	if d.next.Review == postern.Rejected {
		d.next.Review, d.next.ReviewedAt = postern.Waiting, d.rules.Now()
	}
}

// wear gives the app looks: what people see of it becomes so. Where the scopes that
// are asked for when none is named were all that it may ask for, they stay so.
func wear(a *App, l postern.Looks) {
	all := slices.Equal(a.DefaultScopes, a.Scopes)
	a.Name, a.Description, a.URL, a.LogoURL, a.RedirectURLs = l.Name, l.Description, l.URL, l.LogoURL, l.RedirectURLs
	if l.LogoURL == "" {
		a.LogoHash = l.LogoHash
	}
	a.Scopes = l.Scopes
	if a.MayUse(clientCredentials) != l.ForItself {
		a.Grants = slices.DeleteFunc(slices.Clone(a.Grants), func(g string) bool { return g == clientCredentials })
		if l.ForItself {
			a.Grants = append(a.Grants, clientCredentials)
		}
	}
	if all {
		a.DefaultScopes = l.Scopes
		return
	}
	a.DefaultScopes = slices.DeleteFunc(slices.Clone(a.DefaultScopes), func(s string) bool { return !slices.Contains(l.Scopes, s) })
}

// propose keeps a change of a live app's looks for the operator, where reviews
// are asked for, and reports whether it did. What is given up needs no review.
func (r *Rules) propose(w *Writes, by By, old, next *App, looks postern.Looks, png []byte) bool {
	if !r.Review || !old.Live() {
		if old.Proposal != nil {
			w.Proposals = append(w.Proposals, Proposed{AppID: old.ID})
		}
		return false
	}
	was := old.Looks()
	if !slices.ContainsFunc(looks.Scopes, func(s string) bool { return !slices.Contains(was.Scopes, s) }) {
		was.Scopes = looks.Scopes
	}
	was.ForItself = was.ForItself && looks.ForItself
	wear(next, was)
	switch {
	case looks.Equal(was) && old.Proposal == nil:
		return false
	case looks.Equal(was):
		w.Proposals = append(w.Proposals, Proposed{AppID: old.ID})
		w.Audit = append(w.Audit, Audit{"app.proposal_withdrawn", "app:" + old.ID, ""})
		return true
	case old.Proposal != nil && old.Proposal.Looks.Equal(looks) && old.Proposal.Review == postern.Waiting && png == nil:
		return true
	}
	p := &postern.Proposal{Looks: looks, By: by.Staff, At: r.Now(), Review: postern.Waiting}
	w.Proposals = append(w.Proposals, Proposed{AppID: old.ID, Proposal: p, PNG: png})
	w.Audit = append(w.Audit, Audit{"app.proposed", "app:" + old.ID, strings.Join(Differences(was, looks), ", ")})
	return true
}

// Differences are the keys in which two looks differ.
func Differences(a, b postern.Looks) (keys []string) {
	for _, k := range []struct {
		name string
		same bool
	}{
		{"name", a.Name == b.Name}, {"description", a.Description == b.Description}, {"url", a.URL == b.URL},
		{"logo", a.LogoURL == b.LogoURL && a.LogoHash == b.LogoHash},
		{"redirect_urls", slices.Equal(a.RedirectURLs, b.RedirectURLs)}, {"scopes", slices.Equal(a.Scopes, b.Scopes)},
		{"grants", a.ForItself == b.ForItself},
	} {
		if !k.same {
			keys = append(keys, k.name)
		}
	}
	return keys
}

// otherFace reports whether people see another app than the one that they
// approved (LC-08). What it may ask for is none of that: they are asked for what
// is new (LC-06).
func otherFace(was, is postern.Looks) bool {
	is.Scopes, is.ForItself = was.Scopes, was.ForItself
	return !is.Equal(was)
}

func changedKeys(old, next *App) []string {
	keys := Differences(old.Looks(), next.Looks())
	if old.WebhookURL != next.WebhookURL {
		keys = append(keys, "webhook_url")
	}
	if old.Public != next.Public {
		keys = append(keys, "public")
	}
	if !sameTexts(old.Reasons, next.Reasons) {
		keys = append(keys, "scope reasons")
	}
	return keys
}

func sameTexts(a, b map[string]string) bool {
	if len(a) != len(b) {
		return false
	}
	for k, v := range a {
		if b[k] != v {
			return false
		}
	}
	return true
}

// keyFor makes the webhook key that an endpoint's messages are signed with. It
// is not told: who wants to know one makes a new one.
func (r *Rules) keyFor(a *App) error {
	if a.WebhookURL == "" || len(a.WebhookSecret) > 0 {
		return nil
	}
	secret, err := mintWebhookSecret(r.Random)
	if err == nil {
		a.WebhookSecret, err = r.Sealer.Seal("apps", a.ID, "webhook_secret", []byte(secret))
	}
	if err != nil {
		return postern.Wrap(postern.ServerError, err)
	}
	return nil
}

// writes are an act's with whose it is.
func (by By) writes(w *Writes) *Writes {
	w.Actor, w.Address = by.Actor, by.Address
	return w
}

// may refuses who changes a partner's apps and is not, or not any more, one of its
// people who may. What a page said before counts for nothing: its form may have
// waited, and whoever was put out meanwhile would be shown a new secret.
func (by By) may(s *State, partnerID string) error {
	if by.Operator || by.Staff == "" {
		return nil
	}
	for _, m := range s.MemberOf {
		switch {
		case m.Partner.ID != partnerID:
		case !m.Role.MayEdit():
			return postern.Errorf(postern.Forbidden, "Your role in %s is viewer: it sees everything and changes nothing.", m.Partner.Name)
		default:
			return m.Partner.MayChange()
		}
	}
	return postern.Errorf(postern.NotFound, "There is no such app, or it is not yours to see.")
}

// change lets decide say what becomes of an app, in one transaction that no
// other change of an app overlaps.
func (r *Rules) change(ctx context.Context, by By, appID string, names bool, decide func(s *State, old *App) (*Writes, error)) error {
	return r.changeBy(ctx, by, appID, &Mentions{Names: names}, decide)
}

// changeBy is change for who must know more than the app.
func (r *Rules) changeBy(ctx context.Context, by By, appID string, m *Mentions, decide func(s *State, old *App) (*Writes, error)) error {
	m.Apps, m.Staff = []string{appID}, by.Staff
	return r.apply(ctx, m, func(s *State) (*Writes, error) {
		app, err := found(s, appID)
		if err == nil {
			err = by.may(s, app.Partner.ID)
		}
		if err != nil {
			return nil, err
		}
		w, err := decide(s, app)
		if err != nil {
			return nil, err
		}
		return by.writes(w), nil
	})
}

// apply writes what was decided. It holds at once where it was asked for.
func (r *Rules) apply(ctx context.Context, m *Mentions, decide func(*State) (*Writes, error)) error {
	err := r.Store.ApplyRegistry(ctx, m, r.Now(), decide)
	if err == nil && r.Learn != nil {
		r.Learn(ctx)
	}
	return err
}
