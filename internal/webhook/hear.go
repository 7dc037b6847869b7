package webhook

import (
	"context"
	"net/http"
	"slices"

	"postern.dev/postern"
)

const statusGone = http.StatusGone

type roundTripper = http.RoundTripper

// mayHear decides, at the moment of sending, whether the app may be told: of its
// own connections always, of product events while a live connection holds the
// scope. That connection is the one that the message names.
func (r *Rules) mayHear(ctx context.Context, m *Message, lane string) (bool, error) {
	if !m.Own || m.Account.ID == "" {
		return true, nil
	}
	standing, err := r.Store.Standing(ctx, m.App.ID, m.Account.ID)
	if err != nil {
		return false, err
	}
	standing = slices.DeleteFunc(standing, func(c postern.Connection) bool { return !Allows(&c, m.UserID, m.Scope) })
	if len(standing) == 0 {
		return false, nil
	}
	at := max(0, slices.IndexFunc(standing, func(c postern.Connection) bool { return c.ID == lane }))
	m.ConnectionID, m.ConnectionNumber = standing[at].ID, standing[at].Number
	if standing[at].UserID == "" { // account level: the nickname is of no connection's user
		m.UserNickname = ""
	}
	return true, nil
}

// Allows reports whether a live connection lets its app hear of an event: it
// holds the scope, and is the account's or that of the user whom it is about.
func Allows(c *postern.Connection, userID, scope string) bool {
	if userID != "" && c.UserID != "" && c.UserID != userID {
		return false
	}
	return scope == "" || slices.Contains(c.Scopes, scope)
}

// completeWireID gives the account its id in the app's dialect, where the dialect
// has ids of its own and the account has none yet: its connection may have been
// made through another.
func (r *Rules) completeWireID(ctx context.Context, m *Message) error {
	form := r.Wires.AccountIDs(m.App.Dialect)
	if form == nil || m.Account.ID == "" || m.Account.WireID != "" {
		return nil
	}
	proposed, err := form.Mint(r.Random)
	if err != nil {
		return err
	}
	m.Account.WireID, err = r.Store.KeepWireID(ctx, m.App.Dialect, m.Account.ID, string(proposed))
	return err
}
