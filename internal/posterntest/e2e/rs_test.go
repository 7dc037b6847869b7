package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/pg"
)

// ask is a check as a gateway asks it, with any number of values of a header.
func ask(s *posterntest.Postern, path string, authorization ...string) *posterntest.Answer {
	return s.Send(posterntest.Request{Method: http.MethodGet, Path: s.Internal + path, Header: http.Header{"Authorization": authorization}})
}

// not complains unless the answer is a refusal that echoes nothing of what was sent.
func not(t *testing.T, a *posterntest.Answer, sent string, statuses ...int) {
	t.Helper()
	fine := false
	for _, s := range statuses {
		fine = fine || a.Status == s
	}
	if !fine || a.Header.Get("X-Postern-App") != "" {
		t.Errorf("%.80q gives %d %s, want %v", sent, a.Status, a.Body, statuses)
	}
	for _, word := range strings.Fields(sent) {
		if told := a.Header.Get("WWW-Authenticate") + a.Body; len(word) > 12 && strings.Contains(told, word) {
			t.Errorf("%.80q is echoed: %s", sent, told)
		}
	}
}

func TestRS01_ACredentialIsReadInOneWay(t *testing.T) {
	s := posterntest.New(t)
	access := connect(s, standard, posterntest.Ada).Field("access_token")
	for _, fine := range []string{"bearer " + access, "BEARER " + access, "Bearer  " + access} {
		if a := ask(s, "/check", fine); a.Status != 200 {
			t.Errorf("%.9q: %d %s", fine, a.Status, a.Body)
		}
	}
	for _, bad := range []string{
		"Bearer\t" + access, "Bearer" + access, "Bearer " + access + ", Bearer " + access, "Token " + access, access,
		"Basic " + posterntest.Base64(access), "Basic " + posterntest.Base64(access+":"), "Bearer " + access + " x", "Bearer \"" + access + "\"", "Bearer", "Bearer:" + access,
	} {
		not(t, ask(s, "/check", bad), bad, 401)
	}
}

func TestRS02_TwoCredentialsAreNone(t *testing.T) {
	s := posterntest.New(t)
	var all []string
	for _, app := range posterntest.Apps {
		all = append(all, credential(app, connect(s, app, posterntest.Ada).Field("access_token")))
	}
	for range 2 { // cold and warm
		for _, one := range all {
			if a := ask(s, "/check", one); a.Status != 200 {
				t.Fatalf("%d %s", a.Status, a.Body)
			}
			for _, other := range append(all, "Bearer garbage", "Mystery x") {
				not(t, ask(s, "/check", one, other), one, 400, 401)
				not(t, ask(s, "/check", other, one), one, 400, 401)
				not(t, ask(s, "/check/envoy/v1", one, other), one, 400, 401)
			}
		}
	}
}

func TestRS03_ATokenInTheQueryIsNoneAndNotLogged(t *testing.T) {
	s := posterntest.New(t)
	access := connect(s, standard, posterntest.Ada).Field("access_token")
	told := posterntest.Request{Method: http.MethodGet, Path: s.Internal + "/check?call=original"}.
		With("X-Original-Method", "GET").With("X-Original-Url", "https://api.example.com/v1?access_token="+access)
	not(t, s.Send(told), access, 401)
	not(t, s.Send(told.Authorized("Bearer "+access)), access, 400, 401) // RS-04
	not(t, ask(s, "/check/envoy/v1?access_token="+access), access, 401)
	not(t, ask(s, "/check/envoy/v1?access_token="+access, "Bearer "+access), access, 400, 401)
	not(t, s.Send(posterntest.PostForm(s.Internal+"/check/envoy/v1", "access_token", access)), access, 401)
	if strings.Contains(s.Log.String(), access) {
		t.Error("the token is in the log")
	}
}

func TestRS05_ATokenIsShownAsItsOwnDialectHasIt(t *testing.T) {
	s := posterntest.New(t)
	for _, app := range posterntest.Apps {
		access := connect(s, app, posterntest.Ada).Field("access_token")
		for _, as := range posterntest.Apps {
			a, want := ask(s, "/check", credential(as, access)), 401
			if as.Dialect == app.Dialect {
				want = 200
			}
			if a.Status != want {
				t.Errorf("a token of %s shown as one of %s: %d", app.Dialect, as.Dialect, a.Status)
			}
		}
	}
}

func TestRS06_WhatNoTokenHasEndsBeforeALookUp(t *testing.T) {
	line := pg.Proxy(t, pg.URL(t))
	s := posterntest.New(t, posterntest.On(line.URL))
	access := connect(s, standard, posterntest.Ada).Field("access_token")
	line.Cut() // a look-up would be a 503
	for _, bad := range []string{
		access + "é", access + "\xff", access + "\tx", strings.Repeat("a", 9<<10), strings.Repeat("=", 45), access + "%00", access + "\\r\\n", "<script>alert(document.cookie)</script>",
	} {
		not(t, ask(s, "/check", "Bearer "+bad), bad, 400, 401)
		not(t, ask(s, "/check", "Token "+bad), bad, 400, 401)
	}
	mended(t, line, s)
}

