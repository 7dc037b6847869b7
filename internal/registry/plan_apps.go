package registry

import (
	"maps"
	"slices"

	"postern.dev/postern"
	"postern.dev/postern/internal/yamlfile"
)

func (p *plan) planPartners() {
	for _, d := range p.res.partners {
		row, ok := match(p, &d.where, p.state.Partners, "id", string(value(d.ID)), value(d.Name), value(d.Remove))
		switch {
		case !ok:
		case row != nil && row.Registered && d.ID == nil: // anybody takes any name
			p.report(d.problem("name", "is that of a company that registered itself (%s), and may not be the one that you mean; if it is, write its id beside its name", row.ID))
		case value(d.Remove):
			p.dropPartner(d, row)
		default:
			p.planPartner(d, row)
		}
	}
}

// dropPartner takes all its apps along, whether they are declared or not.
func (p *plan) dropPartner(d *partnerDecl, row *Partner) {
	id, name := d.names()
	if row != nil {
		id, name = row.ID, row.Name
		p.gone[id] = true
		for _, app := range p.state.Apps {
			if app.Partner.ID == id && !app.Removed {
				p.didDrop("app", true, app.ID, app.Name, &p.writes.DropApps)
			}
		}
	}
	p.didDrop("partner", row != nil, id, name, &p.writes.DropPartners)
}

func (p *plan) planPartner(d *partnerDecl, row *Partner) {
	isNew := row == nil
	if isNew {
		row = &Partner{Partner: postern.Partner{ID: string(value(d.ID))}}
		if row.ID == "" {
			row.ID = p.newID("par_")
		}
		if d.Name == nil && d.ID != nil {
			p.report(d.problem("name", "is missing; no partner has this id yet, and a new one needs a name"))
		}
	}
	c := p.change("partner", row.ID, "")
	set(c, "name", &row.Name, d.Name)
	set(c, "disabled", &row.Disabled, d.Disabled)
	p.partnerOf[d] = row.ID
	if c.Name = row.Name; p.didPut(c, isNew) {
		p.writes.Partners = append(p.writes.Partners, Put[Partner]{Row: *row, New: isNew})
	}
}

func (p *plan) planApps() {
	for _, d := range p.res.apps {
		if partner := p.partnerOf[d.partner]; partner != "" { // else it goes itself, or is a problem
			if row, ok := p.matchApp(d, partner); ok {
				p.planApp(d, partner, row)
			}
		}
	}
}

// matchApp finds an app by its client_id anywhere, by its name within its
// partner.
func (p *plan) matchApp(d *appDecl, partner string) (row *App, ok bool) {
	id, name := d.names()
	row, ok = match(p, &d.where, slices.DeleteFunc(slices.Clone(p.state.Apps), func(a App) bool {
		return id == "" && a.Partner.ID != partner
	}), "client_id", id, name, value(d.Remove))
	if row != nil && row.Partner.ID != partner {
		p.report(d.problem("client_id", "is an app of another partner, and apps do not change hands"))
		return nil, false
	}
	for _, api := range p.state.APIs {
		if id != "" && api.ID == id {
			p.report(d.problem("client_id", "is the id of an API; an API and an app cannot share one"))
			return nil, false
		}
	}
	return row, ok
}

func (p *plan) planApp(d *appDecl, partner string, row *App) {
	if value(d.Remove) {
		id, name := d.names()
		if row != nil {
			id, name = row.ID, row.Name
		}
		p.didDrop("app", row != nil, id, name, &p.writes.DropApps)
		return
	}
	isNew := row == nil
	if isNew {
		row = p.newApp(d, partner)
	}
	a := &appPlan{plan: p, d: d, row: row, isNew: isNew, c: p.change("app", row.ID, ""), clear: map[postern.Hash]postern.Secret{}}
	before := row.DeclaredSecrets
	a.setAll()
	a.takeOver()
	a.facts()
	a.checkRedirects()
	a.checkScopes()
	a.keys()
	a.secrets()
	a.webhookSecret()
	p.scopesOf[row.ID] = row.Scopes
	a.c.Name = row.Name
	if p.didPut(a.c, isNew) || row.DeclaredSecrets != before {
		p.writes.Apps = append(p.writes.Apps, Put[App]{Row: *row, New: isNew, Looks: a.looks()})
	}
}

