package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
)

func TestAZ23_EveryAnswerRulesOutWhatIsDangerous(t *testing.T) {
	w := newWorld(t)
	v, nobody := w.signedIn("ada"), w.visitor()
	w.connect("con_1", "Acme", "")
	w.people.links["L"] = "ada@test"
	at := w.ask(v)
	for name, got := range map[string]*shown{
		"front": nobody.get("/"), "sign-in": nobody.get("/login"), "sign-out": v.get("/logout"), "consent": v.get(at),
		"other browser": nobody.get(at), "connections": v.get("/connections"), "password": v.get("/password"),
		"disconnect": v.get("/connections/con_1/disconnect"), "reset": nobody.get("/reset/L"), "no reset": nobody.get("/reset/M"),
		"404": nobody.get("/nothing"), "405": nobody.do("PUT", "/login", nil), "no token": v.post("/logout", nil),
	} {
		h := got.Header()
		csp := h.Get("Content-Security-Policy")
		for _, part := range []string{"default-src 'none'", "frame-ancestors 'none'", "base-uri 'none'", "form-action 'self'"} {
			if !strings.Contains(csp, part) {
				t.Errorf("%s: the policy lacks %s: %q", name, part, csp)
			}
		}
		if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
			t.Errorf("%s: the policy is %q", name, csp)
		}
		for header, want := range map[string]string{
			"X-Frame-Options": "DENY", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer",
			"Cross-Origin-Opener-Policy": "same-origin", "Cache-Control": "no-store",
			"Strict-Transport-Security": "max-age=31536000", "Access-Control-Allow-Origin": "",
		} {
			if h.Get(header) != want {
				t.Errorf("%s: %s is %q", name, header, h.Get(header))
			}
		}
		if !strings.HasPrefix(h.Get("Content-Type"), "text/html") {
			t.Errorf("%s is %q", name, h.Get("Content-Type"))
		}
	}
}

func TestWhatIsNotThereIsAPage(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	for _, path := range []string{"/nothing", "/consent", "/consent/a/b", "//evil.test", "/x/../login", "/login/", "/assets/none.css", "/consent/%2e%2e"} {
		got := v.get(path)
		if got.Code != http.StatusNotFound || got.to() != "" {
			t.Errorf("%s: %d to %q", path, got.Code, got.to())
		}
	}
	got := v.do("DELETE", "/login", nil).wants(405, "DELETE")
	if allow := got.Header().Get("Allow"); allow != "GET, HEAD, POST" {
		t.Errorf("Allow: %q", allow)
	}
}

// Programs come here by a slip in a wire's address; a page tells them nothing.
func TestPA22_AProgramIsToldWhatIsNotThereInItsOwnShape(t *testing.T) {
	w := newWorld(t)
	for address, want := range map[string]string{
		"POST /oauth/tokenn": `404 {"error":"not_found","error_description":"There is no endpoint at this address. Compare its path with the one in the guide."}`,
		"PUT /login":         `405 {"error":"method_not_allowed","error_description":"This address does not take PUT requests."}`,
	} {
		method, path, _ := strings.Cut(address, " ")
		r := httptest.NewRequest(method, path, nil)
		r.Header.Set("Accept", "*/*")
		answer := httptest.NewRecorder()
		w.door.ServeHTTP(answer, r)
		if got := fmt.Sprintf("%d %s", answer.Code, answer.Body); got != want || answer.Header().Get("Content-Type") != "application/json; charset=utf-8" {
			t.Errorf("%s is answered %s %v", address, got, answer.Header())
		}
	}
}

func TestFrontLeadsOnOrSaysWhatThisIs(t *testing.T) {
	w := newWorld(t)
	w.visitor().get("/").wants(200, "Sign in")
	w.signedIn("ada").get("/").leads(303, "/connections")
	w.visitor().get("/connections").leads(303, "/login")
	w.signedIn("ada").get("/login").leads(303, "/connections")
}

func TestLC23_CookiesAreBoundToTheHost(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	page := v.get("/login")
	recorder := v.post("/login", page.form("/login", "email", "ada@test", "password", password))
	cookies := append(page.Result().Cookies(), recorder.Result().Cookies()...)
	if len(cookies) != 3 {
		t.Fatalf("%d cookies", len(cookies))
	}
	for _, c := range cookies {
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("cookie %+v", c)
		}
	}
}

func TestLC03_SigningInNeedsThisBrowsersForm(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	right := url.Values{"email": {"ada@test"}, "password": {password}}
	v.post("/login", right).wants(403, `type="password"`, "sign in again")
	form := v.get("/login").form("/login", "email", "ada@test", "password", password)
	w.visitor().post("/login", form).wants(403)
	for _, site := range []string{"cross-site", "same-site"} {
		v.header.Set("Sec-Fetch-Site", site)
		v.post("/login", form).wants(403)
	}
	v.header = http.Header{"Sec-Fetch-Site": {""}, "Origin": {"https://evil.test"}}
	v.post("/login", form).wants(403)
	v.header = http.Header{"Sec-Fetch-Site": {""}, "Origin": {"null"}}
	v.post("/login", form).wants(403)
	if len(w.people.sessions) != 0 {
		t.Fatal("somebody is signed in")
	}
	v.header = http.Header{"Sec-Fetch-Site": {""}, "Origin": {"https://auth.saas.test"}}
	v.post("/login", form).leads(303, "/connections")
}

