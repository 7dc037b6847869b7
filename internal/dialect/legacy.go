package dialect

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/yamlfile"
)

// eventSpec is an event as an old server told it: headers, a body, a digest.
type eventSpec struct {
	Node    *yamlfile.Node                   `yaml:",node"`
	Headers yamlfile.Ordered[*yamlfile.Node] `yaml:"headers"`
	Body    *yamlfile.Node                   `yaml:"body,required"`
	Sign    *signSpec                        `yaml:"sign"`
}

// legacyEvent is one of them, compiled.
type legacyEvent struct {
	node    *yamlfile.Node
	event   postern.EventType
	headers []member
	body    *object
	sign    *signature
}

// tellable are the events that a file can tell in its own shape.
var tellable = []string{string(postern.ConnectionCreated), string(postern.ConnectionUpdated), string(postern.ConnectionDeleted)}

func (c *compiler) legacyEvents() {
	for _, s := range c.spec.Events {
		if !slices.Contains(tellable, s.Key) {
			c.report(s.Node, "%q is no event of a connection%s", s.Key, yamlfile.Suggest(s.Key, tellable))
		}
		e := legacyEvent{node: s.Node, event: postern.EventType(s.Key), body: &object{}}
		if s.Value.Body != nil {
			e.body = c.mappingTree(s.Value.Body)
		}
		a := &answer{}
		c.answerHeaders(a, s.Value.Headers)
		e.headers = a.headers
		if s.Value.Sign != nil {
			e.sign = c.signature(s.Value.Sign, "body", webhookSecret, clientSecret)
			e.headers = append(e.headers, member{name: http.CanonicalHeaderKey(e.sign.as)})
		}
		for i, h := range e.headers {
			switch {
			case strings.HasPrefix(h.name, "Webhook-"):
				c.report(s.Node, "the header %s is the standard webhooks'", h.name)
			case slices.ContainsFunc(e.headers[:i], func(o member) bool { return o.name == h.name }):
				c.report(s.Node, "the header %s is set twice", h.name)
			case slices.Contains(floorHeaders, h.name):
				c.report(s.Node, "the header %s is the server's own affair; no file sets it", h.name)
			}
		}
		if e.sign != nil {
			e.headers = e.headers[:len(e.headers)-1]
		}
		c.d.events = append(c.d.events, e)
	}
}

// Happening is what an event tells of.
type Happening struct {
	ID               string // the webhook-id
	Type             postern.EventType
	At               time.Time
	Reason           postern.EndReason
	Scopes           []string // connection.updated: after the change
	AppID            string
	AppAttrs         map[string]string
	Account          *postern.Account
	User             *postern.User // the owner, at user level; else nil
	ConnectionID     string
	ConnectionNumber int64
}

// LegacyEvent is an event in the shape of the server that the dialect replaces.
type LegacyEvent struct {
	Header []Header // the signature among them
	Body   []byte   // JSON
}

// LegacyEvent tells an event as the old server did (events in the file); nil
// where the file has no shape of its own for it. key gives the secret that signs,
// "webhook secret" or "client secret"; it is asked only where the shape is signed.
func (d *Dialect) LegacyEvent(h *Happening, key func(name string) (postern.Secret, error)) (*LegacyEvent, error) {
	i := slices.IndexFunc(d.events, func(e legacyEvent) bool { return e.event == h.Type })
	if i < 0 {
		return nil, nil
	}
	e := &d.events[i]
	v := &values{dialect: d, event: h, clientID: h.AppID, attrs: h.AppAttrs, account: h.Account, user: h.User, userLevel: h.User != nil,
		wire: d.name, connection: h.ConnectionID, connectionNumber: h.ConnectionNumber, now: h.At}
	out := &LegacyEvent{}
	out.Body, _ = e.body.appendJSON(nil, v)
	for _, m := range e.headers {
		if value := m.tree.(leaf).datum(v); value.kind != absent && value.kind != isNull {
			out.Header = append(out.Header, Header{m.name, headerText(string(value.appendText(nil, d.scopes.join)))})
		}
	}
	if e.sign != nil {
		secret, err := key(e.sign.key)
		if err != nil {
			return nil, err
		}
		out.Header = append(out.Header, Header{http.CanonicalHeaderKey(e.sign.as), e.sign.digest(secret, string(out.Body))})
	}
	return out, nil
}

// ofEvent is a value of the event that a webhook tells of.
func ofEvent(get func(*Happening) datum) func(*values) datum {
	return func(v *values) datum {
		if v.event == nil {
			return datum{}
		}
		return get(v.event)
	}
}
