package ui

import "postern.dev/postern"

// DesignPage shows every token and component of the design system, for whoever
// builds a page with them. `postern dev` serves it; a server does not.
type DesignPage struct{ form *Form }

// Design is the page, with what its forms say.
func Design() *DesignPage {
	form := NewForm(map[string][]string{"wrong": {"http://partner.test/cb"}, "asked": {"https://partner.test"}})
	form.Refuse("wrong", Say("%s %s.", "http://partner.test/cb", Say("must begin with https://")))
	form.Question("asked", Say("%s has no path: does your program answer at the bare host?", "https://partner.test"))
	return &DesignPage{form}
}

func (*DesignPage) Name() string { return "design" }
func (*DesignPage) Title() Text  { return Say("Design") }

// Colours are the tokens of style.css, which the page shows as .swatch.NAME.
func (*DesignPage) Colours() []string {
	return []string{"ground", "surface", "sunken", "line", "edge", "text", "soft", "accent", "accent-strong", "on-accent",
		"bad", "bad-ground", "good", "good-ground", "note", "note-ground"}
}

// Apps have each tint of a mark.
func (*DesignPage) Apps() []postern.App {
	return []postern.App{{ID: "partner-x", Name: "Partner X"}, {ID: "cal", Name: "Calendar Sync"}, {ID: "hire", Name: "Hirewell"}, {ID: "ünd", Name: "Ünder"}}
}

// Fields are one of each kind, in each state.
func (p *DesignPage) Fields() []Field {
	return []Field{
		p.form.Field(Field{Name: "plain", Label: Say("Name"), Hint: Say("What people read when they are asked.")}),
		p.form.Field(Field{Name: "wrong", Label: Say("Redirect URLs"), Type: "lines"}),
		p.form.Field(Field{Name: "asked", Label: Say("Redirect URL"), Type: "url"}),
	}
}
