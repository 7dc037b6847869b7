package portal

import (
	"net/http"

	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/ui"
)

// apps is the first page: the apps of every partner that the person is with.
func (d *Door) apps(v *entry.Visit) error {
	members, err := d.Rows.MemberOf(v.R.Context(), v.Staff().ID)
	if err != nil {
		return err
	}
	page := &ui.PartnerAppsPage{StaffFrame: v.Frame("apps")}
	for _, m := range members {
		apps, err := d.Rows.PartnerApps(v.R.Context(), m.Partner.ID)
		if err != nil {
			return err
		}
		page.Partners = append(page.Partners, ui.PartnerApps{Member: m, Apps: apps})
	}
	return v.Show(http.StatusOK, page)
}
