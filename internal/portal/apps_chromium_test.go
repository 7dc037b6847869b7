package portal_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"postern.dev/postern/internal/posterntest"
)

// signIn signs in at a door of staff.
func (b *tab) signIn(prefix, email string) {
	b.Helper()
	b.do(
		chromedp.Navigate(b.s.URL+prefix+"/login"), chromedp.WaitVisible(chromedp.CSS(`input[type=password]`)),
		chromedp.SendKeys(chromedp.CSS(`input[type=email]`), email),
		chromedp.SendKeys(chromedp.CSS(`input[type=password]`), posterntest.Password),
		chromedp.Click(chromedp.CSS(`main button.primary`)), chromedp.WaitVisible(chromedp.CSS(`nav form button`)),
	)
}

// says waits until a part of the page says something.
func (b *tab) says(part, words string) {
	b.Helper()
	b.do(chromedp.Poll[chromedp.Void](`document.querySelector(` + quoted(part) + `)?.innerText.includes(` + quoted(words) + `)`))
}

func quoted(text string) string { return `"` + strings.ReplaceAll(text, `"`, `\"`) + `"` }

func TestANewcomersAppFromItsDescriptionToItsApprovalOnAPhone(t *testing.T) {
	s := posterntest.New(t, posterntest.Set("apps", "review"))
	b := chromium(t, s, 375)
	scripted := func(on bool) step {
		return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error { return scripts(ctx, on) })
	}
	b.signIn("/portal", posterntest.Coder)
	b.do(scripted(true), chromedp.Click(chromedp.CSS(`main a.button`)), chromedp.WaitVisible(chromedp.CSS(`#preview .card`)))

	// The consent page follows the typing.
	b.do(
		chromedp.SendKeys(chromedp.CSS(`#name`), "Night <i>Sync</i>"),
		chromedp.SendKeys(chromedp.CSS(`#url`), "https://partner.test"),
		chromedp.SendKeys(chromedp.CSS(`#redirect_urls`), "https://app.partner.test/cb"),
		chromedp.Click(chromedp.CSS(`input[name=scope][value="candidates.read"]`)),
		chromedp.SendKeys(chromedp.CSS(`input[name="reason:candidates.read"]`), "To show them at night"),
	)
	b.says("#preview", "Let Night <i>Sync</i> act for you?")
	b.says("#preview", "app.partner.test")
	b.says("#preview", "See your candidates")
	// A mistake is told beside its field, keeps what was typed, and is no error to
	// the browser's console.
	b.do(
		chromedp.SendKeys(chromedp.CSS(`#redirect_urls`), "#x"), chromedp.Click(chromedp.CSS(`#app-form button.primary`)),
		chromedp.WaitVisible(chromedp.CSS(`#redirect_urls[aria-invalid]`)), b.fits(), scripted(true),
		chromedp.SetValue(chromedp.CSS(`#redirect_urls`), "https://app.partner.test/cb"),
	)
	b.do(b.fits(), scripted(true), chromedp.Click(chromedp.CSS(`#app-form button.primary`)), chromedp.WaitVisible(chromedp.CSS(`.steps`)))
	path, text := b.at()
	app := strings.TrimSuffix(path, "?done=created")
	if !strings.HasPrefix(app, "/portal/apps/app_") || !strings.Contains(text, "waits for approval") {
		t.Fatalf("at %s: %s", path, text)
	}
	b.do(b.fits())

	// Keys are shown once, and copied by a button where the browser lets it.
	b.do(scripted(true), chromedp.Navigate(s.URL+app+"/keys"), chromedp.WaitVisible(chromedp.CSS(`#name`)), chromedp.Click(chromedp.CSS(`main form.card button.primary`)),
		chromedp.WaitVisible(chromedp.CSS(`.secret .copy`)))
	secret := func() string {
		b.Helper()
		shown, err := chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS(`.secret code`)))
		if err != nil {
			b.Fatal(err)
		}
		return shown
	}
	first := secret()
	b.do(b.fits(), scripted(true), chromedp.Navigate(s.URL+app+"/keys"), chromedp.WaitVisible(chromedp.CSS(`#name`)))
	if _, text := b.at(); strings.Contains(text, first) || !strings.Contains(text, "…"+first[len(first)-4:]) {
		t.Errorf("the keys' page says %s", text)
	}
	s.Clock.Advance(time.Hour) // the password is asked for once more, and the form goes on
	b.do(
		chromedp.SendKeys(chromedp.CSS(`#name`), "At night"), // only the first has a name before it is given one
		chromedp.Click(chromedp.CSS(`main form.card button.primary`)), chromedp.WaitVisible(chromedp.CSS(`input[name=held] ~ * input[type=password]`)), b.fits(),
		chromedp.SendKeys(chromedp.CSS(`input[type=password]`), posterntest.Password), chromedp.Click(chromedp.CSS(`main button.primary`)),
		chromedp.WaitVisible(chromedp.CSS(`.secret`)), b.fits(),
	)
	second := secret()
	client := posterntest.App{ID: strings.TrimPrefix(app, "/portal/apps/"), RedirectURL: "https://app.partner.test/cb", Dialect: "standard"}
	for _, one := range []string{first, second} {
		client.Secret = one
		if word := s.Redeem(client, strings.Repeat("a", 64)).Field("error"); word != "invalid_grant" { // the secret is right, the code is not
			t.Errorf("during the overlap a secret is answered %s", word)
		}
	}

	// The operator reads why, sees what people will see, and approves.
	b.signIn("/operator", posterntest.Operator)
	b.do(b.fits(), scripted(true), chromedp.Click(chromedp.CSS(`.rows a`)), chromedp.WaitVisible(chromedp.CSS(`#preview .card`)))
	if _, text := b.at(); !strings.Contains(text, "To show them at night") || !strings.Contains(text, "Night <i>Sync</i>") {
		t.Errorf("the operator reads %s", text)
	}
	b.do(b.fits(), scripted(true), chromedp.Click(chromedp.CSS(`button[value=approve]`)), chromedp.WaitVisible(chromedp.CSS(`.note.good`)), b.fits())
	consent := s.SignedIn(posterntest.Ada).Get(s.AuthorizeURL(client, "scope", "candidates.read"))
	consent.Wants(t, 200, "Let Night <i>Sync</i> act for you?")
}
