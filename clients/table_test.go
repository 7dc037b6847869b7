package clients

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
)

// table is what the clients did, as README.md shows it.
type table struct {
	mu    sync.Mutex
	steps map[string][]string // by the row's first three cells
}

func newTable() *table { return &table{steps: map[string][]string{}} }

func (t *table) did(c client, what string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	row := fmt.Sprintf("| %s | %s | `%s` ", c.name, c.version, c.app.Dialect)
	if !slices.Contains(t.steps[row], what) {
		t.steps[row] = append(t.steps[row], what)
	}
}

const (
	tableBegins = "<!-- made by the test; POSTERN_UPDATE=1 go test ./clients writes it anew -->\n"
	tableEnds   = "<!-- end -->\n"
)

func (t *table) text() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var rows []string
	for row, steps := range t.steps {
		rows = append(rows, fmt.Sprintf("%s| %s | works on SQLite and PostgreSQL |\n", row, strings.Join(steps, "; ")))
	}
	slices.Sort(rows)
	return tableBegins + "| client | version | dialect | exercised | result |\n| --- | --- | --- | --- | --- |\n" + strings.Join(rows, "") + tableEnds
}

// compare complains when README.md tells something else than the run did.
func (t *table) compare(test *testing.T) {
	const file = "README.md"
	text, err := os.ReadFile(file)
	if err != nil {
		test.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), tableBegins)
	_, after, ok2 := strings.Cut(rest, tableEnds)
	if !ok || !ok2 {
		test.Fatalf("%s has no place for the table", file)
	}
	want := before + t.text() + after
	if want == string(text) {
		return
	}
	if os.Getenv("POSTERN_UPDATE") == "1" {
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			test.Fatal(err)
		}
		return
	}
	test.Errorf("%s says otherwise; with POSTERN_UPDATE=1 this test writes it anew. It did:\n%s", file, t.text())
}
