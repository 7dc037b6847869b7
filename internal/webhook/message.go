package webhook

import (
	"bytes"
	"encoding/json"
	"slices"

	"postern.dev/postern"
)

// timeForm is RFC 3339 with the milliseconds that the rows keep.
const timeForm = "2006-01-02T15:04:05.000Z07:00"

// body is what is sent and signed: {"type":…,"timestamp":…,"data":{…}}. It never
// holds a token or a secret (WH-20), and is the same on every attempt.
func (r *Rules) body(m *Message) []byte {
	b := []byte(`{"type":`)
	b = appendJSON(b, m.Type)
	b = append(b, `,"timestamp":`...)
	b = appendJSON(b, m.At.UTC().Format(timeForm))
	b = append(b, `,"data":`...)
	return append(r.appendData(b, m), '}')
}

// appendData writes data: what Postern knows of the connection, what the app's
// dialect calls it, then what was published.
func (r *Rules) appendData(b []byte, m *Message) []byte {
	d := data{b: append(b, '{')}
	d.text("connection_id", m.ConnectionID)
	if m.Sequence > 0 {
		d.add("sequence", m.Sequence)
	}
	d.text("account_id", m.Account.ID)
	for _, own := range r.Wires.EventData(m.App.Dialect, m) {
		d.add(own.Name, json.RawMessage(own.JSON))
	}
	d.text("user_id", m.UserID)
	d.text("user", m.UserNickname)
	d.text("reason", string(m.Reason))
	if m.Type == string(postern.ConnectionUpdated) {
		d.add("changes", map[string][]string{"scopes": m.Changes})
	}
	if m.Data != nil {
		d.members(m.Data)
	}
	return append(d.b, '}')
}

// data is a JSON object under construction; the first member of a name stays.
type data struct {
	b     []byte
	names []string
}

func (d *data) text(name, value string) {
	if value != "" {
		d.add(name, value)
	}
}

func (d *data) add(name string, value any) {
	if slices.Contains(d.names, name) {
		return
	}
	if len(d.names) > 0 {
		d.b = append(d.b, ',')
	}
	d.names = append(d.names, name)
	d.b = append(appendJSON(d.b, name), ':')
	d.b = appendJSON(d.b, value)
}

// members adds those of a JSON object, in their order and as they are written.
func (d *data) members(object []byte) {
	dec := json.NewDecoder(bytes.NewReader(object))
	if _, err := dec.Token(); err != nil {
		return
	}
	for dec.More() {
		name, err := dec.Token()
		var value json.RawMessage
		if err != nil || dec.Decode(&value) != nil {
			return // was checked when it was made
		}
		d.add(name.(string), value)
	}
}

// appendJSON leaves <, > and & as they are: this is not HTML.
func appendJSON(b []byte, v any) []byte {
	var buf bytes.Buffer
	e := json.NewEncoder(&buf)
	e.SetEscapeHTML(false)
	_ = e.Encode(v) // strings, numbers and checked JSON do not fail
	return append(b, bytes.TrimRight(buf.Bytes(), "\n")...)
}
