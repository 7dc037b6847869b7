package web

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/browser"
	"postern.dev/postern/internal/oauth"
)

func prompt(word string) func(*oauth.Ask) { return func(a *oauth.Ask) { a.Prompt = word } }

func scopes(names ...string) func(*oauth.Ask) { return func(a *oauth.Ask) { a.Scopes = names } }

func TestAStrangerSignsInSeesTheQuestionAndAllows(t *testing.T) {
	w := newWorld(t)
	v := w.visitor()
	at := w.ask(v)
	page := v.get(at).wants(200, `type="email"`, `type="password"`, "Partner X")
	v.post("/login", page.form("/login", "email", "ada@test", "password", password)).leads(303, at)

	page = v.get(at).wants(200, "Partner X", "Partner Inc", "Does things.", "partner.test:8443", "Acme", "See your candidates", ">Allow<", ">Deny<", "Ada")
	if strings.Contains(page.text(), `type="password"`) || strings.Contains(page.text(), `name="account"`) {
		t.Error("the page asks for more than an answer")
	}
	if csp := page.Header().Get("Content-Security-Policy"); !strings.Contains(csp, "form-action 'self' https://partner.test:8443 https://partner.test;") {
		t.Errorf("the answer cannot lead to the app: %s", csp)
	}
	got := v.post(at, page.form(at, "decision", "allow")).leads(302, callback+"?code=")
	if !strings.HasSuffix(got.to(), "&state=S1&iss=https://auth.saas.test") || got.Body.Len() != 0 {
		t.Errorf("the app gets %s and the browser %q", got.to(), got.text())
	}
	if a := w.rows.answers; len(a) != 1 || a[0].AccountID != "acc_Acme" || a[0].UserID != "ada" || a[0].Address != "192.0.2.1" {
		t.Errorf("granted: %+v", a)
	}
}

func TestAZ17_DenyThenBackThenAllowGrantsNothing(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v)
	page := v.get(at).wants(200)
	v.post(at, page.form(at, "decision", "deny")).leads(302, callback+"?error=access_denied&state=S1")
	v.post(at, page.form(at, "decision", "allow")).wants(409, "Already answered")
	v.get(at).wants(200, "Already answered")
	if n := w.rows.codes(); n != 0 {
		t.Errorf("%d codes", n)
	}
}

func TestAZ30_OneOfManyPostsIsTheAnswer(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v)
	form := v.get(at).form(at, "decision", "allow")
	codes := 0
	for range 50 {
		if got := v.post(at, form); got.Code == 302 {
			codes++
		} else {
			got.wants(409, "Already answered")
		}
	}
	if codes != 1 || w.rows.codes() != 1 {
		t.Errorf("%d answers, %d codes", codes, w.rows.codes())
	}
}

func TestLC02_AnAnswerNeedsTheFormOfThisTicketSessionAndBrowser(t *testing.T) {
	w := newWorld(t)
	v, other := w.signedIn("ada"), w.signedIn("eve")
	at, elsewhere, hers := w.ask(v), w.ask(v), w.ask(other)
	page := v.get(at)
	allow := func(token string) url.Values { return url.Values{"decision": {"allow"}, "form_token": {token}} }
	for name, form := range map[string]url.Values{
		"no token":                {"decision": {"allow"}},
		"an empty token":          allow(""),
		"another flow's token":    allow(v.get(elsewhere).form(elsewhere).Get("form_token")),
		"another person's token":  allow(other.get(hers).form(hers).Get("form_token")),
		"another form's token":    allow(page.form("/logout").Get("form_token")),
		"a token cut short":       allow(page.form(at).Get("form_token")[:42]),
		"a token that is garbage": allow("\x00\xff"),
	} {
		if got := v.post(at, form); got.Code != 403 {
			t.Errorf("%s: %d", name, got.Code)
		}
	}
	v.header.Set("Sec-Fetch-Site", "cross-site")
	v.post(at, page.form(at, "decision", "allow")).wants(403)
	v.header.Set("Sec-Fetch-Site", "same-site")
	v.post(at, page.form(at, "decision", "allow")).wants(403)
	if w.rows.codes() != 0 {
		t.Error("something was granted")
	}
	v.header.Del("Sec-Fetch-Site")
	v.post(at, page.form(at, "decision", "allow")).leads(302, callback+"?code=")
}

