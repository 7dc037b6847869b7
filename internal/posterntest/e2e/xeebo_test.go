package e2e

import (
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
)

var xeebo = posterntest.Xeebo

const (
	xeeboNotValid   = `{"error":"invalid_token","error_description":"The access token is not valid."}`
	xeeboExpired    = `{"error":"invalid_token","error_description":"The access token has expired."}`
	xeeboRaw        = `{"error":"invalid_token","error_description":"The access token must be base64-encoded."}`
	xeeboBadRefresh = `{"error":"invalid_grant","error_description":"The refresh token is not valid: ask the user to connect again."}`
)

// xeebo.md §8.1: however the scopes are written, the page shows these alone.
func TestXeeboScopesMayBeSeparatedAnyWay(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		b := s.SignedIn(posterntest.Ada)
		for _, scope := range []string{"candidates.read,jobs.read", "candidates.read%2Cjobs.read", "candidates.read%20jobs.read",
			"candidates.read+jobs.read", "candidates.read,,jobs.read", "candidates.read,jobs.read,candidates.read", ",candidates.read,+jobs.read,"} {
			p := b.Ask(s.AuthorizeURL(xeebo, "scope", "") + "&scope=" + scope)
			if !p.Has("See your candidates") || !p.Has("See your jobs") {
				t.Errorf("scope=%s: a permission is not shown:\n%s", scope, p.Text())
			}
			if p.Has("Change your candidates") || p.Has("See your invoices") {
				t.Errorf("scope=%s: more is shown than was asked:\n%s", scope, p.Text())
			}
			a := s.Redeem(xeebo, b.Allow(p).Query.Get("code")).OK()
			if got := s.Introspect(a.Field("access_token")).Field("scope"); got != "candidates.read jobs.read" {
				t.Errorf("scope=%s granted %q", scope, got)
			}
		}
		byDefault := b.Ask(s.AuthorizeURL(xeebo, "scope", ""))
		if !byDefault.Has("See your candidates") || byDefault.Has("See your jobs") {
			t.Errorf("without scope the page shows:\n%s", byDefault.Text())
		}
	})
}

// §8.2
func TestXeeboTokenAnswerByteForByte(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		a := connect(s, xeebo, posterntest.Ada)
		shape := regexp.MustCompile(`^\{"user":"ada","access_token":"[0-9A-Za-z]{45}","refresh_token":"[0-9a-f]{64}","expires_in":3600\}$`)
		if !shape.MatchString(a.Body) {
			t.Errorf("the answer is %s", a.Body)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("headers %v", a.Header)
		}
		again := s.Refresh(xeebo, a.Field("refresh_token")).OK()
		if !shape.MatchString(again.Body) {
			t.Errorf("the refresh answer is %s", again.Body)
		}
		if again.Field("refresh_token") != a.Field("refresh_token") || again.Field("access_token") == a.Field("access_token") {
			t.Error("a refresh gives a new access token and the same refresh token")
		}
	})
}

