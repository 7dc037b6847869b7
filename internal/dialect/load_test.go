package dialect

import (
	"slices"
	"testing"
)

// builtin mounts built-in dialects: the usual three where they say, any other,
// which is the wire of another company, under its name.
func builtin(t testing.TB, names ...string) *Set {
	t.Helper()
	var all []*Dialect
	for _, name := range names {
		d, err := Library{}.Builtin(name)
		if err == nil && !slices.Contains([]string{"xref", "xeebo", "standard"}, name) {
			base := "/" + name
			d, err = d.Mounted(&base, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, d)
	}
	set, err := NewSet(all...)
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestTheBuiltInDialectsStandSideBySide(t *testing.T) {
	set := builtin(t, Builtin()...)
	if len(set.List()) != len(Builtin()) {
		t.Errorf("%d dialects mounted, %d built in", len(set.List()), len(Builtin()))
	}
}