func TestAWrongPasswordKeepsTheEmail(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	form := v.get("/login").form("/login", "email", "ada@test", "password", "wrong")
	got := v.post("/login", form).wants(200, `value="ada@test"`, "not right", `role="alert"`)
	if strings.Contains(got.text(), "wrong") {
		t.Error("the password stands on the page")
	}
	form.Set("email", "nobody@test")
	if other := v.post("/login", form); strings.ReplaceAll(other.text(), "nobody", "ada") != got.text() || other.Code != got.Code {
		t.Error("an unknown e-mail looks different") // attacks.md LC-18
	}
	form.Set("password", "throttled")
	if got := v.post("/login", form).wants(429, "in 5 minutes", `type="password"`); got.Header().Get("Retry-After") != "300" {
		t.Errorf("Retry-After: %q", got.Header().Get("Retry-After"))
	}
}

func TestLC01_TheSessionChangesAtEveryGainAndLoss(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	first := v.cookies["__Host-postern_session"]
	page := v.get("/password").wants(200)
	v.post("/password", page.form("/password", "password", password, "new_password", "a new long one", "new_password_again", "a new long one")).
		leads(303, "/connections?done=password")
	second := v.cookies["__Host-postern_session"]
	v.get("/connections?done=password").wants(200, "password is changed")
	v.post("/logout", v.get("/logout").form("/logout")).leads(303, "/logout")
	if _, ok := v.cookies["__Host-postern_session"]; ok || first == second {
		t.Error("the session stayed")
	}
	for _, old := range []string{first, second} { // LC-22
		copied := w.visitor()
		copied.cookies["__Host-postern_session"] = old
		copied.get("/connections").leads(303, "/login")
	}
}

func TestASignInGoesOnToOurOwnPathsOnly(t *testing.T) {
	for _, hostile := range []string{"https://evil.test", "//evil.test", "/\\evil.test", "../x", strings.Repeat("a", 42), strings.Repeat("a", 42) + "/"} {
		if got := next(hostile); got != "/connections" {
			t.Errorf("%q leads to %q", hostile, got)
		}
	}
}

func TestSigningOutIsAPost(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	v.get("/logout").wants(200, "Sign out?")
	v.post("/logout", nil).wants(403)
	if len(w.people.sessions) != 1 {
		t.Fatal("a GET or a bare POST signs out")
	}
	v.post("/logout", v.get("/connections").form("/logout"))
	if len(w.people.sessions) != 0 {
		t.Error("the session lives on")
	}
	v.get("/logout").wants(200, "You are signed out")
	v.post("/logout", nil).leads(303, "/logout")
}

func TestThePasswordFormSaysWhatIsWrong(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	page := v.get("/password")
	for _, c := range []struct {
		old, first, again string
		status            int
		words             string
	}{
		{"wrong", "a new long one", "a new long one", 200, "current password is not right"},
		{password, "a new long one", "another one", 200, "not the same"},
		{password, "short", "short", 200, "too short"},
		{"throttled", "a new long one", "a new long one", 429, "60 minutes"},
	} {
		v.post("/password", page.form("/password", "password", c.old, "new_password", c.first, "new_password_again", c.again)).wants(c.status, c.words)
	}
	v.post("/password", url.Values{"password": {password}, "new_password": {"a new long one"}, "new_password_again": {"a new long one"}}).wants(403)
}

func TestAResetLinkWorksOnce(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	w.people.links["L"] = "ada@test"
	page := v.get("/reset/L").wants(200, "ada@test")
	fill := func(first, again string) url.Values {
		return page.form("/reset/L", "new_password", first, "new_password_again", again)
	}
	w.visitor().post("/reset/L", fill("a new long one", "a new long one")).wants(403)
	v.post("/reset/L", fill("a new long one", "another")).wants(200, "not the same")
	v.post("/reset/L", fill("short", "short")).wants(200, "too short")
	v.post("/reset/L", fill("a new long one", "a new long one")).wants(200, "password is set")
	v.post("/reset/L", fill("a new long one", "a new long one")).wants(404)
	v.get("/reset/L").wants(404, "Ask for a new one")
}

func TestConnectionsShowWhatIsConnected(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	v.get("/connections").wants(200, "Nothing is connected yet")
	w.connect("con_1", "Acme", "", "read", "write")
	w.connect("con_2", "Acme", "ada")
	w.connect("con_3", "Acme", "bob")
	w.connect("con_4", "Globex", "")
	w.rows.live[0].Connection.LastUsedAt = w.now.Add(-48 * time.Hour)
	page := v.get("/connections").wants(200, "Partner X", "Partner Inc", "Everyone in <bdi>Acme</bdi>", "You only",
		"See your candidates", "write", "22 November 2026", "Not used yet", ">Disconnect<")
	if n := strings.Count(page.text(), "<article"); n != 2 {
		t.Errorf("%d connections are shown", n)
	}
}

