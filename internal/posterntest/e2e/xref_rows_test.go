package e2e

import (
	"net/url"
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest"
)

// xref.md §1, the table: every input, before anybody has signed in.
func TestXrefAuthorizeInputs(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		s.Apply(`partners: [{name: Other Inc, apps: [{name: Other Xref, client_id: other-xref, disabled: true}]}]`)
		b := s.Browser()
		at := func(query string) *posterntest.Page { return b.Get("/oauth/open-api/xref-app?" + query) }
		back := xref.RedirectURL + "?state=S&error="

		for _, path := range []string{"nobody", "", "xref-app%2F", "xref%2Fapp", "xref-app%00", "XREF-APP", "other-xref", "a%20b", strings.Repeat("x", 200)} {
			isPage(t, b.Get("/oauth/open-api/"+path), 404)
		}
		asks(t, at("client_id=xref-app"))
		isPage(t, at("client_id=other-xref"), 400)
		isPage(t, at("client_id=nobody"), 400)

		asks(t, at("redirect_uri="+url.QueryEscape(xref.RedirectURL)))
		for _, wrong := range []string{xref.RedirectURL + "/", "https://partner.test/integrations/CB", "https://PARTNER.test/integrations/cb",
			xref.RedirectURL + "?x=1", "https://partner.test:443/integrations/cb", "http://partner.test/integrations/cb",
			"https://partner.test@evil.test/integrations/cb", xref.RedirectURL + "#", "https://evil.test"} {
			isPage(t, at("redirect_uri="+url.QueryEscape(wrong)), 400)
		}
		asks(t, at("redirect_url=https://evil.test"))

		asks(t, at("response_type=code"))
		for _, wrong := range []string{"token", "id_token", "code+token", "CODE", "code+", "none"} {
			redirects(t, at("state=S&response_type="+wrong), 302, back+"unsupported_response_type")
		}

		asks(t, at("code_challenge_method=S256&code_challenge="+challenge))
		for _, wrong := range []string{
			"code_challenge=" + challenge, "code_challenge_method=S256", "code_challenge_method=plain&code_challenge=" + challenge,
			"code_challenge_method=s256&code_challenge=" + challenge, "code_challenge_method=S256&code_challenge=" + challenge + "=",
			"code_challenge_method=S256&code_challenge=" + challenge[1:], "code_challenge_method=S256&code_challenge=" + challenge[1:] + "%2B",
			"code_challenge_method=S256&code_challenge=" + challenge + "AA", "response_mode=fragment", "response_mode=form_post",
		} {
			redirects(t, at("state=S&"+wrong), 302, back+"invalid_request")
		}

		asks(t, at("scope=anything+at+all&resource=x&nonce=n&response_mode=query&access_type=offline&x=1&x=2"))
		for _, twice := range []string{"state=S&state=S", "state=a&state=b", "response_type=code&response_type=code", "client_id=xref-app&client_id=xref-app",
			"code_challenge=a&code_challenge=b", "redirect_uri=" + url.QueryEscape(xref.RedirectURL) + "&redirect_uri=https://evil.test"} {
			isPage(t, at(twice), 400)
		}
		isPage(t, b.Post("/oauth/open-api/xref-app?state=S", url.Values{"state": {"S"}}), 400)

		asks(t, at("state="+strings.Repeat("x", 2048)))
		isPage(t, at("state="+strings.Repeat("x", 2049)), 400)
		redirects(t, at("state=&response_type=token"), 302, xref.RedirectURL+"?error=unsupported_response_type")
		redirects(t, at("state=a%20b%2B%26c&response_type=token"), 302, xref.RedirectURL+"?state=a%20b%2B%26c&error=unsupported_response_type")

		redirects(t, at("state=S&request=e30.e30."), 302, back+"request_not_supported")
		redirects(t, at("state=S&request_uri=https://evil.test/r"), 302, back+"request_uri_not_supported")
		redirects(t, b.Post("/oauth/open-api/xref-app", url.Values{"state": {"S"}, "response_type": {"token"}}), 303, back+"unsupported_response_type")

		for _, method := range []string{"PUT", "DELETE", "PATCH", "OPTIONS"} {
			a := s.Send(posterntest.Request{Method: method, Path: "/oauth/open-api/xref-app"})
			if a.Status != 405 || a.Header.Get("Allow") != "GET, HEAD, POST" || a.Header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("%s: %d, Allow %q", method, a.Status, a.Header.Get("Allow"))
			}
		}
		if a := s.Send(posterntest.Request{Method: "HEAD", Path: "/oauth/open-api/xref-app?state=S"}); a.Status >= 400 || strings.Contains(a.Header.Get("Location"), "code=") {
			t.Errorf("HEAD: %d, Location %q", a.Status, a.Header.Get("Location"))
		}
		if p := at("x=" + strings.Repeat("x", 17<<10)); p.Status != 414 || p.Location != "" {
			t.Errorf("a query of 17 KiB: %d", p.Status)
		}
	})
}

