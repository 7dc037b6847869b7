package portal_test

import (
	"html"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
	"postern.dev/postern/internal/requestlog"
)

// flushed writes what was noted, and gives the base of an app's pages.
func flushed(s *posterntest.Postern, app posterntest.App) string {
	s.Logged(app, requestlog.Filter{})
	return "/portal/apps/" + app.ID
}

// wants complains unless a page shows all of these words.
func wants(t *testing.T, p *posterntest.Page, status int, words ...string) {
	t.Helper()
	if p.Status != status {
		t.Errorf("%s is %d, want %d", p.URL, p.Status, status)
	}
	for _, w := range words {
		if !p.Has(w) {
			t.Errorf("%s lacks %q:\n%s", p.URL, w, p.Text())
			return
		}
	}
}

func TestTheRequestLogSaysWhyACallFailed(t *testing.T) {
	engines.Each(t, logSaysWhy)
}

func logSaysWhy(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	app := posterntest.Standard
	asked := s.Send(posterntest.Request{Method: "GET", Path: s.AuthorizeURL(app, "redirect_uri", app.RedirectURL+"/")})
	s.Redeem(app, s.Approve(app, posterntest.Ada)).OK()
	base, b := flushed(s, app), s.Portal(posterntest.Viewer)

	p := b.Get(base + "/log")
	wants(t, p, 200, "The redirect_uri differs from the registered one in its last character: /", "400 refused", "200 granted", "Acme", "Refused: 0.", "without a proof that it was the app: 1.")
	// So does the app's first page, and another app's does not.
	first := b.Get(base)
	wants(t, first, 200, "Refused last", "The redirect_uri differs from the registered one in its last character: /", "Calls in 30 days: ")
	if first.Has("200 granted") || b.Get("/portal/apps/"+posterntest.Xref.ID).Has("Refused last") {
		t.Errorf("refused last was: %s", first.Text())
	}
	id := asked.Header.Get("X-Request-Id")
	p = b.Get(base + "/log?request=" + id)
	wants(t, p, 200, "differs from the registered one")
	if p.Has("200 granted") {
		t.Error("the search by request id found others, too")
	}
	entry := s.Logged(app, requestlog.Filter{RequestID: id})[0]
	p = b.Get(base + "/log/" + strconv.FormatInt(entry.ID, 10))
	wants(t, p, 200, id, "redirect_uri_mismatch", app.RedirectURL+"/", "They are compared byte for byte.", "Nothing in this request proved")
	wants(t, b.Get(base+"/log?outcome=granted&endpoint=token"), 200, "200 granted")
	wants(t, b.Get(base+"/log?account=nobody"), 200, "Nothing found")

	list := b.Get(base + "/log?outcome=granted&endpoint=token&done=x")
	one := regexp.MustCompile(`/log/\d+\?[^"]*`).FindString(list.Body)
	if back := `/log?endpoint=token&amp;outcome=granted"`; !strings.Contains(b.Get("/portal/apps/"+app.ID+html.UnescapeString(one)).Body, back) {
		t.Errorf("an entry (%s) does not lead back to the list that was filtered", one)
	}
	wants(t, b.Get(base+"/log/1"), 404)
	wants(t, b.Get(base+"/log/x"), 404)
	stranger := s.Portal(posterntest.OtherDev)
	wants(t, stranger.Get(base+"/log"), 404)
	wants(t, stranger.Get(base+"/log/"+strconv.FormatInt(entry.ID, 10)), 404)
	// Another app of the same partner does not have this entry.
	wants(t, b.Get("/portal/apps/"+posterntest.Xref.ID+"/log/"+strconv.FormatInt(entry.ID, 10)), 404)
}

