package identity

import (
	"context"
	"time"

	"postern.dev/postern"
)

// Mailer writes to people.
type Mailer interface {
	// Configured reports whether mails can be sent at all.
	Configured() bool
	// Seal makes a mail that the rows can keep.
	Seal(to, subject, text string) (postern.SealedMail, error)
	// Knock says that mails were kept.
	Knock()
}

// Mails reports whether people can be written to.
func (r *Rules) Mails() bool { return r.Mail != nil && r.Mail.Configured() }

// knock has mails sent that a transaction has kept.
func (r *Rules) knock(mails []postern.SealedMail) {
	if len(mails) > 0 {
		r.Mail.Knock()
	}
}

// NewLink is a one-time link on its way into the rows.
type NewLink struct {
	ID      string
	Hash    postern.Hash
	Address string // where it was asked for; may be empty
	Expires time.Time
	Now     time.Time
	Vouches postern.Voucher      // what using it says of the e-mail
	Mails   []postern.SealedMail // that carry the link; kept with it, or neither is
}

// Link is a one-time link that was made.
type Link struct {
	Email  string
	Mailed bool
	Secret postern.Secret // where it was not mailed: for whoever hands it over
}

// newLink mints the secret of a one-time link, for the operator to hand over.
func (r *Rules) newLink(life time.Duration, address string) (postern.Secret, NewLink, error) {
	secret, err := postern.ResetForm.Mint(r.Random)
	if err != nil {
		return "", NewLink{}, err
	}
	id, err := postern.NewID(r.Random, "lnk_")
	if err != nil {
		return "", NewLink{}, err
	}
	now := r.Now()
	return secret, NewLink{ID: id, Hash: secret.Hash(), Address: address, Expires: now.Add(life), Now: now, Vouches: postern.ByOperator}, nil
}

// letter is a link's text: its words and where it leads.
type letter struct {
	subject string
	text    string // with one %s, for the address
	path    string // below the address that people use, before the secret
}

// give saves a link, by mail where people can be written to and the caller does
// not want to hand it over.
func (r *Rules) give(ctx context.Context, email string, l letter, life time.Duration, address string, byHand bool, save func(NewLink) error) (*Link, error) {
	secret, link, err := r.newLink(life, address)
	if err != nil {
		return nil, err
	}
	given := &Link{Email: email, Secret: secret}
	if r.Mails() && !byHand {
		m, err := r.Mail.Seal(email, l.subject, r.write(l, secret))
		if err != nil {
			return nil, err
		}
		link.Mails, link.Vouches = []postern.SealedMail{m}, postern.ByMail
		given.Mailed, given.Secret = true, ""
	}
	if err := save(link); err != nil {
		return nil, err
	}
	r.knock(link.Mails)
	return given, nil
}
