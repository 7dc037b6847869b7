// Package postbox is a mail server for tests: it speaks enough SMTP (RFC 5321)
// for a client that knows nothing of tests, keeps what it is given, and can be
// away, refuse, or fall silent at the worst moment.
package postbox

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net"
	"net/mail"
	"net/textproto"
	"strings"
	"sync"
	"testing"
	"time"
)

// Postbox is a running mail server.
type Postbox struct {
	Addr string // host:port; the same after Stop and Start

	t    testing.TB
	tls  *tls.Config // STARTTLS is offered
	from bool        // TLS from the first byte
	auth string      // user:password that must be given; "": none is asked for

	mu       sync.Mutex
	listener net.Listener
	open     map[net.Conn]bool
	got      []Mail
	refusal  string // what a recipient is answered; "": welcome
	vanish   bool   // takes the next mail, and is gone before it says so
	mute     bool   // takes the next mail, and never says so
	seen     chan struct{}
}

// Mail is one that was taken.
type Mail struct {
	From, To string // of the envelope
	TLS      bool
	Raw      []byte
	*mail.Message
}

// Option changes what Start starts.
type Option func(*Postbox)

// StartTLS offers TLS after a plain greeting.
func StartTLS(c *tls.Config) Option { return func(p *Postbox) { p.tls = c } }

// ImplicitTLS speaks TLS from the first byte.
func ImplicitTLS(c *tls.Config) Option { return func(p *Postbox) { p.tls, p.from = c, true } }

// Auth asks for this user and password.
func Auth(user, password string) Option {
	return func(p *Postbox) { p.auth = user + "\x00" + password }
}

// New starts a mail server that ends with the test.
func New(t testing.TB, options ...Option) *Postbox {
	t.Helper()
	p := &Postbox{t: t, Addr: "127.0.0.1:0", open: map[net.Conn]bool{}, seen: make(chan struct{}, 1024)}
	for _, option := range options {
		option(p)
	}
	p.Start()
	t.Cleanup(p.Stop)
	return p
}

// Start listens again after Stop.
func (p *Postbox) Start() {
	p.t.Helper()
	l, err := net.Listen("tcp", p.Addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.Addr = l.Addr().String()
	if p.from {
		l = tls.NewListener(l, p.tls)
	}
	p.mu.Lock()
	p.listener = l
	p.mu.Unlock()
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.open[c] = true
			p.mu.Unlock()
			go p.serve(c)
		}
	}()
}

// Stop is a server that is down: it listens no more, and talks break off.
func (p *Postbox) Stop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.listener.Close()
	for c := range p.open {
		c.Close()
	}
}

// Refuse answers every recipient like this, such as "550 5.1.1 no such user"; "" welcomes them again.
func (p *Postbox) Refuse(answer string) { p.mu.Lock(); p.refusal = answer; p.mu.Unlock() }

// Vanish takes the next mail and breaks off before it says so.
func (p *Postbox) Vanish() { p.mu.Lock(); p.vanish = true; p.mu.Unlock() }

// Mute takes the next mail and never says so: its sender waits.
func (p *Postbox) Mute() { p.mu.Lock(); p.mute = true; p.mu.Unlock() }

// Mails are those taken so far.
func (p *Postbox) Mails() []Mail {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]Mail(nil), p.got...)
}

// Wait waits until there are n mails, and gives them.
func (p *Postbox) Wait(n int) []Mail {
	p.t.Helper()
	for deadline := time.After(30 * time.Second); ; {
		if got := p.Mails(); len(got) >= n {
			return got
		}
		select {
		case <-p.seen:
		case <-time.After(20 * time.Millisecond):
		case <-deadline:
			p.t.Fatalf("%d mails came; %d were to come", len(p.Mails()), n)
		}
	}
}

// talk is one connection.
type talk struct {
	*textproto.Conn
	raw    net.Conn
	tls    bool
	authed bool
	from   string
	to     string
}

