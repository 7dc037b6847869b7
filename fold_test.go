package postern

import "testing"

func TestFoldGivesSpellingsOfOneNameTheSameText(t *testing.T) {
	for _, same := range [][]string{
		{"u1@x.test", "U1@X.test", " u1@x.test", "u1@x.test\t", "ｕ1@x.test", "Ｕ１@X.TEST"},
		{"straße", "STRASSE", "Straße"},
		{"ﬁn", "fin", "FIN"},
		{"e\u0301mile", "émile", "ÉMILE"},
		{"σίσυφος", "ΣΊΣΥΦΟΣ"},
	} {
		for _, spelling := range same {
			if got, want := Fold(spelling), Fold(same[0]); got != want {
				t.Errorf("Fold(%q) = %q, but Fold(%q) = %q", spelling, got, same[0], want)
			}
		}
	}
	for _, different := range [][2]string{{"ada", "adá"}, {"a.b", "ab"}, {"a+b", "a"}, {"i", "ı"}} {
		if Fold(different[0]) == Fold(different[1]) {
			t.Errorf("Fold gives %q and %q the same text", different[0], different[1])
		}
	}
}

func FuzzFoldIsDoneOnce(f *testing.F) {
	for _, seed := range []string{"Ada", "ß", "\u1e9e", "ﬃ", "\u0345", "a\xff", " \u3000x"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if once := Fold(text); Fold(once) != once {
			t.Errorf("Fold(%q) = %q, and folded again %q", text, once, Fold(once))
		}
	})
}
