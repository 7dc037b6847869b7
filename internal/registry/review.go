package registry

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"strings"

	"postern.dev/postern"
)

// Seen names what the operator looked at: an answer counts for that and nothing
// that came after.
func Seen(a *App) string {
	var proposed postern.Proposal
	if a.Proposal != nil {
		proposed = *a.Proposal
	}
	text, err := json.Marshal([]any{a.Review, a.Looks(), a.LogoHash, a.LogoProblem, a.Reasons,
		proposed.Looks, proposed.Picture, proposed.Problem, proposed.Review == postern.Waiting})
	if err != nil {
		panic(err) // texts always marshal
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:16])
}

// WaitsForReview reports whether there is something to decide.
func (a *App) WaitsForReview() bool {
	return a.Review == postern.Waiting || a.Live() && a.Proposal != nil && a.Proposal.Review == postern.Waiting
}

// ApproveApp opens real accounts to an app, or makes a proposed change so. The
// reason may be empty; seen is Seen of what was looked at, or empty for whatever
// there is. Of two answers one counts, the other is a Conflict.
func (r *Rules) ApproveApp(ctx context.Context, by By, appID, reason, seen string) (*App, error) {
	return r.answer(ctx, by, appID, reason, seen, true)
}

// RejectApp says no, with the reason that its partner reads. The app, or its
// change, can be handed in again.
func (r *Rules) RejectApp(ctx context.Context, by By, appID, reason, seen string) (*App, error) {
	if strings.TrimSpace(reason) == "" {
		return nil, Findings{{Field: "reason", Words: "Say why: the app’s people read it, and know what to change."}}
	}
	return r.answer(ctx, by, appID, reason, seen, false)
}

func (r *Rules) answer(ctx context.Context, by By, appID, reason, seen string, yes bool) (*App, error) {
	if problem := aboutText(reason, longestText); problem != "" {
		return nil, Findings{{Field: "reason", Words: "This %s.", Args: []any{Said(problem)}}}
	}
	var after *App
	var told []postern.SealedMail
	err := r.changeBy(ctx, by, appID, &Mentions{Owners: r.mails()}, func(s *State, old *App) (*Writes, error) {
		next := *old
		after = &next
		rejected := old.Review == postern.Rejected && yes // a second thought
		switch {
		case !old.WaitsForReview() && !rejected:
			return nil, postern.Errorf(postern.Conflict, "Nothing of this app waits for an answer.")
		case seen != "" && seen != Seen(old):
			return nil, postern.Errorf(postern.Conflict, "The app was changed after this page was shown. Load it again and look at what is asked for now.")
		}
		var w *Writes
		var err error
		if old.Live() {
			w, err = r.answerChange(&next, reason, yes)
		} else {
			w, err = r.answerNew(&next, reason, yes)
		}
		if err != nil {
			return nil, err
		}
		r.tell(w, &next, s.Owners[next.Partner.ID], reason, yes)
		told = w.Mails
		return w, nil
	})
	if err != nil {
		return nil, err
	}
	if len(told) > 0 {
		r.Mailer.Knock()
	}
	return after, nil
}

// answerNew is about an app that was never live.
func (r *Rules) answerNew(next *App, reason string, yes bool) (*Writes, error) {
	next.Review, next.ReviewedAt, next.Verdict = postern.Rejected, r.Now(), reason
	did := Audit{"app.rejected", "app:" + next.ID, reason}
	if yes {
		next.Review, did.Action = postern.Approved, "app.approved"
		if next.LogoURL != "" && next.LogoHash == "" {
			if next.LogoProblem == "" {
				return nil, errUnseen()
			}
			next.LogoURL = ""
		}
	}
	return &Writes{Apps: []Put[App]{{Row: *next}}, Audit: []Audit{did}}, nil
}

// errUnseen: what is approved is the picture that was looked at, so there must be
// one, or a word why there is none. Then the address is not approved, either:
// whatever came to stand there would be shown unseen.
func errUnseen() error {
	return postern.Errorf(postern.Conflict, "The logo has not been fetched from its address yet, so nobody has seen it. The running server does so within seconds: look at the app again then.")
}

