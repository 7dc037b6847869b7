package dev

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"postern.dev/postern"
	"postern.dev/postern/internal/config"
	"postern.dev/postern/internal/identity"
	"postern.dev/postern/internal/posterntest/needs"
	"postern.dev/postern/internal/posterntest/pg"
	"postern.dev/postern/internal/server"
)

// newcomer is a developer who has never seen the API, at a real browser. What
// they do is counted.
type newcomer struct {
	*testing.T
	ctx    context.Context
	clicks int
}

type does = chromedp.Action[chromedp.Void]

func (n *newcomer) do(steps ...does) {
	n.Helper()
	if err := chromedp.Do(n.ctx, steps...); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(n.ctx), 5*time.Second)
		defer cancel()
		at, _ := chromedp.Run(ctx, chromedp.Location())
		said, _ := chromedp.Run(ctx, chromedp.Text(chromedp.CSS("main")))
		n.Fatalf("%v\nat %s, which says:\n%s", err, at, said)
	}
}

// click presses what a person would press, and waits for what comes of it.
func (n *newcomer) click(what, then string) {
	n.Helper()
	n.clicks++
	n.do(chromedp.Click(chromedp.CSS(what)), chromedp.WaitVisible(chromedp.CSS(then)))
}

func (n *newcomer) types(field, text string) does {
	return chromedp.SendKeys(chromedp.CSS(field), text)
}

func (n *newcomer) reads(what string) string {
	n.Helper()
	text, err := chromedp.Run(n.ctx, chromedp.Text(chromedp.CSS(what)))
	if err != nil {
		n.Fatal(err)
	}
	return strings.TrimSpace(text)
}

// From an invitation's link to the first 200 from the API, in every dialect:
// the newcomer sets a password, registers an app, makes its secret, and tries it.
// What PostgreSQL may do otherwise is the same in every dialect, so two are enough
// there: one of accounts and one of persons.
func TestANewcomerMakesTheFirstCallInEveryDialect(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { firstCalls(t, "") })
	t.Run("postgres", func(t *testing.T) { firstCalls(t, "database: "+pg.URL(t)+"\nsecret_key: "+testKey, "xref", "standard") })
}

// testKey is a key for tests alone: PostgreSQL's nodes share one.
const testKey = "dGVzdHMgYWxsIHVzZSB0aGUgc2FtZSBzZWNyZXQga2U="

// firstCalls makes one in each of these dialects; none: in all.
func firstCalls(t *testing.T, database string, dialects ...string) {
	d := runningOn(t, database, Options{Dir: t.TempDir()})
	n := &newcomer{T: t, ctx: chromiumFor(t)}
	began := time.Now()
	n.do(chromedp.Navigate(invitation(t, d)), chromedp.WaitVisible(chromedp.CSS(`input[name=new_password]`)),
		n.types(`input[name=name]`, "Nia New"), n.types(`input[name=new_password]`, "a path through the hedge"),
		n.types(`input[name=new_password_again]`, "a path through the hedge"))
	n.click(`main button.primary`, `main a[href$="/apps/new"]`)
	arrived, came := time.Since(began), n.clicks
	if len(dialects) == 0 {
		dialects = d.partner.order
	}
	for _, name := range dialects {
		began, n.clicks = time.Now(), 0
		n.do(chromedp.Navigate(d.at.public+"/portal"), chromedp.WaitVisible(chromedp.CSS(`main a[href$="/apps/new"]`)))
		n.firstCall(d, name)
		t.Logf("%s: %d clicks and %.1f s, after %d and %.1f s to come in", name, n.clicks, time.Since(began).Seconds(), came, arrived.Seconds())
	}
}

// firstCall goes from the list of apps to a call that the API serves.
func (n *newcomer) firstCall(d *demo, name string) {
	n.Helper()
	n.click(`main a[href$="/apps/new"]`, `#app-form`)
	n.do(n.types(`#name`, "Newcomer "+name), n.types(`#description`, "Reads what there is."), n.types(`#url`, "https://newcomer.test"),
		n.types(`#redirect_urls`, "https://newcomer.test/callback"), n.types(`#webhook_url`, "https://newcomer.test/hook"))
	n.do(n.types(`#logo_url`, "https://newcomer.test/logo.png"))
	n.clicks++
	n.do(chromedp.Click(chromedp.CSS(`input[name=dialect][value=` + name + `]`)))
	if n.has(`input[name=scope][value="candidates.read"]`) {
		n.clicks++
		n.do(chromedp.Click(chromedp.CSS(`input[name=scope][value="candidates.read"]`)))
	}
	n.click(`#app-form button.primary`, `nav.app-tabs a[href$="/keys"]`)
	n.click(`nav.app-tabs a[href$="/keys"]`, `form.card.apart button.primary`)
	n.click(`form.card.apart button.primary`, `.secret code`)
	secret := strings.TrimSpace(n.reads(`.secret code`))
	n.click(`nav.app-tabs a[href$="/try"]`, `form.next button.primary`)
	n.click(`form.next button.primary`, `.walk > li:nth-child(1)`)
	n.click(`form.next button.primary`, `#client_secret`)
	n.do(n.types(`#client_secret`, secret))
	n.click(`form.next button.primary`, `.walk > li:nth-child(3)`)
	n.click(`form.next button.primary, form.card.next button`, `.walk > li:nth-child(4)`)
	if status := n.reads(`.walk > li:nth-child(4) .status`); status != "200" {
		n.Errorf("%s: the first call is answered %s: %s", name, status, n.reads(`.walk > li:nth-child(4)`))
	}
}

func (n *newcomer) has(what string) bool {
	n.Helper()
	found, err := chromedp.Run(n.ctx, chromedp.Evaluate[bool](`document.querySelector('`+what+`') !== null`))
	if err != nil {
		n.Fatal(err)
	}
	return found
}

// invitation is a link as the terminal makes it.
func invitation(t *testing.T, d *demo) string {
	t.Helper()
	cfg, _, err := config.Load(config.Sources{File: filepath.Join(d.dir, configFile)})
	if err != nil {
		t.Fatal(err)
	}
	rooms, err := server.Build(t.Context(), cfg, server.Outside{})
	if err != nil {
		t.Fatal(err)
	}
	defer rooms.Close()
	partner, _, err := rooms.Identity.InvitePartner(t.Context(), "Newcomer Inc")
	if err != nil {
		t.Fatal(err)
	}
	link, err := rooms.Identity.Invite(t.Context(), identity.Invite{Partner: *partner, Email: "nia@newcomer.test", Role: postern.Owner, ByHand: true})
	if err != nil {
		t.Fatal(err)
	}
	return d.at.public + identity.InvitePath + string(link.Secret)
}

// chromiumFor is a browser with a window of its own.
func chromiumFor(t *testing.T) context.Context {
	t.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(needs.Program(t, "apt-get install chromium", "chromium", "chromium-browser", "google-chrome")),
		chromedp.DisableGPU, chromedp.Flag("disable-quic", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(tab, 4*time.Minute)
	t.Cleanup(cancel)
	return ctx
}
