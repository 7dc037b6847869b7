package postern

import (
	"strings"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// Fold is what two spellings of one e-mail address or nickname have in common:
// no spaces around, compatibility forms made plain (full-width letters), case
// folded. The rows compare folded text only, so nobody gets a second identity,
// or a second row of guesses, by writing a name another way.
func Fold(text string) string {
	folded := cases.Fold().String(norm.NFKC.String(text))
	// Folding may leave what NFKC would still change (Unicode 3.13, D146).
	return strings.TrimSpace(norm.NFKC.String(folded))
}
