package registry

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Finding is what there is to say about a field of a form: words of ours, and
// what goes into them.
type Finding struct {
	Field string
	Words string // a sentence, with fmt's verbs where there are Args
	Args  []any
	// Slip: it can work, and looks like a mistake. Who means it confirms it.
	Slip bool
}

func (f Finding) String() string { return f.Field + ": " + fmt.Sprintf(f.Words, f.Args...) }

// Findings are all of a form. As an error they say that nothing was written.
type Findings []Finding

func (f Findings) Error() string {
	lines := make([]string, len(f))
	for i, one := range f {
		lines[i] = one.String()
	}
	return strings.Join(lines, "\n")
}

// Refused reports whether anything is wrong, beyond what may be meant.
func (f Findings) Refused() bool {
	return slices.ContainsFunc(f, func(one Finding) bool { return !one.Slip })
}

// Slips names the slips, for the form that confirms them: what is confirmed are
// these, and no other that come up later.
func (f Findings) Slips() string {
	hash := sha256.New()
	some := false
	for _, one := range f {
		if one.Slip {
			some = true
			fmt.Fprintf(hash, "%q\n", one.String())
		}
	}
	if !some {
		return ""
	}
	return hex.EncodeToString(hash.Sum(nil)[:16])
}

// err is nothing, where nothing is wrong and the slips are confirmed.
func (f Findings) err(sure string) error {
	if f.Refused() || f.Slips() != "" && f.Slips() != sure {
		return f
	}
	return nil
}

func (f *Findings) refuse(field, words string, args ...any) {
	*f = append(*f, Finding{field, words, args, false})
}

func (f *Findings) ask(field, words string, args ...any) {
	*f = append(*f, Finding{field, words, args, true})
}
