package postern

import "time"

// Event is something that happened to a connection, written in the transaction
// that caused it. Delivery is a matter of its own.
type Event struct {
	ID           string // the webhook-id: the same on every attempt
	Type         EventType
	AppID        string
	ConnectionID string
	Sequence     int64 // grows by one per connection
	AccountID    string
	UserID       string // at user level
	UserNickname string // at user level: as partners know the user
	Reason       EndReason
	Changes      []string // connection.updated: the scopes after the change
	At           time.Time
}

// PublishedType is a type of event that the operator's product publishes, as its
// catalogue has it.
type PublishedType struct {
	Type        string
	Description string
	Scope       string // that a connection must hold to be told; empty: any does
}

// EventType names an event (DESIGN §3).
type EventType string

const (
	ConnectionCreated EventType = "connection.created"
	ConnectionUpdated EventType = "connection.updated"
	ConnectionDeleted EventType = "connection.deleted"
)
