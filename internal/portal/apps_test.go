package portal_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"mime/multipart"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"postern.dev/postern/internal/posterntest"
	"postern.dev/postern/internal/posterntest/engines"
)

// made registers an app in the portal and gives its path.
func made(t *testing.T, s *posterntest.Postern, b *posterntest.Browser, name string) string {
	t.Helper()
	page := b.Press(b.Get(newApp(t, b)), "Create app", "name", name, "redirect_urls", "https://partner.test/cb", "url", "https://partner.test",
		"scope", "candidates.read", "reason:candidates.read", "To show them")
	if !strings.HasPrefix(page.URL.Path, "/portal/apps/app_") {
		t.Fatalf("creating led to %s: %s", page.URL, page.Text())
	}
	return page.URL.Path
}

var newAppLink = regexp.MustCompile(`/portal/partners/par_[A-Za-z0-9]+/apps/new`)

func newApp(t *testing.T, b *posterntest.Browser) string {
	t.Helper()
	link := newAppLink.FindString(b.Get("/portal").Body)
	if link == "" {
		t.Fatal("the first page has no way to a new app")
	}
	return link
}

func TestTokensForItselfAreOfferedWhereTheOperatorLetsPartnersAsk(t *testing.T) {
	t.Run("by default they are not", func(t *testing.T) {
		s := posterntest.New(t)
		b := s.Portal(posterntest.Coder)
		if page := b.Get(newApp(t, b)); page.Has("It gets tokens for itself") {
			t.Error("the form offers what the rules refuse")
		}
	})
	s := posterntest.New(t, posterntest.Set("apps", map[string]any{"review": "review", "client_credentials": true}))
	b, op := s.Portal(posterntest.Dev), s.Console(posterntest.Operator)
	app := "/portal/apps/" + posterntest.Standard.ID
	ask := func() string {
		return s.Send(posterntest.PostForm("/oauth/token", "grant_type", "client_credentials").Authorized(posterntest.Basic(posterntest.Standard.ID, posterntest.Standard.Secret))).Field("error")
	}
	settings := b.Get(app+"/settings").Wants(t, 200, "It gets tokens for itself as well")
	fields := []string{"for_itself", "true"}
	for _, scope := range []string{"candidates.read", "candidates.write", "jobs.read"} {
		fields = append(fields, "reason:"+scope, "To show them")
	}
	b.Press(settings, "Save", fields...).Wants(t, 200, "Handed in")
	back := b.Get(app+"/proposal/withdraw").Wants(t, 200, "Take back the change of Standard Partner?", "The app stays as it is.")
	b.Press(back, "Take it back").Wants(t, 200, "Taken back")
	b.Get(app+"/proposal/withdraw").Wants(t, 404)
	b.Press(b.Get(app+"/settings"), "Save", fields...).Wants(t, 200, "Handed in")
	if got := ask(); got != "unauthorized_client" {
		t.Errorf("before the approval: %s", got)
	}
	op.Get("/operator").Wants(t, 200, "tokens for itself")
	review := op.Get("/operator/apps/"+posterntest.Standard.ID).Wants(t, 200, "Tokens for itself", "client_credentials")
	op.Press(review, "Approve").Wants(t, 200)
	if got := ask(); got != "" {
		t.Errorf("after the approval: %s", got)
	}
	b.Get(app).Wants(t, 200, "Tokens for itself")
}

// Giving the password again is a new session, and no page that is open elsewhere
// loses what was typed into it.
func TestAFormThatIsOpenOutlivesAPasswordThatIsGivenAgain(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	app := made(t, s, b, "Night Sync")
	settings, keys := b.Get(app+"/settings"), b.Get(app+"/keys")
	s.Clock.Advance(time.Hour)
	b.SignIn(b.Press(keys, "Make the secret", "name", "x"), posterntest.Dev, posterntest.Password).Wants(t, 200, "It is not shown again")
	b.Press(settings, "Save", "description", "Works at night").Wants(t, 200, "Saved")
	// Somebody else at the same browser cannot send it.
	b.Press(b.Get("/portal"), "Sign out")
	b.SignIn(b.Get("/portal/login"), posterntest.Coder, posterntest.Password)
	b.Press(settings, "Save", "description", "Never").Wants(t, http.StatusForbidden)
}

