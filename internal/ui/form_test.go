package ui

import (
	"strings"
	"testing"
)

// formPage shows fields by the parts that all forms are made of.
type formPage struct{ Fields []Field }

func TestAFieldKeepsWhatWasTypedAndSaysWhatIsWrongBesideIt(t *testing.T) {
	f := NewForm(map[string][]string{"site": {`https://x.test/"><script>`}, "secret": {"hunter2"}, "about": {"two\nlines"}})
	f.Refuse("site", Say("It holds the character %s.", "<"))
	f.Refuse("site", Say("A second problem."))
	f.Question("about", Say("Is that meant?"))
	if f.OK() || f.Questions() != 1 || f.Value("other") != "" {
		t.Fatal("the form does not know what was said about it")
	}
	pages, err := New(Brand{})
	if err != nil {
		t.Fatal(err)
	}
	read, err := pages.pages[English]["message"]()
	if err != nil {
		t.Fatal(err)
	}
	page, err := read.Clone()
	if err != nil {
		t.Fatal(err)
	}
	page, err = page.New("fields").Parse(`{{range .Fields}}{{template "field" .}}{{end}}`)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	err = page.ExecuteTemplate(&out, "fields", formPage{[]Field{
		f.Field(Field{Name: "site", Label: Say("Site"), Hint: Say("Where people read about it."), Type: "url", Most: 2048, Required: true}),
		f.Field(Field{Name: "about", Label: Say("About"), Type: "lines"}),
		f.Field(Field{Name: "secret", Label: Say("Secret"), Type: "password"}),
	}})
	if err != nil {
		t.Fatal(err)
	}
	html := out.String()
	for _, want := range []string{
		`<label for="site">Site</label>`, `value="https://x.test/&#34;&gt;&lt;script&gt;"`, `aria-describedby="site-hint site-problem"`,
		`aria-invalid="true"`, `It holds the character &lt;.<br>A second problem.`, `maxlength="2048"`, "two\nlines</textarea>", `id="about-question">Is that meant?`,
	} {
		if !strings.Contains(html, want) {
			t.Errorf("no %s in\n%s", want, html)
		}
	}
	for _, never := range []string{"hunter2", "<script>"} {
		if strings.Contains(html, never) {
			t.Errorf("%s stands in\n%s", never, html)
		}
	}
}

func TestAPageWithoutAFormShowsEmptyFields(t *testing.T) {
	var none *Form
	if got := none.Field(Field{Name: "x"}); got.Value != "" || got.Type != "text" || !none.OK() || none.Questions() != 0 {
		t.Errorf("got %+v", got)
	}
}
