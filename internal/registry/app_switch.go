package registry

import (
	"context"
	"slices"
	"strings"

	"postern.dev/postern"
)

// SetLogo gives an app an image that was handed in, as a PNG of our own making;
// an empty hash takes its logo away. Where reviews are asked for, a live app's
// is proposed.
func (r *Rules) SetLogo(ctx context.Context, by By, appID, hash string, png []byte) (*Edited, error) {
	var done *Edited
	err := r.change(ctx, by, appID, false, func(_ *State, old *App) (*Writes, error) {
		next, looks := *old, Wished(old)
		looks.LogoURL, looks.LogoHash = "", hash
		w := &Writes{}
		done = &Edited{App: &next}
		if done.Proposed = r.propose(w, by, old, &next, looks, png); done.Proposed {
			return w, nil
		}
		if r.Review && old.Live() { // it is the logo that the app has
			return w, nil
		}
		next.LogoURL, next.LogoHash = "", hash
		w.Apps = []Put[App]{{Row: next, Looks: true}}
		w.Logos = []Logo{{appID, hash, png}}
		w.Audit = append(w.Audit, Audit{"app.changed", "app:" + appID, "logo"})
		return w, nil
	})
	return done, err
}

// SwitchApp switches an app off, so that it gets and uses no tokens from now on,
// or on again. What the operator switched off only the operator switches on.
func (r *Rules) SwitchApp(ctx context.Context, by By, appID string, off bool) error {
	return r.change(ctx, by, appID, false, func(_ *State, old *App) (*Writes, error) {
		theirs := strings.HasPrefix(old.DisabledBy, partnersWish)
		switch {
		case old.Disabled == off && (!off || by.Operator != theirs):
			return &Writes{}, nil
		case old.Disabled && !by.Operator && !theirs:
			return nil, postern.Errorf(postern.Forbidden, "The operator has switched this app off; only the operator can switch it on again.")
		}
		next := *old
		next.Disabled, next.DisabledBy = off, ""
		if off && !by.Operator {
			next.DisabledBy = partnersWish + by.Staff
		}
		did := Audit{Action: "app.enabled", Object: "app:" + appID}
		if off {
			did.Action = "app.disabled"
		}
		return &Writes{Apps: []Put[App]{{Row: next}}, Audit: []Audit{did}}, nil
	})
}

// partnersWish begins DisabledBy where the app's own people switched it off.
const partnersWish = "partner:"

// OwnSwitch reports whether the app's own people switched it off, and so may
// switch it on.
func (a *App) OwnSwitch() bool { return a.Disabled && strings.HasPrefix(a.DisabledBy, partnersWish) }

// RemoveApp ends an app with its connections, each with its event. Its id is
// never given again.
func (r *Rules) RemoveApp(ctx context.Context, by By, appID string) error {
	return r.change(ctx, by, appID, false, func(_ *State, old *App) (*Writes, error) {
		return &Writes{DropApps: []string{appID}, Audit: []Audit{{"app.removed", "app:" + appID, old.Name}}}, nil
	})
}

// SwitchPartner switches a partner off with all of its apps, or on again.
func (r *Rules) SwitchPartner(ctx context.Context, by By, partnerID string, off bool) error {
	return r.apply(ctx, &Mentions{Partners: []string{partnerID}}, func(s *State) (*Writes, error) {
		at := slices.IndexFunc(s.Partners, func(p Partner) bool { return p.ID == partnerID && !p.Removed })
		if at < 0 {
			return nil, postern.Errorf(postern.NotFound, "There is no such partner.")
		}
		p := s.Partners[at]
		if p.Disabled == off {
			return &Writes{}, nil
		}
		p.Disabled = off
		did := Audit{"partner.enabled", "partner:" + partnerID, p.Name}
		if off {
			did.Action = "partner.disabled"
		}
		return by.writes(&Writes{Partners: []Put[Partner]{{Row: p}}, Audit: []Audit{did}}), nil
	})
}
