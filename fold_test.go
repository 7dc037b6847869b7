package postern

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestSpellingsOfOneEmailFoldToOne(t *testing.T) {
	for _, spelling := range []string{
		"u1@x.test", "U1@X.TEST", " u1@x.test", "u1@x.test\t", "\u3000u1@x.test\u00a0",
		"ｕ１＠ｘ．ｔｅｓｔ", "Ｕ１＠Ｘ．ｔｅｓｔ", "u¹@x.test",
	} {
		if got := FoldEmail(spelling); got != "u1@x.test" {
			t.Errorf("FoldEmail(%q) = %q", spelling, got)
		}
	}
}

func TestDifferentEmailsStayDifferent(t *testing.T) {
	seen := map[string]string{}
	for _, email := range []string{"ada@x.test", "ada.b@x.test", "adab@x.test", "ada+b@x.test", "ada@y.test", "adä@x.test"} {
		f := FoldEmail(email)
		if other, taken := seen[f]; taken {
			t.Errorf("%q and %q both fold to %q", email, other, f)
		}
		seen[f] = email
	}
}

func TestNicknamesFoldByCaseAndWidth(t *testing.T) {
	for _, pair := range [][2]string{
		{"Ada", "ada"}, {"ＡＤＡ", "ada"}, {"STRASSE", "straße"}, {"Ärger", "A\u0308RGER"}, {"ﬁn", "FIN"}, {"ΣΑΣ", "σας"}, {"\u13a0\u13f0", "\uab70\u13f8"},
	} {
		if FoldNickname(pair[0]) != FoldNickname(pair[1]) {
			t.Errorf("%q and %q fold to %q and %q", pair[0], pair[1], FoldNickname(pair[0]), FoldNickname(pair[1]))
		}
	}
}

func TestANicknameIsTheLocalPartOfTheEmail(t *testing.T) {
	for email, want := range map[string]string{
		"ada@acme.test":                     "ada",
		"Grace.Hopper@navy.test":            "Grace.Hopper",
		" dev+ci@x.test ":                   "dev+ci",
		`"a b"@x.test`:                      "-a-b-",
		"jürgen@x.test":                     "jürgen",
		"no-at-sign":                        "no-at-sign",
		"a@b@c.test":                        "a-b",
		"@x.test":                           "user",
		"":                                  "user",
		"<\u202e>@x.test":                   "user",
		strings.Repeat("é", 80) + "@x.test": strings.Repeat("é", 64),
	} {
		if got := MakeNickname(email); got != want {
			t.Errorf("MakeNickname(%q) = %q, want %q", email, got, want)
		}
	}
}

func TestEveryCharacterFoldsToOneThatStays(t *testing.T) {
	for c := range rune(unicode.MaxRune + 1) {
		once := FoldNickname(string(c))
		if twice := FoldNickname(once); twice != once {
			t.Errorf("%U folds to %q and that to %q", c, once, twice)
		}
		if simple := unicode.ToLower(c); c != 0x130 && FoldNickname(string(simple)) != once { // İ has two letters in lower case
			t.Errorf("%U folds to %q, its lower case to %q", c, once, FoldNickname(string(simple)))
		}
	}
}

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", " ", "Ada@X.test", "\u00a8", "\u0345\u0399", "İ", "ﬀ", "\xff\xfe", "ᾳ\u0301", "\u1fb4", "\uab78"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := FoldEmail(s)
		if twice := FoldEmail(once); twice != once {
			t.Errorf("fold is not stable: %q, %q, %q", s, once, twice)
		}
		name := MakeNickname(s)
		if n := utf8.RuneCountInString(name); n < 1 || n > maxNickname {
			t.Errorf("MakeNickname(%q) has %d characters", s, n)
		}
	})
}
