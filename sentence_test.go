package postern

import "testing"

func TestASentenceIsFilledByName(t *testing.T) {
	s := Sentence{"{n} of {what:said}: {sent}.", map[string]any{"n": 3, "what:said": Sentence{Text: "all"}, "sent": "{n} %s"}}
	if got := s.String(); got != "3 of all: {n} %s." {
		t.Errorf("in English: %q", got)
	}
	if got := s.Fill("{sent} ({what:said}, {n})", func(any) string { return "x" }); got != "x (x, x)" {
		t.Errorf("in another order: %q", got)
	}
	if got := (Sentence{Text: "Send {this} and {that}. {keys: [1]}"}).String(); got != "Send … and … {keys: [1]}" {
		t.Errorf("with nothing: %q", got)
	}
}
