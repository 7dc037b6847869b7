package portal

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"slices"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/sandbox"
	"postern.dev/postern/internal/ui"
	"postern.dev/postern/internal/wire"
)

const toTry browser.Purpose = "try"

// mostWalk bounds a step's form: it brings the whole walk along.
const mostWalk = 256 << 10

func (d *Door) tryRoutes() {
	d.Entry.Handle("GET /apps/{app}/try", d.try)
	d.Entry.HandleUpload("POST /apps/{app}/try", mostWalk, d.takeStep, nil)
}

// try is the page before the first step.
func (d *Door) try(v *entry.Visit) error {
	app, frame, err := d.app(v, "try")
	if err != nil {
		return err
	}
	page := d.tryPage(v, app, frame)
	page.Lacks = d.lacks(app)
	if page.People, err = d.sandboxPeople(v, app); err != nil {
		return err
	}
	return v.Show(http.StatusOK, page)
}

func (d *Door) tryPage(v *entry.Visit, app *postern.App, frame ui.AppFrame) *ui.TryPage {
	return &ui.TryPage{AppFrame: frame, Token: v.Token(toTry, app.ID), Action: v.Path("/apps/" + app.ID + "/try")}
}

func (d *Door) sandboxPeople(v *entry.Visit, app *postern.App) (list []ui.TryPerson, err error) {
	accounts, err := d.Sandboxes.Accounts(v.R.Context(), app.Partner.ID)
	for _, a := range accounts {
		for _, p := range a.People {
			if !p.Disabled && app.MayConnect(p.Role) {
				list = append(list, ui.TryPerson{ID: p.ID, Name: p.Name, Role: p.Role, Account: a.Name})
			}
		}
	}
	return list, err
}

// takeStep begins a walk, or takes its next step.
func (d *Door) takeStep(v *entry.Visit) error {
	app, frame, err := d.editable(v, "try")
	if err != nil {
		return err
	}
	if err := v.Proved(toTry, app.ID); err != nil {
		return err
	}
	walk, err := d.walkOf(v, app)
	if err != nil {
		return err
	}
	w, err := d.walker(v, app, walk)
	if err != nil {
		return err
	}
	if err := w.take(v.R.Context()); err != nil {
		return err
	}
	page := d.tryPage(v, app, frame)
	if page.Walk, err = d.sealed(v, app, walk); err != nil {
		return err
	}
	w.show(page)
	return v.Show(http.StatusOK, page)
}

// walkOf is the walk that the form brings along, with what was typed for its
// next step, or a new one.
func (d *Door) walkOf(v *entry.Visit, app *postern.App) (*walk, error) {
	form, err := v.Fields("walk", "client_secret", "person", "redirect_url")
	if err != nil {
		return nil, err
	}
	if form[0] == "" {
		return d.newWalk(v, app, form[2], form[3])
	}
	sealed, err := base64.RawURLEncoding.DecodeString(form[0])
	if err != nil {
		return nil, errOtherWalk
	}
	text, err := d.Sealer.Open("portal", walkOwner(v, app), "walk", sealed)
	if err != nil {
		return nil, errOtherWalk
	}
	w := &walk{}
	if err := json.Unmarshal(text, w); err != nil {
		return nil, postern.Wrap(postern.ServerError, err)
	}
	if form[1] != "" {
		w.Secret = form[1]
	}
	return w, nil
}

var errOtherWalk = postern.Errorf(postern.InvalidRequest, "This walk belongs to somebody else, or is not complete. Start again.")

// walkOwner is what a sealed walk is bound to: like the form that brings it
// (Visit.Token), it outlives the session.
func walkOwner(v *entry.Visit, app *postern.App) string { return app.ID + " " + v.Staff().ID }

func (d *Door) sealed(v *entry.Visit, app *postern.App, w *walk) (string, error) {
	text, err := json.Marshal(w)
	if err != nil {
		return "", err
	}
	sealed, err := d.Sealer.Seal("portal", walkOwner(v, app), "walk", text)
	return base64.RawURLEncoding.EncodeToString(sealed), err
}

