package entry

import (
	"regexp"
	"slices"
	"strings"

	"postern.dev/postern/internal/registry"
	"postern.dev/postern/internal/ui"
)

// AddFindings puts what rules found into a form, each beside its field.
func AddFindings(form *ui.Form, found registry.Findings) {
	for _, f := range found {
		if f.Slip {
			form.Question(f.Field, text(f))
		} else {
			form.Refuse(f.Field, text(f))
		}
	}
}

// text is a finding as a page says it.
func text(f registry.Finding) ui.Text {
	args := slices.Clone(f.Args)
	for i, a := range args {
		if said, ok := a.(registry.Said); ok {
			args[i] = Said(string(said))
		}
	}
	return ui.Say(f.Words, args...)
}

// Said is what a rule said, as a page says it; nothing, if it is empty. Figures are
// arguments, so that a sentence is one in the catalogue whatever they are.
func Said(text string) ui.Text {
	if text == "" {
		return ui.Text{}
	}
	format, figures := strings.ReplaceAll(text, "%", "%%"), []any{}
	for _, found := range figure.FindAllString(format, -1) {
		figures = append(figures, found)
	}
	return ui.SayPlain(figure.ReplaceAllString(format, "%s"), figures...)
}

var figure = regexp.MustCompile(`U\+[0-9A-F]{4,}|[0-9]+`)