func (p *Postbox) serve(c net.Conn) {
	defer func() {
		c.Close()
		p.mu.Lock()
		delete(p.open, c)
		p.mu.Unlock()
	}()
	t := &talk{Conn: textproto.NewConn(c), raw: c, tls: p.from, authed: p.auth == ""}
	t.say("220 postbox.test ESMTP")
	for {
		line, err := t.ReadLine()
		if err != nil || !p.hear(t, line) {
			return
		}
	}
}

func (t *talk) say(lines ...string) {
	for _, line := range lines {
		_ = t.PrintfLine("%s", line) // who has gone will not hear it
	}
}

// hear answers one command; false ends the talk.
func (p *Postbox) hear(t *talk, line string) bool {
	verb, rest, _ := strings.Cut(line, " ")
	switch verb = strings.ToUpper(verb); {
	case verb == "EHLO":
		t.say(p.offers(t)...)
	case verb == "STARTTLS" && p.tls != nil && !t.tls:
		t.say("220 go ahead")
		secured := tls.Server(t.raw, p.tls)
		if secured.Handshake() != nil {
			return false
		}
		t.Conn, t.tls = textproto.NewConn(secured), true
	case verb == "AUTH":
		kind, initial, _ := strings.Cut(rest, " ")
		plain, err := base64.StdEncoding.DecodeString(initial)
		if t.authed = kind == "PLAIN" && err == nil && string(plain) == "\x00"+p.auth; !t.authed {
			t.say("535 5.7.8 wrong credentials")
			break
		}
		t.say("235 2.7.0 welcome")
	case !t.authed && (verb == "MAIL" || verb == "RCPT" || verb == "DATA"):
		t.say("530 5.7.0 authenticate first")
	case verb == "MAIL":
		t.from = address(rest)
		t.say("250 2.1.0 ok")
	case verb == "RCPT":
		t.to = address(rest)
		p.mu.Lock()
		refusal := p.refusal
		p.mu.Unlock()
		if refusal != "" {
			t.say(refusal)
			break
		}
		t.say("250 2.1.5 ok")
	case verb == "DATA":
		t.say("354 go on")
		return p.take(t)
	case verb == "RSET" || verb == "NOOP":
		t.say("250 2.0.0 ok")
	case verb == "QUIT":
		t.say("221 2.0.0 bye")
		return false
	default:
		t.say("502 5.5.1 unknown")
	}
	return true
}

func (p *Postbox) offers(t *talk) []string {
	offers := []string{"250-postbox.test", "250-8BITMIME", "250-SMTPUTF8", "250-ENHANCEDSTATUSCODES"}
	if p.tls != nil && !t.tls {
		offers = append(offers, "250-STARTTLS")
	}
	if p.auth != "" {
		offers = append(offers, "250-AUTH PLAIN")
	}
	return append(offers, "250 SIZE 10485760")
}

// take reads the mail after DATA.
func (p *Postbox) take(t *talk) bool {
	raw, err := t.ReadDotBytes()
	if err != nil {
		return false
	}
	m, err := mail.ReadMessage(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		t.say(fmt.Sprintf("554 5.6.0 not a mail: %v", err))
		return true
	}
	p.mu.Lock()
	p.got = append(p.got, Mail{From: t.from, To: t.to, TLS: t.tls, Raw: raw, Message: m})
	vanish, mute := p.vanish, p.mute
	p.vanish, p.mute = false, false
	p.mu.Unlock()
	select {
	case p.seen <- struct{}{}:
	default:
	}
	if mute {
		_, _ = t.ReadLine() // until the sender gives up, or is no more
	}
	if vanish || mute {
		return false
	}
	t.say("250 2.0.0 taken")
	return true
}

// address is what stands between < and >.
func address(text string) string {
	_, text, _ = strings.Cut(text, "<")
	text, _, _ = strings.Cut(text, ">")
	return text
}
