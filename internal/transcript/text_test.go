package transcript

import (
	"maps"
	"strings"
	"testing"
)

func parsed(t testing.TB, s string) Text {
	t.Helper()
	text, err := ParseText(s)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestANameStandsForAnythingOnceAndForTheSameLater(t *testing.T) {
	for _, c := range []struct {
		text, got string
		known     Names
		want      Names // nil: no match
	}{
		{"a", "a", nil, Names{}},
		{"a", "b", nil, nil},
		{"a", "aa", nil, nil},
		{"{{x}}", "any thing\nat all", nil, Names{"x": "any thing\nat all"}},
		{"{{x}}", "", nil, nil},
		{"{{x}}", "b", Names{"x": "a"}, nil},
		{"{{x}}", "a", Names{"x": "a"}, Names{}},
		{"{{x}} {{x}}", "a a", nil, Names{"x": "a"}},
		{"{{x}} {{x}}", "a b", nil, nil},
		{"{{_}} {{_}}", "a b", nil, Names{}},
		{"{{x ~ /[0-9a-f]{4}/}}", "00ff", nil, Names{"x": "00ff"}},
		{"{{x ~ /[0-9a-f]{4}/}}", "00fF", nil, nil},
		{"{{x ~ /[0-9a-f]{4}/}}", "00fff", nil, nil},
		{"{{x ~ /^a|ab$/}}", "ab", nil, Names{"x": "ab"}},
		{"{{x ~ /(a)(?P<n>b)/}}-{{y}}", "ab-c", nil, Names{"x": "ab", "y": "c"}},
		{"{{x as base64}}", "aGk=", nil, Names{"x": "hi"}},
		{"{{x as base64}}", "aGk", nil, nil},
		{"{{x as base64 ~ /[a-z]+/}}", "aGk=", nil, Names{"x": "hi"}},
		{"{{x as base64 ~ /[A-Z]+/}}", "aGk=", nil, nil},
		{"{{x as base64url}}", "aGk", Names{"x": "hi"}, Names{}},
		{"{{x as basic}}", "aGk6", nil, Names{"x": "hi"}},
		{"{{x as basic}}", "aGk=", nil, nil},
		{"{{{{x}}", "{{x}}", nil, Names{}},
		{`{"a":{"b":1}}`, `{"a":{"b":1}}`, nil, Names{}},
		// A name never swallows what an answer has too much.
		{`{"t":"{{x}}"}`, `{"t":"a","u":"b"}`, nil, nil},
		{`{"t":"{{x}}"}`, `{"t":"a\"b"}`, nil, Names{"x": `a\"b`}},
		{`{"t":{{x}}}`, `{"t":1,"u":2}`, nil, nil},
		{`{"t":{{x}}}`, `{"t":36}`, nil, Names{"x": "36"}},
		{"/cb?code={{x}}", "/cb?code=a&iss=b", nil, nil},
		{"/cb?code={{x}}&state=S", "/cb?code=a&state=S", nil, Names{"x": "a"}},
		// Bytes that are no UTF-8 are compared, too.
		{"\xff{{x}}", "\xff\xfe", nil, Names{"x": "\xfe"}},
		{"\xff", "\xfe", nil, nil},
		{"\xff\xff", "\xff", nil, nil},
	} {
		known := maps.Clone(c.known)
		got, err := parsed(t, c.text).Match(c.got, known)
		if (err == nil) != (c.want != nil) || err == nil && !maps.Equal(got, c.want) {
			t.Errorf("%q beside %q with %v teaches %v, %v; want %v", c.text, c.got, c.known, got, err, c.want)
		}
		if !maps.Equal(known, c.known) {
			t.Errorf("%q changed what was known", c.text)
		}
	}
}

func TestTextIsFilledWithWhatIsKnown(t *testing.T) {
	text := parsed(t, "Bearer {{t as base64}} {{t}} {{{{")
	if got, err := text.Fill(Names{"t": "hi"}); err != nil || got != "Bearer aGk= hi {{" {
		t.Errorf("got %q, %v", got, err)
	}
	if _, err := text.Fill(nil); err == nil || err.Error() != "{{t}} is not known" {
		t.Errorf("got %v", err)
	}
	if got := text.Shown(nil); got != "Bearer {{t as base64}} {{t}} {{" {
		t.Errorf("shown as %q", got)
	}
}

func FuzzText(f *testing.F) {
	f.Add("{{a ~ /[0-9]{3}/}}x{{b}}", "123xy")
	f.Add("{{{a}}}", "{1}")
	f.Add("{{a as base64}}={{{{", "aGk==\xff")
	f.Add("\xff{{_ ~ /(?i)x(?P<a>b)/}}", "\xffXb")
	f.Fuzz(func(t *testing.T, s, got string) {
		text, err := ParseText(s)
		if err != nil {
			return
		}
		again := parsed(t, text.String())
		if again.String() != text.String() {
			t.Errorf("%q is written %q and then %q", s, text, again)
		}
		learned, err := text.Match(got, nil)
		if err != nil {
			return
		}
		// What it was taught, it says. (A name without a value of its own cannot.)
		if filled, err := text.Fill(learned); err == nil && filled != got && !strings.Contains(s, "as bas") {
			t.Errorf("%q matched %q, and with %v it says %q", s, got, learned, filled)
		}
	})
}
