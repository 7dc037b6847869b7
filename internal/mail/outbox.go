// Package mail sends mails: plain text, to one person each, by way of the
// operator's SMTP server. A mail is a row first. So whoever sends one waits for
// no mail server, and none is lost when that server, or this one, is down: it is
// sent at least once, by one node at a time, with one Message-ID.
package mail

import (
	"context"
	"io"
	"log/slog"
	"time"

	"postern.dev/postern"
)

// Rows is what the outbox asks of the rows.
type Rows interface {
	// KeepMails keeps mails for sending, all or none.
	KeepMails(ctx context.Context, mails ...postern.SealedMail) error
	// TakeMails gives up to limit mails that are due, those due longest first, and
	// puts them off until a time, so that nobody else takes them meanwhile.
	TakeMails(ctx context.Context, now, until time.Time, limit int) ([]postern.SealedMail, error)
	// PutOffMail keeps that a mail was tried in vain, and when it is due again.
	PutOffMail(ctx context.Context, id string, tries int, due time.Time) error
	// DropMail forgets a mail.
	DropMail(ctx context.Context, id string) error
	// DropOldMails forgets up to limit mails that were written before a time, and
	// gives them.
	DropOldMails(ctx context.Context, before time.Time, limit int) ([]postern.SealedMail, error)
}

// Outbox takes mails and sends them. Its methods may be called at once.
type Outbox struct {
	Rows   Rows
	Sealer postern.Sealer
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
	// Server is who takes mails from us; nil: mail is not configured.
	Server *Server

	// wake is knocked at when a mail was written here; New makes it.
	wake chan struct{}
}

// New makes an outbox of its parts.
func New(o Outbox) *Outbox {
	o.wake = make(chan struct{}, 1)
	return &o
}

const (
	// lookEvery is how late a mail that another process wrote may be noticed.
	lookEvery = time.Second
	// takenFor is how long a node may need for a mail. It is longer than sending
	// can take: after it the node is taken for dead and another sends the mail.
	takenFor = 3 * time.Minute
	// grace is how long a mail under way may take when the node stops.
	grace = 3 * time.Second
	// keptFor is how long a mail is tried.
	keptFor = 24 * time.Hour
)

// waits are the pauses after each vain try; the last one repeats.
var waits = []time.Duration{10 * time.Second, 30 * time.Second, 2 * time.Minute, 5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour}

func pause(tries int) time.Duration { return waits[min(tries, len(waits))-1] }

// Configured reports whether mails can be sent at all. Where not, pages and
// commands offer another way.
func (o *Outbox) Configured() bool { return o.Server != nil }

func errNotConfigured() error {
	return postern.Errorf(postern.Conflict, "Mail is not configured: name the SMTP server under mail in the configuration.")
}

// Send writes a mail to the outbox. It does not wait until it is sent.
func (o *Outbox) Send(ctx context.Context, m Message) error {
	kept, err := o.Seal(m)
	if err != nil {
		return err
	}
	if err := o.Rows.KeepMails(ctx, kept); err != nil {
		return err
	}
	o.Knock()
	return nil
}

// Knock has this node look at once, after a mail was written in a transaction of
// somebody else's.
func (o *Outbox) Knock() {
	select {
	case o.wake <- struct{}{}:
	default: // it will look anyway
	}
}

// Run sends mails until ctx ends. One that is under way may finish for a moment;
// what it leaves unrecorded is sent again later.
func (o *Outbox) Run(ctx context.Context) {
	if !o.Configured() {
		return
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		found, err := o.one(ctx)
		if err != nil && ctx.Err() == nil {
			o.Log.Warn("the outbox of mails cannot be read or written; it is tried again", "error", err)
		}
		if found && err == nil {
			continue // there may be more
		}
		select {
		case <-ctx.Done():
		case <-tick.C:
		case <-o.wake:
		}
	}
}

// one takes a mail that is due and sends it.
func (o *Outbox) one(ctx context.Context) (found bool, err error) {
	now := o.Now()
	taken, err := o.Rows.TakeMails(ctx, now, now.Add(takenFor), 1)
	if err != nil || len(taken) == 0 {
		return false, err
	}
	kept := taken[0]
	m, err := o.open(kept)
	if err != nil { // sealed with another key, or damaged: no time heals it
		o.Log.Error("a mail cannot be opened and is dropped", "mail", kept.ID, "error", err)
		return true, o.Rows.DropMail(ctx, kept.ID)
	}
	sent, failure := o.transmit(ctx, &kept, &m)
	after := context.WithoutCancel(ctx) // what was sent is recorded, also when we stop
	switch {
	case sent:
		o.Log.Debug("a mail was sent", "mail", kept.ID, "to", Masked(m.To))
		return true, o.Rows.DropMail(after, kept.ID)
	case failure == "": // we stop
		return true, nil
	}
	due := o.Now().Add(pause(kept.Tries + 1))
	o.Log.Warn("a mail could not be sent; it is tried again", "mail", kept.ID, "to", Masked(m.To), "reason", failure, "next", due)
	return true, o.Rows.PutOffMail(after, kept.ID, kept.Tries+1, due)
}

// transmit hands a mail to the server. No failure and not sent: the node stops
// before the server has answered.
func (o *Outbox) transmit(ctx context.Context, kept *postern.SealedMail, m *Message) (sent bool, failure string) {
	done := make(chan string, 1)
	go func() { done <- o.Server.send(context.WithoutCancel(ctx), kept, m) }()
	select {
	case failure = <-done:
		return failure == "", failure
	case <-ctx.Done():
	}
	select {
	case failure = <-done:
		return failure == "", failure
	case <-time.After(grace):
		return false, ""
	}
}

// Sweep drops mails that could not be sent for a day: what they said is too old
// by now, and their links have expired.
func (o *Outbox) Sweep(ctx context.Context, limit int) (int, error) {
	old, err := o.Rows.DropOldMails(ctx, o.Now().Add(-keptFor), limit)
	for _, kept := range old {
		to := "unknown"
		if m, err := o.open(kept); err == nil {
			to = Masked(m.To)
		}
		o.Log.Error("a mail could not be sent for a day and is dropped", "mail", kept.ID, "to", to, "tries", kept.Tries)
	}
	return len(old), err
}
