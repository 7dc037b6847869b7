package postern_test

import (
	"crypto/rand"
	"regexp"
	"testing"
	"time"

	"postern.dev/postern"
)

func TestIDsMadeAtTimesSortByThem(t *testing.T) {
	shape := regexp.MustCompile(`^evt_[0-9A-Za-z]{22}$`)
	at := time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)
	last := ""
	for range 2000 {
		id, err := postern.NewIDAt(rand.Reader, at, "evt_")
		if err != nil {
			t.Fatal(err)
		}
		if !shape.MatchString(id) {
			t.Fatalf("id %q has another shape", id)
		}
		if id <= last {
			t.Fatalf("%q, made later, sorts before %q", id, last)
		}
		last, at = id, at.Add(time.Millisecond)
	}
}

func TestIDsMadeAtOneTimeDiffer(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		id, err := postern.NewIDAt(rand.Reader, time.UnixMilli(1), "con_")
		if err != nil || seen[id] {
			t.Fatalf("id %q twice, or error %v", id, err)
		}
		seen[id] = true
	}
}
