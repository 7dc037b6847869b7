package requestlog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
)

// rows keep what is written, as the store does.
type rows struct {
	mu        sync.Mutex
	entries   []Entry
	more      map[int64]int
	calls     map[string]int64
	errors    map[string]int64
	strangers map[string]int64
	batches   int
	fails     error
	pruned    []string
	logged    []string
}

func (r *rows) SaveRequests(_ context.Context, b Batch) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.fails != nil {
		return r.fails
	}
	r.batches++
	r.entries = append(r.entries, b.Entries...)
	for _, m := range b.More {
		r.more[m.ID] += m.N
	}
	for _, c := range b.Counts {
		r.calls[c.AppID+" "+c.Endpoint] += c.Calls
		r.errors[c.AppID+" "+c.Endpoint] += c.Errors
		r.strangers[c.AppID+" "+c.Endpoint] += c.Strangers
	}
	return nil
}

func (r *rows) Requests(context.Context, string, Filter, int) ([]Entry, error) {
	list := slices.Clone(r.entries)
	slices.Reverse(list)
	return list, nil
}

func (r *rows) Request(context.Context, string, int64) (*Entry, error) {
	return nil, postern.Errorf(postern.NotFound, "no")
}

func (r *rows) LastOfConnections(context.Context, string, string, []string) (map[string]Entry, error) {
	return nil, nil
}

func (r *rows) Counts(_ context.Context, app string, from int64) ([]Count, error) {
	return []Count{{app, from, "token", 3, 1, 2}, {app, from, "check", 4, 0, 1}, {app, from + 2, "check", 5, 5, 0}}, nil
}

func (r *rows) PruneRequests(_ context.Context, app string, below int64, own, strangers, limit int) (int, error) {
	r.pruned = append(r.pruned, fmt.Sprintf("%s %t %d %d", app, below > 0, own, strangers))
	return 0, nil
}

func (r *rows) PruneCounts(context.Context, string, int64) error { return nil }

func (r *rows) LoggedApps(_ context.Context, after string, limit int) (list []string, _ error) {
	for _, app := range r.logged {
		if app > after && len(list) < limit {
			list = append(list, app)
		}
	}
	return list, nil
}

func newLog() (*Log, *rows, *time.Time) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	r := &rows{more: map[int64]int{}, calls: map[string]int64{}, errors: map[string]int64{}, strangers: map[string]int64{}}
	return &Log{Store: r, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler),
		Bounds: Bounds{Most: 10_000, History: 7 * day}}, r, &now
}

