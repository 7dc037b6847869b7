package storetest

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// node is a second node over the same rows, with a memory of its own.
func (w *world) node() *oauth.Rules {
	r := &oauth.Rules{Store: w.db, Now: w.rules.Now, Random: w.rules.Random, Log: w.rules.Log}
	r.Memory = oauth.NewMemory(w.db, w.clock.Now, 5*time.Second)
	return r
}

func refuses(w *world, r *oauth.Rules, terms *oauth.Terms, token postern.Secret) {
	w.Helper()
	_, err := r.Check(w.ctx, terms.Dialect, token)
	w.wants(err, postern.InvalidToken)
}

func accepts(w *world, r *oauth.Rules, terms *oauth.Terms, token postern.Secret) {
	w.Helper()
	_, err := r.Check(w.ctx, terms.Dialect, token)
	w.ok(err)
}

func TestI11_ARevocationIsKnownAtOnceWhereItWasMadeAndWithinASecondElsewhere(t *testing.T) {
	for name, end := range map[string]func(w *world, r *oauth.Rules, i *oauth.Issued) error{
		"the app revokes the token": func(w *world, r *oauth.Rules, i *oauth.Issued) error {
			_, err := r.Revoke(w.ctx, &oauth.Revoke{Terms: rotating, Client: client("own"), Token: i.AccessToken})
			return err
		},
		"the app revokes the family": func(w *world, r *oauth.Rules, i *oauth.Issued) error {
			_, err := r.Revoke(w.ctx, &oauth.Revoke{Terms: rotating, Client: client("own"), Token: i.RefreshToken})
			return err
		},
		"the holder ends the connection": func(w *world, r *oauth.Rules, i *oauth.Issued) error {
			_, err := r.RevokeHeld(w.ctx, "rotating", i.AccessToken, true)
			return err
		},
		"the user disconnects": func(w *world, r *oauth.Rules, i *oauth.Issued) error {
			return r.Disconnect(w.ctx, postern.User{ID: "ada"}, i.ConnectionID, "")
		},
	} {
		t.Run(name, func(t *testing.T) {
			everywhere(t, func(w *world) {
				here, there := w.node(), w.node()
				i := w.connect(rotating, "own", "ada", "acme", "read")
				other := w.connect(rotating, "own", "bob", "acme", "read")
				for range 2 {
					accepts(w, here, rotating, i.AccessToken)
					accepts(w, there, rotating, i.AccessToken)
					accepts(w, there, rotating, other.AccessToken)
				}
				w.ok(end(w, here, i))
				refuses(w, here, rotating, i.AccessToken)
				w.clock.Advance(1001 * time.Millisecond) // longer than any memory is trusted unread
				refuses(w, there, rotating, i.AccessToken)
				accepts(w, there, rotating, other.AccessToken)
			})
		})
	}
}

func TestAMemoryThatFollowsLearnsWithoutBeingAsked(t *testing.T) {
	everywhere(t, func(w *world) {
		here, there := w.node(), w.node()
		i := w.connect(rotating, "own", "ada", "acme", "read")
		accepts(w, there, rotating, i.AccessToken)
		ctx, stop := context.WithCancel(w.ctx)
		defer stop()
		go there.Memory.Follow(ctx, w.db.Knocks(ctx), 50*time.Millisecond)
		_, err := here.RevokeHeld(w.ctx, "rotating", i.AccessToken, true)
		w.ok(err)
		// The clock stands still, so only following can tell.
		for end := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
			if _, err := there.Check(w.ctx, "rotating", i.AccessToken); err != nil {
				return
			}
			if time.Now().After(end) {
				w.Fatal("the other node never heard of it")
			}
		}
	})
}

// cut is the rows behind a line that can be cut.
type cut struct {
	oauth.Store
	changes oauth.Changes
	off     atomic.Bool
	reads   atomic.Int64
}

var errCut = postern.Wrap(postern.Unavailable, errors.New("the line is cut"))

func (c *cut) Token(ctx context.Context, h postern.Hash) (*postern.Token, error) {
	if c.off.Load() {
		return nil, errCut
	}
	c.reads.Add(1)
	return c.Store.Token(ctx, h)
}

func (c *cut) Changes(ctx context.Context, after int64, limit int) ([]oauth.Change, error) {
	if c.off.Load() {
		return nil, errCut
	}
	return c.changes.Changes(ctx, after, limit)
}

func (c *cut) LastChange(ctx context.Context) (int64, error) {
	if c.off.Load() {
		return 0, errCut
	}
	return c.changes.LastChange(ctx)
}

