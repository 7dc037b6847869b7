package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"postern.dev/postern/internal/posterntest"
)

// callers are how many at once a race is run with.
var callers = []int{1, 50, 100}

// atOnce sends requests at the same moment and gives the answers.
func atOnce(requests []func() *posterntest.Answer) []*posterntest.Answer {
	answers := make([]*posterntest.Answer, len(requests))
	var ready, done sync.WaitGroup
	start := make(chan struct{})
	for i, request := range requests {
		ready.Add(1)
		done.Go(func() {
			ready.Done()
			<-start
			answers[i] = request()
		})
	}
	ready.Wait()
	close(start)
	done.Wait()
	return answers
}

// same is one request n times.
func same(n int, request func() *posterntest.Answer) []func() *posterntest.Answer {
	all := make([]func() *posterntest.Answer, n)
	for i := range all {
		all[i] = request
	}
	return all
}

// winners are the answers that are 200; the others must say this.
func winners(t *testing.T, answers []*posterntest.Answer, status int, word string) []*posterntest.Answer {
	t.Helper()
	var won []*posterntest.Answer
	for _, a := range answers {
		if a.Status == 200 {
			won = append(won, a)
			continue
		}
		a.Wants(status, word)
	}
	return won
}

// I-01, I-02, attack TK-02: and, since all callers are the code's owner, the
// tokens of the winner end by the replay rule as soon as anybody lost.
func TestI01OneOfManyCallersRedeemsACode(t *testing.T) {
	eachApp(t, func(t *testing.T, s *posterntest.Postern, app posterntest.App) {
		for _, n := range callers {
			code := s.Approve(app, posterntest.Ada)
			won := winners(t, atOnce(same(n, func() *posterntest.Answer { return s.Redeem(app, code) })), 400, "invalid_grant")
			if len(won) != 1 {
				t.Fatalf("%d of %d callers redeemed the code", len(won), n)
			}
			if alive := s.Alive(won[0].Field("access_token")); alive != (n == 1) {
				t.Errorf("after %d presentations the token is alive: %v", n, alive)
			}
		}
	})
}

// I-05: callers of another app, in the same race, neither win nor spoil it.
func TestI05AnotherAppsCallersChangeNothing(t *testing.T) {
	eachApp(t, func(t *testing.T, s *posterntest.Postern, app posterntest.App) {
		code := s.Approve(app, posterntest.Ada)
		thief := posterntest.Others[app.Dialect]
		requests := same(49, func() *posterntest.Answer { return s.Redeem(thief, code) })
		requests = append(requests, func() *posterntest.Answer { return s.Redeem(app, code) })
		answers := atOnce(requests)
		owner := answers[49].OK()
		if won := winners(t, answers[:49], 400, "invalid_grant"); len(won) != 0 {
			t.Errorf("%d thieves won", len(won))
		}
		if !s.Alive(owner.Field("access_token")) {
			t.Error("the owner's token died")
		}
	})
}

// I-12, attack TK-24: where a dialect rotates, all winners get one successor.
func TestI12ManyRotationsGiveOneSuccessor(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for _, n := range callers {
			refresh := s.Redeem(standard, s.Approve(standard, posterntest.Ada)).OK().Field("refresh_token")
			answers := atOnce(same(n, func() *posterntest.Answer { return s.Refresh(standard, refresh) }))
			successors := map[string]bool{}
			for _, a := range answers {
				switch a.Status {
				case 200:
					successors[a.Field("refresh_token")+" "+a.Field("access_token")] = true
				case 503:
					a.Wants(503, "temporarily_unavailable")
				default:
					a.Wants(400, "invalid_grant")
				}
			}
			if len(successors) != 1 {
				t.Fatalf("%d callers got %d successors", n, len(successors))
			}
			for pair := range successors {
				next, access, _ := strings.Cut(pair, " ")
				if !s.Alive(access) {
					t.Error("the new access token is dead")
				}
				s.Refresh(standard, next).OK()
			}
		}
	})
}

