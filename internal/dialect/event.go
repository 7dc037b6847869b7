package dialect

import "postern.dev/postern"

// EventData is what the dialect adds to the data of webhooks, under its own
// names (event_data in its file): members in order, each with its value as JSON.
// Nil where the file adds nothing.
func (d *Dialect) EventData(account *postern.Account, user *postern.User, connectionID string, number int64) []EventMember {
	if d.eventData == nil {
		return nil
	}
	v := &values{dialect: d, account: account, user: user, userLevel: user != nil, wire: d.name,
		connection: connectionID, connectionNumber: number}
	var out []EventMember
	for _, m := range d.eventData.members {
		if json, there := m.tree.appendJSON(nil, v); there {
			out = append(out, EventMember{m.name, json})
		}
	}
	return out
}

// EventMember is a member of a webhook's data.
type EventMember struct {
	Name string
	JSON []byte
}
