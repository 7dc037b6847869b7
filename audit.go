package postern

import "time"

// AuditRecord is a record of a security-relevant act, written with the act. It
// holds no secret.
type AuditRecord struct {
	ID      string
	At      time.Time
	Actor   string // "user:ID", "staff:ID", "app:ID", "operator", "postern", "stranger"
	Action  string // "app.approved"
	Object  string // "app:ID"
	Detail  string
	Address string // where it came from; may be empty
	// What both are called now; empty: they have no name, or are gone.
	ActorName, ObjectName string
}

// AuditFilter chooses records, the latest first.
type AuditFilter struct {
	Actor  string // empty: everybody's
	Object string // empty: about everything
	// Before and BeforeID are time (milliseconds) and id of the last record that was
	// read; 0: from the latest.
	Before   int64
	BeforeID string
	Limit    int
}