// mended brings the database back, and waits until the node knows again what is
// not there.
func mended(t *testing.T, line *pg.Line, s *posterntest.Postern) {
	t.Helper()
	line.Mend()
	for n, deadline := 0, time.Now().Add(10*time.Second); ; time.Sleep(20 * time.Millisecond) {
		a := ask(s, "/check", "Token "+strings.Repeat("e", 40))
		if a.Status == 401 {
			if n++; n == 10 { // over every connection that was broken
				return
			}
			continue
		}
		if a.Status != 503 || time.Now().After(deadline) {
			t.Fatalf("once the database is back the check says %d %s", a.Status, a.Body)
		}
	}
}

// With the bound set to nothing a yes is never older than its call (I-19).
func TestRS13_WithABoundOfNothingAnAbsentDatabaseIsNoticedAtOnce(t *testing.T) {
	line := pg.Proxy(t, pg.URL(t))
	s := posterntest.New(t, posterntest.On(line.URL), posterntest.Set("check", map[string]any{"away": "0s"}))
	access := connect(s, standard, posterntest.Ada).Field("access_token")
	for range 3 {
		a := ask(s, "/check?rests", "Bearer "+access)
		if a.Status != 200 || a.Header.Get("X-Postern-Rests-On") != "" {
			t.Fatalf("%d, to be kept by what it rests on: %q", a.Status, a.Header.Get("X-Postern-Rests-On"))
		}
	}
	line.Cut() // and the clock stands still
	for range 3 {
		if a := ask(s, "/check", "Bearer "+access); a.Status != 503 || a.Header.Get("Retry-After") == "" {
			t.Fatalf("%d %v", a.Status, a.Header)
		}
		looked := posterntest.PostForm("/oauth/introspect", "token", access).Authorized(posterntest.Basic(posterntest.APIID, posterntest.APISecret))
		if a := s.Send(looked); a.Status != 503 || a.Header.Get("Retry-After") == "" {
			t.Fatalf("introspection: %d %v", a.Status, a.Header)
		}
	}
	mended(t, line, s)
	if a := ask(s, "/check", "Bearer "+access); a.Status != 200 {
		t.Errorf("%d %s", a.Status, a.Body)
	}
}

func TestRS07_NoHeaderOfTheCallersChangesTheDecision(t *testing.T) {
	s := posterntest.New(t, posterntest.Set("routes", rules(t)))
	access := connect(s, standard, posterntest.Ada).Field("access_token")
	tricks := map[string]string{
		"X-Original-Url": "https://api.example.com/v1/status", "X-Original-Method": "OPTIONS", "X-Rewrite-Url": "/v1/status", "X-Forwarded-Uri": "/v1/status",
		"X-Forwarded-Method": "OPTIONS", "X-Forwarded-Host": "admin.example.com", "X-Http-Method-Override": "GET", "X-Postern-App": "forged", "X-Postern-Account": "forged",
		"X-Postern-Scopes": "billing.read", "Forwarded": "host=admin.example.com", "X-Envoy-Original-Path": "/v1/status",
	}
	for path, want := range map[string]int{
		"/check/envoy/v1/candidates": 200, "/check/envoy/v1/secrets": 403, "/check/envoy/v1/candidates?scope=billing.read&account=x&dialect=xref&routes=off": 200,
		"/check/envoy/v1/secrets?routes=off": 403, "/check/envoy//v1/status": 403, "/check/envoy/v1/status": 200, "/check/with/scope=candidates.read/envoy/v1/candidates": 200,
		"/check/with/scope=billing.read/envoy/v1/candidates": 403, "/check/with/account=x/envoy/v1/candidates": 403, "/check/with/dialect=xref/envoy/v1/candidates": 401,
		"/check/with/routes=off/envoy/v1/secrets": 400, "/check/with/scope=a&scope=b/envoy/v1": 400, "/check/with/scope=a": 404, "/check/with/scope=candidates.read/x/envoy/v1": 404,
		"/check/envoy/with/routes=off/envoy/v1/secrets": 403, "/check/with/scope=candidates.read/envoy/envoy/v1/status": 403,
		"/check": 400, "/check?routes=off": 200, "/check?call=nonsense": 400, "/check?routes=on": 400,
	} {
		plain := posterntest.Request{Method: http.MethodGet, Path: s.Internal + path}.Authorized("Bearer " + access)
		tricky := plain
		for name, value := range tricks {
			tricky = tricky.With(name, value)
		}
		a, b := s.Send(plain), s.Send(tricky)
		if a.Status != want || b.Status != want || a.Body != b.Body || a.Header.Get("X-Postern-App") != b.Header.Get("X-Postern-App") {
			t.Errorf("%s: %d %s, and with the caller's headers %d %s, want %d", path, a.Status, a.Body, b.Status, b.Body, want)
		}
	}
}

