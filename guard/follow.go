package guard

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// bound is how old the knowledge behind a yes may be.
	bound = time.Second
	// mostStale bounds what is kept of changes; beyond it all answers are forgotten.
	mostStale = 50_000
	// longestEvent is more than 500 changes take.
	longestEvent = 1 << 20
)

// follow keeps the change stream open until ctx ends.
func (g *Guard) follow(ctx context.Context) {
	defer close(g.done)
	for wait := 50 * time.Millisecond; ctx.Err() == nil; {
		began := time.Now()
		if err := g.stream(ctx); err != nil && ctx.Err() == nil {
			g.o.Log.Warn("the guard does not follow Postern's changes; calls are asked about one by one", "error", err)
		}
		if time.Since(began) > 5*time.Second {
			wait = 50 * time.Millisecond
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
		wait = min(2*wait, 2*time.Second)
	}
}

func (g *Guard) stream(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// A half-open connection is silent for ever; a beat comes four times a second.
	silence := time.AfterFunc(5*time.Second, cancel)
	defer silence.Stop()

	if g.o.Routes {
		if err := g.fetchRoutes(ctx); err != nil {
			return err
		}
		silence.Reset(5 * time.Second)
	}
	address := g.o.URL + "/changes"
	if g.latest > 0 {
		address += "?after=" + strconv.FormatInt(g.latest, 10)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	req.SetBasicAuth(g.o.ID, g.o.Secret)
	client := *g.o.Client
	client.Timeout = 0 // the stream has no end
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return errors.New("guard: the change stream answers " + resp.Status)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, longestEvent)
	for lines.Scan() {
		text, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		silence.Reset(5 * time.Second)
		var m moment
		if err := json.Unmarshal([]byte(text), &m); err != nil {
			return err
		}
		g.take(&m, time.Now())
	}
	return lines.Err()
}

// moment is one event of the stream.
type moment struct {
	Seq     int64 `json:"seq"`
	AgeMS   int64 `json:"age_ms"`
	Changes []struct {
		Seq  int64  `json:"seq"`
		Kind string `json:"kind"`
		Key  string `json:"key"`
	} `json:"changes"`
	Lost bool `json:"lost"`
}

// take forgets what has changed, and trusts the rest for as long as the news
// are fresh.
func (g *Guard) take(m *moment, now time.Time) {
	g.mu.Lock()
	forget := m.Lost || g.latest == 0 || len(g.stale)+len(m.Changes) > mostStale
	for _, c := range m.Changes {
		forget = forget || c.Kind == "all"
		g.stale[c.Kind+":"+c.Key] = c.Seq
	}
	if forget {
		clear(g.seen)
		clear(g.stale)
		g.floor = m.Seq
	}
	g.latest = m.Seq
	g.mu.Unlock()
	if age := time.Duration(m.AgeMS) * time.Millisecond; age >= 0 && age < bound {
		g.heard.Store(now.Add(bound - age).UnixNano())
	}
}
