package requestlog

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"postern.dev/postern"
)

const (
	// ownAMinute and strangersAMinute are how many entries that are alike (of one
	// app, endpoint, outcome and rule) a minute gets; more are counted at the last.
	ownAMinute       = 600
	strangersAMinute = 60
	// mostPending bounds what waits for its batch. Strangers' entries may fill half.
	mostPending = 4096
	// atOnce is how many wait before a batch is written without waiting for its time.
	atOnce = 512
	// mostAlike and mostCounted bound the memory that names which nobody has can take.
	mostAlike   = 16_384
	mostCounted = 16_384
	// flushEvery is how late an entry may be.
	flushEvery = time.Second
)

// Log collects what doors saw. All methods may be called at once; Heard and
// Checked never wait for anything.
type Log struct {
	Store  Store
	Now    func() time.Time
	Log    *slog.Logger
	Bounds Bounds

	checks [16]checks // granted checks, spread so that cores do not meet

	mu      sync.Mutex
	next    uint32 // lower bits of the next ID
	pending []Entry
	counts  map[countKey]*tally
	minute  int64
	alike   map[likeness]*alike
	more    map[entryKey]int

	wakes   chan struct{}
	waking  sync.Once
	dropped atomic.Int64

	flushing sync.Mutex
	unsent   *Batch // what the database could not take yet

	sweeping sync.Mutex
	toured   string // the last app that the tour came to
	written  map[string]int
}

// likeness is what makes entries alike.
type likeness struct {
	app, endpoint string
	outcome       Outcome
	rule          postern.Rule
	proved        bool
}

type alike struct {
	n    int
	last entryKey
}

type entryKey struct {
	app string
	id  int64
}

type countKey struct {
	app      string
	day      int64
	endpoint string
}

type tally struct{ calls, errors, strangers int64 }

// checks counts granted checks by app.
type checks struct {
	mu   sync.RWMutex
	apps map[string]*atomic.Int64
	_    [64]byte
}

// Checked counts a granted check. It allocates nothing for an app that was
// counted before.
func (l *Log) Checked(appID string) {
	s := &l.checks[rand.Uint32()%uint32(len(l.checks))]
	s.mu.RLock()
	if n := s.apps[appID]; n != nil {
		n.Add(1)
		s.mu.RUnlock()
		return
	}
	s.mu.RUnlock()
	s.first(appID)
}

func (s *checks) first(appID string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.apps == nil {
		s.apps = map[string]*atomic.Int64{}
	}
	n := s.apps[appID]
	if n == nil {
		n = new(atomic.Int64)
		s.apps[appID] = n
	}
	n.Add(1)
}

// take empties the counts. A counter that is found at zero has not been needed
// since the last time, and goes.
func (s *checks) take(into func(appID string, n int64)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for app, n := range s.apps {
		if counted := n.Swap(0); counted > 0 {
			into(app, counted)
		} else {
			delete(s.apps, app)
		}
	}
}

// Heard notes a request. Whom it concerns may be a stranger's word: an app that
// does not exist is found out when the batch is written.
func (l *Log) Heard(e Entry) {
	if e.AppID == "" || e.Rule == "unknown_client" {
		return
	}
	now := l.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.count(&e, now)
	if l.Bounds.Most == 0 || e.Endpoint == "check" && e.Outcome == Granted || e.Endpoint == "whoami" && e.Outcome == Granted {
		return
	}
	like := l.likeThis(&e, now)
	if like == nil {
		l.dropped.Add(1)
		return
	}
	most := strangersAMinute
	if e.Proved {
		most = ownAMinute
	}
	if like.n >= most {
		if l.more == nil {
			l.more = map[entryKey]int{}
		}
		l.more[like.last]++
		return
	}
	if len(l.pending) >= mostPending || !e.Proved && len(l.pending) >= mostPending/2 {
		l.dropped.Add(1)
		return
	}
	l.number(&e, now)
	like.n, like.last = like.n+1, entryKey{e.AppID, e.ID}
	l.pending = append(l.pending, e)
	if len(l.pending) == atOnce {
		l.wake()
	}
}

