package webhook

import (
	"net/http"
	"strconv"
	"time"
)

// gaps are the pauses after each failed attempt, at their shortest: ten attempts
// over 74 hours and more. Each is made up to a quarter longer by chance, so that
// what failed together does not come back together.
var gaps = []time.Duration{
	20 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, 2 * time.Hour,
	6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 30 * time.Hour,
}

// longestRetryAfter caps what an endpoint may ask for with Retry-After.
const longestRetryAfter = 24 * time.Hour

// nextTry is when to try again after the nth try failed; false: never.
func nextTry(n int, now time.Time, after time.Duration, chance float64) (time.Time, bool) {
	if n > len(gaps) {
		return time.Time{}, false
	}
	gap := gaps[n-1]
	gap += time.Duration(float64(gap) * chance / 4)
	return now.Add(max(gap, after)), true
}

// retryAfter reads the header Retry-After (RFC 9110 §10.2.3): seconds or a date.
// What is nonsense counts as none.
func retryAfter(text string, now time.Time) time.Duration {
	if text == "" {
		return 0
	}
	if n, err := strconv.ParseUint(text, 10, 63); err == nil {
		return time.Duration(min(n, uint64(longestRetryAfter/time.Second))) * time.Second
	}
	if t, err := http.ParseTime(text); err == nil {
		return max(0, min(t.Sub(now), longestRetryAfter))
	}
	return 0
}

// An endpoint earns how many requests it gets at a time: a few at first, one more
// for each success, half as many after each failure. So one that takes
// connections and never answers holds few of them. Who fails again and again gets
// one at a time, then one with pauses between, until one succeeds.
const (
	firstAtOnce  = 2
	mostAtOnce   = 32
	openAfter    = 8 // failures in a row
	longestPause = 30 * time.Second
)

// earned is how many requests an endpoint gets at a time after one more of them
// succeeded or failed.
func earned(before int, ok bool) int {
	if ok {
		return min(before+1, mostAtOnce)
	}
	return max(1, before/2)
}

// atOnce is how many of them it gets after this many failures in a row.
func atOnce(earned, failures int) int {
	if failures >= openAfter {
		return 1
	}
	return earned
}

// pause is the time between two tries of an endpoint whose circuit is open.
func pause(failures int) time.Duration {
	if failures < openAfter {
		return 0
	}
	return min(time.Second<<min(failures-openAfter, 10), longestPause)
}
