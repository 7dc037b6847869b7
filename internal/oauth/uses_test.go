package oauth

import (
	"crypto/sha256"
	"fmt"
	"testing"
	"time"

	"postern.dev/postern"
)

func usedToken(i int) *postern.Token {
	return &postern.Token{Family: sha256.Sum256(fmt.Append(nil, i)), AppID: "app", Account: postern.Account{ID: "acme"}}
}

// All are of one app at one account, which once took a minute to forget.
func TestAFullMemoryOfUsesLetsTheLastComerHaveATurn(t *testing.T) {
	var u uses
	now := time.Unix(1_000_000_000, 0)
	last := usedToken(usesKept)
	for range 3 {
		for i := range usesKept {
			u.note(usedToken(i), now)
		}
		u.note(last, now)
		for _, use := range u.takeDue(now) {
			if use.Family == last.Family {
				return
			}
		}
		now = now.Add(2 * time.Second)
		u.note(last, now)
	}
	t.Error("those who came first keep their places for ever")
}

func TestWhatIsNotUsedAnyMoreIsForgottenOfItsAppToo(t *testing.T) {
	var u uses
	now := time.Unix(1_000_000_000, 0)
	for i := range 10 {
		u.note(usedToken(i), now)
	}
	if n := len(u.takeDue(now)); n != 10 {
		t.Fatalf("%d of 10 are written at once", n)
	}
	now = now.Add(time.Minute)
	u.note(usedToken(3), now)
	if n := len(u.takeDue(now)); n != 1 {
		t.Fatalf("%d are written, want the one that was used", n)
	}
	if of := u.takeOf("app", "acme"); len(of) != 1 || of[0].Family != usedToken(3).Family {
		t.Fatalf("%d are still noted of the app, want the one that was used", len(of))
	}
	if len(u.seen) != 0 || len(u.of) != 0 {
		t.Fatalf("something is left: %d, %d", len(u.seen), len(u.of))
	}
}