// number gives an entry its place. Entries of one millisecond are told apart by
// a number that begins anywhere, so those of several nodes hardly ever meet.
func (l *Log) number(e *Entry, now time.Time) {
	if l.next == 0 {
		l.next = rand.Uint32()
	}
	l.next++
	if e.At.IsZero() {
		e.At = now
	}
	e.ID = firstID(now) | int64(l.next&(1<<idBits-1))
}

func (l *Log) count(e *Entry, now time.Time) {
	k := countKey{e.AppID, dayOf(now), e.Endpoint}
	n := l.counts[k]
	if n == nil {
		if l.counts == nil {
			l.counts = map[countKey]*tally{}
		}
		if len(l.counts) >= mostCounted && !e.Proved {
			return
		}
		n = &tally{}
		l.counts[k] = n
	}
	if e.strange() {
		n.strangers++
		return
	}
	n.calls++
	if e.Outcome == Refused {
		n.errors++
	}
}

// likeThis counts those that are alike; nil when there is no room to.
func (l *Log) likeThis(e *Entry, now time.Time) *alike {
	if minute := now.Unix() / 60; minute != l.minute || l.alike == nil {
		l.minute, l.alike = minute, map[likeness]*alike{}
	}
	k := likeness{e.AppID, e.Endpoint, e.Outcome, e.Rule, e.Proved}
	like := l.alike[k]
	if like == nil && (len(l.alike) < mostAlike || e.Proved) {
		like = &alike{}
		l.alike[k] = like
	}
	return like
}

func (l *Log) wake() {
	select {
	case l.waker() <- struct{}{}:
	default:
	}
}

func (l *Log) waker() chan struct{} {
	l.waking.Do(func() { l.wakes = make(chan struct{}, 1) })
	return l.wakes
}

// Dropped is how many entries found no room since the start.
func (l *Log) Dropped() int64 { return l.dropped.Load() }

// Run writes batches until ctx ends. What is noted later is for Flush.
func (l *Log) Run(ctx context.Context) {
	tick := time.NewTicker(flushEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-l.waker():
		}
		if err := l.Flush(ctx); err != nil && ctx.Err() == nil {
			l.Log.Warn("the request log could not be written; the next batch takes it along", "error", err)
		}
	}
}

// Flush writes what was noted. What the database cannot take now is kept for the
// next time, and what it cannot take at all is dropped.
func (l *Log) Flush(ctx context.Context) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	if l.unsent != nil {
		if err := l.send(ctx); err != nil {
			return err
		}
	}
	if l.unsent = l.take(); l.unsent == nil {
		return nil
	}
	return l.send(ctx)
}

func (l *Log) send(ctx context.Context) error {
	err := l.Store.SaveRequests(ctx, *l.unsent)
	if postern.Is(err, postern.Unavailable) {
		return err
	}
	if err != nil {
		l.dropped.Add(int64(len(l.unsent.Entries)))
	} else {
		l.wrote(l.unsent.Entries)
	}
	l.unsent = nil
	return err
}

// take empties what was noted; nil: nothing was.
func (l *Log) take() *Batch {
	now := l.Now()
	for i := range l.checks {
		l.checks[i].take(func(appID string, n int64) { l.add(countKey{appID, dayOf(now), "check"}, n) })
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending)+len(l.counts)+len(l.more) == 0 {
		return nil
	}
	b := &Batch{Entries: l.pending}
	for k, n := range l.more {
		b.More = append(b.More, More{k.app, k.id, n})
	}
	for k, n := range l.counts {
		b.Counts = append(b.Counts, Count{k.app, k.day, k.endpoint, n.calls, n.errors, n.strangers})
	}
	l.pending, l.more, l.counts = nil, nil, nil
	return b
}

func (l *Log) add(k countKey, n int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.counts == nil {
		l.counts = map[countKey]*tally{}
	}
	if l.counts[k] == nil {
		l.counts[k] = &tally{}
	}
	l.counts[k].calls += n
}
