package portal_test

import (
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
)

// An API may answer with megabytes. The walk goes on: what it brings along from
// step to step fits into its form.
func TestTryItGoesOnAfterALongAnswer(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte(strings.Repeat("<é>", 1<<20)))
	}))
	defer api.Close()
	s := posterntest.New(t, posterntest.Set("portal", map[string]any{"sample_call": api.URL}))
	b := s.Portal(posterntest.Dev)
	app := posterntest.Standard
	page := b.Get("/portal/apps/" + app.ID + "/try")
	page = b.Press(page, "Begin").Wants(t, http.StatusOK)
	for range 6 { // to the end, with two calls of the API
		page = b.Press(page, "Take this step", "client_secret", app.Secret).Wants(t, http.StatusOK)
	}
	page.Wants(t, http.StatusOK, "the token is dead")
}

// Whoever begins with a name alone is told what comes first, and led there.
func TestWhatMustBeThereBeforeTheFirstCallIsSaid(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	app := b.Press(b.Get(newApp(t, b)), "Create app", "name", "Night Sync").Wants(t, http.StatusOK, "The app is registered").URL.Path
	for _, page := range []string{"/try", "/start"} {
		p := b.Get(app+page).Wants(t, http.StatusOK, "2 steps to go", "Say where people return to", "Choose what the app may ask for")
		if linkOf(p, app+"/settings#redirect_urls") == "" || p.Has("Begin") {
			t.Errorf("%s does not lead to the settings: %s", page, p.Text())
		}
	}
	b.Press(b.Get(app+"/settings"), "Save", "redirect_urls", "https://partner.test/cb", "scope", "candidates.read", "reason:candidates.read", "To show them").Wants(t, http.StatusOK, "Saved")
	for _, page := range []string{"/try", "/start"} {
		if p := b.Get(app + page); p.Has("to go") {
			t.Errorf("%s: %s", page, p.Text())
		}
	}
}

// A step that is sent twice, as by the browser's way back, is no fault of ours.
func TestAQuestionThatWasAnsweredIsNotAnsweredTwice(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	asked := b.Press(b.Get("/portal/apps/"+posterntest.Standard.ID+"/try"), "Begin").Wants(t, http.StatusOK)
	b.Press(asked, "Take this step").Wants(t, http.StatusOK)
	b.Press(asked, "Take this step").Wants(t, http.StatusBadRequest, "The question is not open any more")
}

// The walk is the person's, as its form is: a sign-in in another window, which ends
// the session, takes nothing from it. Another person at this browser cannot go on.
func TestAWalkGoesOnAfterAnotherSignIn(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	asked := b.Press(b.Get("/portal/apps/"+posterntest.Standard.ID+"/try"), "Begin").Wants(t, http.StatusOK)
	signIn := func(email string) {
		b.Press(b.Get("/portal/logout"), "Sign out")
		b.SignIn(b.Get("/portal/login"), email, posterntest.Password).Wants(t, http.StatusOK)
	}
	signIn(posterntest.Coder)
	b.Press(asked, "Take this step").Wants(t, http.StatusForbidden)
	signIn(posterntest.Dev)
	b.Press(asked, "Take this step").Wants(t, http.StatusOK, "Exchange the code")
}

// What was done in the sandbox and what was done for customers are told apart.
func TestTheRequestLogMarksTheSandbox(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		s := posterntest.New(t, posterntest.On(database))
		b := s.Portal(posterntest.Dev)
		app := posterntest.Standard
		s.Redeem(app, s.Approve(app, posterntest.Ada)).OK()
		log := flushed(s, app) + "/log?outcome=granted&endpoint=token"
		if p := b.Get(log).Wants(t, http.StatusOK, "Acme"); p.Has("Acme sandbox") {
			t.Errorf("a customer's account is marked: %s", p.Text())
		}
		page := b.Press(b.Get("/portal/apps/"+app.ID+"/try"), "Begin")
		for range 2 {
			page = b.Press(page, "Take this step", "client_secret", app.Secret).Wants(t, http.StatusOK)
		}
		flushed(s, app)
		marked := regexp.MustCompile(`200 granted Sandbox \w+ sandbox`)
		if p := b.Get(log); !marked.MatchString(p.Text()) {
			t.Errorf("the sandbox is not marked: %s", p.Text())
		}
	})
}
