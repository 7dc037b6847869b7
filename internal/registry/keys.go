package registry

import (
	"encoding/json"
	"slices"

	"postern.dev/postern/internal/jwks"
	"postern.dev/postern/internal/yamlfile"
)

// keySetDecl is an app's public keys, a JSON Web Key Set (RFC 7517): as YAML or,
// since that is YAML too, as the JSON that a partner sends. "none" takes them away.
type keySetDecl struct {
	Node *yamlfile.Node `json:"-"`
	Text string         // what is kept: the members that matter, as JSON
}

// keyMembers are the members that are kept. Whatever else a set has (x5c, ext,
// key_ops) says nothing that is acted upon.
var keyMembers = []string{"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"}

// DecodeYAML reads the set, and finds what is wrong with its keys.
func (d *keySetDecl) DecodeYAML(n *yamlfile.Node) yamlfile.Problems {
	d.Node = n
	if n.Kind == yamlfile.Scalar && n.Text == "none" {
		return nil
	}
	text := keySetText(n, keyMembers)
	_, found := jwks.Read(keySetText(n, nil)) // with the private parts that may stand there
	if found == nil {
		d.Text = string(text)
		return nil
	}
	var problems yamlfile.Problems
	for _, p := range found {
		problems = append(problems, keyProblem(n, p))
	}
	return problems
}

func keyProblem(n *yamlfile.Node, p jwks.Problem) yamlfile.Problem {
	at := n
	if list := n.Member("keys"); p.Key >= 0 && list != nil && p.Key < len(list.Items) {
		at = list.Items[p.Key]
	}
	if p.Member == "" {
		return at.Problem("%s", p.Msg)
	}
	return at.ProblemAt(p.Member, "%s", p.Msg)
}

// keySetText is the set as JSON, each key with these of its members (nil: all).
// Values are taken as they stand: what YAML might read as a number is a key's text.
func keySetText(n *yamlfile.Node, only []string) []byte {
	keys := []any{}
	if list := n.Member("keys"); list != nil {
		for _, item := range list.Items {
			if item.Kind != yamlfile.Mapping {
				keys = append(keys, nil)
				continue
			}
			key := map[string]string{}
			for _, m := range item.Members {
				if only == nil || slices.Contains(only, m.Key) {
					key[m.Key] = m.Value.Text
				}
			}
			keys = append(keys, key)
		}
	}
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		panic(err) // texts always marshal
	}
	return text
}

// keys brings the app's public keys to what is declared.
func (a *appPlan) keys() {
	if d := a.d.JWKS; d != nil {
		set(a.c, "jwks", &a.row.JWKS, &d.Text)
	}
	switch {
	case a.row.JWKS == "" || !a.given("jwks", "public", "dialect", "also"):
	case a.row.Public:
		a.report(a.d.problem("jwks", "stands on a public app, which proves itself with nothing; remove it, or public"))
	case a.everyDialect(func(f DialectFacts) bool { return !f.Assertions }):
		a.report(a.d.problem("jwks", "is of no use: no dialect of this app has a place for client_assertion"))
	}
}
