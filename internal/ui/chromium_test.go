package ui

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"postern.dev/postern/internal/dialect"
	"postern.dev/postern/internal/posterntest/needs"
)

// axe is Deque's checker of pages for people with disabilities.
const axe = "../../clients/node_modules/axe-core/axe.min.js"

// showcase serves every sample, at /NAME, and in German at /de/NAME.
func showcase(t *testing.T) *httptest.Server {
	t.Helper()
	p, err := New(Brand{Help: "Ask help@saas.test."}, File{Name: "guide.css", Content: []byte(dialect.GuideStyle()), MediaType: "text/css; charset=utf-8"})
	if err != nil {
		t.Fatal(err)
	}
	all := allSamples()
	s := httptest.NewServer(Headers{}.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.Assets.Serve(w, r) {
			return
		}
		name, german := strings.CutPrefix(r.URL.Path[1:], "de/")
		if german {
			r.Header.Set("Accept-Language", "de")
		}
		page, ok := all[name]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		if err := p.Write(w, r, http.StatusOK, page); err != nil {
			t.Errorf("%s: %v", r.URL, err)
		}
	})))
	t.Cleanup(s.Close)
	return s
}

// browse starts a browser; every request that it makes is handed to seen.
func browse(t *testing.T, seen func(url string)) context.Context {
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
	ctx, cancel := context.WithTimeout(tab, 9*time.Minute)
	t.Cleanup(cancel)
	if err := chromedp.Listen(ctx, func(event any) {
		if e, ok := event.(*network.EventRequestWillBeSent); ok {
			seen(e.Request.URL)
		}
	}); err != nil {
		t.Fatal(err)
	}
	do(t, ctx, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, network.Enable, network.EnableParams{})
		return err
	}))
	return ctx
}

type step = chromedp.Action[chromedp.Void]

func do(t *testing.T, ctx context.Context, steps ...step) {
	t.Helper()
	if err := chromedp.Do(ctx, steps...); err != nil {
		t.Fatal(err)
	}
}

// scheme makes the browser prefer light or dark.
func scheme(name string) step {
	return chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: name}},
		})
		return err
	})
}

// Every page, wide and narrow, light and dark, has nothing that shuts people
// out: axe finds nothing serious or critical. No page is wider than its window,
// and none asks anybody else for anything.
func TestEveryPageIsForEverybody(t *testing.T) {
	script, err := os.ReadFile(axe)
	if err != nil {
		needs.Lacking(t, "axe-core is not installed: cd clients && npm ci --ignore-scripts")
	}
	s := showcase(t)
	seen := func(url string) {
		if !strings.HasPrefix(url, s.URL+"/") && !strings.HasPrefix(url, "data:") {
			t.Errorf("a page asks %s for something", url)
		}
	}
	names := slices.Sorted(maps.Keys(allSamples()))
	for part := range slices.Chunk(names, (len(names)+1)/2) { // a browser for each core of a small machine
		t.Run("from "+part[0], func(t *testing.T) {
			t.Parallel()
			ctx := browse(t, seen)
			for _, name := range part {
				t.Run(name, func(t *testing.T) { inspect(t, ctx, s.URL, name, string(script)) })
			}
		})
	}
}

// inspect looks at a page in both languages and in all views.
func inspect(t *testing.T, ctx context.Context, url, name, axe string) {
	do(t, ctx, chromedp.EmulateViewport(320, 900), chromedp.Navigate(url+"/de/"+name))
	fits(t, ctx, "in German", 320)
	do(t, ctx, chromedp.Navigate(url+"/"+name))
	fits(t, ctx, "in English", 320)
	look(t, ctx, axe, "true")
	for _, view := range views {
		do(t, ctx, scheme(view.scheme), chromedp.EmulateViewport(view.width, 900))
		fits(t, ctx, view.scheme, view.width)
		if found := look(t, ctx, fmt.Sprintf(findings, view.rules)); found != "" {
			t.Errorf("at %d px, %s:\n%s", view.width, view.scheme, found)
		}
	}
}

