package e2e

import (
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
)

var xref = posterntest.Xref

const (
	xrefNotValid = `{"error":"invalid_token","error_description":"The access token is not valid."}`
	xrefNoToken  = `{"error":"invalid_token","error_description":"Send the header Authorization: Token ACCESS_TOKEN."}`
)

// xref.md §8.1, and §2 on its encoding.
func TestXrefGivesTheStateBackUnchanged(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		b := s.SignedIn(posterntest.Ada)
		for _, state := range []string{"a&b=c+d%e", `"quoted" 'too'`, "🚪 emoji", "%26%3D", "line\r\nbreak\x01", strings.Repeat("x", 2048), " "} {
			got, ok := rawState(t, b.Allow(b.Ask(s.AuthorizeURL(xref, "state", state))).Location)
			if !ok || got != state {
				t.Errorf("state %q came back as %q", state, got)
			}
		}
		for _, without := range []string{s.AuthorizeURL(xref), s.AuthorizeURL(xref) + "?state="} {
			location := b.Allow(b.Ask(without)).Location
			if !regexp.MustCompile(`^https://partner\.test/integrations/cb\?code=[0-9a-f]{64}$`).MatchString(location) {
				t.Errorf("without state the callback is %q", location)
			}
		}
	})
}

// §8.2
func TestXrefCodesDieAfterFiveMinutes(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		early, late := s.Approve(xref, posterntest.Ada), s.Approve(xref, posterntest.Ada)
		s.Clock.Advance(299 * time.Second)
		s.Redeem(xref, early).OK()
		s.Clock.Advance(2 * time.Second)
		s.Redeem(xref, late).Wants(400, "invalid_grant")
	})
}

// §8.3
func TestXrefTokenAnswerByteForByte(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		a := connect(s, xref, posterntest.Ada)
		if !regexp.MustCompile(`^\{"access_token":"[0-9a-f]{40}","xref_account_id":"[0-9a-f]{32}"\}$`).MatchString(a.Body) {
			t.Errorf("the answer is %s", a.Body)
		}
		for name, want := range map[string]string{"Content-Type": "application/json; charset=utf-8", "Cache-Control": "no-store",
			"Set-Cookie": "", "Access-Control-Allow-Origin": "", "Location": ""} {
			if got := a.Header.Get(name); got != want {
				t.Errorf("%s is %q, want %q", name, got, want)
			}
		}
	})
}

// §8.4
func TestXrefTokensAreReadFromTheTokenScheme(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		a := connect(s, xref, posterntest.Ada)
		token := a.Field("access_token")
		xeeboToken := connect(s, posterntest.Xeebo, posterntest.Ada).Field("access_token")
		call := posterntest.Request{Path: "/auth"}

		for _, good := range []string{"Token " + token, "token " + token, "TOKEN " + token, "Token  " + token, "Token     " + token} {
			s.Send(call.Authorized(good)).Says(200, `{"xref_account_id":"`+a.Field("xref_account_id")+`"}`)
		}
		get := call
		get.Method = http.MethodGet
		s.Send(get.Authorized("Token "+token)).Says(200, `{"xref_account_id":"`+a.Field("xref_account_id")+`"}`)

		for _, bad := range []string{
			"Token " + strings.Repeat("0", 40), "Token " + strings.ToUpper(token), `Token "` + token + `"`, "Token token=\"" + token + "\"",
			"Token\t" + token, "Token" + token, "Token " + token + ", Token " + token, "Token " + token + "," + token, "Token " + token + " x",
			"Token " + token[1:], "Token " + token + "0", "Bearer " + token, posterntest.Basic(token, ""), "Basic " + posterntest.Base64(":"+token),
			"Token " + xeeboToken, "Token " + posterntest.Base64(token), "Token",
		} {
			r := s.Send(call.Authorized(bad))
			r.Says(401, xrefNotValid).Challenges(`Token realm="xref", error="invalid_token"`)
			if r.Status != 401 {
				t.Errorf("with Authorization: %s", bad)
			}
		}
		twice := call
		twice.Header = http.Header{"Authorization": {"Token " + token, "Token " + token}}
		s.Send(twice).Says(401, xrefNotValid).Challenges(`Token realm="xref", error="invalid_token"`)

		inQuery := posterntest.Request{Path: "/auth?access_token=" + token}
		s.Send(call).Says(401, xrefNoToken).Challenges(`Token realm="xref"`)
		s.Send(inQuery).Says(401, xrefNoToken).Challenges(`Token realm="xref"`)
		s.Send(posterntest.PostForm("/auth", "access_token", token)).Says(401, xrefNoToken).Challenges(`Token realm="xref"`)
		s.Send(inQuery.Authorized("Token "+token)).Wants(400, "invalid_request")
		s.Send(posterntest.PostForm("/auth", "access_token", token).Authorized("Token "+token)).Wants(400, "invalid_request")
	})
}