// answerChange is about a live app.
func (r *Rules) answerChange(next *App, reason string, yes bool) (*Writes, error) {
	p := *next.Proposal
	if !yes {
		what := strings.Join(Differences(next.Looks(), p.Looks), ", ")
		p.Review, p.Reason = postern.Rejected, reason
		next.Proposal = &p
		return &Writes{
			Proposals: []Proposed{{AppID: next.ID, Proposal: &p}},
			Audit:     []Audit{{"app.change_rejected", "app:" + next.ID, what + ": " + reason}},
		}, nil
	}
	switch another := p.LogoURL != "" && p.LogoURL != next.LogoURL; {
	case !another:
		p.Picture = ""
	case p.Picture == "" && p.Problem == "":
		return nil, errUnseen()
	case p.Picture == "":
		was := next.Looks()
		p.LogoURL, p.LogoHash = was.LogoURL, was.LogoHash
	}
	what := strings.Join(Differences(next.Looks(), p.Looks), ", ")
	lost := p.LogoURL == "" && p.LogoHash == "" && next.LogoHash != ""
	otherwise := otherFace(next.Looks(), p.Looks)
	wear(next, p.Looks)
	next.Proposal, next.ReviewedAt, next.Verdict = nil, r.Now(), reason
	if reason != "" {
		what += ": " + reason
	}
	w := &Writes{
		Apps:      []Put[App]{{Row: *next, Looks: otherwise}},
		Proposals: []Proposed{{AppID: next.ID, Proposal: &p, Approved: true}},
		Audit:     []Audit{{"app.change_approved", "app:" + next.ID, what}},
	}
	if lost {
		w.Logos = []Logo{{AppID: next.ID}}
	}
	return w, nil
}

// mails reports whether people can be written to.
func (r *Rules) mails() bool { return r.Mailer != nil && r.Mailer.Configured() }

// tell has the app's owners told what the operator said, in its transaction. That
// one of them cannot be written to does not keep it from the others.
func (r *Rules) tell(w *Writes, a *App, owners []string, reason string, yes bool) {
	subject, text := a.Name+" was approved", "Your app "+a.Name+" ("+a.ID+") was approved: what you asked for holds from now on.\n"
	if !yes {
		subject = a.Name + " was not approved"
		text = "Your app " + a.Name + " (" + a.ID + ") was not approved. You can change it in the portal and hand it in again.\n"
	}
	if reason != "" {
		text += "\nThe reason that was given:\n\n" + reason + "\n"
	}
	if r.Own != nil {
		text += "\n    " + r.Own.JoinPath("portal", "apps", a.ID).String() + "\n"
	}
	for _, to := range owners {
		m, err := r.Mailer.Seal(to, subject, text)
		if err != nil {
			w.Audit = append(w.Audit, Audit{"mail.not_written", "app:" + a.ID, err.Error()})
			continue
		}
		w.Mails = append(w.Mails, m)
	}
}

// AskReview hands in again, unchanged, what was rejected.
func (r *Rules) AskReview(ctx context.Context, by By, appID string) error {
	return r.change(ctx, by, appID, false, func(_ *State, old *App) (*Writes, error) {
		asked := []Audit{{"app.review_asked", "app:" + appID, ""}}
		switch {
		case old.Review == postern.Rejected:
			next := *old
			next.Review, next.ReviewedAt = postern.Waiting, r.Now()
			return &Writes{Apps: []Put[App]{{Row: next}}, Audit: asked}, nil
		case old.Live() && old.Proposal != nil && old.Proposal.Review == postern.Rejected:
			p := *old.Proposal
			p.Review, p.Reason, p.At = postern.Waiting, "", r.Now()
			return &Writes{Proposals: []Proposed{{AppID: appID, Proposal: &p}}, Audit: asked}, nil
		}
		return nil, postern.Errorf(postern.Conflict, "Nothing of this app was rejected.")
	})
}

// WithdrawProposal takes back what was proposed. The app stays as it is.
func (r *Rules) WithdrawProposal(ctx context.Context, by By, appID string) error {
	return r.change(ctx, by, appID, false, func(_ *State, old *App) (*Writes, error) {
		if old.Proposal == nil {
			return &Writes{}, nil
		}
		return &Writes{Proposals: []Proposed{{AppID: appID}}, Audit: []Audit{{"app.proposal_withdrawn", "app:" + appID, ""}}}, nil
	})
}

// takeOver: what the operator declares needs no other approval, and whoever
// declares that an app is switched off is who switches it on.
func (a *appPlan) takeOver() {
	if !a.row.Live() {
		a.row.Review, a.row.ReviewedAt, a.row.Verdict = postern.Approved, a.now, ""
		a.c.Keys = append(a.c.Keys, "review")
	}
	if a.d.Disabled != nil {
		a.row.DisabledBy = ""
	}
}
