package oauth

import "postern.dev/postern"

// A second token is born of the same code as the first, and acts as the person
// who approved. It has its own scopes and form, a connection of the person's own
// and a family of its own, so each of the two ends without the other: the first
// outlives the person's place in the account, the second does not.

// second mints it for an exchange that was asked for both.
func (r *Rules) second(m *minting, red *Redemption, issued *Issued) error {
	code := red.Code
	token, err := m.token(r.Random, m.terms.Second.Form, code.SecondScopes, endOfLife(m.now, m.terms.Second.Life))
	if err != nil {
		return err
	}
	s := &SecondRedemption{Family: postern.SecondFamily(code.Hash), Access: token.row}
	if s.NewConnectionID, s.EventID, s.NewNumber, err = r.newConnection(m.now); err != nil {
		return err
	}
	red.Second = s
	issued.Second = secondOf(token)
	return nil
}

// onlySecond makes an exchange of one that was asked for the second token alone:
// the code's own family is the person's, and nothing is for the account.
func (r *Rules) onlySecond(m *minting, code *postern.Code) (Redemption, *Issued, error) {
	token, err := m.token(r.Random, m.terms.Second.Form, code.SecondScopes, endOfLife(m.now, m.terms.Second.Life))
	if err != nil {
		return Redemption{}, nil, err
	}
	own := *code
	own.Scopes = code.SecondScopes
	red := Redemption{Code: &own, Version: m.app.Version, Access: token.row, AtOnce: m.terms.AtOnce, Now: m.now, LiveUntil: token.row.ExpiresAt}
	return red, &Issued{IssuedAt: m.now, Second: secondOf(token)}, nil
}

func secondOf(t minted) *Second {
	return &Second{AccessToken: t.secret, IssuedAt: t.row.IssuedAt, ExpiresAt: t.row.ExpiresAt, Scopes: t.row.Scopes}
}
