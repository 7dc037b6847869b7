package webhook_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/posterntest/receiver"
	"postern.dev/postern/internal/webhook"
)

func TestAConnectionsLifeReachesTheApp(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		secret := w.app("x", "xref", "account", r.URL+"/hook")
		w.connection("con_1", "x", "acme", "", "")
		created := w.event("con_1", postern.ConnectionCreated, "")
		deleted := w.event("con_1", postern.ConnectionDeleted, "app")
		w.start()
		w.becomes(deleted, webhook.Delivered)
		got := r.All()
		if len(got) != 2 || got[0].ID() != created || got[1].ID() != deleted {
			t.Fatalf("got %v", r.IDs())
		}
		for _, m := range got {
			if !m.Verified(w, secret) {
				w.Errorf("the signature of %s does not verify", m.ID())
			}
		}
		wire := w.value(`SELECT wire_id FROM account_ids WHERE dialect = 'xref' AND account_id = 'acme'`)
		body := string(got[1].Body)
		if !strings.HasPrefix(body, `{"type":"connection.deleted","timestamp":"`) ||
			!strings.HasSuffix(body, `","data":{"connection_id":"con_1","sequence":2,"account_id":"acme","xref_account_id":"`+wire+`","reason":"app"}}`) {
			w.Errorf("body %s", body)
		}
		if got[0].Header.Get("Content-Type") != "application/json" {
			w.Errorf("%v", got[0].Header)
		}
	})
}

func TestAUserLevelMessageNamesTheUser(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		w.app("x", "plain", "user", r.URL)
		w.connection("con_1", "x", "acme", "ada", "")
		w.start()
		w.becomes(w.event("con_1", postern.ConnectionCreated, ""), webhook.Delivered)
		_, d := r.All()[0].Data()
		if d["user"] != "ada" || d["user_id"] != "ada" || d["sequence"] != 1.0 {
			w.Errorf("%s", r.All()[0].Body)
		}
	})
}

// TestI50_TenAttemptsOverThreeDaysThenParked moves the clock and restarts the
// node, twice after each attempt, as WH-19 does.
func TestI50_TenAttemptsOverThreeDaysThenParked(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, receiver.Status(500))
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		id := w.event("con_1", postern.ConnectionCreated, "")
		began := w.clock.Now()
		stop := w.start()
		var gaps []time.Duration
		for n := 1; ; n++ {
			w.waitFor("another attempt", func() bool {
				return w.value(`SELECT COALESCE(MAX(attempts), 0) FROM deliveries WHERE event_id = $1`, id) == fmt.Sprint(n)
			})
			if w.state(id) == "parked" {
				break
			}
			var due int64
			if err := w.sql.QueryRow(`SELECT due_at FROM deliveries WHERE event_id = $1`, id).Scan(&due); err != nil {
				w.Fatal(err)
			}
			gaps = append(gaps, time.UnixMilli(due).Sub(w.clock.Now()))
			for range 2 {
				stop()
				stop = w.start()
			}
			w.clock.Advance(gaps[len(gaps)-1])
		}
		n, lasted := len(r.All()), w.clock.Now().Sub(began)
		if n < 8 || lasted < 72*time.Hour || gaps[0] > 30*time.Second || !slices.IsSorted(gaps) {
			w.Errorf("%d attempts in %s, gaps %v", n, lasted, gaps)
		}
		if ids := slices.Compact(r.IDs()); len(ids) != 1 || ids[0] != id {
			w.Errorf("the id changed: %v", ids)
		}
		// Replayed, it arrives with the same id.
		r.Says(nil)
		if n, err := w.rules.Replay(w.ctx, webhook.Filter{AppID: "x", State: webhook.Parked}, "operator"); n != 1 || err != nil {
			w.Fatalf("%d, %v", n, err)
		}
		w.becomes(id, webhook.Delivered)
	})
}

func TestALaterEventWaitsForAnEarlierOne(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		r.Says(func(rw http.ResponseWriter, req *http.Request) {
			if strings.Contains(req.Header.Get("Webhook-Id"), "con_1") {
				rw.WriteHeader(500)
			}
		})
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.connection("con_2", "x", "globex", "", "")
		w.start()
		first := w.event("con_1", postern.ConnectionCreated, "")
		second := w.event("con_1", postern.ConnectionDeleted, "app")
		other := w.event("con_2", postern.ConnectionCreated, "")
		w.becomes(other, webhook.Delivered)
		if slices.Contains(r.IDs(), second) {
			w.Error("the second event of a connection overtook the first")
		}
		r.Says(nil)
		w.waitFor("the first failed", func() bool { return w.value(`SELECT attempts FROM deliveries WHERE event_id = $1`, first) == "1" })
		w.clock.Advance(30 * time.Second)
		w.becomes(second, webhook.Delivered)
		ids := slices.DeleteFunc(r.IDs(), func(id string) bool { return id == other })
		if !slices.Equal(ids, []string{first, first, second}) {
			w.Errorf("%v", ids)
		}
	})
}