func TestLC04_AQuestionThatWasNotShownCannotBeAnswered(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v)
	session, err := w.people.Session(context.Background(), postern.Secret(v.cookies["__Host-postern_session"]))
	if err != nil {
		t.Fatal(err)
	}
	q := &question{Ticket: &postern.Ticket{Hash: postern.Secret(strings.TrimPrefix(at, "/consent/")).Hash()}}
	made := browser.FormToken(postern.Secret(v.cookies["__Host-postern_browser"]), toAnswer, q.about(session, w.memberships("ada"))...)
	v.post(at, url.Values{"decision": {"allow"}, "form_token": {made}}).wants(403)
	if w.rows.codes() != 0 {
		t.Error("something was granted")
	}
}

func (w *world) memberships(user string) []postern.Membership {
	w.Helper()
	list, err := w.people.Memberships(context.Background(), user)
	if err != nil {
		w.Fatal(err)
	}
	return list
}

func TestLC05_ATicketBelongsToItsBrowserAndPerson(t *testing.T) {
	w := newWorld(t)
	v, other, nobody := w.signedIn("ada"), w.signedIn("eve"), w.visitor()
	at := w.ask(v)
	form := v.get(at).form(at, "decision", "allow")
	for range 2 { // it stays so
		other.get(at).wants(403)
		other.post(at, form).wants(403)
		nobody.get(at).wants(403)
		nobody.post(at, form).wants(403)
	}
	// The same browser without its session, and with another person's.
	session := v.cookies["__Host-postern_session"]
	delete(v.cookies, "__Host-postern_session")
	v.post(at, form).wants(403)
	v.cookies["__Host-postern_session"] = other.cookies["__Host-postern_session"]
	v.get(at).wants(403)
	v.post(at, form).wants(403)
	v.cookies["__Host-postern_session"] = session
	v.post(at, form).leads(302, callback+"?code=")
}

func TestNotYouLetsSomebodyElseAnswer(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v)
	page := v.get(at)
	old := page.form(at, "decision", "allow")
	v.post("/logout", page.form("/logout")).leads(303, at)
	page = v.get(at).wants(200, `type="password"`)
	v.post("/login", page.form("/login", "email", "eve@test", "password", password)).leads(303, at)
	page = v.get(at).wants(200, "Globex")
	v.post(at, old).wants(403)
	v.post(at, page.form(at, "decision", "allow")).leads(302, callback+"?code=")
	if a := w.rows.answers[0]; a.UserID != "eve" || a.AccountID != "acc_Globex" {
		t.Errorf("granted: %+v", a)
	}
}

func TestSeveralAccountsAreAskedForInTheSameForm(t *testing.T) {
	w := newWorld(t)
	w.people.add("ada", "Globex", "member")
	v := w.signedIn("ada")
	at := w.ask(v)
	page := v.get(at).wants(200, `type="radio" name="account" value="acc_Acme"`, `value="acc_Globex"`)
	v.post(at, page.form(at, "decision", "allow")).wants(200, "Choose which account")
	v.post(at, page.form(at, "decision", "allow", "account", "acc_None")).wants(403)
	two := page.form(at, "decision", "allow")
	two["account"] = []string{"acc_Acme", "acc_Globex"}
	v.post(at, two).wants(400)
	if w.rows.codes() != 0 {
		t.Error("something was granted")
	}
	v.post(at, page.form(at, "decision", "allow", "account", "acc_Globex")).leads(302, callback+"?code=")
	if a := w.rows.answers[0]; a.AccountID != "acc_Globex" {
		t.Errorf("granted for %s", a.AccountID)
	}
}

func TestDenyNeedsNoAccount(t *testing.T) {
	w := newWorld(t)
	w.people.add("ada", "Globex", "member")
	v := w.signedIn("ada")
	at := w.ask(v)
	page := v.get(at).wants(200, "formnovalidate")
	v.post(at, page.form(at, "decision", "deny")).leads(302, callback+"?error=access_denied")
}