// fits fails where the page has to be scrolled sideways.
func fits(t *testing.T, ctx context.Context, what string, width int64) {
	t.Helper()
	if wide := look(t, ctx, `document.documentElement.scrollWidth - window.innerWidth + ""`); wide != "0" {
		t.Errorf("%s, it is %s px wider than a window of %d px", what, wide, width)
	}
}

// views are how pages are looked at. What does not depend on the width and the
// colours is looked at once.
var views = []struct {
	width         int64
	scheme, rules string
}{
	{1280, "light", `{rules: {"target-size": {enabled: true}}}`},
	{375, "dark", `{runOnly: ["color-contrast", "target-size", "scrollable-region-focusable", "link-in-text-block"]}`},
}

// findings runs axe and writes what is serious.
const findings = `axe.run(document, Object.assign(%s, {preload: false, resultTypes: ["violations"]})).then(r => r.violations
  .filter(v => v.impact === "serious" || v.impact === "critical")
  .map(v => v.id + ": " + v.help + "\n" + v.nodes.map(n => "  " + n.html + "\n  " + n.failureSummary).join("\n")).join("\n"))`

// look evaluates a script in the page; more lines come after it.
func look(t *testing.T, ctx context.Context, script string, more ...string) string {
	t.Helper()
	said, err := chromedp.Run(ctx, chromedp.Evaluate[any](strings.Join(append([]string{script}, more...), "\n"), chromedp.EvalAwaitPromise))
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(said)
}

// inTokyo opens a page there, and waits until its times are those of the place.
func inTokyo(t *testing.T, ctx context.Context, address string) {
	t.Helper()
	do(t, ctx, chromedp.Func(func(ctx context.Context, _ *chromedp.Target) error {
		_, err := chromedp.Call(ctx, emulation.SetTimezoneOverride, emulation.SetTimezoneOverrideParams{TimezoneID: "Asia/Tokyo"})
		return err
	}), chromedp.Navigate(address), chromedp.Poll[chromedp.Void](`document.querySelector("main time").title.includes("UTC")`))
}

// Times stand on pages in UTC; a reader with scripts sees those of their own zone.
func TestTimesBecomeThoseOfTheReadersZone(t *testing.T) {
	s := showcase(t)
	ctx := browse(t, func(string) {})
	inTokyo(t, ctx, s.URL+"/operator-audit")
	got := strings.ReplaceAll(look(t, ctx, `document.querySelector("main time").textContent`), "\u202f", " ")
	if want := day.In(time.FixedZone("Tokyo", 9*60*60)).Format("Jan 2, 2006, 3:04:05 PM"); got != want {
		t.Errorf("the page says %s, not %s", got, want)
	}
}

// Calls are counted by the day of UTC, whatever day it is where they are read.
func TestADayThatIsCountedStaysTheDayOfUTC(t *testing.T) {
	s := showcase(t)
	ctx := browse(t, func(string) {})
	inTokyo(t, ctx, s.URL+"/portal-log")
	got := look(t, ctx, `["tbody th", ".ends span"].map(q => document.querySelector(".usage " + q).textContent).join(", ")`)
	if one := day.Format("2 January 2006"); got != one+", "+one {
		t.Errorf("the first day is told as %s, and it is %s", got, one)
	}
}

// What a reader types as a time is of their zone, too, and is sent in UTC.
func TestATimeThatIsTypedIsOfTheReadersZone(t *testing.T) {
	s := showcase(t)
	ctx := browse(t, func(string) {})
	inTokyo(t, ctx, s.URL+"/portal-webhooks")
	typed := day.In(time.FixedZone("Tokyo", 9*60*60)).Format("2006-01-02T15:04")
	got := look(t, ctx, `const box = document.getElementById("since"); box.value = "`+typed+`";`,
		`[box.labels[0].textContent, new FormData(box.form).get("since"), new FormData(box.form).get("until")].join(", ")`)
	if want := "From, " + day.Format("2006-01-02T15:04") + ":00, "; got != want {
		t.Errorf("the form has %q, not %q", got, want)
	}
}
