// Package clock is time for tests: it stands still until it is moved.
package clock

import (
	"sync"
	"time"
)

// Clock may be read and moved from any number of goroutines.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// New is a clock that shows this moment.
func New() *Clock { return At(time.Now()) }

// At is a clock that shows t, to the millisecond: what the rows can keep.
func At(t time.Time) *Clock { return &Clock{now: t.UTC().Truncate(time.Millisecond)} }

// Now is what the rooms are handed as their Now.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock, forward or (as a badly kept machine may) back.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
