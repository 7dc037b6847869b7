// Package oauth holds the rules of the engine: who may ask, what an answer
// means, how a code becomes tokens, how a refresh token is rotated, what a
// token stands for, and how all of it ends. They are decided once for every
// dialect. It knows neither HTTP nor SQL: a door hands it a request, a Store
// keeps the rows.
package oauth

import (
	"io"
	"log/slog"
	"time"
)

// Opener decrypts what was sealed for a place in the rows.
type Opener interface {
	Open(table, row, column string, sealed []byte) ([]byte, error)
}

// Rules are the engine. All methods may be called at once.
type Rules struct {
	Store  Store
	Now    func() time.Time
	Random io.Reader
	Log    *slog.Logger
	// Sealed opens the client secrets of apps whose wire signs with them; nil:
	// there are none.
	Sealed Opener
	// Signed is for apps whose access tokens are signed; nil: all are opaque.
	Signed *Signed
	// Memory of tokens that were seen; nil: each check reads the row.
	Memory *Memory

	uses uses
}