func (p *plan) newApp(d *appDecl, partner string) *App {
	row := &App{App: postern.App{ID: string(value(d.ClientID)), Dialect: p.rules.DefaultDialect, Grants: grants[:2]}}
	row.Partner.ID = partner
	if row.ID == "" {
		row.ID = p.newID("app_")
	}
	if d.Name == nil && d.ClientID != nil {
		p.report(d.problem("name", "is missing; no app has this client_id yet, and a new one needs a name"))
	}
	if d.Dialect != nil {
		row.Dialect = *d.Dialect
	} else if row.Dialect == "" {
		p.report(d.problem("dialect", "is missing; a new app needs one"))
	}
	row.Level = p.rules.Dialects[row.Dialect].Level
	return row
}

// appPlan is the plan of one app that stays.
type appPlan struct {
	*plan
	d     *appDecl
	row   *App
	isNew bool
	c     *Change
	clear map[postern.Hash]postern.Secret // the secrets that were given or made now
}

// given reports whether one of these keys is declared, or the app is new: then
// what they are about is looked at again.
func (a *appPlan) given(keys ...string) bool {
	return a.isNew || slices.ContainsFunc(keys, a.d.gives)
}

func (a *appPlan) setAll() {
	d, row, c := a.d, a.row, a.c
	set(c, "name", &row.Name, d.Name)
	set(c, "description", &row.Description, d.Description)
	set(c, "url", &row.URL, d.URL)
	set(c, "logo_url", &row.LogoURL, d.LogoURL)
	set(c, "dialect", &row.Dialect, d.Dialect)
	setList(c, "also", &row.Also, d.Also)
	set(c, "level", (*string)(&row.Level), d.Level)
	setAttributes(c, &row.Attributes, d.Attributes)
	setList(c, "redirect_urls", &row.RedirectURLs, d.RedirectURLs)
	set(c, "webhook_url", &row.WebhookURL, d.WebhookURL)
	setList(c, "scopes", &row.Scopes, d.Scopes)
	setList(c, "default_scopes", &row.DefaultScopes, d.DefaultScopes)
	setList(c, "grants", &row.Grants, d.Grants)
	setList(c, "connect_roles", &row.ConnectRoles, d.ConnectRoles)
	set(c, "access_token_format", &row.AccessTokenFormat, formatOf(d.AccessToken))
	set(c, "public", &row.Public, d.Public)
	set(c, "disabled", &row.Disabled, d.Disabled)
	if d.ISS != nil && (row.ISS == nil || *row.ISS != *d.ISS) {
		row.ISS = d.ISS
		c.Keys = append(c.Keys, "iss")
	}
}

// looks reports whether people see another app than the one they approved:
// remembered consents are then asked for again (LC-08).
func (a *appPlan) looks() bool {
	return slices.ContainsFunc(a.c.Keys, func(key string) bool {
		return slices.Contains([]string{"name", "description", "url", "logo_url", "redirect_urls"}, key)
	})
}

