package registry

import (
	"maps"
	"slices"

	"postern.dev/postern"
)

// keepRecoverable holds the app's secrets to what its wires need: sealed where
// one of them signs with the client secret, and a hash alone everywhere else.
func (a *appPlan) keepRecoverable() {
	wire := a.signsWithSecret()
	if wire != "" && a.row.Public && a.given("dialect", "also", "public") {
		a.report(a.d.problem("public", "does not go with the dialect %s, which signs with the app's secret", wire))
	}
	changed, lacks := false, false
	for i := range a.row.Secrets {
		s := &a.row.Secrets[i]
		switch clear, known := a.clear[s.Hash]; {
		case wire == "":
			changed = changed || s.Sealed != nil
			s.Sealed = nil
		case s.Sealed != nil:
		case known:
			changed = true
			a.seal(s, clear)
		default:
			lacks = lacks || s.ExpiresAt.IsZero() || s.ExpiresAt.After(a.now)
		}
	}
	if lacks {
		a.report(a.d.problem("dialect", "%s is a wire that signs with the app's secret, of which only a hash is known; declare client_secret itself", wire))
	}
	if changed && !slices.Contains(a.c.Keys, "client_secret") {
		a.c.Keys = append(a.c.Keys, "client_secret")
	}
}

// signsWithSecret is a wire of the app's that signs with its secret; "": none does.
func (a *appPlan) signsWithSecret() string {
	spoken := a.spoken()
	for _, name := range slices.Sorted(maps.Keys(spoken)) {
		if spoken[name].RecoverableSecrets {
			return name
		}
	}
	return ""
}

func (a *appPlan) seal(s *postern.AppSecret, clear postern.Secret) {
	sealed, err := a.rules.Sealer.Seal("app_secrets", s.ID, "sealed", []byte(clear))
	a.fail(err)
	s.Sealed = sealed
}
