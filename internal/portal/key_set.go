package portal

import (
	"cmp"
	"net/http"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
)

// publicKeys completes the page with the keys by which the app proves itself.
func (d *Door) publicKeys(v *entry.Visit, row *registry.App, form *ui.Form, page *ui.KeysPage) error {
	page.TakesKeys, page.SetToken = d.Registry.TakesKeys(row), v.Token(aboutSet, row.ID)
	page.Pasted = form.Field(ui.Field{Name: "jwks", Label: ui.Say("Key set (JSON)"), Type: "lines", Rows: 8, Required: true,
		Hint: ui.Say("Public keys alone, each with a kid of its own: EC P-256, RSA of 2048 bits or more, or Ed25519. To change a key, paste the old and the new one, and leave the old one out later.")})
	page.KeySet = row.JWKS
	keys, err := registry.PublicKeys(row)
	for _, k := range keys {
		page.PublicKeys = append(page.PublicKeys, ui.PublicKey(k))
	}
	return err
}

func (d *Door) setKeys(v *entry.Visit) error {
	row, frame, err := d.row(v, "keys", d.editable)
	if err != nil {
		return err
	}
	if err := v.Proved(aboutSet, row.ID); err != nil {
		return err
	}
	if !v.Fresh() {
		return v.AskAgain()
	}
	pasted, err := v.Field("jwks")
	if err != nil {
		return err
	}
	err = d.Registry.SetKeys(v.R.Context(), v.By(), row.ID, cmp.Or(strings.TrimSpace(pasted), "{}"))
	if found, wrong := findings(err); wrong {
		form := ui.NewForm(map[string][]string{"name": {usualName(row).Value("name")}, "jwks": {pasted}})
		entry.AddFindings(form, found)
		return d.showKeys(v, row, frame, form, &ui.KeysPage{})
	}
	if err != nil {
		return err
	}
	return v.Go("/apps/" + row.ID + "/keys?done=keys")
}

func (d *Door) askToRemoveKeys(v *entry.Visit) error {
	row, _, err := d.row(v, "keys", d.editable)
	if err != nil {
		return err
	}
	if row.JWKS == "" {
		return postern.Errorf(postern.NotFound, "The app has no keys of its own (any more).")
	}
	says := []ui.Text{ui.Say("What your program signs with them is refused from that moment.")}
	if validBeside(row, "", d.Now()) == 0 {
		says = append(says, ui.Say("%s has no client secret either: until you make one, the app can neither exchange codes nor refresh tokens.", row.Name))
	}
	return v.Show(http.StatusOK, &ui.ConfirmPage{
		StaffFrame: v.Frame("apps"), Heading: ui.Say("Remove the public keys of %s?", row.Name), Button: ui.Say("Remove them"), Says: says,
		Token: v.Token(aboutSet, row.ID, "remove"), Action: v.R.URL.Path, Back: v.Path("/apps/" + row.ID + "/keys"),
	})
}

func (d *Door) removeKeys(v *entry.Visit) error {
	row, _, err := d.row(v, "keys", d.editable)
	if err != nil {
		return err
	}
	if err := v.Proved(aboutSet, row.ID, "remove"); err != nil {
		return err
	}
	if err := d.Registry.SetKeys(v.R.Context(), v.By(), row.ID, ""); err != nil {
		return err
	}
	return v.Go("/apps/" + row.ID + "/keys?done=keyless")
}
