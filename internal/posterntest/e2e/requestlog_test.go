package e2e

import (
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/requestlog"
)

// failure is a way to fail, and what the app's people read about it.
type failure struct {
	rule postern.Rule
	of   posterntest.App // in whose log it is
	do   func(s *posterntest.Postern) *posterntest.Answer
	what string // how the sentence begins
}

// notHere are rules that this walk does not bring about, and the test that does,
// or why none can.
var notHere = map[postern.Rule]string{
	"unknown_client":             "concerns no app, so no app's log has it",
	"client_unnamed":             "names no app",
	"api_refused":                "concerns an API, which has no log",
	"no_token":                   "names no app",
	"token_malformed":            "names no app",
	"token_not_base64":           "names no app",
	"token_in_two_places":        "names no app",
	"body_malformed":             "is of holders' requests, which name no app",
	"refresh_token_raced":        "needs five callers who lose one race after another",
	"refused_meanwhile":          "needs a token that comes to be between a gateway's two questions",
	"secret_not_recoverable":     "internal/dialect/sign_test.go",
	"token_wire_gone":            "reload_test.go: needs a wire that is switched off",
	"route_unknown":              "internal/gate: needs rules for routes",
	"route_unclean":              "internal/gate: needs rules for routes",
	"account_not_chosen":         "the page asks again before the engine can",
	"account_not_asked_for":      "storetest: needs a dialect with tenants",
	"code_of_other_account":      "storetest: needs a dialect with tenants",
	"token_of_other_account":     "storetest: needs a dialect with tenants",
	"code_without_pkce":          "storetest: needs an app that becomes public, or is named by its code",
	"scope_without_second_token": "storetest: needs a dialect with a second token",
	"token_without_connection":   "storetest: needs a dialect that renews access tokens",
	"connection_unknown":         "storetest: needs a dialect that revokes by account",
	"parameter_in_two_places":    "internal/dialect: needs a dialect with two places for one input",
	"parameter_encoding":         "internal/dialect: needs a dialect with encoded parameters",
	"header_twice":               "internal/dialect: needs a dialect with inputs in headers",
	"header_missing":             "internal/dialect: needs a dialect that demands headers",
	"fetched_ahead":              "internal/dialect: needs a dialect with a token endpoint by GET",
	"body_cut_short":             "needs a connection that breaks",
	"app_not_live":               "storetest: needs apps that wait for approval",
	"itself_not_live":            "storetest: needs apps that wait for approval",
	"other_partners_sandbox":     "storetest: needs a sandbox",
	"assertion_without_keys":     "storetest/assertion_test.go",
	"assertion_signature":        "storetest/assertion_test.go",
	"assertion_wrong":            "storetest/assertion_test.go",
	"assertion_type_wrong":       "storetest/assertion_test.go",
	"person_left_account":        "storetest: a removed member of Acme would spoil the others' stories",
	"refresh_not_offered":        "storetest: needs a dialect with variants",
}

// Proof: each way to fail, and the sentence it gives.
func TestEachFailureIsToldInWordsToTheAppsOwnPeople(t *testing.T) {
	s := posterntest.New(t)
	walked := map[postern.Rule]bool{}
	for _, f := range failures() {
		t.Run(string(f.rule), func(t *testing.T) { told(t, s, f) })
		walked[f.rule] = true
	}
	for _, rule := range requestlog.Rules() {
		if !walked[rule] && notHere[rule] == "" {
			t.Errorf("nobody walked into %s", rule)
		}
		if walked[rule] && notHere[rule] != "" {
			t.Errorf("%s is walked into after all", rule)
		}
	}
	for rule := range maps.Keys(notHere) {
		if !slices.Contains(requestlog.Rules(), rule) {
			t.Errorf("%s is no rule", rule)
		}
	}
	if testing.Verbose() {
		t.Logf("%d failures walked into", len(walked))
	}
}

