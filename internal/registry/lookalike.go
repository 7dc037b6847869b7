package registry

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// twins are letters that most fonts draw like Latin ones (UTS #39 §4, the scripts
// that are common on keyboards beside Latin).
var twins = func() map[rune]string {
	m := map[rune]string{}
	for _, pair := range strings.Fields(`
		А:A В:B С:C Е:E Н:H І:I Ј:J К:K М:M О:O Р:P Ѕ:S Т:T У:Y Х:X Ԁ:D Ԛ:Q Ԝ:W
		а:a в:b с:c ԁ:d е:e г:r һ:h н:h і:i ј:j к:k ӏ:l м:m п:n о:o р:p ԛ:q ѕ:s т:t у:y ү:y ԝ:w х:x ь:b
		Α:A Β:B Ε:E Ζ:Z Η:H Ι:I Κ:K Μ:M Ν:N Ο:O Ρ:P Τ:T Υ:Y Χ:X
		α:a β:b γ:y ε:e η:n ι:i κ:k ν:v ο:o ρ:p σ:o τ:t υ:u χ:x ω:w
		օ:o ս:u ո:n հ:h ց:g զ:q յ:j
		ı:i ɩ:i ɑ:a ɡ:g ʟ:l ɴ:n ʀ:r ꜱ:s ʏ:y ᴢ:z ł:l ø:o đ:d æ:ae œ:oe Ł:L Ø:O Đ:D Æ:AE Œ:OE
		0:o 1:l I:l |:l $:s @:a`) {
		letter, latin, _ := strings.Cut(pair, ":")
		for _, r := range letter {
			m[r] = latin
		}
	}
	return m
}()

// folded is a name as people compare names: without regard to case, width,
// accents, spaces and signs.
func folded(name string) string { return letters(name, nil) }

// skeleton is the same for all names that look alike.
func skeleton(name string) string {
	text := letters(name, twins)
	return strings.NewReplacer("rn", "m", "vv", "w").Replace(text)
}

func letters(name string, like map[rune]string) string {
	var out strings.Builder
	for _, r := range norm.NFD.String(norm.NFKC.String(name)) {
		latin, known := like[r]
		switch {
		case known && r == 'I', known && r == '1', known && r == '|': // one stroke, whichever it is
			out.WriteString("l")
		case known:
			out.WriteString(strings.ToLower(latin))
		case unicode.IsLetter(r), unicode.IsDigit(r):
			out.WriteRune(unicode.ToLower(r))
		}
	}
	return out.String()
}

// LooksLike reports whether two names could be taken for one another.
func LooksLike(a, b string) bool {
	if folded(a) == "" { // signs alone
		return a == b
	}
	return folded(a) == folded(b) || skeleton(a) == skeleton(b)
}

// passesFor reports whether a name is a reserved one, or has it in letters that
// only look like it. To name it plainly ("Sync for Acme") is no pretence.
func passesFor(name, reserved string) bool {
	if LooksLike(name, reserved) {
		return true
	}
	const telling = 4 // a shorter one stands in too many words
	s := skeleton(reserved)
	return len(s) >= telling && strings.Contains(skeleton(name), s) && !strings.Contains(folded(name), folded(reserved))
}
