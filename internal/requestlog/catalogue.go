package requestlog

import (
	"maps"
	"slices"

	"postern.dev/postern"
)

// Rules are the words for all ways to fail, in order.
func Rules() []postern.Rule { return slices.Sorted(maps.Keys(reasons)) }

// Catalogue is every rule by which a request can fail, by its name, in words
// that hold for any request: facts of one are left out (…).
func Catalogue() []Reason {
	var all []Reason
	for _, rule := range Rules() {
		what, do := reasons[rule](&told{facts: map[string]string{}})
		all = append(all, Reason{Rule: rule, What: postern.Sentence{Text: what}, Do: postern.Sentence{Text: do}})
	}
	return all
}
