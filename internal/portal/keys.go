package portal

import (
	"encoding/hex"
	"net/http"
	"slices"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
	"postern.dev/postern/internal/webhook"
)

const (
	aboutKeys browser.Purpose = "keys"
	aboutHook browser.Purpose = "webhook key"
	aboutSet  browser.Purpose = "key set"
)

func (d *Door) keyRoutes() {
	e := d.Entry
	e.Handle("GET /apps/{app}/keys", d.keys)
	e.Handle("POST /apps/{app}/keys", d.newSecret)
	e.Handle("GET /apps/{app}/keys/{secret}/end", d.askToEndSecret)
	e.Handle("POST /apps/{app}/keys/{secret}/end", d.endSecret)
	e.Handle("POST /apps/{app}/keys/webhook", d.newHookKey)
	e.Handle("POST /apps/{app}/keys/set", d.setKeys)
	e.Handle("GET /apps/{app}/keys/set/remove", d.askToRemoveKeys)
	e.Handle("POST /apps/{app}/keys/set/remove", d.removeKeys)
}

func (d *Door) keys(v *entry.Visit) error {
	row, frame, err := d.row(v, "keys", d.app)
	if err != nil {
		return err
	}
	return d.showKeys(v, row, frame, usualName(row), &ui.KeysPage{})
}

// usualName names an app's first secret. A second one is told from it by its name,
// so that is its maker's to choose.
func usualName(row *registry.App) *ui.Form {
	if len(row.Secrets) > 0 {
		return ui.NewForm(nil)
	}
	return ui.NewForm(map[string][]string{"name": {"default"}})
}

// showKeys completes the page. A secret that was made by this request is on it
// already.
func (d *Door) showKeys(v *entry.Visit, row *registry.App, frame ui.AppFrame, form *ui.Form, page *ui.KeysPage) error {
	page.AppFrame, page.Fresh, page.SignsWithKey = frame, v.Fresh(), row.JWKS != ""
	for _, s := range slices.Backward(row.Secrets) { // the latest first
		page.Secrets = append(page.Secrets, ui.SecretLine{AppSecret: s, Valid: s.ValidAt(d.Now())})
	}
	page.Most = validBeside(row, "", d.Now()) >= registry.MostSecrets
	var err error
	if page.SecretID, err = d.Registry.SecretID(); err != nil {
		return err
	}
	page.Token = v.Token(aboutKeys, row.ID, page.SecretID)
	if err := d.publicKeys(v, row, form, page); err != nil {
		return err
	}
	page.Called = form.Field(ui.Field{Name: "name", Label: ui.Say("Name"), Most: 64, Required: true, Hint: ui.Say("Tells it from the other one: where it is used.")})
	hook, err := d.Hooks.Endpoint(v.R.Context(), row.ID)
	if err != nil {
		return err
	}
	page.HookToken = v.Token(aboutHook, row.ID, fingerprint(hook))
	if page.HookHint, err = d.Hooks.KeyHint(hook); err != nil {
		return err
	}
	if d.Now().Before(hook.OldUntil) {
		page.HookOldUntil = hook.OldUntil
	}
	return v.Show(http.StatusOK, page)
}

// fingerprint is another one after each rotation: a form that is sent twice does
// not rotate twice.
func fingerprint(e *webhook.Endpoint) string {
	hash := postern.Secret(e.Secret).Hash()
	return hex.EncodeToString(hash[:])
}

func (d *Door) newSecret(v *entry.Visit) error {
	row, frame, err := d.row(v, "keys", d.editable)
	if err != nil {
		return err
	}
	said, err := v.Fields("id", "name", "overlap")
	if err != nil {
		return err
	}
	if err := v.Proved(aboutKeys, row.ID, said[0]); err != nil {
		return err
	}
	if !v.Fresh() {
		return v.AskAgain()
	}
	for _, s := range row.Secrets {
		if s.ID == said[0] { // the page of the secret was loaded again
			return v.Go("/apps/" + row.ID + "/keys?done=again")
		}
	}
	overlap, ok := overlapOf(said[2])
	if !ok {
		return postern.Errorf(postern.InvalidRequest, "Choose when the old secret ends.")
	}
	secret, err := d.Registry.AddSecret(v.R.Context(), v.By(), row.ID, registry.NewSecret{ID: said[0], Name: said[1], Overlap: overlap})
	if found, wrong := findings(err); wrong {
		form := ui.NewForm(v.R.PostForm)
		entry.AddFindings(form, found)
		return d.showKeys(v, row, frame, form, &ui.KeysPage{})
	}
	if err != nil {
		return err
	}
	if row, frame, err = d.row(v, "keys", d.editable); err != nil {
		return err
	}
	return d.showKeys(v, row, frame, ui.NewForm(nil), &ui.KeysPage{Shown: string(secret)})
}

