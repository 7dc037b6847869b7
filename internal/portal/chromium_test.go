package portal_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"postern.dev/postern"
	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/needs"
)

// tab is a real browser before a real Postern.
type tab struct {
	*testing.T
	ctx context.Context
	s   *posterntest.Postern

	mu      sync.Mutex
	strange []string // console errors, and requests to anywhere else
}

type step = chromedp.Action[chromedp.Void]

// chromium opens a tab of this width, without JavaScript: no page needs it.
func chromium(t *testing.T, s *posterntest.Postern, width int64) *tab {
	t.Helper()
	program := needs.Program(t, "apt-get install chromium", "chromium", "chromium-browser", "google-chrome")
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program), chromedp.DisableGPU, chromedp.Flag("disable-quic", true))
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox)
	}
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(stop)
	own, closeTab := chromedp.NewContext(allocator)
	t.Cleanup(closeTab)
	ctx, cancel := context.WithTimeout(own, 90*time.Second)
	t.Cleanup(cancel)
	b := &tab{T: t, ctx: ctx, s: s}
	if err := chromedp.Listen(ctx, b.watch); err != nil {
		t.Fatal(err)
	}
	b.do(chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		if err == nil {
			_, err = chromedp.Call(ctx, log.Enable, cdp.Empty{})
		}
		return errors.Join(err, scripts(ctx, false))
	}), chromedp.EmulateViewport(width, 900))
	t.Cleanup(func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		for _, s := range b.strange {
			t.Error(s)
		}
	})
	return b
}

func (b *tab) watch(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *log.EventEntryAdded:
		if e.Entry.Level == log.EntryLevelError {
			b.strange = append(b.strange, "the console says: "+e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if u := e.Request.URL; !strings.HasPrefix(u, b.s.URL) && !strings.HasPrefix(u, "data:") {
			b.strange = append(b.strange, "a request went elsewhere: "+u)
		}
	}
}

func (b *tab) do(steps ...step) {
	b.Helper()
	if err := chromedp.Do(b.ctx, steps...); err != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(b.ctx), 5*time.Second)
		defer cancel()
		at, _ := chromedp.Run(ctx, chromedp.Location())
		b.Fatalf("%v\nat %s", err, at)
	}
}

// at is the path that the tab is at, and what the page says.
func (b *tab) at() (path, text string) {
	b.Helper()
	address, err := chromedp.Run(b.ctx, chromedp.Location())
	if err == nil {
		text, err = chromedp.Run(b.ctx, chromedp.Text(chromedp.CSS("main")))
	}
	if err != nil {
		b.Fatal(err)
	}
	return strings.TrimPrefix(address, b.s.URL), text
}

// fits wants that nothing is wider than the window.
func (b *tab) fits() step {
	return chromedp.Func(func(ctx context.Context, t *chromedp.Target) error {
		if err := scripts(ctx, true); err != nil {
			return err
		}
		wide, err := chromedp.Evaluate[int](`document.documentElement.scrollWidth - window.innerWidth`)(ctx, t)
		if err == nil && wide > 0 {
			path, _ := chromedp.Location()(ctx, t)
			b.Errorf("%s is %d px wider than the window", path, wide)
		}
		return errors.Join(err, scripts(ctx, false))
	})
}

// scripts switches JavaScript on and off.
func scripts(ctx context.Context, on bool) error {
	_, err := chromedp.Call(ctx, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: !on})
	return err
}

func TestFromTheInvitationToTheAppsOnAPhone(t *testing.T) {
	s := posterntest.New(t)
	b := chromium(t, s, 375)
	press := chromedp.Click(chromedp.CSS(`main button.primary`))
	b.do(chromedp.Navigate(s.URL+s.Invite(newcomer, partner, postern.Owner)), chromedp.WaitVisible(chromedp.CSS(`input[name=new_password]`)))
	b.do(b.fits())
	b.do(
		chromedp.SendKeys(chromedp.CSS(`input[name=name]`), "Nia New"),
		chromedp.SendKeys(chromedp.CSS(`input[name=new_password]`), chosen),
		chromedp.SendKeys(chromedp.CSS(`input[name=new_password_again]`), chosen),
		press, chromedp.WaitVisible(chromedp.CSS(`nav a[href="/portal/team"]`)),
	)
	if path, text := b.at(); path != "/portal" || !strings.Contains(text, "Partner Inc") {
		t.Fatalf("at %s: %s", path, text)
	}
	b.do(b.fits())
	b.do(chromedp.Navigate(s.URL+"/portal/team"), chromedp.WaitVisible(chromedp.CSS(`.people-list`)))
	b.do(b.fits())
	if _, text := b.at(); !strings.Contains(text, "Nia New") {
		t.Errorf("the team is %s", text)
	}
	b.do(chromedp.Click(chromedp.CSS(`nav button`)), chromedp.WaitVisible(chromedp.CSS(`main a[href="/portal/login"]`)),
		chromedp.Navigate(s.URL+"/portal/team"), chromedp.WaitVisible(chromedp.CSS(`input[type=password]`)))
	b.do(b.fits())
	b.do(
		chromedp.SendKeys(chromedp.CSS(`input[type=email]`), newcomer),
		chromedp.SendKeys(chromedp.CSS(`input[type=password]`), chosen),
		press, chromedp.WaitVisible(chromedp.CSS(`.people-list`)),
	)
	if path, _ := b.at(); path != "/portal/team" {
		t.Errorf("the sign-in led to %s", path)
	}
}