// §8.3 and §5
func TestXeeboTokensTravelEncodedOnce(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		token := connect(s, xeebo, posterntest.Ada).Field("access_token")
		encoded := posterntest.Base64(token)
		if len(encoded) != 60 {
			t.Fatalf("the encoded token has %d characters", len(encoded))
		}
		me := posterntest.Request{Method: http.MethodGet, Path: "/xeebo/oauth/me"}
		for _, good := range []string{"Bearer ", "bearer ", "BEARER   "} {
			s.Send(me.Authorized(good+encoded)).Says(200, `{"user":"ada"}`)
		}

		challenge := func(description string) string {
			return `Bearer realm="xeebo", error="invalid_token", error_description="` + description + `"`
		}
		s.Send(me.Authorized("Bearer "+token)).Says(401, xeeboRaw).Challenges(challenge("The access token must be base64-encoded."))

		last := "A"
		if strings.HasSuffix(encoded, last) {
			last = "B"
		}
		swapped := strings.Map(func(r rune) rune {
			switch {
			case 'a' <= r && r <= 'z':
				return r - 32
			case 'A' <= r && r <= 'Z':
				return r + 32
			}
			return r
		}, encoded)
		xrefToken := connect(s, xref, posterntest.Ada).Field("access_token")
		for _, bad := range []string{
			"Bearer " + posterntest.Base64(encoded), "Bearer " + encoded[:59] + last, "Bearer " + encoded + "=", "Bearer " + encoded[:59] + "=",
			"Bearer " + encoded[:30] + " " + encoded[30:], "Bearer " + swapped, "Bearer " + encoded[1:], "Bearer\t" + encoded, "Bearer" + encoded,
			"Token " + encoded, "Bearer " + encoded + " x", "Bearer " + encoded + ",", `Bearer "` + encoded + `"`,
			"Bearer " + posterntest.Base64(strings.Repeat("0", 45)), "Bearer " + posterntest.Base64(token[:44]+"\n"),
			"Bearer " + posterntest.Base64(token[:44]+"-"), "Bearer " + posterntest.Base64(xrefToken), "Bearer " + xrefToken, posterntest.Basic("ada", encoded),
		} {
			a := s.Send(me.Authorized(bad)).Says(401, xeeboNotValid)
			if a.Status != 401 {
				t.Errorf("with Authorization: %s", bad)
			}
		}
		s.Send(me.Authorized("Bearer " + posterntest.Base64(strings.Repeat("0", 45)))).Challenges(challenge("The access token is not valid."))

		s.Send(me).Wants(401, "invalid_token").Challenges(`Bearer realm="xeebo"`)
		inQuery := me
		inQuery.Path += "?access_token=" + encoded
		s.Send(inQuery).Wants(401, "invalid_token").Challenges(`Bearer realm="xeebo"`)
		s.Send(inQuery.Authorized("Bearer "+encoded)).Wants(400, "invalid_request")
	})
}

// §8.4
func TestXeeboExpiredTokensAreRefreshed(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		a := connect(s, xeebo, posterntest.Ada)
		old := a.Field("access_token")
		s.Clock.Advance(3599 * time.Second)
		s.Call(xeebo, old).OK()
		s.Clock.Advance(2 * time.Second)
		s.Call(xeebo, old).Says(401, xeeboExpired).
			Challenges(`Bearer realm="xeebo", error="invalid_token", error_description="The access token has expired."`)
		fresh := s.Refresh(xeebo, a.Field("refresh_token")).OK().Field("access_token")
		s.Call(xeebo, fresh).Says(200, `{"user":"ada"}`)
		s.Call(xeebo, old).Says(401, xeeboExpired)
	})
}

// §4: earlier access tokens live on to their own end; the refresh token lives
// 180 days from its last use.
func TestXeeboRefreshTokensLiveFromTheirLastUse(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		const day = 24 * time.Hour
		a := connect(s, xeebo, posterntest.Ada)
		refresh := a.Field("refresh_token")
		s.Refresh(xeebo, refresh).OK()
		s.Call(xeebo, a.Field("access_token")).OK()
		for range 3 {
			s.Clock.Advance(179 * day)
			s.Refresh(xeebo, refresh).OK()
		}
		s.Clock.Advance(181 * day)
		s.Refresh(xeebo, refresh).Says(400, xeeboBadRefresh)
	})
}

// §8.6 and §3: user names a person for good.
func TestXeeboARenameDoesNotReachThePartner(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		a := connect(s, xeebo, posterntest.Ada)
		s.Apply(`accounts: [{name: Acme, users: [{email: ada@acme.test, nickname: countess}]}]`)
		again := s.Refresh(xeebo, a.Field("refresh_token")).OK()
		s.Call(xeebo, again.Field("access_token")).Says(200, `{"user":"ada"}`)
		if again.Field("user") != "ada" || connect(s, xeebo, posterntest.Ada).Field("user") != "ada" {
			t.Errorf("the partner is told %s", again.Body)
		}
		if err := s.TryApply(`accounts: [{name: Acme, users: [{email: new@acme.test, nickname: ada}]}]`); err == nil {
			t.Error("another person was given the nickname that partners know ada by")
		}
	})
}