const xrefBadGrant = `{"error":"invalid_grant","error_description":"The code is not valid: it was used, has expired, or was not issued to this client."}`

// xref.md §3, the table, rows 1 to 8: what cannot be read changes nothing.
func TestXrefTokenRowsThatCannotBeRead(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		code := s.Approve(xref, posterntest.Ada)
		good := posterntest.RedeemRequest(xref, code)
		body := good.Body
		raw := func(mediaType, body string) posterntest.Request {
			return posterntest.PostRaw("/oauth/tokens", mediaType, body)
		}
		wants := func(r posterntest.Request, status int, description string) {
			t.Helper()
			a := s.Send(r).Wants(status, "invalid_request")
			if got := a.Field("error_description"); got != description {
				t.Errorf("%.200s %.300q:\ngot  %q\nwant %q", r.Header, r.Body, got, description)
			}
			if got := a.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
				t.Errorf("Content-Type is %q", got)
			}
		}
		for _, method := range []string{"GET", "PUT", "DELETE", "PATCH"} { // 1
			r := good
			r.Method = method
			wants(r, 405, "Send this request with POST.")
			if got := s.Send(r).Header.Get("Allow"); got != "POST" {
				t.Errorf("%s: Allow is %q", method, got)
			}
		}
		wants(raw("application/json", `{"x":"`+strings.Repeat("x", 65<<10)+`"}`), 413, "The body is larger than 64 KiB.") // 2

		const sendJSON = "Send the body as application/json." // 3
		for _, mediaType := range []string{"text/xml", "", "application/json; charset=utf-16", "application/json; charset=iso-8859-1",
			"multipart/form-data; boundary=x", "text/plain", "application/jsonx", "application/json, text/plain", "nonsense"} {
			wants(raw(mediaType, body), 400, sendJSON)
		}
		wants(good.With("Content-Encoding", "gzip"), 400, sendJSON)
		two := good
		two.Header = good.Header.Clone()
		two.Header.Add("Content-Type", "application/json")
		wants(two, 400, sendJSON)

		const oneObject = "The body is not one well-formed JSON object." // 4
		for _, malformed := range []string{
			"", "null", "[]", `"x"`, "{", body + "{}", body + "x", "\ufeff" + body, strings.Replace(body, "xref-app", "xref\xffapp", 1),
			strings.Replace(body, "xref-app", `xref\u0000app`, 1), strings.Replace(body, "{", `{"code":"x",`, 1),
			strings.Replace(body, "{", `{"x":{"y":1,"y":2},`, 1), strings.Replace(body, "{", `{"x":`+strings.Repeat("[", 17)+strings.Repeat("]", 17)+",", 1),
			strings.Replace(body, "{", `{"x":NaN,`, 1), strings.ReplaceAll(body, `"`, "'"), strings.Replace(body, "{", "{/* */", 1),
			strings.Replace(body, "}", ",}", 1), strings.Replace(body, "xref-app", `\ud800`, 1),
		} {
			wants(raw("application/json", malformed), 400, oneObject)
		}

		for _, name := range []string{"client_id", "client_secret", "code"} { // 5
			missing := `The member "` + name + `" is missing.`
			for _, value := range []string{`""`, "null", "1", "true", "[]", "{}"} {
				wants(raw("application/json", strings.Replace(body, `"`+name+`":`, `"`+name+`":`+value+`,"was":`, 1)), 400, missing)
			}
			wants(raw("application/json", strings.Replace(body, `"`+name+`":`, `"was":`, 1)), 400, missing)
		}
		inQuery := raw("application/json", "{}") // 6
		inQuery.Path += "?client_id=xref-app&client_secret=" + xref.Secret + "&code=" + code
		wants(inQuery, 400, `The member "client_id" is missing.`)

		form := posterntest.PostForm("/oauth/tokens", "client_id", xref.ID, "client_secret", xref.Secret, "code", code) // 7
		form.Body += "&code=" + code
		wants(form, 400, `The parameter "code" is given twice.`)

		const onePlace = "Authenticate the client in one place only." // 8
		wants(good.Authorized(posterntest.Basic(xref.ID, xref.Secret)), 400, onePlace)
		wants(posterntest.PostJSON("/oauth/tokens", "client_id", "other-xref", "code", code).Authorized(posterntest.Basic(xref.ID, xref.Secret)), 400, onePlace)

		s.Redeem(xref, code).OK()
	})
}

