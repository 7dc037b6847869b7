package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"sync"
	"sync/atomic"
	"time"
)

const (
	killApps   = 4
	killLanes  = 100 // accounts of each of them
	listed     = 1000
	mostAhead  = 20 * listed // that are published and have not arrived
	mostSilent = 90 * time.Second
)

// measureKills publishes events and makes and ends connections while the server
// is killed with SIGKILL again and again, and counts at the receiver (I-50 …
// I-52). Only when asked for.
func (b *bench) measureKills(engine string) error {
	if b.only == "" || !b.wants("kills") {
		return nil
	}
	p, err := b.newPlace(engine, "kills")
	if err != nil {
		return err
	}
	defer p.close()
	codes := min(b.events/50, 10_000)
	k := &killed{counter: newCounter(b.events - 2*codes), codes: codes, over: make(chan struct{})}
	receiver := httptest.NewServer(k.counter)
	defer receiver.Close()
	n, err := b.prepare(p, killResources(receiver.URL))
	if err != nil {
		return err
	}
	if p.fill, err = newFiller(p.database); err != nil {
		return err
	}
	k.series = &series{bench: b, node: n, fill: p.fill, s: b.report.subject(engine+" kills", "Postern, "+proper(engine)+", killed")}
	k.then(func() (err error) { k.token, err = n.publisher(); return err })
	k.then(k.lanes)
	k.then(p.fill.settle)
	k.then(n.start)
	defer n.stop()
	k.then(k.run)
	if k.err == nil {
		k.err = b.report.print(k.s)
	}
	return k.err
}

func killResources(at string) object {
	all := resources(0)
	partner := all["partners"].([]object)[0]
	apps := partner["apps"].([]object)
	apps[0]["webhook_url"] = at
	for i := range killApps {
		apps = append(apps, object{"name": fmt.Sprint("kill", i), "description": "Measures", "url": "https://partner.test", "dialect": "standard", "level": "account",
			"client_id": fmt.Sprint("kill", i), "client_secret": secret, "redirect_urls": []string{callback}, "webhook_url": at})
	}
	partner["apps"] = apps
	all["events"] = []object{{"type": "thing.happened", "description": "Something happened"}}
	return all
}

// killed is a run of events while the server is killed.
type killed struct {
	*series
	*counter
	token  string
	codes  int           // approvals that are exchanged; each connection is ended
	taken  atomic.Int64  // how many events the server has said to have published
	over   chan struct{} // closed when it is
	deaths int
}

// lanes connects each app to accounts of its own.
func (k *killed) lanes() error {
	if err := k.fill.ensureAccounts(apart, killApps*killLanes); err != nil {
		return err
	}
	return k.fill.insert("connections", hookConnections, 0, killApps*killLanes, func(i int) []any {
		return []any{id("kill", i), int64(2_000_000_000 + i), fmt.Sprint("kill", i%killApps), id(apart, i), "", int64(1), "usr", int64(0)}
	})
}

func (k *killed) run() error {
	began := time.Now()
	var publishing, connecting, killing error
	var causes, deaths sync.WaitGroup
	causes.Go(func() { publishing = k.publish() })
	causes.Go(func() { connecting = k.connect() })
	deaths.Go(func() { killing = k.killAgainAndAgain() })
	lost := k.wait(&causes)
	close(k.over)
	causes.Wait()
	deaths.Wait()
	k.s.fact("events", float64(k.arrived), "")
	k.s.fact("of them of connections", float64(len(k.connections)), "")
	k.s.fact("kills", float64(k.deaths), "")
	k.s.fact("lost", float64(lost), "")
	k.s.fact("came again", float64(k.again), "")
	k.s.fact("took", time.Since(began).Seconds(), "s")
	if lost+k.overtaken+k.renamed > 0 {
		return errors.Join(publishing, connecting, killing, fmt.Errorf("%d events were lost, %d came before an earlier one, %d had two ids", lost, k.overtaken, k.renamed))
	}
	return errors.Join(publishing, connecting, killing)
}