// §8.7 and §3
func TestXeeboBodiesAreReadAsTheirTypeSays(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		const sendJSON = `{"error":"invalid_request","error_description":"Send the body as application/json."}`
		const path = "/xeebo/oauth/token"
		for _, good := range []string{"application/json", "text/plain", "", "text/json", "application/vnd.x+json", "text/plain;charset=UTF-8"} {
			code := s.Approve(xeebo, posterntest.Ada)
			if a := s.Send(posterntest.PostRaw(path, good, posterntest.RedeemRequest(xeebo, code).Body)); a.Status != 200 {
				t.Errorf("JSON as %q: %d %s", good, a.Status, a.Body)
			}
		}
		code := s.Approve(xeebo, posterntest.Ada)
		form := posterntest.PostForm(path, "client_id", xeebo.ID, "client_secret", xeebo.Secret, "grant_type", "authorization_code", "code", code)
		json := posterntest.RedeemRequest(xeebo, code).Body
		for _, bad := range []posterntest.Request{
			posterntest.PostRaw(path, "application/x-www-form-urlencoded", json),
			posterntest.PostRaw(path, "application/xml", "<code>"+code+"</code>"),
			posterntest.PostRaw(path, "multipart/form-data; boundary=x", json),
			posterntest.PostRaw(path, "application/json; charset=utf-16", json),
			posterntest.PostRaw(path, "application/json", json).With("Content-Encoding", "gzip"),
		} {
			s.Send(bad).Says(400, sendJSON)
		}
		s.Send(posterntest.PostRaw(path, "application/json", form.Body)).Wants(400, "invalid_request")
		s.Send(form).OK()
	})
}

// §8.8
func TestXeeboRedirectURLsCompareByteForByte(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		s.Apply(`partners: [{name: Partner Inc, apps: [{name: Xeebo Partner, client_id: xeebo-app,
  redirect_urls: ["https://partner.test/integrations/cb", "https://partner.test/other?a=b"]}]}]`)
		b := s.SignedIn(posterntest.Ada)
		for _, wrong := range []string{"https://partner.test/integrations/cb/", "https://partner.test/integrations/CB", "https://Partner.test/integrations/cb",
			"https://partner.test:443/integrations/cb", "https://partner.test/integrations/cb?x", "https://partner.test/other",
			"https://partner.test/other?a=b&c=d", "http://partner.test/integrations/cb", "https://partner.test/integrations/../integrations/cb"} {
			isPage(t, b.Get(s.AuthorizeURL(xeebo, "redirect_uri", wrong)), 400)
		}
		isPage(t, b.Get(s.AuthorizeURL(xeebo, "redirect_uri", "")), 400) // two are registered

		kept := b.Allow(b.Ask(s.AuthorizeURL(xeebo, "redirect_uri", "https://partner.test/other?a=b", "state", "S")))
		if !regexp.MustCompile(`^https://partner\.test/other\?a=b&code=[0-9a-f]{64}&state=S$`).MatchString(kept.Location) {
			t.Errorf("the callback is %q", kept.Location)
		}
		only := b.Allow(b.Ask(s.AuthorizeURL(posterntest.OtherXeebo, "redirect_uri", ""))).Location
		if !strings.HasPrefix(only, posterntest.OtherXeebo.RedirectURL+"?code=") {
			t.Errorf("without redirect_uri the callback is %q", only)
		}
	})
}

