package main

import (
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestAQuantileIsWithinAnEighthOfTheTruth(t *testing.T) {
	var l latencies
	for i := range 1000 {
		l.add(time.Duration(i+1) * time.Millisecond)
	}
	for q, want := range map[float64]float64{0.5: 500, 0.99: 990, 0.001: 2} {
		if got := l.quantile(q); got < want || got > want*1.25 {
			t.Errorf("quantile %v is %v ms, want %v to %v", q, got, want, want*1.25)
		}
	}
}

func TestTheLoopCountsWhatComesAfterTheWarmingUp(t *testing.T) {
	done := make([]int, 30)
	r, err := (meter{}).loop("a kind", 4, 10, 20, func(i int) error { done[i]++; return nil })
	if err != nil || r.Ops != 20 {
		t.Fatalf("%+v, %v", r, err)
	}
	for i, n := range done {
		if n != 1 {
			t.Errorf("operation %d was done %d times", i, n)
		}
	}
	wrong := errors.New("a wrong answer")
	if _, err := (meter{}).loop("a kind", 4, 0, 20, func(i int) error {
		if i == 7 {
			return wrong
		}
		return nil
	}); !errors.Is(err, wrong) {
		t.Errorf("a wrong answer gives %v", err)
	}
}

// measured is a report as a run would leave it.
func measured() *report {
	r := &report{CPU: "A processor", Cores: 2}
	add := func(key, name string, tokens int, results ...*result) *subject {
		s := r.subject(key, name)
		s.Tokens, s.Results = tokens, results
		return s
	}
	add("floor", "bare", 0, &result{Name: floorPost, ServerCPU: 0.04}, &result{Name: floorGet, ServerCPU: 0.02})
	add("peer", "peer", 0, &result{Name: "exchange", ServerCPU: 1})
	add("postgres", "Postern", 0, &result{Name: "exchange", ServerCPU: 0.2, DatabaseCPU: 0.3}, &result{Name: "check, many tokens", ServerCPU: 0.03})
	add("postgres dialects", "dialects", 0, &result{Name: "exchange, standard", ServerCPU: 0.5}, &result{Name: "exchange, xref", ServerCPU: 0.55})
	for _, n := range []int{10_000, 1_000_000} {
		add("postgres growth", "growth", n, &result{Name: "exchange", ServerCPU: float64(n) / 1e6}).fact("resident", 30, "MiB")
	}
	return r
}

func TestTheTablesSayTheRatiosOfOneRun(t *testing.T) {
	page := measured().page()
	for _, want := range []string{"        12.50 |        0.50 |", "         1.50 |", "| exchange | 1.10 | – |", "| exchange | 0.010 | 1.000 | 100.00 |", "| resident | 30 MiB | 30 MiB |"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is missing in\n%s", want, page)
		}
	}
}

func TestThePictureIsWellFormed(t *testing.T) {
	picture := measured().picture()
	d := xml.NewDecoder(strings.NewReader(picture))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"0.500", "1.000", "prefers-color-scheme:dark"} {
		if !strings.Contains(picture, want) {
			t.Errorf("%q is missing", want)
		}
	}
}
