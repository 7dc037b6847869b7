package main

import (
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// result is one kind of operation, measured.
type result struct {
	Name         string  `json:"name"`
	Ops          int     `json:"ops"`
	OpsPerSecond float64 `json:"ops_per_second"`
	P50          float64 `json:"p50_ms"`
	P99          float64 `json:"p99_ms"`
	ServerCPU    float64 `json:"server_cpu_ms"`   // per operation
	DatabaseCPU  float64 `json:"database_cpu_ms"` // per operation
}

func (r *result) cpu() float64 { return r.ServerCPU + r.DatabaseCPU }

// join adds another part of the same operation. Of the latencies the means and the
// worst are kept, which is not quite what all of them together would give.
func (r *result) join(part *result) {
	a, b := float64(r.Ops), float64(part.Ops)
	mean := func(x, y float64) float64 { return (x*a + y*b) / (a + b) }
	r.OpsPerSecond = (a + b) / (a/r.OpsPerSecond + b/part.OpsPerSecond)
	r.P50, r.P99 = mean(r.P50, part.P50), max(r.P99, part.P99)
	r.ServerCPU, r.DatabaseCPU = mean(r.ServerCPU, part.ServerCPU), mean(r.DatabaseCPU, part.DatabaseCPU)
	r.Ops += part.Ops
}

// latencies counts durations in buckets an eighth of a power of two wide, so
// that any number of them takes the same room.
type latencies [64 * 8]int

func (l *latencies) add(d time.Duration) {
	us := max(1, uint64(d.Microseconds()))
	high := bits.Len64(us) - 1
	below := uint64(0)
	if high >= 3 {
		below = us >> (high - 3) & 7
	}
	l[high*8+int(below)]++
}

// quantile is the upper end of the bucket that it falls into, in ms.
func (l *latencies) quantile(q float64) float64 {
	total := 0
	for _, n := range l {
		total += n
	}
	wanted := int(q * float64(total))
	for i, n := range l {
		if wanted -= n; wanted < 0 {
			low := uint64(1) << (i / 8)
			return float64(low+low*uint64(i%8+1)/8) / 1000
		}
	}
	return 0
}

// meter charges the CPU of a server's process, and of a PostgreSQL server's if
// there is one (else 0), to the operations.
type meter struct {
	server, postmaster int    // process ids
	profiles           string // where the server gives its profiles; "": none are taken
	profileDir         string
}

// loop times a closed loop of callers. The first operations, warm of them, are
// done and checked but not counted: connections open, statements are planned.
func (m meter) loop(name string, workers, warm, n int, do func(i int) error) (*result, error) {
	progress(name)
	if _, err := callers(workers, 0, warm, do); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if err := m.rest(); err != nil {
		return nil, err
	}
	profiled, err := m.startProfile(name)
	if err != nil {
		return nil, err
	}
	server, database, err := m.cpuTimes()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	times, err := callers(workers, warm, warm+n, do)
	took := time.Since(began)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	serverAfter, databaseAfter, err := m.cpuTimes()
	if err != nil {
		return nil, err
	}
	r := &result{
		Name: name, Ops: n, OpsPerSecond: float64(n) / took.Seconds(), P50: times.quantile(0.5), P99: times.quantile(0.99),
		ServerCPU: ms(serverAfter-server) / float64(n), DatabaseCPU: ms(databaseAfter-database) / float64(n),
	}
	return r, profiled()
}

// rest waits until server and database have done what earlier operations left
// them to do beside the requests, so that each line pays for itself. Some work
// never ends (dead endpoints are tried for ever): after a while it counts.
func (m meter) rest() error {
	const soon = 2200 * time.Millisecond // "last used" is written every two seconds
	const look, most = 300 * time.Millisecond, 20
	time.Sleep(soon)
	for range most {
		server, database, err := m.cpuTimes()
		if err != nil {
			return err
		}
		time.Sleep(look)
		serverAfter, databaseAfter, err := m.cpuTimes()
		if err != nil || serverAfter+databaseAfter-server-database <= tick {
			return err
		}
	}
	return nil
}

// progress tells whoever waits what is under way.
func progress(what string) { fmt.Fprintln(os.Stderr, "…", what) }

// callers do operations from until to, each as soon as it is free.
func callers(workers, from, to int, do func(i int) error) (*latencies, error) {
	var next atomic.Int64
	next.Store(int64(from))
	errs, times := make([]error, workers), make([]latencies, workers)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < to; i = int(next.Add(1)) - 1 {
				start := time.Now()
				if errs[w] = do(i); errs[w] != nil {
					return
				}
				times[w].add(time.Since(start))
			}
		})
	}
	wg.Wait()
	all := &times[0]
	for _, t := range times[1:] {
		for i, n := range t {
			all[i] += n
		}
	}
	return all, errors.Join(errs...)
}

// startProfile asks the server for the profile of the seconds that come; what
// it gives waits for the end.
func (m meter) startProfile(name string) (wait func() error, err error) {
	if m.profileDir == "" || m.profiles == "" {
		return func() error { return nil }, nil
	}
	if err := os.MkdirAll(m.profileDir, 0o755); err != nil {
		return nil, err
	}
	done := make(chan error, 1)
	go func() {
		resp, err := http.Get(m.profiles + "/debug/pprof/profile?seconds=1")
		if err != nil {
			done <- err
			return
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err == nil {
			file := strings.Map(func(r rune) rune {
				if r == ' ' || r == ',' || r == ':' || r == '/' {
					return '-'
				}
				return r
			}, name) + ".pprof"
			err = os.WriteFile(filepath.Join(m.profileDir, file), text, 0o644)
		}
		done <- err
	}()
	return func() error { return <-done }, nil
}

// tick is the unit of /proc/PID/stat on Linux.
const tick = 10 * time.Millisecond

// cpuTimes are the CPU times of both, the database's dead children included.
func (m meter) cpuTimes() (server, database time.Duration, err error) {
	stats, err := processes()
	if err != nil {
		return 0, 0, err
	}
	for id, p := range stats {
		switch {
		case id == m.server:
			server = p.cpu
		case id == m.postmaster:
			database += p.cpu + p.deadChildren
		case p.parent == m.postmaster && m.postmaster != 0:
			database += p.cpu
		}
	}
	return server, database, nil
}

type process struct {
	parent            int
	cpu, deadChildren time.Duration
}

func processes() (map[int]process, error) {
	files, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(files) == 0 {
		return nil, errors.New("CPU times are read from /proc, which is not here: run the benchmark on Linux")
	}
	all := map[int]process{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			continue // it ended
		}
		id, _ := strconv.Atoi(filepath.Base(filepath.Dir(f)))
		// The name, in parentheses, may hold anything; the numbers follow it.
		rest := strings.Fields(string(text[strings.LastIndexByte(string(text), ')')+1:]))
		number := func(i int) int { n, _ := strconv.Atoi(rest[i]); return n }
		all[id] = process{
			parent:       number(1),
			cpu:          time.Duration(number(11)+number(12)) * tick,
			deadChildren: time.Duration(number(13)+number(14)) * tick,
		}
	}
	return all, nil
}

// residentMiB is the resident memory of a process.
func residentMiB(pid int) float64 { return memoryMiB(pid, "VmRSS") }

// memoryMiB is one kind of a process's memory, as /proc/PID/status calls it.
func memoryMiB(pid int, kind string) float64 {
	var kib int
	_, _ = fmt.Sscan(lineOf(fmt.Sprintf("/proc/%d/status", pid), kind), &kib) // 0 where it is not said
	return float64(kib) / 1024
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
