package e2e

import (
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest"
)

// xeebo.md §3, the table: what it has beside xref's.
func TestXeeboTokenRows(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		code := s.Approve(xeebo, posterntest.Ada)
		good := posterntest.RedeemRequest(xeebo, code)
		s.Send(is(good, `"grant_type"`, `"was"`)).Says(400, `{"error":"invalid_request","error_description":"The member \"grant_type\" is missing."}`)
		s.Send(is(good, "authorization_code", "")).Says(400, `{"error":"invalid_request","error_description":"The member \"grant_type\" is missing."}`)
		for _, grant := range []string{"password", "client_credentials", "AUTHORIZATION_CODE", "authorization_code ", "implicit", "urn:ietf:params:oauth:grant-type:device_code"} {
			s.Send(is(good, "authorization_code", grant)).Says(400, `{"error":"unsupported_grant_type","error_description":"Use authorization_code or refresh_token."}`)
		}
		s.Send(is(good, "{", `{"code":"x",`)).Says(400, `{"error":"invalid_request","error_description":"The body is not one well-formed JSON object."}`)
		s.Send(is(good, `"code"`, `"was"`)).Says(400, `{"error":"invalid_request","error_description":"The member \"code\" is missing."}`)

		const unknown = `{"error":"invalid_client","error_description":"Unknown client_id or wrong client_secret."}`
		wrong := xeebo
		wrong.Secret = "wrong"
		s.Redeem(wrong, code).Says(401, unknown).Challenges("")
		s.Redeem(xref.In("xeebo"), code).Says(401, unknown)
		s.Send(posterntest.PostJSON("/xeebo/oauth/token", "grant_type", "authorization_code", "code", code).
			Authorized(posterntest.Basic(xeebo.ID, "wrong"))).Says(401, unknown).Challenges(`Basic realm="xeebo"`)
		s.Redeem(posterntest.OtherXeebo, code).Says(400, xrefBadGrant)

		s.Send(is(good, "}", `,"refresh_token":"x","redirect_uri":"`+xeebo.RedirectURL+`","x":1}`)).OK() // the other grant's member is ignored
	})
}

// §3: a code used before ends what was born of it, descendants too.
func TestXeeboACodeUsedTwiceEndsItsDescendants(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		code := s.Approve(xeebo, posterntest.Ada)
		born := s.Redeem(xeebo, code).OK()
		descendant := s.Refresh(xeebo, born.Field("refresh_token")).OK()
		sister := connect(s, xeebo, posterntest.Ada)
		s.Redeem(xeebo, code).Says(400, xrefBadGrant)
		s.Call(xeebo, born.Field("access_token")).Says(401, xeeboNotValid)
		s.Call(xeebo, descendant.Field("access_token")).Says(401, xeeboNotValid)
		s.Refresh(xeebo, born.Field("refresh_token")).Says(400, xeeboBadRefresh)
		s.Call(xeebo, sister.Field("access_token")).OK()
	})
}

// §3: wrong presentations by the owner spend the code; the code's redirect URL
// is the authorize request's.
func TestXeeboTheOwnersWrongPresentationSpendsTheCode(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		for _, bad := range []string{`"redirect_uri":"https://partner.test/other"`, `"code_verifier":"` + verifier + `"`} {
			code := s.Approve(xeebo, posterntest.Ada)
			s.Send(is(posterntest.RedeemRequest(xeebo, code), "}", ","+bad+"}")).Says(400, xrefBadGrant)
			s.Redeem(xeebo, code).Says(400, xrefBadGrant)
		}
		withPKCE := s.Approve(xeebo, posterntest.Ada, "code_challenge", challenge, "code_challenge_method", "S256")
		s.Send(is(posterntest.RedeemRequest(xeebo, withPKCE), "}", `,"code_verifier":"`+verifier+`"}`)).OK()
	})
}