// §3, rows 9 to 12: whoever is not the code's owner leaves it whole.
func TestXrefTokenRowsThatLeaveTheCodeAlive(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		s.Apply(`partners: [{name: Partner Inc, apps: [{name: Standard Partner, client_id: standard-app, disabled: true}]}]`)
		code := s.Approve(xref, posterntest.Ada)
		const unknown = `{"error":"invalid_client","error_description":"Unknown client_id or wrong client_secret."}`

		for _, app := range []posterntest.App{ // 9
			{ID: "nobody", Secret: xref.Secret}, {ID: xref.ID, Secret: "wrong"}, {ID: xref.ID, Secret: posterntest.OtherXref.Secret},
			posterntest.Standard, posterntest.Xeebo, {ID: "bad id", Secret: "x"},
		} {
			s.Redeem(app.In("xref"), code).Says(401, unknown).Challenges("")
		}
		byBasic := posterntest.PostJSON("/oauth/tokens", "code", code) // 10
		for _, credential := range []string{posterntest.Basic(xref.ID, "wrong"), posterntest.Basic("nobody", "x"), posterntest.Basic(xref.ID, ""),
			posterntest.Basic("", xref.Secret), "Basic !!!", "Basic " + posterntest.Base64("nocolon"), "Basic"} {
			s.Send(byBasic.Authorized(credential)).Says(401, unknown).Challenges(`Basic realm="xref"`)
		}
		other := is(posterntest.RedeemRequest(xref, code), `"code"`, `"grant_type":"authorization-code","code"`) // 11
		s.Send(other).Says(400, `{"error":"unsupported_grant_type","error_description":"Only authorization_code is supported here."}`)
		s.Send(is(other, "authorization-code", "refresh_token")).Wants(400, "unsupported_grant_type")

		for _, wrong := range []string{strings.Repeat("0", 64), "x", strings.ToUpper(code), code[1:], code + "0", " " + code} { // 12
			s.Redeem(xref, wrong).Says(400, xrefBadGrant).Challenges("")
		}
		s.Redeem(posterntest.OtherXref, code).Says(400, xrefBadGrant)
		s.Redeem(posterntest.Moving, code).Says(400, xrefBadGrant)

		s.Redeem(xref, code).OK()
	})
}

// §3, row 13
func TestXrefACodeUsedTwiceEndsItsTokenAlone(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		code := s.Approve(xref, posterntest.Ada)
		born := s.Redeem(xref, code).OK().Field("access_token")
		sister := connect(s, xref, posterntest.Ada).Field("access_token")
		s.Redeem(xref, code).Says(400, xrefBadGrant)
		s.Call(xref, born).Says(401, xrefNotValid)
		s.Call(xref, sister).OK()
	})
}