// told has a request fail and reads of it in the app's log, by the request id
// that the answer carried.
func told(t *testing.T, s *posterntest.Postern, f failure) *requestlog.Entry {
	t.Helper()
	a := f.do(s.For(t))
	id := a.Header.Get("X-Request-Id")
	if id == "" {
		t.Fatalf("the answer %d carries no request id", a.Status)
	}
	found := s.Logged(f.of, requestlog.Filter{RequestID: id})
	if len(found) != 1 {
		t.Fatalf("%d entries of the request that was answered %d %s", len(found), a.Status, a.Body)
	}
	e := &found[0]
	why := e.Why()
	if why == nil || why.Rule != f.rule || !strings.HasPrefix(why.What.String(), f.what) {
		t.Fatalf("it says %+v\n    want %s: %s …", why, f.rule, f.what)
	}
	if e.Status != a.Status {
		t.Errorf("the log says %d, the answer was %d", e.Status, a.Status)
	}
	for _, said := range []string{a.Body, a.Header.Get("Location")} {
		if strings.Contains(said, string(f.rule)) && !strings.Contains(string(e.Kind), string(f.rule)) {
			t.Errorf("the wire says more than it may: %s", said)
		}
	}
	for _, secret := range []string{f.of.Secret, posterntest.Password} {
		if secret != "" && strings.Contains(e.Sent, secret) {
			t.Errorf("the log holds a secret:\n%s", e.Sent)
		}
	}
	if testing.Verbose() {
		t.Logf("%s → %s", why.What, why.Do)
	}
	return e
}

const longVerifier = "a-verifier-of-more-than-forty-three-characters-0"
const challengeOfIt = "cf7NRNkXUG0qUfDnsU5bcGlN47SgxczNiq6Zl1ySWoM"

func get(path string) posterntest.Request {
	return posterntest.Request{Method: http.MethodGet, Path: path}
}

// changed is a request with another body.
func changed(r posterntest.Request, old, new string) posterntest.Request {
	r.Body = strings.Replace(r.Body, old, new, 1)
	return r
}

