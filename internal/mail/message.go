package mail

import (
	"encoding/json"
	"fmt"
	netmail "net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"postern.dev/postern"
)

// Message is a mail to one person, in plain text.
type Message struct {
	To      string // one address, without a name
	Subject string
	Text    string // lines end with \n
}

const (
	longestSubject = 200      // characters
	longestText    = 64 << 10 // bytes
)

// check refuses whatever could become a second header or recipient, or be read
// otherwise than it is written (attacks.md PA-09). A name that a partner chose
// may stand in each part.
func (m *Message) check() error {
	at, err := netmail.ParseAddress(m.To)
	switch {
	case hidden(m.To, "") || err != nil || at.Name != "" || at.Address != m.To:
		return postern.Errorf(postern.InvalidRequest, "The mail's recipient is not one plain address: write NAME@HOST.")
	case strings.TrimSpace(m.Subject) == "" || hidden(m.Subject, "") || utf8.RuneCountInString(m.Subject) > longestSubject:
		return postern.Errorf(postern.InvalidRequest, "The mail's subject must be one line of 1 to %d characters that a reader sees.", longestSubject)
	case strings.TrimSpace(m.Text) == "" || hidden(m.Text, "\n\t") || len(m.Text) > longestText:
		return postern.Errorf(postern.InvalidRequest, "The mail's text must be 1 to %d bytes of UTF-8 that a reader sees, in lines that end with \\n.", longestText)
	}
	return nil
}

// hidden reports characters that a reader does not see or that turn the text
// around: controls beside those allowed, bidirectional overrides, separators,
// broken UTF-8.
func hidden(text, allowed string) bool {
	return !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool {
		return unicode.In(c, unicode.Cc, unicode.Cf, unicode.Co, unicode.Zl, unicode.Zp) && !strings.ContainsRune(allowed, c)
	})
}

// Seal makes a row of a mail, for a caller who keeps it in a transaction of its
// own. Who has no transaction uses Send.
func (o *Outbox) Seal(m Message) (postern.SealedMail, error) {
	if !o.Configured() {
		return postern.SealedMail{}, errNotConfigured()
	}
	if err := m.check(); err != nil {
		return postern.SealedMail{}, err
	}
	id, err := postern.NewID(o.Random, "mail_")
	if err != nil {
		return postern.SealedMail{}, err
	}
	plain, err := json.Marshal(m)
	if err != nil {
		return postern.SealedMail{}, err
	}
	sealed, err := o.Sealer.Seal("mails", id, "sealed", plain)
	return postern.SealedMail{ID: id, Sealed: sealed, At: o.Now()}, err
}

func (o *Outbox) open(kept postern.SealedMail) (m Message, err error) {
	plain, err := o.Sealer.Open("mails", kept.ID, "sealed", kept.Sealed)
	if err != nil {
		return m, err
	}
	if err := json.Unmarshal(plain, &m); err != nil {
		return m, fmt.Errorf("the mail %s: %w", kept.ID, err)
	}
	return m, nil
}

// Masked is an address as a log may hold it: enough to recognise, not to use.
func Masked(address string) string {
	at := strings.LastIndexByte(address, '@')
	if at < 1 {
		return "…"
	}
	_, size := utf8.DecodeRuneInString(address)
	return address[:size] + "…" + address[at:]
}
