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
}