func TestOrderCanBeGivenUp(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		if err := w.rules.Order(w.ctx, "x", false, "operator"); err != nil {
			w.Fatal(err)
		}
		first := w.event("con_1", postern.ConnectionCreated, "")
		r.Says(func(rw http.ResponseWriter, req *http.Request) {
			if req.Header.Get("Webhook-Id") == first {
				rw.WriteHeader(500)
			}
		})
		second := w.event("con_1", postern.ConnectionDeleted, "app")
		w.start()
		w.becomes(second, webhook.Delivered)
		if w.state(first) != "open" {
			w.Errorf("the first is %s", w.state(first))
		}
	})
}

func TestWH18_GoneSwitchesTheEndpointOff(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, receiver.Status(410))
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.connection("con_2", "x", "globex", "", "")
		w.start()
		w.becomes(w.event("con_1", postern.ConnectionCreated, ""), webhook.Parked)
		late := w.event("con_2", postern.ConnectionCreated, "")
		w.becomes(late, webhook.Parked)
		e, err := w.rules.Endpoint(w.ctx, "x")
		if err != nil || e.Status() != "disabled" || len(r.All()) != 1 {
			w.Errorf("%v, %v, %d requests", e.Status(), err, len(r.All()))
		}
		// Another URL is another endpoint.
		other := receiver.New(w, nil)
		w.run(`UPDATE apps SET webhook_url = $1 WHERE id = 'x'`, other.URL)
		w.becomes(w.event("con_2", postern.ConnectionDeleted, "app"), webhook.Delivered)
		// Sent again, it is tried again.
		if n, err := w.rules.Replay(w.ctx, webhook.Filter{AppID: "x", EventID: late}, "operator"); n != 1 || err != nil {
			w.Fatal(n, err)
		}
		w.becomes(late, webhook.Delivered)
	})
}

func TestWH18_RetryAfterIsHonoured(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		w.app("x", "plain", "account", r.URL)
		w.start()
		for i, c := range []struct {
			header      string
			least, most time.Duration
		}{
			{"120", 120 * time.Second, 121 * time.Second},
			{"1000000000000", 24*time.Hour - time.Second, 24*time.Hour + time.Second},
			{"Fri, 01 Jan 2199 00:00:00 GMT", 24*time.Hour - time.Second, 24*time.Hour + time.Second},
			{"-5", 10 * time.Second, 30 * time.Second},
			{"soon", 10 * time.Second, 30 * time.Second},
		} {
			r.Says(func(rw http.ResponseWriter, _ *http.Request) {
				rw.Header().Set("Retry-After", c.header)
				rw.WriteHeader(429)
			})
			connection := fmt.Sprintf("con_%d", i)
			w.connection(connection, "x", "acme", connection, "")
			id := w.event(connection, postern.ConnectionCreated, "")
			w.waitFor("an attempt", func() bool {
				return w.state(id) != "" && w.value(`SELECT attempts FROM deliveries WHERE event_id = $1`, id) == "1"
			})
			var due int64
			if err := w.sql.QueryRow(`SELECT due_at FROM deliveries WHERE event_id = $1`, id).Scan(&due); err != nil {
				w.Fatal(err)
			}
			if gap := time.UnixMilli(due).Sub(w.clock.Now()); gap < c.least || gap > c.most {
				w.Errorf("Retry-After: %s gives %s", c.header, gap)
			}
		}
	})
}

