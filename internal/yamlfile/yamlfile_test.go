package yamlfile

import (
	"math"
	"strings"
	"testing"
	"time"
)

type sample struct {
	Node   *Node             `yaml:",node"`
	Name   string            `yaml:"name,required"`
	On     bool              `yaml:"on"`
	Limit  *int              `yaml:"limit"`
	Wait   time.Duration     `yaml:"wait"`
	Life   Life              `yaml:"life"`
	Code   Text              `yaml:"code"`
	At     OneOrMany[string] `yaml:"at"`
	Tags   []string          `yaml:"tags"`
	Attr   map[string]string `yaml:"attr"`
	Reads  Ordered[string]   `yaml:"reads"`
	Token  *sampleToken      `yaml:"token"`
	Any    *Node             `yaml:"any"`
	hidden string
}

type sampleToken struct {
	Accepts []string `yaml:"accepts"`
	Answer  Node     `yaml:"answer"`
}

func TestAFileIsReadIntoAValue(t *testing.T) {
	for _, text := range []string{`
name: "a # b"
on: true
limit: 0
wait: 180d
life: never
code: 007
at: GET /x
tags: [a, "1"]
attr: {k: v}
reads:
  z: first
  a: second
token:
  accepts: [json]
  answer: {b: 1, a: null}
`, `{"name": "a # b", "on": true, "limit": 0, "wait": "180d", "life": "never", "code": "007", "at": ["GET /x"],
	"tags": ["a", "1"], "attr": {"k": "v"}, "reads": {"z": "first", "a": "second"},
	"token": {"accepts": ["json"], "answer": {"b": 1, "a": null}}}`} {
		var got sample
		if p := Decode("f", []byte(text), &got); p != nil {
			t.Fatal(p)
		}
		if got.Name != "a # b" || !got.On || got.Limit == nil || *got.Limit != 0 || got.Wait != 180*24*time.Hour ||
			!got.Life.Never || got.Code != "007" || len(got.At) != 1 || got.At[0] != "GET /x" ||
			strings.Join(got.Tags, " ") != "a 1" || got.Attr["k"] != "v" || got.Any != nil || got.Node == nil {
			t.Errorf("read %+v", got)
		}
		if len(got.Reads) != 2 || got.Reads[0].Key != "z" || got.Reads[1].Value != "second" {
			t.Errorf("reads are %+v: the order written is kept", got.Reads)
		}
		answer := got.Token.Answer
		if answer.Members[0].Key != "b" || answer.Member("b").Value != int64(1) || answer.Member("a").Kind != Null {
			t.Errorf("the free-form part is %+v", answer)
		}
	}
}

func TestEveryMistakeIsToldWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"unknown key": {"name: x\ntoken:\n  accepts: []\n  acepts: [json]\n",
			`f:4:3: unknown key "acepts" in token; did you mean "accepts"?`},
		"unknown key at the top": {"name: x\nnmae: y\n", `f:2:1: unknown key "nmae"; did you mean "name"?`},
		"unlike any":             {"name: x\ntoken: {zzz: 1}\n", `f:2:9: unknown key "zzz" in token; known here: accepts, answer`},
		"an untagged field":      {"name: x\nhidden: y\n", `f:2:1: unknown key "hidden"; known here: name, on, limit, wait, life, code, at, tags, attr, reads, token, any`},
		"duplicate key":          {"name: x\nname: y\n", `f:2:1: duplicate key "name"; it is already in line 1`},
		"duplicate key, JSON":    {`{"name": "x", "attr": {"a": "1", "a": "2"}}`, `f:1:34: duplicate key "a" in attr; it is already in line 1`},
		"missing key":            {"on: true\n", `f:1:1: the key "name" is missing`},
		"an empty file":          {"", `f:1:1: the key "name" is missing`},
		"no value":               {"name:\n", `f:1:1: name: the key has no value; write text, or take the key out`},
		"number for text":        {"name: 12\n", `f:1:7: name: this is a number; it must be text: put it in quotes`},
		"boolean for text":       {"name: true\n", `f:1:7: name: this is a boolean; it must be text: put it in quotes`},
		"text for boolean":       {"name: x\non: yes\n", `f:2:5: on: this is text; it must be true or false`},
		"text for number":        {"name: x\nlimit: '5'\n", `f:2:8: limit: this is text; it must be a whole number`},
		"text for list":          {"name: x\ntags: a\n", `f:2:7: tags: this is text; it must be a list`},
		"list for text":          {"name: [a]\n", `f:1:7: name: this is a list; it must be text`},
		"list for mapping":       {"name: x\ntoken: [a]\n", `f:2:8: token: this is a list; it must be a mapping`},
		"in a list":              {"name: x\ntags:\n- a\n- 1\n", `f:4:3: tags[1]: this is a number; it must be text: put it in quotes`},
		"duration without unit":  {"name: x\nwait: 300\n", `f:2:7: wait: "300" is not a duration; write a duration such as 300s, 5m, 1h or 180d`},
		"negative duration":      {"name: x\nwait: -5m\n", `f:2:7: wait: "-5m" is not a duration; write a duration such as 300s, 5m, 1h or 180d`},
		"overlong duration":      {"name: x\nwait: 4294967295d\n", `f:2:7: wait: "4294967295d" is not a duration; write a duration such as 300s, 5m, 1h or 180d`},
		"life":                   {"name: x\nlife: ever\n", `f:2:7: life: "ever" is not a duration; write a duration such as 300s, 5m, 1h or 180d, or never`},
		"not a mapping":          {"- name\n", `f:1:1: this is a list; it must be a mapping`},
		"anchor and alias": {"name: &n x\ncode: *n\n",
			"f:1:7: anchors (&n) are not read here; write the value out\nf:2:7: aliases (*n) are not read here; write the value out"},
		"merge":               {"<<: {name: x}\n", `f:1:1: merge keys (<<) are not read here; write the keys out`},
		"tag":                 {"name: !!str 5\n", `f:1:7: tags (!!str) are not read here; take it out`},
		"directive":           {"%YAML 1.1\n---\nname: x\n", `f:1:1: directives (%) are not read here; take the line out`},
		"two documents":       {"name: x\n---\nname: y\n", `f:3:1: a second document begins here; the file may hold only one`},
		"not YAML":            {"name: [x\n", `f:1:7: not YAML: sequence end token ']' not found`},
		"a tab":               {"name: x\ntoken:\n\taccepts: []\n", `f:3:1: not YAML: lines are indented by spaces, and here is a tab`},
		"not UTF-8":           {"name: x\non: \xff\n", `f:2:5: the file is not UTF-8 here; save it as UTF-8`},
		"a control character": {"name: x\x00\n", `f:1:8: the control character U+0000 may not stand in a file`},
		"too deep":            {strings.Repeat("[", 40), `f:1:33: more than 32 levels of nesting`},
		"too deep, in blocks": {strings.Repeat("- ", 40), `f:1:65: more than 32 levels of nesting`},
		"too large":           {strings.Repeat("#\n", maxSize), `f:1:1: the file is larger than 1 MiB`},
		"several at once, in order": {"wait: x\nzzzzzzzzz: 1\non: 3\n",
			"f:1:1: the key \"name\" is missing\nf:1:7: wait: \"x\" is not a duration; write a duration such as 300s, 5m, 1h or 180d\n" +
				"f:2:1: unknown key \"zzzzzzzzz\"; known here: name, on, limit, wait, life, code, at, tags, attr, reads, token, any\n" +
				"f:3:5: on: this is a number; it must be true or false"},
	} {
		t.Run(name, func(t *testing.T) {
			var got sample
			p := Decode("f", []byte(c.text), &got)
			if p.Error() != c.want {
				t.Errorf("said\n%s\nwanted\n%s", p, c.want)
			}
		})
	}
}

func TestScalarsAreReadByTheCoreSchema(t *testing.T) {
	for text, want := range map[string]any{
		"yes": "yes", "off": "off", "12:30": "12:30", "2024-01-01": "2024-01-01", "1_000": "1_000", "0b1": "0b1",
		"true": true, "False": false, "~": nil, "null": nil, "'null'": "null", `"1"`: "1",
		"007": int64(7), "-12": int64(-12), "0x1F": int64(31), "0o17": int64(15),
		"1.20": 1.2, "1e3": 1000.0, "-.inf": math.Inf(-1), "99999999999999999999": 1e20,
		`"\ud83d\ude00\/"`: "😀/",
	} {
		n, p := Read("f", []byte("k: "+text+"\n"))
		if p != nil {
			t.Errorf("%s: %v", text, p)
		} else if got := n.Member("k").Value; got != want {
			t.Errorf("%s is read as %T %v, wanted %T %v", text, got, got, want, want)
		}
	}
}

func TestSeveralDocumentsWhereTheyAreAskedFor(t *testing.T) {
	docs, p := ReadAll("f", []byte("a: 1\n---\nb: 2\n"))
	if p != nil || len(docs) != 2 || docs[1].Member("b").Line != 3 {
		t.Fatalf("read %v, %v", docs, p)
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{
		"name: x\ntoken: {accepts: [json], answer: {a: $b}}\n", "a: &b [*b]\n", "? [a]\n: b\n", "k: |\n  x\n", "---\n---\n",
		"\"\\ud83d\"", "{a: 1, a: 2}", "- - - a\n", "a: b: c", "%X\n", "!<x> y", "a:\n\tb", "- a: b\n  c: [d, {e: f}]\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 {
			return // the parser takes its time over mappings of many thousand keys
		}
		var into sample
		for _, p := range Decode("f", data, &into) {
			if p.Line < 1 || p.Col < 1 || p.Msg == "" {
				t.Errorf("a problem without a place or a sentence: %+v", p)
			}
		}
	})
}
