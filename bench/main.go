// Command bench measures how fast Postern is: exchange, refresh, client
// credentials, token check, introspection and metadata, on SQLite and on
// PostgreSQL, against a bare net/http JSON server as the floor.
//
//	go run ./bench            # or: make bench
//	go run ./bench -n 4000 -engines sqlite
//
// It starts the real binary, and a PostgreSQL server of its own with full
// durability. Every answer is checked. Ops per second mean little on another
// machine; CPU per operation and the ratios of one run carry over.
package main

import (
	"database/sql"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // database/sql driver "pgx"

	"postern.dev/postern/internal/posterntest/pg"
)

type options struct {
	n       int
	workers int
	people  int
	engines string
}

func main() {
	if len(os.Args) == 3 && os.Args[1] == "floor" { // ourselves, as the process to compare with
		fatal(serveFloor(os.Args[2]))
		return
	}
	var o options
	flag.IntVar(&o.n, "n", 3000, "operations of each kind")
	flag.IntVar(&o.workers, "workers", 16, "callers at once")
	flag.IntVar(&o.people, "people", 64, "accounts, each with one signed-in person")
	flag.StringVar(&o.engines, "engines", "sqlite,postgres", "which engines")
	flag.Parse()
	fatal(run(o))
}

func fatal(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(o options) error {
	dir, err := os.MkdirTemp("", "postern-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "postern")
	build := exec.Command("go", "build", "-o", program, "./cmd/postern")
	build.Stdout, build.Stderr = os.Stderr, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build (run this from the project's root): %w", err)
	}
	fmt.Printf("%s, %d cores, %s, %d callers at once, %d operations of each kind\n\n", cpuModel(), runtime.NumCPU(), runtime.Version(), o.workers, o.n)
	floor, err := measureFloor(o)
	if err != nil {
		return fmt.Errorf("floor: %w", err)
	}
	for _, engine := range strings.Split(o.engines, ",") {
		if err := measureEngine(o, program, filepath.Join(dir, engine), engine, floor); err != nil {
			return fmt.Errorf("%s: %w", engine, err)
		}
	}
	return nil
}

func measureEngine(o options, program, dir, engine string, floor *result) error {
	database, postmaster := "sqlite:"+filepath.Join(dir, "postern.db"), 0
	if engine == "postgres" {
		server, err := pg.Start("fsync=on", "synchronous_commit=on", "full_page_writes=on", "shared_buffers=256MB", "max_connections=100")
		if err != nil {
			return err
		}
		defer server.Stop()
		if database, postmaster, err = benchDatabase(server); err != nil {
			return err
		}
	}
	node, err := startNode(program, dir, database, o.people)
	if err != nil {
		return err
	}
	node.postmaster = postmaster
	defer node.stop()
	fmt.Printf("%s: start on a migrated database to the first 200 in %.0f ms; %.0f MiB resident when idle; binary %.1f MB\n",
		engine, node.coldStart.Seconds()*1000, node.residentMiB(), node.binaryMB)
	results, err := node.measure(o)
	if err != nil {
		return err
	}
	print(engine, results, floor)
	return nil
}

// benchDatabase makes a database and finds the server's first process.
func benchDatabase(server *pg.Server) (address string, postmaster int, err error) {
	db, err := sql.Open("pgx", server.URL)
	if err != nil {
		return "", 0, err
	}
	defer db.Close()
	if _, err := db.Exec("CREATE DATABASE bench"); err != nil {
		return "", 0, err
	}
	u, err := url.Parse(server.URL)
	if err != nil {
		return "", 0, err
	}
	u.Path = "/bench"
	text, err := os.ReadFile(filepath.Join(server.Data, "postmaster.pid"))
	if err != nil {
		return "", 0, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	postmaster, err = strconv.Atoi(first)
	return u.String(), postmaster, err
}

// print writes one engine's table.
func print(engine string, results []*result, floor *result) {
	fmt.Printf("\n| %-34s | ops/s | p50 ms | p99 ms | server CPU ms | database CPU ms | CPU / floor |\n", engine)
	fmt.Println("| ---------------------------------- | ----- | ------ | ------ | ------------- | --------------- | ----------- |")
	for _, r := range append([]*result{floor}, results...) {
		fmt.Printf("| %-34s | %5.0f | %6.2f | %6.2f | %13.3f | %15.3f | %11.1f |\n",
			r.name, r.opsPerSecond(), ms(r.quantile(0.5)), ms(r.quantile(0.99)), r.serverCPU, r.databaseCPU,
			(r.serverCPU+r.databaseCPU)/floor.serverCPU)
	}
	fmt.Println()
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func cpuModel() string {
	text, _ := os.ReadFile("/proc/cpuinfo")
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
			return strings.TrimSpace(value)
		}
	}
	return runtime.GOARCH
}
