package entry

import (
	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
)

// ConsentPreview is the question that people would be asked about an app, of the
// template that asks them.
func ConsentPreview(app *postern.App, catalogue []postern.Scope, noScopes bool) *ui.ConsentPage {
	page := &ui.ConsentPage{
		App: app, Site: ui.Host(app.URL), Goes: "…", Level: app.Level, Preview: true,
		Choices: []ui.Choice{{Account: postern.Account{Name: "Example Inc"}}}, User: postern.User{Name: "Ada Example", Email: "ada@example.com"},
	}
	if len(app.RedirectURLs) > 0 {
		page.Goes = ui.Host(app.RedirectURLs[0])
	}
	if noScopes {
		return page
	}
	for _, name := range app.Scopes {
		page.Scopes = append(page.Scopes, ui.ScopeLine{Text: postern.ScopeText(catalogue, name)})
	}
	return page
}

// Differences say what a proposal would change of an app. proposedLogo is where
// the image is that was handed in or fetched for it.
func Differences(a *registry.App, catalogue []postern.Scope, proposedLogo string) (list []ui.Difference) {
	was, will := a.Looks(), a.Proposal.Looks
	texts := map[string][2]string{"name": {was.Name, will.Name}, "description": {was.Description, will.Description}, "url": {was.URL, will.URL}}
	names := map[string]ui.Text{"name": ui.Say("Name"), "description": ui.Say("Description"), "url": ui.Say("Site")}
	for _, key := range registry.Differences(was, will) {
		before, after := some(texts[key][0]), some(texts[key][1])
		d := ui.Difference{What: names[key]}
		switch key {
		case "redirect_urls":
			d.What, before, after = ui.Say("Redirect URLs"), was.RedirectURLs, will.RedirectURLs
		case "scopes":
			d.What, before, after = ui.Say("Scopes"), scopeTexts(catalogue, was.Scopes), scopeTexts(catalogue, will.Scopes)
		case "grants":
			d.What, before, after = ui.Say("Tokens for itself"), ownGrant(was), ownGrant(will)
		case "logo":
			before, after = some(was.LogoURL), some(will.LogoURL)
			d = ui.Difference{What: ui.Say("Logo"), Logo: true, WasLogo: LogoPath(&a.App)}
			switch p := a.Proposal; {
			case p.LogoHash != "" || p.Picture != "":
				d.WillLogo = proposedLogo
			case p.LogoURL != "" && p.Problem != "":
				d.Fault = Said(p.Problem)
			case p.LogoURL != "":
				d.Fetching = true
			}
		}
		d.Was, d.Will = ui.Compared(before, after)
		list = append(list, d)
	}
	return list
}

// LogoPath is where an app's logo is served; empty: it has none.
func LogoPath(a *postern.App) string {
	if a.LogoHash == "" {
		return ""
	}
	return "/logos/" + a.ID + "/" + a.LogoHash + ".png"
}

// ownGrant is how an app gets tokens for itself, if it does.
func ownGrant(l postern.Looks) []string {
	if l.ForItself {
		return []string{"client_credentials"}
	}
	return nil
}

func some(text string) []string {
	if text == "" {
		return nil
	}
	return []string{text}
}

func scopeTexts(catalogue []postern.Scope, names []string) []string {
	list := make([]string, len(names))
	for i, name := range names {
		list[i] = postern.ScopeText(catalogue, name)
	}
	return list
}