func TestRS07_TheRulesHoldForTheCallThatTheGatewayTells(t *testing.T) {
	s := posterntest.New(t, posterntest.Set("routes", rules(t)))
	access := connect(s, standard, posterntest.Ada).Field("access_token")
	for call, want := range map[string]int{
		"GET https://api.example.com/v1/candidates?page=2": 200, "POST https://api.example.com/v1/candidates": 403, "GET https://api.example.com/v1/secrets": 403,
		"GET https://api.example.com/v1/%63andidates": 403, "GET https://api.example.com//v1/status": 403, "GET https://ADMIN.example.com/v1/candidates": 403,
		"GET https://api.example.com/v1/status": 200, "GET https://api.example.com": 400, "GET ": 400, " https://api.example.com/v1/status": 400,
	} {
		method, address, _ := strings.Cut(call, " ")
		original := posterntest.Request{Method: http.MethodGet, Path: s.Internal + "/check?call=original"}.Authorized("Bearer "+access).
			With("X-Original-Method", method).With("X-Original-Url", address)
		if a := s.Send(original); a.Status != want {
			t.Errorf("%s: %d %s, want %d", call, a.Status, a.Body, want)
		}
		host, uri, _ := strings.Cut(strings.TrimPrefix(address, "https://"), "/")
		if uri != "" {
			uri = "/" + uri
		}
		forwarded := posterntest.Request{Method: http.MethodGet, Path: s.Internal + "/check?call=forwarded"}.Authorized("Bearer "+access).
			With("X-Forwarded-Method", method).With("X-Forwarded-Host", host).With("X-Forwarded-Uri", uri)
		if a := s.Send(forwarded); a.Status != want {
			t.Errorf("forwarded, %s: %d %s, want %d", call, a.Status, a.Body, want)
		}
		twice := original
		twice.Header = original.Header.Clone()
		twice.Header.Add("X-Original-Method", "GET")
		if a := s.Send(twice); a.Status != 400 {
			t.Errorf("told twice, %s: %d", call, a.Status)
		}
	}
}

func TestRS10_WhoMayNotKnowIsToldNothing(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		other := func(token string) *posterntest.Answer {
			return s.Send(posterntest.PostForm("/oauth/introspect", "token", token).Authorized(posterntest.Basic(posterntest.OtherStandard.ID, posterntest.OtherStandard.Secret)))
		}
		alive, revoked, old := connect(s, standard, posterntest.Ada), connect(s, standard, posterntest.Alan), connect(s, standard, posterntest.Grace)
		s.Revoke(standard, revoked.Field("access_token")).OK()
		for name, token := range map[string]string{
			"another app's": alive.Field("access_token"), "unknown": "unknown", "revoked": revoked.Field("access_token"), "a code": s.Approve(standard, posterntest.Ada),
			"garbage": "é%; drop", "a refresh token": alive.Field("refresh_token"),
		} {
			if a := other(token).Says(200, `{"active":false}`); t.Failed() {
				t.Fatalf("%s: %v", name, a.Header)
			}
		}
		s.Clock.Advance(2 * time.Hour)
		other(old.Field("access_token")).Says(200, `{"active":false}`)
		s.Introspect(old.Field("access_token")).Says(200, `{"active":false}`)
		// A name alone proves nobody (RFC 7662 §2.1).
		public := s.Send(posterntest.PostForm("/oauth/token", "grant_type", "x", "client_id", posterntest.Public.ID))
		public.Wants(400, "unsupported_grant_type")
		s.Send(posterntest.PostForm("/oauth/introspect", "token", alive.Field("access_token"), "client_id", posterntest.Public.ID)).Wants(401, "invalid_client")
		s.Send(posterntest.PostForm("/oauth/introspect", "token", alive.Field("access_token"), "client_id", standard.ID)).Wants(401, "invalid_client")
	})
}

func TestRS11_AHintChangesNothing(t *testing.T) {
	s := posterntest.New(t)
	a := connect(s, standard, posterntest.Ada)
	for _, hint := range []string{"access_token", "refresh_token", "nonsense", ""} {
		hinted := func(token string) *posterntest.Answer {
			return s.Send(posterntest.PostForm("/oauth/introspect", "token", token, "token_type_hint", hint).Authorized(posterntest.Basic(posterntest.APIID, posterntest.APISecret)))
		}
		if !hinted(a.Field("access_token")).Flag("active") {
			t.Errorf("with the hint %q an access token is not active", hint)
		}
		hinted(a.Field("refresh_token")).Says(200, `{"active":false}`)
	}
}

