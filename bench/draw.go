package main

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"os"
	"strings"
)

// busy is a load that other work must have made.
const busy = 1.5

const (
	pageFile    = "docs/speed.md"
	pictureFile = "docs/images/speed.svg"
	begin       = "<!-- measured: from here to the end mark `go run ./bench -draw` writes -->"
	end         = "<!-- measured: end -->"
)

// draw brings the page and its picture to what a results file says.
func draw(file string) error {
	r, err := readReport(file)
	if err != nil {
		return err
	}
	page, err := os.ReadFile(pageFile)
	if err != nil {
		return fmt.Errorf("run this from the project's root: %w", err)
	}
	before, rest, found := strings.Cut(string(page), begin)
	_, after, foundEnd := strings.Cut(rest, end)
	if !found || !foundEnd {
		return fmt.Errorf("%s has lost its marks: the measured part stands between %q and %q", pageFile, begin, end)
	}
	text := before + begin + "\n\n" + r.page() + "\n" + end + after
	return errors.Join(
		os.WriteFile(pageFile, []byte(text), 0o644),
		os.WriteFile(pictureFile, []byte(r.picture()), 0o644),
	)
}

// page is the measured part of the page.
func (r *report) page() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d cores shared by callers, servers and database, %d GB; %s, %s, PostgreSQL on the same disk with full durability; %d callers at once, %d operations of each kind, those that read three times as many. %s, revision %s.\n",
		r.CPU, r.Cores, (r.MemoryMB+500)/1000, r.Kernel, r.Go, r.Workers, r.N, r.Date, cmp.Or(r.Revision, "unknown"))
	if r.Load > busy {
		fmt.Fprintf(&b, "\n**The machine was busy with other work (load %.0f when the run began): every figure is higher than on a quiet one, latencies mean nothing, and ratios are rough.**\n", r.Load)
	}
	fmt.Fprintf(&b, "\n![CPU of an operation, in milliseconds: Postern on both engines beside node-oidc-provider and a bare server](images/speed.svg)\n")
	fmt.Fprintf(&b, "\nStripped binary: %.1f MB.", r.BinaryMB)
	if g := r.find("guard"); g != nil {
		fmt.Fprintf(&b, " The check in process (`guard`): %s.", g.facts())
	}
	b.WriteString("\n")
	for _, s := range r.Subjects {
		if s.Key == "guard" || s.Tokens > 0 {
			continue
		}
		fmt.Fprintf(&b, "\n### %s\n\n", s.Name)
		if len(s.Results) > 0 {
			b.WriteString(r.table(s))
		}
		if strings.HasSuffix(s.Key, " dialects") {
			b.WriteString(dialectTable(s))
		}
		for i, f := range s.Facts {
			if i == 0 {
				b.WriteString("\n")
			}
			fmt.Fprintf(&b, "- %s: %s\n", f.Name, f)
		}
	}
	for _, engine := range []string{"sqlite", "postgres"} {
		b.WriteString(r.growthTable(engine))
	}
	return b.String()
}

// dialectTable is what the same costs in other words.
func dialectTable(s *subject) string {
	var b strings.Builder
	b.WriteString("\n| CPU, to the same in `standard` | xref | xeebo |\n| --- | ---: | ---: |\n")
	for _, op := range []string{"exchange", "refresh", "check"} {
		usual := s.result(op + ", standard")
		fmt.Fprintf(&b, "| %s |", op)
		for _, name := range []string{"xref", "xeebo"} {
			if got := s.result(op + ", " + name); got != nil {
				fmt.Fprintf(&b, " %s |", times(got, usual))
			} else {
				b.WriteString(" – |")
			}
		}
		b.WriteString("\n")
	}
	return b.String()
}

