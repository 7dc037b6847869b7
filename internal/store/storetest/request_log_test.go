package storetest

import (
	"fmt"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/requestlog"
)

func TestRequestsAreKeptOfAppsThatExistAndFoundByWhatIsAsked(t *testing.T) {
	everywhere(t, func(w *world) {
		at := w.clock.Now()
		entry := func(id int64, change func(*requestlog.Entry)) requestlog.Entry {
			e := requestlog.Entry{ID: id, AppID: "own", At: at, RequestID: fmt.Sprint("req_", id), Dialect: "standard", Endpoint: "token", Method: "POST",
				Status: 200, Took: 3 * time.Millisecond, Outcome: requestlog.Granted, Proved: true, Sent: "a=b\n"}
			change(&e)
			return e
		}
		nothing := func(*requestlog.Entry) {}
		batch := requestlog.Batch{
			Entries: []requestlog.Entry{
				entry(1, nothing),
				entry(2, func(e *requestlog.Entry) {
					e.Outcome, e.Kind, e.Rule, e.Facts = requestlog.Refused, postern.InvalidGrant, "code_expired", map[string]string{"at": "5", "odd": "\x00"}
				}),
				entry(3, func(e *requestlog.Entry) {
					e.Endpoint, e.AccountID, e.ConnectionID = "refresh", "acc-1", "con-1"
				}),
				entry(4, func(e *requestlog.Entry) {
					e.Endpoint, e.AccountID, e.ConnectionID, e.Proved = "refresh", "acc-1", "con-1", false
				}),
				entry(5, func(e *requestlog.Entry) { e.AppID = "nobody" }),
				entry(6, func(e *requestlog.Entry) { e.AppID = "no\x00body" }),
				entry(7, func(e *requestlog.Entry) { e.Grant, e.AccountID = "\x00\xff", "acme" }),
			},
			More:   []requestlog.More{{AppID: "own", ID: 2, N: 812}, {AppID: "own", ID: 99, N: 1}},
			Counts: []requestlog.Count{{AppID: "own", Day: 7, Endpoint: "token", Calls: 3, Errors: 1, Strangers: 4}, {AppID: "nobody", Day: 7, Endpoint: "token", Calls: 1}},
		}
		w.ok(w.db.SaveRequests(w.ctx, batch))
		w.ok(w.db.SaveRequests(w.ctx, requestlog.Batch{Counts: batch.Counts}))

		w.run(`UPDATE accounts SET name = 'Acme Inc' WHERE id = 'acme'`)
		ids := func(f requestlog.Filter, limit int) string {
			w.Helper()
			list, err := w.db.Requests(w.ctx, "own", f, limit)
			w.ok(err)
			said := ""
			for _, e := range list {
				said += fmt.Sprint(e.ID)
			}
			return said
		}
		for _, c := range []struct {
			f    requestlog.Filter
			most int
			want string
		}{
			{requestlog.Filter{}, 10, "74321"}, {requestlog.Filter{}, 2, "74"}, {requestlog.Filter{Before: 4}, 10, "321"},
			{requestlog.Filter{Outcome: requestlog.Refused}, 10, "2"}, {requestlog.Filter{Account: "acc-1"}, 10, "43"}, {requestlog.Filter{Account: "acme"}, 10, "7"}, {requestlog.Filter{Account: "Acme Inc"}, 10, "7"},
			{requestlog.Filter{ConnectionID: "con-1", Before: 4}, 10, "3"}, {requestlog.Filter{Endpoint: "token"}, 10, "721"},
			{requestlog.Filter{Origin: requestlog.Own}, 10, "7321"}, {requestlog.Filter{Origin: requestlog.Others}, 10, "4"},
			{requestlog.Filter{RequestID: "req_3"}, 10, "3"}, {requestlog.Filter{RequestID: "req\x00"}, 10, ""},
		} {
			if got := ids(c.f, c.most); got != c.want {
				w.Errorf("%+v: %q, want %q", c.f, got, c.want)
			}
		}
		e, err := w.db.Request(w.ctx, "own", 2)
		w.ok(err)
		if e.More != 812 || e.Rule != "code_expired" || e.Facts["at"] != "5" || e.Facts["odd"] != "\x00" || e.Took != 3*time.Millisecond ||
			!e.At.Equal(at.Truncate(time.Millisecond)) || !e.Proved || e.Sent != "a=b\n" {
			w.Errorf("it became %+v", e)
		}
		for _, app := range []string{"other", "nobody"} {
			_, err = w.db.Request(w.ctx, app, 2)
			w.wants(err, postern.NotFound)
		}
		last, err := w.db.LastOfConnections(w.ctx, "own", "refresh", []string{"con-0", "con-1"})
		w.ok(err)
		if len(last) != 1 || last["con-1"].ID != 4 {
			w.Errorf("last %+v", last)
		}
		for _, others := range [][]string{{"con-0"}, nil} {
			if last, err = w.db.LastOfConnections(w.ctx, "own", "refresh", others); err != nil || len(last) != 0 {
				w.Errorf("of %v: %+v, %v", others, last, err)
			}
		}
		counts, err := w.db.Counts(w.ctx, "own", 7)
		w.ok(err)
		if len(counts) != 1 || counts[0].Calls != 6 || counts[0].Errors != 2 || counts[0].Strangers != 8 {
			w.Errorf("counts %+v", counts)
		}
		apps, err := w.db.LoggedApps(w.ctx, "", 10)
		w.ok(err)
		if len(apps) != 1 || apps[0] != "own" {
			w.Errorf("logged apps %v", apps)
		}
		w.ok(w.db.PruneCounts(w.ctx, "own", 8))
		if counts, err = w.db.Counts(w.ctx, "own", 0); err != nil || len(counts) != 0 {
			w.Error("counts stayed", counts, err)
		}
	})
}

