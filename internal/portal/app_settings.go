package portal

import (
	"net/http"

	"postern.dev/postern"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
)

// formPage is the page of an app that there is.
func (d *Door) formPage(v *entry.Visit, row *registry.App, frame ui.AppFrame, form *ui.Form) *ui.AppFormPage {
	page := &ui.AppFormPage{AppFrame: frame, Partner: row.Partner, Token: v.Token(aboutApp, row.ID), LogoToken: v.Token(aboutLogo, row.ID),
		Form: form, Proposed: row.Proposal != nil && row.Proposal.Review == postern.Waiting}
	switch l := registry.Wished(row); {
	case l.LogoURL != "" || l.LogoHash == "":
	case l.LogoHash == row.LogoHash:
		page.Uploaded = entry.LogoPath(&row.App)
	default:
		page.Uploaded = v.Path("/apps/" + row.ID + "/proposed.png")
	}
	return page
}

func (d *Door) settings(v *entry.Visit) error {
	row, frame, err := d.row(v, "settings", d.editable)
	if err != nil {
		return err
	}
	return d.showSettings(v, http.StatusOK, row, frame, ui.Text{})
}

func (d *Door) showSettings(v *entry.Visit, status int, row *registry.App, frame ui.AppFrame, logoSaid ui.Text) error {
	page := d.formPage(v, row, frame, stored(row))
	page.LogoSaid = logoSaid
	if err := d.describe(v, page, row.AsWished()); err != nil {
		return err
	}
	return v.Show(status, page)
}

func (d *Door) saveSettings(v *entry.Visit) error {
	row, page, f, err := d.sentSettings(v)
	if err != nil {
		return err
	}
	edited, err := d.Registry.EditApp(v.R.Context(), v.By(), row.ID, f)
	if _, ok := findings(err); ok {
		return d.showTried(v, page, row.ID, f)
	}
	if err != nil {
		return err
	}
	return v.Go("/apps/" + row.ID + "?done=" + doneWord(edited))
}

func doneWord(e *registry.Edited) string {
	if e.Proposed {
		return "proposed"
	}
	return "saved"
}

func (d *Door) previewApp(v *entry.Visit) error {
	row, page, f, err := d.sentSettings(v)
	if err != nil {
		return err
	}
	return d.showTried(v, page, row.ID, f)
}

func (d *Door) sentSettings(v *entry.Visit) (*registry.App, *ui.AppFormPage, *registry.AppForm, error) {
	row, frame, err := d.row(v, "settings", d.editable)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := v.Proved(aboutApp, row.ID); err != nil {
		return nil, nil, nil, err
	}
	f, err := typed(v)
	return row, d.formPage(v, row, frame, ui.NewForm(v.R.PostForm)), f, err
}
