package dev

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"postern.dev/postern/internal/markup"
)

// A partner's developer signs in at the portal and walks through a connection
// of each app, which speaks a dialect of its own each: from the Connect link to
// a token that is dead.
func TestTryItWalksThroughEveryDialect(t *testing.T) {
	d := running(t, t.TempDir(), false)
	b := signedInAtThePortal(t, d)
	for _, name := range d.partner.order {
		app := d.partner.apps[name]
		p := b.click(t, b.get(t, d.at.public+"/portal/apps/"+app.ClientID+"/try"), "Begin")
		for range 10 {
			if len(stepsIn(p, "Take this step")) == 0 {
				break
			}
			var err error
			if p.Page, err = b.Press(t.Context(), p.Page, "Take this step", map[string]string{"password": app.ClientSecret}); err != nil {
				t.Fatal(err)
			}
		}
		said := markup.Text(p.Doc)
		if p.Status != http.StatusOK || !strings.Contains(said, "The connection was made") || strings.Contains(said, "was refused") {
			t.Errorf("%s: status %d, and the walk says: %s", name, p.Status, said)
			continue
		}
		if app.Revoke(map[string]string{"access_token": "x", "refresh_token": "x", "account.id": "x"}) != nil && !strings.Contains(said, "401 Unauthorized") {
			t.Errorf("%s: the last call does not show that the token is dead: %s", name, said)
		}
		if strings.Contains(said, app.ClientSecret) || strings.Contains(said, url.QueryEscape(app.ClientSecret)) {
			t.Errorf("%s: the walk shows the app's secret", name)
		}
	}
}

// A wrong secret is refused as on the wire, and the step can be taken again.
func TestAStepThatIsRefusedCanBeTakenAgain(t *testing.T) {
	d := running(t, t.TempDir(), false)
	b := signedInAtThePortal(t, d)
	p := b.click(t, b.get(t, d.at.public+"/portal/apps/demo-xeebo/try"), "Begin")
	p = b.click(t, p, "Take this step")
	take := func(secret string) {
		t.Helper()
		var err error
		if p.Page, err = b.Press(t.Context(), p.Page, "Take this step", map[string]string{"password": secret}); err != nil {
			t.Fatal(err)
		}
	}
	take("not the secret at all")
	p.wants(t, http.StatusOK, "This step was refused", "Next: Exchange the code")
	leads := false
	for a := range markup.Elements(p.Doc, "a") {
		leads = leads || strings.Contains(markup.Attribute(a, "href"), "/log?request=req_")
	}
	if !leads {
		t.Error("the step does not lead to its own request in the log")
	}
	take(d.partner.apps["xeebo"].ClientSecret)
	p.wants(t, http.StatusOK, "Next: Call the API")
}

func signedInAtThePortal(t *testing.T, d *demo) visiting {
	t.Helper()
	b := visitor(t)
	p := b.get(t, d.at.public+"/portal")
	var err error
	if p.Page, err = b.SignIn(t.Context(), p.Page, "dev@partner.test", password); err != nil {
		t.Fatal(err)
	}
	p.wants(t, http.StatusOK, "Apps", partnerName)
	return b
}

// stepsIn are the forms that have a button.
func stepsIn(p reading, button string) (forms []string) {
	for n := range markup.Elements(p.Doc, "button") {
		if markup.Text(n) == button {
			forms = append(forms, button)
		}
	}
	return forms
}