// growthTable is one line a kind of operation, one column a size.
func (r *report) growthTable(engine string) string {
	var sizes []*subject
	for _, s := range r.Subjects {
		if s.Tokens > 0 && strings.HasPrefix(s.Key, engine+" growth") {
			sizes = append(sizes, s)
		}
	}
	if len(sizes) == 0 {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "\n### Growth, %s\n\n| CPU ms, with stored tokens |", proper(engine))
	for _, s := range sizes {
		fmt.Fprintf(&b, " %s |", thousands(s.Tokens))
	}
	b.WriteString(" largest to smallest |\n| --- |" + strings.Repeat(" ---: |", len(sizes)+1) + "\n")
	for _, op := range sizes[0].Results {
		fmt.Fprintf(&b, "| %s |", op.Name)
		for _, s := range sizes {
			fmt.Fprintf(&b, " %.3f |", s.result(op.Name).cpu())
		}
		fmt.Fprintf(&b, " %s |\n", times(sizes[len(sizes)-1].result(op.Name), op))
	}
	for i, f := range sizes[0].Facts {
		fmt.Fprintf(&b, "| %s |", f.Name)
		for _, s := range sizes {
			fmt.Fprintf(&b, " %s |", s.Facts[i])
		}
		b.WriteString(" |\n")
	}
	return b.String()
}

// shownOps are those of the picture.
var shownOps = []string{"exchange", "refresh, rotating", "client credentials", "introspection, many tokens", "check, many tokens", "metadata"}

type bar struct {
	key, name, class string
}

var bars = []bar{
	{"peer", "node-oidc-provider, memory", "peer"}, {"postgres", "Postern, PostgreSQL", "pg"},
	{"sqlite", "Postern, SQLite", "lite"}, {"floor", "bare net/http", "floor"},
}

const style = `
text{font:13px system-ui,sans-serif;fill:#1f2328}.dim{fill:#59636e}.grid{stroke:#d1d9e0}
.peer{fill:#c2571a}.pg{fill:#2563a8}.lite{fill:#1f8a5b}.floor{fill:#8b949e}
@media (prefers-color-scheme:dark){text{fill:#e6edf3}.dim{fill:#9da7b3}.grid{stroke:#3d444d}
.peer{fill:#e58a4f}.pg{fill:#6cb0f5}.lite{fill:#4cc38a}.floor{fill:#7d8590}}`

// picture is a chart of the CPU of an operation, its scale logarithmic, readable
// on light and on dark pages.
func (r *report) picture() string {
	const left, width, top, line, gap = 190, 460, 64, 15, 16
	const lowest, highest = 0.01, 3.0
	x := func(v float64) float64 {
		v = min(max(v, lowest), highest)
		return left + width*math.Log(v/lowest)/math.Log(highest/lowest)
	}
	height := top + len(shownOps)*(len(bars)*line+gap) + 14
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 760 %d" role="img" aria-label="CPU of an operation in milliseconds">`, height)
	fmt.Fprintf(&b, "<style>%s</style>\n", style)
	b.WriteString(`<text x="8" y="20">CPU of an operation, server and database, in ms (logarithmic)</text>` + "\n")
	at := 8.0
	for _, k := range bars {
		fmt.Fprintf(&b, `<rect class="%s" x="%.0f" y="31" width="10" height="10"/><text class="dim" x="%.0f" y="41">%s</text>`+"\n", k.class, at, at+15, k.name)
		at += 40 + 7.2*float64(len(k.name))
	}
	for _, v := range []float64{0.01, 0.03, 0.1, 0.3, 1, 3} {
		fmt.Fprintf(&b, `<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/><text class="dim" x="%.1f" y="%d" text-anchor="middle">%g</text>`+"\n",
			x(v), x(v), top-6, height-16, x(v), height-2, v)
	}
	y := float64(top)
	for _, op := range shownOps {
		fmt.Fprintf(&b, `<text x="8" y="%.0f">%s</text>`+"\n", y+line*float64(len(bars))/2+4, op)
		for _, k := range bars {
			got := r.find(k.key).result(op)
			if k.key == "floor" {
				got = r.floorOf(op)
			}
			if got != nil {
				fmt.Fprintf(&b, `<rect class="%s" x="%d" y="%.0f" width="%.1f" height="%d"><title>%s, %s: %.3f ms</title></rect><text class="dim" x="%.1f" y="%.0f">%.3f</text>`+"\n",
					k.class, left, y, max(1, x(got.cpu())-left), line-3, k.name, op, got.cpu(), x(got.cpu())+5, y+line-4, got.cpu())
			}
			y += line
		}
		y += gap
	}
	b.WriteString("</svg>\n")
	return b.String()
}
