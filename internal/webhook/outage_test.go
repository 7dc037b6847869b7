package webhook_test

import (
	"context"
	"crypto/rand"
	"io"
	"log/slog"
	"mime/quotedprintable"
	netmail "net/mail"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/mail"
	"postern.dev/postern/internal/posterntest/postbox"
	"postern.dev/postern/internal/posterntest/receiver"
	"postern.dev/postern/internal/webhook"
)

// post is the outbox as webhooks speak of it.
type post struct{ *mail.Outbox }

func (p post) Seal(to, subject, text string) (postern.SealedMail, error) {
	return p.Outbox.Seal(mail.Message{To: to, Subject: subject, Text: text})
}

// letters gives the partner two owners, others who get no mail, and the
// installation a mail server.
func (w *world) letters() *postbox.Postbox {
	w.Helper()
	box := postbox.New(w)
	server, err := mail.ParseServer(postern.Secret("smtp://"+box.Addr), false)
	if err != nil {
		w.Fatal(err)
	}
	server.From = netmail.Address{Address: "no-reply@acme.test"}
	out := mail.New(mail.Outbox{Rows: w.db, Sealer: w.vault, Now: w.clock.Now, Random: rand.Reader, Log: slog.New(slog.DiscardHandler), Server: server})
	w.rules.Mail, w.rules.PublicURL = post{out}, "https://connect.test"
	for id, role := range map[string]string{"ona": "owner", "otto": "owner", "dev": "developer", "gone": "owner"} {
		w.run(`INSERT INTO staff (id, realm, email, email_folded, created_at, disabled) VALUES ($1, 'partner', $2, $2, 1, $3)`, id, id+"@partner.test", id == "gone")
		w.run(`INSERT INTO partner_members (partner_id, staff_id, role, created_at) VALUES ('p1', $1, $2, 1)`, id, role)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { out.Run(ctx) })
	w.Cleanup(func() { cancel(); running.Wait() })
	return box
}

// tell has several nodes look for outages at once.
func (w *world) tell() {
	w.Helper()
	var nodes sync.WaitGroup
	for range 3 {
		nodes.Go(func() {
			if _, err := w.rules.TellOutages(w.ctx, 10); err != nil {
				w.Error(err)
			}
		})
	}
	nodes.Wait()
}

