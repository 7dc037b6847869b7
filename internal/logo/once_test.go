package logo

import (
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestWhereLogosAreReviewedOneIsFetchedOnce(t *testing.T) {
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	next := func(once bool, fault error) time.Time {
		t.Helper()
		r := &rows{wanted: []Wanted{{AppID: "app", URL: "https://partner.test/logo.png"}}}
		f := &Fetcher{Store: r, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler), Once: once, Transport: host(func(*http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: io.NopCloser(strings.NewReader(string(picture(t, 20, 20))))}, fault
		})}
		if _, err := f.Sweep(t.Context()); err != nil {
			t.Fatal(err)
		}
		return r.saved[0].NextAt
	}
	if got := next(true, nil); got.Year() != 9999 {
		t.Errorf("it is looked at again at %s", got)
	}
	if got := next(false, nil); !got.Equal(now.Add(lookAgain)) {
		t.Errorf("without reviews it is looked at again at %s", got)
	}
	if got := next(true, errors.New("away")); !got.Equal(now.Add(afterAFault)) {
		t.Errorf("a logo that was not fetched is looked for at %s", got)
	}
}
