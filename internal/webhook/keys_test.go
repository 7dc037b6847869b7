package webhook_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/posterntest/receiver"
	"postern.dev/postern/internal/webhook"
)

func TestDuringARotationBothSecretsSign(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		old := w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.start()
		w.becomes(w.event("con_1", postern.ConnectionCreated, ""), webhook.Delivered)
		fresh := w.rotate("x")
		w.becomes(w.event("con_1", postern.ConnectionUpdated, ""), webhook.Delivered)
		if m := r.All()[1]; !m.Verified(w, old) || !m.Verified(w, fresh) {
			w.Errorf("during the overlap: %s", m.Header.Get("Webhook-Signature"))
		}
		w.clock.Advance(time.Hour + time.Second)
		time.Sleep(1500 * time.Millisecond) // it is let go meanwhile
		w.becomes(w.event("con_1", postern.ConnectionUpdated, ""), webhook.Delivered)
		if m := r.All()[2]; strings.Contains(m.Header.Get("Webhook-Signature"), " ") {
			w.Errorf("after the overlap: %s", m.Header.Get("Webhook-Signature"))
		}
		for _, column := range []string{
			w.value(`SELECT webhook_secret FROM apps`), w.value(`SELECT old_secret FROM endpoints`),
		} {
			if strings.Contains(column, "whsec_") || len(column) < 32 {
				w.Error("a key is in the rows in clear")
			}
		}
	})
}

// rotate gives an app another secret; the old one signs for an hour.
func (w *world) rotate(app string) string {
	w.Helper()
	e, err := w.rules.Endpoint(w.ctx, app)
	if err != nil {
		w.Fatal(err)
	}
	secret, err := w.rules.RotateSecret(w.ctx, e, time.Hour, "operator")
	if err != nil {
		w.Fatal(err)
	}
	return string(secret)
}

// A form that was sent twice showed two secrets, of which one signed nothing, and
// could end the one in use at once.
func TestOfManyRotationsAtOnceOneCounts(t *testing.T) {
	everywhere(t, func(w *world) {
		w.app("x", "plain", "account", "https://partner.test/hook")
		w.run(`UPDATE apps SET webhook_secret = NULL`)
		for _, what := range []string{"the first secret", "the second"} {
			e, err := w.rules.Endpoint(w.ctx, "x")
			if err != nil {
				w.Fatal(err)
			}
			var made, refused atomic.Int32
			var all sync.WaitGroup
			for range 20 {
				all.Go(func() {
					switch _, err := w.rules.RotateSecret(w.ctx, e, time.Hour, "operator"); {
					case err == nil:
						made.Add(1)
					case postern.Is(err, postern.Conflict):
						refused.Add(1)
					default:
						w.Error(err)
					}
				})
			}
			all.Wait()
			if made.Load() != 1 || refused.Load() != 19 {
				w.Errorf("%s: %d made, %d refused", what, made.Load(), refused.Load())
			}
		}
	})
}

func TestEd25519SignsBesideTheSecret(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		secret := w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		public, err := w.rules.SetEd25519(w.ctx, "x", true, "operator")
		if err != nil {
			w.Fatal(err)
		}
		w.start()
		w.becomes(w.event("con_1", postern.ConnectionCreated, ""), webhook.Delivered)
		m := r.All()[0]
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(public, "whpk_"))
		if err != nil {
			w.Fatal(err)
		}
		_, v1a, _ := strings.Cut(m.Header.Get("Webhook-Signature"), " v1a,")
		signature, err := base64.StdEncoding.DecodeString(v1a)
		signed := m.ID() + "." + m.Header.Get("Webhook-Timestamp") + "." + string(m.Body)
		if err != nil || !ed25519.Verify(key, []byte(signed), signature) || !m.Verified(w, secret) {
			w.Errorf("%s", m.Header.Get("Webhook-Signature"))
		}
		if e, err := w.rules.Endpoint(w.ctx, "x"); err != nil {
			w.Error(err)
		} else if again, err := w.rules.PublicKey(e); again != public || err != nil {
			w.Errorf("%s, not %s: %v", again, public, err)
		}
		if _, err := w.rules.SetEd25519(w.ctx, "x", false, "operator"); err != nil {
			w.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond)
		w.becomes(w.event("con_1", postern.ConnectionUpdated, ""), webhook.Delivered)
		if strings.Contains(r.All()[1].Header.Get("Webhook-Signature"), "v1a") {
			w.Error("it goes on signing")
		}
	})
}

// WH-20: the largest message stays under 20 kB.
func TestWH20_TheLargestMessageIsSmall(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		w.app("x", "xref", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "candidates.read")
		data := `{"x":"` + strings.Repeat("a", webhook.MostData-8) + `"}`
		w.start()
		_, err := w.rules.Publish(w.ctx, []webhook.Published{{ID: strings.Repeat("i", 128), Type: "candidate.updated", AccountID: "acme", Data: []byte(data)}}, "operator")
		if err != nil {
			w.Fatal(err)
		}
		m := r.Wait(w, 1)[0]
		if len(m.Body) > 20_000 || len(m.Body) < webhook.MostData || strings.Contains(string(m.Body), "whsec_") {
			w.Errorf("%d bytes", len(m.Body))
		}
	})
}

