package postern

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what went wrong, in the words that a dialect's error table uses
// (docs/dialects.md, "Errors"). A door turns it into a status and a word of
// its own; rules never speak of statuses.
type Kind string

// The kinds that a partner's machine can be told of. A finer kind that a
// dialect does not name falls back to its Parent.
const (
	InvalidRequest          Kind = "invalid_request"           // RFC 6749 §5.2
	MissingParameter        Kind = "missing_parameter"         // finer: invalid_request
	InvalidClient           Kind = "invalid_client"            // RFC 6749 §5.2
	UnknownClient           Kind = "unknown_client"            // finer: invalid_client
	InvalidGrant            Kind = "invalid_grant"             // RFC 6749 §5.2; "ask the person to connect again", nothing else
	CodeUsed                Kind = "code_used"                 // finer: invalid_grant, said to the owner only
	RedirectMismatch        Kind = "redirect_mismatch"         // finer: invalid_grant, said to the owner only
	RefreshDead             Kind = "refresh_dead"              // finer: invalid_grant, said to the owner only
	UnsupportedGrantType    Kind = "unsupported_grant_type"    // RFC 6749 §5.2
	UnauthorizedClient      Kind = "unauthorized_client"       // RFC 6749 §5.2
	InvalidScope            Kind = "invalid_scope"             // RFC 6749 §5.2
	UnsupportedResponseType Kind = "unsupported_response_type" // RFC 6749 §4.1.2.1
	RequestNotSupported     Kind = "request_not_supported"     // OpenID Connect Core §6.1, RFC 9101 §7
	RequestURINotSupported  Kind = "request_uri_not_supported" // as above
	LoginRequired           Kind = "login_required"            // OpenID Connect Core §3.1.2.6: prompt=none without a session
	ConsentRequired         Kind = "consent_required"          // as above: prompt=none without a stored consent
	AccessDenied            Kind = "access_denied"             // RFC 6749 §4.1.2.1
	InvalidToken            Kind = "invalid_token"             // RFC 6750 §3.1
	NoToken                 Kind = "no_token"                  // finer: invalid_token
	TokenExpired            Kind = "token_expired"             // finer: invalid_token
	InsufficientScope       Kind = "insufficient_scope"        // RFC 6750 §3.1
	RateLimited             Kind = "rate_limited"
	Unavailable             Kind = "unavailable"  // the store does not answer: 503, never a guess
	ServerError             Kind = "server_error" // a fault of ours; its detail stays in the log
)

// The kinds that only people meet, on pages and in the terminal.
const (
	NotFound  Kind = "not_found"
	Forbidden Kind = "forbidden"
	Conflict  Kind = "conflict"
)

// Parent is the coarser kind that a finer one falls back to; a coarse kind is
// its own parent.
func (k Kind) Parent() Kind {
	switch k {
	case MissingParameter:
		return InvalidRequest
	case UnknownClient:
		return InvalidClient
	case CodeUsed, RedirectMismatch, RefreshDead:
		return InvalidGrant
	case NoToken, TokenExpired:
		return InvalidToken
	}
	return k
}

// Error is the one error type inside Postern. Msg is a sentence for whoever
// asked: it holds no secret and nothing of our insides. Err is for the log.
type Error struct {
	Kind Kind
	Msg  string
	Err  error
	// Format and Args made Msg, so that pages can say it in the reader's language.
	// Where they are missing, Msg is all there is.
	Format string
	Args   []any
	// RetryAfter tells, with RateLimited and Unavailable, when to try again; zero:
	// a few seconds.
	RetryAfter time.Duration
	// Why is for the app's own people, in its request log; no wire says it.
	Why *Why
}

func (e *Error) Error() string {
	switch {
	case e.Err != nil && e.Msg != "":
		return fmt.Sprintf("%s: %s: %v", e.Kind, e.Msg, e.Err)
	case e.Err != nil:
		return fmt.Sprintf("%s: %v", e.Kind, e.Err)
	}
	return fmt.Sprintf("%s: %s", e.Kind, e.Msg)
}

func (e *Error) Unwrap() error { return e.Err }

// Errorf makes an Error whose message is said to whoever asked.
func Errorf(k Kind, format string, args ...any) *Error {
	return &Error{Kind: k, Msg: fmt.Sprintf(format, args...), Format: format, Args: args}
}

// Wrap gives a lower error a kind; the lower error is only logged.
func Wrap(k Kind, err error) *Error { return &Error{Kind: k, Err: err} }

// KindOf is the kind of an error; what nobody classified is a ServerError.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return ServerError
}

// Is reports whether the error is of this kind or of a finer one below it.
func Is(err error, k Kind) bool {
	if err == nil {
		return false
	}
	got := KindOf(err)
	return got == k || got.Parent() == k
}
