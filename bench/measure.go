package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// result is one kind of operation, measured.
type result struct {
	name        string
	took        []time.Duration
	wall        time.Duration
	serverCPU   float64 // ms per operation
	databaseCPU float64 // ms per operation
}

func (r *result) opsPerSecond() float64 { return float64(len(r.took)) / r.wall.Seconds() }

func (r *result) quantile(q float64) time.Duration {
	sorted := slices.Sorted(slices.Values(r.took))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// meter charges the CPU of a server's process, and of a PostgreSQL server's if
// there is one (else 0), to the operations.
type meter struct {
	server, postmaster int // process ids
}

// loop times a closed loop of callers.
func (m meter) loop(name string, workers, n int, do func(i int) error) (*result, error) {
	r := &result{name: name, took: make([]time.Duration, n)}
	server, database, err := m.cpuTimes()
	if err != nil {
		return nil, err
	}
	var next atomic.Int64
	errs := make([]error, workers)
	var wg sync.WaitGroup
	began := time.Now()
	for w := range workers {
		wg.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				start := time.Now()
				if err := do(i); err != nil {
					errs[w] = fmt.Errorf("%s: %w", name, err)
					return
				}
				r.took[i] = time.Since(start)
			}
		})
	}
	wg.Wait()
	r.wall = time.Since(began)
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	serverAfter, databaseAfter, err := m.cpuTimes()
	r.serverCPU = ms(serverAfter-server) / float64(n)
	r.databaseCPU = ms(databaseAfter-database) / float64(n)
	return r, err
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
func residentMiB(pid int) float64 {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			kib, _ := strconv.Atoi(strings.Fields(rest)[0])
			return float64(kib) / 1024
		}
	}
	return 0
}