// Who was signed out meanwhile loses nothing of what was typed either.
func TestAFormIsHeldWhileItsPersonSignsInAgain(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	app := made(t, s, b, "Night Sync")
	settings, you, remove := b.Get(app+"/settings"), b.Get("/portal/you"), b.Get(app+"/remove")
	s.Clock.Advance(13 * time.Hour)
	asked := b.Press(settings, "Save", "description", "Works at <night>").Wants(t, 200, "Sign in to the partner portal", "What you filled in is kept")
	asked = b.SignIn(asked, posterntest.Dev, "wrong").Wants(t, 200, "is not right", "What you filled in is kept")
	// Somebody else at the same browser cannot send it.
	b.SignIn(asked, posterntest.Coder, posterntest.Password).Wants(t, http.StatusForbidden)
	b.Press(b.Get("/portal"), "Sign out")
	b.SignIn(asked, posterntest.Dev, posterntest.Password).Wants(t, 200, "Saved")
	if page := b.Get(app + "/settings"); !strings.Contains(page.Body, "Works at &lt;night&gt;") {
		t.Errorf("it was not saved: %s", page.Text())
	}

	s.Clock.Advance(13 * time.Hour)
	// A password is not held, in no page.
	page := b.Press(you, "Change password", "password", posterntest.Password, "new_password", "a third small gate", "new_password_again", "a third small gate")
	if page.Wants(t, 200, "Sign in").URL.Path != "/portal/login" || page.Has("is kept") {
		t.Errorf("%s: %s", page.URL, page.Text())
	}
	asked = b.Press(remove, "Remove app").Wants(t, 200, "What you filled in is kept")
	if b := s.Portal(posterntest.Dev); b.Get(app).Status != 200 {
		t.Error("it was done before anybody had signed in")
	}
	b.SignIn(asked, posterntest.Dev, posterntest.Password).Wants(t, 200, "is removed")
}

// The form of a removal does not outlive the sign-in that it was shown to.
func TestPA05_AnOldFormRemovesNoApp(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	app := made(t, s, b, "Night Sync")
	form := b.Get(app+"/remove").Wants(t, 200, "cannot be brought back")
	s.Clock.Advance(time.Hour)
	asked := b.Press(form, "Remove app").Wants(t, 200, "Your password, once more")
	b.Get(app).Wants(t, 200)
	b.SignIn(asked, posterntest.Dev, posterntest.Password).Wants(t, 200, "is removed")
}

func TestPA01_AnotherPartnersAppsAreAsThoseThatDoNotExist(t *testing.T) {
	s := posterntest.New(t)
	mine, theirs := s.Portal(posterntest.Dev), s.Portal(posterntest.OtherDev)
	app := made(t, s, mine, "Night Sync")
	mine.Press(mine.Get(app+"/keys"), "Make the secret", "name", "production")
	secret := regexp.MustCompile(`sec_[A-Za-z0-9]{22}`).FindString(mine.Get(app + "/keys").Body)
	partner := strings.TrimSuffix(newApp(t, mine), "/apps/new")
	random, nobody := "/portal/apps/app_0000000000000000000000", "/portal/partners/par_0000000000000000000000"
	status := func(p *posterntest.Page) string { // without the request's id
		return regexp.MustCompile(`req_[A-Za-z0-9]+`).ReplaceAllString(p.Text(), "")
	}
	fields := func() url.Values { // a form of theirs, with a token that is good for them
		return theirs.Get(newApp(t, theirs)).Forms()[1].Fields
	}
	for _, path := range []string{"", "/settings", "/keys", "/keys/" + secret + "/end", "/off", "/remove", "/proposed.png"} {
		want := theirs.Get(random + path)
		got := theirs.Get(app + path)
		if got.Status != 404 || status(got) != status(want) {
			t.Errorf("GET %s: %d %s, of a random one %d %s", path, got.Status, status(got), want.Status, status(want))
		}
	}
	for _, path := range []string{"/settings", "/preview", "/logo", "/keys", "/keys/webhook", "/keys/" + secret + "/end", "/off", "/on", "/remove", "/proposal"} {
		want := theirs.Post(random+path, fields())
		got := theirs.Post(app+path, fields())
		if got.Status != 404 || status(got) != status(want) {
			t.Errorf("POST %s: %d %s, of a random one %d %s", path, got.Status, status(got), want.Status, status(want))
		}
	}
	for _, path := range []string{"/apps/new", "/apps/preview"} {
		if got, want := theirs.Post(partner+path, fields()), theirs.Post(nobody+path, fields()); got.Status != 404 || status(got) != status(want) {
			t.Errorf("POST %s: %d %s", path, got.Status, status(got))
		}
	}
	mine.Get(app).Wants(t, 200, "Night Sync")
}

