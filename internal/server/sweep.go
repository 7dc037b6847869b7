package server

import (
	"context"
	"log/slog"
	"time"
)

// A room's sweep removes what has expired, one small batch, and gives the
// largest number of rows of one kind that it removed.
type sweep struct {
	name  string
	batch int
	run   func(context.Context) (int, error)
}

const (
	sweepEvery = 30 * time.Second
	// followEvery is how often a node looks for changes that other nodes made, if
	// nobody knocks.
	followEvery = 150 * time.Millisecond
	// noteEvery is how late a first use may be noticed.
	noteEvery = 2 * time.Second
	// tidyEvery is how often a 64th of the memory of tokens is looked through: what
	// was not used for eleven minutes goes, or twice that.
	tidyEvery  = 10 * time.Second
	sweepBatch = 500
	// outagesAtOnce bounds what is read of them at a time.
	outagesAtOnce = 50
	// sweepPause lets the traffic pass between two batches.
	sweepPause = 50 * time.Millisecond
)

// sweeper has every room remove what has expired (rule 12), in small batches
// beside the traffic, until its context ends. Several nodes may do so at once.
func sweeper(ctx context.Context, sweeps []sweep, every time.Duration, log *slog.Logger) {
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		for _, s := range sweeps {
			if ctx.Err() != nil { // both may have been ready
				return
			}
			if err := s.all(ctx); err != nil && ctx.Err() == nil {
				log.Warn("a sweep failed; the next one goes on with it", "of", s.name, "error", err)
			}
		}
	}
}

// all sweeps until a batch is not full.
func (s sweep) all(ctx context.Context) error {
	for {
		n, err := s.run(ctx)
		if err != nil || n < s.batch {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(sweepPause):
		}
	}
}
