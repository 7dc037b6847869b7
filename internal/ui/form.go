package ui

// Form is what a person typed into a form, and what is to be said about it: a
// door makes one of the request (or of what is stored), a rule's findings are
// added, and the page shows each field with its own.
type Form struct {
	values    map[string][]string
	problems  map[string]Text
	questions map[string]Text
}

// NewForm makes a form of values by field name, as http.Request.PostForm has
// them. A name that is missing is an empty field.
func NewForm(values map[string][]string) *Form {
	return &Form{values: values, problems: map[string]Text{}, questions: map[string]Text{}}
}

// Value is the text of a field; "" where there is none.
func (f *Form) Value(name string) string {
	if all := f.Values(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// Values are all texts of a field: of boxes that were ticked.
func (f *Form) Values(name string) []string {
	if f == nil {
		return nil
	}
	return f.values[name]
}

// Refuse says what is wrong with a field; several problems of one stand below
// one another.
func (f *Form) Refuse(name string, problem Text) { below(f.problems, name, problem) }

func below(said map[string]Text, name string, text Text) {
	if first, told := said[name]; told {
		text = Say("%s<br>%s", first, text)
	}
	said[name] = text
}

// Question asks about a field that looks like a slip. Who means it confirms it.
func (f *Form) Question(name string, question Text) { below(f.questions, name, question) }

// Problem is what is wrong with a field; an empty Text: nothing.
func (f *Form) Problem(name string) Text {
	if f == nil {
		return Text{}
	}
	return f.problems[name]
}

// Asked is the question about a field; an empty Text: none.
func (f *Form) Asked(name string) Text {
	if f == nil {
		return Text{}
	}
	return f.questions[name]
}

// OK reports whether nothing is wrong.
func (f *Form) OK() bool { return f == nil || len(f.problems) == 0 }

// Questions is how many fields are asked about.
func (f *Form) Questions() int {
	if f == nil {
		return 0
	}
	return len(f.questions)
}

// Field is one field on a page: {{template "field" .Email}}.
type Field struct {
	Name     string // of the input; its id too
	Label    Text
	Hint     Text   // may be empty
	Type     string // of the input: "text", "email", "url", "password" …; "lines": several lines of text
	Value    string
	Problem  Text // what is wrong with it
	Question Text // what looks like a slip
	Most     int  // characters; 0: no limit is told
	Rows     int  // of "lines"
	Required bool
	Complete string // autocomplete; empty: nothing is said
}

// Field completes a field with what was typed and what is to be said about it.
// A password is never written back.
func (f *Form) Field(field Field) Field {
	if field.Type == "" {
		field.Type = "text"
	}
	if field.Type == "lines" && field.Rows == 0 {
		field.Rows = 3
	}
	if field.Type != "password" {
		field.Value = f.Value(field.Name)
	}
	field.Problem, field.Question = f.Problem(field.Name), f.Asked(field.Name)
	return field
}

// Described are the ids of what stands beside the input, for aria-describedby.
func (f Field) Described() (ids string) {
	for _, part := range []struct{ ending, text string }{{"-hint", f.Hint.Format}, {"-problem", f.Problem.Format}, {"-question", f.Question.Format}} {
		if part.text != "" {
			ids += " " + f.Name + part.ending
		}
	}
	if ids == "" {
		return ""
	}
	return ids[1:]
}

// Option is one of a select.
type Option struct {
	Value  string
	Text   Text
	Chosen bool
}

// chosen marks the option of a value.
func chosen(value string, all []Option) []Option {
	for i := range all {
		all[i].Chosen = all[i].Value == value
	}
	return all
}
