package posterntest

import (
	"iter"
	"net/url"
	"strings"

	"golang.org/x/net/html"
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
	for n := range elements(p.doc, "form") {
		forms = append(forms, readForm(n))
	}
	return forms
}

func readForm(n *html.Node) *Form {
	f := &Form{Method: strings.ToUpper(attr(n, "method")), Action: attr(n, "action"),
		Fields: url.Values{}, Choices: map[string][]string{}, types: map[string]string{}}
	if f.Method == "" {
		f.Method = "GET"
	}
	for e := range elements(n, "input", "button", "select", "textarea") {
		if has(e, "disabled") {
			continue
		}
		name := attr(e, "name")
		switch e.Data {
		case "input":
			f.readInput(e, name)
		case "button":
			if kind := attr(e, "type"); kind == "" || kind == "submit" {
				f.Buttons = append(f.Buttons, Button{text(e), name, attr(e, "value"), attr(e, "formaction")})
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
	kind, value := strings.ToLower(attr(e, "type")), attr(e, "value")
	switch kind {
	case "submit":
		f.Buttons = append(f.Buttons, Button{value, name, value, attr(e, "formaction")})
		return
	case "radio", "checkbox":
		f.Choices[name] = append(f.Choices[name], value)
		if has(e, "checked") {
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
	for o := range elements(e, "option") {
		value := attr(o, "value")
		if len(f.Choices[name]) == 0 || has(o, "selected") {
			chosen = value
		}
		f.Choices[name] = append(f.Choices[name], value)
	}
	if chosen != "" {
		f.Fields.Set(name, chosen)
	}
}

// Text is what a person reads on the page.
func (p *Page) Text() string { return text(p.doc) }

// Has reports whether the page shows a text.
func (p *Page) Has(words string) bool { return strings.Contains(p.Text(), words) }

// elements walks over the elements with one of these names, in page order.
func elements(root *html.Node, names ...string) iter.Seq[*html.Node] {
	return func(yield func(*html.Node) bool) {
		for n := range root.Descendants() {
			if n.Type != html.ElementNode {
				continue
			}
			for _, name := range names {
				if n.Data == name && !yield(n) {
					return
				}
			}
		}
	}
}

func attr(n *html.Node, name string) string {
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

// text is the text below a node with its white space collapsed, as shown.
// typed is the text of a textarea as it is sent: with its lines.
func typed(e *html.Node) string {
	var b strings.Builder
	for n := range e.Descendants() {
		b.WriteString(n.Data)
	}
	return b.String()
}

func text(root *html.Node) string {
	var b strings.Builder
	for n := range root.Descendants() {
		if n.Type == html.TextNode && n.Parent.Data != "style" && n.Parent.Data != "script" {
			b.WriteString(n.Data)
			b.WriteByte(' ')
		}
	}
	return strings.Join(strings.Fields(b.String()), " ")
}
