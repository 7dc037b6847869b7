package storetest

import (
	"testing"

	"postern.dev/postern"
	"postern.dev/postern/internal/oauth"
)

// I-52: whoever acts at once, the events of each connection count from one
// without a gap or a repetition, and nothing comes after its end.
func TestI52_TheEventsOfAConnectionCountWithoutGaps(t *testing.T) {
	everywhere(t, func(w *world) {
		const exchanges = 24
		codes := make(chan postern.Secret, exchanges)
		for i := range exchanges {
			codes <- w.approve(plain, "own", "ada", "acme", [][]string{{"read"}, {"write"}, {"read", "write"}}[i%3]...)
		}
		first := w.connect(plain, "own", "ada", "acme", "read")
		w.connect(plain, "whole", "bob", "acme", "read")
		atOnce(exchanges+4, func() (*oauth.Issued, error) {
			select {
			case code := <-codes:
				return w.rules.Redeem(w.ctx, redeeming(plain, "own", code))
			default: // the last ones end it
				_, err := w.rules.RevokeHeld(w.ctx, "plain", first.AccessToken, true)
				return nil, err
			}
		}, func(err error) {
			if !postern.Is(err, postern.InvalidGrant) && !postern.Is(err, postern.InvalidToken) {
				w.Errorf("refused: %v", err)
			}
		})
		w.connect(plain, "own", "ada", "acme", "write") // another one, or on with that
		if n := w.count(`
			SELECT count(*) FROM (SELECT connection_id, count(*) AS n, MIN(sequence) AS lo, MAX(sequence) AS hi, COUNT(DISTINCT sequence) AS d
			FROM events GROUP BY connection_id) e WHERE lo <> 1 OR hi <> n OR d <> n`); n != 0 {
			w.Errorf("%d connections have gaps", n)
		}
		if n := w.count(`SELECT count(*) FROM connections c WHERE sequence <> (SELECT MAX(e.sequence) FROM events e WHERE e.connection_id = c.id)`); n != 0 {
			w.Errorf("%d connections count other than their events", n)
		}
		if n := w.count(`
			SELECT count(*) FROM events d JOIN events e ON e.connection_id = d.connection_id
			WHERE d.type = 'connection.deleted' AND e.sequence > d.sequence OR d.type = 'connection.created' AND d.sequence <> 1`); n != 0 {
			w.Errorf("%d events come before the first or after the last", n)
		}
		if n := w.events(postern.ConnectionDeleted); n != 1 {
			w.Errorf("%d ends were told", n)
		}
	})
}
