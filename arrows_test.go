package postern_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "postern.dev/postern"

// arrows are what each room of the house may import of the others (doc.go).
// Rooms that are not here may not exist.
var arrows = map[string][]string{
	// The vocabulary stands alone.
	"": {},
	// The rules know the vocabulary, and the ground that reads files.
	"internal/oauth":      {"", "internal/jwks"},
	"internal/identity":   {""},
	"internal/registry":   {"", "internal/jwks", "internal/yamlfile"},
	"internal/webhook":    {""},
	"internal/requestlog": {""},
	"internal/logo":       {""},
	"internal/sandbox":    {""},
	"internal/signing":    {""},
	// The ground knows nothing above it; rows satisfy what rules ask of them.
	"internal/yamlfile":   {},
	"internal/jwks":       {},
	"internal/transcript": {"internal/yamlfile"},
	"internal/markup":     {},
	"internal/wire":       {"internal/markup"},
	"internal/record":     {"internal/transcript"},
	"internal/draft":      {"internal/yamlfile"},
	"internal/vault":      {""},
	"internal/routes":     {},
	"internal/mail":       {""},
	"internal/ui":         {""},
	"internal/browser":    {""},
	"internal/config":     {"", "internal/vault", "internal/mail", "internal/yamlfile"},
	"internal/store":      {"", "internal/oauth", "internal/identity", "internal/registry", "internal/webhook", "internal/logo", "internal/sandbox", "internal/signing", "internal/requestlog"},
	"dialects":            {},
	// The doors know the rules; pages and the check use a dialect's words.
	"internal/dialect": {"", "internal/oauth", "internal/yamlfile", "dialects"},
	"internal/gate":    {"", "internal/oauth", "internal/dialect", "internal/routes"},
	"internal/web":     {"", "internal/oauth", "internal/identity", "internal/ui", "internal/browser", "internal/dialect"},
	"internal/entry":   {"", "internal/identity", "internal/registry", "internal/ui", "internal/browser"},
	"internal/portal":  {"", "internal/logo", "internal/wire", "internal/sandbox", "internal/oauth", "internal/identity", "internal/registry", "internal/webhook", "internal/requestlog", "internal/ui", "internal/browser", "internal/entry", "internal/dialect"},
	"internal/admin":   {"", "internal/oauth", "internal/identity", "internal/registry", "internal/webhook", "internal/ui", "internal/browser", "internal/entry"},
	"guard":            {"", "internal/dialect", "internal/routes"},
}

// roofs may know every room.
var roofs = []string{"internal/server", "cmd/postern", "internal/posterntest", "internal/replay", "internal/dev", "internal/tools", "bench", "clients"}

// withHTTP are the rooms that may know net/http: doors and pages, and the
// client that sends webhooks. Rules, vocabulary and rows never do.
var withHTTP = []string{"internal/dialect", "internal/gate", "internal/web", "internal/entry", "internal/portal", "internal/admin", "internal/browser", "internal/ui", "internal/webhook", "internal/logo", "internal/record", "internal/routes", "internal/wire", "guard"}

type listed struct {
	ImportPath string
	Imports    []string
}

func TestArrowsPointDown(t *testing.T) {
	out, err := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", "./...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p listed
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		room := roomOf(p.ImportPath)
		if slices.ContainsFunc(roofs, func(roof string) bool { return room == roof || strings.HasPrefix(room, roof+"/") }) {
			continue
		}
		if room == "internal/store/storetest" && len(p.Imports) == 0 { // tests only
			continue
		}
		may, known := arrows[room]
		if !known {
			t.Errorf("%s is no room of the house: give it its arrows here, and a line in doc.go", p.ImportPath)
			continue
		}
		seen++
		for _, i := range p.Imports {
			if i == "net/http" && !slices.Contains(withHTTP, room) {
				t.Errorf("%s imports net/http", room)
			}
			if strings.HasPrefix(i, module) && !slices.Contains(may, roomOf(i)) {
				t.Errorf("%s imports %s", room, roomOf(i))
			}
		}
	}
	if seen < 10 {
		t.Errorf("go list gave only %d rooms", seen)
	}
}

func roomOf(path string) string { return strings.TrimPrefix(strings.TrimPrefix(path, module), "/") }
