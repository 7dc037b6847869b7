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
	words = append(words, lints...)
	for _, word := range words {
		if !strings.Contains(string(page), word) {
			t.Errorf("docs/dialects.md lacks %s", word)
		}
	}
}

// lints are the numbers of all that dialect check finds beside mistakes of form.
var lints = []string{"E01", "E02", "E03", "E04", "E05", "E06", "E07", "E08", "E09", "E10", "W01", "W02", "W03", "W04", "W05"}