// §8.5, §5 and §6
func TestXrefDeauthorizeEndsTheAccountsConnectionAndNoOther(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		ada, alan, grace := connect(s, xref, posterntest.Ada), connect(s, xref, posterntest.Alan), connect(s, xref, posterntest.Grace)
		other := connect(s, posterntest.OtherXref, posterntest.Ada)
		pending := s.Approve(xref, posterntest.Alan)

		if ada.Field("access_token") == alan.Field("access_token") {
			t.Error("two users got one token")
		}
		if ada.Field("xref_account_id") != alan.Field("xref_account_id") {
			t.Error("one account has two ids")
		}
		if ada.Field("xref_account_id") != other.Field("xref_account_id") {
			t.Error("the account has another id at another platform")
		}
		if ada.Field("xref_account_id") == grace.Field("xref_account_id") {
			t.Error("two accounts have one id")
		}

		s.Revoke(xref, ada.Field("access_token")).Says(200, `{"access_token":"`+ada.Field("access_token")+`"}`)
		s.Call(xref, ada.Field("access_token")).Says(401, xrefNotValid)
		s.Call(xref, alan.Field("access_token")).Says(401, xrefNotValid)
		s.Redeem(xref, pending).Wants(400, "invalid_grant")
		s.Call(xref, grace.Field("access_token")).OK()
		s.Call(posterntest.OtherXref, other.Field("access_token")).OK()

		s.Revoke(xref, ada.Field("access_token")).Says(401, xrefNotValid).Challenges(`Token realm="xref", error="invalid_token"`)
		again := connect(s, xref, posterntest.Ada)
		if again.Field("xref_account_id") != ada.Field("xref_account_id") {
			t.Error("the account's id changed with a new connection")
		}
	})
}

// §5
func TestXrefDeauthorizeIsAPostThatIgnoresItsBody(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		token := connect(s, xref, posterntest.Ada).Field("access_token")
		for _, method := range []string{"GET", "PUT", "DELETE", "PATCH", "HEAD"} {
			a := s.Send(posterntest.Request{Method: method, Path: "/oauth/deauthorize"}.Authorized("Token " + token))
			if a.Status != 405 || a.Header.Get("Allow") != "POST" {
				t.Errorf("%s: %d, Allow %q", method, a.Status, a.Header.Get("Allow"))
			}
		}
		s.Send(posterntest.Request{Path: "/oauth/deauthorize"}).Says(401, xrefNoToken)
		s.Send(posterntest.Request{Path: "/oauth/deauthorize"}.Authorized("Bearer "+token)).Says(401, xrefNotValid)
		s.Call(xref, token).OK()
		s.Send(posterntest.PostRaw("/oauth/deauthorize", "text/plain", strings.Repeat("x", 60<<10)).Authorized("Token "+token)).
			Says(200, `{"access_token":"`+token+`"}`)
	})
}

// §8.6
func TestXrefADenialGrantsNothing(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		b := s.SignedIn(posterntest.Ada)
		question := b.Ask(s.AuthorizeURL(xref, "state", "S 1"))
		denied := b.Deny(question)
		if denied.Status != 302 || denied.Location != xref.RedirectURL+"?state=S%201&error=access_denied" {
			t.Errorf("Deny gave %d %q", denied.Status, denied.Location)
		}
		if p := b.Press(question, "Allow"); strings.Contains(p.Location, "code=") {
			t.Errorf("Allow after Deny gave %q", p.Location)
		}
		if b.Get("/connections").Has(xref.Name) {
			t.Error("there is a connection")
		}
	})
}