func TestDisconnectEndsTheConnection(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	w.connect("con_1", "Acme", "")
	w.connect("con_2", "Acme", "ada")
	const at = "/connections/con_1/disconnect"
	page := v.get("/connections")
	v.post(at, url.Values{"form_token": {page.form("/connections/con_2/disconnect").Get("form_token")}}).wants(403)
	v.post(at, page.form(at)).leads(303, "/connections?done=disconnected")
	v.get("/connections?done=disconnected").wants(200, "Disconnected.")
	v.post(at, page.form(at)).wants(404)
	v.get(at).wants(404)
	const own = "/connections/con_2/disconnect"
	v.post(own, v.get(own).wants(200, "loses its access").form(own)).leads(303, "/connections")
}

func TestRV10_WhoMayNotDisconnectIsTold(t *testing.T) {
	w := newWorld(t)
	w.rows.apps["x"].ConnectRoles = []string{"admin"}
	w.connect("con_1", "Acme", "")
	w.connect("con_2", "Acme", "bob")
	const at = "/connections/con_1/disconnect"
	bob, eve := w.signedIn("bob"), w.signedIn("eve")
	page := bob.get("/connections").wants(200, "Only people with the role admin")
	session := w.people.sessions[postern.Secret(bob.cookies["__Host-postern_session"]).Hash()]
	token := browser.FormToken(postern.Secret(bob.cookies["__Host-postern_browser"]), toDisconnect, browser.HashText(session.Hash), "con_1")
	bob.post(at, url.Values{"form_token": {token}}).wants(403, "role")
	bob.post(at, nil).wants(403)
	bob.get(at).wants(200, "Only people with the role admin")
	eve.get(at).wants(404)
	eve.post(at, url.Values{"form_token": {token}}).wants(404) // PA-02
	eve.post("/connections/con_none/disconnect", nil).wants(404)
	if len(w.rows.live) != 2 {
		t.Error("something was disconnected")
	}
	const own = "/connections/con_2/disconnect" // a person's own, whatever the role
	bob.post(own, page.form(own)).leads(303, "/connections")
}

func TestAFormIsReadFromItsBodyAndBounded(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	form := v.get("/login").form("/login", "email", "ada@test", "password", password)
	v.do("POST", "/login?"+form.Encode(), nil).wants(403)
	twice := form.Encode() + "&email=eve%40test"
	r := v.request("POST", "/login", nil)
	r.Body = http.NoBody
	r = httptest.NewRequest("POST", "https://auth.saas.test/login", strings.NewReader(twice))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	w.door.ServeHTTP(recorder, r)
	if recorder.Code != http.StatusBadRequest {
		t.Errorf("a field given twice: %d", recorder.Code)
	}
	form.Set("padding", strings.Repeat("x", maxForm))
	v.post("/login", form).wants(400, "64 KiB")
}

func TestErrorSaysWhatHappenedAndHowToAsk(t *testing.T) {
	w := newWorld(t)
	for _, c := range []struct {
		kind   postern.Kind
		status int
	}{
		{postern.UnknownClient, 400}, {postern.RedirectMismatch, 400}, {postern.InvalidRequest, 400}, {postern.Forbidden, 403},
		{postern.NotFound, 404}, {postern.Conflict, 409}, {postern.RateLimited, 429}, {postern.Unavailable, 503}, {postern.ServerError, 500},
		{"unheard_of", 400},
	} {
		if got := troubleOf(c.kind).status; got != c.status {
			t.Errorf("%s: %d, not %d", c.kind, got, c.status)
		}
		recorder := httptest.NewRecorder()
		w.door.Error(recorder, httptest.NewRequest("GET", "/", nil), 418, postern.Errorf(c.kind, "What <b>happened</b>."))
		(&shown{recorder, w}).wants(418, "What &lt;b&gt;happened", "req_1")
	}
	recorder := httptest.NewRecorder()
	w.door.fail(recorder, httptest.NewRequest("GET", "/", nil), http.ErrAbortHandler)
	page := (&shown{recorder, w}).wants(500)
	if strings.Contains(page.text(), http.ErrAbortHandler.Error()) {
		t.Error("the page tells of our insides")
	}
}

func FuzzTicketPath(f *testing.F) {
	for _, seed := range []string{"/consent/x", "/..", "/consent/", "/consent/%00", "/consent/..%2f", "/consent/" + strings.Repeat("a", 43), "/reset/\xff", "//", "/connections/%2e/disconnect"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, path string) {
		w := newWorld(t)
		u, err := url.ParseRequestURI(path)
		if err != nil || !strings.HasPrefix(path, "/") {
			return
		}
		r := httptest.NewRequest("GET", "https://auth.saas.test/", nil)
		r.URL.Path, r.URL.RawPath = u.Path, u.RawPath
		recorder := httptest.NewRecorder()
		w.door.ServeHTTP(recorder, r)
		if to := recorder.Header().Get("Location"); to != "" && to != "/login" {
			t.Errorf("%q leads to %q", path, to)
		}
		if recorder.Code >= 500 {
			t.Errorf("%q: %d", path, recorder.Code)
		}
	})
}
