package postern

import (
	"strings"
	"testing"
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
		{"Ada", "ada"}, {"ＡＤＡ", "ada"}, {"STRASSE", "straße"}, {"Ärger", "A\u0308RGER"}, {"ﬁn", "FIN"}, {"ΣΑΣ", "σας"},
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

func FuzzFold(f *testing.F) {
	for _, s := range []string{"", " ", "Ada@X.test", "\u00a8", "\u0345\u0399", "İ", "ﬀ", "\xff\xfe", "ᾳ\u0301", "\u1fb4"} {
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
