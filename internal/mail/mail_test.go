package mail_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"mime"
	"mime/quotedprintable"
	"net/http/httptest"
	netmail "net/mail"
	"strings"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/mail"
	"postern.dev/postern/internal/posterntest/clock"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/posterntest/postbox"
	"postern.dev/postern/internal/store"
	"postern.dev/postern/internal/vault"
)

// office is a database with any number of outboxes over it.
type office struct {
	t     *testing.T
	db    *store.DB
	clock *clock.Clock
	log   lockedBuffer
	box   *postbox.Postbox
}

type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

type sealer struct{ *vault.Vault }

func (s sealer) Seal(table, row, column string, plain []byte) ([]byte, error) {
	return s.Vault.Seal(plain, vault.Place{Table: table, Row: row, Column: column})
}

func (s sealer) Open(table, row, column string, sealed []byte) ([]byte, error) {
	return s.Vault.Open(sealed, vault.Place{Table: table, Row: row, Column: column})
}

func newOffice(t *testing.T, database string, options ...postbox.Option) *office {
	t.Helper()
	db, err := store.Open(t.Context(), database)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &office{t: t, db: db, clock: clock.New(), box: postbox.New(t, options...)}
}

// outbox is one node's, which sends if it runs.
func (o *office) outbox(key byte) *mail.Outbox {
	server, err := mail.ParseServer(postern.Secret("smtp://"+o.box.Addr), false)
	if err != nil {
		o.t.Fatal(err)
	}
	server.From = netmail.Address{Name: "Acme", Address: "no-reply@acme.test"}
	return mail.New(mail.Outbox{
		Rows: o.db, Sealer: sealer{vault.New(vault.Key{key}, rand.Reader)}, Now: o.clock.Now, Random: rand.Reader,
		Log: slog.New(slog.NewTextHandler(&o.log, &slog.HandlerOptions{Level: slog.LevelDebug})), Server: server,
	})
}

// runs is an outbox that sends until the test ends or stop is called.
func (o *office) runs(out *mail.Outbox) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var done sync.WaitGroup
	done.Go(func() { out.Run(ctx) })
	stop = func() { cancel(); done.Wait() }
	o.t.Cleanup(stop)
	return stop
}

func (o *office) left() int {
	o.t.Helper()
	all, err := o.db.TakeMails(context.Background(), o.clock.Now().Add(1000*time.Hour), o.clock.Now().Add(time.Hour), 1000)
	if err != nil {
		o.t.Fatal(err)
	}
	return len(all)
}

// logged waits until the log says so.
func (o *office) logged(words string) {
	o.t.Helper()
	eventually(o.t, "the log says "+words, func() bool { return strings.Contains(o.log.String(), words) })
}

func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !is(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never came true: %s", what)
		}
	}
}

const link = "https://acme.test/reset/pt_rst_0123456789"

var hello = mail.Message{To: "ada@acme.test", Subject: "Grüße – a new password", Text: "Dear Ada,\n\nopen " + link + "\n\n.\nYours: Ünsal, 東京\n"}

func send(t *testing.T, out *mail.Outbox, m mail.Message) {
	t.Helper()
	if err := out.Send(context.Background(), m); err != nil {
		t.Fatal(err)
	}
}

func text(t *testing.T, m postbox.Mail) string {
	t.Helper()
	if enc := m.Header.Get("Content-Transfer-Encoding"); enc != "quoted-printable" {
		t.Fatalf("the encoding is %q", enc)
	}
	b, err := io.ReadAll(quotedprintable.NewReader(m.Body))
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(string(b), "\r\n", "\n")
}

func TestAMailArrivesAsItWasWritten(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		o := newOffice(t, database)
		out := o.outbox(1)
		send(t, out, hello)
		o.runs(out)
		m := o.box.Wait(1)[0]
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil || subject != hello.Subject {
			t.Errorf("the subject is %q, %v", subject, err)
		}
		if got := text(t, m); got != hello.Text {
			t.Errorf("the text is %q", got)
		}
		for name, want := range map[string]string{
			"From": `"Acme" <no-reply@acme.test>`, "To": "<ada@acme.test>", "Auto-Submitted": "auto-generated",
			"Content-Type": "text/plain; charset=UTF-8",
		} {
			if got := m.Header.Get(name); got != want {
				t.Errorf("%s: %s; wanted %s", name, got, want)
			}
		}
		if m.From != "no-reply@acme.test" || m.To != "ada@acme.test" || !strings.HasSuffix(m.Header.Get("Message-ID"), "@acme.test>") {
			t.Errorf("from %s to %s, %s", m.From, m.To, m.Header.Get("Message-ID"))
		}
		eventually(t, "the row is gone", func() bool { return o.left() == 0 })
		for _, never := range []string{"ada@acme", "0123456789", "Grüße"} {
			if strings.Contains(o.log.String(), never) {
				t.Errorf("the log holds %q:\n%s", never, &o.log)
			}
		}
	})
}

