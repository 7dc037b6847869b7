package ui

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// source is a kind of place in Go where a page's sentence stands: the literal at
// one place among the arguments of a function.
type source struct {
	files, function string
	at              int
}

// sources are all of them: what doors say, and what rules say to somebody who
// reads it on a page.
var sources = []source{
	{"ui/*", "Say", 0}, {"ui/language", "l.say", 0}, {"web/*", "Say", 0}, {"entry/*", "Say", 0}, {"portal/*", "Say", 0}, {"admin/*", "Say", 0},
	{"web/*", "postern.Errorf", 1}, {"entry/*", "postern.Errorf", 1}, {"portal/*", "postern.Errorf", 1},
	{"identity/*", "postern.Errorf", 1}, {"sandbox/*", "postern.Errorf", 1},
	{"registry/app_*", "postern.Errorf", 1}, {"registry/review*", "postern.Errorf", 1}, {"webhook/manage*", "postern.Errorf", 1},
	{"oauth/ask*", "postern.Because", 2}, {"oauth/ask*", "postern.Errorf", 1}, {"oauth/decide*", "postern.Because", 2},
	{"../partner", "Errorf", 1}, {"browser/*", "postern.Errorf", 1}, {"store/*", "postern.Errorf", 1}, {"store/*", "missing", 1}, {"store/*", "notFound", 0},
	{"admin/console*", "postern.Errorf", 1}, {"webhook/sign", "postern.Errorf", 1}, {"oauth/scope", "postern.Because", 2},
	{"dialect/read", "invalid", 1}, {"dialect/read", "postern.Because", 2}, {"dialect/door", "postern.Because", 2},
	{"oauth/revoke*", "postern.Errorf", 1}, {"dialect/authorize*", "invalid", 1},
	{"registry/*", "refuse", 1}, {"registry/*", "ask", 1}, {"registry/newcomer*", "aboutNameIn", 2},
	{"dialect/guide*", "say", 0}, {"dialect/guide*", "text", 0}, {"dialect/guide_life", "add", 0}, {"dialect/guide*", "heading", 0},
	{"dialect/guide*", "chain", 1}, {"dialect/present", "hinted", 0},
}

// guideTables hold what guides say of the things of a wire.
var guideTables = []string{"environmentMeanings", "endpointMeanings", "placeMeanings", "accountKeys", "callbackCauses", "causes", "clientSecret", "webhookSecret"}

// forTerminals are sentences that only somebody at a command line reads, or only
// a program.
var forTerminals = []string{
	"The password hash cannot be used: %s.",
	"There is no user with the e-mail %q; users come from accounts: in a resources file (`postern apply`) or from /api/v1.", "The user %q is switched off: switch it on first.",
	"There is no %s with the e-mail %q; %s.", "The sign-in of %q is switched off: switch it on first.",
	"Nothing waits for %q: there is neither an invitation nor a registration. Invite with `postern partner invite`; a member who forgot the password needs `postern partner reset`.",
	"the installation has no %s", "This assertion was used before.", "The code is not to be redeemed.", "Another caller was first.",
	"id: %q was published before with other contents.",
}

// said are the sentences that pages can say, with the place of each.
func said(t *testing.T) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, file := range must(fs.Glob(templates, "templates/*.html")) {
		for text := range saidInTemplate(string(must(fs.ReadFile(templates, file)))) {
			all[text] = file
		}
	}
	for _, s := range sources {
		saidInGo(t, s, all)
	}
	for _, file := range []string{"registry/text.go", "registry/url.go", "registry/app_form.go", "jwks/jwks.go"} {
		saidOfFields(t, file, all)
	}
	for _, w := range written {
		saidAsWritten(t, w, all)
	}
	for _, name := range guideTables {
		saidInTable(t, name, all)
	}
	for month := time.January; month <= time.December; month++ {
		all[month.String()] = "the calendar"
	}
	for _, word := range []string{"owner", "developer", "viewer"} {
		all[word] = "the roles of a team"
	}
	for _, word := range []string{"parameter", "header", "member"} {
		all[word] = "the inputs of a request"
	}
	for _, text := range append(forTerminals, "%s") {
		delete(all, text)
	}
	return all
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

