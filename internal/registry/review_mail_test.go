package registry_test

import (
	"errors"
	"fmt"
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/registry"
)

// letters is a mailer whose mails can be counted as rows.
type letters struct {
	clumsy  bool // all of its mails have one id, so a second one cannot be kept
	written int
	knocked int
}

func (l *letters) Configured() bool { return true }
func (l *letters) Knock()           { l.knocked++ }
func (l *letters) Seal(to, subject, text string) (postern.SealedMail, error) {
	if to == "nobody@partner.test" {
		return postern.SealedMail{}, errors.New("this address cannot be written to")
	}
	l.written++
	id := fmt.Sprint("mail_", l.written)
	if l.clumsy {
		id = "mail_same"
	}
	return postern.SealedMail{ID: id, Sealed: []byte(to + ": " + subject)}, nil
}

// A verdict and the mails that tell of it are one transaction: neither is there
// without the other.
func TestTheOwnersAreToldInTheTransactionOfTheVerdict(t *testing.T) {
	everywhere(t, func(w *world) {
		partner, _, _ := portal(w)
		w.apply(`partners: [{id: ` + partner + `, members: [{email: b@partner.test, role: owner}, {email: a@partner.test, role: owner}, {email: nobody@partner.test, role: owner},
  {email: off@partner.test, role: owner, disabled: true}, {email: dev@partner.test, role: developer}]}, {name: Other, members: [{email: c@other.test, role: owner}]}]`)
		w.rules.Review = true
		app, err := w.rules.CreateApp(w.ctx, dev, partner, form(func(f *registry.AppForm) { f.Name = "Partner Y" }))
		w.ok(err)
		mails := &letters{clumsy: true}
		w.rules.Mailer = mails
		if _, err := w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, app.ID, "", ""); err == nil {
			w.Fatal("approved, and the mails were lost")
		}
		w.equal("an app whose verdict was not kept", w.one("SELECT review FROM apps WHERE id = '"+app.ID+"'"), "waiting")
		w.equal("mails", w.one("SELECT count(*) FROM mails"), "0")

		mails.clumsy = false
		_, err = w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, app.ID, "", "")
		w.ok(err)
		w.equal("mails", w.one("SELECT count(*) FROM mails"), "2")
		w.equal("mails to owners", w.one("SELECT count(*) FROM mails WHERE sealed IN ($1, $2)", []byte("a@partner.test: Partner Y was approved"), []byte("b@partner.test: Partner Y was approved")), "2")
		w.equal("who could not be written to", w.one("SELECT count(*) FROM audit WHERE action = 'mail.not_written'"), "1")
		if mails.knocked != 1 {
			w.Errorf("the post was told %d times", mails.knocked)
		}
		// Of two verdicts one counts, and one is told.
		if _, err := w.rules.ApproveApp(w.ctx, registry.By{Actor: "staff:op"}, app.ID, "", ""); !postern.Is(err, postern.Conflict) {
			w.Errorf("approved twice: %v", err)
		}
		w.equal("mails", w.one("SELECT count(*) FROM mails"), "2")
	})
}