func failures() []failure {
	bare := posterntest.App{ID: "bare-app", Secret: "bare-secret-0123456789abcdefghij", Name: "Bare", RedirectURL: "https://other.test/bare", Dialect: "standard"}
	declaredBare := `partners: [{name: Other Inc, apps: [{name: Bare, description: For tests, url: "https://other.test", dialect: standard, client_id: bare-app, client_secret: ` +
		bare.Secret + `, redirect_urls: ["` + bare.RedirectURL + `"], scopes: [jobs.read]}]}]`
	std, xref, xeebo, public := posterntest.Standard, posterntest.Xref, posterntest.Xeebo, posterntest.Public
	ask := func(app posterntest.App, params ...string) func(*posterntest.Postern) *posterntest.Answer {
		return func(s *posterntest.Postern) *posterntest.Answer {
			return s.Send(get(strings.TrimPrefix(s.AuthorizeURL(app, params...), s.URL)))
		}
	}
	send := func(r posterntest.Request) func(*posterntest.Postern) *posterntest.Answer {
		return func(s *posterntest.Postern) *posterntest.Answer { return s.Send(r) }
	}
	redeem := func(app posterntest.App, fields ...string) posterntest.Request {
		r := posterntest.PostForm("/oauth/token", fields...)
		return r.Authorized(posterntest.Basic(app.ID, app.Secret))
	}
	// exchange redeems a fresh code in its own way.
	exchange := func(app posterntest.App, change func(r posterntest.Request) posterntest.Request, params ...string) func(*posterntest.Postern) *posterntest.Answer {
		return func(s *posterntest.Postern) *posterntest.Answer {
			return s.Send(change(posterntest.RedeemRequest(app, s.Approve(app, posterntest.Ada, params...))))
		}
	}
	connected := func(app posterntest.App, use func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer) func(*posterntest.Postern) *posterntest.Answer {
		return func(s *posterntest.Postern) *posterntest.Answer { return use(s, connect(s, app, posterntest.Ada)) }
	}
	pkce := []string{"code_challenge", challengeOfIt, "code_challenge_method", "S256"}
	with := func(field string) func(posterntest.Request) posterntest.Request {
		return func(r posterntest.Request) posterntest.Request { r.Body += "&" + field; return r }
	}
	return []failure{
		// The authorize request.
		{"redirect_uri_mismatch", std, ask(std, "redirect_uri", std.RedirectURL+"/"), "The redirect_uri differs from the registered one in its last character: /"},
		{"redirect_uri_mismatch", std, ask(std, "redirect_uri", strings.Replace(std.RedirectURL, "https", "http", 1)), "The redirect_uri differs from the registered one in its scheme: http instead of https"},
		{"redirect_uri_missing", std, ask(std, "redirect_uri", ""), "The request names no redirect_uri"},
		{"dialect_mismatch", xref, ask(xref.In("standard")), "The app was asked for at an address of the dialect standard, and it speaks xref."},
		{"state_too_long", std, ask(std, "state", strings.Repeat("s", 3000)), "The state has 3000 bytes, and 2048 are the most."},
		{"request_object", std, ask(std, "request", "x.y.z"), "The request came as a request object"},
		{"response_type_wrong", std, ask(std, "response_type", "token"), "The request asks for response_type=token"},
		{"response_mode_wrong", std, ask(std, "response_mode", "fragment"), "The request asks for response_mode=fragment"},
		{"prompt_contradicts", std, ask(std, "prompt", "none login"), "The request says prompt=none login"},
		{"pkce_missing", public, ask(public), "The request has no PKCE challenge"},
		{"pkce_challenge_malformed", public, ask(public, "code_challenge", longVerifier, "code_challenge_method", "plain"), "The code_challenge_method is plain"},
		{"pkce_challenge_malformed", public, ask(public, "code_challenge", challengeOfIt+"=", "code_challenge_method", "S256"), "The code_challenge has 44 characters: it probably ends in the padding =."},
		{"scope_not_allowed", std, ask(std, "scope", "billing.read"), "The app asks for the scope billing.read, and it may ask for: candidates.read candidates.write jobs.read."},
		{"scope_malformed", std, ask(std, "scope", "a\"b"), "The scope parameter is not a list"},
		{"grant_not_allowed", posterntest.Robot, ask(posterntest.Robot), "The app may not use the grant authorization_code. It may use: client_credentials."},
		{"parameter_missing", std, ask(std, "response_type", ""), "The parameter response_type is missing."},

		// The person's answer.
		{"denied_by_person", std, func(s *posterntest.Postern) *posterntest.Answer {
			b := s.SignedIn(posterntest.Grace)
			p := b.Press(b.Ask(s.AuthorizeURL(std)), "Deny")
			return &posterntest.Answer{Status: p.Status, Header: p.Header}
		}, "The person did not allow it."},
		{"login_required", std, func(s *posterntest.Postern) *posterntest.Answer {
			p := s.Browser().Get(s.AuthorizeURL(std, "prompt", "none"))
			return &posterntest.Answer{Status: p.Status, Header: p.Header}
		}, "The request says prompt=none, and the person is not signed in."},
		{"consent_required", posterntest.OtherStandard, func(s *posterntest.Postern) *posterntest.Answer {
			p := s.SignedIn(posterntest.Grace).Get(s.AuthorizeURL(posterntest.OtherStandard, "prompt", "none"))
			return &posterntest.Answer{Status: p.Status, Header: p.Header}
		}, "The request says prompt=none, and the person has not allowed all of it before."},

		// Who the app is.
		{"wrong_client_secret", std, send(posterntest.PostForm("/oauth/token", "grant_type", "authorization_code", "code", "x", "client_id", std.ID, "client_secret", "not-it")),
			"The client secret is wrong. One of 6 characters was shown; valid are, by their last four characters: "},
		{"wrong_client_secret", std, send(posterntest.PostForm("/oauth/token", "grant_type", "authorization_code", "code", "x", "client_id", std.ID, "client_secret", std.Secret+"\n")),
			"The client secret is right but for a space or line break around it."},
		{"client_secret_missing", std, send(posterntest.PostForm("/oauth/token", "grant_type", "authorization_code", "code", "x", "client_id", std.ID)), "The request names the app and shows no client secret."},
		{"client_secret_missing", xref, send(posterntest.PostJSON("/oauth/tokens", "client_id", xref.ID, "code", "x")), "The request names the app and shows no client secret."},
		{"public_app_sent_secret", public, send(posterntest.PostForm("/oauth/token", "grant_type", "authorization_code", "code", "x", "client_id", public.ID, "client_secret", "s")), "The app is public, so it has no secret"},
		{"public_app_introspects", public, send(posterntest.PostForm("/oauth/introspect", "token", "x", "client_id", public.ID)), "The app is public: it has no secret"},
		{"client_auth_twice", std, send(redeem(std, "grant_type", "authorization_code", "code", "x", "client_id", std.ID, "client_secret", std.Secret)), "The request authenticates the app in two places."},
		{"basic_malformed", std, send(posterntest.PostForm("/oauth/token", "grant_type", "authorization_code", "code", "x", "client_id", std.ID).Authorized("Basic ???")), "The Authorization header says Basic"},

		// How the request is written.
		{"parameter_missing", std, send(redeem(std, "grant_type", "authorization_code")), "The parameter code is missing."},
		{"parameter_missing", std, func(s *posterntest.Postern) *posterntest.Answer {
			r := redeem(std, "grant_type", "authorization_code")
			r.Path += "?code=secret-in-the-address"
			return s.Send(r)
		}, "The parameter code is missing from the body: it stands in the address."},
		{"parameter_twice", std, ask2(std), "The parameter scope is given twice."},
		{"parameter_not_text", xref, send(posterntest.PostRaw("/oauth/tokens", "application/json", `{"client_id":"`+xref.ID+`","client_secret":"`+xref.Secret+`","code":"x","redirect_uri":7}`)), "The parameter redirect_uri is not a text."},
		{"method_wrong", std, send(get("/oauth/token").Authorized(posterntest.Basic(std.ID, std.Secret))), "The request came with a method"},
		{"media_type_wrong", std, send(posterntest.PostRaw("/oauth/token", "application/json", `{"grant_type":"authorization_code","client_id":"`+std.ID+`","client_secret":"x"}`)), "The body came as application/json, and application/x-www-form-urlencoded is expected."},
		{"media_type_wrong", std, send(posterntest.PostRaw("/oauth/token", "application/json", `{"grant_type":"authorization_code"}`).Authorized(posterntest.Basic(std.ID, std.Secret))), "The body came as application/json, and application/x-www-form-urlencoded is expected."},
		{"body_not_form", std, send(posterntest.PostRaw("/oauth/token", "application/x-www-form-urlencoded", `{"grant_type":"a;b"}`).Authorized(posterntest.Basic(std.ID, std.Secret))), "The Content-Type says form, and the body looks like JSON."},
		{"body_not_json", xref, send(posterntest.PostRaw("/oauth/tokens", "application/json", "client_id="+xref.ID+"&code=x").Authorized(posterntest.Basic(xref.ID, xref.Secret))), "The Content-Type says JSON, and the body looks like a form."},
		{"body_too_large", std, send(posterntest.PostRaw("/oauth/token", "application/x-www-form-urlencoded", "a="+strings.Repeat("a", 70_000)).Authorized(posterntest.Basic(std.ID, std.Secret))), "The body is larger than 64 KiB."},
		{"query_malformed", xref, send(get("/oauth/open-api/" + xref.ID + "?state=%zz")), "The query of the address cannot be read."},
		{"query_too_long", xref, send(get("/oauth/open-api/" + xref.ID + "?state=" + strings.Repeat("a", 17_000))), "The query of the address is larger"},

		// Grants and codes.
		{"grant_unknown", std, send(redeem(std, "grant_type", "password", "username", "ada", "password", posterntest.Password)), "The grant_type password is not one of this wire."},
		{"grant_not_allowed", std, send(redeem(std, "grant_type", "client_credentials")), "The app may not use the grant client_credentials."},
		{"code_unknown", std, send(redeem(std, "grant_type", "authorization_code", "code", "x")), "The code has 1 character, and ours have "},
		{"code_unknown", std, send(redeem(std, "grant_type", "authorization_code", "code", "abc ")), "The code has a space or line break around it."},
		{"code_redeemed_before", std, func(s *posterntest.Postern) *posterntest.Answer {
			code := s.Approve(std, posterntest.Ada)
			s.Redeem(std, code).OK()
			s.Clock.Advance(4 * time.Second)
			return s.Redeem(std, code)
		}, "This code was redeemed 4 s earlier by the same app: is the callback handled twice?"},
		{"code_void", std, func(s *posterntest.Postern) *posterntest.Answer {
			code := s.Approve(std, posterntest.Ada)
			s.Send(changed(posterntest.RedeemRequest(std, code), "integrations", "elsewhere"))
			return s.Redeem(std, code)
		}, "This code was spent less than a second earlier without tokens"},
		{"code_expired", std, func(s *posterntest.Postern) *posterntest.Answer {
			code := s.Approve(std, posterntest.Ada)
			s.Clock.Advance(7 * time.Minute)
			return s.Redeem(std, code)
		}, "The code had expired 2 minutes earlier. Codes live for 5 minutes."},
		{"code_redirect_uri_mismatch", std, exchange(std, func(r posterntest.Request) posterntest.Request {
			return changed(r, url.QueryEscape(std.RedirectURL), url.QueryEscape(std.RedirectURL+"/"))
		}), "The redirect_uri of the exchange differs from that of the authorize request in its last character: /"},
		{"code_redirect_uri_missing", std, exchange(std, func(r posterntest.Request) posterntest.Request { return changed(r, "redirect_uri=", "x=") }), "The exchange names no redirect_uri"},
		{"pkce_verifier_missing", std, exchange(std, func(r posterntest.Request) posterntest.Request { return r }, pkce...), "The code was asked for with PKCE"},
		{"pkce_verifier_unexpected", std, exchange(std, with("code_verifier="+longVerifier)), "The exchange has a code_verifier"},
		{"pkce_verifier_malformed", std, exchange(std, with("code_verifier=short"), pkce...), "The code_verifier has 5 characters"},
		{"pkce_verifier_wrong", std, exchange(std, with("code_verifier="+longVerifier+"x"), pkce...), "The code_verifier does not fit"},
		{"pkce_challenge_sent_as_verifier", std, exchange(std, with("code_verifier="+challengeOfIt), pkce...), "The exchange shows the challenge"},
		{"other_apps_code", std, func(s *posterntest.Postern) *posterntest.Answer {
			return s.Redeem(std, s.Approve(posterntest.OtherStandard, posterntest.Ada))
		}, "The code was not issued to this app."},
		{"code_of_other_dialect", posterntest.Moving, func(s *posterntest.Postern) *posterntest.Answer {
			return s.Redeem(posterntest.Moving.In("standard"), s.Approve(posterntest.Moving, posterntest.Ada))
		}, "The code is of the dialect xref, and was presented to standard."},

		// Tokens.
		{"refresh_token_unknown", std, send(redeem(std, "grant_type", "refresh_token", "refresh_token", "abc")), "The refresh token has 3 characters, and ours have "},
		{"access_token_sent", std, connected(std, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			return s.Refresh(std, a.Field("access_token"))
		}), "An access token was shown where a refresh token is expected."},
		{"other_apps_token", std, connected(posterntest.OtherStandard, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			return s.Refresh(std, a.Field("refresh_token"))
		}), "The token was not issued to this app."},
		{"token_of_other_dialect", posterntest.Moving, connected(posterntest.Moving, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			return s.Revoke(posterntest.Moving.In("standard"), a.Field("access_token"))
		}), "The token is of the dialect xref, and was shown as one of standard."},
		{"scope_widened", std, connected(std, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			return s.Send(redeem(std, "grant_type", "refresh_token", "refresh_token", a.Field("refresh_token"), "scope", "candidates.write"))
		}), "The request names the scope candidates.write, and the person approved: candidates.read jobs.read."},
		{"refresh_rotated_before", std, connected(std, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			next := s.Refresh(std, a.Field("refresh_token")).OK()
			s.Refresh(std, next.Field("refresh_token")).OK()
			s.Clock.Advance(time.Minute)
			return s.Refresh(std, a.Field("refresh_token"))
		}), "This refresh token gave way to another 60 s earlier, which was used since."},
		{"family_ended", std, func(s *posterntest.Postern) *posterntest.Answer {
			first, _ := connect(s, std, posterntest.Ada), connect(s, std, posterntest.Ada) // two families of one connection
			s.Revoke(std, first.Field("refresh_token")).OK()
			return s.Refresh(std, first.Field("refresh_token"))
		}, "The tokens of this approval were ended less than a second earlier by the app itself."},
		{"token_unknown", std, func(s *posterntest.Postern) *posterntest.Answer { return s.Revoke(std, "nothing") }, "No token like this is known here"},
		{"token_ended", std, connected(std, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			s.Revoke(std, a.Field("access_token")).OK()
			return check(s, "", credential(std, a.Field("access_token")))
		}), "The token was ended less than a second earlier"},
		{"refresh_token_sent", std, connected(std, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			return s.Introspect(a.Field("refresh_token"))
		}), "A refresh token was shown where an access token is expected."},
		{"connection_ended", xref, func(s *posterntest.Postern) *posterntest.Answer {
			a := connect(s, xref, posterntest.Ada)
			s.Disconnect(posterntest.Ada, xref)
			s.Clock.Advance(3 * time.Second)
			return s.Call(xref, a.Field("access_token"))
		}, "The connection was ended 3 s earlier by a member of the account."},
		{"connection_ended", xref, func(s *posterntest.Postern) *posterntest.Answer {
			a := connect(s, xref, posterntest.Ada)
			s.Revoke(xref, a.Field("access_token")).OK()
			return check(s, "", credential(xref, a.Field("access_token")))
		}, "The connection was ended less than a second earlier by the app itself."},
		{"scope_insufficient", std, connected(std, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			return check(s, "?scope=billing.read", credential(std, a.Field("access_token")))
		}), "The call needs the scope billing.read, and the token has: candidates.read jobs.read."},
		{"account_differs", std, connected(std, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			return check(s, "?account=globex", credential(std, a.Field("access_token")))
		}), "The call is about the account globex"},

		// What operators change meanwhile.
		{"redirect_uri_changed", posterntest.OtherXref, func(s *posterntest.Postern) *posterntest.Answer {
			b := s.SignedIn(posterntest.Ada)
			p := b.Ask(s.AuthorizeURL(posterntest.OtherXref))
			s.Apply(`partners: [{name: Other Inc, apps: [{name: Other Xref, client_id: other-xref, redirect_urls: ["https://other.test/new"]}]}]`)
			answer := b.Press(p, "Allow")
			return &posterntest.Answer{Status: answer.Status, Header: answer.Header}
		}, "The app's redirect URL https://other.test/cb was taken away"},
		{"role_not_allowed", posterntest.OtherStandard, func(s *posterntest.Postern) *posterntest.Answer {
			code := s.Approve(posterntest.OtherStandard, posterntest.Alan)
			s.Apply(`partners: [{name: Other Inc, apps: [{name: Other Standard, client_id: other-standard, connect_roles: [admin]}]}]`)
			return s.Redeem(posterntest.OtherStandard, code)
		}, "The person's role in the account is member, and only these may connect the app: admin."},
		{"scope_taken_away", posterntest.OtherXeebo, func(s *posterntest.Postern) *posterntest.Answer {
			a := connect(s, posterntest.OtherXeebo, posterntest.Grace)
			s.Apply(`partners: [{name: Other Inc, apps: [{name: Other Xeebo, client_id: other-xeebo, scopes: [candidates.write], default_scopes: [candidates.write]}]}]`)
			return s.Refresh(posterntest.OtherXeebo, a.Field("refresh_token"))
		}, "The app may not have the scopes any more that were approved: candidates.read jobs.read."},
		{"scope_missing", bare, func(s *posterntest.Postern) *posterntest.Answer {
			s.Apply(declaredBare)
			return ask(bare, "scope", "")(s)
		}, "The request names no scope, and the app has no default ones. It may ask for: jobs.read."},
		{"secret_expired", bare, func(s *posterntest.Postern) *posterntest.Answer {
			s.Apply(strings.Replace(declaredBare, "client_secret: "+bare.Secret, `client_secrets: [{name: spring, secret: `+bare.Secret+`, expires_at: "`+
				s.Clock.Now().Add(time.Hour).Format(time.RFC3339)+`"}, {name: summer, secret: another-secret-0123456789abcdefgh}]`, 1))
			s.Clock.Advance(4 * time.Hour)
			return s.Send(redeem(bare, "grant_type", "authorization_code", "code", "x"))
		}, "The client secret spring (…ghij) is the right one, and it expired 3 hours earlier."},
		{"person_disabled", std, func(s *posterntest.Postern) *posterntest.Answer {
			code := s.Approve(std, posterntest.Alan)
			s.Apply(`accounts: [{name: Acme, users: [{email: ` + posterntest.Alan + `, disabled: true}]}]`)
			return s.Redeem(std, code)
		}, "The person who approved is switched off."},
		{"account_disabled", std, func(s *posterntest.Postern) *posterntest.Answer {
			code := s.Approve(std, posterntest.Grace)
			s.Apply(`accounts: [{name: Globex, disabled: true}]`)
			return s.Redeem(std, code)
		}, "The account is switched off."},
		{"app_disabled", posterntest.OtherXeebo, func(s *posterntest.Postern) *posterntest.Answer {
			s.Apply(`partners: [{name: Other Inc, apps: [{name: Other Xeebo, client_id: other-xeebo, disabled: true}]}]`)
			return s.Send(posterntest.RefreshRequest(posterntest.OtherXeebo, "x"))
		}, "The app is switched off, or its partner is."},
		{"token_misplaced", std, connected(std, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			return check(s, "", "Token "+a.Field("access_token"))
		}), "The token is good, but was not sent as the dialect standard has it."},
		{"token_misplaced", xeebo, connected(xeebo, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			return check(s, "", "Bearer "+a.Field("access_token"))
		}), "The token is good, but was not sent as the dialect xeebo has it."},
		{"token_misplaced", std, connected(std, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			return check(s, "?dialect=xref", "Bearer "+a.Field("access_token"))
		}), "The token is good, but was not sent as the dialect standard has it."},
		{"token_expired", std, connected(std, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			s.Clock.Advance(61 * time.Minute)
			return check(s, "", credential(std, a.Field("access_token")))
		}), "The token expired 60 s earlier. It lived for 60 minutes."},
		{"refresh_token_expired", xeebo, connected(xeebo, func(s *posterntest.Postern, a *posterntest.Answer) *posterntest.Answer {
			s.Clock.Advance(181 * 24 * time.Hour)
			return s.Refresh(xeebo, a.Field("refresh_token"))
		}), "The refresh token expired 24 hours earlier."},
		{"rate_limited", posterntest.OtherStandard, func(s *posterntest.Postern) *posterntest.Answer {
			wrong := posterntest.PostForm("/oauth/token", "grant_type", "authorization_code", "code", "x", "client_id", posterntest.OtherStandard.ID, "client_secret", "guess")
			for range 30 {
				s.Send(wrong)
			}
			return s.Send(wrong)
		}, "More than 30 wrong authentications of this app came from one address in a minute"},
	}
}