func TestRS15_NearMissesAreUnknown(t *testing.T) {
	s := posterntest.New(t)
	for _, app := range posterntest.Apps {
		access := connect(s, app, posterntest.Ada).Field("access_token")
		if a := ask(s, "/check", credential(app, access)); a.Status != 200 {
			t.Fatalf("%s: %d", app.Dialect, a.Status)
		}
		var near []string
		for i := range access {
			flipped := []byte(access)
			flipped[i] ^= 1
			near = append(near, access[:i], access[i:], string(flipped))
		}
		near[1] = access + access // access[0:] is the token itself
		for _, miss := range append(near, access+"0", "_"+access, strings.ToUpper(access), strings.ToLower(access)+"_") {
			not(t, ask(s, "/check", credential(app, miss)), miss, 401)
		}
	}
}

func TestRS16_TheCheckHasOnePath(t *testing.T) {
	s := posterntest.New(t)
	access := connect(s, standard, posterntest.Ada).Field("access_token")
	for _, path := range []string{"//check", "/check/", "/./check", "/x/../check", "/check;x", "/%63heck", "/check%00", "/CHECK", "/checks", "/check/with/", "/check/with/x", "/check/envoy", "/check%2Fenvoy/"} {
		not(t, ask(s, path, "Bearer "+access), path, 404, 405)
	}
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "BREW"} {
		a := s.Send(posterntest.Request{Method: method, Path: s.Internal + "/check"}.Authorized("Bearer " + access))
		not(t, a, method, 405)
	}
	head := s.Send(posterntest.Request{Method: http.MethodHead, Path: s.Internal + "/check"}.Authorized("Bearer " + access))
	if head.Status != 200 || head.Body != "" || head.Header.Get("X-Postern-App") != standard.ID {
		t.Errorf("HEAD: %d %q", head.Status, head.Body)
	}
}

func TestRS17_ARefusalTellsNoSecretAndNoErrorWhereNothingWasShown(t *testing.T) {
	s := posterntest.New(t)
	for _, app := range posterntest.Apps {
		if a := ask(s, "/check?dialect="+app.Dialect); a.Status != 401 || strings.Contains(a.Header.Get("WWW-Authenticate"), "error") {
			t.Errorf("%s, without a credential: %d %q", app.Dialect, a.Status, a.Header.Get("WWW-Authenticate"))
		}
		access := connect(s, app, posterntest.Ada).Field("access_token")
		known := s.Introspect(access)
		s.Revoke(app, access).OK()
		a := ask(s, "/check", credential(app, access))
		not(t, a, access, 401)
		for _, id := range []string{known.Field("connection_id"), known.Field("account_id"), app.ID} {
			if strings.Contains(a.Body+fmt.Sprint(a.Header), id) {
				t.Errorf("%s: the refusal of a dead token tells %s", app.Dialect, id)
			}
		}
	}
}

// A flood of tokens that nobody has leaves those that were seen in memory: with
// the database away a yes can only come from there.
func TestRS18_AFloodOfUnknownTokensEvictsNobody(t *testing.T) {
	line := pg.Proxy(t, pg.URL(t))
	s := posterntest.New(t, posterntest.On(line.URL))
	known := map[string]string{}
	for _, app := range posterntest.Apps {
		known[app.Dialect] = credential(app, connect(s, app, posterntest.Ada).Field("access_token"))
		ask(s, "/check", known[app.Dialect]).OK()
	}
	for i := range 3000 {
		if a := ask(s, "/check", fmt.Sprintf("Token %040x", i)); a.Status != 401 {
			t.Fatalf("%d %s", a.Status, a.Body)
		}
	}
	line.Cut()
	for dialect, token := range known {
		if a := ask(s, "/check", token); a.Status != 200 {
			t.Errorf("%s: %d %s", dialect, a.Status, a.Body)
		}
	}
	not(t, ask(s, "/check", "Token "+strings.Repeat("f", 40)), "", 503)
	mended(t, line, s)
}

// A verdict from memory is one of now: age ends a token that was seen.
func TestRS14_ATokenThatWasSeenExpiresAllTheSame(t *testing.T) {
	s := posterntest.New(t)
	access := connect(s, standard, posterntest.Ada).Field("access_token")
	ask(s, "/check", "Bearer "+access).OK()
	s.Clock.Advance(time.Hour - time.Second)
	ask(s, "/check", "Bearer "+access).OK()
	s.Clock.Advance(time.Second)
	not(t, ask(s, "/check", "Bearer "+access), access, 401)
}