// §3, row 14
func TestXrefTheOwnersWrongPresentationSpendsTheCode(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		with := func(code, member, value string) posterntest.Request {
			return is(posterntest.RedeemRequest(xref, code), "}", `,"`+member+`":"`+value+`"}`)
		}
		plain, pkce := []string{}, []string{"code_challenge", challenge, "code_challenge_method", "S256"}
		for _, c := range []struct {
			params        []string
			member, value string
		}{
			{plain, "redirect_uri", "https://evil.test"},
			{plain, "redirect_uri", xref.RedirectURL + "/"},
			{plain, "code_verifier", verifier},
			{pkce, "code_verifier", strings.Repeat("x", 43)},
			{pkce, "code_verifier", challenge},
			{pkce, "x", "no verifier at all"},
		} {
			code := s.Approve(xref, posterntest.Ada, c.params...)
			s.Send(with(code, c.member, c.value)).Says(400, xrefBadGrant)
			s.Send(with(code, "code_verifier", verifier)).Says(400, xrefBadGrant)
			s.Redeem(xref, code).Says(400, xrefBadGrant)
		}
		s.Send(with(s.Approve(xref, posterntest.Ada, pkce...), "code_verifier", verifier)).OK()
		s.Send(with(s.Approve(xref, posterntest.Ada), "redirect_uri", xref.RedirectURL)).OK()
	})
}

// §3, what is also accepted.
func TestXrefTokenRequestsInOtherForms(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for name, request := range map[string]func(code string) posterntest.Request{
			"a form": func(code string) posterntest.Request {
				return posterntest.PostForm("/oauth/tokens", "client_id", xref.ID, "client_secret", xref.Secret, "code", code)
			},
			"Basic": func(code string) posterntest.Request {
				return posterntest.PostJSON("/oauth/tokens", "code", code).Authorized(posterntest.Basic(xref.ID, xref.Secret))
			},
			"Basic and a form": func(code string) posterntest.Request {
				return posterntest.PostForm("/oauth/tokens", "code", code, "grant_type", "authorization_code").Authorized(posterntest.Basic(xref.ID, xref.Secret))
			},
			"grant_type and unknown members": func(code string) posterntest.Request {
				return is(posterntest.RedeemRequest(xref, code), "}", `,"grant_type":"authorization_code","x":[{"y":null}]}`)
			},
			"charset": func(code string) posterntest.Request {
				return posterntest.RedeemRequest(xref, code).With("Content-Type", `Application/JSON; charset="UTF-8"`)
			},
		} {
			if a := s.Send(request(s.Approve(xref, posterntest.Ada))); a.Status != 200 {
				t.Errorf("%s: %d %s", name, a.Status, a.Body)
			}
		}
	})
}

// §3, row 15
func TestXrefACodeDiesWithItsUserAccountOrPlatform(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for off, on := range map[string]string{
			"accounts: [{name: Acme, users: [{email: ada@acme.test, disabled: true}]}]": "accounts: [{name: Acme, users: [{email: ada@acme.test, disabled: false}]}]",
			"accounts: [{name: Acme, disabled: true}]":                                  "accounts: [{name: Acme, disabled: false}]",
		} {
			code := s.Approve(xref, posterntest.Ada)
			s.Apply(off)
			s.Redeem(xref, code).Says(400, xrefBadGrant)
			s.Apply(on)
		}
		code := s.Approve(xref, posterntest.Ada)
		s.Apply(`partners: [{name: Partner Inc, apps: [{name: Xref Partner, client_id: xref-app, disabled: true}]}]`)
		s.Redeem(xref, code).Wants(401, "invalid_client") // row 9 comes first
	})
}

// §3, row 16: strangers are slowed down, the owner is not.
func TestXrefManyFailuresAreSlowedDown(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		code := s.Approve(xref, posterntest.Ada)
		guess := xref
		guess.Secret = "a guess"
		last := s.Redeem(guess, code)
		for range 31 {
			last = s.Redeem(guess, code)
		}
		last.Wants(429, "temporarily_unavailable")
		if last.Header.Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
		s.Redeem(xref, code).OK()
	})
}
