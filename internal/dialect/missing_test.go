package dialect

import "testing"

// What is missing is called what it is, wherever the file puts it.
func TestAMissingInputIsCalledWhatItIs(t *testing.T) {
	for _, row := range []struct {
		place string
		json  bool
		want  string
	}{
		{"header X-App-Id", true, "header"}, {"query id", true, "parameter"},
		{"body id", true, "member"}, {"body id", false, "parameter"},
		{"basic user", true, "member"}, {"basic user", false, "parameter"},
	} {
		p, err := parsePlace(row.place)
		if err != nil {
			t.Fatal(err)
		}
		if got := (&input{places: []place{p}}).kindOfName(row.json); got != row.want {
			t.Errorf("%s: %q, want %q", row.place, got, row.want)
		}
	}
}