func TestNothingInAMailBecomesAHeaderOrTurnsTheTextAround(t *testing.T) {
	o := newOffice(t, engines.SQLite(t))
	out := o.outbox(1)
	for _, m := range []mail.Message{
		{To: "ada@acme.test\r\nBcc: eve@evil.test", Subject: "x", Text: "x"},
		{To: "ada@acme.test\nBcc: eve@evil.test", Subject: "x", Text: "x"},
		{To: "ada@acme.test, eve@evil.test", Subject: "x", Text: "x"},
		{To: "ada@acme.test> RCPT TO:<eve@evil.test", Subject: "x", Text: "x"},
		{To: "Ada <ada@acme.test>", Subject: "x", Text: "x"},
		{To: "", Subject: "x", Text: "x"},
		{To: "ada", Subject: "x", Text: "x"},
		{To: "ada@acme.test\u202e", Subject: "x", Text: "x"},
		{To: "ada@acme.test", Subject: "x\r\nBcc: eve@evil.test", Text: "x"},
		{To: "ada@acme.test", Subject: "x\ny", Text: "x"},
		{To: "ada@acme.test", Subject: "x\ry", Text: "x"},
		{To: "ada@acme.test", Subject: "\u202egnp.exe", Text: "x"},
		{To: "ada@acme.test", Subject: "a\u2066b", Text: "x"},
		{To: "ada@acme.test", Subject: "", Text: "x"},
		{To: "ada@acme.test", Subject: strings.Repeat("x", 201), Text: "x"},
		{To: "ada@acme.test", Subject: "\xff", Text: "x"},
		{To: "ada@acme.test", Subject: "x", Text: ""},
		{To: "ada@acme.test", Subject: "x", Text: "a\r\n.\r\nMAIL FROM:<eve@evil.test>"},
		{To: "ada@acme.test", Subject: "x", Text: "a\x00b"},
		{To: "ada@acme.test", Subject: "x", Text: "a\u202eb"},
		{To: "ada@acme.test", Subject: "x", Text: strings.Repeat("x", 64<<10+1)},
	} {
		if err := out.Send(t.Context(), m); !postern.Is(err, postern.InvalidRequest) {
			t.Errorf("%.80q: %v", fmt.Sprint(m), err)
		}
	}
	if n := o.left(); n != 0 {
		t.Errorf("%d were kept", n)
	}
}

// Whatever the operator calls himself arrives so.
func TestTheSendersNameIsWrittenAsItIs(t *testing.T) {
	for _, text := range []string{`Grüße & Söhne <no-reply@acme.test>`, `"Acme \"the\" Co, Inc." <no-reply@acme.test>`, `no-reply@acme.test`} {
		o := newOffice(t, engines.SQLite(t))
		out := o.outbox(1)
		from, err := mail.ParseFrom(text)
		if err != nil {
			t.Fatal(err)
		}
		out.Server.From = from
		send(t, out, hello)
		o.runs(out)
		got, err := netmail.ParseAddress(o.box.Wait(1)[0].Header.Get("From"))
		if err != nil || *got != from {
			t.Errorf("%s arrived as %v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"", "Acme", "a@b, c@d", "A <a@b>\r\nBcc: c@d", "A\u202e <a@b.test>"} {
		if from, err := mail.ParseFrom(bad); err == nil {
			t.Errorf("%q was read as %v", bad, from)
		}
	}
}

func FuzzParseServer(f *testing.F) {
	for _, text := range []string{"smtp://u:p@h", "smtps://h:465", "smtp://[::1]:25", "smtp://%zz", "smtp://h:99999"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := mail.ParseServer(postern.Secret(text), false)
		if err == nil && (s.Host == "" || s.Port < 1 || s.Port > 65535 || (s.User == "") != (s.Password == "")) {
			t.Errorf("%q was read as %+v", text, s)
		}
	})
}

func FuzzMail(f *testing.F) {
	f.Add("ada@acme.test", "Hello", "Dear Ada")
	f.Add("\"a b\"@x", "=?utf-8?q?=0d=0aBcc:_eve@x?=", ".\nQUIT\n")
	f.Fuzz(func(t *testing.T, to, subject, text string) {
		out := mail.New(mail.Outbox{Server: &mail.Server{}, Random: rand.Reader, Now: time.Now, Sealer: sealer{vault.New(vault.Key{}, rand.Reader)}})
		m := mail.Message{To: to, Subject: subject, Text: text}
		if _, err := out.Seal(m); err == nil && strings.ContainsAny(to+subject, "\r\n\x00") {
			t.Errorf("%q was taken", m)
		}
	})
}

func TestTheRowsTellNothing(t *testing.T) {
	o := newOffice(t, engines.SQLite(t))
	send(t, o.outbox(1), hello)
	kept, err := o.db.TakeMails(t.Context(), o.clock.Now(), o.clock.Now().Add(time.Hour), 10)
	if err != nil || len(kept) != 1 {
		t.Fatal(kept, err)
	}
	for _, never := range []string{"ada", "acme", "Dear", "reset"} {
		if bytes.Contains(kept[0].Sealed, []byte(never)) {
			t.Errorf("the row holds %q", never)
		}
	}
}

func TestAMailServerThatIsDownForAWhileLosesNothing(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		o := newOffice(t, database)
		out := o.outbox(1)
		o.box.Stop()
		o.runs(out)
		for range 3 {
			send(t, out, hello)
		}
		eventually(t, "each was tried", func() bool { return strings.Count(o.log.String(), "it is tried again") >= 3 })
		o.box.Start()
		o.clock.Advance(11 * time.Second)
		o.box.Wait(3)
		eventually(t, "all were sent", func() bool { return o.left() == 0 })
		if got := len(o.box.Mails()); got != 3 {
			t.Errorf("%d came", got)
		}
	})
}

