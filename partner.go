package postern

import "time"

// Partner is a company that integrates. It owns apps and has members.
type Partner struct {
	ID       string
	Name     string
	Disabled bool
	// Waiting is since when a partner that registered itself has waited for the
	// operator; zero: it does not. Until then it is switched off.
	Waiting time.Time
	Refusal string // why the operator said no to it; empty otherwise
}

// MayChange refuses to change a partner, its team and its apps, while it is
// switched off or waits.
func (p *Partner) MayChange() error {
	switch {
	case !p.Waiting.IsZero():
		return Errorf(Forbidden, "%s waits for the operator’s approval: until then nothing of it can be changed.", p.Name)
	case p.Disabled:
		return Errorf(Forbidden, "%s is switched off by the operator: until it is on again, nothing of it can be changed.", p.Name)
	}
	return nil
}

// PartnerCount is a partner with how many apps and members it has.
type PartnerCount struct {
	Partner
	Apps, Members int
}
