package requestlog

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
)

// refusing are the rooms in which an app's request can be refused.
var refusing = []string{"../oauth", "../dialect", "../gate", "../.."}

// namesRules are the functions that take a rule.
var namesRules = []string{"Because", "invalid", "withStatus", "badCode", "badRefresh", "badToken", "badRenewal", "dead", "unproved", "unknownToken"}

// forPeople are refusals that only people meet, on pages, or that no app's
// request comes to: they need no rule.
var forPeople = []string{
	"There is nothing at this address.",
	"This question is not known here.", "This question has waited too long for its answer.", "This question was put to somebody else.",
	"There is no such connection.", "Your role in this account may not disconnect this app.", "no credentials",
}

var ruleWord = regexp.MustCompile(`^[a-z][a-z0-9]*(_[a-z0-9]+)+$`)

// scan finds the rules that the rooms name, and the refusals that name none.
func scan(t *testing.T) (rules map[string]string, nameless []string) {
	rules = map[string]string{}
	set := token.NewFileSet()
	for _, dir := range refusing {
		files, err := filepath.Glob(dir + "/*.go")
		if err != nil || len(files) == 0 {
			t.Fatal(dir, err)
		}
		for _, file := range files {
			if strings.HasSuffix(file, "_test.go") || strings.HasPrefix(filepath.Base(file), "guide") {
				continue
			}
			source, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := parser.ParseFile(set, file, source, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(parsed, func(n ast.Node) bool {
				where := func() string { return set.Position(n.Pos()).String() }
				switch n := n.(type) {
				case *ast.CallExpr:
					switch name := called(n); {
					case slices.Contains(namesRules, name):
						for _, arg := range n.Args {
							if word, ok := text(arg); ok && ruleWord.MatchString(word) {
								rules[word] = where()
								break
							}
						}
					case name == "Errorf" && isPostern(n) && dir != "../..":
						if word, ok := text(n.Args[1]); !ok || !slices.Contains(forPeople, word) {
							nameless = append(nameless, where())
						}
					case name == "Rule":
						if word, ok := text(n.Args[0]); ok {
							rules[word] = where()
						}
					}
				case *ast.KeyValueExpr:
					if key, ok := n.Key.(*ast.Ident); ok && key.Name == "Rule" {
						if word, ok := text(n.Value); ok {
							rules[word] = where()
						}
					}
				case *ast.AssignStmt:
					for i, left := range n.Lhs {
						name := ""
						switch left := left.(type) {
						case *ast.Ident:
							name = left.Name
						case *ast.SelectorExpr:
							name = left.Sel.Name
						}
						if word, ok := text(n.Rhs[min(i, len(n.Rhs)-1)]); ok && strings.EqualFold(name, "rule") {
							rules[word] = where()
						}
					}
				}
				return true
			})
		}
	}
	return rules, nameless
}

func called(c *ast.CallExpr) string {
	switch f := c.Fun.(type) {
	case *ast.Ident:
		return f.Name
	case *ast.SelectorExpr:
		return f.Sel.Name
	}
	return ""
}

func isPostern(c *ast.CallExpr) bool {
	f, ok := c.Fun.(*ast.SelectorExpr)
	if !ok {
		return false
	}
	of, ok := f.X.(*ast.Ident)
	return ok && of.Name == "postern" && len(c.Args) > 1
}

func text(e ast.Expr) (string, bool) {
	l, ok := e.(*ast.BasicLit)
	if !ok || l.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(l.Value)
	return s, err == nil
}

func TestEveryRefusalNamesItsRuleAndEveryRuleHasWords(t *testing.T) {
	rules, nameless := scan(t)
	for _, where := range nameless {
		t.Errorf("%s: a refusal without a rule: write postern.Because", where)
	}
	// These two are named by the kind that Refuse is given.
	rules[string(postern.LoginRequired)], rules[string(postern.ConsentRequired)] = "oauth.Refuse", "oauth.Refuse"
	for _, rule := range slices.Sorted(maps.Keys(rules)) {
		if reasons[postern.Rule(rule)] == nil {
			t.Errorf("%s: the rule %s has no words in reasons", rules[rule], rule)
		}
	}
	for rule := range reasons {
		if rules[string(rule)] == "" {
			t.Errorf("nothing fails by the rule %s", rule)
		}
	}
	if len(rules) < 80 {
		t.Errorf("only %d rules were found", len(rules))
	}
}

func TestWordsAreWholeWithoutAnyFacts(t *testing.T) {
	for rule := range reasons {
		e := Entry{Outcome: Refused, Rule: rule, At: time.Now()}
		why := e.Why()
		for _, sentence := range []string{why.What.String(), why.Do.String()} {
			if sentence == "" || strings.ContainsAny(sentence, "{}") {
				t.Errorf("%s: %q", rule, sentence)
			}
		}
	}
}

func TestWhatIsAFaultOfOursSaysSo(t *testing.T) {
	for _, kind := range []postern.Kind{postern.Unavailable, postern.ServerError} {
		e := Entry{Outcome: Refused, Kind: kind}
		if why := e.Why(); !strings.HasPrefix(why.What.String(), "We could not answer") || why.Rule != postern.Rule(kind) {
			t.Errorf("%s: %+v", kind, why)
		}
	}
	if (&Entry{Outcome: Granted, Rule: "code_expired"}).Why() != nil {
		t.Error("what was granted has a reason to fail")
	}
}