func TestAMailThatIsRefusedForADayIsDroppedWithoutNamingAnybody(t *testing.T) {
	o := newOffice(t, engines.SQLite(t))
	out := o.outbox(1)
	o.box.Refuse("550 5.1.1 <ada@acme.test> is unknown here")
	send(t, out, hello)
	o.runs(out)
	for try := 1; try <= 8; try++ {
		eventually(t, fmt.Sprint("try ", try), func() bool { return strings.Count(o.log.String(), "it is tried again") == try })
		o.clock.Advance(time.Hour + time.Second)
	}
	if n, err := out.Sweep(t.Context(), 10); n != 0 || err != nil {
		t.Fatalf("after 8 h: %d, %v", n, err)
	}
	o.clock.Advance(16 * time.Hour)
	if n, err := out.Sweep(t.Context(), 10); n != 1 || err != nil {
		t.Fatalf("after a day: %d, %v", n, err)
	}
	o.logged("could not be sent for a day and is dropped")
	for _, want := range []string{"to=a…@acme.test", "status 550 5.1.1", "tries="} {
		if !strings.Contains(o.log.String(), want) {
			t.Errorf("the log lacks %q:\n%s", want, &o.log)
		}
	}
	if strings.Contains(o.log.String(), "ada@") || o.left() != 0 || len(o.box.Mails()) != 0 {
		t.Errorf("%d left; the log:\n%s", o.left(), &o.log)
	}
}

// The server took it, and nobody heard it say so: it comes again, and a reader's
// program can know it.
func TestAMailIsSentAtLeastOnceWithOneMessageID(t *testing.T) {
	o := newOffice(t, engines.SQLite(t))
	out := o.outbox(1)
	o.box.Vanish()
	send(t, out, hello)
	o.runs(out)
	o.logged("it is tried again")
	o.clock.Advance(11 * time.Second)
	got := o.box.Wait(2)
	if id := got[0].Header.Get("Message-ID"); id == "" || id != got[1].Header.Get("Message-ID") {
		t.Errorf("sent as %s and %s", id, got[1].Header.Get("Message-ID"))
	}
	eventually(t, "it is done", func() bool { return o.left() == 0 })
}

// A node that took mails and died is followed by another that sends them.
func TestWhatADeadNodeHadTakenIsSentByAnother(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		o := newOffice(t, database)
		out := o.outbox(1)
		send(t, out, hello)
		taken, err := o.db.TakeMails(t.Context(), o.clock.Now(), o.clock.Now().Add(3*time.Minute), 1)
		if err != nil || len(taken) != 1 {
			t.Fatal(taken, err)
		}
		o.runs(out) // the other node
		if again, err := o.db.TakeMails(t.Context(), o.clock.Now(), o.clock.Now().Add(3*time.Minute), 1); err != nil || len(again) != 0 {
			t.Fatalf("two have it: %v, %v", again, err)
		}
		o.clock.Advance(3*time.Minute + time.Second)
		o.box.Wait(1)
	})
}

func TestOfManyNodesOneSendsAMail(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		o := newOffice(t, database)
		for range 4 {
			o.runs(o.outbox(1))
		}
		const mails = 25
		sender := o.outbox(1)
		for range mails {
			send(t, sender, hello)
		}
		o.box.Wait(mails)
		eventually(t, "all rows are gone", func() bool { return o.left() == 0 })
		if got := len(o.box.Mails()); got != mails {
			t.Errorf("%d of %d mails came", got, mails)
		}
	})
}