// xeebo.md §8.5
func TestXeeboManyRefreshesAllSucceed(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for _, n := range callers {
			refresh := connect(s, xeebo, posterntest.Ada).Field("refresh_token")
			tokens := map[string]bool{}
			for _, a := range atOnce(same(n, func() *posterntest.Answer { return s.Refresh(xeebo, refresh) })) {
				if a.Status != 200 || a.Field("refresh_token") != refresh {
					t.Fatalf("one of %d got %d %s", n, a.Status, a.Body)
				}
				tokens[a.Field("access_token")] = true
			}
			if len(tokens) != n {
				t.Errorf("%d callers got %d access tokens", n, len(tokens))
			}
			for token := range tokens {
				s.Call(xeebo, token).OK()
			}
		}
	})
}

// xref.md §5: at least one 200, the others 200 or 401.
func TestXrefManyDeauthorizationsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for _, n := range callers {
			token := connect(s, xref, posterntest.Ada).Field("access_token")
			won := winners(t, atOnce(same(n, func() *posterntest.Answer { return s.Revoke(xref, token) })), 401, "invalid_token")
			if len(won) == 0 {
				t.Errorf("none of %d was told that it succeeded", n)
			}
			s.Call(xref, token).Says(401, xrefNotValid)
		}
	})
}

// RFC 7009 §2.2: revoking is never refused to the owner, however often.
func TestManyRevocationsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for _, app := range []posterntest.App{xeebo, standard} {
			for _, n := range callers {
				a := s.Redeem(app, s.Approve(app, posterntest.Ada)).OK()
				refresh := a.Field("refresh_token")
				for _, r := range atOnce(same(n, func() *posterntest.Answer { return s.Revoke(app, refresh) })) {
					r.Says(200, "{}")
				}
				if s.Alive(a.Field("access_token")) {
					t.Errorf("%s: an access token survived %d revocations", app.Dialect, n)
				}
			}
		}
	})
}

// I-15: what a refresh gave in a race with a revocation of its family is dead
// once the revocation was acknowledged.
func TestI15NoTokenSurvivesARevocationItRacedWith(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for _, app := range []posterntest.App{xeebo, standard} {
			for range 5 {
				a := s.Redeem(app, s.Approve(app, posterntest.Ada)).OK()
				refresh := a.Field("refresh_token")
				requests := same(20, func() *posterntest.Answer { return s.Refresh(app, refresh) })
				requests = append(requests, func() *posterntest.Answer { return s.Revoke(app, refresh) })
				for _, r := range atOnce(requests) {
					if token := r.Field("access_token"); token != "" && s.Alive(token) {
						t.Fatalf("%s: a token is alive after the family was revoked: %s", app.Dialect, r.Body)
					}
				}
				s.Refresh(app, refresh).Wants(400, "invalid_grant")
			}
		}
	})
}

// I-16: the number of live tokens holds under parallel exchanges too.
func TestI16TokensOfAConnectionStayWithinTheirNumber(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		var requests []func() *posterntest.Answer
		for i := range 40 {
			who := []string{posterntest.Ada, posterntest.Alan}[i%2]
			code := s.Approve(xref, who)
			requests = append(requests, func() *posterntest.Answer { return s.Redeem(xref, code) })
		}
		alive := 0
		for _, a := range atOnce(requests) {
			if s.Call(xref, a.OK().Field("access_token")).Status == 200 {
				alive++
			}
		}
		if alive != 25 {
			t.Errorf("%d of 40 tokens live, want 25", alive)
		}
	})
}

// AZ-30: one form posted many times gives one code.
func TestAZ30OneAnswerToAQuestion(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for _, n := range callers {
			b := s.SignedIn(posterntest.Ada)
			question := b.Ask(s.AuthorizeURL(xref, "state", fmt.Sprint(n)))
			pages := make([]*posterntest.Page, n)
			var all sync.WaitGroup
			for i := range pages {
				all.Go(func() { pages[i] = b.Press(question, "Allow") })
			}
			all.Wait()
			codes := 0
			for _, p := range pages {
				switch {
				case strings.Contains(p.Location, "code="):
					codes++
				case p.Location != "" || p.Status >= 500:
					t.Errorf("one got %d %q", p.Status, p.Location)
				}
			}
			if codes != 1 {
				t.Errorf("%d posts gave %d codes", n, codes)
			}
		}
	})
}