func TestWH22_PendingEventsGoToTheNewURLOnly(t *testing.T) {
	everywhere(t, func(w *world) {
		old, new := receiver.New(w, receiver.Status(503)), receiver.New(w, nil)
		w.app("x", "plain", "account", old.URL)
		w.start()
		var last string
		for i := range 10 {
			id := fmt.Sprintf("con_%d", i)
			w.connection(id, "x", "acme", id, "")
			last = w.event(id, postern.ConnectionCreated, "")
		}
		w.waitFor("all were tried", func() bool {
			return w.value(`SELECT count(*) FROM deliveries WHERE attempts > 0 AND done_at = 0`) >= "1"
		})
		w.run(`UPDATE apps SET webhook_url = $1 WHERE id = 'x'`, new.URL)
		time.Sleep(2500 * time.Millisecond) // what was known of the endpoint is forgotten by now
		before := len(old.All())
		w.clock.Advance(time.Hour)
		w.becomes(last, webhook.Delivered)
		w.waitFor("all arrived", func() bool { return len(new.All()) == 10 })
		if len(old.All()) != before {
			w.Errorf("the old URL got %d more", len(old.All())-before)
		}
	})
}

func TestWH16_TheEventsOfOneAppReachNoOther(t *testing.T) {
	everywhere(t, func(w *world) {
		receivers := map[string]*receiver.Receiver{}
		secrets := map[string]string{}
		for _, app := range []string{"a1", "b1"} {
			receivers[app] = receiver.New(w, nil)
			secrets[app] = w.app(app, "plain", "account", receivers[app].URL)
			w.connection("con_"+app, app, "acme", "", "")
		}
		w.start()
		for range 5 {
			w.event("con_a1", postern.ConnectionUpdated, "")
			w.event("con_b1", postern.ConnectionUpdated, "")
		}
		for app, r := range receivers {
			w.waitFor("all arrived", func() bool { return len(r.All()) == 5 })
			for _, m := range r.All() {
				if !strings.Contains(m.ID(), app) || !m.Verified(w, secrets[app]) {
					w.Errorf("%s got %s", app, m.ID())
				}
			}
		}
		if secrets["a1"] == secrets["b1"] {
			w.Error("two apps have one key")
		}
	})
}

func TestARemovedEndpointGetsNothing(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, receiver.Status(500))
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.start()
		id := w.event("con_1", postern.ConnectionCreated, "")
		w.waitFor("an attempt", func() bool { return len(r.All()) == 1 })
		w.run(`UPDATE apps SET webhook_url = '' WHERE id = 'x'`)
		w.waitFor("it is recorded", func() bool { return w.value(`SELECT attempts FROM deliveries`) == "1" })
		time.Sleep(1200 * time.Millisecond)
		w.clock.Advance(time.Minute)
		w.becomes(id, webhook.Kept)
		if len(r.All()) != 1 {
			w.Errorf("%d requests", len(r.All()))
		}
	})
}

func TestAKilledNodesEndpointsAreTakenOver(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		id := w.event("con_1", postern.ConnectionCreated, "")
		// A node that took the endpoint up and died.
		if n, err := w.db.FanOut(w.ctx, w.clock.Now(), 10); n != 1 || err != nil {
			w.Fatal(n, err)
		}
		if ok, err := w.db.Beat(w.ctx, "node_dead", true); !ok || err != nil {
			w.Fatal(ok, err)
		}
		if ok, err := w.db.Hold(w.ctx, "x", "node_dead"); !ok || err != nil {
			w.Fatal(ok, err)
		}
		w.start()
		w.becomes(id, webhook.Delivered)
		if len(r.All()) != 1 {
			w.Errorf("%d requests", len(r.All()))
		}
	})
}

func TestTwoNodesSendEachEventOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		w.start()
		w.start()
		const apps, each = 5, 20
		for a := range apps {
			app := fmt.Sprintf("app%d", a)
			w.app(app, "plain", "account", r.URL)
			w.connection("con_"+app, app, "acme", "", "")
		}
		for range each {
			for a := range apps {
				w.event(fmt.Sprintf("con_app%d", a), postern.ConnectionUpdated, "")
			}
		}
		w.waitFor("all are delivered", func() bool {
			return w.value(`SELECT count(*) FROM deliveries WHERE state = 'delivered'`) == fmt.Sprint(apps*each)
		})
		sequence := map[string]float64{}
		for _, m := range r.All() {
			_, d := m.Data()
			connection, n := d["connection_id"].(string), d["sequence"].(float64)
			if n != sequence[connection]+1 {
				w.Errorf("%s: %v after %v", connection, n, sequence[connection])
			}
			sequence[connection] = n
		}
		if len(r.All()) != apps*each {
			w.Errorf("%d requests for %d events", len(r.All()), apps*each)
		}
	})
}

