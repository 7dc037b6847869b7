package identity

import (
	"context"
	"time"

	"postern.dev/postern"
)

// seenEvery is how far "last seen" may lag behind: a page with twenty pictures
// is one write, or none.
const seenEvery = time.Minute

// Session gives the session of a cookie's value. One that is unknown, idle for
// too long, too old, or whose user is switched off or removed, is NotFound.
//
// That the session was seen is written beside the request, at most once a
// minute.
func (r *Rules) Session(ctx context.Context, session postern.Secret) (*postern.Session, error) {
	if !postern.SessionForm.Matches(session) {
		return nil, notSignedIn()
	}
	s, err := r.Store.Session(ctx, session.Hash())
	if postern.Is(err, postern.NotFound) {
		return nil, notSignedIn()
	}
	if err != nil {
		return nil, err
	}
	if !r.stands(s.Hash, s.LastSeen, s.ExpiresAt, r.Store.SeeSession) {
		return nil, notSignedIn()
	}
	return s, nil
}

// stands reports whether a session is neither idle for too long nor too old. One
// that does is seen.
func (r *Rules) stands(session postern.Hash, lastSeen, expires time.Time, see func(context.Context, postern.Hash, time.Time) error) bool {
	now := r.Now()
	idle := now.Sub(lastSeen)
	if !now.Before(expires) || idle >= r.Limits.withDefaults().SessionIdle {
		return false
	}
	if idle >= seenEvery {
		r.see(session, func(ctx context.Context) error { return see(ctx, session, now) })
	}
	return true
}

// see writes in the background that a session was seen, one write at a time
// for each.
func (r *Rules) see(session postern.Hash, write func(context.Context) error) {
	if _, underWay := r.seen.LoadOrStore(session, true); underWay {
		return
	}
	r.background.Go(func() {
		defer r.seen.Delete(session)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		if err := write(ctx); err != nil {
			r.Log.Warn("a session's last use was not written; the next request tries again", "error", err)
		}
	})
}

// SignOut ends the session on the server: a copy of the cookie opens nothing
// any more, on any node. An unknown session is no error.
func (r *Rules) SignOut(ctx context.Context, session postern.Secret) error {
	if !postern.SessionForm.Matches(session) {
		return nil
	}
	return r.Store.EndSession(ctx, session.Hash(), r.Now())
}

func notSignedIn() error {
	return postern.Errorf(postern.NotFound, "You are not signed in, or were away for too long. Sign in again.")
}
