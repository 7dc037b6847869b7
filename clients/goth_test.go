package clients

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/markbates/goth/providers/intercom"

	"postern.dev/postern/internal/posterntest"
)

// runGoth plays a site that signs people in with goth's provider for Intercom.
// It knows the addresses by heart and asks the process's usual transport, which
// here knows where they lead.
func runGoth(t *testing.T, s *posterntest.Postern, c client, did func(string)) {
	h := newHosts(t, s, "app.intercom.io", "api.intercom.io")
	usual := http.DefaultTransport
	http.DefaultTransport = h.transport
	t.Cleanup(func() { http.DefaultTransport = usual })
	people := newPeople(s, h)

	provider := intercom.New(c.app.ID, c.app.Secret, c.app.RedirectURL)
	session, err := provider.BeginAuth("the state")
	if err != nil {
		t.Fatal(err)
	}
	address, err := session.GetAuthURL()
	if err != nil {
		t.Fatal(err)
	}
	denies := people.at(address, posterntest.Alan)
	if got := denies.Deny(denies.Ask(address)).Query; got.Get("error") != "access_denied" || got.Get("state") != "the state" {
		t.Errorf("a denial came back with %v", got)
	}
	did("a denial")

	back := people.at(address, posterntest.Ada).AllowAt(address).Query
	if back.Get("state") != "the state" {
		t.Errorf("the state came back as %q", back.Get("state"))
	}
	code := url.Values{"code": {back.Get("code")}}
	if _, err := session.Authorize(intercom.New(c.app.ID, "wrong", c.app.RedirectURL), code); err == nil {
		t.Error("a wrong secret gave a token")
	}
	did("a wrong secret")

	if _, err := session.Authorize(provider, code); err != nil {
		t.Fatal(err)
	}
	did("code with the secret in the query")

	user, err := provider.FetchUser(session)
	if err != nil {
		t.Fatal(err)
	}
	if user.Email != posterntest.Ada || user.UserID == "" || user.AccessToken == "" {
		t.Errorf("the test call told of %q, %q", user.Email, user.UserID)
	}
	did("the test call, with the token as Basic user")
}
