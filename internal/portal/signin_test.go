package portal_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"postern.dev/postern"
	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/server"
)

func session(b *posterntest.Browser) (name, value string) {
	for _, c := range b.Cookies() {
		if strings.HasSuffix(c.Name, "session") {
			return c.Name, c.Value
		}
	}
	return "", ""
}

func TestASignInComesBackToThePageThatWasAskedForAndToNoOther(t *testing.T) {
	s := posterntest.New(t)
	for to, want := range map[string]string{
		"/portal/team":                 "/portal/team",
		"/portal/team?done=role":       "/portal/team?done=role",
		"/portal/you":                  "/portal/you",
		"/portal":                      "/portal",
		"https://evil.test/portal":     "/portal",
		"//evil.test/portal":           "/portal",
		"/portal/../connections":       "/portal",
		"/portal/%2e%2e/connections":   "/portal",
		"/portalevil":                  "/portal",
		"/operator/you":                "/portal",
		"/portal\\@evil.test":          "/portal",
		"/portal@evil.test":            "/portal",
		"/portal/nothing":              "/portal",
		"javascript:alert(1)":          "/portal",
		"":                             "/portal",
		"/portal/team#x":               "/portal",
		"/portal/team\r\nSet-Cookie:x": "/portal",
	} {
		b := posterntest.NewBrowser(t, s.URL)
		page := b.SignIn(b.Get("/portal/login?to="+url.QueryEscape(to)), posterntest.Dev, posterntest.Password)
		if got := page.URL.RequestURI(); got != want || page.URL.Host != strings.TrimPrefix(s.URL, "http://") {
			t.Errorf("%q led to %s, wanted %s", to, page.URL, want)
		}
	}
	b := posterntest.NewBrowser(t, s.URL)
	if page := b.SignIn(b.Get("/portal/team?done=role"), posterntest.Dev, posterntest.Password); page.URL.RequestURI() != "/portal/team?done=role" {
		t.Errorf("led to %s", page.URL)
	}
	// A way that was changed in the form is not the one that it was made for.
	page := posterntest.NewBrowser(t, s.URL).Get("/portal/login?to=/portal/you")
	form := page.Forms()[len(page.Forms())-1]
	form.Fields.Set("to", "/portal/team")
	b.Post("/portal/login", form.Fields).Wants(t, http.StatusForbidden)
}

func TestLC01_ASessionNeverSurvivesAChangeOfWhoIsThere(t *testing.T) {
	engines.Each(t, sessionsChange)
}

func sessionsChange(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	b := posterntest.NewBrowser(t, s.URL)
	planted := strings.Repeat("a", 43)
	page := b.Get("/portal/login")
	form := page.Forms()[0]
	form.Fields.Set("email", posterntest.Dev)
	form.Fields.Set("password", posterntest.Password)
	cookies := []string{"postern_portal_session=" + planted}
	for _, c := range b.Cookies() {
		cookies = append(cookies, c.Name+"="+c.Value)
	}
	b.Do("POST", "/portal/login", form.Fields, http.Header{"Cookie": {strings.Join(cookies, "; ")}})
	_, first := session(b)
	if first == "" || first == planted {
		t.Fatalf("the session is %q", first)
	}
	// Once more, then a new password: each time another, and the one before is dead.
	id, _ := idsOf(t, s, posterntest.Dev)
	invite := b.Get("/portal/team/" + id + "/invite")
	s.Clock.Advance(time.Hour)
	b.SignIn(b.Press(invite, "Invite", "email", "nia@partner.test", "role", "viewer"), posterntest.Dev, posterntest.Password).Wants(t, http.StatusOK, "The invitation")
	_, second := session(b)
	const changed = "another horse battery"
	b.Press(b.Get("/portal/you"), "Change password", "password", posterntest.Password, "new_password", changed, "new_password_again", changed).
		Wants(t, http.StatusOK, "Your password is changed")
	_, third := session(b)
	b.Press(b.Get("/portal"), "Sign out").Wants(t, http.StatusOK, "You are signed out")
	seen := map[string]bool{planted: true}
	for _, old := range []string{first, second, third} {
		if seen[old] {
			t.Errorf("a session was kept")
		}
		seen[old] = true
		dead(t, s, "/portal/you", "postern_portal_session="+old)
	}
}

