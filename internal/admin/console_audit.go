package admin

import (
	"net/http"
	"net/url"
	"strconv"

	"postern.dev/postern"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/ui"
)

// auditAtOnce is how many records one page shows.
const auditAtOnce = 50

// audit is the log of what was done, the latest first.
func (d *Console) audit(v *entry.Visit) error {
	q := v.R.URL.Query()
	f := postern.AuditFilter{Actor: q.Get("actor"), Object: q.Get("object"), BeforeID: q.Get("id"), Limit: auditAtOnce + 1}
	if text := q.Get("before"); text != "" {
		before, err := strconv.ParseInt(text, 10, 64)
		if err != nil || before < 1 {
			return postern.Errorf(postern.InvalidRequest, "There is no such page of the log.")
		}
		f.Before = before
	}
	records, err := d.Rows.AuditRecords(v.R.Context(), f)
	if err != nil {
		return err
	}
	form := ui.NewForm(map[string][]string{"actor": {f.Actor}, "object": {f.Object}})
	page := &ui.AuditPage{StaffFrame: v.Frame("audit"),
		Actor:  form.Field(ui.Field{Name: "actor", Label: ui.Say("Who"), Hint: ui.Say("such as %s", "staff:stf_…")}),
		Object: form.Field(ui.Field{Name: "object", Label: ui.Say("To what"), Hint: ui.Say("such as %s", "app:app_…")}),
	}
	if len(records) > auditAtOnce {
		records = records[:auditAtOnce]
		last := records[auditAtOnce-1]
		older := url.Values{"before": {strconv.FormatInt(last.At.UnixMilli(), 10)}, "id": {last.ID}}
		for name, value := range map[string]string{"actor": f.Actor, "object": f.Object} {
			if value != "" {
				older.Set(name, value)
			}
		}
		page.More = v.Path("/audit?" + older.Encode())
	}
	page.Records = records
	return v.Show(http.StatusOK, page)
}