func TestPA18_AViewerSeesAndChangesNothing(t *testing.T) {
	s := posterntest.New(t)
	dev, viewer := s.Portal(posterntest.Dev), s.Portal(posterntest.Viewer)
	app := made(t, s, dev, "Night Sync")
	link := newApp(t, dev)
	viewer.Get(app).Wants(t, 200, "Night Sync")
	viewer.Get(app+"/keys").Wants(t, 200)
	for _, path := range []string{app + "/settings", app + "/off", app + "/remove", link} {
		viewer.Get(path).Wants(t, 403, "viewer")
	}
	for _, path := range []string{"/settings", "/logo", "/keys", "/keys/webhook", "/off", "/on", "/remove", "/proposal"} {
		viewer.Post(app+path, url.Values{"name": {"Theirs"}}).Wants(t, 403, "viewer")
	}
	for _, page := range []*posterntest.Page{viewer.Get(app), viewer.Get(app + "/keys"), viewer.Get("/portal")} {
		for _, f := range page.Forms() {
			if strings.HasPrefix(f.Action, app) {
				t.Errorf("%s offers a viewer %s", page.URL, f.Action)
			}
		}
	}
}

func TestPA03_FieldsThatNobodyMaySetSayNothing(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	page := b.Get(newApp(t, b))
	for _, f := range page.Forms() {
		if !strings.HasSuffix(f.Action, "/apps/new") {
			continue
		}
		for name, value := range map[string]string{
			"client_id": "mine", "id": "mine", "client_secret": "s3cret-s3cret-s3cret-s3cret", "partner_id": "par_x", "disabled": "true", "review": "", "grants": "client_credentials",
			"created_at": "1", "level": "account", "attributes": "x", "also": "xref",
		} {
			f.Fields.Set(name, value)
		}
		f.Fields.Set("name", "Plain")
		f.Fields["scope"] = []string{"candidates.read", "billing.read"}
		app := b.Post(f.Action, f.Fields).Wants(t, 200, "The app is registered")
		if app.URL.Path == "/portal/apps/mine" || app.Has("switched off") {
			t.Errorf("a protected field was set: %s", app.Text())
		}
		b.Get(app.URL.Path+"/keys").Wants(t, 200, "There is no secret yet")
	}
	f := b.Get(newApp(t, b)).Forms()[1]
	f.Fields.Set("name", "Wide")
	f.Fields["scope"] = []string{"everything"}
	b.Post(f.Action, f.Fields).Wants(t, 200, "There is no scope everything")
	f.Fields["name"] = []string{"One", "Two"}
	b.Post(f.Action, f.Fields).Wants(t, 400)
	f.Fields["name"], f.Fields["scope"] = []string{"Other wire"}, nil
	f.Fields.Set("dialect", "slack")
	b.Post(f.Action, f.Fields).Wants(t, 200, "Choose one of the list")
}

