package postern

import (
	"strings"
	"unicode"

	"golang.org/x/text/cases"
	"golang.org/x/text/unicode/norm"
)

// FoldEmail is the form in which e-mail addresses are compared, everywhere: two
// spellings of one address (case, full-width letters, spaces around it) are one
// person, for guess limits too.
//
// What no database can hold (NUL, broken UTF-8) becomes U+FFFD, which is in no
// address: such a spelling is an unknown person on both engines.
func FoldEmail(email string) string {
	return fold(strings.ReplaceAll(strings.ToValidUTF8(email, "\uFFFD"), "\x00", "\uFFFD"))
}

// FoldNickname is the form in which nicknames are compared: two people whose
// names differ only in case or width cannot be told apart by a partner.
func FoldNickname(nickname string) string { return fold(nickname) }

// FoldName is the form in which names of partners are compared where one would be
// taken for the other.
func FoldName(name string) string { return fold(name) }

// fold is NFKC with full case folding (Unicode §3.13), without spaces around it.
func fold(s string) string {
	// One step can make work for another (NFKC makes a space of U+00A8), so it
	// goes on until nothing changes: what is folded stays as it is. Eight rounds
	// are far more than texts need; they keep a flaw from turning for ever.
	for range 8 {
		folded := norm.NFKC.String(strings.Map(capitalCherokee, s))
		folded = strings.TrimSpace(norm.NFKC.String(cases.Fold().String(folded)))
		if folded == s {
			break
		}
		s = folded
	}
	return s
}

// capitalCherokee undoes the small letters of Cherokee, the one script in which
// cases.Fold swaps small and capital letters instead of making them one.
func capitalCherokee(c rune) rune {
	if unicode.Is(unicode.Cherokee, c) {
		return unicode.ToUpper(c)
	}
	return c
}

// maxNickname is the length of the longest nickname, in characters.
const maxNickname = 64

// MakeNickname proposes a nickname for a user that came without: the local part
// of the e-mail address (RFC 5322 §3.4.1). Characters that do not belong in a
// name become hyphens. Whoever stores it makes it unique.
func MakeNickname(email string) string {
	local := strings.TrimSpace(email)
	if i := strings.LastIndexByte(local, '@'); i >= 0 {
		local = local[:i]
	}
	nickname := strings.Map(func(c rune) rune {
		if unicode.IsLetter(c) || unicode.IsMark(c) || unicode.IsDigit(c) || strings.ContainsRune("._-+", c) {
			return c
		}
		return '-'
	}, norm.NFC.String(local))
	if runes := []rune(nickname); len(runes) > maxNickname {
		nickname = string(runes[:maxNickname])
	}
	if strings.Trim(nickname, "-") == "" {
		return "user"
	}
	return nickname
}