// ask2 names a parameter twice.
func ask2(app posterntest.App) func(*posterntest.Postern) *posterntest.Answer {
	return func(s *posterntest.Postern) *posterntest.Answer {
		return s.Send(get(strings.TrimPrefix(s.AuthorizeURL(app), s.URL) + "&scope=jobs.read"))
	}
}

func TestTheLogHasWhatWasGrantedAndWhoseItIs(t *testing.T) {
	each(t, func(t *testing.T, s *posterntest.Postern) {
		app := posterntest.Standard
		code := s.Approve(app, posterntest.Ada, "state", "kept", "code_challenge", challengeOfIt, "code_challenge_method", "S256")
		r := posterntest.RedeemRequest(app, code)
		r.Body += "&code_verifier=" + longVerifier + "&password=of+a+person"
		a := s.Send(r).OK()
		next := s.Refresh(app, a.Field("refresh_token")).OK()
		for range 3 {
			check(s, "", credential(app, next.Field("access_token"))).OK()
		}
		known := s.Introspect(next.Field("access_token"))
		s.Revoke(app, next.Field("refresh_token")).OK()

		var said []string
		for _, e := range s.Logged(app, requestlog.Filter{}) {
			said = append(said, e.Endpoint+" "+string(e.Outcome))
			for _, secret := range []string{code, longVerifier, a.Field("access_token"), a.Field("refresh_token"), next.Field("refresh_token"), app.Secret, "of a person"} {
				if strings.Contains(e.Sent, secret) {
					t.Errorf("%s holds the secret %s:\n%s", e.Endpoint, secret, e.Sent)
				}
			}
		}
		if want := []string{"revoke granted", "introspect granted", "refresh granted", "token granted", "consent granted", "authorize granted"}; !slices.Equal(said, want) {
			t.Errorf("the log has %q,\n         want %q", said, want)
		}
		account, connection := known.Field("account_id"), known.Field("connection_id")
		if n := len(s.Logged(app, requestlog.Filter{Account: account})); n != 5 {
			t.Errorf("%d entries of the account", n)
		}
		ofConnection := s.Logged(app, requestlog.Filter{ConnectionID: connection, Endpoint: "token"})
		if len(ofConnection) != 1 || ofConnection[0].AccountName != "Acme" {
			t.Fatalf("of the connection: %+v", ofConnection)
		}
		if want := "grant_type=authorization_code\n"; !strings.Contains(ofConnection[0].Sent, want) || !strings.Contains(ofConnection[0].Sent, "password=11 characters\n") {
			t.Errorf("it shows\n%s", ofConnection[0].Sent)
		}
		if u := s.Usage(app, 2); len(u) != 2 || u[1].Calls != 9 || u[1].Errors != 0 || u[0].Calls != 0 {
			t.Errorf("usage %+v", u)
		}
		if n := len(s.Logged(posterntest.OtherStandard, requestlog.Filter{})); n != 0 {
			t.Errorf("another app's log has %d entries", n)
		}
	})
}