func TestATestEventArrives(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		secret := w.app("x", "plain", "account", r.URL)
		w.app("none", "plain", "account", "")
		w.start()
		id, err := w.rules.Test(w.ctx, "x", "operator")
		if err != nil {
			w.Fatal(err)
		}
		m := r.Wait(w, 1)[0]
		if kind, _ := m.Data(); kind != webhook.TestType || m.ID() != id || !m.Verified(w, secret) {
			w.Errorf("%s", m.Body)
		}
		if _, err := w.rules.Test(w.ctx, "none", "operator"); !postern.Is(err, postern.Conflict) {
			w.Errorf("an app without an endpoint: %v", err)
		}
		if _, err := w.rules.Test(w.ctx, "nobody", "operator"); !postern.Is(err, postern.NotFound) {
			w.Errorf("an app that is none: %v", err)
		}
	})
}

// Each is kept for a month, so a program that presses the button fills no table.
func TestAnAppSendsItselfSoManyTestsAnHour(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		w.app("x", "plain", "account", r.URL)
		w.app("y", "plain", "account", r.URL)
		w.start()
		for range 60 {
			id, err := w.rules.Test(w.ctx, "x", "operator")
			if err != nil {
				w.Fatal(err)
			}
			w.becomes(id, webhook.Delivered)
		}
		if _, err := w.rules.Test(w.ctx, "x", "operator"); !postern.Is(err, postern.RateLimited) {
			w.Errorf("one more: %v", err)
		}
		if _, err := w.rules.Test(w.ctx, "y", "operator"); err != nil {
			w.Errorf("another app's: %v", err)
		}
		w.clock.Advance(time.Hour + time.Second)
		if _, err := w.rules.Test(w.ctx, "x", "operator"); err != nil {
			w.Errorf("an hour later: %v", err)
		}
	})
}

// A partner who has mended his endpoint need not wait for the next try, which may
// be a day away, nor guess how to switch on what 410 has switched off.
func TestWhatWaitsForItsNextTryCanBeSentNow(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, receiver.Status(500))
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.connection("con_2", "x", "globex", "", "")
		w.start()
		first, other := w.event("con_1", postern.ConnectionCreated, ""), w.event("con_2", postern.ConnectionCreated, "")
		w.waitFor("both have failed", func() bool { return w.value(`SELECT count(*) FROM deliveries WHERE attempts = 1`) == "2" })
		behind := w.event("con_1", postern.ConnectionDeleted, "app")
		w.waitFor("the third is behind the first", func() bool { return w.state(behind) == string(webhook.Open) })
		if _, err := w.rules.Replay(w.ctx, webhook.Filter{AppID: "x", EventID: behind}, "operator"); !postern.Is(err, postern.Conflict) {
			w.Errorf("one that is behind another: %v", err)
		}
		if _, err := w.rules.Replay(w.ctx, webhook.Filter{AppID: "x", EventID: "evt_none"}, "operator"); !postern.Is(err, postern.NotFound) {
			w.Errorf("one that is none: %v", err)
		}
		r.Says(nil)
		if n, err := w.rules.Replay(w.ctx, webhook.Filter{AppID: "x", EventID: first}, "operator"); n != 1 || err != nil {
			w.Fatal(n, err)
		}
		w.becomes(first, webhook.Delivered)
		w.becomes(behind, webhook.Delivered)
		if s := w.state(other); s != string(webhook.Open) {
			w.Errorf("the other, which nobody named, is %s", s)
		}
		if n, err := w.rules.Replay(w.ctx, webhook.Filter{AppID: "x", State: webhook.Open}, "operator"); n != 1 || err != nil {
			w.Fatal(n, err)
		}
		w.becomes(other, webhook.Delivered)
	})
}

func TestATestEventIsSentToAnEndpointThatSaidGone(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, receiver.Status(410))
		w.app("x", "plain", "account", r.URL)
		w.start()
		test := func() string {
			id, err := w.rules.Test(w.ctx, "x", "operator")
			if err != nil {
				w.Fatal(err)
			}
			return id
		}
		w.becomes(test(), webhook.Parked)
		r.Says(nil)
		w.becomes(test(), webhook.Delivered)
		if e, err := w.rules.Endpoint(w.ctx, "x"); err != nil || e.Status() != "healthy" {
			w.Errorf("%s, %v", e.Status(), err)
		}
	})
}

// A range replayed goes out in order.
func TestAReplayedRangeKeepsItsOrder(t *testing.T) {
	everywhere(t, func(w *world) {
		r := receiver.New(w, nil)
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.start()
		var ids []string
		for range 5 {
			ids = append(ids, w.event("con_1", postern.ConnectionUpdated, ""))
		}
		w.becomes(ids[4], webhook.Delivered)
		n, err := w.rules.Replay(w.ctx, webhook.Filter{AppID: "x", State: webhook.Delivered, Since: w.clock.Now().Add(-time.Hour)}, "operator")
		if n != 5 || err != nil {
			w.Fatal(n, err)
		}
		r.Wait(w, 10)
		if got := strings.Join(r.IDs()[5:], " "); got != strings.Join(ids, " ") {
			w.Errorf("%s", got)
		}
		_, attempts, _, err := w.rules.Delivery(w.ctx, "x", ids[0])
		if err != nil || len(attempts) > 2 {
			w.Errorf("%d attempts, %v", len(attempts), err)
		}
	})
}
