package registry

import (
	"encoding/json"
	"maps"
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
	kept, found := readKeySet(keySetText(n))
	if found == nil {
		d.Text = kept
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

// readKeySet reads a set, and gives what is kept of it.
func readKeySet(text []byte) (kept string, found []jwks.Problem) {
	if _, found = jwks.Read(text); found != nil { // also because of private parts, which are not kept
		return "", found
	}
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(text, &set); err != nil {
		return "", []jwks.Problem{{Key: -1, Msg: "cannot be read: " + err.Error()}}
	}
	for _, key := range set.Keys {
		maps.DeleteFunc(key, func(name string, _ any) bool { return !slices.Contains(keyMembers, name) })
	}
	out, err := json.Marshal(set)
	if err != nil {
		panic(err) // it was JSON
	}
	return string(out), nil
}

// keySetText is the set as JSON. Values are taken as they stand: what YAML might
// read as a number is a key's text.
func keySetText(n *yamlfile.Node) []byte {
	keys := []any{}
	if list := n.Member("keys"); list != nil {
		for _, item := range list.Items {
			if item.Kind != yamlfile.Mapping {
				keys = append(keys, nil)
				continue
			}
			key := map[string]string{}
			for _, m := range item.Members {
				key[m.Key] = m.Value.Text
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
