package requestlog

import (
	"maps"
	"slices"
	"strings"

	"postern.dev/postern"
)

// Catalogue is every rule by which a request can fail, by its name, in words
// that hold for any request: facts of one are left out (…).
func Catalogue() []Reason {
	var all []Reason
	for _, rule := range slices.Sorted(maps.Keys(reasons)) {
		what, do := reasons[rule](&told{facts: map[string]string{}})
		all = append(all, Reason{Rule: postern.Rule(rule), What: general(what), Do: general(do)})
	}
	return all
}

func general(sentence string) string {
	return strings.ReplaceAll(placeholder.ReplaceAllString(sentence, "…"), "….", "…")
}