// dead wants that a cookie opens nothing.
func dead(t *testing.T, s *posterntest.Postern, path, cookie string) {
	t.Helper()
	page := posterntest.NewBrowser(t, s.URL).Do("GET", path, nil, http.Header{"Cookie": {cookie}})
	if !strings.HasSuffix(page.URL.Path, "/login") {
		t.Errorf("%s is open: %d %s", path, page.Status, page.URL)
	}
}

func TestLC22_ACopiedSessionEndsWithTheSignOut(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	name, value := session(b)
	b.Press(b.Get("/portal/team"), "Sign out")
	dead(t, s, "/portal/team", name+"="+value)
	s.Restart()
	dead(t, s, "/portal/team", name+"="+value)
}

func TestLC23_CookiesOfStaffAreOfOneDoorAndUnreadable(t *testing.T) {
	s := posterntest.New(t, posterntest.Set("public_url", "https://connect.test"))
	b := posterntest.NewBrowser(t, s.URL)
	page := b.Get("/portal/login")
	form := page.Forms()[0]
	form.Fields.Set("email", posterntest.Dev)
	form.Fields.Set("password", posterntest.Password)
	bound, _, _ := strings.Cut(page.Header.Get("Set-Cookie"), ";")
	r, err := http.NewRequest("POST", s.URL+"/portal/login", strings.NewReader(form.Fields.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	r.Header = http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Cookie": {bound}, "Sec-Fetch-Site": {"same-origin"}}
	answer, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	set := append(answer.Header.Values("Set-Cookie"), page.Header.Values("Set-Cookie")...)
	if len(set) != 3 {
		t.Fatalf("%d: the cookies are %q", answer.StatusCode, set)
	}
	for _, c := range set {
		if !strings.HasPrefix(c, "__Host-postern_") {
			t.Errorf("a neighbouring host could set it: %s", c)
		}
		for _, part := range []string{"; Path=/", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
			if !strings.Contains(c, part) {
				t.Errorf("%q lacks %q", c, part)
			}
		}
		if strings.Contains(c, "Domain") {
			t.Errorf("it goes to neighbours, too: %s", c)
		}
	}
}

func TestLC23_SessionsOfStaffEndOfIdlenessAndOfAge(t *testing.T) {
	s := posterntest.New(t)
	idle := s.Portal(posterntest.Dev)
	s.Clock.Advance(12*time.Hour + time.Second)
	if page := idle.Get("/portal/team"); page.URL.Path != "/portal/login" {
		t.Errorf("after 12 h without a request: %s", page.URL)
	}
	busy := s.Portal(posterntest.Dev)
	open := 0
	for range 16 {
		s.Clock.Advance(11 * time.Hour)
		if busy.Get("/portal/team").URL.Path == "/portal/team" {
			open++
		}
		s.Restart() // what was seen is written
	}
	if open != 15 { // 165 h of 168
		t.Errorf("the session was open %d times", open)
	}
}

func TestASessionOfOneDoorOpensNoOther(t *testing.T) {
	s := posterntest.New(t)
	s.Apply(`{operators: [{email: ` + posterntest.Dev + `, password: "another horse battery"}]}`)
	user := s.SignedIn(posterntest.Ada)
	portal, console := s.Portal(posterntest.Dev), s.Console(posterntest.Operator)
	_, ofUser := session(user)
	_, ofPortal := session(portal)
	_, ofConsole := session(console)
	for _, names := range []string{"postern_session", "postern_portal_session", "postern_operator_session"} {
		for owner, value := range map[string]string{"postern_session": ofUser, "postern_portal_session": ofPortal, "postern_operator_session": ofConsole} {
			for door, path := range map[string]string{"postern_session": "/connections", "postern_portal_session": "/portal/you", "postern_operator_session": "/operator/you"} {
				page := posterntest.NewBrowser(t, s.URL).Do("GET", path, nil, http.Header{"Cookie": {names + "=" + value}})
				opened := page.URL.Path == path
				if opened != (owner == names && names == door) {
					t.Errorf("the session of %s, sent as %s, at %s: %s", owner, names, path, page.URL)
				}
			}
		}
	}
	// One e-mail at both doors is two people, each with a password of their own.
	b := posterntest.NewBrowser(t, s.URL)
	b.SignIn(b.Get("/operator/login"), posterntest.Dev, posterntest.Password).Wants(t, http.StatusOK, "is not right")
	b.SignIn(b.Get("/portal/login"), posterntest.Ada, posterntest.Password).Wants(t, http.StatusOK, "is not right")
	b.SignIn(b.Get("/login"), posterntest.Dev, posterntest.Password).Wants(t, http.StatusOK, "is not right")
}

func TestLC03_PA06_FormsOfOtherSitesAndWithoutATokenDoNothing(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	team, _ := idsOf(t, s, posterntest.Dev) // of one that is not theirs no form is looked at
	known := func(fields url.Values) url.Values {
		form := b.Get("/portal/you").Forms()[1].Fields
		for k, v := range fields {
			form[k] = v
		}
		return form
	}
	for path, fields := range map[string]url.Values{
		"/portal/login":  {"email": {posterntest.Dev}, "password": {posterntest.Password}},
		"/portal/logout": {}, "/portal/you": {"password": {posterntest.Password}, "new_password": {"evil horse battery"}, "new_password_again": {"evil horse battery"}},
		"/portal/team/" + team + "/invite": {"email": {"eve@evil.test"}, "role": {"owner"}},
	} {
		for name, header := range map[string]http.Header{
			"from another site":  {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.test"}},
			"from a neighbour":   {"Sec-Fetch-Site": {"same-site"}, "Origin": {"https://evil.test"}},
			"from nowhere":       {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"null"}},
			"without form_token": {},
		} {
			sent := fields
			if name != "without form_token" {
				sent = known(fields)
			}
			b.Do("POST", path, sent, header).Wants(t, http.StatusForbidden)
		}
	}
	if page := b.Get("/portal/you"); page.URL.Path != "/portal/you" {
		t.Error("somebody signed us out")
	}
	s.Portal(posterntest.Dev) // with the password that it was
}

func TestPA11_OfManyWrongPasswordsAtOnceTheLimitIsEvaluated(t *testing.T) {
	engines.Each(t, guessesAreBounded)
}

func guessesAreBounded(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	known := s.Portal(posterntest.Dev) // a browser that the owner has used
	known.Press(known.Get("/portal"), "Sign out")
	var evaluated, throttled, busy atomic.Int32
	var all sync.WaitGroup
	for i := range 200 {
		all.Go(func() {
			b := posterntest.NewBrowser(t, s.URL)
			form := b.Get("/portal/login").Forms()[0].Fields
			form.Set("email", []string{"dev@partner.test", "DEV@partner.test", " dev@PARTNER.test", "ｄev@partner.test"}[i%4])
			form.Set("password", "wrong")
			switch page := b.Do("POST", "/portal/login", form, http.Header{"X-Forwarded-For": {"203.0.113." + string(rune('0'+i%10))}}); page.Status {
			case http.StatusOK:
				evaluated.Add(1)
			case http.StatusTooManyRequests:
				throttled.Add(1)
			case http.StatusServiceUnavailable:
				busy.Add(1)
			default:
				t.Errorf("%d: %s", page.Status, page.Text())
			}
		})
	}
	all.Wait()
	if n := evaluated.Load(); n > 10 || n == 0 || throttled.Load() == 0 {
		t.Errorf("%d were evaluated, %d refused, %d put off", n, throttled.Load(), busy.Load())
	}
	stranger := posterntest.NewBrowser(t, s.URL)
	stranger.SignIn(stranger.Get("/portal/login"), posterntest.Dev, posterntest.Password).Wants(t, http.StatusTooManyRequests, "too many attempts")
	// LC-17: the owner is not locked out, and the operator's door does not notice.
	if page := known.SignIn(known.Get("/portal/login"), posterntest.Dev, posterntest.Password); page.URL.Path != "/portal" {
		t.Errorf("the owner is locked out: %d %s", page.Status, page.Text())
	}
}

func TestAResetSetsThePasswordOnceAndEndsAllSessions(t *testing.T) {
	engines.Each(t, resetIsOnce)
}

func resetIsOnce(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	for _, c := range []struct {
		realm  postern.Realm
		prefix string
		email  string
		signIn func(string) *posterntest.Browser
	}{{postern.PartnerRealm, "/portal", posterntest.Dev, s.Portal}, {postern.OperatorRealm, "/operator", posterntest.Operator, s.Console}} {
		b := c.signIn(c.email)
		var secret postern.Secret
		s.Beside(func(ctx context.Context, rooms *server.Rooms) error {
			link, err := rooms.Identity.StartStaffReset(ctx, c.realm, strings.ToUpper(c.email), true)
			if err == nil {
				secret = link.Secret
			}
			return err
		})
		other := map[string]string{"/portal": "/operator", "/operator": "/portal"}[c.prefix]
		stranger := posterntest.NewBrowser(t, s.URL)
		stranger.Get(other+"/reset/"+string(secret)).Wants(t, http.StatusNotFound)
		path, word := c.prefix+"/reset/"+string(secret), "a new horse battery"
		page := stranger.Get(path).Wants(t, http.StatusOK, c.email)
		stranger.Press(page, "Set password", "new_password", "short", "new_password_again", "short").Wants(t, http.StatusOK, "too short")
		stranger.Press(page, "Set password", "new_password", word, "new_password_again", "other").Wants(t, http.StatusOK, "not the same")
		in := stranger.Press(page, "Set password", "new_password", word, "new_password_again", word).Wants(t, http.StatusOK, "Your new password is set")
		if page := b.Get(c.prefix + "/you"); page.URL.Path != c.prefix+"/login" {
			t.Errorf("the session is still open: %s", page.URL)
		}
		stranger.Get(path).Wants(t, http.StatusNotFound, "used or is too old")
		stranger.SignIn(in, c.email, posterntest.Password).Wants(t, http.StatusOK, "is not right")
		if page := stranger.SignIn(stranger.Get(c.prefix+"/login?to="+c.prefix+"/you"), c.email, word); page.URL.Path != c.prefix+"/you" {
			t.Errorf("the new password does not open: %s", page.Text())
		}
	}
}

func TestWhatAFileSaysOfStaffEndsTheirSessions(t *testing.T) {
	engines.Each(t, filesEndSessions)
}

func filesEndSessions(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	member, operator := s.Portal(posterntest.Coder), s.Console(posterntest.Operator)
	s.Apply(`{partners: [{name: Partner Inc, members: [{email: ` + posterntest.Coder + `, name: Cody}]}]}`)
	if page := member.Get("/portal/you"); page.URL.Path != "/portal/you" || !page.Has("Cody") {
		t.Errorf("a name ended the session: %s", page.Text())
	}
	s.Apply(`{partners: [{name: Partner Inc, members: [{email: ` + posterntest.Coder + `, password: "another horse battery"}]}],
		operators: [{email: ` + posterntest.Operator + `, disabled: true}]}`)
	s.Apply(`{operators: [{email: ` + posterntest.Operator + `, disabled: false}]}`)
	if page := member.Get("/portal/you"); page.URL.Path != "/portal/login" {
		t.Error("another password left the session open")
	}
	if page := operator.Get("/operator/you"); page.URL.Path != "/operator/login" {
		t.Error("to be switched off left the session open")
	}
}

// Who was signed out meanwhile and sends a form comes back to the page that it
// stands on, for what was posted is not posted again.
func TestAFormSentTooLateLeadsBackToItsPage(t *testing.T) {
	s := posterntest.New(t)
	app := "/portal/apps/" + posterntest.Standard.ID
	for path, want := range map[string]string{
		app + "/webhooks/test": app + "/webhooks", app + "/keys": app + "/keys", app + "/keys/webhook": app + "/keys", app + "/keys/set": app + "/keys",
		app + "/logo": app, app + "/sandbox/accounts": app + "/sandbox", app + "/webhooks/msg_1/again": app + "/webhooks/msg_1", "/portal/you?a=b": "/portal/you",
		"/portal/partners/par_1/apps/preview": "/portal", "/operator/partners/par_1/invite": "/operator/partners/par_1", "/operator/partners": "/operator/partners",
	} {
		page := posterntest.NewBrowser(t, s.URL).Post(path, url.Values{})
		if to := page.URL.Query().Get("to"); !strings.HasSuffix(page.URL.Path, "/login") || to != want {
			t.Errorf("%s leads to %s, and back to %q", path, page.URL, to)
		}
	}
}