// overlapOf reads how long an old key lives on. Without one that there is to
// choose, there is no old key.
func overlapOf(text string) (time.Duration, bool) {
	switch text {
	case "", "keep":
		return registry.KeepOld, true
	case "0s", "1h", "24h", "168h":
		overlap, err := time.ParseDuration(text)
		return overlap, err == nil
	}
	return 0, false
}

// secretOf finds the secret that the path names.
func secretOf(v *entry.Visit, row *registry.App) (*postern.AppSecret, error) {
	for i := range row.Secrets {
		if row.Secrets[i].ID == v.R.PathValue("secret") {
			return &row.Secrets[i], nil
		}
	}
	return nil, postern.Errorf(postern.NotFound, "The app has no such secret (any more).")
}

func (d *Door) askToEndSecret(v *entry.Visit) error {
	row, _, err := d.row(v, "keys", d.editable)
	if err != nil {
		return err
	}
	s, err := secretOf(v, row)
	if err != nil {
		return err
	}
	says := []ui.Text{ui.Say("It ends with …%s. It ended already, and is only taken off the list.", s.Hint)}
	if s.ValidAt(d.Now()) {
		says = []ui.Text{ui.Say("It ends with …%s. Programs that still use it are refused from that moment.", s.Hint)}
		if others := validBeside(row, s.ID, d.Now()); others == 0 {
			says = append(says, ui.Say("It is the only one that %s has: until you make another, the app can neither exchange codes nor refresh tokens.", row.Name))
		}
	}
	return v.Show(http.StatusOK, &ui.ConfirmPage{
		StaffFrame: v.Frame("apps"), Heading: ui.Say("End the secret %s?", s.Name), Button: ui.Say("End it"), Says: says,
		Token: v.Token(aboutKeys, row.ID, s.ID, "end"), Action: v.R.URL.Path, Back: v.Path("/apps/" + row.ID + "/keys"),
	})
}

// validBeside is how many secrets are valid, but for one.
func validBeside(row *registry.App, id string, now time.Time) (n int) {
	for _, s := range row.Secrets {
		if s.ID != id && s.ValidAt(now) {
			n++
		}
	}
	return n
}

func (d *Door) endSecret(v *entry.Visit) error {
	row, _, err := d.row(v, "keys", d.editable)
	if err != nil {
		return err
	}
	id := v.R.PathValue("secret")
	if err := v.Proved(aboutKeys, row.ID, id, "end"); err != nil {
		return err
	}
	if err := d.Registry.EndSecret(v.R.Context(), v.By(), row.ID, id); err != nil {
		return err
	}
	return v.Go("/apps/" + row.ID + "/keys?done=ended")
}

func (d *Door) newHookKey(v *entry.Visit) error {
	row, frame, err := d.row(v, "keys", d.editable)
	if err != nil {
		return err
	}
	hook, err := d.Hooks.Endpoint(v.R.Context(), row.ID)
	if err != nil {
		return err
	}
	if err := v.Proved(aboutHook, row.ID, fingerprint(hook)); err != nil {
		return err
	}
	if !v.Fresh() {
		return v.AskAgain()
	}
	text, err := v.Field("overlap")
	if err != nil {
		return err
	}
	overlap, ok := overlapOf(text)
	if !ok || overlap == registry.KeepOld && len(hook.Secret) > 0 {
		return postern.Errorf(postern.InvalidRequest, "Choose when the old key ends.")
	}
	secret, err := d.Hooks.RotateSecret(v.R.Context(), hook, max(0, overlap), v.Actor())
	if err != nil {
		return err
	}
	return d.showKeys(v, row, frame, usualName(row), &ui.KeysPage{ShownHook: string(secret)})
}
