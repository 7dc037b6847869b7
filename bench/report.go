package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

// report is what one run found, and on which machine.
type report struct {
	Date     string     `json:"date"`
	Revision string     `json:"revision"`
	CPU      string     `json:"cpu"`
	Cores    int        `json:"cores"`
	MemoryMB int        `json:"memory_mb"`
	Kernel   string     `json:"kernel"`
	Go       string     `json:"go"`
	Node     string     `json:"node,omitempty"`
	Postgres string     `json:"postgres,omitempty"`
	Workers  int        `json:"workers"`
	N        int        `json:"n"`
	BinaryMB float64    `json:"binary_mb"` // stripped
	Load     float64    `json:"load"`      // of the machine, before we began
	Subjects []*subject `json:"subjects"`

	file string // where it is kept; "": nowhere
}

// subject is what was measured: the floor, the peer, Postern on an engine …
type subject struct {
	Key     string    `json:"key"`
	Name    string    `json:"name"`
	Tokens  int       `json:"tokens,omitempty"` // growth: so many are stored
	Facts   []fact    `json:"facts,omitempty"`
	Results []*result `json:"results,omitempty"`
}

// fact is a figure that is no operation.
type fact struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit,omitempty"`
}

func (f fact) String() string {
	form := "%.0f"
	if f.Value < 10 && f.Value != float64(int(f.Value)) {
		form = "%.1f"
	}
	return strings.TrimSpace(fmt.Sprintf(form+" %s", f.Value, f.Unit))
}

func newReport(o options) *report {
	return &report{
		Date: time.Now().UTC().Format(time.DateOnly), Revision: said("git", "rev-parse", "--short", "HEAD"),
		CPU: cpuModel(), Cores: runtime.NumCPU(), MemoryMB: memoryMB(), Kernel: said("uname", "-sr"),
		Go: runtime.Version(), Node: said("node", "--version"), Workers: o.workers, N: o.n, Load: load(), file: o.out,
	}
}

func (r *report) String() string {
	return fmt.Sprintf("%s, %d cores, %d MB, %s, %s; %d callers at once, %d operations of each kind\n",
		r.CPU, r.Cores, r.MemoryMB, r.Kernel, r.Go, r.Workers, r.N)
}

// said is what a program prints, or nothing where there is none.
func said(program string, args ...string) string {
	out, _ := exec.Command(program, args...).Output()
	return strings.TrimSpace(string(out))
}

func (r *report) subject(key, name string) *subject {
	s := &subject{Key: key, Name: name}
	r.Subjects = append(r.Subjects, s)
	return s
}

func (r *report) find(key string) *subject {
	for _, s := range r.Subjects {
		if s.Key == key {
			return s
		}
	}
	return nil
}

func (s *subject) fact(name string, value float64, unit string) {
	progress(name)
	s.Facts = append(s.Facts, fact{name, value, unit})
}

func (s *subject) result(name string) *result {
	if s == nil {
		return nil
	}
	for _, r := range s.Results {
		if r.Name == name {
			return r
		}
	}
	return nil
}

// floorOf is what a kind of operation costs at least.
func (r *report) floorOf(name string) *result {
	if strings.HasPrefix(name, "check") || name == "metadata" || name == floorGet {
		return r.find("floor").result(floorGet)
	}
	return r.find("floor").result(floorPost)
}

// peerOf is the same kind of operation at the peer.
func (r *report) peerOf(name string) *result {
	return r.find("peer").result(strings.TrimSuffix(name, ", standing connection"))
}

// times is how often b's CPU goes into a's, as a table says it.
func times(a, b *result) string {
	if b == nil || b.cpu() == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", a.cpu()/b.cpu())
}

// table is a subject's operations in Markdown.
func (r *report) table(s *subject) string {
	var b strings.Builder
	fmt.Fprintf(&b, "| %-34s | ops/s | p50 ms | p99 ms | server CPU ms | database CPU ms | CPU ms | to the floor | to the peer |\n", s.Name)
	fmt.Fprintln(&b, "| ---------------------------------- | ----: | -----: | -----: | ------------: | --------------: | -----: | -----------: | ----------: |")
	for _, o := range s.Results {
		fmt.Fprintf(&b, "| %-34s | %5.0f | %6.2f | %6.2f | %13.3f | %15.3f | %6.3f | %12s | %11s |\n",
			o.Name, o.OpsPerSecond, o.P50, o.P99, o.ServerCPU, o.DatabaseCPU, o.cpu(), times(o, r.floorOf(o.Name)), times(o, r.peerOf(o.Name)))
	}
	return b.String()
}

func (s *subject) facts() string {
	list := make([]string, len(s.Facts))
	for i, f := range s.Facts {
		list[i] = f.Name + ": " + f.String()
	}
	return strings.Join(list, "; ")
}

// print shows what was found of a subject, and keeps it, should the run not
// come to its end.
func (r *report) print(s *subject) error {
	fmt.Println("\n" + s.Name)
	if len(s.Results) > 0 {
		fmt.Print(r.table(s))
	}
	if len(s.Facts) > 0 {
		fmt.Println(s.facts())
	}
	if r.file == "" {
		return nil
	}
	text, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(r.file, append(text, '\n'), 0o644)
}

func readReport(file string) (*report, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var r report
	return &r, json.Unmarshal(text, &r)
}

func cpuModel() string {
	if name := lineOf("/proc/cpuinfo", "model name"); name != "" {
		return name
	}
	return runtime.GOARCH
}

func memoryMB() int {
	var kb int
	_, _ = fmt.Sscan(lineOf("/proc/meminfo", "MemTotal"), &kb) // 0 where it is not said
	return kb / 1000
}

func load() (now float64) {
	text, _ := os.ReadFile("/proc/loadavg")
	_, _ = fmt.Sscan(string(text), &now) // 0 where it is not said
	return now
}

// lineOf is what a file of /proc says after a name and a colon.
func lineOf(file, name string) string {
	text, _ := os.ReadFile(file)
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}