// newWalk begins with a person of the partner's sandbox; where there is none, an
// account is made.
func (d *Door) newWalk(v *entry.Visit, app *postern.App, person, redirect string) (*walk, error) {
	if len(app.RedirectURLs) == 0 {
		return nil, postern.Errorf(postern.InvalidRequest, "%s has no redirect URL yet: add one under Settings.", app.Name)
	}
	if redirect == "" {
		redirect = app.RedirectURLs[0]
	}
	if !slices.Contains(app.RedirectURLs, redirect) {
		return nil, postern.Errorf(postern.InvalidRequest, "Choose one of the app’s redirect URLs.")
	}
	people, err := d.sandboxPeople(v, app)
	if err != nil {
		return nil, err
	}
	if person == "" && len(people) > 0 {
		person = people[0].ID
	}
	if person == "" {
		a, err := d.Sandboxes.Make(v.R.Context(), acting(v), app.Partner)
		if err != nil {
			return nil, err
		}
		person = a.People[0].ID
	}
	scopes := app.DefaultScopes
	if len(scopes) == 0 {
		scopes = app.Scopes
	}
	return &walk{Dialect: app.Dialect, PersonID: person, RedirectURL: redirect, Scopes: scopes,
		State: rand.Text(), Verifier: rand.Text() + rand.Text(), Next: connecting}, nil
}

// walker finds everybody that a walk is about.
func (d *Door) walker(v *entry.Visit, app *postern.App, walk *walk) (*walker, error) {
	spoken, ok := d.Dialects.Get(walk.Dialect)
	if !ok {
		return nil, postern.Errorf(postern.NotFound, "The dialect %s is not spoken here any more.", walk.Dialect)
	}
	accounts, err := d.Sandboxes.Accounts(v.R.Context(), app.Partner.ID)
	if err != nil {
		return nil, err
	}
	w := &walker{walk: walk, door: d, app: app, from: v.Address()}
	if w.account, w.person = personOf(accounts, walk.PersonID); w.person == nil {
		return nil, postern.Errorf(postern.NotFound, "This person is no longer in your sandbox. Start again.")
	}
	w.speaker = &dialect.Speaker{
		Dialect: spoken, Server: d.PublicURL, ClientID: app.ID, ClientSecret: walk.Secret, RedirectURL: walk.RedirectURL,
		Scopes: walk.Scopes, Attributes: app.Attributes, Tenant: w.account.Handle, Kept: map[string]string{},
	}
	return w, nil
}

func personOf(accounts []sandbox.Account, userID string) (*sandbox.Account, *sandbox.Person) {
	for i := range accounts {
		for j := range accounts[i].People {
			if accounts[i].People[j].ID == userID {
				return &accounts[i], &accounts[i].People[j]
			}
		}
	}
	return nil, nil
}

// titles say what each step is.
var titles = map[step]ui.Text{
	connecting:    ui.Say("Send the person to the Connect link"),
	allowing:      ui.Say("The person signs in and allows it"),
	exchanging:    ui.Say("Exchange the code for tokens"),
	calling:       ui.Say("Call the API"),
	refreshing:    ui.Say("Refresh the tokens"),
	disconnecting: ui.Say("Disconnect"),
	proving:       ui.Say("Call the API once more: the token is dead"),
}

// show writes the walk into the page. The app's secret and the password are
// hidden; the rest is as on the wire, and of a sandbox.
func (w *walker) show(page *ui.TryPage) {
	page.Person, page.Account = w.person.Name, w.account.Name
	for _, done := range w.Done {
		one := ui.TryStep{Title: titles[done.Step], Failed: done.Failed}
		for _, x := range done.Exchanges {
			one.Exchanges = append(one.Exchanges, ui.TryExchange{
				Request: w.hidden(wire.MaskedBasic(x.Request)), Answer: w.hidden(x.Answer), Status: x.Status, NotSent: x.Title == "callback",
			})
		}
		page.Steps = append(page.Steps, one)
	}
	page.Over = w.Next == atTheEnd
	if !page.Over {
		page.Next = titles[w.Next]
	}
	page.AskSecret = !w.app.Public && w.Next == exchanging
	page.Dead = w.Dead
}

func (w *walker) hidden(text string) string {
	return wire.Masked(text, w.Secret, string(w.person.Password))
}
