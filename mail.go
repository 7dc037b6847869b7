package postern

import "time"

// SealedMail is a mail on its way, as the rows keep it. All of it is sealed: a
// link in a mail is a secret, and whom it is for is nobody else's business.
type SealedMail struct {
	ID     string
	Sealed []byte
	At     time.Time // when it was written
	Tries  int       // how often it was tried in vain
}
