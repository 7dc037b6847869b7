// Command bench measures how fast Postern is, beside a bare net/http server as
// the floor and node-oidc-provider as a peer, all in one run.
//
//	go run ./bench                                # or: make bench
//	go run ./bench -only exchange,check -n 2000   # seconds
//	go run ./bench -growth -o results.json        # with millions of stored tokens
//	go run ./bench -only revocation               # how soon one is known; only when asked for
//	go run ./bench -only kills -events 1000000    # is anything lost? only when asked for
//	go run ./bench -draw results.json             # docs/speed.md and its picture
//
// It starts the real binary, and a PostgreSQL server of its own with full
// durability. Every answer is checked. Operations a second mean little on
// another machine; CPU per operation and the ratios of one run carry over.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

type options struct {
	n       int
	workers int
	people  int
	tokens  int
	waiting int
	events  int
	kills   int
	engines string
	only    string
	growth  string
	out     string
	draw    string
	profile string
}

// parts are what -only names.
var parts = []string{"peer", "flow", "exchange", "refresh", "client", "introspect", "check", "metadata", "dialects", "guard", "webhooks", "growth", "revocation", "kills"}

// operations are the parts that one node on a new database is measured for.
var operations = []string{"flow", "exchange", "refresh", "client", "introspect", "check", "metadata", "dialects"}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "floor" { // ourselves, as the process to compare with
		fatal(serveFloor(os.Args[2]))
		return
	}
	var o options
	growth := flag.Bool("growth", false, "also with many stored tokens: see -stored")
	stored := flag.String("stored", "10000,1000000,10000000", "how many tokens are stored when growth is measured")
	flag.IntVar(&o.n, "n", 4000, "operations of each kind that writes; of those that read, three times as many")
	flag.IntVar(&o.workers, "workers", 16, "callers at once")
	flag.IntVar(&o.people, "people", 64, "signed-in people, for whole flows")
	flag.IntVar(&o.tokens, "tokens", 100_000, "different access tokens that are checked")
	flag.IntVar(&o.waiting, "waiting", 1_000_000, "deliveries that wait while the token paths are measured")
	flag.IntVar(&o.events, "events", 1_000_000, "events that are delivered while the server is killed")
	flag.IntVar(&o.kills, "kills", 20, "how often it is killed meanwhile, a quarter of them twice")
	flag.StringVar(&o.engines, "engines", "sqlite,postgres", "which engines")
	flag.StringVar(&o.only, "only", "", "only these parts: "+strings.Join(parts, ",")+"; empty: all")
	flag.StringVar(&o.out, "o", "", "write the results to this JSON `file`")
	flag.StringVar(&o.draw, "draw", "", "measure nothing: bring docs/speed.md and its picture to what this results `file` says")
	flag.StringVar(&o.profile, "profile", "", "write a CPU profile of the server for each operation into this `directory`")
	flag.Parse()
	if *growth || o.only != "" && o.wants("growth") {
		o.growth = *stored
	}
	if o.draw != "" {
		fatal(draw(o.draw))
		return
	}
	fatal(run(o))
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// wants reports whether one of these parts is asked for.
func (o *options) wants(names ...string) bool {
	if o.only == "" {
		return true
	}
	return slices.ContainsFunc(strings.Split(o.only, ","), func(p string) bool { return slices.Contains(names, p) })
}

func (o *options) check() error {
	for p := range strings.SplitSeq(o.only, ",") {
		if p != "" && !slices.Contains(parts, p) {
			return fmt.Errorf("-only %s: there is no such part; there are %s", p, strings.Join(parts, ", "))
		}
	}
	return nil
}

func run(o options) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.only == "revocation" { // prints a table of its own
		return measureRevocation()
	}
	dir, err := os.MkdirTemp("", "postern-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	go removeWhenStopped(dir)
	b := &bench{options: o, dir: dir, program: filepath.Join(dir, "postern"), report: newReport(o)}
	build := exec.Command("go", "build", "-trimpath", "-ldflags=-s -w", "-o", b.program, "./cmd/postern")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build (run this from the project's root): %w", err)
	}
	info, err := os.Stat(b.program)
	if err != nil {
		return err
	}
	b.report.BinaryMB = float64(info.Size()) / 1e6
	fmt.Print(b.report)
	fmt.Printf("stripped binary %.1f MB\n", b.report.BinaryMB)
	return b.measure()
}

// removeWhenStopped leaves no gigabytes behind when somebody has seen enough. What
// was started hears the same signal.
func removeWhenStopped(dir string) {
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt, syscall.SIGTERM)
	<-stop
	for range 3 { // who still ends may still write
		_ = os.RemoveAll(dir)
		time.Sleep(time.Second)
	}
	os.Exit(1)
}

// bench is one run.
type bench struct {
	options
	dir     string
	program string // Postern's
	report  *report
}

func (b *bench) measure() error {
	if err := b.measureFloor(); err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	if b.wants("peer") {
		if err := b.measurePeer(); err != nil {
			return fmt.Errorf("peer: %w", err)
		}
	}
	if b.wants("guard") {
		if err := b.measureGuard(); err != nil {
			return fmt.Errorf("guard: %w", err)
		}
	}
	if strings.Contains(b.engines, "postgres") {
		b.report.Postgres = said("psql", "--version")
	}
	for engine := range strings.SplitSeq(b.engines, ",") {
		for _, part := range []func(string) error{b.measureEngine, b.measureWebhooks, b.measureGrowth, b.measureKills} {
			if err := part(engine); err != nil {
				return fmt.Errorf("%s: %w", engine, err)
			}
		}
	}
	return nil
}