func TestAMailOfAnotherKeyIsDroppedAndHoldsUpNothing(t *testing.T) {
	o := newOffice(t, engines.SQLite(t))
	send(t, o.outbox(2), hello)
	out := o.outbox(1)
	send(t, out, hello)
	o.runs(out)
	o.box.Wait(1)
	o.logged("cannot be opened and is dropped")
	eventually(t, "both rows are gone", func() bool { return o.left() == 0 })
}

func TestWithoutConfigurationNothingIsSent(t *testing.T) {
	o := newOffice(t, engines.SQLite(t))
	out := o.outbox(1)
	out.Server = nil
	if err := out.Send(t.Context(), hello); !postern.Is(err, postern.Conflict) || out.Configured() {
		t.Errorf("said %v", err)
	}
	out.Run(t.Context()) // gives up at once
}

// certificate is one for 127.0.0.1, with the pool that knows it.
func certificate(t *testing.T) (*tls.Config, *x509.CertPool) {
	s := httptest.NewTLSServer(nil)
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, roots
}

func TestMailsGoOverTLSOrNotAtAll(t *testing.T) {
	ours, roots := certificate(t)
	const user, password = "postern", "pa55-märker/@:"
	for _, c := range []struct {
		name   string
		offer  []postbox.Option
		tls    mail.Protection
		roots  *x509.CertPool
		secret string
		fails  string // "": it arrives
	}{
		{"STARTTLS", []postbox.Option{postbox.StartTLS(ours)}, mail.StartTLS, roots, password, ""},
		{"TLS from the start", []postbox.Option{postbox.ImplicitTLS(ours)}, mail.Implicit, roots, password, ""},
		{"plain on loopback", nil, mail.Plain, nil, password, ""},
		{"no STARTTLS offered", nil, mail.StartTLS, roots, password, "STARTTLS"},
		{"a certificate of nobody's", []postbox.Option{postbox.StartTLS(ours)}, mail.StartTLS, nil, password, "certificate"},
		{"the wrong password", []postbox.Option{postbox.StartTLS(ours)}, mail.StartTLS, roots, "wrong-märker", "535"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := newOffice(t, engines.SQLite(t), append(c.offer, postbox.Auth(user, password))...)
			out := o.outbox(1)
			out.Server.TLS, out.Server.Roots = c.tls, c.roots
			out.Server.User, out.Server.Password = user, postern.Secret(c.secret)
			send(t, out, hello)
			o.runs(out)
			if c.fails == "" {
				if m := o.box.Wait(1)[0]; m.TLS != (c.tls != mail.Plain) {
					t.Errorf("TLS: %v", m.TLS)
				}
				return
			}
			o.logged("it is tried again")
			if log := o.log.String(); !strings.Contains(log, c.fails) || strings.Contains(log, "märker") {
				t.Errorf("the log:\n%s", log)
			}
			if len(o.box.Mails()) > 0 {
				t.Error("it was sent all the same")
			}
		})
	}
}

func TestTheServersAddress(t *testing.T) {
	for text, want := range map[string]string{
		"smtp://u:p@smtp.example.com":        "smtp.example.com:587 (starttls)",
		"smtp://u:p@smtp.example.com:25":     "smtp.example.com:25 (starttls)",
		"smtps://u:p%40%2f@smtp.example.com": "smtp.example.com:465 (tls)",
		"smtp://127.0.0.1:1025":              "127.0.0.1:1025 (none)",
		"smtp://[::1]:1025":                  "[::1]:1025 (none)",
		"smtp://localhost":                   "localhost:587 (none)",
		"smtp://localhost.evil.example:1025": "localhost.evil.example:1025 (starttls)",
		"http://u:marker@x":                  "",
		"smtp://":                            "",
		"smtp://u:marker@x/path":             "",
		"smtp://u:marker@x?tls=no":           "",
		"smtp://u:marker@x:0":                "",
		"smtp://u:marker@x:99999":            "",
		"smtp://u:marker%zz@x":               "",
		"smtp://u@x":                         "",
		"smtp://:marker@x":                   "",
		"marker":                             "",
	} {
		s, err := mail.ParseServer(postern.Secret(text), false)
		switch {
		case want == "" && (err == nil || strings.Contains(err.Error(), "marker")):
			t.Errorf("%s: %v", text, err)
		case want != "" && (err != nil || s.LogValue().String() != want):
			t.Errorf("%s: %v, %v", text, s, err)
		}
	}
	if s, err := mail.ParseServer("smtp://u:p@smtp.example.com", true); err != nil || s.TLS != mail.Plain {
		t.Errorf("where the operator insists: %v, %v", s, err)
	}
	if s := fmt.Sprintf("%v %+v", &mail.Server{Password: "marker"}, mail.Server{Password: "marker"}); strings.Contains(s, "marker") {
		t.Errorf("it prints as %s", s)
	}
}
