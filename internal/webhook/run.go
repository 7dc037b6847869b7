package webhook

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"

	"postern.dev/postern"
)

const (
	// lookEvery is how late an event may be noticed.
	lookEvery = 50 * time.Millisecond
	// beatEvery is how often a node that holds endpoints shows that it lives, and
	// looks whether others do.
	beatEvery = 2 * time.Second
	// fanOutAtOnce is how many events one transaction makes deliveries of.
	fanOutAtOnce = 512
	// mostHeld bounds the endpoints that a node works on at a time.
	mostHeld = 2048
	// grace is how long attempts under way may take when the node stops.
	grace = 3 * time.Second
	// rowsAtOnce bounds how many of our transactions run at a time, so that
	// deliveries never crowd out requests.
	rowsAtOnce = 4
	// rowsOfFailing is how many of them may be of endpoints that fail, so that many
	// dead ones leave room for a healthy one.
	rowsOfFailing = 2
	// mostPlaces bounds the requests under way beyond the first few of each
	// endpoint: many slow ones together take no more memory than this.
	mostPlaces = 1024
)

// node is the loop that delivers on one machine.
type node struct {
	r       *Rules
	id      string
	client  http.RoundTripper
	rows    chan struct{}
	failing chan struct{}
	places  chan struct{}

	pumps    map[string]*pump
	done     chan *pump
	stopping chan struct{}
	running  sync.WaitGroup
	seen     map[string]sign
	beating  bool
	rest     time.Time // the rows were away: not before then again
}

// sign is when a node's last sign of life was seen first, by our own clock that
// only goes forward: no machine's idea of the time counts.
type sign struct {
	beat int64
	at   time.Time
}

// Run delivers until ctx ends. Attempts under way may finish for a moment; what
// they leave unrecorded is sent again with the same id by whoever is next.
func (r *Rules) Run(ctx context.Context) {
	transport := newClient(newGuard(r.InsecureLoopback, r.Networks))
	defer transport.CloseIdleConnections()
	n := &node{
		r: r, client: transport, rows: make(chan struct{}, rowsAtOnce), failing: make(chan struct{}, rowsOfFailing), places: make(chan struct{}, mostPlaces),
		pumps: map[string]*pump{}, done: make(chan *pump), stopping: make(chan struct{}), seen: map[string]sign{},
	}
	work, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	n.running.Go(func() { n.fanOut(ctx) })
	n.loop(ctx, work)
	n.stop(cut)
}

// fanOut makes deliveries of events as they come, whatever the endpoints do.
func (n *node) fanOut(ctx context.Context) {
	for pause := lookEvery; ; {
		select {
		case <-ctx.Done():
			return
		case <-time.After(pause):
		}
		made, err := n.r.Store.FanOut(ctx, n.r.Now(), fanOutAtOnce)
		switch pause = lookEvery; {
		case ctx.Err() != nil:
			return
		case err != nil:
			n.trouble("cannot make deliveries of events", err)
			pause = restAfter
		case made > 0:
			pause = 0 // there may be more
		}
	}
}

func (n *node) loop(ctx, work context.Context) {
	look, beat := time.NewTicker(lookEvery), time.NewTicker(beatEvery)
	defer look.Stop()
	defer beat.Stop()
	n.watch(work)
	for {
		select {
		case <-ctx.Done():
			return
		case p := <-n.done:
			if n.pumps[p.appID] == p {
				delete(n.pumps, p.appID)
			}
		case <-beat.C:
			n.beat(work)
			n.watch(work)
		case <-look.C:
			n.look(work)
		}
	}
}

// restAfter is the pause after the rows could not be asked, so that neither they
// nor the log are flooded.
const restAfter = time.Second

func (n *node) trouble(what string, err error) {
	n.r.Log.Warn("webhooks: "+what, "error", err)
}

