package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/webhook"
)

// publication is an event as an operator's program publishes it.
type publication struct {
	ID        string          `json:"id,omitempty" pattern:"^[A-Za-z0-9_:-]{1,128}$" doc:"Makes publishing idempotent for as long as history is kept: again with the same contents sends nothing, with other contents it is refused. Without one Postern makes one."`
	Type      string          `json:"type" doc:"A type of the catalogue."`
	AccountID string          `json:"account_id" doc:"Whose event it is."`
	UserID    string          `json:"user_id,omitempty" doc:"Limits it to the account's connections and to this user's."`
	Scope     string          `json:"scope,omitempty" doc:"What a connection must hold to be told; outweighs the catalogue's."`
	Data      json.RawMessage `json:"data,omitempty" doc:"An object of at most 16 KiB. Postern adds connection_id, sequence, account_id, user_id and user."`
}

// receipt says what became of it.
type receipt struct {
	ID     string `json:"id" doc:"The event's id."`
	Status string `json:"status" enum:"published,duplicate" doc:"duplicate: it was published before, and nothing is sent twice."`
}

// receipts say so of a list.
type receipts struct {
	Events []receipt `json:"events"`
}

// publish takes one event or a list of them: all, or none.
func (d *Door) publish(c *call) error {
	var raw json.RawMessage
	if err := c.body(&raw, false); err != nil {
		return err
	}
	many := bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("["))
	var said []publication
	if many {
		if err := decode(raw, &said); err != nil {
			return err
		}
	} else {
		said = make([]publication, 1)
		if err := decode(raw, &said[0]); err != nil {
			return err
		}
	}
	events := make([]webhook.Published, len(said))
	for i, p := range said {
		events[i] = webhook.Published{ID: p.ID, Type: p.Type, AccountID: p.AccountID, UserID: p.UserID, Scope: p.Scope, Data: p.Data}
	}
	published, err := d.webhooks.Publish(c.r.Context(), events, c.actor)
	if err != nil {
		return err
	}
	out := make([]receipt, len(published))
	for i, r := range published {
		out[i] = receipt{r.ID, "published"}
		if r.Again {
			out[i].Status = "duplicate"
		}
	}
	if !many {
		say(c.w, http.StatusAccepted, out[0])
		return nil
	}
	say(c.w, http.StatusAccepted, receipts{out})
	return nil
}

// longestWait is how long a pull may wait for something to happen.
const longestWait = 30 * time.Second

// pulled is what an app gets that reads its events.
type pulled struct {
	Events []json.RawMessage `json:"events"`
	Cursor string            `json:"cursor"`
}

// feed is pulled with the events spelt out, for the document.
type feed struct {
	Events []event `json:"events"`
	Cursor string  `json:"cursor" doc:"Where to go on: the next request's after."`
}

type event struct {
	ID        string         `json:"id" doc:"The same on each repetition; a webhook has it in the header webhook-id."`
	Type      string         `json:"type"`
	Timestamp time.Time      `json:"timestamp"`
	Data      map[string]any `json:"data"`
}

// pull gives an app its events after a cursor, in order. With a cursor and
// nothing new it waits, unless the app says wait=0.
func (d *Door) pull(c *call) error {
	after, err := c.cursor("after")
	if err != nil {
		return err
	}
	limit, err := c.number("limit", 1, 100, webhook.MostPulled)
	if err != nil {
		return err
	}
	wait := int64(0)
	if c.query.Has("after") {
		wait = int64(longestWait / time.Second)
	}
	if wait, err = c.number("wait", 0, wait, int64(longestWait/time.Second)); err != nil {
		return err
	}
	ctx, done := c.patient()
	defer done()
	select {
	case d.waiting <- struct{}{}:
		defer func() { <-d.waiting }()
	default:
		wait = 0
	}
	lines, last, err := d.webhooks.Pull(ctx, c.app.ID, after, int(limit), time.Duration(wait)*time.Second, d.stopping)
	if err != nil {
		return err
	}
	out := pulled{Events: make([]json.RawMessage, 0, len(lines)), Cursor: strconv.FormatInt(last, 10)}
	for _, l := range lines {
		id, err := json.Marshal(l.ID)
		if err != nil {
			return postern.Wrap(postern.ServerError, err)
		}
		// The body as an endpoint would get it, with the id that a header carries there.
		out.Events = append(out.Events, append([]byte(`{"id":`+string(id)+`,`), l.Body[1:]...))
	}
	say(c.w, http.StatusOK, out)
	return nil
}

func (d *Door) stopping() bool {
	select {
	case <-d.ending:
		return true
	default:
		return false
	}
}

// patient is a context that ends when the caller leaves, but not with the
// deadline that is on every request.
func (c *call) patient() (context.Context, func()) {
	outer := c.r.Context()
	ctx, cancel := context.WithCancel(context.WithoutCancel(outer))
	stop := context.AfterFunc(outer, func() {
		if errors.Is(outer.Err(), context.Canceled) {
			cancel()
		}
	})
	_ = http.NewResponseController(c.w).SetWriteDeadline(time.Now().Add(longestWait + 10*time.Second)) // where there is none, none is needed
	return ctx, func() { stop(); cancel() }
}
