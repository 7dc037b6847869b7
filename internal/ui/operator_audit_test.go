package ui

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"
)

// What the rows record has words, and no words are left over.
func TestEveryActionInTheAuditLogHasWords(t *testing.T) {
	action := regexp.MustCompile(`^(sign_in|sign_out|[a-z_]+\.[a-z_]+)$`)
	// What looks like an action and is none: rights of tokens, types of events, a host.
	other := regexp.MustCompile(`\.(read|write|publish)$|^connection\.created$|^metadata\.goog$`)
	unused := map[string]bool{}
	for name := range actions {
		unused[name] = true
	}
	recorded := func(name, file string) {
		if _, ok := actions[name]; !ok {
			t.Errorf("%s: the audit log has no words for %q", file, name)
		}
		delete(unused, name)
	}
	for _, files := range []string{"store/*.go", "registry/*.go", "identity/*.go", "oauth/*.go", "sandbox/*.go", "signing/*.go"} {
		inGo(t, files, func(file string, n ast.Node) {
			if call, ok := n.(*ast.CallExpr); ok && strings.HasSuffix(nameOf(call.Fun), ".change") && len(call.Args) == 3 {
				if kind, ok := literal(call.Args[0]); ok { // of what a file declares: see registry's did
					for _, did := range []string{"created", "changed", "removed"} {
						recorded(kind+"."+did, file)
					}
				}
			}
			if lit, ok := n.(*ast.BasicLit); ok {
				if text, ok := literal(lit); ok && action.MatchString(text) && !other.MatchString(text) {
					recorded(text, file)
				}
			}
		})
	}
	for name := range unused {
		t.Errorf("nobody records %q", name)
	}
}
