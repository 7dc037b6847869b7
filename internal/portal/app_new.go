package portal

import (
	"net/http"

	"postern.dev/postern"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
)

func (d *Door) newApp(v *entry.Visit) error {
	page, err := d.newPage(v, ui.NewForm(map[string][]string{"dialect": {d.Registry.UsualDialect()}}))
	if err != nil {
		return err
	}
	app := &postern.App{Name: "…", Partner: page.Partner, Dialect: d.Registry.UsualDialect(), Level: d.levelOf(d.Registry.UsualDialect())}
	if err := d.describe(v, page, app); err != nil {
		return err
	}
	return v.Show(http.StatusOK, page)
}

func (d *Door) levelOf(dialect string) postern.Level {
	if wire, ok := d.Dialects.Get(dialect); ok {
		return wire.Level()
	}
	return postern.AccountLevel
}

// newPage is the page of a new app, for somebody who may register one.
func (d *Door) newPage(v *entry.Visit, form *ui.Form) (*ui.AppFormPage, error) {
	m, err := d.partner(v)
	if err != nil {
		return nil, err
	}
	if err := mayEdit(m.Role, &m.Partner); err != nil {
		return nil, err
	}
	page := &ui.AppFormPage{AppFrame: ui.AppFrame{StaffFrame: v.Frame("apps"), Role: m.Role}, Partner: m.Partner, New: true,
		Token: v.Token(aboutApp, "new", m.Partner.ID), Form: form}
	for _, name := range d.Registry.PartnerDialects() {
		page.Dialects = append(page.Dialects, ui.DialectChoice{Name: name, Chosen: name == form.Value("dialect"), NoScopes: d.Registry.NoScopes(name)})
	}
	return page, nil
}

func (d *Door) createApp(v *entry.Visit) error {
	page, f, err := d.sentNew(v)
	if err != nil {
		return err
	}
	app, err := d.Registry.CreateApp(v.R.Context(), v.By(), page.Partner.ID, f)
	if _, ok := findings(err); ok {
		return d.showTried(v, page, "", f)
	}
	if err != nil {
		return err
	}
	return v.Go("/apps/" + app.ID + "?done=created")
}

func (d *Door) previewNew(v *entry.Visit) error {
	page, f, err := d.sentNew(v)
	if err != nil {
		return err
	}
	return d.showTried(v, page, "", f)
}

func (d *Door) sentNew(v *entry.Visit) (*ui.AppFormPage, *registry.AppForm, error) {
	page, err := d.newPage(v, ui.NewForm(v.R.PostForm))
	if err != nil {
		return nil, nil, err
	}
	if err := v.Proved(aboutApp, "new", page.Partner.ID); err != nil {
		return nil, nil, err
	}
	f, err := typed(v)
	return page, f, err
}