// toldOf wants so many mails in all, the latest two to the owners, and gives the
// text of the last.
func (w *world) toldOf(box *postbox.Postbox, n int, subject string) string {
	w.Helper()
	w.tell()
	w.tell()
	w.waitFor("all mails are sent", func() bool { return w.value(`SELECT count(*) FROM mails`) == "0" })
	got := box.Mails()
	if len(got) != n {
		w.Fatalf("%d mails came, not %d", len(got), n)
	}
	if n == 0 {
		return ""
	}
	last := got[n-2:]
	if to := []string{last[0].To, last[1].To}; !slices.Contains(to, "ona@partner.test") || !slices.Contains(to, "otto@partner.test") {
		w.Errorf("told were %v", to)
	}
	if s := last[1].Header.Get("Subject"); s != subject {
		w.Errorf("the subject is %q", s)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(last[1].Body))
	if err != nil {
		w.Fatal(err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// fails waits until the endpoint has failed so often in a row.
func (w *world) fails(n int) {
	w.Helper()
	w.waitFor("the endpoint fails", func() bool {
		e, err := w.rules.Endpoint(w.ctx, "x")
		return err == nil && e.Failures >= n
	})
}

func TestAnOutageIsToldOncePerOutage(t *testing.T) {
	everywhere(t, func(w *world) {
		box := w.letters()
		r := receiver.New(w, receiver.Status(503))
		w.app("x", "plain", "account", r.URL+"/hook?key=märker")
		w.connection("con_1", "x", "acme", "", "")
		w.start()
		first := w.event("con_1", postern.ConnectionCreated, "")
		w.fails(1)
		w.toldOf(box, 0, "")
		w.clock.Advance(23 * time.Hour)
		w.fails(2)
		w.toldOf(box, 0, "")
		w.clock.Advance(2 * time.Hour)
		text := w.toldOf(box, 2, "The webhook of x has been failing for a day")
		e, err := w.rules.Endpoint(w.ctx, "x")
		if err != nil {
			w.Fatal(err)
		}
		for _, want := range []string{
			"since " + e.FailingSince.UTC().Format("2 January 2006, 15:04 UTC"), r.URL + "/hook\n", "the status 503",
			"One event is waiting.", "https://connect.test/portal\n", "an owner of Partner",
		} {
			if !strings.Contains(text, want) {
				w.Errorf("the mail lacks %q:\n%s", want, text)
			}
		}
		if strings.Contains(text, "rker") {
			w.Errorf("the mail holds the key of the address:\n%s", text)
		}
		w.clock.Advance(10 * time.Hour)
		w.toldOf(box, 2, "The webhook of x has been failing for a day")

		r.Says(nil)
		w.clock.Advance(30 * time.Hour)
		w.becomes(first, webhook.Delivered)
		r.CloseClientConnections()
		r.Says(receiver.Status(500))
		w.event("con_1", postern.ConnectionUpdated, "")
		w.fails(1)
		w.toldOf(box, 2, "The webhook of x has been failing for a day")
		w.clock.Advance(25 * time.Hour)
		w.fails(2)
		if text := w.toldOf(box, 4, "The webhook of x has been failing for a day"); !strings.Contains(text, "the status 500") {
			w.Errorf("the second outage:\n%s", text)
		}
	})
}

func TestWH18_GoneIsToldAtOnceAndOnce(t *testing.T) {
	everywhere(t, func(w *world) {
		box := w.letters()
		r := receiver.New(w, receiver.Status(410))
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.start()
		id := w.event("con_1", postern.ConnectionCreated, "")
		w.becomes(id, webhook.Parked)
		text := w.toldOf(box, 2, "The webhook of x is switched off")
		if !strings.Contains(text, "410 Gone") || !strings.Contains(text, "https://connect.test/portal\n") {
			w.Errorf("the mail says\n%s", text)
		}
		w.clock.Advance(48 * time.Hour)
		w.toldOf(box, 2, "The webhook of x is switched off")
		// Sent again and taken, it is another outage when it says so again.
		r.Says(nil)
		if n, err := w.rules.Replay(w.ctx, webhook.Filter{AppID: "x", EventID: id}, "operator"); n != 1 || err != nil {
			w.Fatal(n, err)
		}
		w.becomes(id, webhook.Delivered)
		w.clock.Advance(time.Hour)
		r.Says(receiver.Status(410))
		w.becomes(w.event("con_1", postern.ConnectionUpdated, ""), webhook.Parked)
		w.toldOf(box, 4, "The webhook of x is switched off")
	})
}

// One failure a day ago, of an event that was then not to be sent, is no outage.
func TestWhatHasNothingToTellIsNoOutage(t *testing.T) {
	everywhere(t, func(w *world) {
		box := w.letters()
		r := receiver.New(w, receiver.Status(500))
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.start()
		id := w.event("con_1", postern.ConnectionCreated, "")
		w.fails(1)
		w.run(`UPDATE apps SET webhook_url = '' WHERE id = 'x'`)
		w.clock.Advance(25 * time.Hour)
		w.becomes(id, webhook.Kept)
		w.run(`UPDATE apps SET webhook_url = $1 WHERE id = 'x'`, r.URL)
		w.toldOf(box, 0, "")
	})
}

func TestWithoutMailNothingBreaks(t *testing.T) {
	everywhere(t, func(w *world) {
		w.letters()
		r := receiver.New(w, receiver.Status(410))
		w.app("x", "plain", "account", r.URL)
		w.connection("con_1", "x", "acme", "", "")
		w.start()
		w.becomes(w.event("con_1", postern.ConnectionCreated, ""), webhook.Parked)
		for _, none := range []webhook.Mailer{nil, post{mail.New(mail.Outbox{})}} {
			w.rules.Mail = none
			w.tell()
		}
		if n := w.value(`SELECT count(*) FROM mails`); n != "0" {
			w.Errorf("%s mails were kept", n)
		}
		if e, err := w.rules.Endpoint(w.ctx, "x"); err != nil || e.FailingSince.IsZero() || e.Status() != "disabled" {
			w.Errorf("the endpoint: %+v, %v", e, err)
		}
	})
}
