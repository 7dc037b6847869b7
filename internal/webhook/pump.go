package webhook

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"postern.dev/postern"
)

const (
	// linger is how long an idle endpoint stays held: events come in bursts.
	linger = time.Second
	// reload is how old what is known of an endpoint may be when an attempt begins
	// (WH-22).
	reload = 2 * time.Second
	// recordAgain is the pause after the rows could not be written.
	recordAgain = 500 * time.Millisecond
	// mostGoodbye is how long a removed app is still told of its end (I-53).
	mostGoodbye = 25 * time.Second
)

// pump works on one endpoint that this node holds: one goroutine that alone
// knows its state, and one for each request under way.
type pump struct {
	n      *node
	appID  string
	holder string // the node's id when it took the endpoint

	news chan int64    // the latest that the rows have
	quit chan struct{} // closed: finish and let go
	once sync.Once
	lost atomic.Bool // others hold the endpoint by now

	endpoint *Endpoint
	loaded   time.Time // by the clock that only goes forward
	full     bool      // more may be due than was loaded
	next     time.Time // when the next one is due; zero: none that we know of
	latest   int64     // news that the rows have
	signer   *signer

	earned   int // how many requests it gets at a time
	ready    []*Delivery
	inFlight map[int64]bool // by position, until what became of it is recorded
	results  chan Outcome
	resume   time.Time // by the clock that only goes forward: the circuit's pause
	idle     time.Time
}

func newPump(n *node, app string) *pump {
	return &pump{
		n: n, appID: app, holder: n.id, news: make(chan int64, 1), quit: make(chan struct{}), earned: firstAtOnce,
		inFlight: map[int64]bool{}, results: make(chan Outcome, mostAtOnce), idle: time.Now(),
	}
}

func (p *pump) stop() { p.once.Do(func() { close(p.quit) }) }

func (p *pump) abandon() { p.lost.Store(true); p.stop() }

// tell passes news on without waiting for the pump.
func (p *pump) tell(news int64) {
	select {
	case <-p.news:
	default:
	}
	select {
	case p.news <- news:
	default:
	}
}

