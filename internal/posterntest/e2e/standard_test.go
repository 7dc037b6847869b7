package e2e

import (
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
)

var standard = posterntest.Standard

// RFC 6749 §4.1, RFC 9207 and the answer that strict clients want (clients.md R1, R2).
func TestStandardCodeFlow(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		b := s.SignedIn(posterntest.Ada)
		callback := b.Allow(b.Ask(s.AuthorizeURL(standard, "state", "a b&c")))
		if q := callback.Query; q.Get("state") != "a b&c" || q.Get("iss") != s.URL || len(q) != 3 {
			t.Errorf("the callback is %q", callback.Location)
		}
		a := s.Redeem(standard, callback.Query.Get("code")).OK()
		if a.Field("token_type") != "Bearer" || a.Number("expires_in") != "3600" || a.Field("scope") != "candidates.read jobs.read" {
			t.Errorf("the answer is %s", a.Body)
		}
		if strings.Contains(a.Body, "null") || a.Header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(a.Header.Get("Content-Type"), "application/json") {
			t.Errorf("%v %s", a.Header, a.Body)
		}
		for _, name := range []string{"access_token", "refresh_token"} {
			if token := a.Field(name); len(token) < 27 || len(token) > 255 || strings.Trim(token, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_") != "" {
				t.Errorf("%s is %q", name, token)
			}
		}
	})
}

// RFC 8414
func TestStandardMetadataTellsTheTruth(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		a := s.Send(posterntest.Request{Method: http.MethodGet, Path: "/.well-known/oauth-authorization-server"}).OK()
		var m struct {
			Issuer        string   `json:"issuer"`
			Authorize     string   `json:"authorization_endpoint"`
			Token         string   `json:"token_endpoint"`
			Revoke        string   `json:"revocation_endpoint"`
			Introspect    string   `json:"introspection_endpoint"`
			ResponseTypes []string `json:"response_types_supported"`
			Challenges    []string `json:"code_challenge_methods_supported"`
			ISS           bool     `json:"authorization_response_iss_parameter_supported"`
		}
		if err := json.Unmarshal([]byte(a.Body), &m); err != nil {
			t.Fatal(err)
		}
		if m.Issuer != s.URL || m.Authorize != s.URL+"/oauth/authorize" || m.Token != s.URL+"/oauth/token" ||
			m.Revoke != s.URL+"/oauth/revoke" || m.Introspect != s.URL+"/oauth/introspect" {
			t.Errorf("addresses: %+v", m)
		}
		if !slices.Equal(m.ResponseTypes, []string{"code"}) || !slices.Equal(m.Challenges, []string{"S256"}) || !m.ISS {
			t.Errorf("capabilities: %+v", m)
		}
	})
}

// RFC 6749 §4.1.2.1
func TestStandardErrorsGoBackWithStateAndISS(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		b := s.Browser()
		for word, params := range map[string][]string{
			"unsupported_response_type": {"response_type", "token"},
			"invalid_scope":             {"scope", "billing.read"},
			"invalid_request":           {"code_challenge", challenge, "code_challenge_method", "plain"},
			"request_not_supported":     {"request", "x"},
			"login_required":            {"prompt", "none"},
		} {
			c := b.Get(s.AuthorizeURL(standard, append(params, "state", "S")...)).Callback(t)
			if q := c.Query; q.Get("error") != word || q.Get("state") != "S" || q.Get("iss") != s.URL || q.Has("code") {
				t.Errorf("%v: the callback is %q", params, c.Location)
			}
		}
		for _, params := range [][]string{{"client_id", "nobody"}, {"client_id", ""}, {"redirect_uri", "https://evil.test"}} {
			isPage(t, b.Get(s.AuthorizeURL(standard, params...)), 400)
		}
		isPage(t, b.Get(s.AuthorizeURL(standard)+"&client_id=standard-app"), 400)
	})
}

// RFC 7636; attack TK-07 and TK-08.
func TestStandardAChallengeMustBeMet(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		redeem := func(code, v string) *posterntest.Answer {
			r := posterntest.RedeemRequest(standard, code)
			if v != "" {
				r.Body += "&code_verifier=" + url.QueryEscape(v)
			}
			return s.Send(r)
		}
		pkce := []string{"code_challenge", challenge, "code_challenge_method", "S256"}
		redeem(s.Approve(standard, posterntest.Ada, pkce...), verifier).OK()
		for _, wrong := range []string{"", challenge, strings.Repeat("x", 43), verifier + "x", verifier[:42]} {
			code := s.Approve(standard, posterntest.Ada, pkce...)
			redeem(code, wrong).Wants(400, "invalid_grant")
			redeem(code, verifier).Wants(400, "invalid_grant") // the code was spent by the first
		}
		redeem(s.Approve(standard, posterntest.Ada), verifier).Wants(400, "invalid_grant")
	})
}

