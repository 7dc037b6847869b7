package webhook

import (
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"postern.dev/postern"
)

// Mailer writes to people.
type Mailer interface {
	// Configured reports whether mails can be sent at all.
	Configured() bool
	// Seal makes a mail that the rows can keep.
	Seal(to, subject, text string) (postern.SealedMail, error)
	// Knock says that mails were kept.
	Knock()
}

// Outage is an endpoint that takes nothing any more, with whom to tell of it.
type Outage struct {
	AppID   string
	AppName string
	Partner string
	URL     string
	Since   time.Time
	Gone    bool // it said 410, and nothing is sent there
	Last    Attempt
	Waiting int      // open deliveries
	Owners  []string // e-mails
}

// outageAfter is how long an endpoint may fail before its partner is told.
const outageAfter = 24 * time.Hour

// TellOutages writes to the owners of partners whose endpoint has failed for a
// day, or said 410: once for each outage, whichever node finds it. An endpoint
// that recovered and fails again is another outage. It gives how many it dealt
// with.
func (r *Rules) TellOutages(ctx context.Context, limit int) (int, error) {
	if r.Mail == nil || !r.Mail.Configured() {
		return 0, nil
	}
	found, err := r.Store.Outages(ctx, r.Now().Add(-outageAfter), limit)
	if err != nil {
		return 0, err
	}
	for _, o := range found {
		told, err := r.Store.ToldOutage(ctx, o, r.letters(o))
		if err != nil {
			return 0, err
		}
		if told {
			r.Log.Info("a partner is told that its webhook fails", "app", o.AppID, "since", o.Since, "gone", o.Gone, "owners", len(o.Owners))
			r.Mail.Knock()
		}
	}
	return len(found), nil
}

// letters are the mails to the owners. One who cannot be written to keeps the
// others from nothing.
func (r *Rules) letters(o *Outage) (mails []postern.SealedMail) {
	subject, text := o.words(r.PublicURL)
	for _, to := range o.Owners {
		m, err := r.Mail.Seal(to, subject, text)
		if err != nil {
			r.Log.Warn("an owner of a partner cannot be written to", "app", o.AppID, "error", err)
			continue
		}
		mails = append(mails, m)
	}
	return mails
}

// words are what the mail says: what, since when, the last answer, what to do.
func (o *Outage) words(publicURL string) (subject, text string) {
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n\n", args...) }
	since := o.Since.UTC().Format("2 January 2006, 15:04 UTC")
	say("Hello,")
	if o.Gone {
		subject = fmt.Sprintf("The webhook of %s is switched off", o.AppName)
		say("the webhook of your app %s has answered 410 Gone. So it is switched off, and no more events are sent there:", o.AppName)
	} else {
		subject = fmt.Sprintf("The webhook of %s has been failing for a day", o.AppName)
		say("since %s no event has reached the webhook of your app %s:", since, o.AppName)
	}
	say("    %s", withoutQuery(o.URL))
	if o.Gone {
		say("If you meant that, there is nothing to do. If not, give the app the right address, or send the events again that were not delivered: that switches the webhook on.")
	} else {
		say("%s", o.lastAnswer())
		say("%s Each is tried for three days. After that it is parked: it is not lost, and you can send it again.", waiting(o.Waiting))
		say("Please see to it that this address answers with a status from 200 to 299 within 15 seconds.")
	}
	say("Every attempt, with what was answered, is at\n\n    %s/portal", publicURL)
	fmt.Fprintf(&b, "You get this because you are an owner of %s. It is sent once for each outage.\n", o.Partner)
	return subject, b.String()
}

func (o *Outage) lastAnswer() string {
	if o.Last.Status != 0 {
		return fmt.Sprintf("Its last answer was the status %d.", o.Last.Status)
	}
	if o.Last.Error != "" {
		return "What happened last: " + o.Last.Error
	}
	return "Its last answer is not known any more."
}

func waiting(n int) string {
	if n == 1 {
		return "One event is waiting."
	}
	return fmt.Sprintf("%d events are waiting.", n)
}

// withoutQuery leaves out what is often a key.
func withoutQuery(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(an address that cannot be read)"
	}
	u.RawQuery, u.ForceQuery = "", false
	return u.String()
}
