package portal

import (
	"context"
	"html/template"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"postern.dev/postern"
	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/entry"
	"postern.dev/postern/internal/requestlog"
	"postern.dev/postern/internal/ui"
)

// Catalogue are the words that the operator has declared.
type Catalogue interface {
	// ScopeCatalogue is every scope, in the operator's order.
	ScopeCatalogue(ctx context.Context) ([]postern.Scope, error)
	// EventCatalogue is every type of event that the product publishes, by name.
	EventCatalogue(ctx context.Context) ([]postern.PublishedType, error)
}

func (d *Door) docsRoutes() {
	handle := d.Entry.Handle
	if d.PublicDocs {
		handle = d.Entry.Optional
	}
	handle("GET /docs", d.docs)
	handle("GET /docs/reference", d.reference)
	handle("GET /docs/dialects/{dialect}", d.guide)
	d.Entry.Handle("GET /apps/{app}/start", d.quickStart)
}

// docs is the first page of the docs, or what a search found.
func (d *Door) docs(v *entry.Visit) error {
	page := &ui.DocsPage{StaffFrame: v.Frame("docs"), Query: strings.TrimSpace(v.R.URL.Query().Get("q"))}
	for _, spoken := range d.Dialects.List() {
		page.Dialects = append(page.Dialects, spoken.Name())
	}
	if page.Query == "" {
		return v.Show(http.StatusOK, page)
	}
	const longest = 100
	if page.Query = ui.Shortened(page.Query, longest); page.Query != "" {
		places, err := d.places(v)
		if err != nil {
			return err
		}
		const most = 40
		page.Found = search(places, page.Query)
		page.All = len(page.Found)
		page.Found = page.Found[:min(page.All, most)]
	}
	return v.Show(http.StatusOK, page)
}

// place is something in the docs that can be found.
type place struct {
	ui.Found
	text string // in lower case
}

// places are all sections of all guides, and all entries of the reference.
func (d *Door) places(v *entry.Visit) (all []place, err error) {
	language := d.Entry.Pages.Language(v.R)
	add := func(where ui.Text, title, path string, says ...ui.Text) {
		text := ""
		for _, one := range says {
			text += " " + d.Entry.Pages.Plain(language, one)
		}
		text = strings.TrimSpace(text)
		all = append(all, place{ui.Found{Where: where, Title: title, Path: v.Path(path), Text: text}, strings.ToLower(title + " " + text)})
	}
	in := d.language(v)
	for _, spoken := range d.Dialects.List() {
		for _, s := range d.guideOf(in, spoken, nil).Sections {
			if s.ID != "" {
				add(ui.SayTheirs(spoken.Name()), s.Title, "/docs/dialects/"+spoken.Name()+"#"+s.ID, ui.SayTheirs(s.Text))
			}
		}
	}
	scopes, events, err := d.catalogue(v)
	if err != nil {
		return nil, err
	}
	for _, s := range scopes {
		add(ui.Say("scope"), s.Name, "/docs/reference#scopes", ui.SayTheirs(s.Description))
	}
	for _, e := range events {
		add(ui.Say("event"), e.Type, "/docs/reference#events", e.When)
	}
	for _, e := range requestlog.Catalogue() {
		add(ui.Say("error"), string(e.Rule), "/docs/reference#"+string(e.Rule), ui.SayFilled(e.What), ui.SayFilled(e.Do))
	}
	return all, nil
}

// search finds the places that have every word; those that have them in the
// title come first.
func search(places []place, query string) (found []ui.Found) {
	words := strings.Fields(strings.ToLower(query))
	has := func(text string) bool {
		return !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(text, w) })
	}
	var later []ui.Found
	for _, p := range places {
		switch {
		case has(strings.ToLower(p.Title)):
			found = append(found, around(p, words))
		case has(p.text):
			later = append(later, around(p, words))
		}
	}
	return append(found, later...)
}

// marked are links as guides write them: their words are shown.
var marked = regexp.MustCompile(`\[([^\]]+)\]\([^)]*\)`)

// around is a place with the words around the first that was found.
func around(p place, words []string) ui.Found {
	const reach = 90 // characters on either side
	text := []rune(strings.ReplaceAll(marked.ReplaceAllString(p.Text, "$1"), "`", ""))
	at := 0
	for i := range text {
		if strings.HasPrefix(strings.ToLower(string(text[i:min(len(text), i+len(words[0]))])), words[0]) {
			at = i
			break
		}
	}
	from, to := max(0, at-reach), min(len(text), at+reach)
	for from > 0 && from < at && text[from-1] != ' ' { // whole words
		from++
	}
	for to < len(text) && to > at && text[to] != ' ' {
		to--
	}
	p.Text = strings.TrimSpace(string(text[from:to]))
	if from > 0 {
		p.Text = "… " + p.Text
	}
	if to < len(text) {
		p.Text += " …"
	}
	return p.Found
}

