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
	ID        string          `json:"id"`
	Type      string          `json:"type"`
	AccountID string          `json:"account_id"`
	UserID    string          `json:"user_id"`
	Scope     string          `json:"scope"`
	Data      json.RawMessage `json:"data"`
}

// receipt says what became of it.
type receipt struct {
	ID     string `json:"id"`
	Status string `json:"status"` // "published", or "duplicate": it was before
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
	receipts, err := d.webhooks.Publish(c.r.Context(), events, c.actor)
	if err != nil {
		return err
	}
	out := make([]receipt, len(receipts))
	for i, r := range receipts {
		out[i] = receipt{r.ID, "published"}
		if r.Again {
			out[i].Status = "duplicate"
		}
	}
	if !many {
		say(c.w, http.StatusAccepted, out[0])
		return nil
	}
	say(c.w, http.StatusAccepted, map[string][]receipt{"events": out})
	return nil
}

// longestWait is how long a pull may wait for something to happen.
const longestWait = 30 * time.Second

// pulled is what an app gets that reads its events. Cursor is where to go on.
type pulled struct {
	Events []json.RawMessage `json:"events"`
	Cursor string            `json:"cursor"`
}

// pull gives an app its events after a cursor, in order. With a cursor and
// nothing new it waits, unless the app says wait=0.
func (d *Door) pull(c *call) error {
	after, err := c.number("after", 0, 1<<62)
	if err != nil {
		return err
	}
	limit, err := c.number("limit", 100, webhook.MostPulled)
	if err != nil {
		return err
	}
	wait := int64(0)
	if c.query.Has("after") {
		wait = int64(longestWait / time.Second)
	}
	if wait, err = c.number("wait", wait, int64(longestWait/time.Second)); err != nil {
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
	lines, last, err := d.webhooks.Pull(ctx, c.app.ID, after, max(1, int(limit)), time.Duration(wait)*time.Second, d.stopping)
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
