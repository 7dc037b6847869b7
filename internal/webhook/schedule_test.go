package webhook

import "testing"

func TestAnEndpointEarnsItsRequests(t *testing.T) {
	n := firstAtOnce
	for range mostAtOnce - firstAtOnce {
		n = earned(n, true)
	}
	if n != mostAtOnce || earned(n, true) != mostAtOnce {
		t.Errorf("after %d successes it gets %d at a time, not %d", mostAtOnce-firstAtOnce, n, mostAtOnce)
	}
	for _, want := range []int{16, 8, 4, 2, 1, 1} {
		if n = earned(n, false); n != want {
			t.Errorf("after a failure it gets %d at a time, not %d", n, want)
		}
	}
	if got := atOnce(mostAtOnce, openAfter-1); got != mostAtOnce {
		t.Errorf("before its circuit opens it gets %d at a time, not what it has earned", got)
	}
	if got := atOnce(mostAtOnce, openAfter); got != 1 {
		t.Errorf("with an open circuit it gets %d at a time", got)
	}
}

// However many are slow, each has its first few, and all others share.
func TestTheNodeHasPlacesForAllTogether(t *testing.T) {
	n := &node{places: make(chan struct{}, 3)}
	var gaveBack []func()
	for range 10 {
		p := newPump(n, "app")
		for i := range int64(firstAtOnce) {
			if _, ok := p.place(); !ok {
				t.Fatalf("an endpoint has no place for its request %d", i+1)
			}
			p.inFlight[i] = true
		}
		if leave, ok := p.place(); ok {
			gaveBack = append(gaveBack, leave)
		}
	}
	if len(gaveBack) != 3 {
		t.Errorf("%d had one more, not 3", len(gaveBack))
	}
	gaveBack[0]()
	p := newPump(n, "app")
	p.inFlight = map[int64]bool{1: true, 2: true}
	if _, ok := p.place(); !ok {
		t.Error("a place that was given back is not free")
	}
}
