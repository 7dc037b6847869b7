package dialect

import (
	"fmt"
	"html"
	"html/template"
	"slices"
	"strings"
)

// GuideApp is the app that a guide is for.
type GuideApp struct {
	ClientID    string
	RedirectURL string
	Scopes      []string
	Attributes  map[string]string
	Public      bool
	Product     string // whose accounts are connected: the button's word
	SampleCall  string // an address of the API to call first; empty: none is known
}

// Parts are a guide as parts of a page of somebody else's.
type Parts struct {
	Title    string
	Choosers template.HTML // the buttons by which a reader picks a language
	Sections []Section
}

// Section is what stands under one heading; before the first one the ID is "".
type Section struct {
	ID, Title string
	HTML      template.HTML
	Text      string // to search in
}

// GuideParts is the guide for one app, or (nil) for any.
func (d *Dialect) GuideParts(in Language, public string, app *GuideApp, calls ...Call) *Parts {
	p := d.guideFor(in, public, app, calls)
	parts := &Parts{Title: p.title, Sections: []Section{{}}}
	var chosen []choice
	var body strings.Builder
	now := &parts.Sections[0]
	end := func() { now.HTML = template.HTML(body.String()); body.Reset() }
	for _, b := range p.blocks {
		if h, ok := b.(heading); ok {
			end()
			parts.Sections = append(parts.Sections, Section{ID: fmt.Sprintf("%s-%d", d.name, len(parts.Sections)), Title: h.text})
			now = &parts.Sections[len(parts.Sections)-1]
			continue
		}
		if c, ok := b.(choices); ok {
			for _, one := range c.of {
				if !containsChoice(chosen, one.id) {
					chosen = append(chosen, one)
				}
			}
		}
		writeBlock(&body, b)
		now.Text += " " + wordsOf(b)
	}
	end()
	parts.Choosers = template.HTML(p.choosers(chosen))
	return parts
}

// GuideStyle is what guides have beside the product's own style sheet.
func GuideStyle() string {
	var all []choice
	for _, id := range append([]string{"curl"}, tongueIDs()...) {
		all = append(all, choice{id: id})
	}
	return guideStyle + choiceStyle(all)
}

func tongueIDs() (ids []string) {
	for _, t := range tongues {
		ids = append(ids, t.id)
	}
	for _, v := range verifiers {
		if !slices.Contains(ids, v.id) {
			ids = append(ids, v.id)
		}
	}
	return ids
}

// wordsOf are a block's words.
func wordsOf(b any) string {
	switch b := b.(type) {
	case paragraph:
		return b.text
	case points:
		return strings.Join(b.items, " ")
	case listing:
		return b.text
	case table:
		var all []string
		for _, row := range b.rows {
			all = append(all, strings.Join(row, " "))
		}
		return strings.Join(all, " ")
	}
	return ""
}

// begin is what a guide for one app has in its first section: the app's own
// values, the link, and a button to paste.
func (g *guide) begin(app *GuideApp) {
	g.heading("Your app")
	values := map[string]string{clientIDBlank: app.ClientID, secretBlank: "…", redirectBlank: app.RedirectURL}
	for name, value := range app.Attributes {
		values[attributePrefix+strings.ToUpper(name)] = value
	}
	var lines []string
	for _, name := range g.steps.environment() {
		if name == secretBlank && app.Public {
			continue
		}
		line := "export " + name + "=" + shellQuoted(values[name], nil)
		if name == secretBlank {
			line += "   # " + g.text("from Keys; shown once, when it is made")
		}
		lines = append(lines, line)
	}
	if app.SampleCall != "" {
		lines = append(lines, "export "+urlBlank+"="+shellQuoted(app.SampleCall, nil))
	}
	if len(lines) > 0 {
		g.say("All examples below read these. Set them once, and what you paste works:")
		g.code("sh", strings.Join(lines, "\n"))
	}
	link := g.linkOf(app)
	if g.steps.pkce {
		g.say("The Connect link of your app. `STATE` is a new random text for each person, `CODE_CHALLENGE` the digest of a new verifier:")
	} else {
		g.say("The Connect link of your app. `STATE` is a new random text for each person:")
	}
	g.code("", link)
	if g.steps.pkce {
		g.say("By hand, from a shell: make a verifier, open the link that this prints, and sign in as one of the people of your sandbox:")
		g.code("sh", linkByHand(link))
	} else {
		g.say("By hand: open the link, and sign in as one of the people of your sandbox.")
	}
	g.say("The curl lines also read %s. Set each as you get it: the code stands in the address that you come back to, the rest in the answers.",
		g.chain(coded(g.steps.heard()), "%s and %s"))
	g.say("A button for your page:")
	g.code("html", fmt.Sprintf("<a href=\"%s\">%s</a>", html.EscapeString(link), html.EscapeString(g.text("Connect to %s", app.Product))))
}

// linkByHand are shell lines that print the link with a challenge, and keep the
// verifier for the curl line that exchanges the code.
func linkByHand(link string) string {
	return "export CODE_VERIFIER=$(openssl rand -hex 32)\n" +
		`CODE_CHALLENGE=$(printf %s "$CODE_VERIFIER" | openssl dgst -sha256 -binary | openssl base64 -A | tr '+/' '-_' | tr -d '=')` + "\n" +
		"echo " + shellQuoted(link, []string{challengeBlank})
}

// linkOf is the Connect link with the app's own values.
func (g *guide) linkOf(app *GuideApp) string {
	s := &Speaker{Dialect: g.d, Server: g.public, ClientID: app.ClientID, RedirectURL: app.RedirectURL, Scopes: app.Scopes,
		Attributes: app.Attributes, Kept: map[string]string{}}
	if g.d.tenant != "" {
		s.Tenant = blank(tenantBlank)
	}
	challenge := ""
	if g.steps.pkce {
		challenge = blank(challengeBlank)
	}
	return plainText(newMessage(&Request{Method: "GET", URL: s.Authorize(blank(stateBlank), challenge)}))
}
