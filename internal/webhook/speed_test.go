package webhook_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"sync"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest/receiver"
	"postern.dev/postern/internal/webhook"
)

// flood writes n events, spread over connections, in few statements.
func (w *world) flood(app string, connections, n int) {
	w.Helper()
	numbers := `WITH RECURSIVE k(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM k WHERE i < $1) `
	w.run(`INSERT INTO connections (id, number, app_id, account_id, user_id, scopes, created_at, created_by, sequence) `+
		numbers+`SELECT '`+app+`_' || i, i + $3, $2, 'acme', '`+app+`' || i, '', 1, 'ada', 0 FROM k`, connections, app, 1_000_000*len(app)+w.next(connections))
	w.run(`INSERT INTO events (id, type, app_id, connection_id, sequence, account_id, at) `+
		numbers+`SELECT 'evt_`+app+`_' || i, 'connection.updated', $2, '`+app+`_' || (i % $3 + 1), i / $3 + 1, 'acme', CAST($4 AS BIGINT) + i FROM k`,
		n, app, connections, w.clock.Now().UnixMilli())
}

func (w *world) next(n int) int {
	w.events += n
	return w.events
}

// It tells how fast; that is no reason to fail, since other tests share the machine.
func TestThousandsOfDeliveriesArriveOnceEach(t *testing.T) {
	everywhere(t, func(w *world) {
		const n = 3000
		r := receiver.New(w, nil)
		for a := range 4 {
			app := fmt.Sprintf("app%d", a)
			w.app(app, "plain", "account", r.URL)
			w.flood(app, 200, n/4)
		}
		began := time.Now()
		w.start()
		w.waitFor("all arrived", func() bool { return len(r.All()) >= n })
		took := time.Since(began)
		w.Logf("%.0f deliveries/s", n/took.Seconds())
		if ids := r.IDs(); len(slices.Compact(slices.Sorted(slices.Values(ids)))) != len(ids) {
			w.Error("an event was sent twice without a fault")
		}
	})
}

// Who takes connections and never answers gets few of them, however much waits.
func TestSilentEndpointsHoldFewConnectionsHoweverManyEventsWait(t *testing.T) {
	everywhere(t, func(w *world) {
		const silent, each = 30, 2
		var mu sync.Mutex
		taken := map[string]int{}
		s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			mu.Lock()
			taken[r.URL.Path]++
			mu.Unlock()
			io.Copy(io.Discard, r.Body) // until then it is not heard that the client has left
			<-r.Context().Done()
		}))
		for i := range silent {
			app := fmt.Sprintf("silent%d", i)
			w.app(app, "plain", "account", s.URL+"/"+app)
			w.flood(app, 20, 40)
		}
		w.start()
		w.Cleanup(func() { s.CloseClientConnections(); s.Close() })
		total := func() (n int) {
			mu.Lock()
			defer mu.Unlock()
			for _, of := range taken {
				n += of
			}
			return n
		}
		w.waitFor("all are asked", func() bool { return total() >= silent*each })
		r := receiver.New(w, nil) // while this one gets hundreds
		w.app("well", "plain", "account", r.URL)
		w.flood("well", 50, 300)
		r.Wait(w, 300)
		if n := total(); n != silent*each {
			w.Errorf("%d silent endpoints hold %d connections, not %d", silent, n, silent*each)
		}
	})
}

// WH-17, I-55: dead and silent endpoints with backlogs do not delay a healthy one.
func TestI55_DeadEndpointsDelayNobody(t *testing.T) {
	everywhere(t, func(w *world) {
		silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
		if err != nil {
			w.Fatal(err)
		}
		w.Cleanup(func() { silent.Close() })
		const dead = 200
		for i := range dead {
			app, url := fmt.Sprintf("silent%d", i), "http://"+silent.Addr().String()
			if i%2 == 0 {
				app, url = fmt.Sprintf("dead%d", i), "http://127.0.0.1:1/" // refuses
			}
			w.app(app, "plain", "account", url)
			w.flood(app, 10, 20)
		}
		w.start()
		w.waitFor("the backlogs are being tried", func() bool {
			return w.value(`SELECT CASE WHEN count(*) >= 100 THEN 1 ELSE 0 END FROM deliveries WHERE attempts > 0`) == "1"
		})
		r := receiver.New(w, nil)
		w.app("well", "plain", "account", r.URL)
		w.flood("well", 50, 200)
		began := time.Now()
		got := r.Wait(w, 200)
		last := got[len(got)-1].At.Sub(began)
		w.Logf("200 events beside %d dead endpoints: the last after %s", dead, last)
		// A silent endpoint holds its attempt for 15 s. That none has let go yet shows
		// that the healthy one waited for nobody.
		if ended := w.value(`SELECT count(*) FROM deliveries WHERE app_id LIKE 'silent%' AND attempts > 0`); ended != "0" {
			w.Errorf("%s attempts at silent endpoints ended before the healthy one had its events, the last after %s", ended, last)
		}
	})
}

// From commit to arrival, at a pace at which nothing queues.
func TestEveryEventArrivesAtAPaceAtWhichNothingQueues(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		w.app("x", "plain", "account", r.URL)
		w.start()
		const n = 100
		written := map[string]time.Time{}
		for i := range n {
			connection := fmt.Sprintf("con_%d", i)
			w.connection(connection, "x", "acme", connection, "")
			id := w.event(connection, "connection.created", "")
			written[id] = time.Now()
			time.Sleep(10 * time.Millisecond)
		}
		var late []time.Duration
		for _, m := range r.Wait(w, n) {
			late = append(late, m.At.Sub(written[m.ID()]))
		}
		slices.Sort(late)
		w.Logf("p50 %s, p99 %s", late[n/2], late[n*99/100])
	})
}

func TestHistoryIsPrunedByAge(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		w.app("x", "plain", "account", r.URL)
		w.flood("x", 5, 50)
		stop := w.start()
		r.Wait(w, 50)
		w.waitFor("all are recorded", func() bool { return w.value(`SELECT count(*) FROM deliveries WHERE done_at > 0`) == "50" })
		stop()
		r.Says(receiver.Status(http.StatusInternalServerError))
		open := w.event("x_1", "connection.deleted", "app")
		if _, err := w.db.FanOut(w.ctx, w.clock.Now(), 10); err != nil {
			w.Fatal(err)
		}
		for _, c := range []struct {
			after time.Duration
			left  string
		}{{29 * 24 * time.Hour, "51"}, {2 * 24 * time.Hour, "1"}} {
			w.clock.Advance(c.after)
			for {
				n, err := w.rules.Sweep(w.ctx, 20)
				if err != nil {
					w.Fatal(err)
				}
				if n < 20 {
					break
				}
			}
			for _, table := range []string{"deliveries", "events"} {
				if got := w.value(`SELECT count(*) FROM ` + table); got != c.left {
					w.Errorf("after %s: %s %s, not %s", c.after, got, table, c.left)
				}
			}
		}
		if w.state(open) != string(webhook.Open) {
			w.Error("what waits was pruned")
		}
		if w.value(`SELECT count(*) FROM attempts`) != "0" {
			w.Error("attempts were left")
		}
	})
}
