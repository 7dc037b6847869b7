package identity_test

import (
	"fmt"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/identity"
)

// A subscriber of IPv6 has a whole network of addresses; a neighbour has another.
func TestRegistrationsAreCountedBySource(t *testing.T) {
	everywhere(t, func(w *world) {
		var told []string
		w.rules.Tell = func(_, email, _ string) { told = append(told, email) }
		register := func(n int, address string) error {
			return w.rules.Register(w.ctx, identity.Registration{
				Company: fmt.Sprint("Company ", n), Name: "Nia", Email: fmt.Sprintf("n%d@hire.test", n), Address: address,
			})
		}
		for n := range 20 {
			w.ok(register(n, fmt.Sprintf("2001:db8:0:1::%x", n+1)))
		}
		err := register(20, "2001:db8:0:1:ffff::1")
		if !postern.Is(err, postern.RateLimited) {
			t.Errorf("the 21st: %v", err)
		}
		w.ok(register(21, "2001:db8:0:2::1"))
		w.ok(register(22, "192.0.2.1"))
		w.clock.Advance(time.Hour)
		w.ok(register(23, "2001:db8:0:1::1"))
		if len(told) != 23 {
			t.Errorf("%d links were made", len(told))
		}
	})
}

// One letter box gets three letters a day, whatever spelling it is called by.
func TestOneEmailIsWrittenToThreeTimesADay(t *testing.T) {
	everywhere(t, func(w *world) {
		told := 0
		w.rules.Tell = func(_, _, _ string) { told++ }
		spellings := []string{"nia@hire.test", "NIA@hire.test", "nia@HIRE.test", "ｎia@hire.test", "nia@hire.test"}
		for n, email := range spellings {
			w.ok(w.rules.Register(w.ctx, identity.Registration{Company: "Newhire", Name: "Nia", Email: email, Address: fmt.Sprintf("192.0.2.%d", n+1)}))
		}
		if told != 3 {
			t.Errorf("%d links were made", told)
		}
		w.clock.Advance(24 * time.Hour)
		w.ok(w.rules.Register(w.ctx, identity.Registration{Company: "Newhire", Name: "Nia", Email: "nia@hire.test", Address: "192.0.2.1"}))
		if told != 4 {
			t.Errorf("%d links were made a day later", told)
		}
	})
}
