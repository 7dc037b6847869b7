package web_test

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/posterntest/needs"
)

// visit is a person with a real browser before a real Postern.
type visit struct {
	*testing.T
	ctx     context.Context
	postern *posterntest.Postern
	partner *posterntest.Partner

	mu      sync.Mutex
	strange []string // console errors, and requests to anywhere else
}

// chromium starts a browser of this width, without JavaScript: no page needs it.
func chromium(t *testing.T, s *posterntest.Postern, width int64) *visit {
	t.Helper()
	program := needs.Program(t, "apt-get install chromium", "chromium", "chromium-browser", "google-chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.DisableGPU, chromedp.Flag("disable-quic", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	tab, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(tab, 90*time.Second)
	t.Cleanup(cancel)
	v := &visit{T: t, ctx: ctx, postern: s, partner: posterntest.NewPartner(t)}
	if err := chromedp.Listen(ctx, v.watch); err != nil {
		t.Fatal(err)
	}
	v.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		if err == nil {
			_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
		}
		return errors.Join(err, scripts(ctx, false))
	}), chromedp.EmulateViewport(width, 900))
	t.Cleanup(func() {
		v.mu.Lock()
		defer v.mu.Unlock()
		for _, s := range v.strange {
			t.Error(s)
		}
	})
	return v
}

func (v *visit) watch(event any) {
	v.mu.Lock()
	defer v.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			v.strange = append(v.strange, "the console says: "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *runtime.EventExceptionThrown:
		v.strange = append(v.strange, "a script failed: "+e.ExceptionDetails.Text)
	case *network.EventRequestWillBeSent:
		u := e.Request.URL
		if !strings.HasPrefix(u, v.postern.URL) && !strings.HasPrefix(u, v.partner.URL("/")) && !strings.HasPrefix(u, "data:") {
			v.strange = append(v.strange, "a request went elsewhere: "+u)
		}
	}
}

// scripts switches JavaScript on and off.
func scripts(ctx context.Context, on bool) error {
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
	return err
}

type step = chromedp.Action[chromedp.Void]

func (v *visit) do(steps ...step) {
	v.Helper()
	if err := chromedp.Do(v.ctx, steps...); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(v.ctx), 5*time.Second)
		defer cancel()
		at, _ := chromedp.Run(ctx, chromedp.Location())
		v.Fatalf("%v\nat %s", err, at)
	}
}

// text is what the page says.
func (v *visit) text() string {
	v.Helper()
	text, err := chromedp.Run(v.ctx, chromedp.Text(chromedp.CSS("main")))
	if err != nil {
		v.Fatal(err)
	}
	return text
}

// register makes an app whose redirect URL is this test's partner.
func (v *visit) register(id, dialect, more string) string {
	v.Helper()
	v.postern.Apply(fmt.Sprintf(`{partners: [{name: Browser Partner, apps: [{name: "App %s", description: "Works on your candidates.", url: "https://browser.test",
		client_id: %s, client_secret: browser-secret-0123456789, dialect: %s, redirect_urls: ["%s"]%s}]}]}`,
		id, id, dialect, v.partner.URL("/cb"), more))
	switch dialect {
	case "xref":
		return v.postern.URL + "/oauth/open-api/" + id + "?state=S1"
	case "xeebo":
		return v.postern.URL + "/xeebo/oauth/authorize?response_type=code&state=S1&scope=candidates.read&client_id=" + id
	}
	return v.postern.URL + "/oauth/authorize?response_type=code&state=S1&scope=candidates.read&client_id=" + id + "&redirect_uri=" + url.QueryEscape(v.partner.URL("/cb"))
}

func signIn(email string) step {
	return chromedp.Steps(
		chromedp.WaitVisible(chromedp.CSS(`input[type=password]`)),
		chromedp.SendKeys(chromedp.CSS(`input[type=email]`), email),
		chromedp.SendKeys(chromedp.CSS(`input[type=password]`), posterntest.Password),
		chromedp.Click(chromedp.CSS(`form button[type=submit]`)),
	)
}

const (
	allow chromedp.CSS = `button[name=decision][value=allow]`
	deny  chromedp.CSS = `button[name=decision][value=deny]`
)

// arrived waits until the partner was called back and the browser shows its
// answer, and gives what it was told.
func (v *visit) arrived(n int) url.Values {
	v.Helper()
	all := v.partner.Wait("/cb", n, 20*time.Second)
	for at := ""; !strings.HasPrefix(at, v.partner.URL("/cb")); { // else the next way would break this one off
		var err error
		if at, err = chromedp.Run(v.ctx, chromedp.Location()); err != nil {
			v.Fatal(err)
		}
	}
	q, err := url.ParseQuery(all[n-1].Query)
	if err != nil {
		v.Fatal(err)
	}
	return q
}

// fits fails where the page is wider than the window.
func (v *visit) fits(page string) step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if err := scripts(ctx, true); err != nil {
			return err
		}
		wide, err := chromedp.Evaluate[int](`document.documentElement.scrollWidth - window.innerWidth`)(ctx, t)
		if err == nil && wide > 0 {
			v.Errorf("%s is %d px wider than the window", page, wide)
		}
		return errors.Join(err, scripts(ctx, false))
	})
}

