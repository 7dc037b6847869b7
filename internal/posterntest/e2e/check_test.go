package e2e

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/pg"
)

// credential is how each dialect's calls carry an access token.
func credential(app posterntest.App, token string) string {
	switch app.Dialect {
	case "xref":
		return "Token " + token
	case "xeebo":
		return "Bearer " + posterntest.Base64(token)
	}
	return "Bearer " + token
}

// check asks the internal listener, as a gateway does.
func check(s *posterntest.Postern, query, authorization string) *posterntest.Answer {
	r := posterntest.Request{Method: http.MethodGet, Path: s.Internal + "/check" + query}
	if authorization != "" {
		r = r.Authorized(authorization)
	}
	return s.Send(r)
}

// DESIGN §3, Introspection and the check.
func TestTheCheckUnderstandsEveryDialect(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for _, app := range posterntest.Apps {
			a := connect(s, app, posterntest.Ada)
			token := credential(app, a.Field("access_token"))
			known := s.Introspect(a.Field("access_token"))
			for range 2 { // at first sight, and from memory
				c := check(s, "", token)
				for name, want := range map[string]string{
					"X-Postern-App": app.ID, "X-Postern-Account": known.Field("account_id"), "X-Postern-User": known.Field("user_id"),
					"X-Postern-Scopes": known.Field("scope"), "X-Postern-Connection": known.Field("connection_id"),
				} {
					if got := c.Header.Get(name); c.Status != 200 || got != want {
						t.Errorf("%s: %d, %s is %q, want %q", app.Dialect, c.Status, name, got, want)
					}
				}
			}
			if a := check(s, "?account="+known.Field("account_id"), token); a.Status != 200 {
				t.Errorf("%s: for its own account %d %s", app.Dialect, a.Status, a.Body)
			}
			if a := check(s, "?account=another", token); a.Status != 403 {
				t.Errorf("%s: for another account %d %s", app.Dialect, a.Status, a.Body)
			}
			if a := check(s, "?scope=billing.read", token); a.Status != 403 {
				t.Errorf("%s: for a scope that it lacks %d %s", app.Dialect, a.Status, a.Body)
			}
			if a := check(s, "?dialect="+app.Dialect, token); a.Status != 200 {
				t.Errorf("%s: limited to its dialect %d %s", app.Dialect, a.Status, a.Body)
			}
			for _, method := range []string{"GET", "POST", "DELETE"} {
				a := s.Send(posterntest.Request{Method: method, Path: s.Internal + "/check/envoy/any/path?x=1"}.Authorized(token))
				if a.Status != 200 {
					t.Errorf("%s: as Envoy asks, %s: %d %s", app.Dialect, method, a.Status, a.Body)
				}
			}
			s.Revoke(app, a.Field("access_token")).OK()
			if a := check(s, "", token); a.Status != 401 {
				t.Errorf("%s: once revoked %d", app.Dialect, a.Status)
			}
		}
		check(s, "?dialect=xeebo", credential(standard, connect(s, standard, posterntest.Alan).Field("access_token"))).Wants(401, "invalid_token")
		if a := check(s, "?scope=candidates.read+jobs.read", credential(standard, connect(s, standard, posterntest.Grace).Field("access_token"))); a.Status != 200 {
			t.Errorf("with both scopes: %d %s", a.Status, a.Body)
		}
	})
}

// DESIGN §3: a no is in the dialect's own words, also where its wire says 400.
func TestTheCheckRefusesInTheDialectsWords(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		check(s, "", "Token "+strings.Repeat("0", 40)).Says(401, xrefNotValid).Challenges(`Token realm="xref", error="invalid_token"`)
		check(s, "?dialect=xref", "").Says(401, xrefNoToken).Challenges(`Token realm="xref"`)
		check(s, "?dialect=xeebo", "Bearer "+strings.Repeat("0", 45)).Says(401, xeeboRaw)
		a := connect(s, xeebo, posterntest.Ada)
		s.Clock.Advance(2 * time.Hour)
		check(s, "", credential(xeebo, a.Field("access_token"))).Says(401, xeeboExpired)

		unclaimed := check(s, "", "Mystery x")
		if unclaimed.Status != 401 || !strings.HasPrefix(unclaimed.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("what no dialect claims: %d, challenge %q", unclaimed.Status, unclaimed.Header.Get("WWW-Authenticate"))
		}
		if a := check(s, "", ""); a.Status != 401 || !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer") {
			t.Errorf("without a credential: %d, challenge %q", a.Status, a.Header.Get("WWW-Authenticate"))
		}
		for _, path := range []string{"/check", "/changes", "/metrics", "/readyz", "/livez", "/debug/pprof/"} {
			if a := s.Send(posterntest.Request{Method: http.MethodGet, Path: path}); a.Status != 404 {
				t.Errorf("the public listener answers %s with %d", path, a.Status)
			}
		}
	})
}

// I-19, xref.md §3 row 17, invariant rule 8: with the database away nothing
// changes, a yes is never older than five seconds, and nobody is told that a
// good token or code is bad.
func TestI19WithTheDatabaseAwayNothingIsGuessed(t *testing.T) {
	line := pg.Proxy(t, pg.URL(t))
	s := posterntest.New(t, posterntest.On(line.URL))
	tokens := map[string]string{}
	for _, app := range posterntest.Apps {
		tokens[app.Dialect] = connect(s, app, posterntest.Ada).Field("access_token")
		if a := check(s, "", credential(app, tokens[app.Dialect])); a.Status != 200 {
			t.Fatalf("%s: %d", app.Dialect, a.Status)
		}
	}
	codes := map[string]string{}
	for _, app := range posterntest.Apps {
		codes[app.Dialect] = s.Approve(app, posterntest.Ada)
	}

	line.Cut()
	cut := s.Clock.Now()
	for _, app := range posterntest.Apps {
		if a := s.Redeem(app, codes[app.Dialect]).Wants(503, "temporarily_unavailable"); a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: no Retry-After", app.Dialect)
		}
	}
	for _, age := range []time.Duration{0, time.Second, 4 * time.Second, 5*time.Second + time.Millisecond, time.Minute} {
		s.Clock.Advance(age - s.Clock.Now().Sub(cut))
		for _, app := range posterntest.Apps {
			a := check(s, "", credential(app, tokens[app.Dialect]))
			if a.Status != 503 && (a.Status != 200 || age > 5*time.Second) {
				t.Errorf("%s: %s after the cut the check says %d %s", app.Dialect, age, a.Status, a.Body)
			}
		}
	}

	line.Mend()
	for _, app := range posterntest.Apps {
		for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(50 * time.Millisecond) {
			a := check(s, "", credential(app, tokens[app.Dialect]))
			if a.Status == 200 {
				break
			}
			if a.Status != 503 || time.Now().After(deadline) {
				t.Fatalf("%s: once the database is back the check says %d %s", app.Dialect, a.Status, a.Body)
			}
		}
		s.Redeem(app, codes[app.Dialect]).OK() // the code was never touched
	}
}