func TestAnAccountOfSomebodyElseGrantsNothing(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v)
	page := v.get(at)
	for _, decision := range []string{"allow", "deny"} {
		v.post(at, page.form(at, "decision", decision, "account", "acc_Globex")).wants(403)
	}
	if len(w.rows.answers) != 0 {
		t.Errorf("answered: %+v", w.rows.answers)
	}
	v.post(at, page.form(at, "decision", "allow", "account", "acc_Acme")).leads(302, callback+"?code=")
}

func TestAnAnswerHoldsForTheAccountThatWasShown(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v)
	form := v.get(at).form(at, "decision", "allow")
	w.people.members = nil
	w.people.add("ada", "Globex", "admin")
	v.post(at, form).wants(403)
	if w.rows.codes() != 0 {
		t.Error("granted for an account that was not on the page")
	}
}

func TestWhoMayNotConnectIsToldWhoCan(t *testing.T) {
	w := newWorld(t)
	w.rows.apps["x"].ConnectRoles = []string{"admin"}
	v := w.signedIn("bob")
	at := w.ask(v)
	page := v.get(at).wants(200, "Ada", "ada@test", "role admin")
	if strings.Contains(page.text(), `value="allow"`) {
		t.Error("the page offers Allow")
	}
	v.post(at, page.form(at, "decision", "allow")).wants(403)
	v.post(at, page.form(at, "decision", "allow", "account", "acc_Acme")).wants(403)
	v.post(at, page.form(at, "decision", "deny")).leads(302, callback+"?error=access_denied")
	if w.rows.codes() != 0 {
		t.Error("something was granted")
	}
}

func TestOnlyTheAccountThatTheAddressNamesCanBeConnected(t *testing.T) {
	w := newWorld(t)
	w.people.add("ada", "Globex", "member")
	v := w.signedIn("ada")
	tenant := func(name string) func(*oauth.Ask) {
		return func(a *oauth.Ask) { a.Tenant, a.TenantKey = name, "name" }
	}
	at := w.ask(v, tenant("Globex"))
	page := v.get(at).wants(200, "Globex")
	if strings.Contains(page.text(), "acc_Acme") {
		t.Error("another account is offered")
	}
	v.post(at, page.form(at, "decision", "allow", "account", "acc_Acme")).wants(403)
	v.get(w.ask(v, tenant("Initech"))).wants(200, "not a member")
}

func TestADisabledAccountIsNotOffered(t *testing.T) {
	w := newWorld(t)
	w.people.members[0].Account.Disabled = true
	v := w.signedIn("ada")
	at := w.ask(v)
	page := v.get(at).wants(200, "not a member")
	v.post(at, page.form(at, "decision", "allow", "account", "acc_Acme")).wants(403)
}

func TestARememberedConsentAnswersAtOnce(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v)
	v.post(at, v.get(at).form(at, "decision", "allow")).leads(302, callback+"?code=")
	v.get(w.ask(v)).leads(302, callback+"?code=")
	v.get(w.ask(v, prompt("consent"))).wants(200, ">Allow<")
	v.get(w.ask(v, scopes("read", "write"))).wants(200, ">Allow<")

	w.people.add("ada", "Globex", "member")
	v.get(w.ask(v)).wants(200, `name="account"`)

	w.terms.Consent = oauth.ConsentAlways
	v.get(w.ask(v)).wants(200, ">Allow<")
}

func TestLC07_APublicAppIsAskedForEachTime(t *testing.T) {
	w := newWorld(t)
	w.rows.apps["x"].Public = true
	pkce := func(a *oauth.Ask) { a.Challenge, a.ChallengeMethod = strings.Repeat("A", 43), "S256" }
	v := w.signedIn("ada")
	at := w.ask(v, pkce)
	v.post(at, v.get(at).form(at, "decision", "allow")).leads(302, callback+"?code=")
	v.get(w.ask(v, pkce)).wants(200, ">Allow<")
	v.get(w.ask(v, pkce, prompt("none"))).leads(302, callback+"?error=consent_required")
}

