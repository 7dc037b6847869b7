package dialect

import (
	"os"
	"reflect"
	"strings"
	"testing"
)

// The language's page names every key, value, suffix, kind and lint there is.
func TestTheLanguagesPageIsWhole(t *testing.T) {
	page, err := os.ReadFile("../../docs/dialects.md")
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for key := range objectSchema(reflect.TypeFor[spec]())["properties"].(schema) {
		words = append(words, key)
	}
	for _, keys := range keysOf {
		words = append(words, keys...)
	}
	for name := range named {
		if of, field, dotted := strings.Cut(name, "."); dotted && of != "connection" {
			words = append(words, "$"+of+".", "."+field)
		} else {
			words = append(words, "$"+name)
		}
	}
	for suffix := range suffixes {
		words = append(words, "."+suffix)
	}
	for _, kind := range wireKinds {
		words = append(words, string(kind))
	}
	for _, l := range lints {
		words = append(words, l.number)
	}
	for _, word := range words {
		if !strings.Contains(string(page), word) {
			t.Errorf("docs/dialects.md lacks %s", word)
		}
	}
}
