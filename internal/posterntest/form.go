package posterntest

import (
	"net/url"
	"strings"

	"golang.org/x/net/html"

	"postern.dev/postern/internal/markup"
)

// Form is a form as a browser would send it: the fields with the values that
// the page gives them.
type Form struct {
	Method  string // "GET" or "POST"
	Action  string // as written; empty: the page's own address
	Fields  url.Values
	Buttons []Button // that submit, in order
	// Choices are the values that each group of radio buttons or select offers.
	Choices map[string][]string

	types map[string]string // type of input, by name
}

// Button submits a form.
type Button struct {
	Text, Name, Value, Action string
}

func (f *Form) fieldOfType(kind string) string {
	for name, k := range f.types {
		if k == kind {
			return name
		}
	}
	return ""
}

// Forms reads the page's forms.
func (p *Page) Forms() []*Form {
	var forms []*Form
	for n := range markup.Elements(p.doc, "form") {
		forms = append(forms, readForm(n))
	}
	return forms
}

func readForm(n *html.Node) *Form {
	f := &Form{Method: strings.ToUpper(markup.Attribute(n, "method")), Action: markup.Attribute(n, "action"),
		Fields: url.Values{}, Choices: map[string][]string{}, types: map[string]string{}}
	if f.Method == "" {
		f.Method = "GET"
	}
	for e := range markup.Elements(n, "input", "button", "select", "textarea") {
		if markup.Has(e, "disabled") {
			continue
		}
		name := markup.Attribute(e, "name")
		switch e.Data {
		case "input":
			f.readInput(e, name)
		case "button":
			if kind := markup.Attribute(e, "type"); kind == "" || kind == "submit" {
				f.Buttons = append(f.Buttons, Button{markup.Text(e), name, markup.Attribute(e, "value"), markup.Attribute(e, "formaction")})
			}
		case "select":
			f.readSelect(e, name)
		case "textarea":
			f.Fields.Set(name, typed(e))
		}
	}
	return f
}

func (f *Form) readInput(e *html.Node, name string) {
	kind, value := strings.ToLower(markup.Attribute(e, "type")), markup.Attribute(e, "value")
	switch kind {
	case "submit":
		f.Buttons = append(f.Buttons, Button{value, name, value, markup.Attribute(e, "formaction")})
		return
	case "radio", "checkbox":
		f.Choices[name] = append(f.Choices[name], value)
		if markup.Has(e, "checked") {
			f.Fields.Add(name, value)
		}
		return
	}
	if name != "" {
		f.Fields.Add(name, value)
		f.types[name] = kind
	}
}

func (f *Form) readSelect(e *html.Node, name string) {
	var chosen string
	for o := range markup.Elements(e, "option") {
		value := markup.Attribute(o, "value")
		if len(f.Choices[name]) == 0 || markup.Has(o, "selected") {
			chosen = value
		}
		f.Choices[name] = append(f.Choices[name], value)
	}
	if chosen != "" {
		f.Fields.Set(name, chosen)
	}
}

// Text is what a person reads on the page.
func (p *Page) Text() string { return markup.Text(p.doc) }

// Has reports whether the page shows a text.
func (p *Page) Has(words string) bool { return strings.Contains(p.Text(), words) }

// typed is the text of a textarea as it is sent: with its lines.
func typed(e *html.Node) string {
	var b strings.Builder
	for n := range e.Descendants() {
		b.WriteString(n.Data)
	}
	return b.String()
}