func TestAZ20_PromptNoneShowsNothing(t *testing.T) {
	w := newWorld(t)
	nobody := w.visitor()
	nobody.get(w.ask(nobody, prompt("none"))).leads(302, callback+"?error=login_required")
	v := w.signedIn("ada")
	v.get(w.ask(v, prompt("none"))).leads(302, callback+"?error=consent_required")
	at := w.ask(v)
	v.post(at, v.get(at).form(at, "decision", "allow"))
	v.get(w.ask(v, prompt("none"))).leads(302, callback+"?code=")
	w.people.add("ada", "Globex", "member")
	v.get(w.ask(v, prompt("none"))).leads(302, callback+"?error=consent_required")
}

func TestPromptLoginAsksAgainUnlessTheSignInIsFresh(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada") // at the very moment of the request: before it
	at := w.ask(v, prompt("login"))
	page := v.get(at).wants(200, `type="password"`, `value="ada@test"`, "once more")
	old := v.cookies["__Host-postern_session"]
	v.post("/login", page.form("/login", "email", "ada@test", "password", password)).leads(303, at)
	if v.cookies["__Host-postern_session"] == old {
		t.Error("the session is the old one")
	}
	page = v.get(at).wants(200, ">Allow<")
	v.post(at, page.form(at, "decision", "allow")).leads(302, callback+"?code=")

	at = w.ask(v, prompt("login"))
	w.now = w.now.Add(time.Minute)
	page = v.get(at).wants(200, `type="password"`)
	v.post("/login", page.form("/login", "email", "eve@test", "password", password)).leads(303, at)
	v.get(at).wants(200, "Globex", ">Allow<")
	v.post("/login", page.form("/login", "email", "ada@test", "password", password)).leads(303, at)
	v.get(at).wants(403)
}

func TestAnAnswerToAPostedRequestIs303(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v, func(a *oauth.Ask) { a.ViaPost = true })
	v.post(at, v.get(at).form(at, "decision", "allow")).leads(303, callback+"?code=")
}

func TestHEADChangesNothing(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v)
	v.post(at, v.get(at).form(at, "decision", "allow"))
	at = w.ask(v)
	if got := v.do("HEAD", at, nil).wants(200); got.to() != "" || w.rows.codes() != 1 {
		t.Errorf("HEAD answered the question: %q", got.to())
	}
}

func TestLC06_WhatIsNewIsMarked(t *testing.T) {
	w := newWorld(t)
	w.connect("con_1", "Acme", "", "read")
	v := w.signedIn("ada")
	page := v.get(w.ask(v, scopes("read", "write"))).wants(200, "Already connected since", "23 November 2026", "by <bdi>Ada</bdi>")
	if n := strings.Count(page.text(), ">new<"); n != 1 {
		t.Errorf("%d scopes are marked as new", n)
	}
	w.people.add("ada", "Globex", "member")
	v.get(w.ask(v, scopes("read", "write"))).wants(200, "Allow adds 1 permission.")
}

func TestLC08_AChangedLookIsTold(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	const notice = "this app has changed"
	if page := v.get(w.ask(v)).wants(200); strings.Contains(page.text(), notice) {
		t.Error("a change is told to who never approved")
	}
	w.rows.approved, w.rows.changed = w.now.Add(-2*time.Hour), w.now.Add(-time.Hour)
	v.get(w.ask(v)).wants(200, notice)
	w.rows.changed = w.now.Add(-3 * time.Hour)
	if page := v.get(w.ask(v)).wants(200); strings.Contains(page.text(), notice) {
		t.Error("an old change is told")
	}
}

func TestI07_ARedirectURLThatChangedMeanwhileGetsAPage(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v)
	page := v.get(at)
	w.rows.apps["x"].RedirectURLs = []string{"https://partner.test/other"}
	got := v.post(at, page.form(at, "decision", "allow")).wants(400, "changed its redirect URL")
	if got.to() != "" || w.rows.codes() != 0 {
		t.Error("the answer went to an address that is gone")
	}
}