func TestI19_WithoutTheDatabaseAYesIsAtMostFiveSecondsOld(t *testing.T) {
	everywhere(t, func(w *world) {
		line := &cut{Store: w.db, changes: w.db}
		r := &oauth.Rules{Store: line, Now: w.clock.Now, Random: w.rules.Random, Log: w.rules.Log}
		r.Memory = oauth.NewMemory(line, w.clock.Now, 5*time.Second)
		seen, unseen := w.connect(plain, "own", "ada", "acme", "read"), w.connect(plain, "own", "bob", "acme", "read")
		accepts(w, r, plain, seen.AccessToken)
		line.off.Store(true)
		w.clock.Advance(4900 * time.Millisecond)
		accepts(w, r, plain, seen.AccessToken)
		_, err := r.Check(w.ctx, "plain", unseen.AccessToken)
		w.wants(err, postern.Unavailable)
		w.clock.Advance(200 * time.Millisecond)
		_, err = r.Check(w.ctx, "plain", seen.AccessToken)
		w.wants(err, postern.Unavailable) // never InvalidToken: nobody knows
		line.off.Store(false)
		accepts(w, r, plain, seen.AccessToken)
		accepts(w, r, plain, unseen.AccessToken)
	})
}

func TestI19_WithABoundOfNothingEveryCheckAsksTheDatabase(t *testing.T) {
	everywhere(t, func(w *world) {
		line := &cut{Store: w.db, changes: w.db}
		r := &oauth.Rules{Store: line, Now: w.clock.Now, Random: w.rules.Random, Log: w.rules.Log}
		r.Memory = oauth.NewMemory(line, w.clock.Now, 0)
		i := w.connect(plain, "own", "ada", "acme", "read")
		for range 3 {
			accepts(w, r, plain, i.AccessToken)
		}
		line.off.Store(true) // and the clock stands still
		_, err := r.Check(w.ctx, "plain", i.AccessToken)
		w.wants(err, postern.Unavailable)
		if n := r.Memory.Len(); n != 0 {
			w.Errorf("%d tokens are held", n)
		}
		line.off.Store(false)
		accepts(w, r, plain, i.AccessToken)
	})
}

// stuck are rows that say nothing, as behind a network that swallows all.
type stuck struct {
	changes oauth.Changes
	off     atomic.Bool
}

func (s *stuck) LastChange(ctx context.Context) (int64, error) { return s.changes.LastChange(ctx) }

func (s *stuck) Changes(ctx context.Context, after int64, limit int) ([]oauth.Change, error) {
	if s.off.Load() {
		<-ctx.Done()
		return nil, postern.Wrap(postern.Unavailable, ctx.Err())
	}
	return s.changes.Changes(ctx, after, limit)
}

func TestI19_ADatabaseThatSaysNothingIsAwayToo(t *testing.T) {
	everywhere(t, func(w *world) {
		rows := &stuck{changes: w.db}
		r := &oauth.Rules{Store: w.db, Now: w.clock.Now, Random: w.rules.Random, Log: w.rules.Log}
		r.Memory = oauth.NewMemory(rows, w.clock.Now, 5*time.Second)
		i := w.connect(plain, "own", "ada", "acme", "read")
		accepts(w, r, plain, i.AccessToken)
		rows.off.Store(true)
		w.clock.Advance(3 * time.Second)
		accepts(w, r, plain, i.AccessToken)
		w.clock.Advance(3 * time.Second)
		_, err := r.Check(w.ctx, "plain", i.AccessToken)
		w.wants(err, postern.Unavailable)
	})
}

func TestATokenThatWasSeenCostsNoRead(t *testing.T) {
	everywhere(t, func(w *world) {
		line := &cut{Store: w.db, changes: w.db}
		r := &oauth.Rules{Store: line, Now: w.clock.Now, Random: w.rules.Random, Log: w.rules.Log}
		r.Memory = oauth.NewMemory(line, w.clock.Now, time.Second)
		i := w.connect(plain, "own", "ada", "acme", "read")
		for range 10 {
			accepts(w, r, plain, i.AccessToken)
			refuses(w, r, plain, "unknown")
		}
		if n := line.reads.Load(); n != 11 {
			w.Fatalf("%d reads: one for the token, one for each look at an unknown one", n)
		}
		w.clock.Advance(time.Hour)
		refuses(w, r, plain, i.AccessToken) // expired, though remembered
	})
}

func TestTokensThatAreNotUsedLeaveTheMemory(t *testing.T) {
	everywhere(t, func(w *world) {
		node := w.node()
		used := w.connect(rotating, "own", "ada", "acme", "read").AccessToken
		idle := w.connect(rotating, "own", "bob", "acme", "read").AccessToken
		look := func(tokens ...postern.Secret) int {
			for _, token := range tokens {
				accepts(w, node, rotating, token)
			}
			for range 64 {
				node.Memory.Tidy()
			}
			return node.Memory.Len()
		}
		accepts(w, node, rotating, idle)
		accepts(w, node, rotating, used)
		if n := look(used, idle); n != 2 {
			t.Errorf("%d tokens are held that were used twice", n)
		}
		if n := look(used); n != 1 {
			t.Errorf("%d tokens are held, of which one was used", n)
		}
		if n := look(); n != 0 {
			t.Errorf("%d tokens are held that nobody used", n)
		}
		accepts(w, node, rotating, idle)
	})
}