// RFC 6749 §2.1: a public app proves itself with PKCE, and its loopback redirect may have any port (RFC 8252 §7.3).
func TestStandardPublicApps(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		app := posterntest.Public
		b := s.SignedIn(posterntest.Ada)
		pkce := []string{"code_challenge", challenge, "code_challenge_method", "S256"}
		if c := b.Get(s.AuthorizeURL(app, "state", "S")).Callback(t); c.Query.Get("error") != "invalid_request" {
			t.Errorf("without a challenge: %q", c.Location)
		}
		anyPort := "http://127.0.0.1:49152/cb"
		code := b.Allow(b.Ask(s.AuthorizeURL(app, append(pkce, "redirect_uri", anyPort)...))).Query.Get("code")
		r := posterntest.PostForm("/oauth/token", "grant_type", "authorization_code", "code", code, "client_id", app.ID,
			"redirect_uri", anyPort, "code_verifier", verifier)
		s.Send(r).OK()
		isPage(t, b.Get(s.AuthorizeURL(app, append(pkce, "redirect_uri", "http://127.0.0.1/other")...)), 400)
		isPage(t, b.Get(s.AuthorizeURL(app, append(pkce, "redirect_uri", "http://localhost/cb")...)), 400)

		asks(t, b.Get(s.AuthorizeURL(app, pkce...))) // its consent is never remembered
		none := b.Get(s.AuthorizeURL(app, append(pkce, "prompt", "none", "state", "S")...)).Callback(t)
		if none.Query.Get("error") != "consent_required" {
			t.Errorf("prompt=none gave %q", none.Location)
		}
		s.Send(r.Authorized(posterntest.Basic(app.ID, "anything"))).Wants(401, "invalid_client") // it has no secret to send
	})
}

// DESIGN §3, Consent: remembered for apps with a secret.
func TestStandardConsentIsRemembered(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		b := s.SignedIn(posterntest.Ada)
		s.Redeem(standard, s.ApproveIn(b, standard)).OK()
		code := b.Get(s.AuthorizeURL(standard, "state", "S")).Callback(t).Query.Get("code")
		s.Redeem(standard, code).OK()
		if c := b.Get(s.AuthorizeURL(standard, "prompt", "none")).Callback(t); !c.Query.Has("code") {
			t.Errorf("prompt=none gave %q", c.Location)
		}
		asks(t, b.Get(s.AuthorizeURL(standard, "prompt", "consent")))
		more := b.Get(s.AuthorizeURL(standard, "scope", "candidates.read jobs.read candidates.write"))
		asks(t, more)
		if !more.Has("Change your candidates") {
			t.Errorf("what is new is not shown:\n%s", more.Text())
		}
		s.Clock.Advance(time.Second)
		s.Apply(`partners: [{name: Partner Inc, apps: [{name: Standard Partner, client_id: standard-app, url: "https://moved.test"}]}]`)
		asks(t, b.Get(s.AuthorizeURL(standard))) // the app's visible identity has changed
	})
}

// Engine rule 6.
func TestStandardRefreshTokensRotateWithoutHeartbreak(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		first := connect(s, standard, posterntest.Ada)
		r1 := first.Field("refresh_token")
		second := s.Refresh(standard, r1).OK()
		r2 := second.Field("refresh_token")
		if r2 == r1 || r2 == "" {
			t.Fatalf("the refresh token did not rotate: %s", second.Body)
		}
		if !s.Alive(first.Field("access_token")) {
			t.Error("the old access token died of a refresh")
		}

		s.Clock.Advance(29 * time.Second) // the same answer again
		retry := s.Refresh(standard, r1).OK()
		if retry.Field("refresh_token") != r2 || retry.Field("access_token") != second.Field("access_token") {
			t.Errorf("the retry got another answer:\n%s\n%s", second.Body, retry.Body)
		}

		s.Clock.Advance(5 * time.Second) // the answer was lost
		late := s.Refresh(standard, r1).OK()
		if late.Field("refresh_token") == r2 {
			t.Error("after the window the unused successor was given again")
		}
		s.Refresh(standard, r2).Wants(400, "invalid_grant")

		third := s.Refresh(standard, late.Field("refresh_token")).OK()
		s.Refresh(standard, r1).Wants(400, "invalid_grant") // theft: its successor was used
		if s.Alive(third.Field("access_token")) {
			t.Error("an access token of the family is alive after a theft")
		}
		s.Refresh(standard, third.Field("refresh_token")).Wants(400, "invalid_grant")
		if s.SignedIn(posterntest.Ada).Get("/connections").Has(standard.Name) {
			t.Error("the connection did not end with its only family")
		}
	})
}

