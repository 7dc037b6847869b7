package requestlog

import (
	"context"
	"errors"
)

const (
	// pruneAfter is how many new entries of an app make it worth to count them all.
	pruneAfter = 200
	// tourStep is how many apps one sweep looks at for what is too old.
	tourStep = 200
	// countsKept is for how many days calls are counted.
	countsKept = 90
)

// wrote remembers whose entries have become more.
func (l *Log) wrote(entries []Entry) {
	l.sweeping.Lock()
	defer l.sweeping.Unlock()
	if l.written == nil {
		l.written = map[string]int{}
	}
	for i := range entries {
		l.written[entries[i].AppID]++
	}
}

// Sweep removes what is over a bound, in batches of limit, and gives the size of
// the largest: of apps that had many new entries what is too many, and of all
// apps, some at a time, what is too old.
func (l *Log) Sweep(ctx context.Context, limit int) (int, error) {
	l.sweeping.Lock()
	defer l.sweeping.Unlock()
	most, err := l.pruneMany(ctx, limit)
	if err != nil {
		return most, err
	}
	n, err := l.tour(ctx, limit)
	return max(most, n), err
}

func (l *Log) pruneMany(ctx context.Context, limit int) (most int, err error) {
	for app, n := range l.written {
		if n < pruneAfter {
			continue
		}
		removed, err := l.Store.PruneRequests(ctx, app, 0, l.Bounds.own(), l.Bounds.strangers(), limit)
		if err != nil {
			return most, err
		}
		most = max(most, removed)
		if removed < limit {
			delete(l.written, app)
		}
	}
	return most, nil
}

// tour looks at the next few apps, and begins anew after the last.
func (l *Log) tour(ctx context.Context, limit int) (most int, err error) {
	apps, err := l.Store.LoggedApps(ctx, l.toured, tourStep)
	if err != nil {
		return 0, err
	}
	now := l.Now()
	for _, app := range apps {
		n, prune := l.Store.PruneRequests(ctx, app, firstID(now.Add(-l.Bounds.History)), 0, 0, limit)
		err := errors.Join(prune, l.Store.PruneCounts(ctx, app, dayOf(now)-countsKept))
		if err != nil {
			return most, err
		}
		if n >= limit { // come again for the rest
			return n, nil
		}
		most, l.toured = max(most, n), app
	}
	if len(apps) < tourStep {
		l.toured = ""
	}
	return most, nil
}
