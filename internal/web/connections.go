package web

import (
	"net/http"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/ui"
)

// done are the sentences that a redirect may ask /connections to say.
var done = map[string]ui.Text{
	"disconnected": ui.Say("Disconnected. The app lost its access at once. To use it again, connect it again from the app."),
	"password":     ui.Say("Your password is changed. You are signed out everywhere else."),
}

// connections lists what is connected to the person's accounts, and to the
// person.
func (d *Door) connections(w http.ResponseWriter, r *http.Request) error {
	s, err := d.signedIn(w, r)
	if s == nil {
		return err
	}
	bound, err := d.bind(w, r)
	if err != nil {
		return err
	}
	list, err := d.Rows.Connections(r.Context(), s.User.ID, "")
	if err != nil {
		return err
	}
	catalogue, err := d.Rows.ScopeCatalogue(r.Context())
	if err != nil {
		return err
	}
	page := &ui.ConnectionsPage{
		User: s.User, SignOutToken: browser.FormToken(bound, toSignOut, browser.HashText(s.Hash)),
		Done: done[r.URL.Query().Get("done")],
	}
	for _, l := range list {
		if n := len(page.Accounts); n == 0 || page.Accounts[n-1].Account.ID != l.Account.ID {
			page.Accounts = append(page.Accounts, ui.AccountConnections{Account: l.Account})
		}
		group := &page.Accounts[len(page.Accounts)-1]
		group.Connections = append(group.Connections, card(bound, s, l, catalogue))
	}
	d.write(w, r, http.StatusOK, page)
	return nil
}

func card(bound postern.Secret, s *postern.Session, l postern.Listing, catalogue []postern.Scope) ui.ConnectionCard {
	return ui.ConnectionCard{
		Listing: l, Scopes: scopeLines(catalogue, l.Connection.Scopes),
		Token: browser.FormToken(bound, toDisconnect, browser.HashText(s.Hash), l.Connection.ID),
		// A person's own connection is theirs to end, whatever their role.
		MayEnd: l.Connection.UserID != "" || l.App.MayConnect(l.Role),
	}
}

// showDisconnect says what follows, for who comes by a link.
func (d *Door) showDisconnect(w http.ResponseWriter, r *http.Request) error {
	s, err := d.signedIn(w, r)
	if s == nil {
		return err
	}
	bound, err := d.bind(w, r)
	if err != nil {
		return err
	}
	l, err := d.listing(r, s)
	if err != nil {
		return err
	}
	catalogue, err := d.Rows.ScopeCatalogue(r.Context())
	if err != nil {
		return err
	}
	d.write(w, r, http.StatusOK, &ui.DisconnectPage{
		ConnectionCard: card(bound, s, *l, catalogue), User: s.User, SignOutToken: browser.FormToken(bound, toSignOut, browser.HashText(s.Hash)),
	})
	return nil
}

// listing is the connection that the path names, if the person sees it. One of
// another account looks like none (attacks.md PA-02).
func (d *Door) listing(r *http.Request, s *postern.Session) (*postern.Listing, error) {
	list, err := d.Rows.Connections(r.Context(), s.User.ID, "")
	if err != nil {
		return nil, err
	}
	for i := range list {
		if list[i].Connection.ID == r.PathValue("id") {
			return &list[i], nil
		}
	}
	return nil, postern.Errorf(postern.NotFound, "There is no such connection.")
}

// disconnect ends a connection; whether this role may is the engine's to say.
func (d *Door) disconnect(w http.ResponseWriter, r *http.Request) error {
	s, err := d.signedIn(w, r)
	if s == nil {
		return err
	}
	l, err := d.listing(r, s)
	if err != nil {
		return err
	}
	if err := d.cookies.Proved(r, toDisconnect, browser.HashText(s.Hash), l.Connection.ID); err != nil {
		return err
	}
	if err := d.Engine.Disconnect(r.Context(), s.User, l.Connection.ID, d.Address(r)); err != nil {
		return err
	}
	return redirect(w, r, "/connections?done=disconnected")
}