func flush(t *testing.T, l *Log) {
	t.Helper()
	if err := l.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestRequestsBecomeEntriesInOrderAndCalls(t *testing.T) {
	l, r, now := newLog()
	l.Heard(Entry{AppID: "a", Endpoint: "token", Outcome: Granted, Proved: true})
	*now = now.Add(time.Millisecond)
	l.Heard(Entry{AppID: "a", Endpoint: "token", Outcome: Refused, Rule: "code_expired", Proved: true})
	l.Heard(Entry{AppID: "", Endpoint: "token", Outcome: Refused})
	l.Heard(Entry{AppID: "nobody", Endpoint: "token", Outcome: Refused, Rule: "unknown_client"})
	l.Heard(Entry{AppID: "a", Endpoint: "whoami", Outcome: Granted, Proved: true})
	for range 1000 {
		l.Checked("a")
	}
	l.Checked("b")
	flush(t, l)
	if len(r.entries) != 2 || r.entries[0].ID >= r.entries[1].ID || r.entries[1].ID>>idBits != now.UnixMilli() {
		t.Fatalf("entries %+v", r.entries)
	}
	for key, want := range map[string][2]int64{"a token": {2, 1}, "a whoami": {1, 0}, "a check": {1000, 0}, "b check": {1, 0}} {
		if got := [2]int64{r.calls[key], r.errors[key]}; got != want {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
	if len(r.calls) != 4 {
		t.Errorf("counted for nobody: %v", r.calls)
	}
	flush(t, l)
	if r.batches != 1 {
		t.Error("nothing new was written as a batch")
	}
}

// Who knows a client_id can have requests refused in the app's name. They are
// counted, and neither as its calls nor as its errors; who shows a token that the
// app was given is not one of them.
func TestStrangersAddNothingToAnAppsErrors(t *testing.T) {
	l, r, _ := newLog()
	for range 1000 {
		l.Heard(Entry{AppID: "a", Endpoint: "token", Outcome: Refused, Rule: "wrong_client_secret"})
		l.Heard(Entry{AppID: "a", Endpoint: "authorize", Outcome: Refused, Rule: "redirect_url_differs"})
	}
	l.Heard(Entry{AppID: "a", Endpoint: "authorize", Outcome: Granted})
	l.Heard(Entry{AppID: "a", Endpoint: "token", Outcome: Refused, Rule: "code_expired", Proved: true})
	l.Heard(Entry{AppID: "a", Endpoint: "check", Outcome: Refused, Rule: "token_expired", ConnectionID: "con"})
	flush(t, l)
	for key, want := range map[string][3]int64{"a token": {1, 1, 1000}, "a authorize": {1, 0, 1000}, "a check": {1, 1, 0}} {
		if got := [3]int64{r.calls[key], r.errors[key], r.strangers[key]}; got != want {
			t.Errorf("%s: %v, want %v", key, got, want)
		}
	}
}

func TestThoseThatAreAlikeAreCountedAtTheLast(t *testing.T) {
	l, r, now := newLog()
	nonsense := Entry{AppID: "a", Endpoint: "token", Outcome: Refused, Rule: "wrong_client_secret"}
	for range strangersAMinute + 812 {
		l.Heard(nonsense)
	}
	for range ownAMinute + 5 {
		l.Heard(Entry{AppID: "a", Endpoint: "token", Outcome: Granted, Proved: true})
	}
	flush(t, l)
	if len(r.entries) != strangersAMinute+ownAMinute {
		t.Fatalf("%d entries", len(r.entries))
	}
	if n := r.more[r.entries[strangersAMinute-1].ID]; n != 812 {
		t.Errorf("the last stranger's entry counts %d more", n)
	}
	if n := r.more[r.entries[len(r.entries)-1].ID]; n != 5 {
		t.Errorf("the last own entry counts %d more", n)
	}
	*now = now.Add(time.Minute)
	l.Heard(nonsense)
	flush(t, l)
	if len(r.entries) != strangersAMinute+ownAMinute+1 {
		t.Error("the next minute begins full")
	}
}

func TestStrangersLeaveRoomInTheBuffer(t *testing.T) {
	l, r, _ := newLog()
	for i := range 2 * mostPending {
		l.Heard(Entry{AppID: fmt.Sprint("app", i), Endpoint: "token", Outcome: Refused, Rule: "parameter_missing"})
	}
	l.Heard(Entry{AppID: "true", Endpoint: "token", Outcome: Granted, Proved: true})
	flush(t, l)
	if n := len(r.entries); n != mostPending/2+1 || r.entries[n-1].AppID != "true" {
		t.Errorf("%d entries, the last of %s", n, r.entries[n-1].AppID)
	}
	if l.Dropped() != 2*mostPending-mostPending/2 {
		t.Errorf("%d dropped", l.Dropped())
	}
}

func TestAnAwayDatabaseLosesNothingAndABrokenBatchIsNotTriedForEver(t *testing.T) {
	l, r, _ := newLog()
	r.fails = postern.Wrap(postern.Unavailable, errors.New("away"))
	l.Heard(Entry{AppID: "a", Endpoint: "token", Outcome: Granted, Proved: true})
	if l.Flush(t.Context()) == nil {
		t.Fatal("it was written")
	}
	l.Heard(Entry{AppID: "a", Endpoint: "revoke", Outcome: Granted, Proved: true})
	r.fails = nil
	flush(t, l)
	if len(r.entries) != 2 || r.calls["a token"] != 1 {
		t.Fatalf("entries %+v, calls %v", r.entries, r.calls)
	}
	r.fails = postern.Wrap(postern.ServerError, errors.New("no such table"))
	l.Heard(Entry{AppID: "a", Endpoint: "token", Outcome: Granted, Proved: true})
	if l.Flush(t.Context()) == nil || l.Dropped() != 1 {
		t.Error("nobody was told")
	}
	r.fails = nil
	flush(t, l)
	if len(r.entries) != 2 {
		t.Error("the broken batch came again")
	}
}

func TestWithoutRoomCallsAreOnlyCounted(t *testing.T) {
	l, r, _ := newLog()
	l.Bounds.Most = 0
	l.Heard(Entry{AppID: "a", Endpoint: "token", Outcome: Granted, Proved: true})
	flush(t, l)
	if len(r.entries) != 0 || r.calls["a token"] != 1 {
		t.Errorf("entries %v, calls %v", r.entries, r.calls)
	}
}

func TestUsageHasDaysWithoutCalls(t *testing.T) {
	l, _, _ := newLog()
	days, err := l.Usage(t.Context(), "a", 4)
	if err != nil || len(days) != 4 {
		t.Fatal(days, err)
	}
	for i, want := range []Day{{Calls: 7, Errors: 1, Strangers: 3}, {}, {Calls: 5, Errors: 5}, {}} {
		want.Date = time.Date(2026, 11, 21+i, 0, 0, 0, 0, time.UTC)
		if days[i] != want {
			t.Errorf("day %d: %+v, want %+v", i, days[i], want)
		}
	}
}

func TestSweepingLooksAtBusyAppsAndToursTheRest(t *testing.T) {
	l, r, _ := newLog()
	r.logged = []string{"a", "b"}
	for range pruneAfter {
		l.Heard(Entry{AppID: "a", Endpoint: "token", Outcome: Granted, Proved: true})
	}
	l.Heard(Entry{AppID: "b", Endpoint: "token", Outcome: Granted, Proved: true})
	flush(t, l)
	for range 2 {
		if _, err := l.Sweep(t.Context(), 500); err != nil {
			t.Fatal(err)
		}
	}
	want := []string{"a false 8000 2000", "a true 0 0", "b true 0 0", "a true 0 0", "b true 0 0"}
	if !slices.Equal(r.pruned, want) {
		t.Errorf("pruned %q, want %q", r.pruned, want)
	}
}

func TestAGrantedCheckAllocatesNothing(t *testing.T) {
	l, _, _ := newLog()
	for range 200 {
		l.Checked("a")
	}
	if n := testing.AllocsPerRun(1000, func() { l.Checked("a") }); n > 0 {
		t.Errorf("%v allocations", n)
	}
}

func BenchmarkChecked(b *testing.B) {
	l, _, _ := newLog()
	b.ReportAllocs()
	for b.Loop() {
		l.Checked("a")
	}
}

func BenchmarkHeard(b *testing.B) {
	l, _, _ := newLog()
	b.ReportAllocs()
	for b.Loop() {
		l.Heard(Entry{AppID: "a", Endpoint: "token", Outcome: Granted, Proved: true})
	}
}

func TestManyAtOnceAreAllCounted(t *testing.T) {
	l, r, _ := newLog()
	const callers, each = 8, 200
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for range each {
				l.Checked("a")
				l.Heard(Entry{AppID: "a", Endpoint: "token", Outcome: Granted, Proved: true})
			}
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	running := make(chan struct{})
	go func() { defer close(running); l.Run(ctx) }()
	all.Wait()
	stop()
	<-running
	flush(t, l)
	more := 0
	for _, n := range r.more {
		more += n
	}
	if r.calls["a check"] != callers*each || r.calls["a token"] != callers*each || len(r.entries)+more != callers*each {
		t.Errorf("%v calls, %d entries and %d more", r.calls, len(r.entries), more)
	}
	ids := map[int64]bool{}
	for _, e := range r.entries {
		ids[e.ID] = true
	}
	if len(ids) != len(r.entries) {
		t.Errorf("%d ids of %d entries", len(ids), len(r.entries))
	}
}
