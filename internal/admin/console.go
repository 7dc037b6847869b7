package admin

import (
	"context"
	"net/http"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
)

// ConsolePrefix is where operators' pages are.
const ConsolePrefix = "/operator"

// ConsoleRules are what the console asks of the rules about apps and partners
// (*registry.Rules).
type ConsoleRules interface {
	ApproveApp(ctx context.Context, by registry.By, appID, reason, seen string) (*registry.App, error)
	RejectApp(ctx context.Context, by registry.By, appID, reason, seen string) (*registry.App, error)
	SwitchApp(ctx context.Context, by registry.By, appID string, off bool) error
	SwitchPartner(ctx context.Context, by registry.By, partnerID string, off bool) error
	Reviews() bool
	NoScopes(dialect string) bool
}

// ConsolePeople is what it asks of the rules of identity (*identity.Rules).
type ConsolePeople interface {
	Mails() bool
	Invite(ctx context.Context, in identity.Invite) (*identity.Link, error)
	InvitePartner(ctx context.Context, name string) (p *postern.Partner, made bool, err error)
	WaitingPartners(ctx context.Context) ([]postern.WaitingPartner, error)
	ApprovePartner(ctx context.Context, partnerID, actor, address string) error
	RejectPartner(ctx context.Context, partnerID, reason, actor, address string) error
}

// ConsoleRows are the reads that its pages make for themselves.
type ConsoleRows interface {
	// AppRow is all of an app, with its partner, secrets and proposal; NotFound.
	AppRow(ctx context.Context, appID string) (*registry.App, error)
	// AppRows are those of many, in this order; what is no more is left out.
	AppRows(ctx context.Context, appIDs ...string) ([]*registry.App, error)
	// Waiting are the ids of apps that wait for an answer, the longest first.
	Waiting(ctx context.Context, limit int) ([]string, error)
	ScopeCatalogue(ctx context.Context) ([]postern.Scope, error)
	ProposedLogo(ctx context.Context, appID string) ([]byte, error)
	// Partners are those after the one with an id (""; from the beginning), by name,
	// with how much each has.
	Partners(ctx context.Context, after string, limit int) ([]postern.PartnerCount, error)
	// Partner reads one; NotFound.
	Partner(ctx context.Context, id string) (*postern.Partner, error)
	PartnerApps(ctx context.Context, partnerID string) ([]postern.App, error)
	Team(ctx context.Context, partnerID string) ([]postern.Member, error)
	PendingInvitations(ctx context.Context, partnerID string, now time.Time) ([]postern.Invitation, error)
	StaffName(ctx context.Context, staffID string) (string, error)
	// AuditRecords are those of a filter, the latest first.
	AuditRecords(ctx context.Context, f postern.AuditFilter) ([]postern.AuditRecord, error)
}

// ConsoleConfig is what the console is given. All of it is needed.
type ConsoleConfig struct {
	Entry     *entry.Entry
	PublicURL string
	Now       func() time.Time
	Rules     ConsoleRules
	People    ConsolePeople
	Rows      ConsoleRows
}

// Console serves everything under /operator.
type Console struct{ ConsoleConfig }

// NewConsole builds the operators' door.
func NewConsole(c ConsoleConfig) *Console {
	d := &Console{c}
	e := d.Entry
	e.Handle("GET /", d.review)
	e.Handle("GET /apps/{app}", d.app)
	e.Handle("POST /apps/{app}/answer", d.answerApp)
	e.Handle("GET /apps/{app}/proposed.png", d.proposedLogo)
	e.Handle("GET /apps/{app}/off", d.askToSwitchApp)
	e.Handle("POST /apps/{app}/off", d.switchApp(true))
	e.Handle("POST /apps/{app}/on", d.switchApp(false))
	e.Handle("GET /partners", d.partners)
	e.Handle("POST /partners", d.invitePartner)
	e.Handle("GET /partners/{partner}", d.partner)
	e.Handle("POST /partners/{partner}/invite", d.inviteMember)
	e.Handle("POST /partners/{partner}/answer", d.answerPartner)
	e.Handle("GET /partners/{partner}/off", d.askToSwitchPartner)
	e.Handle("POST /partners/{partner}/off", d.switchPartner(true))
	e.Handle("POST /partners/{partner}/on", d.switchPartner(false))
	e.Handle("GET /audit", d.audit)
	return d
}

// ServeHTTP serves every path under ConsolePrefix.
func (d *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) { d.Entry.ServeHTTP(w, r) }

const (
	aboutApp     browser.Purpose = "app"
	aboutPartner browser.Purpose = "partner"
	aboutInvite  browser.Purpose = "invite partner"
)

// consoleDone is what a page says after an act.
var consoleDone = map[string]ui.Text{
	"approved": ui.Say("Approved. It holds from now on."),
	"rejected": ui.Say("Rejected. Its people read your reason."),
	"off":      ui.Say("Switched off: tokens are of no use from now on."),
	"on":       ui.Say("Switched on."),
	"invited":  ui.Say("The invitation is on its way by mail."),
}

func done(v *entry.Visit, frame ui.StaffFrame) ui.StaffFrame {
	frame.Done = consoleDone[v.R.URL.Query().Get("done")]
	return frame
}

// mostShown is how many apps the review shows, and a page of partners.
const mostShown = 100

// review is what waits for the operator.
func (d *Console) review(v *entry.Visit) error {
	ctx := v.R.Context()
	page := &ui.ReviewPage{StaffFrame: done(v, v.Frame("review")), Reviewed: d.Rules.Reviews()}
	ids, err := d.Rows.Waiting(ctx, mostShown)
	if err != nil {
		return err
	}
	rows, err := d.Rows.AppRows(ctx, ids...)
	if err != nil {
		return err
	}
	for _, row := range rows {
		page.Apps = append(page.Apps, waiting(row))
	}
	page.Partners, err = d.People.WaitingPartners(ctx)
	if err != nil {
		return err
	}
	return v.Show(http.StatusOK, page)
}

// differenceNames are what a proposal may change, in the middle of a sentence.
var differenceNames = map[string]ui.Text{
	"name": ui.Say("name"), "description": ui.Say("description"), "url": ui.Say("site"), "logo": ui.Say("logo"),
	"redirect_urls": ui.Say("redirect URLs"), "scopes": ui.Say("scopes"), "grants": ui.Say("tokens for itself"),
}

func waiting(row *registry.App) ui.WaitingApp {
	w := ui.WaitingApp{App: &row.App, New: !row.Live(), Since: row.ReviewedAt}
	if row.Live() && row.Proposal != nil {
		w.Since = row.Proposal.At
		for _, key := range registry.Differences(row.Looks(), row.Proposal.Looks) {
			w.What = append(w.What, differenceNames[key])
		}
	}
	return w
}