// RFC 6749 §6 and clients.md R26.
func TestStandardRefreshNarrowsAndNeverWidens(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		refresh := connect(s, standard, posterntest.Ada).Field("refresh_token")
		with := func(scope string) posterntest.Request {
			r := posterntest.RefreshRequest(standard, refresh)
			r.Body += "&scope=" + url.QueryEscape(scope)
			return r
		}
		s.Send(with("candidates.read candidates.write")).Wants(400, "invalid_scope")
		narrow := s.Send(with("jobs.read")).OK()
		if got := narrow.Field("scope"); got != "jobs.read" {
			t.Errorf("scope is %q", got)
		}
		refresh = narrow.Field("refresh_token")
		if got := s.Send(with("candidates.read jobs.read")).OK().Field("scope"); got != "candidates.read jobs.read" {
			t.Errorf("the family's scope shrank to %q", got)
		}
	})
}

// RFC 6749 §5.2 and clients.md R5, R6, R8.
func TestStandardClientAuthentication(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		code := s.Approve(standard, posterntest.Ada)
		byBody := posterntest.PostForm("/oauth/token", "grant_type", "authorization_code", "code", code, "redirect_uri", standard.RedirectURL,
			"client_id", standard.ID, "client_secret", standard.Secret)
		wrong := standard
		wrong.Secret = "wrong"
		if a := s.Redeem(wrong, code).Wants(401, "invalid_client"); !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Basic ") {
			t.Errorf("the challenge is %q", a.Header.Get("WWW-Authenticate"))
		}
		s.Send(is(byBody, standard.Secret, "wrong")).Wants(401, "invalid_client").Challenges("")
		s.Send(is(byBody, "client_secret="+standard.Secret, "client_secret=")).Wants(401, "invalid_client")
		s.Send(byBody.Authorized(posterntest.Basic(standard.ID, standard.Secret))).Wants(400, "invalid_request")
		s.Send(is(byBody, "client_id="+standard.ID+"&", "")).Wants(401, "invalid_client")
		s.Send(byBody).OK() // the code was whole all the while
	})
}

// RFC 6749 §4.1.3: redirect_uri is compared, and a wrong one spends the code.
func TestStandardTheRedirectURLBelongsToTheCode(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for _, wrong := range []string{standard.RedirectURL + "/", "https://evil.test", ""} {
			code := s.Approve(standard, posterntest.Ada)
			bad := standard
			bad.RedirectURL = wrong
			s.Redeem(bad, code).Wants(400, "invalid_grant")
			s.Redeem(standard, code).Wants(400, "invalid_grant")
		}
	})
}

// RFC 6749 §4.4 and §5.2.
func TestStandardClientCredentialsWhereListed(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		ask := func(a posterntest.App, scope string) *posterntest.Answer {
			return s.Send(posterntest.PostForm("/oauth/token", "grant_type", "client_credentials", "scope", scope).
				Authorized(posterntest.Basic(a.ID, a.Secret)))
		}
		a := ask(posterntest.Robot, "jobs.read").OK()
		if a.Has("refresh_token") {
			t.Errorf("a refresh token was given: %s", a.Body)
		}
		i := s.Introspect(a.Field("access_token"))
		if !i.Flag("active") || i.Field("sub") != posterntest.Robot.ID || i.Has("account_id") {
			t.Errorf("introspection says %s", i.Body)
		}
		ask(posterntest.Robot, "billing.read").Wants(400, "invalid_scope")
		ask(standard, "jobs.read").Wants(400, "unauthorized_client")
		for _, grant := range []string{"password", "implicit", "AUTHORIZATION_CODE", "authorization_code "} {
			s.Send(posterntest.PostForm("/oauth/token", "grant_type", grant).Authorized(posterntest.Basic(standard.ID, standard.Secret))).
				Wants(400, "unsupported_grant_type")
		}
		s.Send(posterntest.PostForm("/oauth/token", "code", "x").Authorized(posterntest.Basic(standard.ID, standard.Secret))).Wants(400, "invalid_request")
	})
}

// RFC 7009 and clients.md R17.
func TestStandardRevocation(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		a := connect(s, standard, posterntest.Ada)
		access, refresh := a.Field("access_token"), a.Field("refresh_token")
		s.Revoke(posterntest.OtherStandard, access).Says(200, "{}")
		if !s.Alive(access) {
			t.Error("another app ended the token")
		}
		s.Revoke(standard, access).Says(200, "{}")
		if s.Alive(access) {
			t.Error("the token lives on")
		}
		next := s.Refresh(standard, refresh).OK()
		s.Revoke(standard, next.Field("refresh_token")).Says(200, "{}")
		s.Revoke(standard, next.Field("refresh_token")).Says(200, "{}")
		if s.Alive(next.Field("access_token")) {
			t.Error("an access token outlived its refresh token's revocation")
		}
		s.Refresh(standard, next.Field("refresh_token")).Wants(400, "invalid_grant")
		s.Revoke(standard, "unknown").Says(200, "{}")
		wrong := standard
		wrong.Secret = "wrong"
		s.Revoke(wrong, access).Wants(401, "invalid_client")
	})
}