// §8.9, §1 and §2
func TestXeeboErrorsGoBackBeforeAnySignIn(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		b := s.Browser()
		ask := func(params ...string) *posterntest.Page {
			return b.Get(s.AuthorizeURL(xeebo, append([]string{"state", "S"}, params...)...))
		}
		back := func(word string) string { return xeebo.RedirectURL + "?error=" + word + "&state=S" }
		for word, cases := range map[string][][]string{
			"invalid_scope": {{"scope", "unknown"}, {"scope", "billing.read"}, {"scope", "candidates.read,unknown"}, {"scope", "CANDIDATES.READ"}},
			"invalid_request": {{"response_type", ""}, {"code_challenge", challenge}, {"code_challenge_method", "S256"}, {"scope", `a"b`},
				{"scope", "é"}, {"scope", strings.Join(manyScopes, ",")}, {"response_mode", "fragment"},
				{"code_challenge", challenge, "code_challenge_method", "plain"}},
			"unsupported_response_type": {{"response_type", "token"}, {"response_type", "CODE"}, {"response_type", "code token"}},
			"request_not_supported":     {{"request", "e30.e30."}},
			"request_uri_not_supported": {{"request_uri", "https://evil.test/r"}},
		} {
			for _, params := range cases {
				redirects(t, ask(params...), 302, back(word))
			}
		}
		noDefaults := posterntest.App{ID: "no-defaults", Dialect: "xeebo", RedirectURL: xeebo.RedirectURL}
		s.Apply(`partners: [{name: Partner Inc, apps: [{name: No Defaults, client_id: no-defaults, client_secret: no-defaults-secret-0123456789,
  description: For tests, url: "https://partner.test", dialect: xeebo, scopes: [jobs.read], redirect_urls: ["https://partner.test/integrations/cb"]}]}]`)
		redirects(t, b.Get(s.AuthorizeURL(noDefaults, "state", "S", "scope", "")), 302, back("invalid_scope"))
		redirects(t, b.Get(s.AuthorizeURL(noDefaults, "state", "S", "scope", ",,")), 302, back("invalid_scope"))

		for _, display := range []string{"page", "popup", "touch", "wap", "anything"} {
			asks(t, ask("display", display, "unknown", "x"))
		}
		isPage(t, ask("client_id", ""), 400)
		isPage(t, ask("client_id", "nobody"), 400)
		isPage(t, b.Get(s.AuthorizeURL(xeebo)+"&state=a&state=b"), 400)
		isPage(t, ask("state", strings.Repeat("x", 2049)), 400)
		for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS"} {
			a := s.Send(posterntest.Request{Method: method, Path: "/xeebo/oauth/authorize"})
			if a.Status != 405 || a.Header.Get("Allow") != "GET, HEAD, POST" {
				t.Errorf("%s: %d, Allow %q", method, a.Status, a.Header.Get("Allow"))
			}
		}

		ada := s.SignedIn(posterntest.Ada)
		denied := ada.Deny(ada.Ask(s.AuthorizeURL(xeebo, "state", "S 1")))
		if denied.Status != 302 || denied.Location != xeebo.RedirectURL+"?error=access_denied&state=S%201" {
			t.Errorf("Deny gave %d %q", denied.Status, denied.Location)
		}
		if ada.Get("/connections").Has(xeebo.Name) {
			t.Error("there is a connection")
		}
		posted := ada.Post("/xeebo/oauth/authorize", url.Values{"client_id": {xeebo.ID}, "response_type": {"token"}, "state": {"S"}})
		redirects(t, posted, 303, back("unsupported_response_type"))
	})
}

// manyScopes are more names than a request may hold.
var manyScopes = func() (names []string) {
	for i := range 201 {
		names = append(names, "scope."+strconv.Itoa(i))
	}
	return names
}()

// §8.10
func TestXeeboANicknameOfAnyAlphabetIsUTF8(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		s.Apply(`accounts: [{name: Acme, users: [{email: ada@acme.test, nickname: "žofie-данка"}]}]`)
		b := s.SignedIn(posterntest.Ada)
		callback := b.Allow(b.Ask(s.AuthorizeURL(xeebo, "state", "S")))
		if !regexp.MustCompile(`^https://partner\.test/integrations/cb\?code=[0-9a-f]{64}&state=S$`).MatchString(callback.Location) {
			t.Errorf("the callback is %q", callback.Location)
		}
		a := s.Redeem(xeebo, callback.Query.Get("code")).OK()
		if !strings.HasPrefix(a.Body, `{"user":"žofie-данка","access_token":"`) {
			t.Errorf("the answer is %s", a.Body)
		}
		s.Call(xeebo, a.Field("access_token")).Says(200, `{"user":"žofie-данка"}`)
	})
}

// §6 and DESIGN §4.11: what a user connected is the user's.
func TestXeeboConnectionsAreTheUsers(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		ada, alan := connect(s, xeebo, posterntest.Ada), connect(s, xeebo, posterntest.Alan)
		second := connect(s, xeebo, posterntest.Ada)
		s.Disconnect(posterntest.Ada, xeebo)
		s.Call(xeebo, ada.Field("access_token")).Says(401, xeeboNotValid)
		s.Call(xeebo, second.Field("access_token")).Says(401, xeeboNotValid)
		s.Refresh(xeebo, ada.Field("refresh_token")).Says(400, xeeboBadRefresh)
		s.Call(xeebo, alan.Field("access_token")).Says(200, `{"user":"alan"}`)
	})
}
