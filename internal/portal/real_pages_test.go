package portal_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/needs"
)

// axe is Deque's checker of pages for people with disabilities; serious writes
// what shuts somebody out.
const (
	axe     = "../../clients/node_modules/axe-core/axe.min.js"
	serious = `axe.run(document, {preload: false, resultTypes: ["violations"], rules: {"target-size": {enabled: true}}}).then(r => r.violations
  .filter(v => v.impact === "serious" || v.impact === "critical")
  .map(v => v.id + ": " + v.help + "\n" + v.nodes.map(n => "  " + n.html + "\n  " + n.failureSummary).join("\n")).join("\n"))`
)

// The samples of internal/ui have a little of everything; these pages have what
// life puts on them: a whole guide, requests that failed, keys of both kinds, a
// change that waits, deliveries that failed.
func TestPagesWithRealContentAreForEverybody(t *testing.T) {
	script, err := os.ReadFile(axe)
	if err != nil {
		needs.Lacking(t, "axe-core is not installed: cd clients && npm ci --ignore-scripts")
	}
	s := posterntest.New(t, posterntest.Set("apps", map[string]any{"review": "review", "client_credentials": true}))
	app, waiting := lived(t, s)
	b := chromium(t, s, 1280)
	b.signIn("/portal", posterntest.Dev)
	b.signIn("/operator", posterntest.Operator)
	for _, path := range []string{
		app, app + "/settings", app + "/keys", app + "/start", app + "/log", app + "/connections", app + "/webhooks", app + "/sandbox",
		"/portal/docs/dialects/xref", "/portal/docs/reference", "/portal/docs?q=token",
		"/operator", strings.Replace(app, "/portal", "/operator", 1), waiting, "/operator/audit", "/operator/partners",
	} {
		b.do(chromedp.Navigate(s.URL+path), chromedp.WaitVisible(chromedp.CSS(`main`)))
		for _, scheme := range []string{"light", "dark"} {
			b.do(prefers(scheme), b.scripted(true))
			found, err := chromedp.Run(b.ctx, chromedp.Evaluate[string](string(script)+"\n"+serious, chromedp.EvalAwaitPromise))
			if err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			if found != "" {
				t.Errorf("%s, %s:\n%s", path, scheme, found)
			}
		}
		b.do(b.scripted(false), chromedp.EmulateViewport(375, 900), b.fits(), chromedp.EmulateViewport(1280, 900))
	}
}

// lived is a Postern in which things happened. It gives the path of an app, and
// that of one that waits for the operator.
func lived(t *testing.T, s *posterntest.Postern) (app, waiting string) {
	t.Helper()
	std := posterntest.Standard
	s.Apply(`partners: [{name: Partner Inc, apps: [{name: Standard Partner, client_id: standard-app, webhook_url: "http://127.0.0.1:9/nobody"}]}]`)
	got := s.Redeem(std, s.Approve(std, posterntest.Ada)).OK()
	s.Refresh(std, got.Field("refresh_token")).OK()
	s.Redeem(std, "no-such-code")
	s.Send(posterntest.PostForm("/oauth/token", "grant_type", "refresh_token", "refresh_token", "x").Authorized(posterntest.Basic(std.ID, "wrong")))
	app = flushed(s, std)

	b := s.Portal(posterntest.Dev)
	b.Press(b.Get(app+"/sandbox"), "Make a sandbox account").Wants(t, 200, "The account is there")
	b.Press(b.Get(app+"/keys"), "Make the secret", "name", "next", "overlap", "24h").Wants(t, 200)
	b.Press(b.Get(app+"/keys"), "Register keys", "jwks", keySet(newKey(t, "2026-1"))).Wants(t, 200)
	b.Press(b.Get(app+"/webhooks"), "Send a test event").Wants(t, 200)
	until(t, func() *posterntest.Page { return b.Get(app + "/webhooks") }, "It has been failing")
	b.Press(b.Get(app+"/settings"), "Save", "name", "Renamed Partner", "for_itself", "true",
		"reason:candidates.read", "To show them", "reason:candidates.write", "To keep them", "reason:jobs.read", "To name them").Wants(t, 200, "Handed in")
	return app, strings.Replace(made(t, s, b, "Night Sync"), "/portal", "/operator", 1)
}

// scripted switches JavaScript on and off.
func (b *tab) scripted(on bool) step {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error { return scripts(ctx, on) })
}

// prefers makes the browser prefer light or dark.
func prefers(scheme string) step {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}
