package portal

import (
	"context"
	"net/http"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/ui"
)

// ConnectionRows are the reads of the pages about an app's connections.
type ConnectionRows interface {
	// AppConnections are an app's live connections, the latest first, after the one
	// with an id (""; from the beginning); of accounts with this id or name, or ("") of all.
	AppConnections(ctx context.Context, appID, account, after string, limit int) ([]postern.Listing, error)
	// AppConnection is one; NotFound also where it has ended or is another app's.
	AppConnection(ctx context.Context, appID, connectionID string) (*postern.Listing, error)
}

// Ender ends connections (*oauth.Rules).
type Ender interface {
	EndForApp(ctx context.Context, appID, connectionID, actor string) error
}

const toEnd browser.Purpose = "end a connection"

func (d *Door) connectionRoutes() {
	d.Entry.Handle("GET /apps/{app}/connections", d.connections)
	d.Entry.Handle("GET /apps/{app}/connections/{id}/end", d.askToEnd)
	d.Entry.Handle("POST /apps/{app}/connections/{id}/end", d.end)
}

func (d *Door) connections(v *entry.Visit) error {
	app, frame, err := d.app(v, "connections")
	if err != nil {
		return err
	}
	ctx, q := v.R.Context(), v.R.URL.Query()
	page := &ui.AppConnectionsPage{AppFrame: frame, Only: strings.TrimSpace(q.Get("account"))}
	if q.Get("done") == "ended" {
		page.Done = ui.Say("The connection has ended, and its tokens with it.")
	}
	list, err := d.Rows.AppConnections(ctx, app.ID, page.Only, q.Get("before"), perPage)
	if err != nil {
		return err
	}
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].Connection.ID
	}
	refreshes, err := d.Requests.LastRefreshes(ctx, app.ID, ids)
	if err != nil {
		return err
	}
	for _, one := range list {
		c := ui.AppConnection{Listing: one}
		if e, ok := refreshes[one.Connection.ID]; ok {
			line := lineOf(&e)
			c.Refresh = &line
		}
		page.Lines = append(page.Lines, c)
	}
	if len(list) == perPage {
		page.Older = older(v, list[perPage-1].Connection.ID)
	}
	return v.Show(http.StatusOK, page)
}

// ending reads the connection that the path names, for somebody who may end it.
func (d *Door) ending(v *entry.Visit) (*postern.App, *postern.Listing, error) {
	app, _, err := d.editable(v, "connections")
	if err != nil {
		return nil, nil, err
	}
	c, err := d.Rows.AppConnection(v.R.Context(), app.ID, v.R.PathValue("id"))
	if postern.Is(err, postern.NotFound) {
		err = postern.Errorf(postern.NotFound, "There is no such connection (any more).")
	}
	return app, c, err
}

func (d *Door) askToEnd(v *entry.Visit) error {
	app, c, err := d.ending(v)
	if err != nil {
		return err
	}
	whose := ui.Say("It is for the whole account %s, and ends for all its members.", c.Account.Name)
	if c.Connection.UserID != "" {
		whose = ui.Say("It is %s's own, in the account %s.", c.Maker.Nick(), c.Account.Name)
	}
	return v.Show(http.StatusOK, &ui.ConfirmPage{
		StaffFrame: v.Frame("apps"), Heading: ui.Say("End the connection of %s to %s?", app.Name, c.Account.Name), Button: ui.Say("End it"),
		Says: []ui.Text{
			whose,
			ui.Say("All its tokens are of no use from that moment, and the account sees that the app disconnected itself."),
			ui.Say("Nobody can bring it back: somebody of the account has to connect again."),
		},
		Token: v.Token(toEnd, c.Connection.ID), Action: v.R.URL.Path, Back: v.Path("/apps/" + app.ID + "/connections"),
	})
}

func (d *Door) end(v *entry.Visit) error {
	app, c, err := d.ending(v)
	if err != nil {
		return err
	}
	if err := v.Proved(toEnd, c.Connection.ID); err != nil {
		return err
	}
	if err := d.Ender.EndForApp(v.R.Context(), app.ID, c.Connection.ID, v.Actor()); err != nil {
		return err
	}
	return v.Go("/apps/" + app.ID + "/connections?done=ended")
}