var action = regexp.MustCompile(`\{\{[^}]*\}\}`)

// saidInTemplate finds the texts after say, link's among them, and both of
// counted.
func saidInTemplate(text string) map[string]bool {
	found := map[string]bool{}
	one := regexp.MustCompile(`\bsay "((?:[^"\\]|\\.)*)"`)
	both := regexp.MustCompile(`\bcounted [^"]*"((?:[^"\\]|\\.)*)" "((?:[^"\\]|\\.)*)"`)
	for _, a := range action.FindAllString(text, -1) {
		for _, m := range append(one.FindAllStringSubmatch(a, -1), both.FindAllStringSubmatch(a, -1)...) {
			for _, text := range m[1:] {
				found[must(strconv.Unquote(`"`+text+`"`))] = true
			}
		}
	}
	return found
}

// saidInGo finds the literals of a source, and those of findings that are
// written as such.
func saidInGo(t *testing.T, s source, all map[string]string) {
	t.Helper()
	found := false
	inGo(t, s.files+".go", func(file string, n ast.Node) {
		switch n := n.(type) {
		case *ast.CallExpr:
			if len(n.Args) > s.at && strings.HasSuffix("."+nameOf(n.Fun), "."+s.function) {
				if text, ok := literal(n.Args[s.at]); ok {
					all[text], found = file, true
				}
			}
		case *ast.KeyValueExpr:
			if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Words" && s.function == "refuse" {
				if text, ok := literal(n.Value); ok {
					all[text] = file
				}
			}
		}
	})
	if !found {
		t.Errorf("%s says nothing by %s: is the source still right?", s.files, s.function)
	}
}

var (
	problem = regexp.MustCompile(`^(?:has|holds|is|must|leads|begins|cannot|stands) [^"]*$`)
	figure  = regexp.MustCompile(`U\+%04X|%d|[0-9]+`)
	// notOnPages are rules of files for what no form has: ids, roles, events,
	// attributes; and e-mails, of which forms say one sentence.
	notOnPages = []string{"aboutID", "aboutScope", "aboutEventType", "aboutHandle", "aboutRole", "aboutAttribute", "aboutEmail", "aboutNickname"}
)

// saidOfFields finds what rules for texts say, without the field's name before
// it; the figures in it are arguments on pages. What repeats a character that
// was typed is shown as the rule wrote it.
func saidOfFields(t *testing.T, file string, all map[string]string) {
	t.Helper()
	in := ""
	inGo(t, file, func(file string, n ast.Node) {
		switch n := n.(type) {
		case *ast.FuncDecl:
			in = n.Name.Name
		case *ast.BasicLit:
			text, ok := literal(n)
			text = figure.ReplaceAllString(text, "%s")
			if ok && problem.MatchString(text) && !slices.Contains(notOnPages, in) && !strings.Contains(strings.ReplaceAll(text, "%s", ""), "%") {
				all[text] = file
			}
		}
	})
}

// written are files in which rules write down what pages say later: each text
// that looks so is a sentence. Where pages take figures as arguments, so do these.
var written = []texts{
	{"requestlog/reasons", `\S \S`, false}, {"requestlog/differs", `\S \S`, false}, {"oauth/assertion", `^[a-z].* `, false},
	{"webhook/webhook", `^The .*\.$`, false}, {"webhook/pump", `^[A-Z].*\.$`, false}, {"webhook/send", `^[A-Z].*\.$`, false}, {"logo/logo", `^(the|it) `, true},
}

type texts struct {
	file, like string
	figures    bool
}

func saidAsWritten(t *testing.T, w texts, all map[string]string) {
	t.Helper()
	like, found := regexp.MustCompile(w.like), 0
	inGo(t, w.file+".go", func(file string, n ast.Node) {
		if e, ok := n.(*ast.BasicLit); ok {
			if text, ok := literal(e); ok && like.MatchString(text) {
				if w.figures {
					text = figure.ReplaceAllString(text, "%s")
				}
				all[text] = file
				found++
			}
		}
	})
	if found < 2 {
		t.Errorf("%s says only %d sentences: does it still write them down?", w.file, found)
	}
}

