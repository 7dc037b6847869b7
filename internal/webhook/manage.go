package webhook

import (
	"context"
	"time"

	"postern.dev/postern"
)

// Line is an event as an app reads it that pulls.
type Line struct {
	Position int64
	ID       string
	Body     []byte // what would be sent to an endpoint
}

// MostPulled is how many events one pull gives.
const MostPulled = 200

// pullEvery is how often a waiting pull looks.
const pullEvery = 250 * time.Millisecond

// Pull gives the events of an app after a position, in order, and the position
// to go on from. Where there are none it waits. What the app may not hear of by
// now is passed over.
func (r *Rules) Pull(ctx context.Context, appID string, after int64, limit int, wait time.Duration, stop func() bool) ([]Line, int64, error) {
	deadline := time.Now().Add(wait)
	for {
		lines, last, err := r.pull(ctx, appID, after, limit)
		if err != nil || len(lines) > 0 {
			return lines, last, err
		}
		after = last
		if time.Now().After(deadline) || stop() {
			return nil, after, nil
		}
		select {
		case <-ctx.Done():
			return nil, after, nil
		case <-time.After(min(pullEvery, time.Until(deadline)+time.Millisecond)):
		}
	}
}

func (r *Rules) pull(ctx context.Context, appID string, after int64, limit int) ([]Line, int64, error) {
	deliveries, err := r.Store.Feed(ctx, appID, after, limit)
	if err != nil {
		return nil, after, err
	}
	var lines []Line
	for _, d := range deliveries {
		after = d.Position
		may, err := r.mayHear(ctx, &d.Message, d.Lane)
		if err == nil && may {
			err = r.completeWireID(ctx, &d.Message)
		}
		if err != nil {
			return nil, after, err
		}
		if may {
			lines = append(lines, Line{d.Position, d.Message.ID, r.body(&d.Message)})
		}
	}
	return lines, after, nil
}

// TestType is the type of an event that only shows that an endpoint works.
const TestType = "postern.test"

// Test sends an app an event that says nothing.
func (r *Rules) Test(ctx context.Context, appID, actor string) (string, error) {
	e, err := r.Store.EndpointOf(ctx, appID)
	if err != nil {
		return "", err
	}
	if e.URL == "" {
		return "", postern.Errorf(postern.Conflict, "The app has no webhook_url to send to.")
	}
	now := r.Now()
	if err := r.mayTest(ctx, appID, now); err != nil {
		return "", err
	}
	id, err := postern.NewIDAt(r.Random, now, "evt_")
	if err != nil {
		return "", postern.Wrap(postern.ServerError, err)
	}
	test := Published{ID: id, Type: TestType, AppID: appID, Data: []byte(`{"message":"This is a test; nothing happened."}`), At: now}
	_, err = r.Store.Publish(ctx, []Published{test}, actor)
	return id, err
}

// mostTests are an app's in an hour: each is kept as long as everything.
const mostTests = 60

// mayTest looks at the latest deliveries. Where the product's own crowd tests out,
// there are not many tests.
func (r *Rules) mayTest(ctx context.Context, appID string, now time.Time) error {
	latest, err := r.Store.Deliveries(ctx, Filter{AppID: appID, Since: now.Add(-time.Hour), Limit: 2 * mostTests})
	tests := 0
	for _, d := range latest {
		if d.Message.Type == TestType {
			tests++
		}
	}
	if err == nil && tests >= mostTests {
		e := postern.Errorf(postern.RateLimited, "Very many test events were sent in the last hour. Try again later.")
		e.RetryAfter = time.Hour
		return e
	}
	return err
}

// Endpoint is an app's endpoint with its health.
func (r *Rules) Endpoint(ctx context.Context, appID string) (*Endpoint, error) {
	return r.Store.EndpointOf(ctx, appID)
}

// Deliveries lists an app's deliveries, the latest first.
func (r *Rules) Deliveries(ctx context.Context, f Filter) ([]*Delivery, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	list, err := r.Store.Deliveries(ctx, f)
	if err == nil && len(list) == 0 { // perhaps there is no such app
		_, err = r.Store.EndpointOf(ctx, f.AppID)
	}
	return list, err
}

// Delivery shows one with its attempts and what is sent.
func (r *Rules) Delivery(ctx context.Context, appID, eventID string) (*Delivery, []Attempt, []byte, error) {
	d, attempts, err := r.Store.DeliveryOf(ctx, appID, eventID)
	if err != nil {
		return nil, nil, nil, err
	}
	return d, attempts, r.body(&d.Message), nil
}

// MostReplayed is how many deliveries one replay opens again.
const MostReplayed = 1000

// Replay sends deliveries again that are over, in their order and with their
// ids, and gives how many. One that is named and waits for its next try is tried
// at once, and so are all that wait where open ones are asked for. An endpoint
// that said 410 is sent to again.
func (r *Rules) Replay(ctx context.Context, f Filter, actor string) (int, error) {
	if err := f.check(); err != nil {
		return 0, err
	}
	e, err := r.Store.EndpointOf(ctx, f.AppID)
	if err != nil {
		return 0, err
	}
	if e.URL == "" {
		return 0, postern.Errorf(postern.Conflict, "The app has no webhook_url to send to.")
	}
	if f.Limit = min(f.Limit, MostReplayed); f.Limit <= 0 {
		f.Limit = MostReplayed
	}
	n, err := r.Store.Replay(ctx, f, actor, r.Now())
	if err == nil && n == 0 && f.EventID != "" {
		err = r.notSent(ctx, f)
	}
	return n, err
}

// notSent says why a delivery that was named is not sent again.
func (r *Rules) notSent(ctx context.Context, f Filter) error {
	d, _, err := r.Store.DeliveryOf(ctx, f.AppID, f.EventID)
	switch {
	case err != nil:
		return err
	case d.Behind:
		return postern.Errorf(postern.Conflict, "It waits for an earlier event of its connection; send that one again.")
	case f.State == "" || f.State == d.State:
		return postern.Errorf(postern.Conflict, "It is being sent now; look again in a moment.")
	}
	return postern.Errorf(postern.Conflict, "It is in another state.")
}

// Order chooses whether a later event of a connection waits for an earlier one.
func (r *Rules) Order(ctx context.Context, appID string, ordered bool, actor string) error {
	if _, err := r.Store.EndpointOf(ctx, appID); err != nil {
		return err
	}
	return r.Store.SetOrdered(ctx, appID, ordered, actor, r.Now())
}

func (f *Filter) check() error {
	switch f.State {
	case "", Open, Delivered, Parked, Kept, Withheld:
		return nil
	}
	return postern.Errorf(postern.InvalidRequest, "There is no state %q; there are open, delivered, parked, kept, withheld.", shown(string(f.State)))
}