// A reason is a sentence of the page: said in the reader's language, with its
// facts where that language has them.
func TestTheRequestLogGivesItsReasonsInGerman(t *testing.T) {
	s := posterntest.New(t)
	app := posterntest.Standard
	code := s.Approve(app, posterntest.Ada)
	s.Clock.Advance(20 * time.Minute)
	late := s.Redeem(app, code)
	asked := s.Send(posterntest.Request{Method: "GET", Path: s.AuthorizeURL(app, "redirect_uri", app.RedirectURL+"/<b>")})
	base, b := flushed(s, app), s.Portal(posterntest.Viewer)

	p := b.Get(base + "/log?lang=de&request=" + late.Header.Get("X-Request-Id"))
	wants(t, p, 200, "Der Code war 15 Minuten zuvor abgelaufen. Codes gelten 5 Minuten.")
	p = b.Get(base + "/log?request=" + asked.Header.Get("X-Request-Id"))
	wants(t, p, 200, "Die redirect_uri unterscheidet sich von der registrierten in ihrem Pfad: /integrations/cb/%3Cb%3E statt /integrations/cb")
	p = b.Get(linkOf(p, base+"/log/"))
	wants(t, p, 200, "redirect_uri_mismatch", app.RedirectURL+"/<b>", "Senden Sie "+app.RedirectURL, "oder registrieren Sie auch die andere. Sie werden Byte für Byte verglichen.")

	p = b.Get("/portal/docs/reference")
	wants(t, p, 200, "Der Code war … zuvor abgelaufen. Codes gelten …", "Eine Verbindung endete; reason sagt,")
	p = b.Get("/portal/docs?q=zuvor+abgelaufen")
	wants(t, p, 200, "code_expired", "Fehler", "Der Code war … zuvor abgelaufen.")
	wants(t, b.Get("/portal/docs?q=zuvor+abgelaufen&lang=en"), 200, "Nothing has")
}

func TestALongLogGoesOnPageByPage(t *testing.T) {
	engines.Each(t, logGoesOn)
}

func logGoesOn(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	app := posterntest.Standard
	for range 35 {
		s.Send(posterntest.PostForm("/oauth/token", "grant_type", "refresh_token", "refresh_token", "x").Authorized(posterntest.Basic(app.ID, app.Secret)))
		s.Clock.Advance(time.Second)
	}
	base, b := flushed(s, app), s.Portal(posterntest.Dev)
	p := b.Get(base + "/log?outcome=refused")
	older := linkOf(p, "before=")
	if older == "" || !strings.Contains(older, "outcome=refused") {
		t.Fatalf("the way on is %q", older)
	}
	p = b.Get(older)
	if n := strings.Count(p.Text(), "The refresh token has"); n != 10 {
		t.Errorf("the second page has %d entries", n)
	}
}

func TestConnectionsAreListedAndEndedByWhoMay(t *testing.T) {
	engines.Each(t, connectionsAreEnded)
}

func connectionsAreEnded(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	app := posterntest.Standard
	got := s.Redeem(app, s.Approve(app, posterntest.Ada)).OK()
	got = s.Refresh(app, got.Field("refresh_token")).OK()
	id := s.Introspect(got.Field("access_token")).Field("connection_id")
	base := flushed(s, app)

	viewer := s.Portal(posterntest.Viewer)
	p := viewer.Get(base + "/connections")
	wants(t, p, 200, "Acme", "candidates.read", "ada", id, "200 granted")
	if p.Has("End it") {
		t.Error("a viewer is offered to end it")
	}
	end := base + "/connections/" + id + "/end"
	wants(t, viewer.Get(end), 403)
	wants(t, viewer.Post(end, url.Values{"form_token": {token(viewer, end)}}), 403)
	wants(t, s.Portal(posterntest.OtherDev).Get(end), 404)
	wants(t, viewer.Get(base+"/connections?account=nobody"), 200, "Nothing found")

	coder := s.Portal(posterntest.Coder)
	p = coder.Get(end)
	wants(t, p, 200, "End the connection of Standard Partner to Acme?", "It is ada's own, in the account Acme.")
	wants(t, coder.Post(end, url.Values{"form_token": {"forged"}}), 403)
	if !s.Alive(got.Field("access_token")) {
		t.Fatal("it has ended already")
	}
	wants(t, coder.Press(p, "End it"), 200, "The connection has ended", "No connection at the moment")
	if s.Alive(got.Field("access_token")) {
		t.Error("its token still works")
	}
	wants(t, coder.Get(end), 404)
	why := s.Refresh(app, got.Field("refresh_token"))
	if e := s.Logged(app, requestlog.Filter{RequestID: why.Header.Get("X-Request-Id")}); len(e) != 1 || !strings.Contains(e[0].Why().What.String(), "by the app itself") {
		t.Errorf("the log says %+v", e)
	}
}

func TestWebhooksAreShownAndSentAgain(t *testing.T) {
	engines.Each(t, webhooksAreSentAgain)
}