// §8.7
func TestXrefTheRegisteredQueryIsKept(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		s.Apply(`partners: [{name: Partner Inc, apps: [{name: Xref Partner, client_id: xref-app, redirect_urls: ["https://partner.test/cb?a=b"]}]}]`)
		b := s.SignedIn(posterntest.Ada)
		location := b.Allow(b.Ask(s.AuthorizeURL(xref, "state", "S"))).Location
		if !regexp.MustCompile(`^https://partner\.test/cb\?a=b&state=S&code=[0-9a-f]{64}$`).MatchString(location) {
			t.Errorf("the callback is %q", location)
		}
	})
}

// §8.8
func TestXrefCodesAndTokensSurviveARestart(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		before := connect(s, xref, posterntest.Ada)
		code := s.Approve(xref, posterntest.Ada)
		s.Restart()
		after := s.Redeem(xref, code).OK()
		s.Call(xref, before.Field("access_token")).OK()
		s.Call(xref, after.Field("access_token")).OK()
	})
}

// §1: who signed in already simply authorizes, and is asked every time.
func TestXrefAsksEveryTime(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		b := s.Browser()
		p := b.SignIn(b.Ask(s.AuthorizeURL(xref)), posterntest.Ada, posterntest.Password)
		if !p.Has("Xref Partner") || !p.Has("Acme") || !p.Has("partner.test") {
			t.Errorf("the consent page does not say who asks, for whom and where it leads:\n%s", p.Text())
		}
		if c := b.Allow(p); c.Status != 302 {
			t.Errorf("a request by GET was answered with %d", c.Status)
		}
		for _, prompt := range []string{"", "none", "consent", "nonsense"} {
			again := b.Ask(s.AuthorizeURL(xref, "prompt", prompt))
			if !again.Has("Xref Partner") {
				t.Errorf("prompt=%s was not asked:\n%s", prompt, again.Text())
			}
			b.Allow(again)
		}
		s.Clock.Advance(time.Second)
		p = b.Ask(s.AuthorizeURL(xref, "prompt", "login"))
		b.Allow(b.SignIn(p, posterntest.Ada, posterntest.Password))
	})
}

// §1: the older path is an alias.
func TestXrefTheOldAuthorizePathWorks(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		b := s.SignedIn(posterntest.Ada)
		code := b.Allow(b.Ask(s.URL + "/authorize/xref-app/open?state=S")).Query.Get("code")
		s.Redeem(xref, code).OK()
	})
}

// §1 and §2: a POST is like a GET, and answered with 303.
func TestXrefAuthorizeMayBePosted(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		b := s.SignedIn(posterntest.Ada)
		p := b.Post("/oauth/open-api/xref-app", map[string][]string{"state": {"S"}})
		asks(t, p)
		c := b.Allow(p)
		if c.Status != 303 || !strings.HasPrefix(c.Location, xref.RedirectURL+"?state=S&code=") {
			t.Errorf("the callback is %d %q", c.Status, c.Location)
		}
		fromPartner := b.Do("POST", "/oauth/open-api/xref-app", map[string][]string{"state": {"S"}},
			http.Header{"Origin": {"https://partner.test"}, "Sec-Fetch-Site": {"cross-site"}})
		asks(t, fromPartner)
	})
}

// §6
func TestXrefAtMostTwentyFiveTokensLive(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		var tokens []string
		for range 26 {
			tokens = append(tokens, connect(s, xref, posterntest.Ada).Field("access_token"))
			s.Clock.Advance(time.Second)
		}
		alive := 0
		for _, token := range tokens {
			if s.Call(xref, token).Status == 200 {
				alive++
			}
		}
		if alive != 25 {
			t.Errorf("%d of 26 tokens live", alive)
		}
		s.Call(xref, tokens[0]).Says(401, xrefNotValid)
	})
}
