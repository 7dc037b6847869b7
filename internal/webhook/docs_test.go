package webhook

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest/needs"
)

// harnesses call the documented verify with what a JSON file says and print true
// or false for each case.
var harnesses = map[string]struct {
	file, program string
	args          []string
	harness       string
}{
	"javascript": {"verify.mjs", "node", nil, `
import { readFileSync } from "node:fs";
for (const c of JSON.parse(readFileSync(process.argv[2]))) {
  console.log(verify(c.secret, c.headers, c.body));
}`},
	"python": {"verify.py", "python3", nil, `
import json, sys
for c in json.load(open(sys.argv[1])):
    print(str(verify(c["secret"], c["headers"], c["body"].encode())).lower())`},
	"go": {"verify.go", "go", []string{"run"}, `
func main() {
	b, _ := os.ReadFile(os.Args[1])
	var cases []struct {
		Secret, Body string
		Headers      map[string]string
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		panic(err)
	}
	for _, c := range cases {
		h := http.Header{}
		for name, value := range c.Headers {
			h.Set(name, value)
		}
		fmt.Println(verify(c.Secret, h, []byte(c.Body)))
	}
}`},
	"java": {"Verify.java", "java", nil, ""},
	"php": {"verify.php", "php", nil, `
foreach (json_decode(file_get_contents($argv[1]), true) as $c) {
    echo verify($c["secret"], $c["headers"], $c["body"]) ? "true\n" : "false\n";
}`},
}

type docCase struct {
	Secret  string            `json:"secret"`
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
}

func TestTheDocumentedSnippetsVerify(t *testing.T) {
	text, err := os.ReadFile("../../docs/webhooks.md")
	if err != nil {
		t.Fatal(err)
	}
	cases, want := docCases(t)
	for language, h := range harnesses {
		t.Run(language, func(t *testing.T) {
			snippet := fenced(t, string(text), language)
			if _, err := exec.LookPath(h.program); err != nil && language == "java" {
				t.Log("a JDK is not asked of every machine: without one Java's snippet is not run")
				return
			}
			program := needs.Program(t, "scripts/setup", h.program)
			dir := t.TempDir()
			file, input := filepath.Join(dir, h.file), filepath.Join(dir, "cases.json")
			source := snippet + h.harness
			switch language {
			case "go":
				source = strings.Replace(source, "import (\n", "import (\n\t\"encoding/json\"\n\t\"fmt\"\n\t\"os\"\n", 1)
			case "java": // a program without a JSON reader: its cases are written into it
				source = javaProgram(snippet, cases)
			}
			b, err := json.Marshal(cases)
			if err != nil {
				t.Fatal(err)
			}
			write(t, file, source)
			write(t, input, string(b))
			cmd := exec.Command(program, append(h.args, file, input)...)
			cmd.Env = append(os.Environ(), "GO111MODULE=off", "GOFLAGS=")
			out, err := cmd.CombinedOutput()
			if got := strings.Fields(string(out)); err != nil || strings.Join(got, " ") != want {
				t.Errorf("%v, got %v, want %s\n%s", err, got, want, out)
			}
		})
	}
}

// docCases are messages as we sign them, and bad ones.
func docCases(t *testing.T) (cases []docCase, want string) {
	t.Helper()
	const secret, other = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=", "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	const body = `{"type":"candidate.updated","data":{"name":"Zoë ☕"}}`
	sign := func(at time.Time, secrets ...string) docCase {
		s := &signer{}
		for _, text := range secrets {
			key, err := decodeKey(text, secretPrefix)
			if err != nil {
				t.Fatal(err)
			}
			s.secrets = append(s.secrets, key)
		}
		return docCase{secret, map[string]string{
			"webhook-id": "evt_1", "webhook-timestamp": fmt.Sprint(at.Unix()), "webhook-signature": s.sign("evt_1", at, []byte(body)),
		}, body}
	}
	now := time.Now()
	altered := sign(now, secret)
	altered.Body = strings.Replace(body, "updated", "deleted", 1)
	moved := sign(now, secret)
	moved.Headers["webhook-id"] = "evt_2"
	empty := sign(now, secret)
	empty.Headers["webhook-signature"] = "v1,"
	nonsense := sign(now, secret)
	nonsense.Headers["webhook-timestamp"] = "now"
	unsigned := sign(now, secret)
	delete(unsigned.Headers, "webhook-signature")
	return []docCase{
		sign(now, secret), sign(now, other, secret), // whole, and during a rotation
		sign(now, other), altered, moved, empty, nonsense, sign(now.Add(-10*time.Minute), secret), sign(now.Add(10*time.Minute), secret),
		unsigned, {secret, map[string]string{}, body}, // what anybody posts to an address that they found
	}, "true true false false false false false false false false false"
}

func javaProgram(snippet string, cases []docCase) string {
	var b strings.Builder
	imports, class, _ := strings.Cut(snippet, "class Webhook")
	b.WriteString(imports + "class Main { public static void main(String[] a) throws Exception {\n")
	for _, c := range cases {
		text := func(s string) string { q, _ := json.Marshal(s); return string(q) }
		fmt.Fprintf(&b, "System.out.println(Webhook.verify(%s, Map.of(\"webhook-id\", %s, \"webhook-timestamp\", %s, \"webhook-signature\", %s), %s.getBytes(StandardCharsets.UTF_8)));\n",
			text(c.Secret), text(c.Headers["webhook-id"]), text(c.Headers["webhook-timestamp"]), text(c.Headers["webhook-signature"]), text(c.Body))
	}
	b.WriteString("} }\nclass Webhook" + class)
	return b.String()
}

// fenced is the one code block of a language.
func fenced(t *testing.T, text, language string) string {
	t.Helper()
	_, after, ok := strings.Cut(text, "```"+language+"\n")
	code, _, closed := strings.Cut(after, "```\n")
	if !ok || !closed {
		t.Fatalf("docs/webhooks.md has no snippet in %s", language)
	}
	return code
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