func TestAnAppThatIsSwitchedOffMeanwhileGetsAPage(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v)
	page := v.get(at)
	w.rows.apps["x"].Disabled = true
	v.get(at).wants(400, "no longer active")
	v.post(at, page.form(at, "decision", "allow")).wants(400)
	delete(w.rows.apps, "x")
	v.get(at).wants(400, "no longer active")
}

func TestAnExpiredQuestionSaysToStartAgain(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v)
	page := v.get(at)
	w.now = w.now.Add(31 * time.Minute)
	v.get(at).wants(404, "expired", "start again")
	v.post(at, page.form(at, "decision", "allow")).wants(404)
	v.get("/consent/nonsense").wants(404, "start again")
}

func TestAUserLevelQuestionIsForThePerson(t *testing.T) {
	w := newWorld(t)
	w.rows.apps["x"].Level = postern.UserLevel
	v := w.signedIn("ada")
	v.get(w.ask(v, scopes())).wants(200, "act for you?", "It ends when you leave.", "Act for you through the API")
}

func TestTwoScopeSetsAreShownEachWithWhomItActsAs(t *testing.T) {
	w := newWorld(t)
	w.terms.Second = &oauth.AccessTerms{Form: postern.Form{Alphabet: postern.Hex, Length: 64}}
	both := func(a *oauth.Ask) { a.SecondScopes = []string{"write"} }
	v := w.signedIn("ada")
	at := w.ask(v, both)
	page := v.get(at).wants(200, "For the account, it will be able to", "See your candidates", "As you, <bdi>Ada", "acts in your name. It ends when you leave")
	account, own, _ := strings.Cut(page.text(), "As you, ")
	if strings.Contains(account, "<bdi>write</bdi>") || !strings.Contains(own, "<bdi>write</bdi>") {
		t.Error("a permission stands in the wrong set")
	}
	v.post(at, page.form(at, "decision", "allow")).leads(302, callback+"?code=")
	if a := w.rows.answers[0]; a.Level != postern.AccountLevel || len(a.Scopes) != 1 || len(a.SecondScopes) != 1 || a.SecondScopes[0] != "write" {
		t.Errorf("granted: %+v", a)
	}

	at = w.ask(v, both, scopes())
	page = v.get(at).wants(200, "act for you?", "It ends when you leave.", "<bdi>write</bdi>")
	if strings.Contains(page.text(), "For the account") || strings.Contains(page.text(), "As you, ") {
		t.Error("a question for the person alone speaks of the account")
	}
	v.post(at, page.form(at, "decision", "allow")).leads(302, callback+"?code=")
	if a := w.rows.answers[1]; a.Level != postern.UserLevel || len(a.Scopes) != 0 || len(a.SecondScopes) != 1 {
		t.Errorf("granted: %+v", a)
	}
}

func TestNamesOnThePageAreText(t *testing.T) {
	w := newWorld(t)
	app := w.rows.apps["x"]
	app.Name, app.Description, app.Partner.Name = `<img src=x onerror=alert(1)>`, "\u202e<script>", `"><b>`
	v := w.signedIn("ada")
	page := v.get(w.ask(v)).wants(200, `<bdi>&lt;img src=x onerror=alert(1)&gt;</bdi>`)
	for _, bad := range []string{"<img src=x", "<script", "<b>"} {
		if strings.Contains(page.text(), bad) {
			t.Errorf("the page has the element %s", bad)
		}
	}
	if strings.Contains(page.text(), `src="https://`) || strings.Contains(page.text(), `href="https://`) {
		t.Error("the page names another host")
	}
}

func TestTheStoreBeingAwayIs503(t *testing.T) {
	w := newWorld(t)
	v := w.signedIn("ada")
	at := w.ask(v)
	form := v.get(at).form(at, "decision", "allow")
	w.people.away = postern.Wrap(postern.Unavailable, context.DeadlineExceeded)
	for _, got := range []*shown{v.get(at), v.post(at, form), v.get("/connections"), v.get("/"), v.get("/login")} {
		if got.wants(http.StatusServiceUnavailable); got.Header().Get("Retry-After") == "" {
			t.Error("no Retry-After")
		}
	}
}
