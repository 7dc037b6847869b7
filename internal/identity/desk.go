package identity

import (
	"context"
	"time"

	"postern.dev/postern"
)

// desk is where passwords are checked: a few at a time, because each takes
// 19 MiB and a processor, and a short line before it. Who finds the line full is
// told to come back, so that a flood of sign-ins takes neither the memory nor
// the processors from the rest.
type desk struct {
	line  chan struct{} // everybody inside: at the desk or waiting
	seats chan struct{} // those at the desk
}

func newDesk(seats, waiting int) *desk {
	return &desk{line: make(chan struct{}, seats+waiting), seats: make(chan struct{}, seats)}
}

// sit waits for a seat. leave must be called to give it back.
func (d *desk) sit(ctx context.Context) (leave func(), err error) {
	select {
	case d.line <- struct{}{}:
	default:
		e := postern.Errorf(postern.Unavailable, "Too many people are signing in at this moment. Try again in a few seconds.")
		e.RetryAfter = 3 * time.Second
		return nil, e
	}
	select {
	case d.seats <- struct{}{}:
		return func() { <-d.seats; <-d.line }, nil
	case <-ctx.Done():
		<-d.line
		return nil, postern.Wrap(postern.Unavailable, ctx.Err())
	}
}

// sit waits for a seat at the desk of these rules.
func (r *Rules) sit(ctx context.Context) (leave func(), err error) {
	r.makeDesk.Do(func() {
		l := r.Limits.withDefaults()
		r.desk = newDesk(l.Hashes, l.Waiting)
	})
	return r.desk.sit(ctx)
}
