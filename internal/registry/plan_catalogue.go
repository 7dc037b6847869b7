package registry

import (
	"fmt"
	"maps"
	"slices"

	"postern.dev/postern"
	"postern.dev/postern/internal/yamlfile"
)

func (p *plan) planScopes() {
	for _, s := range p.state.Scopes {
		p.scopes[s.Name] = true
	}
	for _, d := range p.res.scopes {
		at := slices.IndexFunc(p.state.Scopes, func(s postern.Scope) bool { return s.Name == d.Name })
		if value(d.Remove) {
			delete(p.scopes, d.Name)
			p.didDrop("scope", at >= 0, d.Name, "", &p.writes.DropScopes)
			continue
		}
		p.scopes[d.Name] = true
		row := postern.Scope{Name: d.Name}
		if at >= 0 {
			row = p.state.Scopes[at]
		} else if value(d.Description) == "" {
			p.report(d.problem("description", "is missing; people read it when they are asked to allow this"))
		}
		c := p.change("scope", d.Name, "")
		set(c, "description", &row.Description, d.Description)
		if p.didPut(c, at < 0) {
			p.writes.Scopes = append(p.writes.Scopes, row)
		}
	}
}

func (p *plan) planEvents() {
	for _, e := range p.state.Events {
		p.eventScope[e.Type] = e.Scope
	}
	for _, d := range p.res.events {
		at := slices.IndexFunc(p.state.Events, func(e EventType) bool { return e.Type == d.Type })
		if value(d.Remove) {
			delete(p.eventScope, d.Type)
			p.didDrop("event", at >= 0, d.Type, "", &p.writes.DropEvents)
			continue
		}
		row := EventType{Type: d.Type}
		if at >= 0 {
			row = p.state.Events[at]
		}
		c := p.change("event", d.Type, "")
		set(c, "description", &row.Description, d.Description)
		set(c, "scope", &row.Scope, d.Scope)
		if value(d.Scope) != "" && !p.scopes[*d.Scope] {
			p.report(d.problem("scope", "%s", p.unknownScope(*d.Scope)))
		}
		p.eventScope[d.Type] = row.Scope
		if p.didPut(c, at < 0) {
			p.writes.Events = append(p.writes.Events, row)
		}
	}
}

// checkDroppedScopes keeps a scope that is in use from going.
func (p *plan) checkDroppedScopes() {
	for _, d := range p.res.scopes {
		if !value(d.Remove) {
			continue
		}
		for _, app := range p.appsWith(d.Name) {
			p.report(d.problem("remove", "the app %s may ask for this scope; take it out of the app's scopes first", app))
		}
		for _, event := range slices.Sorted(maps.Keys(p.eventScope)) {
			if p.eventScope[event] == d.Name {
				p.report(d.problem("remove", "the event %s needs this scope; change the event first", event))
			}
		}
	}
}

// appsWith are the apps that may ask for a scope after this apply.
func (p *plan) appsWith(scope string) (apps []string) {
	for _, app := range p.state.ScopeUses[scope] {
		if _, declared := p.scopesOf[app]; !declared && !slices.Contains(p.writes.DropApps, app) {
			apps = append(apps, app)
		}
	}
	for app, scopes := range p.scopesOf {
		if slices.Contains(scopes, scope) {
			apps = append(apps, app)
		}
	}
	slices.Sort(apps)
	return apps
}

// unknownScope is what is said of a scope that is not in the catalogue.
func (p *plan) unknownScope(name string) string {
	return fmt.Sprintf("%q is not in the catalogue (the key scopes)%s", name, yamlfile.Suggest(name, slices.Sorted(maps.Keys(p.scopes))))
}

func (p *plan) planAPIs() {
	apps := map[string]bool{}
	for _, a := range p.state.Apps {
		apps[a.ID] = true
	}
	for _, d := range p.res.apis {
		row, ok := match(p, &d.where, p.state.APIs, "id", string(value(d.ID)), value(d.Name), value(d.Remove))
		if !ok {
			continue
		}
		if value(d.Remove) {
			id, name := d.names()
			if row != nil {
				id, name = row.ID, row.Name
			}
			p.didDrop("api", row != nil, id, name, &p.writes.DropAPIs)
			continue
		}
		isNew := row == nil
		if isNew {
			row = &API{API: postern.API{ID: string(value(d.ID)), Name: string(value(d.ID))}}
			if row.ID == "" {
				row.ID = p.newID("api_")
			}
		}
		if _, declared := p.scopesOf[row.ID]; declared || apps[row.ID] {
			p.report(d.problem("id", "is the client_id of an app; an API and an app cannot share one"))
		}
		c := p.change("api", row.ID, value(d.Name))
		set(c, "name", &row.Name, d.Name)
		set(c, "disabled", &row.Disabled, d.Disabled)
		p.apiSecret(d, row, c, isNew)
		if c.Name = row.Name; p.didPut(c, isNew) {
			p.writes.APIs = append(p.writes.APIs, Put[API]{Row: *row, New: isNew})
		}
	}
}

func (p *plan) apiSecret(d *apiDecl, row *API, c *Change, isNew bool) {
	if d.Secret != nil {
		hash := postern.Secret(*d.Secret).Hash()
		set(c, "secret", &row.SecretHash, &hash)
	} else if isNew {
		secret, err := postern.APISecretForm.Mint(p.rules.Random)
		p.fail(err)
		row.SecretHash = secret.Hash()
		c.Secrets = append(c.Secrets, MadeSecret{"secret", secret})
	}
}
