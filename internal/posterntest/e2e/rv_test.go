package e2e

import (
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/pg"
)

// renewing are the apps whose wires revoke a token by an app's credentials.
var renewing = []posterntest.App{xeebo, standard}

func TestRV02_RevokingNeedsTheAppsOwnCredentials(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		access := connect(s, standard, posterntest.Ada).Field("access_token")
		wrong := standard
		wrong.Secret = "wrong"
		s.Send(posterntest.PostForm("/oauth/revoke", "token", access)).Wants(401, "invalid_client")
		s.Revoke(wrong, access).Wants(401, "invalid_client")
		s.Send(posterntest.PostForm("/oauth/revoke", "token", access, "client_id", standard.ID)).Wants(401, "invalid_client")
		if !s.Alive(access) {
			t.Error("a stranger ended the token")
		}

		public := posterntest.Public
		got := s.Redeem(public, s.Approve(public, posterntest.Ada, "code_challenge", challenge, "code_challenge_method", "S256"))
		if got.Status == 200 {
			t.Fatal("a public app redeemed without its verifier")
		}
		code := s.Approve(public, posterntest.Ada, "code_challenge", challenge, "code_challenge_method", "S256")
		token := s.Send(posterntest.PostForm("/oauth/token", "grant_type", "authorization_code", "code", code, "client_id", public.ID,
			"redirect_uri", public.RedirectURL, "code_verifier", verifier)).OK().Field("access_token")
		s.Revoke(public, token).Says(200, "{}")
		if s.Alive(token) {
			t.Error("a public app's revocation changed nothing")
		}
	})
}

func TestRV03_ATokenThatNobodyHasIsRevokedAlready(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for _, app := range renewing {
			for _, unknown := range []string{"unknown", strings.Repeat("0", 45), "é\x01", "poa_" + strings.Repeat("x", 49), strings.Repeat("a", 4000), " "} {
				s.Revoke(app, unknown).Says(200, "{}")
			}
			s.Revoke(app, "").Wants(400, "invalid_request")
		}
		s.Send(posterntest.PostForm("/oauth/revoke").Authorized(posterntest.Basic(standard.ID, standard.Secret))).Wants(400, "invalid_request")
	})
}

// A parallel storm is one act: one line of audit, and no event unless the
// connection ended by it.
func TestRV04_ManyRevocationsAreOne(t *testing.T) {
	database := pg.URL(t)
	c := posterntest.NewCluster(t, build(t), database, 3)
	first := c.Nodes[0]
	a := connect(first.Postern, standard, posterntest.Ada)
	access := a.Field("access_token")
	for _, r := range spread(c, 100, posterntest.RevokeRequest(standard, access)) {
		r.Says(200, "{}")
	}
	for _, node := range c.Nodes {
		soon(t, func() bool { return !node.Alive(access) })
	}
	first.Revoke(standard, access).Says(200, "{}")
	dump := posterntest.Dump(t, database)
	if n := strings.Count(dump, "token.revoked"); n != 1 {
		t.Errorf("%d lines of audit tell of one revocation", n)
	}
	if strings.Contains(dump, "connection.deleted") {
		t.Error("the connection ended, though it can still be refreshed")
	}
	c.Nodes[1].Refresh(standard, a.Field("refresh_token")).OK()
}

func TestRV05_ARefreshTokenTakesItsFamilyAlongAnAccessTokenNobody(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for _, app := range renewing {
			first := connect(s, app, posterntest.Ada)
			second := s.Refresh(app, first.Field("refresh_token")).OK()
			s.Revoke(app, second.Field("access_token")).OK()
			if s.Alive(second.Field("access_token")) || !s.Alive(first.Field("access_token")) {
				t.Errorf("%s: revoking an access token ends that one alone", app.Dialect)
			}
			third := s.Refresh(app, second.Field("refresh_token")).OK()
			s.Revoke(app, third.Field("refresh_token")).OK()
			for _, a := range []*posterntest.Answer{first, second, third} {
				if s.Alive(a.Field("access_token")) {
					t.Errorf("%s: an access token outlives its family", app.Dialect)
				}
				s.Refresh(app, a.Field("refresh_token")).Wants(400, "invalid_grant")
			}
		}
	})
}