func (d *Door) catalogue(v *entry.Visit) ([]postern.Scope, []ui.ReferenceEvent, error) {
	scopes, err := d.Rows.ScopeCatalogue(v.R.Context())
	if err != nil {
		return nil, nil, err
	}
	events := slices.Clone(connectionEvents)
	published, err := d.Rows.EventCatalogue(v.R.Context())
	for _, e := range published {
		events = append(events, ui.ReferenceEvent{Type: e.Type, Scope: e.Scope, When: ui.SayTheirs(e.Description)})
	}
	return scopes, events, err
}

// connectionEvents are those of every Postern.
var connectionEvents = []ui.ReferenceEvent{
	{Type: string(postern.ConnectionCreated), When: ui.Say("A person allowed your app, and you redeemed the code for the first time.")},
	{Type: string(postern.ConnectionUpdated), When: ui.Say("The scopes of a connection changed; changes says to what.")},
	{Type: string(postern.ConnectionDeleted), When: ui.Say("A connection ended; reason says who or what ended it. It comes once.")},
}

// reference are the scopes, the events, and the errors with their remedies.
func (d *Door) reference(v *entry.Visit) error {
	page := &ui.ReferencePage{StaffFrame: v.Frame("docs")}
	scopes, events, err := d.catalogue(v)
	if err != nil {
		return err
	}
	page.Scopes, page.Events = scopes, events
	for _, e := range requestlog.Catalogue() {
		page.Errors = append(page.Errors, ui.ReferenceError{Rule: string(e.Rule), What: ui.SayFilled(e.What), Do: ui.SayFilled(e.Do)})
	}
	return v.Show(http.StatusOK, page)
}

// guide is the guide to one dialect.
func (d *Door) guide(v *entry.Visit) error {
	spoken, ok := d.Dialects.Get(v.R.PathValue("dialect"))
	if !ok {
		return postern.Errorf(postern.NotFound, "No dialect of that name is spoken here.")
	}
	parts := d.guideOf(d.language(v), spoken, nil)
	return v.Show(http.StatusOK, &ui.GuidePage{StaffFrame: v.Frame("docs"), Heading: parts.Title, Choosers: parts.Choosers, Sections: sections(parts)})
}

// language is the reader's.
func (d *Door) language(v *entry.Visit) dialect.Language {
	tag := d.Entry.Pages.Language(v.R)
	if say, ok := d.Entry.Pages.Sayer(tag); ok {
		return dialect.Language{Tag: tag, Say: say}
	}
	return dialect.English
}

// oneGuide is a guide for no app in particular.
type oneGuide struct {
	dialect  *dialect.Dialect
	language string
}

// guideOf is a dialect's guide. Those for no app in particular never change, so
// they are made once in each language.
func (d *Door) guideOf(in dialect.Language, spoken *dialect.Dialect, app *dialect.GuideApp) *dialect.Parts {
	if app != nil {
		return spoken.GuideParts(in, d.PublicURL, app, d.Calls(spoken)...)
	}
	key := oneGuide{spoken, in.Tag}
	if made, ok := d.guides.Load(key); ok {
		return made.(*dialect.Parts)
	}
	made := spoken.GuideParts(in, d.PublicURL, nil, d.Calls(spoken)...)
	d.guides.Store(key, made)
	return made
}

func sections(parts *dialect.Parts) (all []ui.GuideSection) {
	for _, s := range parts.Sections {
		all = append(all, ui.GuideSection{ID: s.ID, Title: s.Title, HTML: s.HTML})
	}
	return all
}

// quickStart is the guide to the app's own dialect, with the app's own values.
func (d *Door) quickStart(v *entry.Visit) error {
	app, frame, err := d.app(v, "start")
	if err != nil {
		return err
	}
	page := &ui.QuickStartPage{AppFrame: frame, Lacks: d.lacks(app)}
	chosen := v.R.URL.Query().Get("dialect")
	for _, name := range append([]string{app.Dialect}, app.Also...) {
		spoken, ok := d.Dialects.Get(name)
		if !ok {
			continue
		}
		page.Dialects = append(page.Dialects, name)
		if page.Dialect == "" || name == chosen {
			page.Dialect = name
			page.Choosers, page.Sections = d.startIn(d.language(v), spoken, app)
		}
	}
	return v.Show(http.StatusOK, page)
}

func (d *Door) startIn(in dialect.Language, spoken *dialect.Dialect, app *postern.App) (template.HTML, []ui.GuideSection) {
	scopes := app.DefaultScopes
	if len(scopes) == 0 {
		scopes = app.Scopes
	}
	own := &dialect.GuideApp{ClientID: app.ID, Scopes: scopes, Attributes: app.Attributes, Public: app.Public, Product: d.Product, SampleCall: d.SampleCall}
	if len(app.RedirectURLs) > 0 {
		own.RedirectURL = app.RedirectURLs[0]
	}
	parts := d.guideOf(in, spoken, own)
	return parts.Choosers, sections(parts)
}
