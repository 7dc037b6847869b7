package ui

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"postern.dev/postern"
)

func TestOnlyAPageThatNamesScriptsMayRunThem(t *testing.T) {
	p := mustNew(t, Brand{})
	policyOf := func(page Page) (policy, body string) {
		t.Helper()
		w := httptest.NewRecorder()
		Headers{}.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if err := p.Write(w, r, http.StatusOK, page); err != nil {
				t.Fatal(err)
			}
		})).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))
		return w.Header().Get("Content-Security-Policy"), w.Body.String()
	}
	policy, body := policyOf(appSamples()["portal-keys"])
	if !strings.Contains(policy, "default-src 'none'") || !strings.Contains(policy, "script-src 'self'") || strings.Contains(policy, "unsafe") {
		t.Errorf("the policy of a page with a script is %s", policy)
	}
	path, err := p.Assets.Path("copy.js")
	if err != nil || !strings.Contains(body, `<script src="`+path+`" defer></script>`) {
		t.Errorf("the page does not load %s, %v", path, err)
	}
	w := httptest.NewRecorder()
	if !p.Assets.Serve(w, httptest.NewRequest(http.MethodGet, path, nil)) || w.Header().Get("Content-Type") != "text/javascript; charset=utf-8" {
		t.Errorf("the script is served as %q", w.Header().Get("Content-Type"))
	}
	if policy, _ := policyOf(samples()["consent"]); strings.Contains(policy, "script-src 'self'") {
		t.Errorf("the consent page may run scripts: %s", policy)
	}
}

// Who signs in as somebody of the sandbox copies an e-mail and a password. A role
// that is not shown the password is not offered a copy of its dots.
func TestWhatSignsSandboxPeopleInCanBeCopied(t *testing.T) {
	p := mustNew(t, Brand{})
	page := sandboxSamples()["portal-sandbox"].(*SandboxPage)
	const email, password = `data-copied="Copied">ada@`, `Password</span> <code data-copy="Copy"`
	if html := render(t, p, page); !strings.Contains(html, "/copy.") || !strings.Contains(html, email) || !strings.Contains(html, password) {
		t.Errorf("they cannot be copied:\n%s", html)
	}
	page.Role = postern.Viewer
	if html := render(t, p, page); strings.Contains(html, "data-copy") {
		t.Error("a viewer copies what is not shown")
	}
}

// The preview of an app's consent page stands beside a form that is not saved yet.
func TestAPreviewLeadsNowhere(t *testing.T) {
	p := mustNew(t, Brand{})
	for _, name := range []string{"portal-app-form-new", "portal-app-form", "operator-app"} {
		html := render(t, p, appSamples()[name])
		_, preview, shown := strings.Cut(html, "It will be able to")
		if !shown || strings.Contains(preview, `href="/connections"`) {
			t.Errorf("%s: the preview leads away", name)
		}
	}
}

func TestThePiecesOfCodeOfAGuideCanBeCopied(t *testing.T) {
	p := mustNew(t, Brand{})
	path, err := p.Assets.Path("copy.js")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range []Page{&GuidePage{}, &QuickStartPage{AppFrame: AppFrame{App: &postern.App{}}}} {
		body, err := p.Render("en", page)
		if err != nil || !strings.Contains(string(body), path) || !strings.Contains(string(body), `data-copies="Copy"`) {
			t.Errorf("%s offers no copies, %v", page.Name(), err)
		}
	}
}
