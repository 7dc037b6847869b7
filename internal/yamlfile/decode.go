package yamlfile

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Decoder is a type that reads its own node.
type Decoder interface {
	DecodeYAML(n *Node) Problems
}

// Decode reads a file that holds one document into a value. All problems come
// at once, by position; what could be read is in the value all the same.
//
//   - Structs are read from mappings, by `yaml:"name"` tags; untagged fields are
//     left alone. `yaml:"name,required"` demands the key. A field of type *Node
//     tagged `yaml:",node"` receives the mapping itself, to report at later.
//   - Pointers tell "was given" from "was not".
//   - time.Duration is read from text such as 300s, 5m, 1h, 180d.
//   - Node and *Node take whatever stands there; Decoder reads its own node.
//   - A key without a value is a problem everywhere else.
func Decode(file string, data []byte, into any) Problems {
	n, problems := Read(file, data)
	if problems != nil {
		return problems
	}
	if n.Kind == Null { // an empty file says nothing
		n.Kind = Mapping
	}
	problems = n.Decode(into)
	problems.Sort()
	return problems
}

// Decode reads this node into a value, as the function Decode does.
func (n *Node) Decode(into any) Problems {
	v := reflect.ValueOf(into)
	if v.Kind() != reflect.Pointer || v.IsNil() {
		panic("yamlfile: Decode wants a pointer")
	}
	return decode(n, v.Elem())
}

var (
	nodeType     = reflect.TypeFor[Node]()
	durationType = reflect.TypeFor[time.Duration]()
)

func decode(n *Node, into reflect.Value) Problems {
	if d, ok := into.Addr().Interface().(Decoder); ok {
		return d.DecodeYAML(n)
	}
	switch {
	case into.Type() == nodeType:
		into.Set(reflect.ValueOf(*n))
		return nil
	case into.Kind() == reflect.Pointer && into.Type().Elem() == nodeType:
		into.Set(reflect.ValueOf(n))
		return nil
	case into.Kind() == reflect.Pointer:
		p := reflect.New(into.Type().Elem())
		into.Set(p)
		return decode(n, p.Elem())
	case n.Kind == Null:
		return Problems{n.Problem("the key has no value; write %s, or take the key out", wanted(into.Type()))}
	case into.Type() == durationType:
		return decodeDuration(n, into)
	}
	switch into.Kind() {
	case reflect.Struct:
		return decodeStruct(n, into)
	case reflect.Slice:
		return decodeSlice(n, into)
	case reflect.Map:
		return decodeMap(n, into)
	}
	return decodeScalar(n, into)
}

func decodeScalar(n *Node, into reflect.Value) Problems {
	switch v := n.Value.(type) {
	case string:
		if into.Kind() == reflect.String {
			into.SetString(v)
			return nil
		}
	case bool:
		if into.Kind() == reflect.Bool {
			into.SetBool(v)
			return nil
		}
	case int64:
		if into.CanInt() && !into.OverflowInt(v) {
			into.SetInt(v)
			return nil
		}
	}
	return Problems{n.wrongType(into.Type())}
}

func (n *Node) wrongType(t reflect.Type) Problem {
	hint := ""
	if t.Kind() == reflect.String && n.Kind == Scalar {
		hint = ": put it in quotes"
	}
	return n.Problem("this is %s; it must be %s%s", n.describe(), wanted(t), hint)
}

// wanted names what a type is written as.
func wanted(t reflect.Type) string {
	if t == durationType {
		return durationHelp
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a mapping"
	}
	return "a whole number"
}

func decodeSlice(n *Node, into reflect.Value) (problems Problems) {
	if n.Kind != Sequence {
		return Problems{n.wrongType(into.Type())}
	}
	list := reflect.MakeSlice(into.Type(), len(n.Items), len(n.Items))
	for i, item := range n.Items {
		problems = append(problems, decode(item, list.Index(i))...)
	}
	into.Set(list)
	return problems
}

func decodeMap(n *Node, into reflect.Value) (problems Problems) {
	if n.Kind != Mapping {
		return Problems{n.wrongType(into.Type())}
	}
	m := reflect.MakeMapWithSize(into.Type(), len(n.Members))
	for _, member := range n.Members {
		v := reflect.New(into.Type().Elem()).Elem()
		problems = append(problems, decode(member.Value, v)...)
		m.SetMapIndex(reflect.ValueOf(member.Key).Convert(into.Type().Key()), v)
	}
	into.Set(m)
	return problems
}

func decodeStruct(n *Node, into reflect.Value) (problems Problems) {
	if n.Kind != Mapping {
		return Problems{n.wrongType(into.Type())}
	}
	var known []string
	for i := range into.NumField() {
		name, option, tagged := tag(into.Type().Field(i))
		switch member := n.Member(name); {
		case !tagged:
			continue
		case option == "node":
			into.Field(i).Set(reflect.ValueOf(n))
			continue
		case member != nil:
			problems = append(problems, decode(member, into.Field(i))...)
		case option == "required":
			problems = append(problems, n.missing(name))
		}
		known = append(known, name)
	}
	return append(problems, n.Unknown(known...)...)
}

func (n *Node) missing(key string) Problem {
	return Problem{Position: n.Position, Key: join(n.Path, key), Msg: fmt.Sprintf("the key %q is missing%s", key, in(n.Path))}
}

func tag(f reflect.StructField) (name, option string, ok bool) {
	t, ok := f.Tag.Lookup("yaml")
	if !ok || t == "-" {
		return "", "", false
	}
	name, option, _ = strings.Cut(t, ",")
	return name, option, true
}