func TestPruningKeepsTheLatestOfEachKind(t *testing.T) {
	everywhere(t, func(w *world) {
		var b requestlog.Batch
		for id := range int64(60) {
			b.Entries = append(b.Entries, requestlog.Entry{AppID: "own", ID: id + 1, At: w.clock.Now(), Proved: id%3 == 0})
		}
		w.ok(w.db.SaveRequests(w.ctx, b))
		prune := func(below int64, own, strangers, limit, want int) {
			w.Helper()
			n, err := w.db.PruneRequests(w.ctx, "own", below, own, strangers, limit)
			w.ok(err)
			if n != want {
				w.Errorf("%d removed, want %d", n, want)
			}
		}
		prune(0, 5, 10, 7, 7)    // of 20 own ones 13 are left, in batches
		prune(0, 5, 10, 100, 38) // 8 own, 30 of others
		prune(0, 5, 10, 100, 0)
		left, err := w.db.Requests(w.ctx, "own", requestlog.Filter{}, 100)
		w.ok(err)
		own := 0
		for _, e := range left {
			if e.Proved {
				own++
			}
		}
		if len(left) != 15 || own != 5 || left[0].ID != 60 {
			w.Errorf("%d left, %d of them the app's own, the latest %d", len(left), own, left[0].ID)
		}
		prune(left[4].ID, 0, 0, 4, 4) // what is too old, in batches
		prune(left[4].ID, 0, 0, 100, 6)
	})
}

func TestAnAppsConnectionsAreListedLatestFirst(t *testing.T) {
	everywhere(t, func(w *world) {
		w.connect(rotating, "own", "ada", "acme", "read")
		w.clock.Advance(time.Second)
		w.connect(rotating, "own", "bob", "acme", "read")
		w.connect(rotating, "other", "ada", "acme", "read")
		w.run(`UPDATE accounts SET name = 'Acme Inc' WHERE id = 'acme'`)
		all, err := w.db.AppConnections(w.ctx, "own", "", "", 10)
		w.ok(err)
		if len(all) == 0 || all[0].Account.ID != "acme" || all[0].Connection.Scopes[0] != "read" {
			w.Fatalf("listed %+v", all)
		}
		last := all[len(all)-1].Connection.ID
		if rest, err := w.db.AppConnections(w.ctx, "own", "acme", last, 10); err != nil || len(rest) != 0 {
			w.Errorf("after the last: %+v %v", rest, err)
		}
		if named, err := w.db.AppConnections(w.ctx, "own", "Acme Inc", "", 10); err != nil || len(named) != len(all) {
			w.Errorf("of the account's name: %+v %v", named, err)
		}
		if none, err := w.db.AppConnections(w.ctx, "own", "nobody\x00", "", 10); err != nil || len(none) != 0 {
			w.Errorf("of nobody: %+v %v", none, err)
		}
		one, err := w.db.AppConnection(w.ctx, "own", last)
		w.ok(err)
		if one.Connection.ID != last {
			w.Errorf("one: %+v", one)
		}
		_, err = w.db.AppConnection(w.ctx, "other", last)
		w.wants(err, postern.NotFound)
		w.wants(w.rules.EndForApp(w.ctx, "other", last, "staff:x"), postern.NotFound)
		w.ok(w.rules.EndForApp(w.ctx, "own", last, "staff:x"))
		w.wants(w.rules.EndForApp(w.ctx, "own", last, "staff:x"), postern.NotFound)
		_, err = w.db.AppConnection(w.ctx, "own", last)
		w.wants(err, postern.NotFound)
	})
}