// RFC 7662 and DESIGN §3.
func TestStandardIntrospectionOfEveryDialect(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		byApp := func(a posterntest.App, token string) *posterntest.Answer {
			return s.Send(posterntest.PostForm("/oauth/introspect", "token", token).Authorized(posterntest.Basic(a.ID, a.Secret)))
		}
		for _, app := range posterntest.Apps {
			a := connect(s, app, posterntest.Ada)
			i := s.Introspect(a.Field("access_token"))
			if !i.Flag("active") || i.Field("client_id") != app.ID || i.Field("dialect") != app.Dialect || i.Field("account_id") == "" || i.Field("connection_id") == "" {
				t.Errorf("%s: %s", app.Dialect, i.Body)
			}
			if (i.Field("user_id") != "") != (app.Dialect != "xref") {
				t.Errorf("%s: user_id stands for the owner at user level alone: %s", app.Dialect, i.Body)
			}
			if refresh := a.Field("refresh_token"); refresh != "" {
				s.Introspect(refresh).Says(200, `{"active":false}`)
			}
			s.Introspect(s.Approve(app, posterntest.Alan)).Says(200, `{"active":false}`)
		}
		token := connect(s, standard, posterntest.Alan).Field("access_token")
		if !byApp(standard, token).Flag("active") {
			t.Error("an app may ask about its own token")
		}
		byApp(posterntest.OtherStandard, token).Says(200, `{"active":false}`)
		byApp(posterntest.App{ID: posterntest.APIID, Secret: "wrong"}, token).Wants(401, "invalid_client")
		if a := s.Send(posterntest.PostForm("/oauth/introspect", "token", token)); a.Status != 401 {
			t.Errorf("without credentials: %d %s", a.Status, a.Body)
		}
	})
}

// xref.md §3 and DESIGN §3: a partner that moves speaks both wires over one connection.
func TestAnAppMaySpeakASecondDialect(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		old, new := posterntest.Moving, posterntest.Moving.In("standard")
		first, second := connect(s, old, posterntest.Ada), connect(s, new, posterntest.Ada)
		a, b := s.Introspect(first.Field("access_token")), s.Introspect(second.Field("access_token"))
		if a.Field("connection_id") == "" || a.Field("connection_id") != b.Field("connection_id") {
			t.Errorf("two connections:\n%s\n%s", a.Body, b.Body)
		}
		s.Redeem(new, s.Approve(old, posterntest.Ada)).Wants(400, "invalid_grant") // a code remembers its dialect
		s.Call(old, second.Field("access_token")).Says(401, xrefNotValid)
		s.Revoke(old, first.Field("access_token")).OK()
		if s.Alive(second.Field("access_token")) {
			t.Error("the connection's other token lives on")
		}
	})
}

// DESIGN §3: who has several accounts is asked which, and cannot name another's.
func TestAPersonOfSeveralAccountsChoosesOne(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		b := s.SignedIn(posterntest.Both)
		p := b.Ask(s.AuthorizeURL(xref))
		var choices []string
		for _, f := range p.Forms() {
			choices = append(choices, f.Choices["account"]...)
		}
		if len(choices) != 2 {
			t.Fatalf("the page offers %q", choices)
		}
		ids := map[string]bool{}
		for _, account := range choices {
			code := b.Allow(b.Ask(s.AuthorizeURL(xref)), "account", account).Query.Get("code")
			ids[s.Redeem(xref, code).OK().Field("xref_account_id")] = true
		}
		if len(ids) != 2 {
			t.Errorf("two choices gave the accounts %v", ids)
		}
		ada := s.SignedIn(posterntest.Ada)
		for _, foreign := range []string{other(choices, onlyAccount(t, s, posterntest.Ada)), "nonsense"} {
			isPage(t, ada.Press(ada.Ask(s.AuthorizeURL(xref)), "Allow", "account", foreign), 403)
		}
	})
}

// onlyAccount is the id of the one account of a person, as introspection tells it.
func onlyAccount(t *testing.T, s *posterntest.Postern, email string) string {
	t.Helper()
	return s.Introspect(connect(s, xref, email).Field("access_token")).Field("account_id")
}

func other(two []string, one string) string {
	if two[0] == one {
		return two[1]
	}
	return two[0]
}