// look takes up endpoints that have something due, and passes news on.
func (n *node) look(ctx context.Context) {
	if time.Now().Before(n.rest) {
		return
	}
	w, err := n.r.Store.Work(ctx, n.id, n.r.Now(), max(0, mostHeld-len(n.pumps)))
	if err != nil {
		n.trouble("cannot look for work", err)
		n.rest = time.Now().Add(restAfter)
		return
	}
	for app, news := range w.Mine {
		if p := n.pumps[app]; p != nil {
			p.tell(news)
		} else { // its pump gave up while the rows were away
			n.start(ctx, app, true)
		}
	}
	for _, app := range w.Due {
		if err := n.take(ctx, app); err != nil {
			n.trouble("cannot take up an endpoint", err)
			n.rest = time.Now().Add(restAfter)
			return
		}
	}
}

// take sets out to become an endpoint's holder, after showing life once.
func (n *node) take(ctx context.Context, app string) error {
	if n.pumps[app] != nil {
		return nil // it is being let go
	}
	if !n.beating {
		id, err := postern.NewID(n.r.Random, "node_")
		if err != nil {
			return err
		}
		if _, err := n.r.Store.Beat(ctx, id, true); err != nil {
			return err
		}
		n.id, n.beating = id, true
	}
	n.start(ctx, app, false)
	return nil
}

// start works on an endpoint, if this node holds it or becomes its holder.
func (n *node) start(ctx context.Context, app string, held bool) {
	p := newPump(n, app)
	n.pumps[app] = p
	n.running.Go(func() {
		var err error
		if !held {
			if held, err = n.r.Store.Hold(ctx, app, p.holder); err != nil {
				n.trouble("cannot take up an endpoint", err)
			}
		}
		if held {
			p.run(ctx)
		}
		select {
		case n.done <- p:
		case <-n.stopping:
		}
	})
}

// beat shows that this node lives. If others have buried it, it lets everything
// go: they are at it.
func (n *node) beat(ctx context.Context) {
	if !n.beating {
		return
	}
	if len(n.pumps) == 0 {
		if err := n.r.Store.Bury(ctx, n.id); err == nil {
			n.id, n.beating = "", false
		}
		return
	}
	alive, err := n.r.Store.Beat(ctx, n.id, false)
	if err != nil {
		n.trouble("cannot show that this node lives", err)
		return
	}
	if !alive {
		n.r.Log.Warn("webhooks: this node was taken for dead; it starts anew", "node", n.id)
		for _, p := range n.pumps {
			p.abandon()
		}
		clear(n.pumps)
		n.id, n.beating = "", false
	}
}

// watch buries nodes that have shown no sign of life for a while, as counted
// here.
func (n *node) watch(ctx context.Context) {
	holders, err := n.r.Store.Holders(ctx, n.id)
	if err != nil {
		n.trouble("cannot look after other nodes", err)
		clear(n.seen) // nobody could show life meanwhile: count anew
		return
	}
	dead := n.r.NodeDead
	if dead == 0 {
		dead = 10 * time.Second
	}
	now, seen := time.Now(), map[string]sign{}
	for _, h := range holders {
		s, known := n.seen[h.Node]
		if !known || s.beat != h.Beat {
			s = sign{h.Beat, now}
		}
		if now.Sub(s.at) >= dead {
			if err := n.r.Store.Bury(ctx, h.Node); err != nil {
				n.trouble("cannot take over from a dead node", err)
				continue
			}
			n.r.Log.Info("webhooks: took over from a node that showed no life", "node", h.Node)
			continue
		}
		seen[h.Node] = s
	}
	n.seen = seen
}

// stop lets attempts under way finish within the grace and frees what is held.
func (n *node) stop(cut func()) {
	close(n.stopping)
	for _, p := range n.pumps {
		p.stop()
	}
	finished := make(chan struct{})
	go func() { n.running.Wait(); close(finished) }()
	select {
	case <-finished:
	case <-time.After(grace):
	}
	cut()
	<-finished
	if n.beating {
		ctx, cancel := context.WithTimeout(context.Background(), grace)
		defer cancel()
		if err := n.r.Store.Bury(ctx, n.id); err != nil {
			n.trouble("cannot say that this node has stopped; others take over soon", err)
		}
	}
}

// chance is for jitter alone.
func chance() float64 { return rand.Float64() }
