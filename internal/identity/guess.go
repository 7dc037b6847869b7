package identity

import (
	"context"
	"encoding/hex"
	"strings"
	"time"

	"postern.dev/postern"
)

// claim is somebody saying to be somebody. It knows nothing of the table that
// the person is in: each sign-in of the product makes one of its own rows.
type claim struct {
	door     string       // which sign-in: doors do not share their counts
	email    string       // folded
	person   string       // for the audit record, "user:ID"; empty if there is none
	hash     string       // empty: whatever the password, nobody gets in
	device   postern.Hash // a browser known to be the person's; zero: another
	password postern.Secret
	address  string
	detail   string // for the audit record
}

// bucket is the count that a claim's guesses belong to: one per person, over
// all spellings, addresses and nodes. A browser that the person has signed in
// with before has a count of its own, so that strangers who use up the first
// do not lock the owner out. Names are hashes: the table tells no address.
func (c *claim) bucket() string {
	parts := []string{c.door, "anywhere", c.email}
	if !c.device.IsZero() {
		parts = []string{c.door, "device", c.person, hex.EncodeToString(c.device[:])}
	}
	name := postern.Secret(strings.Join(parts, "\x00")).Hash()
	return "sign_in:" + hex.EncodeToString(name[:])
}

// object is whom the claim is about. People mistype their password as their
// e-mail, so one that is nobody's is not written down.
func (c *claim) object() string {
	if c.person == "" {
		return "nobody"
	}
	return c.person
}

// prove checks the password of a claim and gives the hash to keep: the stored
// one, or a better one of the same password. A wrong password, an unknown
// person and one who may not enter cannot be told apart, by word or by time.
//
// The attempt is counted before the password is looked at, so that of any
// number of guesses in parallel only the limit is evaluated (attacks.md PA-11);
// and counted at the desk, so that one person who signs in many times at once
// with the right password does not use up the count while waiting.
func (r *Rules) prove(ctx context.Context, c *claim) (hash string, err error) {
	limits := r.Limits.withDefaults()
	g := Guess{
		Bucket: c.bucket(), Limit: limits.Guesses, Window: limits.Window,
		Object: c.object(), Detail: c.detail, Address: c.address, Now: r.Now(),
	}
	count, err := r.Store.Guesses(ctx, g.Bucket, g.Now)
	if err != nil {
		return "", err
	}
	if count.Guesses > g.Limit { // a read, so that a flood of guesses costs no write
		return "", tooMany(g, count)
	}
	hash, began, err := r.atTheDesk(ctx, c, g)
	if err != nil || hash != "" {
		return hash, err
	}
	return "", r.refuseInPace(ctx, c.password, began)
}

// atTheDesk counts a claim and compares its password, which is wrong where it
// gives neither hash nor error. It began to compare at the time that it gives.
func (r *Rules) atTheDesk(ctx context.Context, c *claim, g Guess) (hash string, began time.Time, err error) {
	leave, err := r.sit(ctx)
	if err != nil {
		return "", began, err
	}
	defer leave()
	count, err := r.Store.CountGuess(ctx, g)
	if err != nil {
		return "", began, err
	}
	if count.Guesses > g.Limit {
		return "", began, tooMany(g, count)
	}
	began = r.Now()
	hash, err = r.evaluate(ctx, c, g)
	return hash, began, err
}

// evaluate compares the password of a counted claim; a wrong one gives no hash.
func (r *Rules) evaluate(ctx context.Context, c *claim, g Guess) (hash string, err error) {
	stored := c.hash
	h, err := readHash(stored)
	if err != nil {
		if stored != "" {
			r.Log.Error("a stored password hash cannot be used: reset the password", "person", c.object(), "why", err)
		}
		stored = nobodysHash
		if h, err = readHash(stored); err != nil {
			return "", err
		}
	}
	began := r.Now()
	ok, upgrade, err := verify(stored, c.password)
	if comparisons(c.password) == 1 && len(c.password) <= bcryptMost {
		r.pace.note(kindOf(h), r.Now().Sub(began))
	}
	switch {
	case err != nil:
		return "", err
	case !ok:
		return "", r.Store.FailedGuess(ctx, g)
	case upgrade:
		return r.makeHash(c.password)
	}
	return stored, nil
}

// nobodysHash is what the password of a person who does not exist is compared
// with: it takes as long as any other of ours. Its key was not made of a
// password, so there is none to find that gives a yes.
const nobodysHash = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGlzIGhlcmU$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

func wrong() error {
	return postern.Errorf(postern.AccessDenied, "The e-mail or the password is wrong.")
}

func tooMany(g Guess, c Count) error {
	e := postern.Errorf(postern.RateLimited, "Too many wrong passwords. Wait a while, or sign in with a browser that you have used here before.")
	e.RetryAfter = max(c.Ends.Sub(g.Now), 0)
	return e
}
