package portal

import (
	"net/http"

	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/logo"
	"postern.dev/postern/internal/ui"
)

// mostUpload is the largest image with what a form adds to it.
const mostUpload = 1<<20 + 16<<10

func (d *Door) handInLogo(v *entry.Visit) error {
	row, frame, err := d.row(v, "settings", d.editable)
	if err != nil {
		return err
	}
	if err := v.Proved(aboutLogo, row.ID); err != nil {
		return err
	}
	do, err := v.Field("do")
	if err != nil {
		return err
	}
	if do == "remove" {
		return d.keepLogo(v, row.ID, "", nil)
	}
	file, err := v.File("logo")
	if err != nil {
		return err
	}
	if len(file) == 0 {
		return d.showSettings(v, http.StatusOK, row, frame, ui.Say("Choose an image first."))
	}
	png, hash, err := d.readLogo(v, file)
	if err != nil {
		return d.showSettings(v, http.StatusOK, row, frame, cannotBeUsed(err))
	}
	return d.keepLogo(v, row.ID, hash, png)
}

// logoTooLarge says so beside the file: the first picture at hand often has some
// megabytes.
func (d *Door) logoTooLarge(v *entry.Visit) error {
	row, frame, err := d.row(v, "settings", d.editable)
	if err != nil {
		return err
	}
	return d.showSettings(v, http.StatusBadRequest, row, frame, cannotBeUsed(logo.ErrTooLarge))
}

func cannotBeUsed(err error) ui.Text {
	return ui.Say("This file cannot be used: %s.", entry.Said(err.Error()))
}

func (d *Door) askToRemoveLogo(v *entry.Visit) error {
	row, _, err := d.row(v, "settings", d.editable)
	if err != nil {
		return err
	}
	says := []ui.Text{ui.Say("The image is not kept: to have it again, hand it in again.")}
	if row.Live() && d.Registry.Reviews() {
		says = append(says, ui.Say("People see it until the operator has approved the change."))
	}
	return v.Show(http.StatusOK, &ui.ConfirmPage{
		StaffFrame: v.Frame("apps"), Heading: ui.Say("Remove the logo of %s?", row.Name), Button: ui.Say("Remove it"), Says: says,
		Token: v.Token(aboutLogo, row.ID), Action: v.Path("/apps/" + row.ID + "/logo"), Back: v.Path("/apps/" + row.ID + "/settings"), Hidden: map[string]string{"do": "remove"},
	})
}

// readLogo reads one image at a time, for each may take much memory.
func (d *Door) readLogo(v *entry.Visit, file []byte) (png []byte, hash string, err error) {
	select {
	case d.reading <- struct{}{}:
		defer func() { <-d.reading }()
	case <-v.R.Context().Done():
		return nil, "", v.R.Context().Err()
	}
	return logo.Read(file)
}

func (d *Door) keepLogo(v *entry.Visit, appID, hash string, png []byte) error {
	edited, err := d.Registry.SetLogo(v.R.Context(), v.By(), appID, hash, png)
	if err != nil {
		return err
	}
	return v.Go("/apps/" + appID + "/settings?done=" + doneWord(edited))
}

// proposedLogo shows an image that was handed in and is not approved, to those
// who handed it in.
func (d *Door) proposedLogo(v *entry.Visit) error {
	app, _, err := d.app(v, "")
	if err != nil {
		return err
	}
	png, err := d.Rows.ProposedLogo(v.R.Context(), app.ID)
	if err != nil {
		return err
	}
	return v.Image(png)
}