func TestRV06_WhateverTheHintTheTokenDies(t *testing.T) {
	s := posterntest.New(t)
	for _, hint := range []string{"access_token", "refresh_token", "nonsense", "", "é"} {
		for _, kind := range []string{"access_token", "refresh_token"} {
			a := connect(s, standard, posterntest.Ada)
			s.Send(posterntest.PostForm("/oauth/revoke", "token", a.Field(kind), "token_type_hint", hint).
				Authorized(posterntest.Basic(standard.ID, standard.Secret))).Says(200, "{}")
			if s.Alive(a.Field("access_token")) {
				t.Errorf("with the hint %q a revoked %s left its access token alive", hint, kind)
			}
		}
	}
}

// The line to the database breaks at any moment of a revocation: a 200 is true,
// anything else is a 503, and trying again succeeds.
func TestRV07_AnAnswerThatSaysRevokedIsTrue(t *testing.T) {
	line := pg.Proxy(t, pg.URL(t))
	s := posterntest.New(t, posterntest.On(line.URL))
	said := map[int]int{}
	for i := range 24 {
		app := renewing[i%2]
		a := connect(s, app, posterntest.Ada)
		answer := make(chan *posterntest.Answer, 1)
		if i == 0 {
			line.Cut()
		}
		go func() { answer <- s.Revoke(app, a.Field("refresh_token")) }()
		time.Sleep(time.Duration(i) * 300 * time.Microsecond)
		line.Cut()
		got := <-answer
		line.Mend()
		said[got.Status]++
		if got.Status != 200 && (got.Status != 503 || got.Header.Get("Retry-After") == "") {
			t.Errorf("%s: %d %s", app.Dialect, got.Status, got.Body)
		}
		if got.Status == 503 {
			retried(s, app, a.Field("refresh_token"))
		}
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			c := check(s, "", credential(app, a.Field("access_token")))
			if c.Status == 401 {
				break
			}
			if c.Status != 503 || time.Now().After(deadline) {
				t.Fatalf("%s: revoked, and the check says %d", app.Dialect, c.Status)
			}
		}
	}
	if said[503] == 0 {
		t.Errorf("the line never broke in time: %v", said)
	}
}

// retried revokes until it succeeds, as a partner does who was told to.
func retried(s *posterntest.Postern, app posterntest.App, token string) {
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		a := s.Revoke(app, token)
		if a.Status == 200 {
			return
		}
		if a.Status != 503 || time.Now().After(deadline) {
			a.OK()
		}
	}
}

func TestRV09_WhatWasDisconnectedStaysDead(t *testing.T) {
	eachApp(t, func(t *testing.T, s *posterntest.Postern, app posterntest.App) {
		old := connect(s, app, posterntest.Ada)
		connection := s.Introspect(old.Field("access_token")).Field("connection_id")
		check(s, "", credential(app, old.Field("access_token"))).OK()
		s.Disconnect(posterntest.Ada, app)
		dead := func() {
			t.Helper()
			if a := check(s, "", credential(app, old.Field("access_token"))); a.Status != 401 {
				t.Errorf("an old token: %d", a.Status)
			}
			if refresh := old.Field("refresh_token"); refresh != "" {
				s.Refresh(app, refresh).Wants(400, "invalid_grant")
			}
		}
		dead()
		again := connect(s, app, posterntest.Ada)
		if a := check(s, "", credential(app, again.Field("access_token"))); a.Status != 200 || a.Header.Get("X-Postern-Connection") == connection {
			t.Errorf("connected again: %d, connection %q", a.Status, a.Header.Get("X-Postern-Connection"))
		}
		dead()
		s.Restart()
		dead()
		check(s, "", credential(app, again.Field("access_token"))).OK()
	})
}
