package dialect

import (
	"fmt"
	"strings"
	"testing"
)

// hostileFiles are files that would harm a reader who trusts them: by size,
// depth, growth, or what they make people see.
func hostileFiles() map[string]string {
	head := "language: 1\nname: x\n"
	again := func(s string, n int) string { return strings.Repeat(s, n) }
	members := &strings.Builder{}
	for i := range 10_000 {
		fmt.Fprintf(members, "  k%d: $account.id\n", i)
	}
	return map[string]string{
		"10 MB":                    head + "#" + again("x", 10<<20),
		"10 MB of one text":        head + "base: \"" + again("a", 10<<20) + "\"\n",
		"deep lists":               head + "token: {answer: {a: " + again("[", 200_000),
		"deep lists, closed":       head + "event_data: {a: " + again("[", 5_000) + again("]", 5_000) + "}\n",
		"deep mappings":            head + "event_data: " + again("{a: ", 60_000),
		"deep by dashes":           head + "event_data:\n  a: " + again("- ", 20_000) + "x\n",
		"deep by indentation":      head + "event_data:\n" + staircase(600),
		"an alias":                 head + "texts: {a: &a x, b: *a}\n",
		"a thousand laughs":        "a: &a [x, x]\nb: &b [*a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b]\n" + head,
		"a merge":                  head + "texts: {<<: {a: b}}\n",
		"a tag":                    head + "base: !!binary aGk=\n",
		"another tag":              head + "texts: {a: !go/exec 'x'}\n",
		"two documents":            head + "---\n" + head,
		"a key twice":              head + "name: y\n",
		"a key twice, escaped":     head + "\"na\\u006de\": y\n",
		"no UTF-8":                 head + "base: \"\xff\xfe\"\n",
		"UTF-16":                   "\xff\xfel\x00a\x00n\x00g\x00",
		"NUL":                      head + "base: \"/a\x00b\"\n",
		"an escaped NUL in a name": head + "keep: {\"a\\0b\": query a}\n",
		"reading backwards":        "language: 1\nname: \"x\u202eelgoog\"\n",
		"a name of other letters":  "language: 1\nname: \u0445eebo\n", // a Cyrillic letter
		"a host of other letters":  head + "hosts: {login: ex\u0430mple.com}\n",
		"a header with a line":     head + "token: {at: POST /t, answer: {headers: {\"X-A\\r\\nSet-Cookie\": x}, body: {access_token: $access_token}}}\n",
		"a route with a line":      head + "token: {at: \"POST /t\\r\\nx\"}\n",
		"a route out of its base":  head + "token: {at: POST /../t}\n",
		"a pattern without end":    head + "tokens: {access: {imported: \"" + again("(a{1000}", 60) + again("){1000}", 60) + "\"}}\n",
		"numbers out of range":     head + "tokens: {at_once: 99999999999999999999}\n",
		"a life out of range":      head + "tokens: {code: {expires: 9999999999h}}\n",
		"a form out of range":      head + "tokens: {access: {form: hex 999999999}}\n",
		"routes without number":    head + "token: {at: [" + again("POST /t, ", 20_000) + "]}\n",
		"a wide tree, unknown":     head + "nothing:\n" + members.String(),
		"lists of nothing":         again("- ", 3) + "\n",
		"a scalar":                 "just text",
		"nothing":                  "",
		"JSON, unclosed":           `{"language": 1, "name": "x", "texts": {"a": "`,
	}
}

// staircase is n mappings, each inside the one above.
func staircase(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.Repeat(" ", i+2) + "a:\n")
	}
	return b.String()
}

// A hostile file is refused with a place and in few words; nothing panics, hangs
// or grows.
func TestAHostileFileIsRefusedWithoutHarm(t *testing.T) {
	for name, text := range hostileFiles() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := Library{}.Compile("f.yaml", []byte(text))
			if err == nil {
				t.Fatalf("it compiles to\n%.500s", d.Full())
			}
			said := err.Error()
			if !strings.HasPrefix(said, "f.yaml") {
				t.Errorf("no place in %.200q", said)
			}
			if strings.ContainsFunc(said, func(c rune) bool { return c != '\n' && c < ' ' || c == '\u202e' }) {
				t.Errorf("it repeats what nobody should be shown: %.200q", said)
			}
			if len(said) > 1<<20 {
				t.Errorf("%d bytes of findings", len(said))
			}
		})
	}
}
