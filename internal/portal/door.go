// Package portal is the door of partners' browsers: their apps and keys, how to
// begin, what their programs asked and why it failed, connections, webhooks,
// and a sandbox to try all of it in.
package portal

import (
	"context"
	"net/http"
	"sync"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/requestlog"
	"postern.dev/postern/internal/ui"
)

// Prefix is where the portal is.
const Prefix = "/portal"

// Rows are the reads that pages make for themselves.
type Rows interface {
	AppRows
	TeamRows
	ConnectionRows
	Catalogue
	// MemberOf are the partners that a person is a member of, by name; switched-off
	// ones have Disabled set.
	MemberOf(ctx context.Context, staffID string) ([]postern.Member, error)
	// PartnerApp reads an app and the person's part in its partner. An app that
	// does not exist and one of another's partner are NotFound alike.
	PartnerApp(ctx context.Context, staffID, appID string) (*postern.App, postern.Role, error)
	// PartnerApps are the apps of a partner, by name.
	PartnerApps(ctx context.Context, partnerID string) ([]postern.App, error)
}

// Config is what the door is given.
type Config struct {
	Entry     *entry.Entry
	PublicURL string // the origin that people and partners use
	Now       func() time.Time
	Sealer    postern.Sealer
	Rows      Rows
	People    People
	Registry  Registry
	Requests  Requests
	Ender     Ender
	Hooks     Hooks
	Sandboxes Sandboxes
	Dialects  *dialect.Set
	SignUp    SignUp
	Kept      requestlog.Bounds // what the request log keeps
	// Public are the doors that partners and people knock at: Try it goes through
	// them as everybody does.
	Public func() http.Handler
	// Check is the token check.
	Check http.Handler
	// PublicDocs shows the docs to everybody.
	PublicDocs bool
	// Calls are what each call of the API needs, for the guides.
	Calls func(*dialect.Dialect) []dialect.Call
	// Product is the name of what is connected to.
	Product string
	// SampleCall is an address of the API that Try it calls; empty: the token check
	// answers in the API's place.
	SampleCall string
}

// Door serves everything under /portal.
type Door struct {
	Config
	guides  sync.Map      // oneGuide to *dialect.Parts
	reading chan struct{} // held while a logo is read
}

// New builds the door.
func New(c Config) *Door {
	d := &Door{Config: c, reading: make(chan struct{}, 1)}
	d.Entry.Handle("GET /", d.apps)
	d.appRoutes()
	d.peopleRoutes()
	d.sandboxRoutes()
	d.tryRoutes()
	d.docsRoutes()
	d.logRoutes()
	d.connectionRoutes()
	d.webhookRoutes()
	return d
}

// ServeHTTP serves every path under Prefix.
func (d *Door) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.Entry.ServeHTTP(w, r) }

// app reads the app that the path names, for a member of its partner, with the
// frame of its page.
func (d *Door) app(v *entry.Visit, tab string) (*postern.App, ui.AppFrame, error) {
	app, role, err := d.Rows.PartnerApp(v.R.Context(), v.Staff().ID, v.R.PathValue("app"))
	if err != nil {
		return nil, ui.AppFrame{}, err
	}
	return app, ui.AppFrame{StaffFrame: v.Frame("apps"), App: app, Role: role, Tab: tab}, nil
}

// editable is app for what changes something.
func (d *Door) editable(v *entry.Visit, tab string) (*postern.App, ui.AppFrame, error) {
	app, frame, err := d.app(v, tab)
	if err == nil {
		err = mayEdit(frame.Role, &app.Partner)
	}
	return app, frame, err
}

// mayEdit refuses viewers, and everybody of a partner that is off.
func mayEdit(role postern.Role, p *postern.Partner) error {
	if !role.MayEdit() {
		return postern.Errorf(postern.Forbidden, "Your role in %s is viewer: it sees everything and changes nothing.", p.Name)
	}
	return p.MayChange()
}
