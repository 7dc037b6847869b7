package main

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

const (
	fastHooks = 4
	deadHooks = 500
	backlog   = 200 // of each dead endpoint
	lanes     = 100 // accounts whose events go to the healthy endpoint
	pace      = 100 // events a second to it
)

// inbox notes when a delivery arrived first.
type inbox struct {
	mu      sync.Mutex
	arrived map[string]time.Time
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	now, id := time.Now(), r.Header.Get("webhook-id")
	if _, err := io.Copy(io.Discard, r.Body); err != nil || id == "" || r.Header.Get("webhook-signature") == "" {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	if _, again := in.arrived[id]; !again {
		in.arrived[id] = now
	}
}

// wait waits until so many have arrived.
func (in *inbox) wait(n int, most time.Duration) error {
	for end := time.Now().Add(most); ; time.Sleep(5 * time.Millisecond) {
		in.mu.Lock()
		got := len(in.arrived)
		in.mu.Unlock()
		if got >= n {
			return nil
		}
		if time.Now().After(end) {
			return fmt.Errorf("%d of %d deliveries arrived within %s", got, n, most)
		}
	}
}

// hooks is the measurement of deliveries on one engine.
type hooks struct {
	*series
	fast, well *inbox
	token      string // an operator's
}

// measureWebhooks measures deliveries, and what waiting ones do to the rest.
func (b *bench) measureWebhooks(engine string) error {
	if !b.wants("webhooks") {
		return nil
	}
	p, err := b.newPlace(engine, "webhooks")
	if err != nil {
		return err
	}
	defer p.close()
	h := &hooks{fast: &inbox{arrived: map[string]time.Time{}}, well: &inbox{arrived: map[string]time.Time{}}}
	fast, well := httptest.NewServer(h.fast), httptest.NewServer(h.well)
	defer fast.Close()
	defer well.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // takes connections and never answers
	if err != nil {
		return err
	}
	defer silent.Close()
	n, err := b.prepare(p, hookResources(fast.URL, well.URL, "http://"+silent.Addr().String()))
	if err != nil {
		return err
	}
	if p.fill, err = newFiller(p.database); err != nil {
		return err
	}
	if h.token, err = n.publisher(); err != nil {
		return err
	}
	h.series = &series{bench: b, node: n, fill: p.fill, s: b.report.subject(engine+" webhooks", "Postern, "+proper(engine)+", deliveries")}
	h.then(func() error { return p.fill.ensureFamilies(2 * b.n) })
	h.then(func() error { return h.lanes() })
	h.then(p.fill.settle)
	h.then(n.start)
	defer n.stop()
	h.measure()
	if h.err == nil {
		h.err = b.report.print(h.s)
	}
	return h.err
}

// publisher is a token with which events are published.
func (n *node) publisher() (string, error) {
	out, err := n.command("token create", "--json", "--name", "bench", "--right", "events.publish")
	if err != nil {
		return "", err
	}
	var made struct{ Token string }
	err = json.Unmarshal([]byte(out[strings.Index(out, "{"):]), &made)
	return made.Token, err
}

// hookResources are fast, healthy and dead endpoints beside the usual apps; of
// the dead ones half refuse and half are silent.
func hookResources(fast, well, silent string) object {
	all := resources(0)
	app := func(id, url string) object {
		return object{"name": id, "description": "Measures", "url": "https://partner.test", "dialect": "standard", "level": "account",
			"client_id": id, "client_secret": secret, "redirect_urls": []string{callback}, "webhook_url": url}
	}
	apps := []object{app("well", well)}
	for i := range fastHooks {
		apps = append(apps, app(fmt.Sprint("fast", i), fmt.Sprint(fast, "/", i)))
	}
	for i := range deadHooks {
		url := "http://127.0.0.1:1/"
		if i%2 == 1 {
			url = silent
		}
		apps = append(apps, app(fmt.Sprint("dead", i), url))
	}
	all["partners"] = append(all["partners"].([]object), object{"name": "Hooks", "apps": apps})
	all["events"] = []object{{"type": "thing.happened", "description": "Something happened"}}
	return all
}

const hookConnections = "id, number, app_id, account_id, scopes, created_at, created_by, sequence"

// lanes connects the healthy app to accounts of which nobody else hears.
func (h *hooks) lanes() error {
	if err := h.fill.ensureAccounts(apart, lanes); err != nil {
		return err
	}
	return h.fill.insert("connections", hookConnections, 0, lanes, func(i int) []any {
		return []any{id("well", i), int64(2_000_000_000 + i), "well", id(apart, i), "", int64(1), "usr", int64(0)}
	})
}

const eventColumns = "id, type, app_id, connection_id, sequence, account_id, at"

// flood writes events of some apps, so many of each, each of a connection of its
// own.
func (h *hooks) flood(kind string, apps, each int, firstNumber int64) error {
	app := func(i int) string { return fmt.Sprint(kind, i/each) }
	err := h.fill.insert("connections", hookConnections, 0, apps*each, func(i int) []any {
		return []any{id(kind, i), firstNumber + int64(i), app(i), id(settled, i%each), "", int64(1), "usr", int64(1)}
	})
	if err != nil {
		return err
	}
	first := time.Now().Add(-time.Minute)
	return h.fill.insert("events", eventColumns, 0, apps*each, func(i int) []any {
		at := first.Add(time.Minute * time.Duration(i) / time.Duration(apps*each)).UnixMilli()
		return []any{id("evt"+kind, i), "connection.created", app(i), id(kind, i), int64(1), id(settled, i%each), at}
	})
}

func (h *hooks) measure() {
	each := h.n / 2
	h.then(func() error { return h.fill.ensureAccounts(settled, each) })
	h.then(func() error { return h.throughput(each) })
	h.tokenPaths("nothing waits")
	h.then(func() error { return h.latency("at its own") })
	h.then(func() error {
		if err := h.flood("dead", deadHooks, backlog, 4_000_000_000); err != nil {
			return err
		}
		return h.deadAreTried()
	})
	h.then(func() error { return h.latency(fmt.Sprintf("beside %d dead endpoints", deadHooks)) })
	h.then(func() error { h.s.fact("resident", h.node.residentMiB(), "MiB"); return nil })
	h.tokenPaths(fmt.Sprintf("%d endpoints dead", deadHooks))
	h.then(h.waits)
	h.tokenPaths(thousands(h.waiting) + " wait")
	h.then(func() error { return h.latency("beside " + thousands(h.waiting) + " waiting") })
	h.then(func() error {
		h.s.fact("resident, "+thousands(h.waiting)+" waiting", h.node.residentMiB(), "MiB")
		return nil
	})
}

// throughput is how fast a burst to fast endpoints is gone.
func (h *hooks) throughput(each int) error {
	server, database, err := h.node.meter.cpuTimes()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := h.flood("fast", fastHooks, each, 3_000_000_000); err != nil {
		return err
	}
	total := fastHooks * each
	if err := h.fast.wait(total, 5*time.Minute); err != nil {
		return err
	}
	took := time.Since(began)
	serverAfter, databaseAfter, err := h.node.meter.cpuTimes()
	h.s.fact("deliveries to fast endpoints", float64(total)/took.Seconds(), "/s")
	h.s.fact("CPU of a delivery", ms(serverAfter-server+databaseAfter-database)/float64(total), "ms")
	return err
}

func (h *hooks) tokenPaths(when string) {
	h.exchanges("exchange, "+when, &wires[0], when, 1)
	h.add("check, many tokens, "+when, h.n, 3*h.n, func(i int) error { return h.node.check(&wires[0], secretText("access", i%h.n)) })
}

// latency publishes events at a pace and says how long they take to arrive, from
// before they are published.
func (h *hooks) latency(when string) error {
	const seconds = 5
	sent := map[string]time.Time{}
	for i := range seconds * pace {
		at := time.Now()
		published, err := h.publish(i % lanes)
		if err != nil {
			return err
		}
		sent[published] = at
		time.Sleep(time.Until(at.Add(time.Second / pace)))
	}
	h.well.mu.Lock()
	before := len(h.well.arrived)
	for published := range h.well.arrived {
		if _, ours := sent[published]; ours {
			before--
		}
	}
	h.well.mu.Unlock()
	if err := h.well.wait(before+len(sent), 2*time.Minute); err != nil {
		return err
	}
	var late latencies
	h.well.mu.Lock()
	defer h.well.mu.Unlock()
	for published, at := range sent {
		late.add(h.well.arrived[published].Sub(at))
	}
	h.s.fact("publishing to arrival, "+when+", p50", late.quantile(0.5), "ms")
	h.s.fact("publishing to arrival, "+when+", p99", late.quantile(0.99), "ms")
	return nil
}

func (h *hooks) publish(account int) (published string, err error) {
	body := fmt.Sprintf(`{"type":"thing.happened","account_id":%q,"data":{"thing":"a thing that happened"}}`, id(apart, account))
	req, err := http.NewRequest(http.MethodPost, h.node.public+"/api/v1/events", strings.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Authorization", "Bearer "+h.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := h.node.client.Do(req)
	if err != nil {
		return "", err
	}
	var got struct{ ID, Status string }
	if err := answered(resp, http.StatusAccepted, &got); err != nil {
		return "", err
	}
	if got.Status != "published" {
		return "", fmt.Errorf("an event is %q", got.Status)
	}
	return got.ID, nil
}

// deadAreTried waits until all of the backlog is made and many of the dead
// endpoints have been tried.
func (h *hooks) deadAreTried() error {
	const most = 10 * time.Minute
	for end := time.Now().Add(most); ; time.Sleep(200 * time.Millisecond) {
		var left, tried int
		err := h.fill.db.QueryRow(`SELECT (SELECT count(*) FROM events WHERE fanned = 0),
			(SELECT count(DISTINCT app_id) FROM deliveries WHERE attempts > 0 AND app_id LIKE 'dead%')`).Scan(&left, &tried)
		if err != nil || left == 0 && tried >= deadHooks/10 {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("after %s, %d events have no deliveries yet, and %d of %d dead endpoints were tried", most, left, tried, deadHooks)
		}
	}
}

// waits adds deliveries that wait for their next attempt an hour from now.
func (h *hooks) waits() error {
	now := time.Now()
	app := func(i int) string { return fmt.Sprint("dead", i%deadHooks) }
	err := h.fill.insert("events", eventColumns+", fanned", 0, h.waiting, func(i int) []any {
		return []any{id("evtwait", i), "connection.updated", app(i), id("dead", i%deadHooks*backlog), int64(1000 + i), id(settled, i%backlog), now.UnixMilli(), int64(1)}
	})
	if err == nil {
		err = h.fill.insert("deliveries", "app_id, position, event_id, lane, at, state, attempts, tries, due_at", 0, h.waiting, func(i int) []any {
			return []any{app(i), int64(10_000_000 + i), id("evtwait", i), id("dead", i%deadHooks*backlog), now.UnixMilli(), "open", int64(3), int64(3), now.Add(time.Hour).UnixMilli()}
		})
	}
	if err == nil {
		err = h.fill.settle()
	}
	return err
}