// facts holds the app to what its dialects want of it.
func (a *appPlan) facts() {
	if a.given("dialect") && a.row.Dialect != "" {
		a.checkMounted(a.row.Dialect, func(problem string) yamlfile.Problem { return a.d.problem("dialect", "%s", problem) })
	}
	for i, name := range value(a.d.Also) {
		at := func(problem string) yamlfile.Problem { return a.d.item("also", i, "%s", problem) }
		if name == a.row.Dialect {
			a.report(at("is the app's dialect already; remove it"))
		} else {
			a.checkMounted(name, at)
		}
	}
	have := map[string]string{"description": a.row.Description, "url": a.row.URL, "logo_url": a.row.LogoURL, "webhook_url": a.row.WebhookURL}
	for _, key := range a.rules.Dialects[a.row.Dialect].Required {
		if have[key] == "" && a.given("dialect", key) {
			a.report(a.d.problem(key, "is missing; an app of the dialect %s needs one", a.row.Dialect))
		}
	}
	if a.given("dialect", "access_token_format") {
		if problem := a.rules.aboutSigned(&a.row.App); problem != "" {
			a.report(a.d.problem("access_token_format", "%s", problem))
		}
	}
	if a.row.Public && slices.Contains(a.row.Grants, clientCredentials) && a.given("public", "grants") {
		a.report(a.d.problem("grants", "has client_credentials, which a public app cannot use: it has no secret (RFC 6749 §4.4)"))
	}
}

func (a *appPlan) checkMounted(name string, at func(string) yamlfile.Problem) {
	if _, mounted := a.rules.Dialects[name]; !mounted {
		known := slices.Sorted(maps.Keys(a.rules.Dialects))
		a.report(at("no dialect of this name is mounted" + yamlfile.Suggest(name, known)))
	}
}

// spoken are the facts of each dialect that the app speaks.
func (a *appPlan) spoken() map[string]DialectFacts {
	spoken := map[string]DialectFacts{}
	for _, name := range append([]string{a.row.Dialect}, a.row.Also...) {
		if facts, mounted := a.rules.Dialects[name]; mounted {
			spoken[name] = facts
		}
	}
	return spoken
}

// everyDialect reports whether something holds in all dialects of the app.
func (a *appPlan) everyDialect(holds func(DialectFacts) bool) bool {
	spoken := a.spoken()
	for _, facts := range spoken {
		if !holds(facts) {
			return false
		}
	}
	return len(spoken) > 0
}

func (a *appPlan) checkRedirects() {
	if !a.given("redirect_urls", "dialect", "also", "public", "grants") {
		return
	}
	rule := urlRule{loopback: a.rules.InsecureLoopback, redirect: true}
	rule.native = a.row.Public && a.everyDialect(func(f DialectFacts) bool { return f.NativeApps })
	seen := map[string]bool{}
	for i, u := range a.row.RedirectURLs {
		problem := rule.about(u)
		if problem == "" && seen[u] {
			problem = "stands in this list twice; remove one"
		}
		if problem != "" {
			a.report(a.d.item("redirect_urls", i, "%s", problem))
		}
		seen[u] = true
	}
	a.countRedirects()
}

// countRedirects: an app that only gets tokens for itself needs no address.
func (a *appPlan) countRedirects() {
	if !slices.Contains(a.row.Grants, grants[0]) {
		return
	}
	n := len(a.row.RedirectURLs)
	spoken := a.spoken()
	for _, name := range slices.Sorted(maps.Keys(spoken)) {
		switch facts := spoken[name]; {
		case facts.OneRedirectURL && n != 1:
			a.report(a.d.problem("redirect_urls", "has %d addresses; an app of the dialect %s has exactly one", n, name))
			return
		case facts.SomeRedirectURL && n == 0:
			a.report(a.d.problem("redirect_urls", "is missing; an app of the dialect %s needs one at least", name))
			return
		}
	}
	if n == 0 && a.row.Public { // RFC 6749 §3.1.2.2
		a.report(a.d.problem("redirect_urls", "is missing; a public app needs one at least"))
	}
}

func (a *appPlan) checkScopes() {
	for i, s := range value(a.d.Scopes) {
		if !a.plan.scopes[s] && aboutScope(s) == "" {
			a.report(a.d.item("scopes", i, "%s", a.unknownScope(s)))
		}
	}
	if !a.given("scopes", "default_scopes") {
		return
	}
	for i, s := range a.row.DefaultScopes {
		if !slices.Contains(a.row.Scopes, s) {
			a.report(a.d.item("default_scopes", i, "%q is not among the app's scopes; add it there, or remove it here", s))
		}
	}
}