func TestPA06_AFormFromAnotherSiteIsRefused(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	app := made(t, s, b, "Night Sync")
	form := b.Get(app + "/settings").Forms()[1]
	form.Fields.Set("name", "Evil")
	for name, header := range map[string]http.Header{
		"cross-site": {"Sec-Fetch-Site": {"cross-site"}, "Origin": {"https://evil.test"}}, "same-site": {"Sec-Fetch-Site": {"same-site"}, "Origin": {"null"}},
		"old browser": {"Sec-Fetch-Site": nil, "Origin": {"https://evil.test"}},
	} {
		if page := b.Do("POST", app+"/settings", form.Fields, header); page.Status != 403 {
			t.Errorf("%s: %d", name, page.Status)
		}
	}
	form.Fields.Set("form_token", b.Get(app + "/keys").Forms()[1].Fields.Get("form_token"))
	b.Post(app+"/settings", form.Fields).Wants(t, 403, "out of date")
	b.Get(app).Wants(t, 200, "Night Sync")
}

func TestAFormKeepsWhatWasTypedAndSaysWhatIsWrong(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	refused := b.Press(b.Get(newApp(t, b)), "Create app", "name", "Typed name", "redirect_urls", "https://partner.test/cb#top\nhttps://partner.test/ok ", "description", "Typed words").
		Wants(t, 200, "has a fragment", "begins or ends with a space", "look at the fields that are marked")
	for _, kept := range []string{`value="Typed name"`, "https://partner.test/cb#top", "Typed words</textarea>"} {
		if !strings.Contains(refused.Body, kept) {
			t.Errorf("%s was not kept", kept)
		}
	}
	asked := b.Press(refused, "Create app", "redirect_urls", "https://partner.test").Wants(t, 200, "has no path", "mean it", "Nothing is saved yet")
	done := b.Press(asked, "Create app", "sure", regexp.MustCompile(`name="sure" value="([0-9a-f]+)"`).FindStringSubmatch(asked.Body)[1])
	done.Wants(t, 200, "The app is registered")
	preview := b.Press(b.Get(done.URL.Path+"/settings"), "Preview", "name", "Renamed <b>App</b>").Wants(t, 200, "Let Renamed <b>App</b> act for you?")
	if strings.Contains(preview.Body, "<b>App") {
		t.Error("the preview shows markup as markup")
	}
	b.Get(done.URL.Path).Wants(t, 200, "Typed name")
}

func TestPA09_WhatPartnersWriteIsTextOnEveryPage(t *testing.T) {
	s := posterntest.New(t)
	b, op := s.Portal(posterntest.Dev), s.Console(posterntest.Operator)
	for i, evil := range []string{
		`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `'><svg/onload=alert(1)>`, `</textarea><script>alert(1)</script>`, `{{.Token}}`,
		`javascript:alert(1)`, `&lt;script&gt;`, `<a href=//evil.test>x</a>`, `%s %d %!`, `</title><script>x</script>`, "`${alert(1)}`", `<iframe srcdoc=x>`,
	} {
		form := b.Get(newApp(t, b)).Forms()[1]
		for _, field := range []string{"name", "description", "url", "webhook_url", "logo_url", "redirect_urls", "reason:candidates.read"} {
			form.Fields.Set(field, evil)
		}
		form.Fields["scope"] = []string{"candidates.read"}
		plain(t, b.Post(form.Action, form.Fields).Wants(t, 200), evil)
		for _, field := range []string{"url", "webhook_url", "logo_url", "redirect_urls"} {
			form.Fields.Set(field, "")
		}
		made := b.Post(form.Action, form.Fields).Wants(t, 200)
		app := made.URL.Path
		key := b.Get(app + "/keys").Forms()
		key[1].Fields.Set("name", evil)
		plain(t, b.Post(app+"/keys", key[1].Fields).Wants(t, 200), evil)
		secret := regexp.MustCompile(`sec_[A-Za-z0-9]{22}/end`).FindString(b.Get(app + "/keys").Body)
		for _, path := range []string{app, app + "/settings", app + "/keys", app + "/keys/" + secret, app + "/off", app + "/remove", "/portal"} {
			plain(t, b.Get(path).Wants(t, 200), evil)
		}
		id := strings.TrimPrefix(app, "/portal/apps/")
		for _, path := range []string{"/operator/apps/" + id, "/operator/apps/" + id + "/off", "/operator/audit?object=app:" + id, "/operator/audit?actor=" + url.QueryEscape(evil)} {
			plain(t, op.Get(path).Wants(t, 200), evil)
		}
		if i == 0 {
			b.Get(app).Wants(t, 200, evil)
		}
	}
}