func TestAStrangersNonsenseLeavesTheAppsOwnEntries(t *testing.T) {
	s := posterntest.New(t, posterntest.Set("request_log", map[string]any{"most": 100}))
	app := posterntest.Standard
	connect(s, app, posterntest.Ada)
	for i := range 200 {
		r := posterntest.PostForm("/oauth/token", "grant_type", "authorization_code", "client_id", app.ID, "junk", strings.Repeat("x", i))
		s.Send(r)
		s.Send(posterntest.PostForm("/oauth/token", "grant_type", "authorization_code", "code", "x", "client_id", "nobody-"+strings.Repeat("x", i), "client_secret", "x"))
	}
	list := s.Logged(app, requestlog.Filter{Outcome: requestlog.Refused})
	more := 0
	for _, e := range list {
		more += e.More
	}
	if len(list) != 60 || more != 140 {
		t.Errorf("%d entries and %d more", len(list), more)
	}
	if own := s.Logged(app, requestlog.Filter{Outcome: requestlog.Granted, Endpoint: "token"}); len(own) != 1 {
		t.Errorf("the app's own exchange: %+v", own)
	}
}

// A machine can name any of its requests to us.
func TestEveryAnswerCarriesARequestID(t *testing.T) {
	s := posterntest.New(t)
	seen := map[string]bool{}
	for _, path := range []string{"/", "/healthz", "/oauth/authorize", "/oauth/nothing", "/.well-known/oauth-authorization-server", "/api/v1/apps", "/portal",
		s.Internal + "/check", s.Internal + "/readyz", s.Internal + "/changes", s.Internal + "/nothing", s.Internal + "/metrics"} {
		for range 2 {
			id := s.Send(get(path)).Header.Get("X-Request-Id")
			if !strings.HasPrefix(id, "req_") || seen[id] {
				t.Errorf("%s is named %q", path, id)
			}
			seen[id] = true
		}
	}
}
