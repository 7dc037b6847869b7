package postern

import "time"

// Connection is a standing permission: an app's, to act for an account (or for
// one user of it). It is made when an approval is first redeemed, ended once,
// and never revived: connecting again makes a new one.
type Connection struct {
	ID         string
	Number     int64
	AppID      string
	AccountID  string
	UserID     string // the owner at user level; empty at account level
	Scopes     []string
	CreatedAt  time.Time
	CreatedBy  string    // the user who approved it
	LastUsedAt time.Time // zero: never
	EndedAt    time.Time // zero: live
	EndReason  EndReason
}

// EndReason says who or what ended a connection (DESIGN §3, connection.deleted).
type EndReason string

const (
	EndedByApp      EndReason = "app"
	EndedByAccount  EndReason = "account"
	EndedByUser     EndReason = "user"
	EndedByOperator EndReason = "operator"
	AppRemoved      EndReason = "app_removed"
	AccountRemoved  EndReason = "account_removed"
	UserRemoved     EndReason = "user_removed"
	TokenReuse      EndReason = "token_reuse"
	Expired         EndReason = "expired"
)