// plain fails the test when a text stands in a page as markup.
func plain(t *testing.T, p *posterntest.Page, evil string) {
	t.Helper()
	if strings.ContainsAny(evil, "<>") && strings.Contains(p.Body, evil) {
		t.Errorf("%s has %s as markup", p.URL, evil)
	}
	doc, err := html.Parse(strings.NewReader(p.Body))
	if err != nil {
		t.Fatal(err)
	}
	for n := range doc.Descendants() {
		for _, a := range n.Attr {
			runs := strings.HasPrefix(a.Key, "on") || a.Key == "srcdoc" || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") && a.Key != "value"
			if runs || n.Data == "script" && a.Key == "src" && !strings.HasPrefix(a.Val, "/assets/") {
				t.Errorf("%s has <%s %s=%q>", p.URL, n.Data, a.Key, a.Val)
			}
		}
		if n.Type == html.ElementNode && (n.Data == "iframe" || n.Data == "script" && n.FirstChild != nil) {
			t.Errorf("%s has <%s>", p.URL, n.Data)
		}
	}
}

func picture(t *testing.T, encode func(*bytes.Buffer, image.Image) error, w, h int) []byte {
	t.Helper()
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for x := range w {
		for y := range h {
			img.Set(x, y, color.NRGBA{uint8(x), uint8(y), 90, 255})
		}
	}
	var out bytes.Buffer
	if err := encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func asPNG(out *bytes.Buffer, img image.Image) error { return png.Encode(out, img) }

// upload sends a file by the form of the settings.
func upload(t *testing.T, s *posterntest.Postern, b *posterntest.Browser, app string, name string, content []byte) (status int, location, body string) {
	t.Helper()
	settings := b.Get(app + "/settings")
	token := ""
	for _, f := range settings.Forms() {
		if strings.HasSuffix(f.Action, "/logo") {
			token = f.Fields.Get("form_token")
		}
	}
	var out bytes.Buffer
	w := multipart.NewWriter(&out)
	part, err := w.CreateFormFile("logo", name)
	if err == nil {
		_, err = part.Write(content)
	}
	if err == nil {
		err = w.WriteField("form_token", token)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequest("POST", s.URL+app+"/logo", &out)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Content-Type", w.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for _, c := range b.Cookies() {
		r.AddCookie(c)
	}
	resp, err := (&http.Transport{}).RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer bytes.Buffer
	if _, err := answer.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, resp.Header.Get("Location"), answer.String()
}

func TestLC10_ALogoIsWrittenAnewOrRefusedInWords(t *testing.T) {
	engines.Each(t, logoIsWrittenAnew)
}

func logoIsWrittenAnew(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	b := s.Portal(posterntest.Dev)
	app := made(t, s, b, "Night Sync")
	good := picture(t, asPNG, 300, 200)
	const script = "<script>alert(document.domain)</script>"
	header := func(w, h uint32) []byte { // a PNG that says how large it is, and is cut off
		p := bytes.Clone(good[:60])
		for i := range 4 {
			p[16+i], p[20+i] = byte(w>>(24-8*i)), byte(h>>(24-8*i))
		}
		return p
	}
	for name, c := range map[string]struct {
		content []byte
		says    string
	}{
		"vector.svg":  {[]byte(`<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>`), "no PNG, JPEG, WebP or GIF image"},
		"page.png":    {[]byte("<!doctype html>" + script), "no PNG, JPEG, WebP or GIF image"},
		"script.gif":  {[]byte("GIF89a/*" + strings.Repeat("x", 100) + "*/=1;alert(1)"), "cannot be used"},
		"giant.png":   {header(20000, 20000), "cannot be used"},
		"cut.png":     {good[:len(good)/2], "the image is damaged"},
		"nothing.png": {nil, "Choose an image first"},
		"large.png":   {append(bytes.Clone(good), make([]byte, 1<<20)...), "larger than 1 MiB"},
	} {
		status, _, body := upload(t, s, b, app, name, c.content)
		if status != 200 || !strings.Contains(body, c.says) {
			t.Errorf("%s: %d, and it does not say %q", name, status, c.says)
		}
	}
	if status, _, body := upload(t, s, b, app, "huge.png", make([]byte, 3<<20)); status != 400 || !strings.Contains(body, "larger than 1 MiB") || !strings.Contains(body, "Use this image") {
		t.Errorf("a file of 3 MiB: %d, and it is not said beside the file", status)
	}
	// A picture that is a script as well loses the script.
	polyglot := append(picture(t, func(out *bytes.Buffer, img image.Image) error { return jpeg.Encode(out, img, nil) }, 640, 480), script...)
	if status, location, body := upload(t, s, b, app, "both.jpg", polyglot); status != 303 || !strings.Contains(location, "done=saved") {
		t.Fatalf("a JPEG: %d %s %s", status, location, body)
	}
	src := regexp.MustCompile(`/logos/app_[A-Za-z0-9]+/[0-9a-f]{16}\.png`).FindString(b.Get(app + "/settings").Body)
	served := b.Get(src).Wants(t, 200)
	img, err := png.Decode(strings.NewReader(served.Body))
	if err != nil || img.Bounds().Dx() != 128 || strings.Contains(served.Body, "script") || served.Header.Get("Content-Type") != "image/png" {
		t.Errorf("served %v as %s, %v", img, served.Header.Get("Content-Type"), err)
	}
	for _, page := range []string{"/portal", app, app + "/keys", app + "/start", app + "/try", app + "/log", app + "/connections", app + "/webhooks", app + "/sandbox"} {
		if !strings.Contains(b.Get(page).Body, src) {
			t.Errorf("%s has a letter in place of the logo", page)
		}
	}
	b.Press(b.Get(app+"/logo/remove").Wants(t, 200, "Remove the logo of"), "Remove it")
	if strings.Contains(b.Get(app+"/settings").Body, src) {
		t.Error("the logo is there after it was removed")
	}
}

func TestAnAppIsSwitchedOffAndOnAndRemoved(t *testing.T) {
	engines.Each(t, appIsSwitched)
}

func appIsSwitched(t *testing.T, database string) {
	s := posterntest.New(t, posterntest.On(database))
	b := s.Portal(posterntest.Dev)
	app := "/portal/apps/" + posterntest.Standard.ID
	token := s.Redeem(posterntest.Standard, s.Approve(posterntest.Standard, posterntest.Ada)).OK().Field("access_token")
	b.Press(b.Get(app+"/off").Wants(t, 200, "Its tokens are of no use"), "Switch off").Wants(t, 200, "switched off", "1 step to go", "Switch it on again")
	if b.Get(app).Has("people can connect") {
		t.Error("an app that is off is ready")
	}
	if s.Alive(token) {
		t.Error("a token of an app that is off is active")
	}
	b.Press(b.Get(app), "Switch on").Wants(t, 200, "The app is switched on")
	if !s.Alive(token) {
		t.Error("switched on again, the token is not active")
	}
	b.Press(b.Get(app+"/remove").Wants(t, 200, "cannot be brought back"), "Remove app").Wants(t, 200, "The app is removed")
	b.Get(app).Wants(t, 404)
	if s.Alive(token) {
		t.Error("a token of a removed app is active")
	}
}

// Where a partner chooses between wires with scopes and without, the form says which
// have none, and offers scopes whichever is chosen.
func TestTheFormSaysWhichDialectsHaveNoScopes(t *testing.T) {
	s := posterntest.New(t)
	b := s.Portal(posterntest.Dev)
	form := b.Get(newApp(t, b)).Wants(t, 200, "It has no scopes", "What the app may ask for")
	b.Press(form, "Create app", "name", "", "dialect", "xref").Wants(t, 200, "It has no scopes", "What the app may ask for", "Act for your account through its API")
}
