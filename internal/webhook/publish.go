package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"postern.dev/postern"
)

const (
	// MostPublished is how many events one request may bring.
	MostPublished = 1000
	// MostData is how large an event's data may be, as compact JSON.
	MostData = 16 << 10
)

var eventID = regexp.MustCompile(`^[A-Za-z0-9_:-]{1,128}$`)

// reserved are the members of data that Postern sets.
var reserved = []string{"connection_id", "sequence", "account_id", "user_id", "user"}

// Receipt says what became of a published event.
type Receipt struct {
	ID    string
	Again bool // it was published before; nothing is sent twice
}

// Publish takes in events of the operator's product: all of them, or none with
// an InvalidRequest that names the field. Publishing an event again is no error
// and changes nothing.
func (r *Rules) Publish(ctx context.Context, events []Published, actor string) ([]Receipt, error) {
	if len(events) == 0 || len(events) > MostPublished {
		return nil, postern.Errorf(postern.InvalidRequest, "Send 1 to %d events at a time.", MostPublished)
	}
	p := publishing{r: r, ctx: ctx, accounts: map[string]bool{}}
	var err error
	if p.types, err = r.Store.EventTypes(ctx); err != nil {
		return nil, err
	}
	if p.scopes, err = r.Store.KnownScopes(ctx); err != nil {
		return nil, err
	}
	ids := map[string]bool{}
	for i := range events {
		e := &events[i]
		if err := p.check(e); err != nil {
			return nil, at(err, i, len(events))
		}
		if ids[e.ID] {
			return nil, at(postern.Errorf(postern.InvalidRequest, "id: %q stands on two events of this request.", e.ID), i, len(events))
		}
		ids[e.ID] = true
	}
	again, err := r.Store.Publish(ctx, events, actor)
	if err != nil {
		return nil, err
	}
	receipts := make([]Receipt, len(events))
	for i := range events {
		receipts[i] = Receipt{events[i].ID, again[i]}
	}
	return receipts, nil
}

// at says which of several events is meant.
func at(err error, i, n int) error {
	e, ok := err.(*postern.Error)
	if !ok || n == 1 || e.Kind != postern.InvalidRequest {
		return err
	}
	return postern.Errorf(e.Kind, "events[%d].%s", i, e.Msg)
}

type publishing struct {
	r        *Rules
	ctx      context.Context
	types    map[string]string
	scopes   []string
	accounts map[string]bool
}

// check fills in what was left out and refuses what is wrong.
func (p *publishing) check(e *Published) error {
	no := func(format string, args ...any) error { return postern.Errorf(postern.InvalidRequest, format, args...) }
	typeScope, known := p.types[e.Type]
	switch {
	case e.Type == "":
		return no("type: it is missing.")
	case strings.HasPrefix(e.Type, "connection."), strings.HasPrefix(e.Type, "postern."):
		return no("type: %q is one of Postern's own.", shown(e.Type))
	case !known:
		return no("type: %q is not in the catalogue (the key events of a resources file).", shown(e.Type))
	case e.AccountID == "":
		return no("account_id: it is missing.")
	case e.ID != "" && !eventID.MatchString(e.ID):
		return no("id: it must be 1 to 128 letters, digits, _ : or - signs.")
	}
	if e.Scope == "" {
		e.Scope = typeScope
	} else if !slices.Contains(p.scopes, e.Scope) {
		return no("scope: %q is not in the catalogue (the key scopes of a resources file).", shown(e.Scope))
	}
	if err := e.checkData(); err != nil {
		return err
	}
	if err := p.checkPeople(e); err != nil {
		return err
	}
	e.At = p.r.Now()
	if e.ID != "" {
		return nil
	}
	id, err := postern.NewIDAt(p.r.Random, e.At, "evt_")
	if err != nil {
		return postern.Wrap(postern.ServerError, err)
	}
	e.ID = id
	return nil
}

func (p *publishing) checkPeople(e *Published) error {
	if !p.accounts[e.AccountID] {
		there, err := p.r.Store.AccountExists(p.ctx, e.AccountID)
		if err != nil {
			return err
		}
		if !there {
			return postern.Errorf(postern.InvalidRequest, "account_id: there is no account %q.", shown(e.AccountID))
		}
		p.accounts[e.AccountID] = true
	}
	if e.UserID == "" {
		return nil
	}
	there, err := p.r.Store.UserExists(p.ctx, e.AccountID, e.UserID)
	if err == nil && !there {
		return postern.Errorf(postern.InvalidRequest, "user_id: the account has no user %q.", shown(e.UserID))
	}
	return err
}

// checkData wants an object within its size that leaves Postern's members alone,
// unless it says the same.
func (e *Published) checkData() error {
	no := func(format string, args ...any) error {
		return postern.Errorf(postern.InvalidRequest, "data: "+format, args...)
	}
	if len(e.Data) == 0 {
		e.Data = []byte("{}")
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, e.Data); err != nil {
		return no("it is no JSON.")
	}
	e.Data = compact.Bytes()
	if len(e.Data) > MostData {
		return no("it has %d bytes; at most %d are allowed.", len(e.Data), MostData)
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(e.Data, &members); err != nil || members == nil {
		return no("it must be an object.")
	}
	for _, name := range reserved {
		value, given := members[name]
		if !given {
			continue
		}
		same := name == "account_id" && string(value) == fmt.Sprintf("%q", e.AccountID) ||
			name == "user_id" && e.UserID != "" && string(value) == fmt.Sprintf("%q", e.UserID)
		if !same {
			return no("the member %q is set by Postern; call it otherwise.", name)
		}
	}
	return nil
}

// shown bounds what an error repeats of a request.
func shown(s string) string {
	const most = 64
	if len(s) > most {
		return s[:most] + "…"
	}
	return s
}
