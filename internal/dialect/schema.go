package dialect

import (
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"postern.dev/postern/internal/yamlfile"
)

// Schema is a JSON Schema (2020-12) of a dialect's file, made from the types that
// read it. Editors complete and check keys with it; `dialect check` knows more.
func Schema() []byte {
	s := objectSchema(reflect.TypeFor[spec]())
	for block, keys := range keysOf {
		narrow(s["properties"].(schema)[block].(schema), keys)
	}
	s["$schema"] = "https://json-schema.org/draft/2020-12/schema"
	s["title"] = "Postern dialect"
	b, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		panic(err) // maps of strings always marshal
	}
	return append(b, '\n')
}

type schema = map[string]any

func objectSchema(t reflect.Type) schema {
	properties, required := schema{}, []string{}
	for i := range t.NumField() {
		name, option, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name == "" {
			continue
		}
		properties[name] = typeSchema(t.Field(i).Type)
		if option == "required" {
			required = append(required, name)
		}
	}
	s := schema{"type": "object", "properties": properties, "additionalProperties": false}
	if len(required) > 0 {
		s["required"] = required
	}
	return s
}

// narrow leaves a block the keys that it has: one type reads all endpoints.
func narrow(s schema, keys []string) {
	if properties, ok := s["properties"].(schema); ok {
		maps.DeleteFunc(properties, func(key string, _ any) bool { return !slices.Contains(keys, key) })
	}
	if items, ok := s["items"].(schema); ok {
		narrow(items, keys)
	}
	choices, _ := s["anyOf"].([]schema)
	for _, one := range choices {
		narrow(one, keys)
	}
}

func oneOf(list ...schema) schema { return schema{"anyOf": list} }

func constant(word string) schema { return schema{"const": word} }

var textSchema = schema{"type": "string"}

// special is the schema of a type that reads itself; nil of all others.
func special(t reflect.Type) schema {
	switch t {
	case reflect.TypeFor[yamlfile.Node]():
		return schema{}
	case reflect.TypeFor[time.Duration]():
		return schema{"type": "string", "pattern": `^[0-9.]+(ms|s|m|h|d)`}
	case reflect.TypeFor[yamlfile.Life]():
		return textSchema
	case reflect.TypeFor[yamlfile.Text]():
		return schema{"type": []string{"string", "integer"}}
	case reflect.TypeFor[scopesSpec]():
		return oneOf(constant("none"), objectSchema(reflect.TypeOf(scopesSpec{}.Of)))
	case reflect.TypeFor[acceptsSpec]():
		return oneOf(typeSchema(reflect.TypeFor[yamlfile.OneOrMany[string]]()), typeSchema(reflect.TypeFor[yamlfile.Ordered[yamlfile.OneOrMany[string]]]()))
	case reflect.TypeFor[readSpec]():
		return oneOf(typeSchema(reflect.TypeFor[yamlfile.OneOrMany[string]]()), objectSchema(reflect.TypeOf(readSpec{}.Of)))
	case reflect.TypeFor[statusSpec]():
		return oneOf(schema{"type": "integer"}, schema{"type": "object", "additionalProperties": schema{"type": "integer"}})
	case reflect.TypeFor[whenSpec](): // the other keys are conditions
		s := objectSchema(reflect.TypeOf(whenSpec{}.Of))
		s["additionalProperties"] = schema{"type": []string{"string", "integer", "boolean"}}
		return s
	case reflect.TypeFor[blocksSpec]():
		return oneOf(constant("none"), typeSchema(reflect.TypeFor[yamlfile.OneOrMany[endpointSpec]]()))
	}
	return nil
}

func typeSchema(t reflect.Type) schema {
	if s := special(t); s != nil {
		return s
	}
	switch t.Kind() {
	case reflect.Pointer:
		return typeSchema(t.Elem())
	case reflect.String:
		return textSchema
	case reflect.Bool:
		return schema{"type": "boolean"}
	case reflect.Int:
		return schema{"type": "integer"}
	case reflect.Slice:
		return sliceSchema(t)
	}
	if of, ok := t.FieldByName("Of"); ok && strings.HasPrefix(t.Name(), "block[") {
		return oneOf(constant("none"), typeSchema(of.Type))
	}
	return objectSchema(t)
}

// sliceSchema: a list, a list or its only item, or a mapping of free keys.
func sliceSchema(t reflect.Type) schema {
	switch {
	case strings.HasPrefix(t.Name(), "Ordered["):
		value, _ := t.Elem().FieldByName("Value")
		return schema{"type": "object", "additionalProperties": typeSchema(value.Type)}
	case strings.HasPrefix(t.Name(), "OneOrMany["):
		item := typeSchema(t.Elem())
		return oneOf(item, schema{"type": "array", "items": item})
	}
	return schema{"type": "array", "items": typeSchema(t.Elem())}
}
