package yamlfile

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Position is a place in a file; lines and columns count from 1, columns in
// characters. Line 0 is no place within: File then names an environment
// variable or a flag.
type Position struct {
	File string `json:"file"`
	Line int    `json:"line"`
	Col  int    `json:"col"`
}

func (p Position) String() string {
	if p.Line == 0 {
		return p.File
	}
	if p.Col == 0 { // a line of a file whose columns say nothing
		return fmt.Sprintf("%s:%d", p.File, p.Line)
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Problem is one thing wrong with a file. Msg is a whole sentence and names the
// key itself; Key is the path to it ("apps[0].name"), for programs.
type Problem struct {
	Position
	Key string `json:"key,omitempty"`
	Msg string `json:"message"`
	// Unknown: the key is not one of those that are known there; all else that the
	// file says could be read.
	Unknown bool `json:"-"`
}

// Error is the line that people read: `xref.yaml:31:5: unknown key "acepts" in
// token; did you mean "accepts"?`
func (p Problem) Error() string { return p.Position.String() + ": " + p.Msg }

// Problems are all that is wrong, by position.
type Problems []Problem

func (p Problems) Error() string {
	lines := make([]string, len(p))
	for i, one := range p {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Err is nil where there are no problems; a nil Problems in an error variable
// would not be.
func (p Problems) Err() error {
	if len(p) == 0 {
		return nil
	}
	return p
}

// Sort orders problems by file and position. Problems of one place keep the
// order in which they were found.
func (p Problems) Sort() {
	slices.SortStableFunc(p, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col))
	})
}

// Suggest ends a sentence about an unknown word: `; did you mean "accepts"?`
// where one of the known words is near, else the known words if they are few, or
// those that begin as it does (insecure_…).
func Suggest(word string, known []string) string {
	best, least := "", max(1, len(word)/3)+1
	for _, k := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < least {
			best, least = k, d
		}
	}
	if head, _, cut := strings.Cut(word, "_"); cut && len(known) > 12 {
		known = slices.DeleteFunc(slices.Clone(known), func(k string) bool { return !strings.HasPrefix(k, head+"_") })
	}
	switch {
	case best != "":
		return fmt.Sprintf("; did you mean %q?", best)
	case len(known) == 1:
		return "; only " + known[0] + " is known here"
	case len(known) > 1 && len(known) <= 12:
		return "; known here: " + strings.Join(known, ", ")
	}
	return ""
}

// distance counts the single-character edits between two words, a swap of
// neighbours being one.
func distance(a, b string) int {
	if len(a) > 64 || len(b) > 64 {
		return 64
	}
	var before []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			edit := row[j-1]
			if a[i-1] != b[j-1] {
				edit++
			}
			next[j] = min(edit, row[j]+1, next[j-1]+1)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], before[j-2]+1)
			}
		}
		before, row = row, next
	}
	return row[len(b)]
}
