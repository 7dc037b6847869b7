package webhook_test

import (
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/posterntest/receiver"
	"postern.dev/postern/internal/webhook"
)

// WH-01, WH-05: where an endpoint leads inside, also one whose row is older than
// the rule, the event stays pending, the endpoint counts as failing, and all are
// told the same.
func TestWH05_WhatLeadsInsideStaysPendingAndFails(t *testing.T) {
	everywhere(t, func(w *world) {
		w.connection("con_0", "none", "acme", "", "")
		events := map[string]string{}
		for app, url := range map[string]string{
			"private": "http://10.0.0.5/hook", "mapped": "http://[::ffff:10.0.0.5]/hook", "metadata": "http://169.254.169.254/latest", "shell": "http://8.8.8.8:22/",
		} {
			w.app(app, "plain", "account", url)
			w.connection("con_"+app, app, "acme", "", "")
			events[app] = w.event("con_"+app, postern.ConnectionCreated, "")
		}
		w.start()
		for app, id := range events {
			w.waitFor("an attempt for "+app, func() bool { return w.value(`SELECT count(*) FROM attempts WHERE app_id = $1`, app) == "1" })
			if s := w.state(id); s != "open" {
				w.Errorf("%s: the event is %s", app, s)
			}
			e, err := w.rules.Endpoint(w.ctx, app)
			if err != nil || e.Status() != "failing" || e.FailingSince.IsZero() {
				w.Errorf("%s: %+v, %v", app, e, err)
			}
			_, attempts, _, err := w.rules.Delivery(w.ctx, app, id)
			if err != nil || attempts[0].Error != "The endpoint's host is not on the public internet." || attempts[0].Status != 0 {
				w.Errorf("%s: %+v, %v", app, attempts, err)
			}
		}
	})
}

// WH-08: a redirect is a failure; where it led is shown nowhere.
func TestWH08_ARedirectIsAFailure(t *testing.T) {
	everywhere(t, func(w *world) {
		inner := receiver.New(w, nil)
		r := receiver.New(w, func(rw http.ResponseWriter, _ *http.Request) {
			rw.Header().Set("Location", inner.URL+"/märker")
			rw.WriteHeader(http.StatusTemporaryRedirect)
		})
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		id := w.event("con_1", postern.ConnectionCreated, "")
		w.start()
		w.waitFor("an attempt", func() bool { return w.value(`SELECT count(*) FROM attempts`) == "1" })
		_, attempts, _, err := w.rules.Delivery(w.ctx, "x", id)
		if err != nil || attempts[0].Status != 307 || w.state(id) != "open" {
			w.Errorf("%+v, %v, %s", attempts, err, w.state(id))
		}
		if strings.Contains(attempts[0].Reply+attempts[0].Error, "rker") || len(inner.All()) != 0 {
			w.Errorf("%+v; %d came to where it led", attempts, len(inner.All()))
		}
	})
}

// WH-15: a retry has the id of the first attempt, and the time of its own.
func TestWH15_ARetryHasTheSameIDAndANewTimestamp(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, receiver.Status(500))
		secret := w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.start()
		sent := []time.Time{w.clock.Now()}
		id := w.event("con_1", postern.ConnectionCreated, "")
		w.waitFor("a failure", func() bool { return w.value(`SELECT count(*) FROM attempts`) == "1" })
		r.Says(nil)
		w.clock.Advance(30 * time.Second)
		sent = append(sent, w.clock.Now())
		w.becomes(id, webhook.Delivered)
		got := r.All()
		if len(got) != 2 || string(got[0].Body) != string(got[1].Body) {
			w.Fatalf("%d requests: %v", len(got), got)
		}
		for i, m := range got {
			at, err := strconv.ParseInt(m.Header.Get("Webhook-Timestamp"), 10, 64)
			if err != nil || time.Unix(at, 0).Sub(sent[i]).Abs() > 5*time.Second || m.ID() != id || !m.Verified(w, secret) {
				w.Errorf("attempt %d of %s at %s: %v", i+1, id, sent[i], m.Header)
			}
		}
	})
}

// WH-16: while one app's key is rotated, no key of another verifies.
func TestWH16_KeysStayApartWhileTheyAreRotated(t *testing.T) {
	everywhere(t, func(w *world) {
		receivers := map[string]*receiver.Receiver{}
		secrets := map[string][]string{}
		for _, app := range []string{"a1", "b1"} {
			receivers[app] = receiver.New(w, nil)
			secrets[app] = []string{w.app(app, "plain", "account", receivers[app].URL)}
			w.connection("con_"+app, app, "acme", "", "")
		}
		w.start()
		for range 3 {
			w.becomes(w.event("con_a1", postern.ConnectionUpdated, ""), webhook.Delivered)
			w.becomes(w.event("con_b1", postern.ConnectionUpdated, ""), webhook.Delivered)
			fresh := w.rotate("a1")
			secrets["a1"] = append(secrets["a1"], fresh)
		}
		verified := func(m *receiver.Message, keys []string) bool {
			for _, key := range keys {
				if m.Verified(w, key) {
					return true
				}
			}
			return false
		}
		for app, other := range map[string]string{"a1": "b1", "b1": "a1"} {
			for _, m := range receivers[app].All() {
				if !strings.Contains(m.ID(), app) || !verified(&m, secrets[app]) || verified(&m, secrets[other]) {
					w.Errorf("%s got %s", app, m.ID())
				}
			}
		}
	})
}