// run works until there is nothing left to do, the node stops, or others hold
// the endpoint.
func (p *pump) run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	stopping := false
	for {
		if !stopping && p.wantsLoad() && !p.load(ctx) {
			stopping = true
		}
		if !stopping {
			p.begin(ctx)
		}
		if len(p.inFlight) == 0 && (stopping || p.isIdle() && p.letGo(ctx)) {
			if stopping {
				p.letGo(ctx)
			}
			return
		}
		quit := p.quit
		if stopping {
			quit = nil
		}
		select {
		case o := <-p.results:
			if !p.record(ctx, p.gather(o)) {
				return
			}
		case news := <-p.news:
			p.latest = max(p.latest, news)
		case <-quit:
			stopping = true
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// wantsLoad: there is room, and something may have come, or what is known is old.
func (p *pump) wantsLoad() bool {
	switch {
	case p.endpoint == nil:
		return true
	case len(p.ready) > 0:
		return time.Since(p.loaded) > reload && p.room() > 0
	case p.room() <= 0:
		return false
	}
	due := !p.next.IsZero() && !p.n.r.Now().Before(p.next)
	return p.full || due || p.latest > p.endpoint.News
}

// room is how many requests may begin now.
func (p *pump) room() int {
	if time.Now().Before(p.resume) {
		return 0
	}
	return atOnce(p.earned, p.endpoint.Failures) - len(p.inFlight)
}

// loadAtOnce bounds what is in memory of one endpoint, however many wait: what is
// under way, which is read again, and as many more.
func (p *pump) loadAtOnce() int {
	if p.endpoint == nil {
		return 2 * p.earned
	}
	return 2 * atOnce(p.earned, p.endpoint.Failures)
}

// load reads the endpoint and what is due. False: stop here.
func (p *pump) load(ctx context.Context) bool {
	leave, limit := p.enter(), p.loadAtOnce()
	e, due, next, err := p.n.r.Store.Load(ctx, p.appID, p.holder, p.n.r.Now(), limit)
	leave()
	if postern.Is(err, postern.NotFound) {
		p.lost.Store(true)
		return false
	}
	if err != nil {
		p.n.trouble("cannot read what is due", err)
		return p.endpoint != nil && p.pauseFor(ctx, recordAgain)
	}
	if p.endpoint != nil {
		// Kept in memory between records: the rows may be a moment behind.
		e.Health = p.health(e)
	}
	p.endpoint, p.loaded, p.next, p.latest = e, time.Now(), next, max(p.latest, e.News)
	p.full = len(due) == limit
	p.ready = slices.DeleteFunc(due, func(d *Delivery) bool { return p.inFlight[d.Position] })
	if e.URL == "" || e.Gone() {
		p.signer = nil
		return true
	}
	if p.signer, err = p.n.r.signer(e, p.n.r.Now()); err != nil {
		p.n.r.Log.Error("webhooks: an endpoint's key cannot be opened; nothing is sent to it", "app", p.appID, "error", err)
		p.ready, p.full, p.next = nil, false, p.n.r.Now().Add(time.Minute)
	}
	return true
}

// enter waits for a turn at the rows.
func (p *pump) enter() (leave func()) {
	fails := p.endpoint != nil && p.endpoint.Failures > 0
	if fails {
		p.n.failing <- struct{}{}
	}
	p.n.rows <- struct{}{}
	return func() {
		<-p.n.rows
		if fails {
			<-p.n.failing
		}
	}
}

// health is what the rows say, unless what is in memory is of the same URL.
func (p *pump) health(read *Endpoint) Health {
	if read.URL != p.endpoint.URL {
		p.earned = firstAtOnce
		return Health{LastSuccess: read.LastSuccess}
	}
	h := p.endpoint.Health
	if read.GoneURL == "" { // somebody asked to send again
		h.GoneURL = ""
	}
	return h
}

// begin starts what is ready, as far as there is room.
func (p *pump) begin(ctx context.Context) {
	for len(p.ready) > 0 && p.room() > 0 {
		leave, ok := p.place()
		if !ok {
			return // the next tick asks again
		}
		d := p.ready[0]
		p.ready = p.ready[1:]
		p.inFlight[d.Position] = true
		e, s := p.endpoint, p.signer
		if e.Failures >= openAfter {
			p.resume = time.Now().Add(pause(e.Failures))
		}
		go func() {
			o, ok := p.n.r.attempt(ctx, p.n.client, e, s, d)
			leave()
			if !ok { // cut off: it counts for nothing, and is sent again
				o = Outcome{Delivery: d, State: ""}
			}
			p.results <- o
		}()
	}
}

// place is where a request may stand. The first few of each endpoint always have
// one; the node has so many for all others, and whoever answers gives his back
// soon.
func (p *pump) place() (leave func(), ok bool) {
	if len(p.inFlight) < firstAtOnce {
		return func() {}, true
	}
	select {
	case p.n.places <- struct{}{}:
		return func() { <-p.n.places }, true
	default:
		return nil, false
	}
}

// gather takes the other results that are there already: one transaction serves
// them all.
func (p *pump) gather(first Outcome) []Outcome {
	all := []Outcome{first}
	for {
		select {
		case o := <-p.results:
			all = append(all, o)
		default:
			return all
		}
	}
}

// record keeps what became of deliveries, and tries until it is kept: what was
// sent and is not recorded would be sent again.
func (p *pump) record(ctx context.Context, all []Outcome) bool {
	cut := slices.DeleteFunc(slices.Clone(all), func(o Outcome) bool { return o.State != "" })
	all = slices.DeleteFunc(all, func(o Outcome) bool { return o.State == "" })
	before := p.endpoint.Health
	for _, o := range all {
		p.learn(&o)
	}
	var h *Health
	if changed(before, p.endpoint.Health) {
		h = &p.endpoint.Health
	}
	for len(all) > 0 {
		leave := p.enter()
		err := p.n.r.Store.Record(ctx, p.appID, h, all)
		leave()
		if err == nil {
			break
		}
		p.n.trouble("cannot record deliveries; trying again", err)
		if !p.pauseFor(ctx, recordAgain) {
			return false
		}
	}
	for _, o := range append(all, cut...) {
		delete(p.inFlight, o.Delivery.Position)
		if o.State == Open && (p.next.IsZero() || o.DueAt.Before(p.next)) {
			p.next = o.DueAt
		}
	}
	p.full = p.full || len(all) > 0 // the next in the lanes
	p.idle = time.Now()
	return true
}

// learn draws what an answer says of the endpoint's health.
func (p *pump) learn(o *Outcome) {
	if o.Attempt == nil || o.Attempt.Played {
		return
	}
	h := &p.endpoint.Health
	p.earned = earned(p.earned, o.Attempt.OK())
	switch {
	case o.Attempt.OK():
		h.Failures, h.FailingSince, h.LastSuccess = 0, time.Time{}, o.Attempt.At
		p.resume = time.Time{}
	default:
		h.Failures++
		if h.FailingSince.IsZero() {
			h.FailingSince = o.Attempt.At
		}
		if o.Attempt.Status == statusGone {
			h.GoneURL = p.endpoint.URL
		}
	}
}

// changed: a success after another is worth writing once a minute.
func changed(before, now Health) bool {
	return before.Failures != now.Failures || before.GoneURL != now.GoneURL || before.FailingSince != now.FailingSince ||
		now.LastSuccess.Sub(before.LastSuccess).Abs() > time.Minute
}

func (p *pump) isIdle() bool {
	if p.endpoint == nil || len(p.ready) > 0 || p.full && p.room() > 0 || p.latest > p.endpoint.News {
		return false
	}
	return time.Since(p.idle) > linger || p.endpoint.Failures > 0
}

// letGo frees the endpoint; false when there is news.
func (p *pump) letGo(ctx context.Context) bool {
	if p.lost.Load() || p.endpoint == nil {
		return true
	}
	again, notBefore := p.next, time.Time{}
	if len(p.ready) > 0 || p.full {
		again = p.n.r.Now()
	}
	if wait := time.Until(p.resume); wait > 0 { // the circuit is open
		notBefore = p.n.r.Now().Add(wait)
		if !again.IsZero() && again.Before(notBefore) {
			again = notBefore
		}
	}
	free, err := p.n.r.Store.LetGo(ctx, p.appID, p.holder, p.endpoint.News, again, notBefore)
	if err != nil {
		p.n.trouble("cannot let an endpoint go", err)
		return !p.pauseFor(ctx, recordAgain)
	}
	if !free {
		p.latest = max(p.latest, p.endpoint.News+1)
	}
	return free
}

// pauseFor waits; false when the node is cut off meanwhile.
func (p *pump) pauseFor(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// attempt decides about one delivery and, unless that ends it, sends it. False:
// it was cut off.
func (r *Rules) attempt(ctx context.Context, via roundTripper, e *Endpoint, s *signer, d *Delivery) (Outcome, bool) {
	now := r.Now()
	o := Outcome{Delivery: d, At: now}
	give := func(state State, why string) (Outcome, bool) {
		o.State, o.Why = state, why
		return o, true
	}
	switch {
	case e.URL == "":
		return give(Kept, "The app has no endpoint any more.")
	case e.Gone():
		return give(Parked, EndpointGone)
	case !e.Removed.IsZero() && now.Sub(e.Removed) > mostGoodbye:
		return give(Parked, "The app was removed.")
	}
	may, err := r.mayHear(ctx, &d.Message, d.Lane)
	if err == nil && !may {
		return give(Withheld, "No connection that allows it was live when it was to be sent.")
	}
	if err == nil {
		err = r.completeWireID(ctx, &d.Message)
	}
	if err != nil {
		if ctx.Err() != nil {
			return o, false
		}
		return r.later(o, e, err)
	}
	return r.try(ctx, via, e, s, d, o)
}

// later puts off what could not be prepared; the endpoint has no part in it.
func (r *Rules) later(o Outcome, e *Endpoint, err error) (Outcome, bool) {
	r.Log.Warn("webhooks: cannot prepare a delivery; it is tried again", "app", e.App.ID, "error", err)
	o.State, o.DueAt = Open, o.At.Add(4*recordAgain)
	return o, true
}

// shaped is the body that the app's endpoint gets: the standard one, or that of
// the server which its dialect replaces.
func (r *Rules) shaped(ctx context.Context, s *signer, m *Message) ([]byte, http.Header, error) {
	old, err := r.Wires.Legacy(ctx, m.App.Dialect, m, s.text)
	if err != nil || old == nil {
		return r.body(m), nil, err
	}
	return old.Body, old.Header, nil
}

// try makes the attempt and decides what follows from it.
func (r *Rules) try(ctx context.Context, via roundTripper, e *Endpoint, s *signer, d *Delivery, o Outcome) (Outcome, bool) {
	body, more, err := r.shaped(ctx, s, &d.Message)
	if err != nil {
		return r.later(o, e, err)
	}
	began := time.Now()
	pretend, err := r.pretends(ctx, d)
	if err != nil {
		return r.later(o, e, err)
	}
	if pretend {
		return r.failed(o, d, &Attempt{Number: d.Attempts + 1, At: o.At, Error: "You asked for this attempt to fail. Nothing was sent.", Played: true}, 0)
	}
	said := send(ctx, via, e.URL, d.Message.ID, o.At, s.sign(d.Message.ID, o.At, body), body, more)
	if ctx.Err() != nil && said.err != nil {
		return o, false
	}
	a := &Attempt{Number: d.Attempts + 1, At: o.At, Took: time.Since(began), Status: said.status, Reply: said.text}
	if said.err != nil {
		a.Error = inWords(said.err)
		r.Log.Debug("webhooks: an attempt failed", "app", e.App.ID, "event", d.Message.ID, "error", errors.Unwrap(said.err))
	}
	o.Attempt, o.At = a, r.Now()
	if a.OK() {
		o.State = Delivered
		return o, true
	}
	if a.Status == statusGone {
		o.State, o.Why = Parked, "The endpoint said 410 Gone."
		return o, true
	}
	return r.failed(o, d, a, retryAfter(said.retryAfter, o.At))
}

// pretends: an attempt of a sandbox's fails because its partner wants to see
// what follows.
func (r *Rules) pretends(ctx context.Context, d *Delivery) (bool, error) {
	if d.Message.Account.SandboxOf == "" {
		return false, nil
	}
	return r.Store.FailOnPurpose(ctx, d.AppID)
}

// failed is an attempt after which another follows, unless there were enough.
func (r *Rules) failed(o Outcome, d *Delivery, a *Attempt, wait time.Duration) (Outcome, bool) {
	o.Attempt = a
	due, again := nextTry(d.Tries+1, o.At, wait, chance())
	if !again {
		o.State, o.Why = Parked, "No attempt succeeded in three days."
		return o, true
	}
	o.State, o.DueAt = Open, due
	return o, true
}
