package dialect

import (
	"encoding/json"
	"testing"

	"postern.dev/postern/internal/yamlfile"
)

// Every key of every file that compiles is in the schema.
func TestTheSchemaKnowsTheKeysOfEveryFile(t *testing.T) {
	var root map[string]any
	if err := json.Unmarshal(Schema(), &root); err != nil {
		t.Fatal(err)
	}
	files := map[string]string{"acme": acmeFile, "second": twoTokensFile, "signed": signedFile, "renew": renewFile, "legacy": legacyFile, "alias": aliasFile, "wordy": wordyFile}
	for _, name := range Builtin() {
		data, _ := BuiltinFile(name)
		files[name] = string(data)
	}
	for name, text := range files {
		n, problems := yamlfile.Read(name, []byte(text))
		if problems != nil {
			t.Fatal(problems)
		}
		if at, ok := fitsSchema(n, root); !ok {
			t.Errorf("%s does not fit at %s", name, at)
		}
	}
	for _, wrong := range []string{"acepts: json", "ends: token", "callback: {}"} {
		n, _ := yamlfile.Read("x", []byte("language: 1\nname: x\ntoken: {"+wrong+"}"))
		if _, ok := fitsSchema(n, root); ok {
			t.Errorf("the schema takes %s in token", wrong)
		}
	}
}

func fitsSchema(n *yamlfile.Node, s map[string]any) (string, bool) {
	if choices, ok := s["anyOf"].([]any); ok {
		for _, one := range choices {
			if _, ok := fitsSchema(n, one.(map[string]any)); ok {
				return "", true
			}
		}
		return n.Path, false
	}
	switch s["type"] {
	case "object":
		return fitsObject(n, s)
	case "array":
		if n.Kind != yamlfile.Sequence {
			return n.Path, false
		}
		for _, item := range n.Items {
			if at, ok := fitsSchema(item, s["items"].(map[string]any)); !ok {
				return at, false
			}
		}
	case "string":
		_, ok := n.Value.(string)
		return n.Path, ok
	case "integer":
		_, ok := n.Value.(int64)
		return n.Path, ok
	}
	if word, ok := s["const"]; ok {
		return n.Path, n.Kind == yamlfile.Scalar && n.Text == word
	}
	return "", true
}

func fitsObject(n *yamlfile.Node, s map[string]any) (string, bool) {
	if n.Kind != yamlfile.Mapping {
		return n.Path, false
	}
	properties, _ := s["properties"].(map[string]any)
	rest, free := s["additionalProperties"].(map[string]any)
	for _, m := range n.Members {
		value, ok := properties[m.Key].(map[string]any)
		if !ok && !free {
			return m.Value.Path, false
		}
		if !ok {
			value = rest
		}
		if at, ok := fitsSchema(m.Value, value); !ok {
			return at, false
		}
	}
	return "", true
}
