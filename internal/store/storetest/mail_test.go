package storetest

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"postern.dev/postern"
)

// Mails that are due are given to one taker, those due longest first, and again
// to anybody when the taker did not say what became of them.
func TestAMailIsTakenByOneAndComesBack(t *testing.T) {
	everywhere(t, func(w *world) {
		const mails = 40
		for i := range mails {
			m := postern.SealedMail{ID: fmt.Sprintf("mail_%02d", i), Sealed: []byte{byte(i)}, At: w.clock.Now()}
			if err := w.db.KeepMails(w.ctx, m); err != nil {
				w.Fatal(err)
			}
			w.clock.Advance(time.Second)
		}
		now := w.clock.Now()
		first, err := w.db.TakeMails(w.ctx, now, now.Add(time.Minute), 1)
		if err != nil || len(first) != 1 || first[0].ID != "mail_00" || len(first[0].Sealed) != 1 {
			w.Fatalf("first came %v, %v", first, err)
		}
		var all sync.Map
		var takers sync.WaitGroup
		for range 4 {
			takers.Go(func() {
				for {
					taken, err := w.db.TakeMails(w.ctx, now, now.Add(time.Minute), 3)
					if err != nil {
						w.Error(err)
						return
					}
					for _, m := range taken {
						if _, twice := all.LoadOrStore(m.ID, true); twice {
							w.Errorf("%s was given twice", m.ID)
						}
					}
					if len(taken) == 0 {
						return
					}
				}
			})
		}
		takers.Wait()
		n := 0
		all.Range(func(any, any) bool { n++; return true })
		if n != mails-1 {
			w.Errorf("%d were given of %d", n, mails-1)
		}
		if err := w.db.DropMail(w.ctx, "mail_01"); err != nil {
			w.Fatal(err)
		}
		if err := w.db.PutOffMail(w.ctx, "mail_02", 5, now.Add(time.Hour)); err != nil {
			w.Fatal(err)
		}
		back, err := w.db.TakeMails(w.ctx, now.Add(time.Minute), now.Add(2*time.Minute), mails)
		if err != nil || len(back) != mails-2 {
			w.Errorf("after their takers are taken for dead %d came back, %v", len(back), err)
		}
		later, err := w.db.TakeMails(w.ctx, now.Add(time.Hour), now.Add(2*time.Hour), mails)
		if err != nil || len(later) != mails-1 {
			w.Errorf("an hour later %d, %v", len(later), err)
		}
		for _, m := range later {
			if m.ID == "mail_02" && m.Tries != 5 {
				w.Errorf("tried %d times", m.Tries)
			}
		}
		old, err := w.db.DropOldMails(w.ctx, now.Add(-time.Second), 1000)
		if err != nil || len(old) != mails-2 || old[0].Sealed == nil {
			w.Errorf("%d old ones were dropped, %v", len(old), err)
		}
		if none, err := w.db.DropOldMails(w.ctx, now.Add(-time.Second), 1000); err != nil || len(none) != 0 {
			w.Errorf("again: %v, %v", none, err)
		}
	})
}

func TestMailsAreKeptAllOrNone(t *testing.T) {
	everywhere(t, func(w *world) {
		m := postern.SealedMail{ID: "mail_a", Sealed: []byte("x"), At: w.clock.Now()}
		if err := w.db.KeepMails(w.ctx, m, m); err == nil {
			w.Error("one id was kept twice")
		}
		if got, err := w.db.TakeMails(w.ctx, w.clock.Now(), w.clock.Now().Add(time.Minute), 9); err != nil || len(got) != 0 {
			w.Errorf("kept %v, %v", got, err)
		}
	})
}
