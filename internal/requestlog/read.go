package requestlog

import (
	"context"
	"time"
)

// mostListed bounds a page of the list.
const mostListed = 200

// List gives entries of an app, the latest first. An entry is there a second
// after its request.
func (l *Log) List(ctx context.Context, appID string, f Filter, limit int) ([]Entry, error) {
	list, err := l.Store.Requests(ctx, appID, f, min(max(limit, 1), mostListed))
	if err != nil {
		return nil, err
	}
	oldest := firstID(l.Now().Add(-l.Bounds.History))
	for i := range list {
		if list[i].ID < oldest { // to be swept
			return list[:i], nil
		}
	}
	return list, nil
}

// One reads an entry of an app; NotFound.
func (l *Log) One(ctx context.Context, appID string, id int64) (*Entry, error) {
	return l.Store.Request(ctx, appID, id)
}

// LastRefreshes are the latest refresh of each of these connections of an app, as
// far as the log reaches.
func (l *Log) LastRefreshes(ctx context.Context, appID string, connections []string) (map[string]Entry, error) {
	return l.Store.LastOfConnections(ctx, appID, "refresh", connections)
}

// Usage counts an app's calls, the refused ones among them, and what strangers may
// have had refused in its name, for each of the last days, today's last; days
// without any are there, too.
func (l *Log) Usage(ctx context.Context, appID string, days int) ([]Day, error) {
	days = min(max(days, 1), countsKept)
	today := dayOf(l.Now())
	first := today - int64(days) + 1
	counts, err := l.Store.Counts(ctx, appID, first)
	if err != nil {
		return nil, err
	}
	list := make([]Day, days)
	for i := range list {
		list[i].Date = time.Unix((first+int64(i))*int64(day/time.Second), 0).UTC()
	}
	for _, c := range counts {
		if i := c.Day - first; i >= 0 && i < int64(days) {
			list[i].Calls += c.Calls
			list[i].Errors += c.Errors
			list[i].Strangers += c.Strangers
		}
	}
	return list, nil
}