// §4, the table.
func TestXeeboRefreshRows(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		refresh := connect(s, xeebo, posterntest.Ada).Field("refresh_token")
		good := posterntest.RefreshRequest(xeebo, refresh)
		const missing = `{"error":"invalid_request","error_description":"The member \"refresh_token\" is missing."}`
		s.Send(is(good, `"refresh_token":"`, `"was":"`)).Says(400, missing)
		for _, value := range []string{`""`, "null", "7"} {
			s.Send(is(good, `"refresh_token":"`+refresh+`"`, `"refresh_token":`+value)).Says(400, missing)
		}
		for _, unknown := range []string{strings.Repeat("0", 64), "x", strings.ToUpper(refresh), refresh + "0"} {
			s.Refresh(xeebo, unknown).Says(400, xeeboBadRefresh)
		}
		s.Refresh(posterntest.OtherXeebo, refresh).Says(400, xeeboBadRefresh)
		access := connect(s, xeebo, posterntest.Ada).Field("access_token")
		s.Refresh(xeebo, access).Says(400, xeeboBadRefresh)
		s.Refresh(xeebo, connect(s, posterntest.Standard, posterntest.Ada).Field("refresh_token")).Says(400, xeeboBadRefresh)

		wider := is(good, "}", `,"scope":"candidates.read,candidates.write"}`)
		s.Send(wider).Says(400, `{"error":"invalid_scope","error_description":"A refresh cannot widen the scope."}`)
		narrower := s.Send(is(good, "}", `,"scope":"jobs.read"}`)).OK()
		if got := s.Introspect(narrower.Field("access_token")).Field("scope"); got != "jobs.read" {
			t.Errorf("the narrowed token has %q", got)
		}
		whole := s.Refresh(xeebo, refresh).OK()
		if got := s.Introspect(whole.Field("access_token")).Field("scope"); got != "candidates.read jobs.read" {
			t.Errorf("the next token has %q", got)
		}

		for _, off := range []string{
			`accounts: [{name: Acme, users: [{email: ada@acme.test, disabled: true}]}]`,
			`accounts: [{name: Acme, users: [{email: ada@acme.test, disabled: false}], disabled: true}]`,
		} {
			s.Apply(off)
			s.Refresh(xeebo, refresh).Says(400, xeeboBadRefresh)
			soon(t, func() bool { return s.Call(xeebo, whole.Field("access_token")).Status == 401 })
		}
		s.Apply(`accounts: [{name: Acme, disabled: false}]`)
		s.Apply(`partners: [{name: Partner Inc, apps: [{name: Xeebo Partner, client_id: xeebo-app, disabled: true}]}]`)
		s.Refresh(xeebo, refresh).Wants(401, "invalid_client")
	})
}

// §7
func TestXeeboRevocation(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		a := connect(s, xeebo, posterntest.Ada)
		access, refresh := a.Field("access_token"), a.Field("refresh_token")

		s.Revoke(posterntest.OtherXeebo, access).Says(200, `{}`)
		s.Call(xeebo, access).OK()
		s.Revoke(xeebo, strings.Repeat("0", 45)).Says(200, `{}`)
		s.Send(is(posterntest.RevokeRequest(xeebo, access), `"token"`, `"was"`)).Wants(400, "invalid_request")
		wrong := xeebo
		wrong.Secret = "wrong"
		s.Revoke(wrong, access).Wants(401, "invalid_client")

		second := s.Refresh(xeebo, refresh).OK().Field("access_token")
		s.Revoke(xeebo, access).Says(200, `{}`)
		s.Call(xeebo, access).Says(401, xeeboNotValid)
		s.Call(xeebo, second).OK()

		form := posterntest.PostForm("/xeebo/oauth/revoke", "client_id", xeebo.ID, "client_secret", xeebo.Secret,
			"token", refresh, "token_type_hint", "access_token")
		a = s.Send(form).Says(200, `{}`)
		if got := a.Header.Get("Content-Type"); got != "application/json; charset=utf-8" {
			t.Errorf("Content-Type is %q", got)
		}
		s.Call(xeebo, second).Says(401, xeeboNotValid)
		s.Refresh(xeebo, refresh).Says(400, xeeboBadRefresh)
		s.Send(form).Says(200, `{}`)
	})
}