func webhooksAreSentAgain(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	partner := posterntest.NewPartner(t)
	app := posterntest.Standard
	s.Apply(`partners: [{name: Partner Inc, apps: [{name: Standard Partner, client_id: standard-app, webhook_url: "` + partner.URL("/hook") + `"}]}]`)
	s.Redeem(app, s.Approve(app, posterntest.Ada)).OK()
	partner.Wait("/hook", 1, 20*time.Second)
	base := "/portal/apps/" + app.ID + "/webhooks"
	dev, viewer := s.Portal(posterntest.Dev), s.Portal(posterntest.Viewer)

	p := until(t, func() *posterntest.Page { return dev.Get(base) }, "delivered")
	wants(t, p, 200, "connection.created", "answers", "Send a test event")
	one := linkOf(p, base+"/evt_")
	wants(t, dev.Get(one), 200, "connection.created", "attempt 1", "200", "Received.")
	if p := viewer.Get(base); p.Has("Send a test event") || p.Has("Send some again") {
		t.Error("a viewer is offered to send")
	}
	wants(t, viewer.Post(one+"/again", url.Values{"form_token": {token(viewer, base)}}), 403)
	wants(t, dev.Post(one+"/again", url.Values{"form_token": {"forged"}}), 403)
	wants(t, s.Portal(posterntest.OtherDev).Get(one), 404)

	wants(t, dev.Press(dev.Get(one), "Send again"), 200, "It is sent again")
	partner.Wait("/hook", 2, 20*time.Second)
	wants(t, dev.Press(dev.Get(base), "Send a test event"), 200, "A test event is on its way")
	partner.Wait("/hook", 3, 20*time.Second)
	until(t, func() *posterntest.Page { return dev.Get(base + "?state=open") }, "No delivery is in this state.")
	wants(t, dev.Press(dev.Get(base), "Send again", "state", "delivered"), 200, "Sent again: 2")
	wants(t, dev.Press(dev.Get(base), "Send again", "state", "parked", "until", "2020-01-01T00:00"), 200, "Nothing was chosen")
	wants(t, dev.Press(dev.Get(base), "Send again", "since", "yesterday"), 200, "Write a time as", "connection.created")
	wants(t, dev.Get(base+"?state=nonsense"), 400)
	for _, list := range []string{"outcome", "origin", "endpoint"} { // PA-15
		wants(t, dev.Get("/portal/apps/"+app.ID+"/log?"+list+"=nonsense"), 400, "Choose again")
	}
	wants(t, dev.Get(base+"/evt_nothing"), 404)
}

// A delivery tells whose account it is about, and that a sandbox is one.
func TestDeliveriesMarkTheSandbox(t *testing.T) {
	engines.Each(t, func(t *testing.T, database string) {
		s := posterntest.New(t, posterntest.On(database))
		dev, app := s.Portal(posterntest.Dev), posterntest.Standard
		base := "/portal/apps/" + app.ID
		s.Redeem(app, s.Approve(app, posterntest.Ada)).OK()
		page := dev.Press(dev.Get(base+"/try"), "Begin")
		for range 2 {
			page = dev.Press(page, "Take this step", "client_secret", app.Secret).Wants(t, 200)
		}
		list := func() *posterntest.Page { return dev.Get(base + "/webhooks") }
		p := until(t, list, " sandbox ")
		if marked := regexp.MustCompile(`kept to be pulled Sandbox \w+ sandbox`); !marked.MatchString(p.Text()) || !p.Has("kept to be pulled Acme") || p.Has("Acme sandbox") {
			t.Errorf("the deliveries are %s", p.Text())
		}
		dev.Get(linkOf(p, base+"/webhooks/evt_")).Wants(t, 200, "Account Sandbox ", " sandbox acc_sandbox_")
	})
}

// until loads a page until it shows these words.
func until(t *testing.T, load func() *posterntest.Page, words string) *posterntest.Page {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		p := load()
		if p.Has(words) {
			return p
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s never shows %q:\n%s", p.URL, words, p.Text())
		}
	}
}

// linkOf is the first link of a page whose address holds a text.
func linkOf(p *posterntest.Page, holds string) string {
	for _, m := range regexp.MustCompile(`href="([^"]*)"`).FindAllStringSubmatch(p.Body, -1) {
		if address := html.UnescapeString(m[1]); strings.Contains(address, holds) {
			return address
		}
	}
	return ""
}

// What the store says to somebody on a page is said in their language, too.
func TestAnErrorPageIsWholeInGerman(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Viewer)
	base := "/portal/apps/" + posterntest.Standard.ID
	b.Get(base + "?lang=de")
	wants(t, b.Get(base+"/webhooks/evt_nothing"), 404, "Das gibt es nicht: Zustellung.")
	wants(t, b.Get(base+"/webhooks?state=nonsense"), 400, "Den Zustand \"nonsense\" gibt es nicht")
	wants(t, b.Get("/portal/apps/nothing"), 404, "Diese App gibt es nicht, oder sie ist nicht für Sie bestimmt.")
}