func TestAPersonConnectsAndDisconnectsInARealBrowser(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		for _, width := range []int64{375, 1280} {
			t.Run(fmt.Sprint(width), func(t *testing.T) {
				s := posterntest.New(t, posterntest.On(database))
				v := chromium(t, s, width)
				link := v.register("wide", "xref", "")
				v.do(chromedp.Navigate(link), v.fits("sign-in"), signIn(posterntest.Ada),
					chromedp.WaitVisible(allow), v.fits("consent"))
				page := v.text()
				for _, words := range []string{"App wide", "Browser Partner", "Works on your candidates.", "Acme", strings.TrimPrefix(v.partner.URL(""), "http://")} {
					if !strings.Contains(page, words) {
						t.Errorf("the consent page does not say %q:\n%s", words, page)
					}
				}
				v.do(chromedp.Click(allow))
				if q := v.arrived(1); q.Get("state") != "S1" || q.Get("code") == "" {
					t.Fatalf("the partner was told %v", q)
				}
				app := posterntest.App{ID: "wide", Secret: "browser-secret-0123456789", Name: "App wide", RedirectURL: v.partner.URL("/cb"), Dialect: "xref"}
				token := s.Redeem(app, v.arrived(1).Get("code")).OK().Field("access_token")

				v.do(chromedp.Navigate(link), chromedp.WaitVisible(allow)) // signed in: straight to the question
				if page := v.text(); !strings.Contains(page, "Already connected since") {
					t.Errorf("the consent page does not tell of the connection:\n%s", page)
				}
				v.do(chromedp.Navigate(s.URL+"/connections"), chromedp.WaitVisible(chromedp.CSS(`article`)), v.fits("connections"),
					chromedp.Click(chromedp.Search(`//article[contains(., "App wide")]//button[contains(., "Disconnect")]`)),
					chromedp.WaitVisible(chromedp.CSS(`[role=status]`)))
				if s.Alive(token) {
					t.Error("the token lives after Disconnect")
				}
				v.do(chromedp.Click(chromedp.Search(`//button[contains(., "Sign out")]`)), chromedp.WaitVisible(chromedp.Search(`//h1[contains(., "signed out")]`)), v.fits("sign-out"))
			})
		}
	})
}

func TestDenyGrantsNothingAndBackCannotChangeIt(t *testing.T) {
	s := posterntest.New(t)
	v := chromium(t, s, 1280)
	link := v.register("denied", "xeebo", ", scopes: [candidates.read]")
	v.do(chromedp.Navigate(link), signIn(posterntest.Ada), chromedp.WaitVisible(allow))
	question, err := chromedp.Run(v.ctx, chromedp.Location())
	if err != nil {
		t.Fatal(err)
	}
	v.do(chromedp.Click(deny))
	if q := v.arrived(1); q.Get("error") != "access_denied" || q.Get("state") != "S1" || q.Get("code") != "" {
		t.Fatalf("the partner was told %v", q)
	}
	v.do(chromedp.Navigate(question), chromedp.WaitVisible(chromedp.CSS(`main`)))
	page := v.text()
	if strings.Contains(page, "Allow leads to") || !strings.Contains(strings.ToLower(page), "answered") {
		t.Fatalf("the question can be answered again:\n%s", page)
	}
	v.mu.Lock()
	v.strange = nil // the console tells of the page's status
	v.mu.Unlock()
}

func TestWhoHasSeveralAccountsChoosesOne(t *testing.T) {
	s := posterntest.New(t)
	v := chromium(t, s, 375)
	link := v.register("choice", "xref", "")
	v.do(chromedp.Navigate(link), signIn(posterntest.Both), chromedp.WaitVisible(chromedp.CSS(`input[type=radio][name=account]`)), v.fits("account choice"),
		chromedp.Click(chromedp.Search(`//label[contains(., "Globex")]`)), chromedp.Click(allow))
	app := posterntest.App{ID: "choice", Secret: "browser-secret-0123456789", Name: "App choice", RedirectURL: v.partner.URL("/cb"), Dialect: "xref"}
	account := s.Redeem(app, v.arrived(1).Get("code")).OK().Field("xref_account_id")
	grace := s.Redeem(posterntest.Xref, s.Approve(posterntest.Xref, posterntest.Grace)).OK().Field("xref_account_id")
	if account != grace {
		t.Fatalf("account %s was connected, and Globex is %s", account, grace)
	}
}

func TestAllIsDoneByKeyboard(t *testing.T) {
	s := posterntest.New(t)
	v := chromium(t, s, 1280)
	link := v.register("keys", "standard", ", scopes: [candidates.read]")
	// The first field has the focus, or Tab leads to it; Enter signs in. On the
	// question Tab leads from the brand to Allow.
	v.do(chromedp.Navigate(link), chromedp.WaitVisible(chromedp.CSS(`input[type=email]`)), chromedp.Focus(chromedp.CSS(`input[type=email]`)),
		chromedp.KeyEvent(posterntest.Ada+kb.Tab+posterntest.Password+kb.Enter),
		chromedp.WaitVisible(allow), chromedp.Focus(allow), chromedp.KeyEvent(kb.Enter))
	if q := v.arrived(1); q.Get("code") == "" || q.Get("iss") != s.URL {
		t.Fatalf("the partner was told %v", q)
	}
}
