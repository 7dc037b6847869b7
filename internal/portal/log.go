package portal

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/requestlog"
	"postern.dev/postern/internal/ui"
)

// Requests is what pages ask of the request log.
type Requests interface {
	List(ctx context.Context, appID string, f requestlog.Filter, limit int) ([]requestlog.Entry, error)
	One(ctx context.Context, appID string, id int64) (*requestlog.Entry, error)
	LastRefreshes(ctx context.Context, appID string, connections []string) (map[string]requestlog.Entry, error)
	Usage(ctx context.Context, appID string, days int) ([]requestlog.Day, error)
}

const (
	// perPage is how many lines a page of a list has.
	perPage = 25
	// shownRefused is how many refused requests an app's first page shows.
	shownRefused = 3
	// usageDays is how far back the picture of calls goes.
	usageDays = 30
)

func (d *Door) logRoutes() {
	d.Entry.Handle("GET /apps/{app}/log", d.log)
	d.Entry.Handle("GET /apps/{app}/log/{id}", d.logEntry)
}

func (d *Door) log(v *entry.Visit) error {
	app, frame, err := d.app(v, "log")
	if err != nil {
		return err
	}
	ctx, q := v.R.Context(), v.R.URL.Query()
	chosen := ui.LogFilter{Outcome: q.Get("outcome"), Origin: q.Get("origin"), Endpoint: q.Get("endpoint"), Account: strings.TrimSpace(q.Get("account")),
		Connection: strings.TrimSpace(q.Get("connection")), Request: strings.TrimSpace(q.Get("request"))}
	if !chosen.Known() {
		return postern.Errorf(postern.InvalidRequest, "This is not one of what the list has. Choose again.")
	}
	entries, err := d.Requests.List(ctx, app.ID, requestlog.Filter{
		Outcome: requestlog.Outcome(chosen.Outcome), Origin: requestlog.Origin(chosen.Origin), Endpoint: chosen.Endpoint, Account: chosen.Account,
		ConnectionID: chosen.Connection, RequestID: chosen.Request, Before: before(v),
	}, perPage)
	if err != nil {
		return err
	}
	page := &ui.LogPage{AppFrame: frame, Filter: chosen, Chosen: chosenIn(v), Most: d.Kept.Most, Days: int(d.Kept.History / (24 * time.Hour))}
	page.Entries = linesOf(entries)
	if len(entries) == perPage {
		page.Older = older(v, strconv.FormatInt(entries[perPage-1].ID, 10))
	}
	if page.Usage, err = d.usage(ctx, app.ID); err != nil {
		return err
	}
	return v.Show(http.StatusOK, page)
}

// chosenIn is what a page's address says of a list, as ?…; empty: nothing.
func chosenIn(v *entry.Visit) string {
	q := url.Values{}
	for _, name := range []string{"outcome", "origin", "endpoint", "account", "connection", "request", "before"} {
		if value := v.R.URL.Query().Get(name); value != "" {
			q.Set(name, value)
		}
	}
	if len(q) == 0 {
		return ""
	}
	return "?" + q.Encode()
}

// before is where this page of a list begins; 0, also for what is no number: at
// its beginning.
func before(v *entry.Visit) int64 {
	n, err := strconv.ParseInt(v.R.URL.Query().Get("before"), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// older is the address of the next page of this list.
func older(v *entry.Visit, before string) string {
	q := url.Values{}
	for name, values := range v.R.URL.Query() {
		if name != "done" {
			q[name] = values
		}
	}
	q.Set("before", before)
	return v.R.URL.Path + "?" + q.Encode()
}

func (d *Door) usage(ctx context.Context, appID string) (*ui.Usage, error) {
	days, err := d.Requests.Usage(ctx, appID, usageDays)
	if err != nil {
		return nil, err
	}
	drawn := make([]ui.UsageDay, len(days))
	for i, day := range days {
		drawn[i] = ui.UsageDay{Date: day.Date, Calls: day.Calls, Errors: day.Errors, Strangers: day.Strangers}
	}
	return ui.NewUsage(drawn), nil
}

func (d *Door) logEntry(v *entry.Visit) error {
	app, frame, err := d.app(v, "log")
	if err != nil {
		return err
	}
	id, err := strconv.ParseInt(v.R.PathValue("id"), 10, 64)
	if err != nil {
		return postern.Errorf(postern.NotFound, "There is no such request in this log.")
	}
	e, err := d.Requests.One(v.R.Context(), app.ID, id)
	if postern.Is(err, postern.NotFound) {
		return postern.Errorf(postern.NotFound, "This request is not in the log any more, or never was.")
	}
	if err != nil {
		return err
	}
	page := &ui.LogEntryPage{AppFrame: frame, Entry: lineOf(e), Chosen: chosenIn(v)}
	for _, line := range strings.Split(strings.TrimSuffix(e.Sent, "\n"), "\n") {
		if name, value, ok := strings.Cut(line, "="); ok {
			page.Entry.Sent = append(page.Entry.Sent, ui.Sent{Name: name, Value: value})
		}
	}
	return v.Show(http.StatusOK, page)
}

func linesOf(entries []requestlog.Entry) []ui.LogLine {
	lines := make([]ui.LogLine, len(entries))
	for i := range entries {
		lines[i] = lineOf(&entries[i])
	}
	return lines
}

func lineOf(e *requestlog.Entry) ui.LogLine {
	l := ui.LogLine{
		ID: e.ID, At: e.At, RequestID: e.RequestID, Dialect: e.Dialect, Endpoint: e.Endpoint, Method: e.Method, Grant: e.Grant,
		Status: e.Status, Took: e.Took, Address: e.Address, Outcome: string(e.Outcome), Proved: e.Proved,
		Account: postern.Account{ID: e.AccountID, Name: e.AccountName, SandboxOf: e.SandboxOf}, Connection: e.ConnectionID, More: e.More,
	}
	if why := e.Why(); why != nil {
		l.Rule, l.What, l.Do = string(why.Rule), ui.SayFilled(why.What), ui.SayFilled(why.Do)
		l.Asked, l.Right = e.Compared()
	}
	return l
}