// saidInTable finds all texts of a variable of the dialects' room.
func saidInTable(t *testing.T, name string, all map[string]string) {
	t.Helper()
	found := false
	inGo(t, "dialect/*.go", func(file string, n ast.Node) {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || spec.Names[0].Name != name || len(spec.Values) == 0 {
			return
		}
		ast.Inspect(spec.Values[0], func(n ast.Node) bool {
			if e, ok := n.(*ast.BasicLit); ok && e.Kind == token.STRING {
				text, _ := literal(e)
				all[text], found = file, true
			}
			return true
		})
	})
	if !found {
		t.Errorf("guides have no table %s: is the name still right?", name)
	}
}

// inGo visits the files of a pattern, tests aside.
func inGo(t *testing.T, pattern string, visit func(file string, n ast.Node)) {
	t.Helper()
	for _, file := range must(filepath.Glob("../" + pattern)) {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, must(os.ReadFile(file)), 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(parsed, func(n ast.Node) bool { visit(file, n); return true })
	}
}

// nameOf is what a function is called, with the last word before it.
func nameOf(f ast.Expr) string {
	switch f := f.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return nameOf(f.X) + "." + f.Sel.Name
	}
	return ""
}

// literal is a text constant: written here, in parts, or in the same file.
func literal(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		return text, err == nil && e.Kind == token.STRING
	case *ast.BinaryExpr:
		a, ok := literal(e.X)
		b, ok2 := literal(e.Y)
		return a + b, ok && ok2
	case *ast.Ident:
		if e.Obj != nil && e.Obj.Kind == ast.Con {
			if spec, ok := e.Obj.Decl.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
				return literal(spec.Values[0])
			}
		}
	}
	return "", false
}

// codes are the parts of a guide's sentence that are code, links or bold.
func codes(text string) []string {
	return slices.Sorted(slices.Values(regexp.MustCompile("`[^`]*`|\\*\\*|\\]\\([^)]*\\)").FindAllString(text, -1)))
}

var (
	verbs = regexp.MustCompile(`%[a-z]`)
	names = regexp.MustCompile(`\{[a-z_]+(:[a-z]+)?\}`)
)

// partsOf are the parts of a sentence that have names: they may stand in any order.
func partsOf(text string) []string {
	return slices.Compact(slices.Sorted(slices.Values(names.FindAllString(text, -1))))
}

// A second language proves that no word stands outside the catalogue: each
// sentence has its German one, with the same parts in it, and none is left over.
func TestEverySentenceIsInEveryLanguage(t *testing.T) {
	spoken := must(languages())
	if len(spoken) < 2 {
		t.Fatal("there is no second language")
	}
	sentences := said(t)
	for _, l := range spoken[1:] {
		for text, place := range sentences {
			other, ok := l.words[text]
			switch {
			case !ok:
				t.Errorf("%s: words/%s.json lacks %q", place, l.tag, text)
			case !slices.Equal(verbs.FindAllString(text, -1), verbs.FindAllString(other, -1)), !slices.Equal(partsOf(text), partsOf(other)):
				t.Errorf("words/%s.json: %q has other parts than %q", l.tag, other, text)
			case tags(text) != tags(other), !slices.Equal(codes(text), codes(other)):
				t.Errorf("words/%s.json: %q has other markup than %q", l.tag, other, text)
			}
		}
		for text := range l.words {
			if sentences[text] == "" {
				t.Errorf("words/%s.json: nobody says %q", l.tag, text)
			}
		}
	}
}

// Words that stand in a template outside say would be English in every language.
// What programs say to one another stands in <code>.
func TestNoWordStandsOutsideTheCatalogue(t *testing.T) {
	markup := regexp.MustCompile(`(?s)\{\{/\*.*?\*/\}\}|\{\{define "width"\}\}wide|<!--.*?-->|<pre.*?</pre>|<code[^>]*>[^<]*</code>|\{\{[^}]*\}\}|<[^>]*>|&[a-z]+;`)
	word := regexp.MustCompile(`\p{L}{2,}`)
	for _, file := range must(fs.Glob(templates, "templates/*.html")) {
		text := string(must(fs.ReadFile(templates, file)))
		for _, w := range word.FindAllString(markup.ReplaceAllString(text, " "), -1) {
			t.Errorf("%s says %q outside {{say …}}", file, w)
		}
	}
}
