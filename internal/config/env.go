package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"postern.dev/postern/internal/yamlfile"
)

const envPrefix = "POSTERN_"

// FileVariable names the configuration file itself.
const FileVariable = envPrefix + "CONFIG"

// key is a leaf of the configuration: what one environment variable can say.
type key struct {
	path string // lifetimes.access
	kind reflect.Type
}

// env is the variable of a key: POSTERN_LIFETIMES_ACCESS.
func (k key) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(k.path, ".", "_"))
}

// keys lists the leaves of a configuration struct.
func keys(t reflect.Type, prefix string) (list []key) {
	for f := range t.Fields() {
		name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		path := prefix + name
		if f.Type.PkgPath() == t.PkgPath() && f.Type.Kind() == reflect.Struct {
			if reflect.PointerTo(f.Type).Implements(reflect.TypeFor[yamlfile.Decoder]()) { // one word stands for it, too
				list = append(list, key{path, f.Type})
			}
			list = append(list, keys(f.Type, path+".")...)
			continue
		}
		list = append(list, key{path, f.Type})
	}
	return list
}

var allKeys = keys(reflect.TypeFor[Config](), "")

// overlay lays environment and flags over the file.
func overlay(root *yamlfile.Node, from Sources) (warnings []string, problems yamlfile.Problems) {
	lay := func(k key, source, text string) {
		n, p := k.read(source, text)
		problems = append(problems, p...)
		if n != nil {
			set(root, k.path, n)
		}
	}
	for _, variable := range from.Environ {
		name, text, _ := strings.Cut(variable, "=")
		if !strings.HasPrefix(name, envPrefix) || name == FileVariable || text == "" {
			continue
		}
		i := slices.IndexFunc(allKeys, func(k key) bool { return k.env() == name })
		if i < 0 {
			warnings = append(warnings, unknownVariable(name))
			continue
		}
		lay(allKeys[i], name, text)
	}
	for _, f := range from.Flags {
		i := slices.IndexFunc(allKeys, func(k key) bool { return k.path == f.Key })
		lay(allKeys[i], f.Name, f.Value)
	}
	slices.Sort(warnings)
	return warnings, problems
}

func unknownVariable(name string) string {
	names := make([]string, len(allKeys))
	for i, k := range allKeys {
		names[i] = k.env()
	}
	return fmt.Sprintf("the environment variable %s names no key of the configuration%s", name, yamlfile.Suggest(name, names))
}

// read turns a variable's text into what a file would hold: text and numbers as
// they are, a list of texts with commas between, everything else as YAML.
func (k key) read(source, text string) (*yamlfile.Node, yamlfile.Problems) {
	at := yamlfile.Position{File: source}
	switch {
	case k.kind.Kind() == reflect.String:
		return &yamlfile.Node{Position: at, Path: k.path, Kind: yamlfile.Scalar, Text: text, Value: text}, nil
	case k.kind.Kind() != reflect.Slice:
		return yamlfile.Plain(at, k.path, text), nil
	case k.kind.Elem() == reflect.TypeFor[Network]():
		list := &yamlfile.Node{Position: at, Path: k.path, Kind: yamlfile.Sequence}
		for item := range strings.SplitSeq(text, ",") {
			list.Items = append(list.Items, yamlfile.Plain(at, k.path, strings.TrimSpace(item)))
		}
		return list, nil
	}
	return yamlfile.Read(source, []byte(text))
}

// set puts a value at a path of keys, over what stands there.
func set(n *yamlfile.Node, path string, value *yamlfile.Node) {
	name, rest, deeper := strings.Cut(path, ".")
	i := slices.IndexFunc(n.Members, func(m yamlfile.Member) bool { return m.Key == name })
	if i < 0 {
		i = len(n.Members)
		n.Members = append(n.Members, yamlfile.Member{Key: name, At: value.Position})
	}
	m := &n.Members[i]
	if !deeper {
		m.Value = value
		return
	}
	if m.Value == nil || m.Value.Kind != yamlfile.Mapping {
		m.Value = &yamlfile.Node{Position: value.Position, Path: name, Kind: yamlfile.Mapping}
	}
	set(m.Value, rest, value)
}
