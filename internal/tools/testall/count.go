package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"strings"
)

// count reads what `go test -json` tells, prints a line per package and all
// that a failed test had to say, and counts. A skipped test has failed: nothing
// may be skipped here.
type count struct {
	out            io.Writer
	passed, failed int

	said  map[string][]string // by package, or package and test
	tests map[string]*tally   // by package
}

type tally struct{ passed, failed int }

func newCount(out io.Writer) *count {
	return &count{out: out, said: map[string][]string{}, tests: map[string]*tally{}}
}

// event is a line of `go test -json` (go doc test2json).
type event struct {
	Action      string
	Package     string
	ImportPath  string // of what did not build
	Test        string
	Elapsed     float64
	Output      string
	FailedBuild string
}

func (c *count) read(events io.Reader) error {
	lines := bufio.NewScanner(events)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var e event
		if err := json.Unmarshal(lines.Bytes(), &e); err != nil {
			return fmt.Errorf("go test said %q: %w", lines.Text(), err)
		}
		c.hear(&e)
	}
	return lines.Err()
}

func (c *count) hear(e *event) {
	key := e.Package + " " + e.Test
	switch e.Action {
	case "output":
		c.said[key] = append(c.said[key], e.Output)
	case "build-output":
		c.said[e.ImportPath] = append(c.said[e.ImportPath], e.Output)
	case "pass", "skip", "fail":
		if e.Test == "" {
			c.endPackage(e)
		} else {
			c.endTest(e)
		}
		delete(c.said, key)
	}
}

func (c *count) endTest(e *event) {
	t := c.of(e.Package)
	if e.Action == "pass" {
		c.passed++
		t.passed++
		return
	}
	c.failed++
	t.failed++
	why := "FAIL"
	if e.Action == "skip" {
		why = "SKIPPED, and nothing may be skipped here"
	}
	fmt.Fprintf(c.out, "%s: %s %s\n%s", why, e.Package, e.Test, indented(c.said[e.Package+" "+e.Test]))
}

func (c *count) endPackage(e *event) {
	t := c.of(e.Package)
	delete(c.tests, e.Package) // the next run may test it again
	switch {
	case e.Action == "fail" && t.failed == 0:
		// It did not build, or died outside any test.
		c.failed++
		fmt.Fprintf(c.out, "FAIL: %s\n%s%s", e.Package, indented(c.said[e.FailedBuild]), indented(c.said[e.Package+" "]))
	case e.Action == "fail":
		fmt.Fprintf(c.out, "FAIL  %-55s %5d passed, %d failed in %.1f s\n", e.Package, t.passed, t.failed, e.Elapsed)
	case t.passed > 0:
		fmt.Fprintf(c.out, "ok    %-55s %5d passed in %.1f s\n", e.Package, t.passed, e.Elapsed)
	}
}

func (c *count) of(pkg string) *tally {
	if c.tests[pkg] == nil {
		c.tests[pkg] = &tally{}
	}
	return c.tests[pkg]
}

func (c *count) pass(what string) {
	c.passed++
	fmt.Fprintf(c.out, "ok    %s\n", what)
}

func (c *count) fail(what string) {
	c.failed++
	fmt.Fprintf(c.out, "FAIL: %s\n", strings.TrimRight(what, "\n"))
}

func indented(lines []string) string {
	var b strings.Builder
	for _, l := range strings.SplitAfter(strings.Join(lines, ""), "\n") {
		if l != "" {
			b.WriteString("    " + strings.TrimRight(l, "\n") + "\n")
		}
	}
	return b.String()
}