// I-53: a removed app is told of its end, for a moment.
func TestI53_ARemovedAppIsToldAtOnceOrNotAtAll(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.connection("con_2", "x", "globex", "", "")
		w.start()
		w.run(`UPDATE apps SET removed_at = $1 WHERE id = 'x'`, w.clock.Now().UnixMilli())
		w.becomes(w.event("con_1", postern.ConnectionDeleted, "app_removed"), webhook.Delivered)
		w.clock.Advance(30 * time.Second)
		w.becomes(w.event("con_2", postern.ConnectionDeleted, "app_removed"), webhook.Parked)
		if len(r.All()) != 1 {
			w.Errorf("%d requests", len(r.All()))
		}
	})
}

func TestAnAppThatIsSwitchedOffWaits(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.run(`UPDATE apps SET disabled = TRUE WHERE id = 'x'`)
		w.start()
		id := w.event("con_1", postern.ConnectionCreated, "")
		w.becomes(id, webhook.Open)
		time.Sleep(300 * time.Millisecond)
		if len(r.All()) != 0 {
			w.Error("an app that is switched off was told")
		}
		w.run(`UPDATE apps SET disabled = FALSE WHERE id = 'x'`)
		w.becomes(id, webhook.Delivered)
	})
}

// An old server's shape goes out with the standard headers beside its own, which
// sign it.
func TestAnOldServersShapeIsSignedAsWell(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		secret := w.app("x", "old", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.start()
		id := w.event("con_1", postern.ConnectionDeleted, "app")
		w.becomes(id, webhook.Delivered)
		m := r.All()[0]
		if string(m.Body) != `{"gone":"acme"}` || m.Header.Get("X-Old") != "connection.deleted" || m.Header.Get("X-Key") != secret ||
			m.ID() != id || !m.Verified(w, secret) {
			w.Errorf("%s %v", m.Body, m.Header)
		}
	})
}

// What is published is fanned out with the connection events before it, and
// after them: a steady stream of those keeps it waiting for none.
func TestPublishedEventsComeWithTheConnectionEventsBeforeThem(t *testing.T) {
	everywhere(t, func(w *world) {
		w.app("x", "plain", "account", "")
		w.connection("con_1", "x", "acme", "", "")
		first, second := w.event("con_1", postern.ConnectionCreated, ""), w.event("con_1", postern.ConnectionUpdated, "")
		if _, err := w.rules.Publish(w.ctx, []webhook.Published{{ID: "p1", Type: "news", AccountID: "acme", Data: []byte(`{}`)}}, "operator"); err != nil {
			w.Fatal(err)
		}
		if n, err := w.db.FanOut(w.ctx, w.clock.Now(), 10); n != 3 || err != nil {
			w.Fatalf("%d events were taken: %v", n, err)
		}
		got := w.value(`SELECT a.event_id || ' ' || b.event_id || ' ' || c.event_id FROM deliveries a, deliveries b, deliveries c WHERE a.position = 1 AND b.position = 2 AND c.position = 3`)
		if want := first + " " + second + " p1"; got != want {
			w.Errorf("the order is %s, not %s", got, want)
		}
	})
}

// What a partner plays at in its sandbox says nothing of the endpoint that real
// accounts are told at: it is neither slowed down nor told to its owners.
func TestAnAttemptThatIsToFailSaysNothingOfTheEndpoint(t *testing.T) {
	everywhere(t, func(w *world) {
		const attempts = 8 // as many real ones open the circuit
		r := receiver.New(w, nil)
		w.app("x", "plain", "account", r.URL)
		w.run(`INSERT INTO accounts (id, handle, name, number, sandbox_of, created_at) VALUES ('sand', '', 'Sandbox', 3, 'p1', 1)`)
		w.run(`INSERT INTO sandbox_failures (app_id, remaining) VALUES ('x', $1)`, attempts)
		for i := range attempts {
			id := fmt.Sprintf("con_%d", i)
			w.connection(id, "x", "sand", id, "")
			w.event(id, postern.ConnectionCreated, "")
		}
		w.start()
		w.waitFor("all attempts were made", func() bool { return w.value(`SELECT count(*) FROM attempts`) == fmt.Sprint(attempts) })
		e, err := w.rules.Endpoint(w.ctx, "x")
		if err != nil || e.Failures != 0 || !e.FailingSince.IsZero() {
			w.Errorf("of the endpoint is said: %+v, %v", e.Health, err)
		}
		w.connection("real", "x", "acme", "", "")
		w.becomes(w.event("real", postern.ConnectionCreated, ""), webhook.Delivered)
		if got := r.All(); len(got) != 1 {
			w.Errorf("%v were sent", r.IDs())
		}
	})
}