// wait waits until all has arrived, and says how many are missing when nothing
// more comes.
func (k *killed) wait(causes *sync.WaitGroup) (missing int) {
	caused := make(chan struct{})
	go func() { causes.Wait(); close(caused) }()
	for progressed, before := time.Now(), 0; time.Since(progressed) < mostSilent; time.Sleep(50 * time.Millisecond) {
		if now := k.count(); now > before {
			before, progressed = now, time.Now()
		}
		select {
		case <-caused:
			if k.missing() == 0 {
				return 0
			}
		default:
		}
	}
	return k.missing()
}

// pause waits, and reports whether the run is over.
func (k *killed) pause(d time.Duration) bool {
	select {
	case <-k.over:
		return true
	case <-time.After(d):
		return false
	}
}

// publish publishes all events in order, in lists. A list that was not answered is
// sent again as it is.
func (k *killed) publish() error {
	for from := 0; from < len(k.published); from += listed {
		to := min(from+listed, len(k.published))
		var list []object
		for i := from; i < to; i++ {
			list = append(list, object{"id": fmt.Sprint("kill-", i), "type": "thing.happened", "account_id": id(apart, i%len(k.last)), "data": object{"thing": i}})
		}
		body, err := json.Marshal(list)
		if err != nil {
			return err
		}
		for err = k.offer(body); err != nil; err = k.offer(body) {
			if k.pause(50 * time.Millisecond) {
				return fmt.Errorf("after %d events: %w", from, err)
			}
		}
		k.taken.Store(int64(to))
		for to-k.count() > mostAhead {
			if k.pause(20 * time.Millisecond) {
				return fmt.Errorf("%d events were published, and no more arrive", to)
			}
		}
	}
	return nil
}

func (k *killed) offer(body []byte) error {
	req, err := http.NewRequest(http.MethodPost, k.node.public+"/api/v1/events", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+k.token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := k.node.client.Do(req)
	if err != nil {
		return err
	}
	return answered(resp, http.StatusAccepted, nil)
}

// approved codes are made some at a time: they are good for minutes.
const approved = 500

// connect exchanges codes and ends the connections, evenly over the run.
func (k *killed) connect() error {
	for i := 0; i < k.codes; i += approved {
		for int(k.taken.Load()) < len(k.published)/k.codes*i {
			if k.pause(20 * time.Millisecond) {
				return nil
			}
		}
		kind, first := fmt.Sprint("killed", i), k.fill.accounts[newborn]
		if err := k.fill.codes(&wires[0], kind, approved, 1); err != nil {
			return err
		}
		k.redeem(kind, first, min(approved, k.codes-i))
	}
	return nil
}

// redeem exchanges codes of accounts from the first on. What was answered with
// success is promised; of the rest nobody knows.
func (k *killed) redeem(kind string, first, n int) {
	for i := range n {
		account := id(newborn, first+i)
		got, err := k.node.exchange(&wires[0], secretText(kind, i))
		if err != nil {
			k.pause(500 * time.Millisecond)
			continue
		}
		k.promise(account, 1)
		resp, err := k.node.client.PostForm(k.node.public+"/oauth/revoke", url.Values{
			"client_id": {wires[0].app}, "client_secret": {secret}, "token": {got.Refresh},
		})
		if err == nil && answered(resp, http.StatusOK, nil) == nil {
			k.promise(account, 2)
		}
	}
}

// killAgainAndAgain kills the server at moments spread over the events, each
// fourth time once more while it gets up.
func (k *killed) killAgainAndAgain() error {
	for i := range k.kills {
		at := int((float64(i) + rand.Float64()) / float64(k.kills) * float64(len(k.published)))
		for k.count() < at {
			if k.pause(time.Millisecond) {
				return nil
			}
		}
		if err := k.kill(); err != nil {
			return err
		}
		if i%4 == 3 && !k.pause(rand.N(10*time.Second)) {
			if err := k.kill(); err != nil {
				return err
			}
		}
	}
	return nil
}

// kill ends the process at once, and starts it again.
func (k *killed) kill() error {
	if err := k.node.cmd.Process.Kill(); err != nil {
		return err
	}
	_ = k.node.cmd.Wait() // says that it was killed
	k.deaths++
	progress(fmt.Sprintf("kill %d, after %s events", k.deaths, thousands(k.count())))
	return k.node.start()
}
