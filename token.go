package postern

import "time"

// TokenKind tells access from refresh tokens.
type TokenKind string

const (
	AccessToken  TokenKind = "access"
	RefreshToken TokenKind = "refresh"
)

// Token is a stored token with everything it depends on, as one indexed read
// finds it. Whether it is good is for Verdict to say.
type Token struct {
	Hash      Hash
	Kind      TokenKind
	Dialect   string
	Scopes    []string // this token's own; a refresh token holds the family's
	IssuedAt  time.Time
	ExpiresAt time.Time // zero: never
	EndedAt   time.Time // zero: live

	// Refresh tokens that were rotated (RFC 9700 §2.2.2).
	RotatedAt time.Time // zero: current
	Salt      []byte    // derives the successor and its access token from the presented token
	// Said is what the access token beside the successor says, where it is signed.
	Said string
	// SuccessorUsed is whether the successor was itself presented for refresh.
	SuccessorUsed bool

	// Alone is whether no refresh token could give another: it is its family's
	// only token, or belongs to none.
	Alone bool

	// The family and the connection; empty for client credentials.
	Family          Hash
	FamilyEndedAt   time.Time
	FamilyEndReason EndReason
	FamilyStartedAt time.Time
	FamilyDialect   string
	Kept            map[string]string
	Connection      Connection

	AppID       string
	AppDisabled bool
	PartnerID   string
	AppAttrs    map[string]string
	Account     Account
	User        User // the approver, who is also the owner at user level
}

// Verdict is nil when the token is good at this time. Otherwise it is an
// InvalidToken, or a TokenExpired when age is all that is wrong.
func (t *Token) Verdict(now time.Time) error {
	dead := func(rule Rule) error {
		return t.Because(InvalidToken, rule, "The access token is not valid.")
	}
	switch {
	case !t.Connection.EndedAt.IsZero():
		return t.Because(InvalidToken, "connection_ended", "The access token is not valid.").
			With("at", t.Connection.EndedAt).With("reason", string(t.Connection.EndReason))
	case t.AppDisabled:
		return dead("app_disabled")
	case t.Account.Disabled:
		return dead("account_disabled")
	case t.Connection.UserID != "" && t.User.Disabled:
		return dead("person_disabled")
	case !t.FamilyEndedAt.IsZero():
		return t.Because(InvalidToken, "family_ended", "The access token is not valid.").
			With("at", t.FamilyEndedAt).With("reason", string(t.FamilyEndReason))
	case !t.EndedAt.IsZero():
		return t.Because(InvalidToken, "token_ended", "The access token is not valid.").With("at", t.EndedAt)
	case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
		rule := Rule("token_expired")
		if t.Kind == RefreshToken {
			rule = "refresh_token_expired"
		}
		return t.Because(TokenExpired, rule, "The access token has expired.").
			With("at", t.ExpiresAt).With("life", t.ExpiresAt.Sub(t.IssuedAt))
	}
	return nil
}

// Because is a refusal of this token, which concerns the token's own app.
func (t *Token) Because(k Kind, rule Rule, msg string) *Error {
	e := Because(k, rule, "%s", msg)
	e.Why.AppID, e.Why.AccountID, e.Why.ConnectionID = t.AppID, t.Account.ID, t.Connection.ID
	return e
}

// Subject is RFC 7662's sub: the user at user level, else the account, else the app.
func (t *Token) Subject() string {
	switch {
	case t.Connection.UserID != "":
		return t.Connection.UserID
	case t.Account.ID != "":
		return t.Account.ID
	}
	return t.AppID
}
